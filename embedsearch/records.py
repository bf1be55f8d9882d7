"""The values that travel between the rooms: frozen, and nothing but data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["text", "markdown", "code", "html"]
"""What a document's text is, which decides where the chunker prefers to cut.

``html`` is plain text whose blocks are parted by blank lines and whose headings are known
from the mark-up it came from: HTML, docx, pptx and epub alike.
"""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading in a document's text: it begins at character ``start``, at ``level`` 1 to 6."""

    start: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Document:
    """A text with an identity.

    ``metadata`` is what JSON holds; numpy's numbers are stored as numbers, dates and times as text,
    those with a time zone in UTC (``2026-01-31T06:00:00Z``).
    ``headings`` lie in ascending order of ``start``; for ``kind="markdown"`` they may be left
    out, the chunker finds them. ``pages`` holds the character offset at which each page starts
    (page 1 first), and is empty where there are no pages. ``times`` holds, for a recording's
    transcript, (character offset, seconds) of each passage, ascending. ``partial`` says what of
    the file could not be read, and why, where that is not all.
    """

    id: str
    text: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind = "text"
    headings: tuple[Heading, ...] = ()
    pages: tuple[int, ...] = ()
    times: tuple[tuple[int, float], ...] = ()
    partial: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("id", self.id), ("text", self.text)):
            if not isinstance(value, str):
                raise TypeError(f"expected a document's {name} as str, got {value!r:.40}")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A slice of a document: ``document.text[start:end] == text``.

    ``tokens`` is the count of the text encoded on its own, ``None`` for a document that came
    with its own vector. Lines and pages count from 1; ``heading`` is the path of headings the
    chunk starts under, joined by `` > ``; ``seconds`` is how far into a recording it starts.
    """

    text: str
    start: int
    end: int
    tokens: int | None
    start_line: int
    end_line: int
    page: int | None = None
    heading: str | None = None
    seconds: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON holds."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that answers a query; a higher ``score`` is better.

    ``chunk_id`` is ``DOCUMENT_ID#N``, where N is the chunk's place in ``index.chunks(id)``.
    ``source`` is the file's absolute path, ``None`` for a document that came from no file;
    ``heading`` is the path of headings that the chunk begins under; ``seconds`` is how far into a
    recording it starts.
    """

    rank: int
    score: float
    document_id: str
    chunk_id: str
    text: str
    start: int
    end: int
    start_line: int
    end_line: int
    page: int | None
    heading: str | None
    metadata: Mapping[str, Any]
    source: str | None = None
    seconds: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON holds."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a chunk answers a query; a hybrid score is the mean of ``meaning`` and ``words``.

    ``meaning`` is the cosine, ``None`` where it was not asked for or the chunk is not embedded yet.
    ``words`` is the share of the BM25 score that a text could have at best. It is the sum of
    ``terms``: what each word of the query brings, 0 for one that the chunk lacks. Words that say
    nothing, as ``the``, are not among them.
    """

    meaning: float | None
    words: float
    terms: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON holds."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Segment:
    """What is said in a stretch of a recording, ``start`` to ``end`` in seconds."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is said in a recording that is ``seconds`` long; no segments where nobody speaks."""

    segments: tuple[Segment, ...]
    language: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """A labelled document near to a text; ``similarity`` is their cosine."""

    document_id: str
    labels: tuple[str, ...]
    similarity: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a classifier says of a document, or of a text (``document_id`` is ``None``).

    ``labels`` is empty where it abstains, and holds several, the most probable first, where
    documents may have several; ``probabilities`` are theirs. ``probability`` is that of the most
    probable label, be it among them or not. ``reasons`` are the nearest labelled documents, the
    nearest first; ``version`` is the classifier's. ``unlike``: it is less like any of the labelled
    documents than 99 % of these are like another, so that no label may fit.
    """

    document_id: str | None
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    probability: float
    reasons: tuple[Reason, ...]
    version: int
    unlike: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON holds."""
        return asdict(self)

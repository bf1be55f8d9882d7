"""Packing: from hits to the numbered passages that a model is given, within a budget of tokens."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from embedsearch.records import Hit
    from embedsearch.tokens.protocol import Tokenizer

TAG = "passage"
"""What stands around each passage; numbered where a text has such tags itself."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A slice of a document, ``document.text[start:end] == text``, that is cited by its number.

    ``hits`` are the chunks it is made of, in the order of the text. All else is as in ``Hit``;
    page, heading and time are those it starts on, under and at.
    """

    number: int
    document_id: str
    text: str
    start: int
    end: int
    start_line: int
    end_line: int
    page: int | None
    heading: str | None
    source: str | None
    seconds: float | None
    hits: tuple[Hit, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON holds."""
        return asdict(self)


def pack(hits: Iterable[Hit], *, budget: int, tokenizer: Tokenizer) -> list[Passage]:
    """Return the best hits as passages that take ``budget`` tokens at most when they are written.

    Hits are taken best first, up to the one that does not fit; of equal texts only the first is.
    Chunks that overlap, or follow each other under one heading, become one passage, so that no text
    is there twice. The passage with the best hit is number 1.
    """
    chosen: list[Hit] = []
    for hit in hits:
        if any(hit.text == other.text for other in chosen):
            continue
        if tokenizer.count([written(_joined([*chosen, hit]))])[0] > budget:
            break
        chosen.append(hit)
    return _joined(chosen)


def written(passages: Sequence[Passage]) -> str:
    """Return passages as a model reads them: between tags, each below its number and place."""
    tag = tag_for(passages)
    return "\n\n".join(f"<{tag}>\n{_content(passage)}\n</{tag}>" for passage in passages)


def tag_for(passages: Sequence[Passage]) -> str:
    """Return the name of the tags around passages, which none of them can close by itself."""
    texts = [_content(passage).casefold() for passage in passages]
    names = (TAG if n == 1 else f"{TAG}{n}" for n in count(1))
    return next(name for name in names if not any(f"{name}>" in text for text in texts))


def _content(passage: Passage) -> str:
    head = f"[{passage.number}] {passage.document_id}:{passage.start_line}-{passage.end_line}"
    heading = f"  {passage.heading}" if passage.heading else ""
    text = passage.text.strip("\r\n")
    return f"{head}{heading}\n{text}"


def _joined(hits: Iterable[Hit]) -> list[Passage]:
    runs: list[list[Hit]] = []
    for hit in sorted(hits, key=lambda hit: (hit.document_id, hit.start, hit.end)):
        if runs and _continues(runs[-1], hit):
            runs[-1].append(hit)
        else:
            runs.append([hit])
    runs.sort(key=lambda run: min(hit.rank for hit in run))
    return [_passage(number, run) for number, run in enumerate(runs, 1)]


def _continues(run: Sequence[Hit], hit: Hit) -> bool:
    last, end = run[-1], max(each.end for each in run)
    if hit.document_id != last.document_id:
        return False
    return hit.start < end or (hit.start == end and hit.heading == last.heading)


def _passage(number: int, run: Sequence[Hit]) -> Passage:
    first, text = run[0], ""
    for hit in run:
        text += hit.text[first.start + len(text) - hit.start :]
    return Passage(
        number,
        first.document_id,
        text,
        first.start,
        first.start + len(text),
        first.start_line,
        max(hit.end_line for hit in run),
        first.page,
        first.heading,
        first.source,
        first.seconds,
        tuple(run),
    )

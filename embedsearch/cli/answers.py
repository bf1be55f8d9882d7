"""What a search found, in each of the formats."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from embedsearch.cli.listing import as_json, csv_row
from embedsearch.cli.places import path, where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from embedsearch import Hit
    from embedsearch.cli.snippets import Line
    from embedsearch.records import Explanation
    from embedsearch.store.hits import Counts
    from embedsearch.store.vectors import Pending

KEYS = (
    *("rank", "score", "document_id", "chunk_id", "text", "start", "end"),
    *("start_line", "end_line", "page", "heading", "metadata", "source"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The hits for a query, and what is worth knowing of them."""

    query: str
    hits: list[Hit]
    searched: Counts
    pending: Pending
    stale: set[str] = field(default_factory=set)
    snippets: list[list[Line]] = field(default_factory=list)
    """A hit each, for the formats of ``NEED_LINES``."""
    nearest: Hit | None = None
    explained: list[Explanation] = field(default_factory=list)
    """Why each hit is there, if that was asked for."""


def as_dict(hit: Hit, stale: set[str]) -> dict[str, Any]:
    """Return a hit as JSON has it.

    ``seconds`` is there only in a recording, ``stale`` only when its file changed.
    """
    record = {key: getattr(hit, key) for key in KEYS}
    record |= {} if hit.seconds is None else {"seconds": hit.seconds}
    return record | ({"stale": True} if hit.document_id in stale else {})


def _records(answer: Answer) -> list[dict[str, Any]]:
    records = [as_dict(hit, answer.stale) for hit in answer.hits]
    if answer.explained:
        for record, why in zip(records, answer.explained, strict=True):
            record["explain"] = asdict(why)
    return records


def _json(answer: Answer) -> Iterator[str]:
    record: dict[str, Any] = {
        "query": answer.query,
        "hits": _records(answer),
        "searched": {"documents": answer.searched.documents, "chunks": answer.searched.chunks},
        "pending": answer.pending.texts,
    }
    if answer.nearest:
        record["nearest"] = as_dict(answer.nearest, answer.stale)
    yield as_json(record, indent=2)


def _jsonl(answer: Answer) -> Iterator[str]:
    for record in _records(answer):
        yield json.dumps(record, ensure_ascii=False)


def _csv(answer: Answer) -> Iterator[str]:
    yield csv_row(KEYS)
    for hit in answer.hits:
        yield csv_row(getattr(hit, key) for key in KEYS)


def _md(answer: Answer) -> Iterator[str]:
    for hit in answer.hits:
        facts = [f"`{path(hit)}{where(hit)}`", hit.page and f"p. {hit.page}", hit.heading]
        yield f"{hit.rank}. {' · '.join(str(fact) for fact in facts if fact)}\n"
        for line in hit.text.strip("\r\n").splitlines():
            yield f"   > {line}".rstrip()
        yield ""


def _files(answer: Answer) -> Iterator[str]:
    yield from dict.fromkeys(path(hit) for hit in answer.hits)


def _vimgrep(answer: Answer) -> Iterator[str]:
    """Yield a line a hit; the column counts bytes from 1, as vim and ripgrep do."""
    for hit, (line,) in zip(answer.hits, answer.snippets, strict=True):
        before = line.text[: line.spans[0][0]] if line.spans else ""
        column = len(before.encode(errors="replace")) + 1
        yield f"{path(hit)}:{line.number}:{column}:{line.text}"


def _text(answer: Answer) -> Iterator[str]:
    from embedsearch.cli import pages

    return pages.drawn(answer.hits, answer.snippets, answer.stale, answer.explained)


FORMATS: dict[str, Callable[[Answer], Iterator[str]]] = {
    "text": _text,
    "json": _json,
    "jsonl": _jsonl,
    "csv": _csv,
    "md": _md,
    "files": _files,
    "vimgrep": _vimgrep,
}

EXPLAINED = {"text", "json", "jsonl"}
"""The formats that have room to say why."""

MARK_STALE = {"text", "json", "jsonl"}
"""The formats that mark a hit whose file changed since."""

NEED_LINES = {"text", "md", "vimgrep"}
"""The formats that show lines, or say of a recording when one is said."""

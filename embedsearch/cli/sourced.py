"""An answer and the sources it cites, in each of the formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from embedsearch.cli import listing
from embedsearch.cli.places import path, staleness, where
from embedsearch.cli.terminal import counted, painted, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from embedsearch.answering import Answer
    from embedsearch.search.packing import Passage


def print_pieces(answer: Answer) -> None:
    """Print an answer as it comes; what came keeps a line of its own, whatever happens then."""
    try:
        for piece in answer:
            show(piece, end="")
    finally:
        if answer.text and not answer.text.endswith("\n"):
            show("")


def _text(passage: Passage, *, stale: bool) -> str:
    number = painted(f"[{passage.number}]", bold=True)
    place = painted(path(passage), fg="magenta")
    lines = painted(where(passage), fg="green")
    return "  ".join([f"{number} {place}{lines}", *_facts(passage, stale=stale)])


def _md(passage: Passage, *, stale: bool) -> str:
    place = f"`{painted(path(passage))}{where(passage)}`"
    return " · ".join([f"- [{passage.number}] {place}", *_facts(passage, stale=stale)])


def _facts(passage: Passage, *, stale: bool) -> Iterator[str]:
    if passage.page is not None:
        yield f"p. {passage.page}"
    if passage.heading:
        yield painted(passage.heading)
    if stale:
        yield staleness(passage)


LINES: dict[str, Callable[..., str]] = {"text": _text, "md": _md}
"""How a source is printed: ``LINES[format](passage, stale=...)``."""


def as_json(question: str, answer: Answer, stale: set[str]) -> str:
    """Return a whole answer as JSON; without passages it is null."""
    record = {
        "question": question,
        "answer": answer.text if answer.passages else None,
        "citations": [_as_dict(passage, stale) for passage in answer.citations],
        "unknown_citations": answer.unknown,
        "passages": len(answer.passages),
        "finish_reason": answer.finish_reason,
        "usage": answer.usage.to_dict() if answer.usage else None,
    }
    return listing.as_json(record, indent=2)


def _as_dict(passage: Passage, stale: set[str]) -> dict[str, Any]:
    record = {name: getattr(passage, name) for name in passage.__slots__ if name != "hits"}
    if passage.seconds is None:
        del record["seconds"]
    record["chunk_ids"] = [hit.chunk_id for hit in passage.hits]
    return record | ({"stale": True} if passage.document_id in stale else {})


def oddities(answer: Answer) -> Iterator[str]:
    """Yield what a reader has to know of an answer before they trust it."""
    given = counted(len(answer.passages), "passage")
    if answer.unknown:
        numbers = ", ".join(f"[{number}]" for number in answer.unknown)
        yield f"the answer cites {numbers}, but the model was given {given} only"
    if not answer.text.strip():
        yield "the model said nothing"
    elif not answer.citations:
        yield f"the answer cites nothing, though the model was given {given}"
    if answer.finish_reason == "length":
        yield "the answer was cut off: see --max-answer-tokens"

"""``embedsearch search`` and ``embedsearch similar``."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from embedsearch import relevance
from embedsearch.cli import answers, opening, options, snippets
from embedsearch.cli.answers import Answer
from embedsearch.cli.errors import NOTHING_FOUND
from embedsearch.cli.places import document_id, is_gone, path
from embedsearch.cli.terminal import counted, draw, first, note, printable, show
from embedsearch.cli.unmet import filtered, reasons
from embedsearch.embedders import is_remote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from embedsearch import Hit, Index
    from embedsearch.cli.snippets import Line
    from embedsearch.records import Explanation
    from embedsearch.search.ranking import Mode
    from embedsearch.search.results import GroupBy
    from embedsearch.store.vectors import Pending

STALE_SHOWN = 3
"""So many files that changed since are named where hits can't be marked."""


class Limits(TypedDict):
    """What both searches of the library take."""

    k: int
    where: Sequence[str]
    glob: Sequence[str]
    group_by: GroupBy


class Asked(Limits):
    """What both commands take besides: which index, and how to show the hits."""

    db: Path | None
    model: str | None
    context: int
    null: bool
    format_: str


@click.command("search")
@click.argument("words", metavar="QUERY...", nargs=-1, required=True)
@options.of_the_index
@options.mode
@options.of_hits
@click.option(
    "--diversity",
    type=options.Number(0, 1),
    default=0.0,
    help="How much it counts against a hit that it is like one before it, 0 to 1.",
)
@click.option("--explain", is_flag=True, help="Say what the score of each hit is made of.")
@click.pass_context
def search_(
    ctx: click.Context,
    *,
    words: tuple[str, ...],
    mode: Mode,
    diversity: float,
    explain: bool,
    **asked: Unpack[Asked],
) -> None:
    """Find the passages that answer a query, best first; '-' reads the query from stdin.

    Several words need no quotation marks. The exit code is 1 when nothing is found.
    """
    if explain and asked["format_"] not in answers.EXPLAINED:
        raise click.UsageError(
            f"--explain goes with --format {'|'.join(sorted(answers.EXPLAINED))}"
        )
    query = sys.stdin.read() if words == ("-",) else " ".join(words)

    def find(index: Index, limits: Limits) -> list[Hit]:
        return index.search(query, mode=mode, diversity=diversity, **limits)

    def why(index: Index, hits: list[Hit]) -> list[Explanation]:
        return index.explain(query, hits, mode=mode) if explain else []

    _run(ctx, asked, find, why, query=query, mode=mode)


@click.command("similar")
@click.argument("id_", metavar="ID")
@options.of_the_index
@options.of_hits
@click.pass_context
def similar_(ctx: click.Context, *, id_: str, **asked: Unpack[Asked]) -> None:
    """Find the passages most like a document, or like its chunk ID#N, in other ones."""

    def find(index: Index, limits: Limits) -> list[Hit]:
        return index.similar(document_id(index, id_), **limits)

    _run(ctx, asked, find, lambda *_: [])


def _run(
    ctx: click.Context,
    asked: Asked,
    find: Callable[[Index, Limits], list[Hit]],
    explain: Callable[[Index, list[Hit]], list[Explanation]],
    *,
    query: str = "",
    mode: Mode = "dense",
) -> None:
    """Find, and print what was found as of one moment."""
    if asked["null"] and asked["format_"] != "files":
        raise click.UsageError("-0 parts the names of files: say --format files, or leave it out")
    if asked["context"] and asked["format_"] != "text":
        raise click.UsageError("-C goes with --format text")
    limits = Limits(
        k=asked["k"], where=asked["where"], glob=asked["glob"], group_by=asked["group_by"]
    )
    open_ = opening.open_index(asked["db"], asked["model"])
    with open_ as present, present.snapshot() as index:
        hits = find(index, limits)
        by_meaning = mode != "lexical"
        # A search by words asks no provider, not even when it finds nothing.
        looks = query and not hits and (by_meaning or not is_remote(index.embedder))
        nearest = index.search(query, 1, mode="dense") if looks else []
        answer = _answer(index, query, hits, nearest, asked)
        answer = replace(answer, explained=explain(index, hits))
        far = bool(query) and _is_far(index, query, hits, mode, asked)
        unmet = [] if hits else reasons(index, asked["where"], asked["glob"])
    _print(answer, asked["format_"], end="\0" if asked["null"] else "\n")
    if asked["format_"] not in answers.MARK_STALE:
        _say_what_changed(answer)
    if asked["format_"] != "json":
        _say_what_is_missing(answer, filtered(asked["where"], asked["glob"]), mode)
        if far:
            best = f"{hits[0].score:.2f}"
            note(f"note: no text has a word of the query or is near its meaning: at best {best}")
    for why in unmet:
        note(f"note: {why}")
    ctx.exit(0 if hits else NOTHING_FOUND)


def _is_far(index: Index, query: str, hits: list[Hit], mode: Mode, asked: Asked) -> bool:
    """Whether a search came up with what is only the nearest of what is all far."""
    where, glob = asked["where"], asked["glob"]
    # Judged first, as to rank by words that many texts have takes ten times as long.
    if relevance.judged(index, query, hits, mode=mode, where=where, glob=glob) is not False:
        return False
    # A word that stands in a text is found rightly, however far its meaning is from the passage's.
    return not index.search(query, 1, mode="lexical", where=where, glob=glob)


def _answer(index: Index, query: str, hits: list[Hit], nearest: list[Hit], asked: Asked) -> Answer:
    chosen: list[list[Line]] = []
    if asked["format_"] == "vimgrep":
        marked = _marked(index, query, hits)
        chosen = [[_placed(index, *each)] for each in zip(hits, marked, strict=True)]
    elif asked["format_"] in answers.NEED_LINES:
        marked = _marked(index, query, hits)
        passages = [
            snippets.lines(text, h.start_line) for h, text in zip(hits, marked, strict=True)
        ]
        hits = [_timed(index, *each) for each in zip(hits, passages, strict=True)]
        chosen = _snippets(index, hits, passages, asked["context"])
    return Answer(
        query,
        hits,
        searched=index.counts(),
        pending=index.pending(),
        stale=index.stale(hits),
        snippets=chosen,
        nearest=nearest[0] if nearest else None,
    )


def _marked(index: Index, query: str, hits: list[Hit]) -> list[str]:
    """Return the text of each hit with the words that matched between marks."""
    return index.highlighted(query, [hit.text for hit in hits], marks=snippets.MARKS)


def _placed(index: Index, hit: Hit, marked: str) -> Line:
    """Return the line of a hit that matters most, with what stands before it in the document's."""
    line = snippets.exact(marked, hit.start_line)
    if line.number > hit.start_line or not hit.start:
        return line
    before = index.get(hit.document_id).text[: hit.start].rpartition("\n")[2]
    return snippets.moved(line, before)


def _timed(index: Index, hit: Hit, passage: list[Line]) -> Hit:
    """Give a hit in a recording the time of the line that has most of the query's words."""
    if hit.seconds is None:
        return hit
    return replace(hit, seconds=index.said_at(hit, snippets.matching(passage).number))


def _snippets(
    index: Index, hits: list[Hit], passages: list[list[Line]], context: int
) -> list[list[Line]]:
    chosen = [snippets.best(passage) for passage in passages]
    if not context or not chosen:
        return chosen
    return [
        snippets.surrounded(lines, index.get(hit.document_id).text, context)
        for hit, lines in zip(hits, chosen, strict=True)
    ]


def _print(answer: Answer, format_: str, *, end: str) -> None:
    put = draw if format_ == "text" else show
    for line in answers.FORMATS[format_](answer):
        put(line, end=end)


def _say_what_changed(answer: Answer) -> None:
    stale = {path(hit): is_gone(hit) for hit in answer.hits if hit.document_id in answer.stale}
    for said, gone in (("changed since it was indexed", False), ("the file is gone", True)):
        if files := [file for file in stale if stale[file] is gone]:
            names = "; ".join(first(STALE_SHOWN, files, "--format text marks all", line=printable))
            note(f"note: {said}: {names}")


def _say_what_is_missing(answer: Answer, among: str, mode: Mode) -> None:
    if not answer.hits:
        _say_nothing_found(answer, among)
    if answer.pending.texts and mode != "lexical":
        note(f"note: {half_embedded(answer.pending, mode)}")


def half_embedded(pending: Pending, mode: Mode) -> str:
    """Say that a search by meaning does not see all texts yet."""
    left, all_ = pending.texts, pending.texts + pending.embedded
    found = "not found by meaning" if mode == "dense" else "found by words only"
    return f"{left:,} of {all_:,} passages are not embedded yet: they are {found}"


def _say_nothing_found(answer: Answer, among: str) -> None:
    searched = answer.searched
    note(
        f"nothing found among {counted(searched.chunks, 'chunk')}"
        f" of {counted(searched.documents, 'document')}{among}"
    )
    if hit := answer.nearest:
        words = f'"{printable(" ".join(hit.text.split()))[:80]}"'
        facts = printable(f"{path(hit)}:{hit.start_line}"), printable(hit.heading or ""), words
        note(f"nearest: {'  '.join(fact for fact in facts if fact)}")

"""``embedsearch status``, ``verify`` and ``repair``: the health of an index."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from embedsearch.cli import opening, options
from embedsearch.cli.errors import SOME_FAILED
from embedsearch.cli.listing import as_json
from embedsearch.cli.places import shown
from embedsearch.cli.terminal import counted, first, note, show, show_all
from embedsearch.errors import IndexDamaged
from embedsearch.files import damaged, salvage
from embedsearch.store.checks import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from embedsearch.store.status import Status

LABELS_SHOWN = 10
"""How many labels are named, the most frequent ones."""

LEFT_SHOWN = 20
"""How many of the problems that a repair leaves are listed."""

FILES_SHOWN = 20
"""How many of the files that could not be read, in part or at all, are listed."""


@click.command("status")
@options.of_the_index
@options.output_format(options.PLAIN_FORMATS)
def status_(*, db: Path | None, model: str | None, format_: str) -> None:
    """Say what the index holds, and how much of it is embedded."""
    with opening.open_index(db, model) as index:
        status = index.status()
    if format_ == "json":
        show(as_json(asdict(status)))
        return
    show_all(f"{name:<12}{value}" for name, value in _facts(status))


def _facts(status: Status) -> Iterator[tuple[str, str]]:
    counts, run = status.counts, status.last_run
    yield "index", f"{status.path} ({status.size / 1e6:,.1f} MB)"
    for root in status.sources:
        yield "folder", str(root)
    yield "documents", f"{counts.documents:,} in {counted(counts.chunks, 'chunk')}"
    yield "embedded", f"{status.embedded:,} of {counted(counts.texts, 'passage')}"
    if status.pending.texts:
        pending = status.pending
        yield "pending", f"{counted(pending.texts, 'passage')} ({counted(pending.tokens, 'token')})"
    length = f"{status.dimensions} dimensions" if status.dimensions else "length not known yet"
    yield "model", f"{status.embedder} ({length})"
    yield "chunks", f"{status.chunk_tokens} tokens, {status.chunk_overlap} shared"
    if status.labels:
        most = [f"{label} {count:,}" for label, count in list(status.labels.items())[:LABELS_SHOWN]]
        more = len(status.labels) - len(most)
        yield "labels", ", ".join(most) + (f" and {more:,} more" if more else "")
    if newest := status.classifier:
        said = f"{counted(status.classified, 'document')} classified"
        yield "classifier", f"{newest.version}, {newest.estimator} of {newest.at}, {said}"
    if status.skipped:
        yield "skipped", f"{counted(len(status.skipped), 'binary file')} (see: ls --skipped)"
    yield from _files("unread", status.unread)
    yield from _files("partial", status.partial)
    if run:
        yield "last run", f"{run.command} at {run.started}, {run.seconds:.1f} s"


def _files(name: str, files: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    def line(file: tuple[str, str]) -> str:
        return f"{shown(file[0])}: {file[1]}"

    for told in first(FILES_SHOWN, files, f"see: ls --{name}", line=line):
        yield name, told


@click.command("verify")
@options.of_the_index
@options.output_format(options.PLAIN_FORMATS)
@click.pass_context
def verify_(ctx: click.Context, *, db: Path | None, model: str | None, format_: str) -> None:
    """Check every file, text and vector of the index; change nothing.

    Each problem is a line; the exit code is then 3.
    """
    with opening.open_index(db, model) as index:
        problems = index.verify()
    _print_problems(problems, format_)
    if problems:
        if format_ != "json":
            mends = any(problem.by_repair for problem in problems)
            note(f"hint: {'run: embedsearch repair' if mends else 'repair can do no more'}")
        ctx.exit(SOME_FAILED)
    note("the index is sound")


@click.command("repair")
@options.of_the_index
@options.output_format(options.PLAIN_FORMATS)
@click.pass_context
def repair_(ctx: click.Context, *, db: Path | None, model: str | None, format_: str) -> None:
    """Mend what 'verify' finds, without touching what is sound.

    Texts and vectors that were lost are read and embedded again by the next 'index'; what is left
    to do is said, and the exit code is then 3. Of a database that can't be opened, what is readable
    goes into a new one; the damaged file stays beside it.
    """
    try:
        with opening.open_index(db, model) as index:
            found = index.repair()
            left = index.verify() if found else []
    except IndexDamaged as error:
        left = _salvage(db or opening.located(), str(error), format_)
    else:
        _print_problems(found, format_, left=left)
        mended = len({problem.what for problem in found} - {problem.what for problem in left})
        note(f"{counted(mended, 'problem')} mended" if found else "nothing to repair")
    _say_what_is_left(left)
    ctx.exit(SOME_FAILED if left else 0)


def _salvage(folder: Path, what: str, format_: str) -> list[Problem]:
    """Save what can be read of a damaged index, say so, and return what is left to be done."""
    salvaged = salvage(folder)
    with opening.open_index(folder, None) as index:
        left = index.verify()
        labelled = len(index.labels())
    if format_ == "json":
        _print_problems(
            [Problem(what, "salvaged into a new database"), *salvaged.lost], format_, left=left
        )
    note(what)
    rows = _kept(salvaged.kept, labelled)
    note(f"salvaged {rows} into a new one; the old is {damaged(folder)[-1].name}")
    for problem in salvaged.lost:
        note(f"{problem.what}: {problem.remedy}")
    note("hint: run embedsearch index on your folders, for what is missing")
    return left


def _kept(kept: Mapping[str, int], labelled: int) -> str:
    """Return how much was salvaged; of what few indexes have, only where there is some."""
    *parts, last = (
        counted(kept["documents"], "document"),
        counted(kept["vectors"], "vector"),
        *([f"labels of {counted(labelled, 'document')}"] if labelled else []),
        *(
            counted(kept[table], noun)
            for table, noun in (("models", "classifier"), ("transcripts", "transcript"))
            if kept[table]
        ),
    )
    return f"{', '.join(parts)} and {last}"


def _say_what_is_left(left: Sequence[Problem]) -> None:
    def line(problem: Problem) -> str:
        return f"left: {problem.what}: {problem.remedy}"

    for told in first(LEFT_SHOWN, left, "embedsearch verify lists all", line=line):
        note(told)


def _print_problems(
    problems: Sequence[Problem], format_: str, *, left: Sequence[Problem] | None = None
) -> None:
    if format_ == "json":
        record = {"problems": [asdict(problem) for problem in problems]}
        if left is not None:
            record["left"] = [asdict(problem) for problem in left]
        show(as_json(record))
    else:
        show_all(f"{problem.what}: {problem.remedy}" for problem in problems)

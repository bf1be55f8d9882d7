"""``embedsearch status``, ``verify`` and ``repair``: the health of an index."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from embedsearch.cli import opening, options
from embedsearch.cli.errors import SOME_FAILED
from embedsearch.cli.places import shown
from embedsearch.cli.terminal import counted, note, show
from embedsearch.errors import IndexDamaged
from embedsearch.index import salvage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from embedsearch.store.checks import Problem
    from embedsearch.store.status import Status


@click.command("status")
@options.of_the_index
@options.output_format(options.PLAIN_FORMATS)
def status_(*, db: Path | None, model: str | None, quiet: bool, format_: str) -> None:  # noqa: ARG001 -- it is quiet
    """Say what the index holds, and how much of it is embedded."""
    with opening.open_index(db, model) as index:
        status = index.status()
    if format_ == "json":
        record = {"schema_version": 1, **asdict(status)}
        show(json.dumps(record, ensure_ascii=False, default=str))
        return
    for name, value in _facts(status):
        show(f"{name:<11}{value}")


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
    yield "model", f"{status.embedder} ({status.dimensions} dimensions)"
    yield "chunks", f"{status.chunk_tokens} tokens, {status.chunk_overlap} shared"
    if status.binary:
        yield "skipped", counted(status.binary, "binary file")
    for path, why in status.unread:
        yield "unread", f"{shown(path)}: {why}"
    if run:
        yield "last run", f"{run.command} at {run.started}, {run.seconds:.1f} s"


@click.command("verify")
@options.of_the_index
@options.output_format(options.PLAIN_FORMATS)
@click.pass_context
def verify_(
    ctx: click.Context, *, db: Path | None, model: str | None, quiet: bool, format_: str
) -> None:
    """Check every file, text and vector of the index; change nothing.

    Each problem is a line; the exit code is then 3.
    """
    with opening.open_index(db, model) as index:
        problems = index.verify()
    _print_problems(problems, format_)
    if problems:
        mendable = not all(problem.left for problem in problems)
        note("hint: run: embedsearch repair", quiet=quiet or format_ == "json" or not mendable)
        ctx.exit(SOME_FAILED)
    note("the index is sound", quiet=quiet)


@click.command("repair")
@options.of_the_index
@options.output_format(options.PLAIN_FORMATS)
@click.pass_context
def repair_(
    ctx: click.Context, *, db: Path | None, model: str | None, quiet: bool, format_: str
) -> None:
    """Mend what 'verify' finds, without touching what is sound.

    Texts and vectors that were lost are read and embedded again by the next 'index'. Of a database
    that can't be opened, what is readable goes into a new one; the damaged file stays beside it.
    The exit code is 3 when something is left that only you can mend.
    """
    try:
        with opening.open_index(db, model) as index:
            problems = index.repair()
    except IndexDamaged as error:
        _salvage(db or opening.located(), str(error), quiet=quiet)
        return
    _print_problems(problems, format_)
    left = sum(problem.left for problem in problems)
    done = f"{counted(len(problems) - left, 'problem')} mended" if problems else "nothing to repair"
    note(f"{done}, {left:,} left to you" if left else done, quiet=quiet)
    ctx.exit(SOME_FAILED if left else 0)


def _salvage(folder: Path, what: str, *, quiet: bool) -> None:
    kept = salvage(folder)
    note(what, quiet=quiet)
    rows = f"{counted(kept['documents'], 'document')} and {counted(kept['vectors'], 'vector')}"
    note(f"salvaged {rows} into a new one; the old is index.db.damaged", quiet=quiet)
    note("hint: run embedsearch index on your folders, for what is missing", quiet=quiet)


def _print_problems(problems: Sequence[Problem], format_: str) -> None:
    if format_ == "json":
        record = {"schema_version": 1, "problems": [asdict(problem) for problem in problems]}
        show(json.dumps(record, ensure_ascii=False))
        return
    for problem in problems:
        show(f"{problem.what}: {problem.remedy}")

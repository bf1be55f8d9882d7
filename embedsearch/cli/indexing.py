"""``embedsearch index``: bring the index in step with files and folders."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import click

from embedsearch import transcribers
from embedsearch.cli import opening, options, progress, reports, spending
from embedsearch.store.vectors import Pending
from embedsearch.sync.spending import Allowance
from embedsearch.sync.transcribing import check_hearing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from embedsearch.transcribers import Transcriber


@click.command("index")
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="PATH...",
    type=options.Place(),
)
@options.of_the_index
@click.option("-g", "--glob", metavar="PATTERN", multiple=True, help="Only files that match.")
@click.option("--dry-run", is_flag=True, help="Print what would be done, in exact tokens.")
@options.hearing
@options.embedding
@options.sending
@options.output_format(options.PLAIN_FORMATS)
@click.pass_context
def index_(
    ctx: click.Context,
    *,
    paths: tuple[Path, ...],
    db: Path | None,
    model: str | None,
    glob: tuple[str, ...],
    dry_run: bool,
    transcribe: str | None,
    transcribe_url: str | None,
    embed: bool,
    max_tokens: int | None,
    max_cost: float | None,
    allow_secrets: bool,
    yes: bool,
    format_: str,
) -> None:
    """Index files and folders: only what changed is read and embedded.

    Files that are gone are removed from the index, renamed ones keep what they had. A search in
    another terminal works meanwhile. Interrupt it when you like: the next run goes on.
    A hidden or ignored file can be named; the next run on its folder leaves it out again.
    """
    nothing = f"no readable files in {', '.join(map(str, paths))}"
    # A mistyped path makes no index; one that is gone may still be known to an old one.
    makes = not dry_run and any(_may_be_read(path) for path in paths)
    asks = transcribe is not None
    open_ = (
        partial(opening.open_index, create=True, sends=embed)
        if makes
        else opening.open_without_making
    )
    allowance = Allowance(tokens=max_tokens, cost=max_cost, allow_secrets=allow_secrets)
    with (
        _hearing(transcribe, transcribe_url) as transcriber,
        open_(db, model, asks=asks) as index,
    ):
        sync = partial(index.sync, paths, glob=glob, transcriber=transcriber)
        if dry_run:
            with progress.shown() as listener:
                report = sync(dry_run=True, progress=listener)
            planned = index.estimate(Pending(report.texts, report.tokens))
        else:
            check_hearing(allowance, transcriber)
            if transcriber:
                spending.ask_to_transcribe(index, paths, transcriber, glob, yes=yes)
            report = spending.taken_in(index, sync, embed=embed, allowance=allowance, yes=yes)
    if dry_run:
        reports.finish_rehearsal(ctx, report, planned, nothing=nothing, format_=format_)
    else:
        reports.finish(ctx, report, nothing=nothing, format_=format_)


def _may_be_read(path: Path) -> bool:
    return os.path.isfile(path) or os.path.isdir(path)  # noqa: PTH112, PTH113 -- Path's may raise


@contextmanager
def _hearing(name: str | None, url: str | None) -> Iterator[Transcriber | None]:
    """Give the transcriber that was named, and let go of it at the end."""
    if name is None:
        yield None
        return
    with closing(transcribers.load(name, **options.said_of_a_client(url))) as transcriber:
        yield transcriber

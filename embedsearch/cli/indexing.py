"""``embedsearch index``: bring the index in step with files and folders."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from embedsearch.cli import opening, options, progress, reports, spending
from embedsearch.store.vectors import Pending
from embedsearch.sync.embedding import Allowance


@click.command("index")
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="PATH...",
    type=click.Path(path_type=Path),
)
@options.of_the_index
@click.option("-g", "--glob", metavar="PATTERN", multiple=True, help="Only files that match.")
@click.option("--dry-run", is_flag=True, help="Print what would be done, in exact tokens.")
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
    quiet: bool,
    glob: tuple[str, ...],
    dry_run: bool,
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
    """
    nothing = f"no readable files in {', '.join(map(str, paths))}"
    # A mistyped path makes no index; one that is gone may still be known to an old one.
    makes = not dry_run and all(path.exists() for path in paths)
    opened = (
        opening.open_index(db, model, create=True)
        if makes
        else opening.open_without_making(db, model)
    )
    allowance = Allowance(tokens=max_tokens, cost=max_cost, secrets=allow_secrets)
    with opened as index:
        if dry_run:
            with progress.shown(quiet=quiet) as listener:
                report = index.sync(paths, glob=glob, dry_run=True, progress=listener)
            planned = index.estimate(Pending(report.texts, report.tokens))
        else:
            report = spending.taken_in(
                index,
                partial(index.sync, paths, glob=glob),
                embed=embed,
                allowance=allowance,
                yes=yes,
                quiet=quiet,
            )
    if dry_run:
        reports.finish_rehearsal(ctx, report, planned, nothing=nothing, format_=format_)
    else:
        reports.finish(ctx, report, nothing=nothing, format_=format_, quiet=quiet)

"""``embedsearch index``: bring the index in step with files and folders."""

from __future__ import annotations

from pathlib import Path

import click

from embedsearch.cli import opening, options, progress, reports


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
    with opened as index, progress.shown(quiet=quiet) as listener:
        report = index.sync(paths, glob=glob, dry_run=dry_run, embed=embed, progress=listener)
    if dry_run:
        reports.finish_rehearsal(ctx, report, nothing=nothing, format_=format_)
    else:
        reports.finish(ctx, report, nothing=nothing, format_=format_, quiet=quiet)

"""``embedsearch add``: documents from the rows of a table."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, islice
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, cast

import click

from embedsearch.cli import opening, options, progress, reports, rows
from embedsearch.readers.decoding import streamed

if TYPE_CHECKING:
    from io import BufferedReader


@click.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@options.of_the_index
@click.option("--id", "id_", metavar="COLUMN", default="id", show_default=True, help="The ids.")
@click.option(
    "--text",
    metavar="COLUMN,...",
    default="text",
    show_default=True,
    help="The texts; several columns are joined by blank lines.",
)
@click.option("--meta", metavar="COLUMN,...|*", default="", help="The metadata; '*': all others.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(rows.FORMATS),
    help="What FILE holds, where its name does not say.",
)
@options.embedding
@options.as_json
@click.pass_context
def add_(
    ctx: click.Context,
    *,
    file: str,
    db: Path | None,
    model: str | None,
    quiet: bool,
    id_: str,
    text: str,
    meta: str,
    format_: str | None,
    embed: bool,
    as_json: bool,
) -> None:
    """Add each row of FILE ('-' is stdin) as a document, in place of the one with its id.

    Rows stream through, so a file may be larger than memory (but for json). A row without an id or
    a text is reported and the rest goes on.
    """
    columns = rows.Columns(id_, _names(text), _names(meta))
    known = format_ or _format(file)
    with click.open_file(file, "rb") as stream:
        table = rows.Table(file, streamed(cast("BufferedReader", stream)), known, columns)
        documents = table.documents()
        first = list(islice(documents, 1))  # a wrong column is found before an index is made
        with (
            opening.open_index(db, model, create=True) as index,
            progress.shown(quiet=quiet) as listener,
        ):
            report = index.add(chain(first, documents), embed=embed, progress=listener)
    report = replace(report, failed=tuple(table.failed))
    output = "json" if as_json else "text"
    reports.finish(ctx, report, nothing=f"no rows in {file}", format_=output, quiet=quiet)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def _format(file: str) -> str:
    suffix = PurePath(file).suffix.lower().removeprefix(".")
    known = {**{name: name for name in rows.FORMATS}, "ndjson": "jsonl", "tab": "tsv"}
    if suffix not in known:
        raise click.UsageError(f"what is in {file}? say --format {'|'.join(rows.FORMATS)}")
    return known[suffix]

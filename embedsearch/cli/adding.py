"""``embedsearch add``: documents from the rows of a table."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, cast

import click

from embedsearch.cli import inputs, opening, options, reports, rows, spending
from embedsearch.cli.tables import Table
from embedsearch.readers.decoding import streamed
from embedsearch.sync.spending import Allowance

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path


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
@options.from_
@options.embedding
@options.sending
@options.output_format(options.PLAIN_FORMATS)
@click.pass_context
def add_(
    ctx: click.Context,
    *,
    file: str,
    db: Path | None,
    model: str | None,
    id_: str,
    text: str,
    meta: str,
    from_: str | None,
    embed: bool,
    max_tokens: int | None,
    max_cost: float | None,
    allow_secrets: bool,
    yes: bool,
    format_: str,
) -> None:
    """Add each row of FILE ('-' is stdin) as a document, in place of the one with its id.

    Rows stream through, so a file may be larger than memory (but for json). A row without an id or
    a text is reported and the rest goes on.
    """
    columns = rows.Columns(id_, _names(text), _names(meta))
    if not columns.text:
        raise click.UsageError("--text names no column")
    name, known = inputs.name_of(file), from_ or rows.format_of(file)
    with click.open_file(file, "rb") as stream:
        table = Table(name, streamed(cast("BufferedReader", stream)), known, columns)
        documents = table.documents()
        first = list(islice(documents, 1))  # a wrong column is found before an index is made
        allowance = Allowance(tokens=max_tokens, cost=max_cost, allow_secrets=allow_secrets)
        with opening.open_index(db, model, create=True, sends=embed) as index:
            report = spending.taken_in(
                index,
                partial(index.add, chain(first, documents)),
                embed=embed,
                allowance=allowance,
                yes=yes,
            )
    report = replace(report, failed=tuple(table.failed))
    reports.finish(ctx, report, nothing=f"no rows in {name}", format_=format_)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())

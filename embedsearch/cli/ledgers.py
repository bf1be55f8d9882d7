"""``embedsearch usage`` and ``outbox``: what providers were asked and paid, and what was sent."""

from __future__ import annotations

from dataclasses import asdict
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from embedsearch.cli import opening, options, spending
from embedsearch.cli.errors import NOTHING_FOUND
from embedsearch.cli.listing import as_json
from embedsearch.cli.terminal import counted, note, show, show_all

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from embedsearch.store.outbox import Sent
    from embedsearch.store.usage import By, Total


@click.command("usage")
@options.of_the_index
@click.option(
    "--by",
    type=click.Choice(["day", "command", "host", "model"]),
    default="day",
    show_default=True,
    help="What to sum by; days are those of UTC.",
)
@click.option(
    "--since",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Only from this day on: 2026-11-01.",
)
@options.output_format(options.PLAIN_FORMATS)
@click.pass_context
def usage_(
    ctx: click.Context,
    *,
    db: Path | None,
    model: str | None,
    by: By,
    since: datetime | None,
    format_: str,
) -> None:
    """Say what providers were asked and paid, as they billed it."""
    with opening.open_index(db, model) as index:
        totals = index.usage(by=by, since=since.date().isoformat() if since else "")
    if format_ == "json":
        show(as_json({"by": by, "usage": [asdict(total) for total in totals]}))
    else:
        show_all(map(_line, totals))
    if not totals:
        note(f"no provider was asked{f' since {since.date()}' if since else ''}")
    ctx.exit(0 if totals else NOTHING_FOUND)


def _line(total: Total) -> str:
    unpriced = f" and {counted(total.unpriced, 'token')} of unknown price" if total.unpriced else ""
    amounts = f"{counted(total.requests, 'request')}, {counted(total.tokens, 'token')}"
    return f"{total.key}  {amounts}, {spending.dollars(total.cost)}{unpriced}"


@click.command("outbox")
@options.of_the_index
@options.output_format(options.PLAIN_FORMATS)
@click.pass_context
def outbox_(
    ctx: click.Context,
    *,
    db: Path | None,
    model: str | None,
    format_: str,
) -> None:
    """List every text that was sent to a provider, oldest first: when, where, and what it is of.

    The texts themselves are not kept; ``sha256`` tells whether a text was one of them.
    """
    with opening.open_index(db, model) as index:
        entries = index.outbox()
        first = next(entries, None)
        found = chain([first], entries) if first else ()
        if format_ == "json":
            show(as_json({"outbox": [_record(entry) for entry in found]}))
        else:
            show_all(map(_entry, found))
    if not first:
        note("nothing was sent to a provider")
    ctx.exit(0 if first else NOTHING_FOUND)


def _record(entry: Sent) -> dict[str, Any]:
    return asdict(entry) | {"sha256": entry.sha256.hex()}


def _entry(entry: Sent) -> str:
    what = "(a query)" if entry.document is None else entry.document
    return f"{entry.at}  {entry.host}  {entry.model}  {counted(entry.tokens, 'token')}  {what}"

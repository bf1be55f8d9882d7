"""``embedsearch gc``: dropping what no document holds any more."""

from __future__ import annotations

from dataclasses import asdict
from math import ceil
from typing import TYPE_CHECKING

import click

from embedsearch import embedders
from embedsearch.cli import opening, options
from embedsearch.cli.listing import as_json
from embedsearch.cli.terminal import confirmed, counted, note, show
from embedsearch.folder import DAMAGED

if TYPE_CHECKING:
    from pathlib import Path

    from embedsearch import Index
    from embedsearch.store.garbage import Garbage

MB = 1_000_000


@click.command("gc")
@options.of_the_index
@click.option("--dry-run", is_flag=True, help="Say what would be dropped.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.output_format(options.PLAIN_FORMATS)
def gc_(*, db: Path | None, model: str | None, dry_run: bool, yes: bool, format_: str) -> None:
    """Drop what no document holds any more, and free its room.

    Vectors of passages that were removed or changed are kept until then, as they cost nothing when
    the passage comes back; so are transcripts of recordings. Asks before it drops what was paid
    for, unless -y is given. No trace of a removed text is left in the index's files, but for
    damaged ones that 'repair' kept, which are named.
    """
    with opening.open_index(db, model) as index:
        if dry_run:
            _print(index.garbage(), format_)
        elif yes or not _paid(index) or confirmed("drop", _words(index.garbage())):
            dropped = index.gc()
            _print(dropped, format_)
            if dropped.freed:
                note(f"{_room(dropped.freed)} freed")
        for file in sorted(index.path.glob(f"{DAMAGED}*")) if index.path else ():
            note(
                f"note: {file} was left by a repair and may hold removed texts:"
                " delete it when you don't need it"
            )


def _paid(index: Index) -> bool:
    garbage = index.garbage()
    by_provider = embedders.is_api(index.status().embedder)
    return bool(garbage.transcripts or (garbage.vectors and by_provider))


def _room(bytes_: int) -> str:
    return f"{bytes_ / MB:,.1f} MB" if bytes_ >= MB else f"{ceil(bytes_ / 1_000)} kB"


def _print(garbage: Garbage, format_: str) -> None:
    if format_ == "json":
        show(as_json(asdict(garbage)))
    else:
        show(_words(garbage))


def _words(garbage: Garbage) -> str:
    parts = [
        f"{counted(garbage.vectors, 'vector')} ({counted(garbage.tokens, 'token')})",
        counted(garbage.transcripts, "transcript"),
    ]
    return ", ".join(part for part in parts if not part.startswith("0 ")) or "nothing to drop"

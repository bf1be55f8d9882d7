"""The outbox: which texts left the machine, when, and for where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from embedsearch.store.database import Database


KEYS = {"day": "date(at)", "document": "document", "host": "host", "model": "model"}
"""What entries can be chosen by; days are those of UTC."""

PAGE = 1_000
"""How many entries are read at once: no transaction stays open while they are looked at."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A text that was sent to an API.

    ``at`` is ISO 8601 UTC, ``document`` the id of the one it is from, ``None`` for a query, and
    ``sha256`` that of its UTF-8 bytes: the text itself is not kept here.
    """

    at: str
    host: str
    model: str
    document: str | None
    sha256: bytes
    tokens: int


def note(database: Database, entries: Iterable[Sent]) -> None:
    """Add entries; best done before the request, so that none can be missing."""
    with database.writing(generation=False):
        database.insert("outbox", Sent, entries)


def sent(database: Database, **keys: str | None) -> Iterator[Sent]:
    """Yield the entries, oldest first, that have the values of ``KEYS`` given by name.

    ``document=None`` are the queries.
    """
    columns = ", ".join(Sent.__slots__)
    condition = " and ".join(f"{_column(key)} is ?" for key in keys) or "true"
    number = 0
    while True:
        rows = database.execute(
            f"""
            select number, {columns} from outbox
            where number > ? and {condition} order by number limit {PAGE}
            """,
            [number, *keys.values()],
        ).fetchall()
        if not rows:
            return
        yield from (Sent(*row[1:]) for row in rows)
        number = rows[-1][0]


def hosts(database: Database, model: str) -> list[str]:
    """Return where texts of documents were sent to a model, the latest place last."""
    rows = database.execute(
        """
        select host from outbox where model = ? and document is not null
        group by host order by max(number)
        """,
        [model],
    )
    return [host for (host,) in rows]


def _column(key: str) -> str:
    if key not in KEYS:
        raise ValueError(f"unknown key {key!r}: choose from {sorted(KEYS)}")
    return KEYS[key]

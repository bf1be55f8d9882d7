"""Why nothing meets a condition: keys that no document has, what was not labelled or said yet."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from embedsearch.store.filters import FACTS, paths
from embedsearch.store.models import NOTHING_CLASSIFIED, Models

if TYPE_CHECKING:
    from embedsearch.store.database import Database
    from embedsearch.store.filters import Filter

NAMED = 8
"""Where no key is spelled like the one that was asked for, so many of those there are are named."""

NEAR = 0.7
"""How alike a key is to one that may be meant (difflib's ratio): ``langg`` is .89 to ``lang``."""


def reasons(database: Database, condition: Filter) -> list[str]:
    """Return of each key that a condition needs why no document has it, in words.

    Nothing where documents have them all, or there are none. It may look at every document.
    """
    if not database.value("select exists (select 1 from documents)"):
        return []
    with database.reading():
        said = [_REASONS.get(key, _unknown)(database, key) for key in sorted(condition.keys)]
    return [why for why in said if why]


def _unlabelled(database: Database, _: str) -> str:
    labelled = database.value("select exists (select 1 from current_labels)")
    return "" if labelled else "no document is labelled yet: embedsearch label"


def _unpredicted(database: Database, _: str) -> str:
    versions = [model.version for model in Models(database)]
    if not versions:
        return "no classifier was trained yet: label some documents, embedsearch train"
    if Models(database).classified(versions[-1]):
        return ""
    return NOTHING_CLASSIFIED.format(versions[-1])


_REASONS = {"@label": _unlabelled, "@predicted": _unpredicted}


def _unknown(database: Database, key: str) -> str:
    has = [
        database.value(
            "select 1 from documents d where json_type(d.metadata, ?) is not null limit 1", [path]
        )
        for path in paths(key)
    ]
    if any(has):
        return ""
    known = keys(database)
    said = f"no document has {key!r} in its metadata"
    if near := get_close_matches(key, [*known, *FACTS], cutoff=NEAR):
        return f"{said}: did you mean {' or '.join(map(repr, near))}?"
    there = [*FACTS] if key.startswith("@") else known
    if not there:
        return f"{said}; none has any"
    more = f" and {len(there) - NAMED:,} more" if len(there) > NAMED else ""
    return f"{said}; there is {', '.join(map(repr, there[:NAMED]))}{more}"


def keys(database: Database) -> list[str]:
    """Return the keys of all metadata, the most frequent first, those of objects inside dotted."""
    rows = database.execute(
        """
        select substr(replace(m.fullkey, '"', ''), 3) as dotted
        from documents d join json_tree(d.metadata) m
        where typeof(m.key) = 'text' and m.path not like '%[%'
        group by dotted order by count(*) desc, dotted
        """
    )
    return [dotted for (dotted,) in rows]

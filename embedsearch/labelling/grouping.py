"""Groups of texts that are held out together, as a thread, by what is said of each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch.index import Index


def groups_by(index: Index, key: str | None, ids: Sequence[str]) -> list[str] | None:
    """Return the group of each document by what its metadata says under a key, ``None`` for none.

    Raises:
        ValueError: no document has the key.

    """
    if key is None:
        return None
    values = index.values(key)
    return [group_of(values.get(id), id) for id in ids]


def group_of(value: Any, id: str) -> str:
    """Return the name of a text's group: ``value`` in JSON, or the text's own where it is blank.

    Blanks around it do not count.
    """
    said = value.strip() if isinstance(value, str) else value
    return f"of {id}" if said in (None, "") else json.dumps(said, sort_keys=True)

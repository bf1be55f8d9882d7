"""Labels that are probably wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.classify.confident_learning import Suspect, suspects
from embedsearch.labelling.examples import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch.index import Index
    from embedsearch.store.filters import Where


def suspected(
    index: Index, *, where: Where = None, glob: Sequence[str] | None = None
) -> list[tuple[str, Suspect]]:
    """Return the documents whose label is probably wrong, the most suspicious first, by id."""
    found = examples(index, where=where, glob=glob)
    return [(found.ids[s.position], s) for s in suspects(found.vectors, found.y)]

"""The labelled documents of an index as what estimators take."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from embedsearch.index import Index
    from embedsearch.store.filters import Where


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled documents: their ids, unit vectors (n, d), and the labels of each.

    ``pending`` are the ids of labelled documents that are not embedded yet, and so left out.
    """

    ids: list[str]
    vectors: NDArray[np.float32]
    labels: list[tuple[str, ...]]
    pending: list[str]

    @property
    def multilabel(self) -> bool:
        """Whether a document has several labels."""
        return any(len(labels) > 1 for labels in self.labels)

    @property
    def y(self) -> Any:
        """What ``fit`` takes: an array (n,) of labels, or a list of lists of them."""
        if self.multilabel:
            return [list(labels) for labels in self.labels]
        return np.array([label for (label,) in self.labels], dtype=str)

    @property
    def counts(self) -> Counter[str]:
        """How many documents have each label."""
        return Counter(sorted(label for labels in self.labels for label in labels))


def examples(index: Index, *, where: Where = None, glob: Sequence[str] | None = None) -> Examples:
    """Return the labelled documents that meet the conditions.

    Raises:
        ValueError: none is labelled, or none of these is embedded.

    """
    found = labelled(index, where=where, glob=glob)
    if not found.ids and found.pending:
        raise ValueError("no labelled document is embedded yet: run embedsearch index")
    if not found.ids:
        which = "that meets the conditions " if where or glob else ""
        raise ValueError(f"no document {which}is labelled: label some with embedsearch label")
    return found


def labelled(index: Index, *, where: Where = None, glob: Sequence[str] | None = None) -> Examples:
    """Return the same, and none where there are none. What bears no label is not read."""
    with index.snapshot():
        labels = index.labels()
        names = sorted({name for own in labels.values() for name in own})
        both = {"type": "and", "filters": [where, {"@label": names}]}
        found = index.document_vectors(where=both, glob=glob)
        known = {document.id for document in index.documents(where=both, glob=glob)}
    pending = sorted(known - set(found.ids))
    return Examples(found.ids, found.vectors, [labels[id] for id in found.ids], pending)

"""The labelled documents of an index as what estimators take."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.classify.folds import listed

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
    def several(self) -> list[str]:
        """The ids of the documents that have several labels."""
        return [id for id, own in zip(self.ids, self.labels, strict=True) if len(own) > 1]

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

    Those that are not embedded yet are left out, which a warning says.

    Raises:
        ValueError: none is labelled, or none of these is embedded.

    """
    found = labelled(index, where=where, glob=glob)
    if not found.ids and found.pending:
        raise ValueError("no labelled document is embedded yet: run embedsearch index")
    if not found.ids:
        which = "that meets the conditions " if where or glob else ""
        why = "; ".join(index.unmet(where)) or "label some with embedsearch label"
        raise ValueError(f"no document {which}is labelled: {why}")
    if found.pending:
        warnings.warn(
            f"{len(found.pending):,} of {len(found.ids) + len(found.pending):,} labelled documents"
            f" left out, as they are not embedded yet: {listed(found.pending)}; run embedsearch"
            " index",
            stacklevel=3,
        )
    return found


def of_one_label(found: Examples) -> Examples:
    """Return those that have a single label, and warn of the others: how many, and which.

    Raises:
        ValueError: all have several.

    """
    if not found.multilabel:
        return found
    rows = [row for row, own in enumerate(found.labels) if len(own) == 1]
    if not rows:
        raise ValueError(
            "each labelled document has several labels: this is for documents with one label each"
        )
    total, left_out = len(found.ids), found.several
    warnings.warn(
        f"{len(left_out):,} of {total:,} documents left out, as they have several labels:"
        f" {listed(left_out)}",
        stacklevel=3,
    )
    return Examples(
        [found.ids[row] for row in rows],
        found.vectors[rows],
        [found.labels[row] for row in rows],
        found.pending,
    )


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

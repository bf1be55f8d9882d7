"""The labelled documents of an index as what estimators take."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.classify.folds import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from embedsearch.index import Index
    from embedsearch.store.filters import Where

EMBED_IT = "run embedsearch index; in Python: index.embed_pending()"
LABEL_SOME = "label some with embedsearch label; in Python: index.label({id: label})"


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled documents: their ids, unit vectors (n, d), and the labels of each.

    ``pending`` are the ids of labelled documents that are not embedded yet, ``blank`` of those
    without words, which never will be: both are left out.
    """

    ids: list[str]
    vectors: NDArray[np.float32]
    labels: list[tuple[str, ...]]
    pending: list[str] = field(default_factory=list)
    blank: list[str] = field(default_factory=list)

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

    Those that are not embedded yet, and those without words, are left out, which a warning says.

    Raises:
        ValueError: none is labelled, or none of these is embedded.

    """
    found = labelled(index, where=where, glob=glob)
    if not found.ids and found.pending:
        raise ValueError(f"no labelled document is embedded yet: {EMBED_IT}")
    if not found.ids and found.blank:
        raise ValueError(f"no labelled document has words: {listed(found.blank)}")
    if not found.ids:
        which = "that meets the conditions " if where or glob else ""
        why = "; ".join(index.unmet(where)) or LABEL_SOME
        raise ValueError(f"no document {which}is labelled: {why}")
    reasons = [
        (found.pending, "they are not embedded yet", f"; {EMBED_IT}"),
        (found.blank, "they have no words", ""),
    ]
    total = len(found.ids) + len(found.pending) + len(found.blank)
    for left_out, why, advice in reasons:
        if left_out:
            warnings.warn(
                f"{len(left_out):,} of {total:,} labelled documents left out, as {why}:"
                f" {listed(left_out)}{advice}",
                stacklevel=3,
            )
    return found


def told_of_several(found: Examples) -> str:
    """Return how many documents have several labels, and which, and what that means."""
    several, total = len(found.several), len(found.ids)
    return (
        f"{several:,} of {total:,} documents {'has' if several == 1 else 'have'} several labels"
        f" ({listed(found.several)}), so each label is decided by itself"
    )


def labelled(index: Index, *, where: Where = None, glob: Sequence[str] | None = None) -> Examples:
    """Return the same, and none where there are none. What bears no label is not read."""
    with index.snapshot() as then:
        labels = then.labels()
        names = sorted({name for own in labels.values() for name in own})
        both = {"type": "and", "filters": [where, {"@label": names}]}
        found = then.document_vectors(where=both, glob=glob)
        known, blank = set(found.ids), list[str]()
        if then.counts(where=both, glob=glob).documents > len(known):
            known = {document.id for document in then.documents(where=both, glob=glob)}
            blank = then.blank(where=both, glob=glob)
    pending = sorted(known.difference(found.ids, blank))
    return Examples(found.ids, found.vectors, [labels[id] for id in found.ids], pending, blank)

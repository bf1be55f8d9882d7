"""Labels that are probably wrong."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embedsearch.classify.confident_learning import Suspect, doubts
from embedsearch.classify.splitting import leakproof_groups
from embedsearch.labelling.examples import Examples, examples, told_of_several
from embedsearch.labelling.grouping import groups_by
from embedsearch.records import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch.index import Index
    from embedsearch.store.filters import Where


@dataclass(frozen=True, slots=True)
class SuspectDocument:
    """A document whose label is probably wrong.

    ``probability`` is that of its label, ``suggested_probability`` that of the likeliest other one;
    ``disagreeing`` are the nearest documents of other labels, the nearest first. Where documents
    have several labels, ``suggested`` is ``None`` for a label that is probably too much, ``label``
    for one that is probably missing.
    """

    document_id: str
    label: str | None
    suggested: str | None
    probability: float
    suggested_probability: float
    disagreeing: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Suspicions:
    """Documents whose label is probably wrong, and how many more another label is likelier of."""

    documents: list[SuspectDocument]
    others: int


def suspected(
    index: Index,
    *,
    group: str | None = None,
    where: Where = None,
    glob: Sequence[str] | None = None,
) -> list[SuspectDocument]:
    """Return the documents whose label is probably wrong, the most suspicious first.

    A document is judged by a classifier that has not learned from it, nor from near duplicates; or,
    with the key ``group`` of the metadata, from none that says the same under it, as a thread.
    Where some have several labels, each label is judged by itself, which a warning says.

    Raises:
        ValueError: there are too few labels, or no document has that key.

    """
    return suspicions(index, group=group, where=where, glob=glob).documents


def suspicions(
    index: Index,
    *,
    group: str | None = None,
    where: Where = None,
    glob: Sequence[str] | None = None,
) -> Suspicions:
    """Return what ``suspected`` does, and how many more labels are told otherwise."""
    found = examples(index, where=where, glob=glob)
    if found.multilabel:
        warnings.warn(told_of_several(found), stacklevel=3)
    groups = groups_by(index, group, found.ids) or leakproof_groups(found.vectors)
    doubted = doubts(found.vectors, found.y, groups=groups)
    return Suspicions([_document(found, s) for s in doubted.suspects], doubted.others)


def _document(found: Examples, suspect: Suspect) -> SuspectDocument:
    near = (
        Reason(found.ids[n.position], found.labels[n.position], n.similarity)
        for n in suspect.disagreeing
    )
    return SuspectDocument(
        found.ids[suspect.position],
        suspect.label,
        suspect.suggested,
        suspect.probability,
        suspect.suggested_probability,
        tuple(near),
    )

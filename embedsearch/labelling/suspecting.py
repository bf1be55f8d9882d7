"""Labels that are probably wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from embedsearch.classify.confident_learning import Suspect, suspects
from embedsearch.evaluate.splitting import leakproof_groups
from embedsearch.labelling.examples import Examples, examples
from embedsearch.records import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch.index import Index
    from embedsearch.store.filters import Where


@dataclass(frozen=True, slots=True)
class SuspectDocument:
    """A document whose label is probably wrong.

    ``probability`` is that of its label, ``suggested_probability`` that of the likeliest other one;
    ``disagreeing`` are the nearest documents of other labels, the nearest first.
    """

    document_id: str
    label: str
    suggested: str
    probability: float
    suggested_probability: float
    disagreeing: tuple[Reason, ...]


def suspected(
    index: Index, *, where: Where = None, glob: Sequence[str] | None = None
) -> list[SuspectDocument]:
    """Return the documents whose label is probably wrong, the most suspicious first.

    A document is judged by a classifier that has not learned from it, nor from near duplicates.

    Raises:
        ValueError: there are too few labels, or a document has several.

    """
    found = examples(index, where=where, glob=glob)
    if found.multilabel:
        raise ValueError(
            "some documents have several labels: wrong ones are found among single ones"
        )
    groups = leakproof_groups(found.vectors)
    doubted = suspects(found.vectors, found.y, groups=groups)
    return [_document(found, suspect) for suspect in doubted]


def _document(found: Examples, suspect: Suspect) -> SuspectDocument:
    near = (
        Reason(found.ids[n.position], found.labels[n.position], n.similarity)
        for n in suspect.disagreeing
    )
    return SuspectDocument(
        found.ids[suspect.position],
        str(suspect.label),
        str(suspect.suggested),
        suspect.probability,
        suspect.suggested_probability,
        tuple(near),
    )

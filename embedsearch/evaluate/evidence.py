"""What a classifier can be measured on: texts with a label, in groups that must not be parted."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.classify.checking import is_texts, refuse_several, units
from embedsearch.classify.folds import different, listed, more_of
from embedsearch.classify.inputs import vectors_of
from embedsearch.evaluate.splitting import leakproof_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from embedsearch.classify.inputs import Encoder, Vectors

    Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Unit vectors (n, d) with their labels (n,), groups (n,) from 0, and positions as given.

    ``texts`` are "" where only vectors came. ``notes`` say what was left out, and why.
    """

    vectors: Vectors
    labels: NDArray[Any]
    groups: Rows
    positions: Rows
    texts: list[str]
    notes: tuple[str, ...]


def evidence(
    given: Any,
    labels: Any,
    *,
    texts: Sequence[str] | None,
    groups: Any,
    embedder: Encoder | str | None,
    threshold: float,
) -> Evidence:
    """Return what can be measured of texts (n,), or vectors (n, d), with their labels (n,).

    Left out, each with a note, are texts that are blank or have no label, and labels all of whose
    texts are in one group: they can't be on both sides.

    Raises:
        ValueError: less than two labels can be measured, a text has several, lengths differ,
            vectors are not finite.

    """
    refuse_several(labels)
    names = [_name(label) for label in labels]
    if groups is not None and len(groups) != len(names):
        raise ValueError(f"expected a group for each of {len(names)} texts, got {len(groups)}")
    words = _words(given, texts, len(names))
    spoken = np.array([not words or bool(text.strip()) for text in words or names], dtype=bool)
    kept = np.array([bool(name) for name in names], dtype=bool) & spoken
    notes = _left_out(names, spoken)
    if not kept.any():
        among = f"none of {len(names):,} has a label and words" if names else "nothing came"
        raise ValueError(f"expected labelled texts, but {among}")
    rows = np.flatnonzero(kept)
    own = [words[row] for row in rows] if words else [""] * len(rows)
    vectors = units(vectors_of(own if is_texts(given) else np.asarray(given)[rows], embedder))
    known = np.array(names)[rows]
    together = None if groups is None else np.asarray(groups)[rows]
    found = leakproof_groups(vectors, together, texts=own if words else None, threshold=threshold)
    notes += _alike(known)
    notes += _two_ways(own if words else [row.tobytes() for row in vectors], known.tolist())
    counts = different(known, found)
    lone = [label for label, count in counts.items() if count < 2]
    if len(counts) - len(lone) < 2:
        raise ValueError(_too_few(known, counts, lone))
    if lone:
        notes.append(
            f"{len(lone)} of {len(counts)} labels are left out, as they have a single text, or"
            f" copies of it: {more_of(lone)}"
        )
    use = ~np.isin(known, lone)
    return Evidence(
        vectors[use],
        known[use],
        np.unique(found[use], return_inverse=True)[1],
        rows[use],
        [text for text, keep in zip(own, use, strict=True) if keep],
        tuple(notes),
    )


def warn(note: str) -> str:
    """Warn of something whoever asked for an evaluation should know, and return it."""
    warnings.warn(note, stacklevel=3)
    return note


def rare(labels: NDArray[Any], folds: int) -> list[str]:
    """Return a note if some labels have less texts than there are folds."""
    names, counts = np.unique(labels, return_counts=True)
    few = names[counts < folds]
    if not len(few):
        return []
    note = (
        f"{len(few)} of {len(names)} labels have less than {folds} texts, too few for figures"
        f" of their own: {listed(few.tolist())}"
    )
    return [note]


def _name(label: Any) -> str:
    missing = label is None or label != label  # noqa: PLR0124 -- NaN is what isn't itself
    return "" if missing else str(label).strip()


def _words(given: Any, texts: Sequence[str] | None, count: int) -> list[str]:
    words = list(given) if is_texts(given) else list(texts or ())
    for place, text in enumerate(words):
        if not isinstance(text, str):
            raise TypeError(f"expected texts, got {text!r:.40} at position {place}")
    if len(given) != count or (words and len(words) != count):
        raise ValueError(f"expected a label for each text, got {count} for {len(given)}")
    return words


def _left_out(names: Sequence[str], spoken: NDArray[np.bool_]) -> list[str]:
    missing = {
        "no label": sum(not name for name in names),
        "no words": int((~spoken).sum()),
    }
    return [
        f"{count:,} of {len(names):,} texts left out: they have {what}"
        for what, count in missing.items()
        if count
    ]


def _alike(labels: NDArray[Any]) -> list[str]:
    alike: dict[str, list[str]] = {}
    for label in np.unique(labels).tolist():
        alike.setdefault(" ".join(label.split()).casefold(), []).append(label)
    return [
        f"the labels {' and '.join(map(repr, same))} differ only by case or blanks: if they are"
        " one, write them the same"
        for same in alike.values()
        if len(same) > 1
    ]


def _two_ways(texts: Sequence[str | bytes], labels: Sequence[str]) -> list[str]:
    """Return a note if a text came more than once, with different labels."""
    ways = Counter(text for text, _ in set(zip(texts, labels, strict=True)))
    several = sum(count > 1 for count in ways.values())
    if not several:
        return []
    are = "text is" if several == 1 else "texts are"
    return [f"{several:,} {are} labelled in more than one way: one of the labels is wrong"]


def _too_few(labels: NDArray[Any], counts: Counter[str], lone: Sequence[str]) -> str:
    """Return what is missing where less than two labels have two texts that differ."""
    if len(counts) < 2:
        return f"expected at least two labels, got one, {str(labels[0])!r}: label texts of another"
    message = (
        f"expected at least two labels with two different texts each, got"
        f" {len(counts) - len(lone)}: {more_of(lone)}"
    )
    if np.isin(labels, lone).sum() > len(lone):
        message += " (copies, near duplicates and texts of one group count once)"
    return message

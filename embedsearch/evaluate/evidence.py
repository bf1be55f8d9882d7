"""What a classifier can be measured on: texts with a label, in groups that must not be parted."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.classify.checking import is_missing, of_alike, of_zeros, units
from embedsearch.classify.folds import different, more_of
from embedsearch.classify.inputs import is_texts, texts_of, vectors_of
from embedsearch.classify.splitting import Alike, alike, leakproof_groups  # noqa: F401 -- for the door

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from embedsearch.classify.inputs import Encoder, Vectors

    Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Unit vectors (n, d) with their labels (n,), what is alike, and positions as given.

    ``texts`` are "" where only vectors came. ``notes`` say what was left out, and why.
    """

    vectors: Vectors
    labels: NDArray[Any]
    alike: Alike
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
        ValueError: less than two labels can be measured, lengths differ, labels are not all texts
            or all whole numbers, vectors are not finite.

    """
    said = plain(labels)
    if groups is not None and len(groups) != len(said):
        raise ValueError(f"expected a group for each of {len(said)} texts, got {len(groups)}")
    words = _words(given, texts, len(said))
    named = np.array([label is not None for label in said], dtype=bool)
    spoken = np.array([not words or bool(text.strip()) for text in words or said], dtype=bool)
    rows = np.flatnonzero(named & spoken)
    notes = left_out(named, spoken)
    if not len(rows):
        among = f"none of {len(said):,} has a label and words" if said else "nothing came"
        raise ValueError(f"expected labelled texts, but {among}")
    known = _of_one_kind([said[row] for row in rows])
    own = [words[row] for row in rows] if words else [""] * len(rows)
    vectors = units(vectors_of(own if is_texts(given) else np.asarray(given)[rows], embedder))
    together = None if groups is None else np.asarray(groups, object)[rows].tolist()
    same = alike(vectors, together, texts=own if words else None, threshold=threshold)
    nearly_one = of_alike(np.unique(known).tolist())
    notes += of_zeros(vectors, rows) + nearly_one
    notes += _two_ways(own if words else [row.tobytes() for row in vectors], known.tolist())
    counts = different(known, same.groups)
    lone = [label for label, count in counts.items() if count < 2]
    if len(counts) - len(lone) < 2:
        raise ValueError("; ".join([_too_few(known, counts, lone), *nearly_one]))
    if lone:
        notes.append(
            f"{len(lone)} of {len(counts)} labels are left out, as they have a single text, or"
            f" copies of it: {more_of(lone)}"
        )
    use = ~np.isin(known, lone)
    return Evidence(
        vectors[use],
        known[use],
        same.part(use),
        rows[use],
        [text for text, keep in zip(own, use, strict=True) if keep],
        tuple(notes),
    )


def ids_of(ids: Sequence[str] | None, count: int) -> list[str] | None:
    """Return the ids of as many texts, ``None`` for none; raises ValueError for more or less."""
    if ids is not None and len(ids) != count:
        raise ValueError(f"expected an id for each of {count} texts, got {len(ids)}")
    return None if ids is None else list(map(str, ids))


def silent(_done: int, _total: int) -> None:
    """Tell nobody how far an evaluation is."""


def warn(note: str) -> str:
    """Warn of something whoever asked for an evaluation should know, and return it."""
    warnings.warn(note, stacklevel=3)
    return note


def plain(labels: Any) -> list[Any]:
    """Return labels (n,), or a column of them, as Python has them, ``None`` for none."""
    column = np.asarray(labels)[:, 0] if getattr(labels, "ndim", 1) == 2 else labels
    return [_plain(label) for label in column]


def _plain(label: Any) -> Any:
    """Return a label as Python has it, ``None`` for none or a blank one."""
    plain = label.item() if isinstance(label, np.generic) else label
    if isinstance(plain, str):
        return plain if plain.strip() else None
    return None if is_missing(plain) else plain


def _of_one_kind(labels: list[Any]) -> NDArray[Any]:
    """Return an array (n,) of texts or of numbers: what has no order can't be counted."""
    strange = [label for label in labels if not isinstance(label, (str, bool, int, float))]
    if strange:
        raise ValueError(f"expected labels that are texts or numbers, got {strange[0]!r:.40}")
    between = [label for label in labels if isinstance(label, float) and label % 1]
    if between:
        raise ValueError(f"expected labels that are texts or whole numbers, got {between[0]!r}")
    numbers = [label for label in labels if not isinstance(label, str)]
    if numbers and len(numbers) < len(labels):
        raise ValueError(
            f"expected labels of one kind, got texts and {numbers[0]!r}: write all as text"
        )
    return np.array(labels)


def _words(given: Any, texts: Sequence[str] | None, count: int) -> list[str]:
    words = texts_of(given if is_texts(given) else [] if texts is None else texts)
    for come in (len(given), len(words) or count):
        if come != count:
            raise ValueError(f"expected a label for each text, got {count} for {come}")
    return words


def left_out(named: NDArray[np.bool_], spoken: NDArray[np.bool_]) -> list[str]:
    """Return a note for texts (n,) that are not named, and one for those without words."""
    missing = {"no label": int((~named).sum()), "no words": int((~spoken).sum())}
    return [
        f"{count:,} of {len(named):,} texts left out: they have {what}"
        for what, count in missing.items()
        if count
    ]


def _two_ways(texts: Sequence[str | bytes], labels: Sequence[Any]) -> list[str]:
    """Return a note if a text came more than once, with different labels."""
    ways = Counter(text for text, _ in set(zip(texts, labels, strict=True)))
    several = sum(count > 1 for count in ways.values())
    if not several:
        return []
    are = "text is" if several == 1 else "texts are"
    return [f"{several:,} {are} labelled in more than one way: one of the labels is wrong"]


def _too_few(labels: NDArray[Any], counts: Counter[Any], lone: Sequence[Any]) -> str:
    """Return what is missing where less than two labels have two texts that differ."""
    if len(counts) < 2:
        one = labels.tolist()[0]
        return f"expected at least two labels, got one, {one!r}: label texts of another"
    message = (
        f"expected at least two labels with two different texts each, got"
        f" {len(counts) - len(lone)}: {more_of(lone)}"
    )
    if np.isin(labels, lone).sum() > len(lone):
        message += " (copies, near duplicates and texts of one group count once)"
    return message

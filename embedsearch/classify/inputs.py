"""What the estimators take: texts, or the vectors of texts."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from functools import cache
from numbers import Number
from types import NoneType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from embedsearch import embedders
from embedsearch.embedders.checking import finite, refuse_other

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from embedsearch.embedders import Role

    Vectors: TypeAlias = NDArray[np.float32]

SINGLE = (str, bytes, Number, np.generic, NoneType)
"""What stands in a list of texts, rightly or not, and in none of vectors."""

REMEMBERED = 200_000
"""How many vectors are kept in memory, the newest ones: 300 MB of float32 at 384 dimensions."""


class Encoder(Protocol):
    """What turns texts into unit vectors of one space: an embedder, or an index that keeps them."""

    @property
    def space(self) -> str:
        """Equal means comparable."""

    def embed(self, texts: Sequence[str], *, kind: Role = "document") -> Vectors:
        """Return one unit row of float32 a text, shape (n, d)."""


@cache
def local() -> Encoder:
    """Return the packaged model, one for all estimators."""
    return embedders.load()


def vectors_of(
    given: Sequence[str] | ArrayLike, encoder: Encoder | str | None, *, kind: Role = "document"
) -> Vectors:
    """Return unit rows (n, d) of texts (n,), or vectors (n, d) as they are.

    ``encoder`` may be named as for ``--model``; ``None`` is the packaged model. A text is
    embedded once in a process, so that folds and searches over parameters cost no embedding.

    Raises:
        TypeError: neither texts nor numbers came.
        ValueError: a vector is not finite, or the shape is not (n, d).

    """
    values = np.asarray(given, dtype=object if is_texts(given) else None)
    if values.dtype.kind in "biuf":
        return _checked(values)
    return _remembered(named(encoder), texts_of(values), kind)


def is_texts(given: Any) -> bool:
    """Tell texts (n,), of which some may be missing or none, from vectors.

    Raises:
        TypeError: they come one by one, without an order, or not at all.
        ValueError: texts are in columns, as those of a frame.

    """
    if given is None or isinstance(given, (Iterator, Mapping, set, frozenset)):
        raise TypeError(f"expected a list of texts, or vectors (n, d), got {given!r:.40}")
    if isinstance(given, (list, tuple)) and any(isinstance(each, SINGLE) for each in given):
        return True
    if getattr(given, "ndim", 0) == 1:
        return getattr(given.dtype, "kind", "") in {"O", "U", "T"}
    _refuse_columns(given)
    return isinstance(given, str)


def texts_of(given: Sequence[str] | NDArray[Any]) -> list[str]:
    """Return texts (n,) as a list.

    Raises:
        TypeError: one of them is no text, or a single one came.
        ValueError: the shape is not (n,).

    """
    values = np.asarray(given, dtype=object)
    if isinstance(values.tolist(), str):
        raise TypeError("expected a list of texts, got one text: put it into a list")
    if values.ndim != 1:
        raise ValueError(f"expected texts of shape (n,), got {values.shape}")
    for place, text in enumerate(values.tolist()):
        if not isinstance(text, str):
            raise TypeError(
                f"expected texts, got {text!r:.40} at position {place}: leave it out, or write it"
                " as text"
            )
    return values.tolist()  # type: ignore[no-any-return]  # all are str


@cache
def _load(name: str) -> Encoder:
    return embedders.load(name)


def named(encoder: Encoder | str | None) -> Encoder:
    """Return the encoder that a name stands for, and one that is there as it is."""
    if encoder is None:
        return local()
    if isinstance(encoder, str):
        return _load(encoder)
    refuse_other(encoder, ("space", "embed"), "a name, an Embedder, an Index or None")
    return encoder


def _refuse_columns(given: Any) -> None:
    several = isinstance(given, (list, tuple))
    values = np.asarray(given[:1] if several else given)
    if values.ndim != 2 or values.dtype.kind not in "OUT":
        return
    if not any(isinstance(value, str) for value in values.ravel().tolist()):
        return
    how = ""
    if hasattr(given, "columns"):
        name = repr(next(iter(given.columns)))
        how = f", as frame[{name}]; a ColumnTransformer takes {name}, not [{name}]"
    raise ValueError(
        f"expected texts of shape (n,), got {(len(given), values.shape[1])}: pass one column{how}"
    )


def dimensions_of(encoder: Encoder) -> int:
    """Return the length of an encoder's vectors; a word is embedded where only that tells it."""
    return int(encoder.embed([]).shape[1] or vectors_of(["dimensions"], encoder).shape[1])


def _checked(values: NDArray[Any]) -> Vectors:
    if values.ndim != 2:
        raise ValueError(f"expected vectors of shape (n, d), got {values.shape}")
    vectors = np.ascontiguousarray(values, np.float32)
    if not np.isfinite(vectors).all():
        raise ValueError("expected finite vectors, got NaN or infinity")
    return vectors


_MEMORY: OrderedDict[tuple[str, str, bytes], Vectors] = OrderedDict()


def _remembered(encoder: Encoder, texts: Sequence[str], kind: Role) -> Vectors:
    keys = [(kind, _digest(text)) for text in texts]
    # Looked up once each: another thread may forget what was there a moment ago.
    space = encoder.space
    rows = {key: row for key in keys if (row := _MEMORY.get((space, *key))) is not None}
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in rows}
    if missing:
        made = finite(encoder.embed(list(missing.values()), kind=kind), encoder, len(missing))
        rows.update(zip(missing, made, strict=True))
        space = encoder.space  # an API's first answer may have told the rest of it
        _MEMORY.update(((space, *key), rows[key]) for key in missing)
        while len(_MEMORY) > REMEMBERED:
            _MEMORY.popitem(last=False)
    if not texts:
        return encoder.embed([], kind=kind)
    return np.stack([rows[key] for key in keys])


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()

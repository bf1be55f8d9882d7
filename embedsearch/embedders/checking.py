"""What others' embedders are held to: all of the protocol, and vectors of the shape it says."""

from __future__ import annotations

from inspect import getattr_static, isclass
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.errors import EmbeddingError

if TYPE_CHECKING:
    from embedsearch.embedders.protocol import Embedder, Vectors

ASKED = ("name", "space", "dimensions", "max_tokens", "tokenizer", "embed")
"""What an ``Embedder`` has."""

NEAR_ONE = 0.01
"""So far from 1 a squared length may be."""


def refuse_other(
    given: Any, asked: tuple[str, ...] = ASKED, kinds: str = "a name or an Embedder"
) -> None:
    """Raise TypeError for what is no embedder, as it lacks what is asked; nothing of it is run."""
    if isclass(given):
        raise TypeError(
            f"expected an embedder, got the class {given.__name__}: call it to make one"
        )
    if missing := [name for name in asked if not _has(given, name)]:
        raise TypeError(
            f"expected as embedder {kinds}, got {given!r:.40}, which has no {', '.join(missing)}"
        )


def _has(given: Any, name: str) -> bool:
    """Tell whether there is such an attribute; a property is not asked, as that may cost much."""
    try:
        return getattr_static(given, name) is not None
    except AttributeError:  # of what hands all on to another object only that knows
        return getattr(given, name, None) is not None


def checked(made: Any, embedder: Embedder, count: int) -> Vectors:
    """Return what an embedder made of so many texts: unit rows (n, d) of float32.

    Raises:
        EmbeddingError: it is something else.

    """
    rows = finite(made, embedder, count)
    if rows.shape[1] != embedder.dimensions:
        raise EmbeddingError(_told(embedder, f"{embedder.dimensions} components", rows.shape[1]))
    if not np.allclose(np.vecdot(rows, rows), 1, atol=NEAR_ONE):
        raise EmbeddingError(_told(embedder, "vectors of length 1", "others"))
    return rows


def finite(made: Any, embedder: Any, count: int) -> Vectors:
    """Return what an embedder made of so many texts: finite rows (n, d) of float32.

    Raises:
        EmbeddingError: it is something else.

    """
    if not isinstance(made, np.ndarray) or made.dtype.kind != "f":
        got = f"one of {made.dtype}" if isinstance(made, np.ndarray) else type(made).__name__
        raise EmbeddingError(_told(embedder, "an array of float32", got))
    if made.ndim != 2 or len(made) != count:
        raise EmbeddingError(_told(embedder, f"vectors of shape ({count}, d)", made.shape))
    if not np.isfinite(made).all():
        raise EmbeddingError(_told(embedder, "finite vectors", "NaN or infinity"))
    return np.asarray(made, np.float32)


def _told(embedder: Any, expected: str, got: object) -> str:
    name = getattr(embedder, "name", None) or type(embedder).__name__
    return f"expected {expected} from the embedder {name!r}, got {got}"

"""One thread for small products: those that share them mostly wait, and burn CPU meanwhile."""

from __future__ import annotations

from contextlib import nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any

import scipy.linalg  # noqa: F401 -- loads SciPy's own BLAS, beside NumPy's
from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

WORTH_SHARING = 1_000_000_000
"""Multiplications from which on threads share a product: on one of 2.5e8 (10,000 texts, 77 labels)
two of them took 3.6 times the CPU time, and as much longer, beside busy neighbours."""


def one_thread(multiplications: int) -> AbstractContextManager[Any]:
    """Return a context in which BLAS has one thread, unless products are so large."""
    if multiplications >= WORTH_SHARING:
        return nullcontext()
    return _pools().limit(limits=1, user_api="blas")  # type: ignore[no-any-return]  # no types


@cache
def _pools() -> Any:
    """Return the libraries' threads: to find them takes 15 ms."""
    return ThreadpoolController()

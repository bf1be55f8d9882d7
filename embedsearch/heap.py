"""Free memory, handed back to the system."""

from __future__ import annotations

import ctypes
import sys


def hand_back() -> None:
    """Hand back the memory that was freed between what is still in use.

    glibc keeps it for what may be asked for next; the rows of an index are too many to fit in.
    """
    if sys.platform == "linux":
        # Other C libraries for Linux have no such function, and keep little.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)

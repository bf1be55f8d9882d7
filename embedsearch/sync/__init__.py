"""Sync: what changed in a folder since it was last read, and the two loops that apply it.

The first loop takes in (read, chunk, full text), the second embeds what is pending. The database
joins them: a crash anywhere leaves a shorter to-do list, and nothing else.
"""

from typing import TYPE_CHECKING

from embedsearch.lazy import names

if TYPE_CHECKING:
    from embedsearch.sync.report import Progress, SyncReport
    from embedsearch.sync.spending import Allowance

__all__ = ["Allowance", "Progress", "SyncReport"]

__getattr__, __dir__ = names(
    __name__,
    {"Allowance": "spending", "Progress": "report", "SyncReport": "report"},
)

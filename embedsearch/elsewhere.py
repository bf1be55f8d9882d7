"""An index in another process: what is sent there is its folder, which is opened once."""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from embedsearch.embedders.protocol import Embedder

REFUSED = (
    "an index can't be copied, nor sent to another process from memory, as a snapshot, or where an"
    " API embeds its texts: open it there again; to scikit-learn give vectors"
    " (Index.document_vectors, Index.embed), or n_jobs=1"
)

_OPENED: dict[tuple[int, Path, str], Any] = {}


def opened(index: type[Any], folder: Path, space: str, embedder: Embedder | None) -> Any:
    """Return the ``Index`` of a folder that was sent to this process, open to its end."""
    key = os.getpid(), folder, space  # a connection to SQLite is not for the children of a fork
    found = _OPENED.get(key)
    if found is None or found.closed:
        found = _OPENED[key] = index.open(folder, embedder, create=False)
        atexit.register(found.close)
    return found

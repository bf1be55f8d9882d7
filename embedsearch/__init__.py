"""Semantic search and classification over your own documents, offline by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.lazy import names

if TYPE_CHECKING:
    from embedsearch.client import AsyncClient, Client
    from embedsearch.errors import EmbedsearchError
    from embedsearch.index import Index
    from embedsearch.records import Chunk, Document, Hit
    from embedsearch.version import __version__

__all__ = [
    "AsyncClient",
    "Chunk",
    "Client",
    "Document",
    "EmbedsearchError",
    "Hit",
    "Index",
    "__version__",
]

__getattr__, __dir__ = names(
    __name__,
    {
        "AsyncClient": "client",
        "Chunk": "records",
        "Client": "client",
        "Document": "records",
        "EmbedsearchError": "errors",
        "Hit": "records",
        "Index": "index",
        "__version__": "version",
    },
)

"""Semantic search and classification over your own documents, offline by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedsearch.client import AsyncClient, Client
    from embedsearch.errors import EmbedsearchError
    from embedsearch.index import Index
    from embedsearch.records import Chunk, Document, Hit

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

_HOMES = {
    "AsyncClient": "client",
    "Chunk": "records",
    "Client": "client",
    "Document": "records",
    "EmbedsearchError": "errors",
    "Hit": "records",
    "Index": "index",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "__version__":
        return import_module("importlib.metadata").version("embedsearch")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__

"""FAISS behind one small room: which index for how many rows, filtered search, the cache file."""

from embedsearch.vectors.index import VectorIndex
from embedsearch.vectors.labels import Selection

__all__ = ["Selection", "VectorIndex"]

"""Chunking: a document cut into token-exact slices at its best boundaries."""

from embedsearch.chunking.chunker import chunk

__all__ = ["chunk"]

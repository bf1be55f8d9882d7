"""Chunking: a document cut into token-exact slices at its best boundaries."""

from embedsearch.chunking.chunker import chunk, chunk_all

__all__ = ["chunk", "chunk_all"]

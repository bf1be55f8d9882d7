"""Tokens: encodings that work offline, what models cost, and the tokenizer protocol."""

from embedsearch.tokens.encodings import Piece, TiktokenTokenizer, encoding

__all__ = ["Piece", "TiktokenTokenizer", "encoding"]

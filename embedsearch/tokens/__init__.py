"""Tokens: encodings that work offline, what models cost, and the tokenizer protocol."""

from embedsearch.tokens.encodings import Piece, TiktokenTokenizer, encoding
from embedsearch.tokens.models import Model, encoding_for, model

__all__ = ["Model", "Piece", "TiktokenTokenizer", "encoding", "encoding_for", "model"]

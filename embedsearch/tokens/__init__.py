"""Tokens: encodings that work offline, what models hold and cost, and what a chat takes of them."""

from embedsearch.tokens.chat import count_messages
from embedsearch.tokens.context import check_context, check_prompt, fit_messages
from embedsearch.tokens.encodings import Piece, TiktokenTokenizer, encoding
from embedsearch.tokens.models import Model, encoding_for, known, model

__all__ = [
    "Model",
    "Piece",
    "TiktokenTokenizer",
    "check_context",
    "check_prompt",
    "count_messages",
    "encoding",
    "encoding_for",
    "fit_messages",
    "known",
    "model",
]

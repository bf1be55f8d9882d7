"""Tokens: encodings that work offline, what models cost, and the tokenizer protocol."""

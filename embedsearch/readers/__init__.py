"""Readers: bytes of a file in, a Document out."""

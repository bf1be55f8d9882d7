"""Source code and configuration, as they are."""

from __future__ import annotations

from embedsearch.readers.decoding import decode
from embedsearch.records import Document


def read(id: str, data: bytes) -> Document:
    """Decode a source file; its offsets and lines stay the file's."""
    return Document(id=id, text=decode(data), kind="code")

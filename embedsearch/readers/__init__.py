"""Files in, documents out: walking a folder, and one module for each family of formats."""

from embedsearch.readers.reading import is_packed, is_text, read
from embedsearch.readers.walking import File, Unreadable, changed_ns, walk

__all__ = ["File", "Unreadable", "changed_ns", "is_packed", "is_text", "read", "walk"]

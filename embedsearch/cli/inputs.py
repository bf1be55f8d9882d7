"""What a command is given to work on, from files and from stdin."""

from __future__ import annotations

import click

from embedsearch import readers
from embedsearch.readers.decoding import decode, looks_binary


def text_of(file: str) -> str:
    """Return the text of a file as it is; of one that is not text, what an index would read.

    ``-`` is stdin.
    """
    with click.open_file(file, "rb") as opened:
        data = opened.read()
    return readers.read(file, data).text if looks_binary(data) else decode(data)

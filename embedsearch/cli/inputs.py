"""What a command is given to work on: words, documents of the index, files, and stdin."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

from embedsearch import readers
from embedsearch.cli.places import document_id
from embedsearch.cli.terminal import note
from embedsearch.errors import ReadError
from embedsearch.readers.decoding import decode, looks_binary
from embedsearch.readers.reading import READERS

if TYPE_CHECKING:
    from embedsearch import Index

AS_A_TEXT = "if a text is meant, put a blank before it"
"""How a word is said that looks like a path, or is one."""


def text_of(file: str) -> str:
    """Return the text of a file as it is; of one that is not text, what an index would read.

    ``-`` is stdin.
    """
    with click.open_file(file, "rb") as opened:
        data = opened.read()
    try:
        return readers.read(file, data).text if looks_binary(data) else decode(data)
    except ReadError as error:
        raise type(error)(f"{name_of(file)}: {error}") from error


def name_of(file: str) -> str:
    """Return what a file is called in a message."""
    return "stdin" if file == "-" else file


def meant(index: Index, *words: str) -> str:
    """Return the text that is meant: that of a document, of a file, or the words themselves.

    Raises:
        UsageError: it is blank, a folder, or looks like a path and nothing is there.

    """
    given = " ".join(words)
    if len(words) > 1 and all(map(looks_like_a_path, words)):
        raise click.UsageError(f"one document or file at a time, got {len(words)}")
    if (id_ := document_id(index, given)) in index:
        return index.get(id_).text
    if not given.strip():
        raise click.UsageError("the text is blank")
    if (path := there(given)) and path.is_dir():
        raise click.UsageError(f"{given!r} is a folder, not a document or a file; {AS_A_TEXT}")
    if path:
        return text_of(given)
    if looks_like_a_path(given):
        raise click.UsageError(f"no document and no file {given!r}; {AS_A_TEXT}")
    if given.split() == [given]:
        note(f"note: no document and no file {given!r}: taken as a text")
    return given


def looks_like_a_path(given: str) -> bool:
    """Return whether there is no blank in it, but a slash or the suffix of files that are read."""
    return given.split() == [given] and ("/" in given or PurePath(given).suffix.lower() in READERS)


def there(name: str) -> Path | None:
    """Return the path that a name is of, ``None`` where there is none: a text may be too long."""
    try:
        Path(name).stat()
    except (OSError, ValueError):
        return None
    return Path(name)


def file_at(name: str) -> Path | None:
    """Return the path of the file that a name is of, ``None`` where it is of none."""
    path = there(name)
    return path if path and path.is_file() else None

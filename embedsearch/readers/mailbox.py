"""Mailboxes of the mbox kind: message after message in one file."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from embedsearch.errors import ReadError
from embedsearch.readers import mail
from embedsearch.readers.blocks import Blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embedsearch.records import Document

_BEGIN = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\n]{1,400}\d{4}[^\n]{0,20}\n")
"""The line before a message ends with its year, or a zone: RFC 4155, and what came before it."""
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
"""A line of a text that begins so is written with one > more (mboxrd)."""


def read(id: str, data: bytes) -> Document:
    """Read all messages, each under its subject as a heading."""
    blocks, count, bad = Blocks(), 0, 0
    for message in _messages(data):
        count += 1
        try:
            mail.add(blocks, message, level=1)
        except ReadError:
            bad += 1
    if bad == count:
        raise ReadError("is no mailbox with a message that can be parsed")
    document = blocks.document(id, {"messages": count})
    left_out = f"{bad} of its {count} messages can't be parsed: they were left out"
    return replace(document, partial=left_out) if bad else document


def _messages(data: bytes) -> Iterator[bytes]:
    lines = [match.span() for match in _BEGIN.finditer(data)]
    for (_, start), (stop, _) in pairwise([*lines, (len(data), 0)]):
        yield _QUOTED.sub(rb"\1", data[start:stop])

"""XML that no other reader knows: the text of its elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.errors import ReadError
from embedsearch.readers import xml_events
from embedsearch.readers.decoding import clean, decode
from embedsearch.records import Document

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNSEEN = frozenset({"script", "style"})


def read(id: str, data: bytes) -> Document:
    """Read the text, a line each time that mark-up comes between.

    XML that is malformed, that declares entities, or that keeps all it says in attributes is read
    as source code, as it stands.
    """
    lines: list[str] = []
    unseen = 0

    def start(name: str, _: Mapping[str, str]) -> None:
        nonlocal unseen
        unseen += name in _UNSEEN

    def end(name: str) -> None:
        nonlocal unseen
        unseen -= name in _UNSEEN

    def text(text: str) -> None:
        line = " ".join(text.split())
        if line and not unseen:
            lines.append(line)

    try:
        xml_events.parse(data, start=start, end=end, text=text)
    except ReadError:
        lines = []
    if not lines:
        return Document(id=id, text=decode(data), kind="code")
    return Document(id=id, text=clean("\n".join(lines)))

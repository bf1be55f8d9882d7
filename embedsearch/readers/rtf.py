"""Rich Text Format: the text between its control words."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from embedsearch.readers.blocks import Blocks
from embedsearch.readers.decoding import clean

if TYPE_CHECKING:
    from embedsearch.records import Document

_TOKEN = re.compile(
    r"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-f]{2})|\\([^a-z])|([{}])|[\r\n]+|([^\\{}\r\n]+)",
    re.IGNORECASE,
)
_BREAKS = {
    **dict.fromkeys(("par", "sect", "page"), "\n\n"),
    **dict.fromkeys(("line", "row"), "\n"),
    "cell": " | ",
    "tab": "\t",
    "emdash": "\u2014",
    "endash": "\u2013",
    "lquote": "\u2018",
    "rquote": "\u2019",
    "ldblquote": "\u201c",
    "rdblquote": "\u201d",
    "bullet": "\u2022",
}
_SYMBOLS = {"~": " ", "_": "-", "\\": "\\", "{": "{", "}": "}", "\n": "\n\n", "\r": "\n\n"}
_UNSEEN = frozenset(
    [
        *("fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "themedata", "fldinst"),
        *("colorschememapping", "datastore", "latentstyles", "listtable", "listoverridetable"),
        *("rsidtbl", "generator", "filetbl", "revtbl", "xmlnstbl"),
    ]
)
"""The groups that hold no text of the document's own."""


def read(id: str, data: bytes) -> Document:
    """Read the text of an RTF file; pictures, fonts and styles are left out."""
    blocks = Blocks()
    for paragraph in _plain(data.decode("latin-1")).split("\n\n"):
        blocks.add(clean(paragraph).strip(" |\n"))
    return blocks.document(id)


def _plain(source: str) -> str:
    decoder = _decoder(source)
    out: list[str] = []
    groups: list[tuple[bool, int]] = []
    unseen, after_unicode, skip = False, 1, 0
    for word, number, byte, symbol, brace, text in _TOKEN.findall(source):
        if brace == "{":
            groups.append((unseen, after_unicode))
        elif brace:
            unseen, after_unicode = groups.pop() if groups else (False, 1)
        elif word in _UNSEEN or symbol == "*":
            unseen = True
        elif word == "uc":
            after_unicode = int(number or 1)
        elif unseen:
            continue
        elif word == "u" and number:
            out.append(chr(int(number) % 0x10000))
            skip = after_unicode
        elif byte:
            out += [] if skip else [decoder.decode(bytes.fromhex(byte))]
            skip = max(skip - 1, 0)
        elif text:
            out.append(decoder.decode(text[skip:].encode("latin-1")))
            skip = max(skip - len(text), 0)
        else:
            out.append(_BREAKS.get(word) or _SYMBOLS.get(symbol, ""))
    return "".join(out).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _decoder(source: str) -> codecs.IncrementalDecoder:
    """Return what decodes byte after byte: of signs of East Asia it takes two."""
    codepage = re.search(r"\\ansicpg(\d{3,5})", source[:4096])
    try:
        return codecs.getincrementaldecoder(f"cp{codepage[1]}" if codepage else "cp1252")("replace")
    except LookupError:
        return codecs.getincrementaldecoder("cp1252")("replace")

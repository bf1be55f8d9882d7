"""Finds the reader that knows a file, by its suffix and then by its content."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol, cast

from embedsearch.errors import BinaryFile, ReadError
from embedsearch.readers.decoding import looks_binary

if TYPE_CHECKING:
    from embedsearch.records import Document


class Reader(Protocol):
    """What each module of a format family offers: ``read``, which raises ReadError."""

    def read(self, id: str, data: bytes) -> Document:
        """Turn a file's bytes into a document."""


_SUFFIXES = {
    "plain": ".log .text .txt",
    "markdown": ".markdown .md .mdown .mdx .mkd .qmd .rmd",
    "rst": ".rest .rst",
    "markup": ".htm .html .shtml .xht .xhtml",
    "pdf": ".pdf",
    "word": ".docm .docx .dotx",
    "slides": ".potx .pptm .pptx .ppsx",
    "sheets": ".ods .xls .xlsb .xlsm .xlsx",
    "opendocument": ".odp .odt .ott",
    "tables": ".csv .psv .tab .tsv",
    "structured": ".geojson .json .jsonl .ndjson .webmanifest",
    "notebook": ".ipynb",
    "epub": ".epub",
    "mail": ".eml .mht .mhtml",
    "mailbox": ".mbox",
    "xml": ".atom .dbk .docbook .rdf .rss .svg .xml",
    "rtf": ".rtf",
    "code": (
        ".ada .adb .ads .asm .awk .bash .bat .bzl .c .cc .cfg .cjs .clj .cljs .cmake .cmd .conf"
        " .cpp .cs .css .cu .cxx .d .dart .diff .el .elm .erl .ex .exs .f .f90 .fish .fs .go"
        " .gradle .graphql .groovy .h .hcl .hh .hpp .hrl .hs .hxx .ini .java .jl .js .jsx .kt"
        " .kts .less .lisp .lua .m .mjs .mk .ml .mli .mm .nim .nix .pas .patch .php .pl .pm"
        " .properties .proto .ps1 .psm1 .py .pyi .pyx .r .rb .rkt .rs .s .sass .sbt .scala .scm"
        " .scss .sh .sol .sql .svelte .swift .tcl .tf .toml .ts .tsx .v .vb .vbs .vhd .vhdl .vim"
        " .vue .yaml .yml .zig .zsh"
    ),
}
READERS = {suffix: family for family, all_ in _SUFFIXES.items() for suffix in all_.split()}
"""The module that reads files of each suffix."""

SNIFFED = 16_384
"""Bytes that are looked at to tell what a file is: the heads of mail are long."""

_PDF = b"%PDF-"
_ZIP = b"PK\x03\x04"
_FIELD = rb"[A-Za-z][\w-]*:[^\n]*\n(?:[ \t][^\n]*\n)*"
_SIGNS = tuple(
    (re.compile(sign), family)
    for sign, family in (
        (rb"%PDF-", "pdf"),
        (rb"\{\\rtf", "rtf"),
        (rb"#!", "code"),
        (rb"<\?xml", "xml"),
        (rb"(?i)<!doctype html|<html", "markup"),
        (rb"[{\[]", "structured"),
        (rb"From \S{1,200} [^\n]{0,200}\d{4}[^\n]{0,20}\n" + _FIELD, "mailbox"),
        # As folders of mail hold them, without a suffix: a head that says from whom, and when.
        (rb"(?i)(?=(?:%b){0,99}From:)(?:%b){0,99}(?:Date|Message-ID):" % (_FIELD, _FIELD), "mail"),
    )
)
"""How files of each family begin, after blanks."""
_ZIPPED = (
    (b"application/epub+zip", "epub"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "sheets"),
    (b"application/vnd.oasis.opendocument.", "opendocument"),
    (b"word/", "word"),
    (b"ppt/", "slides"),
    (b"xl/", "sheets"),
)
_NOT_TEXT = frozenset({"pdf", "word", "slides", "sheets", "opendocument", "epub"})
_INSTEAD_OF_TEXT = re.compile(rb"(?i)<(?:canvas|embed|frame|iframe|img|object|script|svg|video)\b")
"""What of HTML may show what its text does not say."""


def read(id: str, data: bytes) -> Document:
    """Read a file's bytes into a document whose identity is ``id``, a POSIX path.

    Raises BinaryFile for what holds no text that a reader knows, and ReadError for a file that
    is damaged, encrypted, too large unpacked, or holds pictures or programs instead of text.
    """
    family = _family(id, data)
    module = cast("Reader", import_module(f"embedsearch.readers.{family}"))
    document = module.read(id, data)
    if not document.text.strip() and _had_more(family, data):
        raise ReadError("holds no text")
    return document


def is_packed(path: str) -> bool:
    """Tell whether a file is, by its name, one of those that hold text in a binary form."""
    return READERS.get(PurePosixPath(path).suffix.lower()) in _NOT_TEXT


def is_text(path: str) -> bool:
    """Tell whether a file is, by its name, one that no reader of a binary form is given."""
    return READERS.get(PurePosixPath(path).suffix.lower(), "pdf") not in _NOT_TEXT


def _had_more(family: str, data: bytes) -> bool:
    """Tell whether a file without text holds something else that a reader may want."""
    if family == "markup":
        return _INSTEAD_OF_TEXT.search(data) is not None
    return family in _NOT_TEXT and bool(data.strip())


def _family(id: str, data: bytes) -> str:
    family = READERS.get(PurePosixPath(id).suffix.lower())
    binary = looks_binary(data)
    # What some programs save as .xls is an HTML table or CSV; its own reader tells what is damaged.
    own = data.startswith(_ZIP) or _PDF in data[:1024]
    if family is None or (family in _NOT_TEXT and not binary and not own):
        family = _by_content(data)
    if binary and family not in _NOT_TEXT:
        raise BinaryFile("is a binary file")
    return family


def _by_content(data: bytes) -> str:
    head = data[:SNIFFED].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(_ZIP):
        return _zipped(data)
    return next((family for sign, family in _SIGNS if sign.match(head)), "plain")


def _zipped(data: bytes) -> str:
    """Tell the zipped formats apart by the names that stand, packed or not, in the clear."""
    for mark, family in _ZIPPED:
        if mark in data[:4096] or mark in data[-65536:]:
            return family
    raise BinaryFile("is a binary file")

"""EPUB books: the chapters in reading order."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from embedsearch.errors import ReadError
from embedsearch.readers import markup, xml_events, zipped
from embedsearch.readers.blocks import Blocks
from embedsearch.readers.decoding import decode

if TYPE_CHECKING:
    from embedsearch.readers.zipped import Package
    from embedsearch.records import Document

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PROPERTIES = ("title", "creator", "date", "language")
_ENCRYPTED_FONTS_ONLY = (b"http://www.idpf.org/2008/embedding", b"http://ns.adobe.com/pdf/enc#RC")


def read(id: str, data: bytes) -> Document:
    """Read a book's chapters along its spine, each of them once."""
    package = zipped.opened(data)
    if _protected(package):
        raise ReadError("is encrypted (protected against copying)")
    book = _package_file(package)
    elements = xml_events.leaves(package.read(book), "item", "itemref", *_PROPERTIES)
    blocks = Blocks()
    for chapter in _spine(elements, posixpath.dirname(book)):
        if chapter in package.names:
            markup.add(blocks, decode(package.read(chapter)))
    return blocks.document(id, _metadata(elements))


def _protected(package: Package) -> bool:
    """Tell a protected book from one whose fonts alone are obfuscated."""
    if _ENCRYPTION not in package.names:
        return False
    text = package.read(_ENCRYPTION)
    return not any(mark in text for mark in _ENCRYPTED_FONTS_ONLY)


def _package_file(package: Package) -> str:
    if _CONTAINER in package.names:
        for _, attributes, _ in xml_events.leaves(package.read(_CONTAINER), "rootfile"):
            path = attributes.get("full-path", "")
            if path in package.names:
                return path
    raise ReadError("is no EPUB book: it does not say where its contents are")


def _spine(elements: list[tuple[str, dict[str, str], str]], folder: str) -> dict[str, None]:
    """Return the paths of the chapters, in order."""
    items = {
        attributes.get("id"): attributes.get("href", "")
        for name, attributes, _ in elements
        if name == "item"
    }
    hrefs = [items.get(a.get("idref")) or "" for name, a, _ in elements if name == "itemref"]
    paths = [posixpath.normpath(posixpath.join(folder, unquote(href))) for href in hrefs if href]
    return dict.fromkeys(paths)


def _metadata(elements: list[tuple[str, dict[str, str], str]]) -> dict[str, Any]:
    given: dict[str, str] = {}
    for name, _, text in elements:
        given.setdefault(name, text)
    return {
        "title": given.get("title"),
        "author": given.get("creator"),
        "date": given.get("date"),
        "language": given.get("language"),
    }

"""XML as a stream of events: flat memory, no entity expanded, nothing fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from embedsearch.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Start = Callable[[str, Mapping[str, str]], None]
    End = Callable[[str], None]
    Text = Callable[[str], None]

_MAX_DEPTH = 10_000

MAX_LEAF_BYTES = 16 * 2**20
"""What a part may hold that tells no text: properties, relations and styles are far smaller."""

MAX_LEAF_ELEMENTS = 250_000


def parse(data: bytes, *, start: Start, end: End, text: Text) -> None:
    """Feed the handlers elements and attributes by their local names, and the text between.

    An attribute of Office's relationships, which ``id`` may be one of, is named ``r:id``.

    Raises ReadError for XML that is malformed, and for a document type with entities of its own:
    no honest office file has any, and bombs are made of them.
    """
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.ordered_attributes = False
    depth = 0

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise ReadError(f"is nested more than {_MAX_DEPTH} deep")
        start(local(name), {_attribute(key): value for key, value in attributes.items()})

    def on_end(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(local(name))

    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)  # noqa: FBT003 - expat takes no keywords
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise ReadError(f"is not well-formed XML: {error}") from error


def leaves(data: bytes, *names: str) -> list[tuple[str, dict[str, str], str]]:
    """Return the name, the attributes and the own text of the elements so named, as they end.

    Raises ReadError for more data than properties, relations or styles come to.
    """
    if len(data) > MAX_LEAF_BYTES:
        raise ReadError(f"has properties, relations or styles of {len(data) / 2**20:,.0f} MB")
    found: list[tuple[str, dict[str, str], str]] = []
    open_: list[tuple[dict[str, str], list[str]] | None] = []
    count = 0

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal count
        count += 1
        if count > MAX_LEAF_ELEMENTS:
            raise ReadError("has properties, relations or styles without end")
        open_.append((dict(attributes), []) if name in names else None)

    def text(text: str) -> None:
        if open_[-1]:
            open_[-1][1].append(text)

    def end(name: str) -> None:
        if leaf := open_.pop():
            attributes, text = leaf
            found.append((name, attributes, "".join(text)))

    parse(data, start=start, end=end, text=text)
    return found


def local(name: str) -> str:
    """Drop the namespace of a name."""
    return name.rpartition("}")[2]


def _attribute(name: str) -> str:
    namespace, _, name = name.rpartition("}")
    return f"r:{name}" if namespace.endswith("/relationships") else name


def _refuse(*_: object) -> None:
    raise ReadError("declares XML entities, which are not expanded")

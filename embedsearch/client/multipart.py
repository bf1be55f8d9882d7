"""Multipart forms whose files are read while they are sent, never whole."""

from __future__ import annotations

import mimetypes
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of a file: ``size`` bytes from ``start``."""

    path: Path
    start: int
    size: int


Source: TypeAlias = bytes | os.PathLike[str] | Slice | IO[bytes]
Named: TypeAlias = Source | str
File: TypeAlias = Source | tuple[str | None, Named] | tuple[str | None, Named, str | None]
"""A path, bytes, an open binary file; or a tuple of a name, one of these or a text, and a content
type."""

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form: what stands before its bytes, and where they are."""

    head: bytes
    source: bytes | Path | IO[bytes] = field(repr=False)
    start: int
    size: int

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes; a part can be sent again."""
        if isinstance(self.source, bytes):
            yield self.source
        elif isinstance(self.source, Path):
            with self.source.open("rb") as file:
                file.seek(self.start)
                yield from _read(file, self.size)
        else:
            self.source.seek(self.start)
            yield from _read(self.source, self.size)


@dataclass(frozen=True, slots=True)
class Multipart:
    """The body of a ``multipart/form-data`` request."""

    parts: tuple[Part, ...]
    boundary: str

    @classmethod
    def of(cls, fields: list[tuple[str, str]], files: dict[str, Any]) -> Multipart:
        """Make a form; a list of files becomes ``name[]`` repeated."""
        parts = [_field(name, value) for name, value in fields]
        for name, value in files.items():
            if isinstance(value, list):
                parts += [_file(f"{name}[]", one) for one in value]
            elif value is not None:
                parts.append(_file(name, value))
        return cls(tuple(parts), secrets.token_hex(16))

    @property
    def content_type(self) -> str:
        """The header's value."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def size(self) -> int:
        """The length of the whole in bytes."""
        frame = len(self.boundary) + 6
        return sum(frame + len(p.head) + p.size for p in self.parts) + frame

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            yield b"--%s\r\n%s" % (self.boundary.encode(), part.head)
            yield from part.chunks()
            yield b"\r\n"
        yield b"--%s--\r\n" % self.boundary.encode()


def slices(source: bytes | Path, most: int) -> Iterator[bytes | Slice]:
    """Cut a file, or what one would hold, into stretches of at most so many bytes."""
    _, size = _extent(source)
    for start in range(0, size, most):
        if isinstance(source, bytes):
            yield source[start : start + most]
        else:
            yield Slice(source, start, min(most, size - start))


def _field(name: str, value: str) -> Part:
    data = value.encode()
    return Part(
        b'Content-Disposition: form-data; name="%s"\r\n\r\n' % _quoted(name), data, 0, len(data)
    )


def _file(name: str, file: File) -> Part:
    given, source, kind = _unpack(file)
    start, size = _extent(source)
    source = source.path if isinstance(source, Slice) else source
    filename = given or _name(source)
    kind = kind or mimetypes.guess_type(filename)[0] or "application/octet-stream"
    head = b'Content-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: %s\r\n\r\n'
    return Part(head % (_quoted(name), _quoted(filename), kind.encode()), source, start, size)


def _unpack(file: File) -> tuple[str | None, bytes | Path | Slice | IO[bytes], str | None]:
    name, source, kind = (*file, None)[:3] if isinstance(file, tuple) else (None, file, None)
    if isinstance(source, str) and isinstance(file, tuple):  # Alone, it would look like a path.
        source = source.encode()
    if isinstance(source, os.PathLike):
        source = Path(source)
    if isinstance(source, (bytes, Path, Slice)):
        return name, source, kind
    if not hasattr(source, "seekable") or hasattr(source, "encoding"):
        raise TypeError(
            "expected a file as a pathlib.Path, bytes, an open binary file, "
            f"or (name, one of these), got {type(source).__name__}"
        )
    # A request that fails is sent again: what gives its bytes only once is read before.
    return name or _name(source), source if source.seekable() else source.read(), kind


def _extent(source: bytes | Path | Slice | IO[bytes]) -> tuple[int, int]:
    """Where a source's bytes start, and how many there are."""
    if isinstance(source, bytes):
        return 0, len(source)
    if isinstance(source, Slice):
        return source.start, source.size
    if isinstance(source, Path):
        return 0, source.stat().st_size
    start = source.tell()
    size = source.seek(0, os.SEEK_END) - start
    source.seek(start)
    return start, size


def _name(source: bytes | Path | IO[bytes]) -> str:
    name = source if isinstance(source, Path) else getattr(source, "name", None)
    return Path(name).name if isinstance(name, (str, Path)) else "upload"


def _quoted(name: str) -> bytes:
    """Escape a name as browsers do, so that it can't end the header; not all are in UTF-8."""
    escaped = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.encode(errors="replace")


def _read(file: IO[bytes], size: int) -> Iterator[bytes]:
    left = size
    while left:
        chunk = file.read(min(_CHUNK, left))
        if not chunk:
            raise OSError(f"the file shrank while it was sent: {left} bytes are missing")
        left -= len(chunk)
        yield chunk

"""Server-sent events out of a stream of bytes, as the HTML standard has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


LARGEST = 2**28
"""Bytes until an event ends: pictures come as one, but what has none in 256 MB is no stream of
events, whatever comments and empty lines come meanwhile."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event; ``event`` is its name, empty where it has none."""

    data: str
    event: str = ""


class Lines:
    """Turns chunks, cut anywhere, into lines, which end as HTML's standard has it."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._after_cr = False
        self._first = True

    def feed(self, chunk: bytes) -> list[str]:
        """Take a chunk and give the lines that it completes."""
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
        self._rest.append(chunk)
        # A picture comes as one line of megabytes: it is joined once, at its end.
        if b"\n" not in chunk and b"\r" not in chunk:
            return []
        lines = b"".join(self._rest).splitlines(keepends=True)
        self._rest = [] if lines[-1].endswith((b"\n", b"\r")) else [lines.pop()]
        if self._first:
            self._first = False
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        return [line.rstrip(b"\r\n").decode("utf-8", errors="replace") for line in lines]

    @property
    def rest(self) -> str:
        """What came of a line that is not complete."""
        return b"".join(self._rest).decode("utf-8", errors="replace")


class Decoder:
    """Turns chunks, cut anywhere, into events."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest
        self._since = 0
        self._lines = Lines()
        self._event = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """Take a chunk and yield the events it completes; raises ValueError where none ends."""
        self._since += len(chunk)
        for line in self._lines.feed(chunk):
            if line:
                self._take(line)
            elif self._data:
                yield ServerSentEvent("\n".join(self._data), self._event)
                self._data, self._event, self._since = [], "", 0
        if self._since > self._largest:
            raise ValueError(f"no event ends within {self._largest:,} bytes")

    @property
    def rest(self) -> str:
        """What came of an event that is not complete, without the names of its fields."""
        return "\n".join([*self._data, self._lines.rest.removeprefix("data:")]).strip()

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "error":  # llama.cpp says so what others call an event
            self._event = name
            self._data.append(value)

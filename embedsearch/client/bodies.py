"""The body of an answer, held in memory as far as an answer can make sense."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from embedsearch.client.answers import excessive

if TYPE_CHECKING:
    from embedsearch.client.answers import Answer

MOST_OF_AN_ERROR = 2**20
"""Bytes of an answer that is none, as an error or a redirect: the rest tells nothing new."""

ENCODINGS = ("content-encoding", "transfer-encoding")
"""Headers beside which a length is not that of the body."""


class Body:
    """What is read of an answer, at most so many bytes.

    Where its size is known it is put where it stays: joining its chunks takes twice as long.
    """

    def __init__(self, head: Answer, most: int, *, is_here: bool) -> None:
        self._head = head
        self._is_wanted = head.status_code < 300
        self._most = most if self._is_wanted else MOST_OF_AN_ERROR
        size = head.headers.get("content-length", "")
        is_plain = not is_here and not any(name in head.headers for name in ENCODINGS)
        self.is_raw = self._is_wanted and is_plain and size.isdecimal()
        """Whether it comes as it is, and its size is known."""
        if self.is_raw and int(size) > most:
            raise excessive(head, most)
        self._whole = bytearray(int(size) if self.is_raw else 0)
        self._chunks: list[bytes] = []
        self._filled = 0

    def add(self, chunk: bytes) -> bool:
        """Add what came, and tell whether more is wanted; raises InvalidAnswer for too much."""
        end = self._filled + len(chunk)
        if self.is_raw:  # The transport sees to it that it is no more than was announced.
            self._whole[self._filled : end] = chunk
        elif end > self._most and self._is_wanted:
            raise excessive(self._head, self._most)
        else:
            self._chunks.append(chunk)
        self._filled = end
        return self.is_raw or end < self._most

    @property
    def answer(self) -> Answer:
        """The answer with its body."""
        return replace(self._head, content=self._whole if self.is_raw else b"".join(self._chunks))

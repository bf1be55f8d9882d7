"""Vectors from the bytes of an answer: decoded as what they are, checked, and put in order."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

import msgspec
import numpy as np
import pybase64

from embedsearch.client.answers import garbled, spoiled
from embedsearch.errors import InvalidAnswer
from embedsearch.tokens import bills

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedsearch.client.answers import Answer

    Vectors: TypeAlias = NDArray[np.float32]

E = TypeVar("E", bound=InvalidAnswer)

FLOAT = np.dtype("<f4")
QUOTE = ord('"')


class Read(NamedTuple):
    """Vectors (n, d) in the order of their inputs, the tokens billed, and the flaws of some."""

    vectors: Vectors
    tokens: int
    bad: dict[int, str]


class Cut(InvalidAnswer):
    """An answer about the first ``count`` inputs: some servers take no more, and don't say."""

    count: int = 0


class _Item(msgspec.Struct):
    embedding: msgspec.Raw
    index: int | None = 0
    """Some writers leave out what is zero; that of each item is another, so it can't be a guess."""


class _Bill(msgspec.Struct):
    usage: msgspec.Raw = msgspec.Raw(b"null")
    """Of any form: vectors are not refused for what is said beside them."""


class _Reply(_Bill, kw_only=True):
    data: list[_Item]


_REPLY = msgspec.json.Decoder(_Reply)
_BILL = msgspec.json.Decoder(_Bill)
_FLOATS = msgspec.json.Decoder(list[float])
_TEXT = msgspec.json.Decoder(str)


def read(answer: Answer, count: int) -> Read:
    """Read an answer about ``count`` inputs; a vector that is zero or not finite is a bad one.

    Raises InvalidAnswer where one is missing or given twice, where they differ in length, or where
    all are bad.
    """
    try:
        reply = _REPLY.decode(answer.content)
    except msgspec.DecodeError as error:
        raise _priced(garbled(answer, str(error), answer.text), answer) from error
    try:
        with np.errstate(over="ignore"):  # What float32 can't hold is infinite, so a bad vector.
            vectors = _placed(reply.data, count, answer)
    except (msgspec.DecodeError, ValueError) as error:
        raise _invalid(InvalidAnswer, answer, str(error)) from error
    bad = _bad(vectors)
    if len(bad) == count:
        raise _invalid(InvalidAnswer, answer, bad[0])
    return Read(vectors, _billed(reply.usage), bad)


def _billed(usage: msgspec.Raw) -> int:
    """Return the tokens billed, 0 where it is not said or can't be true."""
    facts = None
    with suppress(msgspec.DecodeError):  # as of 1e400, which no float holds
        facts = msgspec.json.decode(usage)
    if not isinstance(facts, dict):
        return 0
    counts = (bills.count(facts.get(name)) for name in ("prompt_tokens", "total_tokens"))
    return next((count for count in counts if count), 0)


def _invalid(kind: type[E], answer: Answer, why: str) -> E:
    return _priced(spoiled(kind, answer, why), answer)


def _priced(error: E, answer: Answer) -> E:
    """Add to an error what the answer cost all the same."""
    with suppress(msgspec.DecodeError):
        error.tokens = _billed(_BILL.decode(answer.content).usage)
    return error


def _placed(items: list[_Item], count: int, answer: Answer) -> Vectors:
    indices = [item.index or 0 for item in items]
    if sorted(indices) != list(range(count)):
        raise _misplaced(answer, indices, count)
    first = _decoded(items[0].embedding)
    vectors = np.empty((count, len(first)), dtype=np.float32)
    for index, item in zip(indices, items, strict=True):
        row = _decoded(item.embedding)
        if row.shape != first.shape:
            raise _invalid(
                InvalidAnswer, answer, f"vectors of {len(first)} and of {len(row)} dimensions"
            )
        vectors[index] = row
    return vectors


def _misplaced(answer: Answer, indices: list[int], count: int) -> InvalidAnswer:
    came = len(indices)
    if came == count:
        missing = min(set(range(count)) - set(indices))
        why = f"no vector for input {missing}, another one twice or out of range"
        return _invalid(InvalidAnswer, answer, why)
    why = f"expected {count} vectors, got {came}"
    if not 0 < came < count or sorted(indices) != list(range(came)):
        return _invalid(InvalidAnswer, answer, why)
    error = _invalid(Cut, answer, why)
    error.count = came
    return error


def _decoded(raw: msgspec.Raw) -> Vectors:
    """Decode base64 or a list of numbers, by what came and not by what was asked for."""
    value = memoryview(raw)
    if value[0] != QUOTE:
        return np.array(_FLOATS.decode(raw), dtype=np.float32)
    # Base64 needs no escapes, but some writers escape slashes.
    encoded = _TEXT.decode(raw) if b"\\" in bytes(value) else value[1:-1]
    return np.frombuffer(pybase64.b64decode(encoded, validate=True), dtype=FLOAT)


def _bad(vectors: Vectors) -> dict[int, str]:
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.vecdot(vectors, vectors)
    return {
        int(n): f"the vector of input {n} is {'zero' if lengths[n] == 0 else 'not finite'}"
        for n in np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
    }

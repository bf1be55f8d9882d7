"""Vectors from the bytes of an answer: decoded as what they are, checked, and put in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np
import pybase64

from embedsearch.errors import DimensionMismatch, InvalidAnswer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from embedsearch.client.answers import Answer

    Vectors: TypeAlias = NDArray[np.float32]

FLOAT = np.dtype("<f4")
QUOTE = ord('"')


class _Item(msgspec.Struct):
    index: int
    embedding: msgspec.Raw


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    total_tokens: int = 0


class _Reply(msgspec.Struct):
    data: list[_Item]
    usage: _Usage | None = None


_REPLY = msgspec.json.Decoder(_Reply)
_FLOATS = msgspec.json.Decoder(list[float])
_TEXT = msgspec.json.Decoder(str)


def read(answer: Answer, count: int, dimensions: int | None) -> tuple[Vectors, int]:
    """Return ``count`` vectors in the order of their inputs, and the tokens that were billed.

    Raises InvalidAnswer where one is missing, given twice, zero or not finite, and
    DimensionMismatch where they have another length than was asked for.
    """
    try:
        reply = _REPLY.decode(answer.content)
        vectors = _placed(reply.data, count, answer)
    except (msgspec.DecodeError, ValueError) as error:
        if isinstance(error, DimensionMismatch):
            raise
        raise invalid(answer, str(error)) from error
    _check(vectors, answer)
    if dimensions is not None and vectors.shape[1] != dimensions:
        raise DimensionMismatch(
            f"asked for vectors of {dimensions} dimensions, got {vectors.shape[1]}",
            hint="the server or the model has no choice of dimensions: ask for none",
        )
    usage = reply.usage or _Usage()
    return vectors, usage.prompt_tokens or usage.total_tokens


def invalid(answer: Answer, why: str) -> InvalidAnswer:
    """Say what is wrong with an answer that claims to be right."""
    return InvalidAnswer(
        f"the answer is not what was asked for: {why}",
        status_code=answer.status_code,
        headers=answer.headers,
    )


def _placed(items: list[_Item], count: int, answer: Answer) -> Vectors:
    indices = [item.index for item in items]
    if sorted(indices) != list(range(count)):
        raise invalid(answer, _misplaced(indices, count))
    first = _decoded(items[0].embedding)
    vectors = np.empty((count, len(first)), dtype=np.float32)
    for item in items:
        row = _decoded(item.embedding)
        if row.shape != first.shape:
            raise invalid(answer, f"vectors of {len(first)} and of {len(row)} dimensions")
        vectors[item.index] = row
    return vectors


def _misplaced(indices: list[int], count: int) -> str:
    if len(indices) != count:
        return f"expected {count} vectors, got {len(indices)}"
    missing = sorted(set(range(count)) - set(indices))
    return f"no vector for input {missing[0]}, another one twice or out of range"


def _decoded(raw: msgspec.Raw) -> Vectors:
    """Decode base64 or a list of numbers, by what came and not by what was asked for."""
    value = memoryview(raw)
    if value[0] != QUOTE:
        return np.array(_FLOATS.decode(raw), dtype=np.float32)
    # Base64 needs no escapes, but some writers escape slashes.
    encoded = _TEXT.decode(raw) if b"\\" in bytes(value) else value[1:-1]
    return np.frombuffer(pybase64.b64decode(encoded, validate=True), dtype=FLOAT)


def _check(vectors: Vectors, answer: Answer) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.vecdot(vectors, vectors)
    bad = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
    if len(bad):
        what = "zero" if lengths[bad[0]] == 0 else "not finite"
        raise invalid(answer, f"the vector of input {bad[0]} is {what}")

"""``/embeddings``."""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from sys import byteorder
from typing import Any, Literal, Required, Unpack

import pybase64

from embedsearch.client.answers import Answer, decode, garbled, record
from embedsearch.client.calls import Call, Options, post
from embedsearch.client.job import Count, Job
from embedsearch.client.resource import M, Resource, endpoint
from embedsearch.client.running import embedding_array, embedding_stream
from embedsearch.client.stopping import Stop
from embedsearch.client.types.embeddings import CreateEmbeddingResponse
from embedsearch.errors import InputRefused


class EmbeddingParams(Options, total=False):
    """The arguments of `Embeddings.create`."""

    input: Required[str | Sequence[str] | Iterable[int] | Iterable[Iterable[int]]]
    model: Required[str]
    dimensions: int
    encoding_format: Literal["float", "base64"]
    user: str


class ArrayParams(Options, total=False):
    """The arguments of `Embeddings.create_array`."""

    model: Required[str]
    dimensions: int | None
    user: str
    batch_size: int
    """Inputs of a request, where it should be fewer than the 2,048 that OpenAI takes."""
    concurrency: int
    """Requests in flight."""
    count: Count
    """Gives the exact tokens of texts; without it those of OpenAI's models are counted."""
    label: Callable[[int], str]
    """Names the text at a position where it is refused."""


class ManyParams(ArrayParams, total=False):
    """The arguments of `Embeddings.create_many`."""

    on_refused: Callable[[InputRefused], None]
    """Is told of a text that can't be embedded, and the rest goes on; else that is raised."""
    stop: Stop
    """Ends the run when it is set: nothing new is sent, and what is in flight is still given."""


class Embeddings(Resource[M]):
    """Vectors for texts."""

    @endpoint
    def create(self, **params: Unpack[EmbeddingParams]) -> Call[CreateEmbeddingResponse]:
        """Embed texts or tokens, at most 2,048 inputs and 300,000 tokens a request.

        Asks for base64 where no format is given, as floats written out are slow to read, and gives
        lists of floats whichever came.
        """
        body = {"encoding_format": "base64", **params}
        return post("/embeddings", vectors, body, guard="inputs")

    @embedding_array
    def create_array(self, texts: Iterable[str], **params: Unpack[ArrayParams]) -> Job:
        """Embed any number of texts: float32 of shape (n, d), in their order.

        For no texts nothing is sent: the shape is (0, dimensions), (0, 0) where none are asked for.

        Raises InputRefused for the text that the server can't embed, InvalidAnswer for an answer
        that can't be right, DimensionMismatch for vectors of another length than asked for.
        """
        return _job(texts, params)

    @embedding_stream
    def create_many(self, texts: Iterable[str], **params: Unpack[ManyParams]) -> Job:
        """Embed a stream of texts, and yield (positions, vectors, tokens) as requests finish.

        Reads no further ahead than there are requests in flight. Closing the iterator cancels,
        and drops what is in flight, which is billed; ``stop`` waits for it.
        """
        return _job(texts, params)


_OWN = {"model", "dimensions", "batch_size", "concurrency", "count", "label", "on_refused", "stop"}


def _job(texts: Iterable[str], params: Mapping[str, Any]) -> Job:
    own = {name: value for name, value in params.items() if name in _OWN}
    rest = {name: value for name, value in params.items() if name not in _OWN}
    return Job(texts=texts, params=rest, **own)


def vectors(answer: Answer) -> CreateEmbeddingResponse:
    """Read an answer whose vectors may be base64."""
    came = decode(answer)
    items = came.get("data") if isinstance(came, dict) else None
    try:
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and isinstance(item.get("embedding"), str):
                item["embedding"] = floats(item["embedding"])
    except ValueError as error:
        raise garbled(answer, f"no vector as base64: {error}", answer.text) from error
    return record(CreateEmbeddingResponse, came, answer)


def floats(encoded: str) -> list[float]:
    """Decode base64 of little-endian float32."""
    values = array("f")
    values.frombytes(pybase64.b64decode(encoded))
    if byteorder == "big":
        values.byteswap()
    return values.tolist()

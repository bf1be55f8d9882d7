"""``/embeddings``."""

from array import array
from collections.abc import Iterable, Sequence
from sys import byteorder
from typing import Literal, Required, Unpack

import pybase64

from embedsearch.client.answers import Answer, decode, record
from embedsearch.client.calls import Call, Options, post
from embedsearch.client.resource import M, Resource, endpoint
from embedsearch.client.types.embeddings import CreateEmbeddingResponse


class EmbeddingParams(Options, total=False):
    """The arguments of `Embeddings.create`."""

    input: Required[str | Sequence[str] | Iterable[int] | Iterable[Iterable[int]]]
    model: Required[str]
    dimensions: int
    encoding_format: Literal["float", "base64"]
    user: str


class Embeddings(Resource[M]):
    """Vectors for texts."""

    @endpoint
    def create(self, **params: Unpack[EmbeddingParams]) -> Call[CreateEmbeddingResponse]:
        """Embed texts or tokens, at most 2,048 inputs and 300,000 tokens a request.

        Asks for base64 where no format is given, as floats written out are slow to read, and gives
        lists of floats whichever came.
        """
        return post("/embeddings", vectors, {"encoding_format": "base64", **params})


def vectors(answer: Answer) -> CreateEmbeddingResponse:
    """Read an answer whose vectors may be base64."""
    came = decode(answer)
    items = came.get("data") if isinstance(came, dict) else None
    for item in items or ():
        if isinstance(item, dict) and isinstance(item.get("embedding"), str):
            item["embedding"] = floats(item["embedding"])
    return record(CreateEmbeddingResponse, came, answer)


def floats(encoded: str) -> list[float]:
    """Decode base64 of little-endian float32."""
    values = array("f")
    values.frombytes(pybase64.b64decode(encoded))
    if byteorder == "big":
        values.byteswap()
    return values.tolist()

"""Embeddings as records; `create_array` gives them as numpy does."""

from embedsearch.client.types.record import Record


class EmbeddingUsage(Record):
    """What an embedding request was billed for, in tokens."""

    prompt_tokens: int = 0
    total_tokens: int = 0


class Embedding(Record):
    """The vector of the input at ``index``."""

    embedding: list[float]
    index: int = 0
    object: str = "embedding"


class CreateEmbeddingResponse(Record):
    """A vector for each input, in the server's order."""

    data: list[Embedding]
    model: str = ""
    object: str = "list"
    usage: EmbeddingUsage | None = None

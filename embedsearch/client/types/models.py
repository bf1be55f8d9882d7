"""The models that a server offers."""

from embedsearch.client.types.record import Record


class Model(Record):
    """A model that the API offers; ``created`` is in Unix seconds."""

    id: str
    created: int = 0
    object: str = "model"
    owned_by: str = ""


class Deleted(Record):
    """The answer to a deletion."""

    id: str
    deleted: bool
    object: str = ""

"""``/moderations``."""

from collections.abc import Sequence
from typing import Required, Unpack

from embedsearch.client.calls import Call, Json, Options, post
from embedsearch.client.resource import M, Resource, endpoint
from embedsearch.client.types.moderations import ModerationCreateResponse


class ModerationParams(Options, total=False):
    """The arguments of `Moderations.create`."""

    input: Required[str | Sequence[str] | Sequence[Json]]
    model: str


class Moderations(Resource[M]):
    """Whether texts and pictures may do harm."""

    @endpoint
    def create(self, **body: Unpack[ModerationParams]) -> Call[ModerationCreateResponse]:
        """Judge the inputs."""
        return post("/moderations", ModerationCreateResponse, body)

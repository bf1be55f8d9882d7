"""``/models``."""

from typing import Unpack

from embedsearch.client.calls import Call, Options, delete, get, segment
from embedsearch.client.resource import M, Resource, endpoint, listing
from embedsearch.client.types.models import Deleted, Model


class Models(Resource[M]):
    """The models that the server offers."""

    @listing
    def list(self, **options: Unpack[Options]) -> Call[Model]:
        """List them all."""
        return get("/models", Model, options)

    @endpoint
    def retrieve(self, model: str, **options: Unpack[Options]) -> Call[Model]:
        """Describe one."""
        return get(f"/models/{segment(model)}", Model, options)

    @endpoint
    def delete(self, model: str, **options: Unpack[Options]) -> Call[Deleted]:
        """Delete a model that was fine-tuned."""
        return delete(f"/models/{segment(model)}", Deleted, options)

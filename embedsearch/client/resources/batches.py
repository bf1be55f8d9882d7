"""``/batches``."""

from collections.abc import Mapping
from typing import Literal, Required, Unpack

from embedsearch.client.calls import Call, Json, Options, Paging, get, post, segment
from embedsearch.client.resource import M, Resource, endpoint, listing
from embedsearch.client.types.files import Batch


class BatchParams(Options, total=False):
    """The arguments of `Batches.create`; ``endpoint`` as in ``/v1/embeddings``."""

    completion_window: Required[Literal["24h"]]
    endpoint: Required[str]
    input_file_id: Required[str]
    metadata: Mapping[str, str] | None
    output_expires_after: Json


class Batches(Resource[M]):
    """Requests in a file, answered within a day at half the price."""

    @endpoint
    def create(self, **body: Unpack[BatchParams]) -> Call[Batch]:
        """Hand one in: at most 50,000 requests in 200 MB."""
        return post("/batches", Batch, body)

    @listing
    def list(self, **query: Unpack[Paging]) -> Call[Batch]:
        """List them all."""
        return get("/batches", Batch, query)

    @endpoint
    def retrieve(self, batch_id: str, **options: Unpack[Options]) -> Call[Batch]:
        """Tell how far one is."""
        return get(f"/batches/{segment(batch_id)}", Batch, options)

    @endpoint
    def cancel(self, batch_id: str, **options: Unpack[Options]) -> Call[Batch]:
        """Stop one; what is done stays done."""
        return post(f"/batches/{segment(batch_id)}/cancel", Batch, options)

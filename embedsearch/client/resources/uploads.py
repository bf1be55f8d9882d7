"""``/uploads``."""

from collections.abc import Sequence
from typing import Literal, Required, Unpack

from embedsearch.client.calls import Call, Json, Options, post, segment
from embedsearch.client.multipart import File
from embedsearch.client.resource import M, Resource, endpoint
from embedsearch.client.types.files import Upload, UploadPart


class UploadParams(Options, total=False):
    """The arguments of `Uploads.create`; ``bytes`` is the size of the whole."""

    bytes: Required[int]
    filename: Required[str]
    mime_type: Required[str]
    purpose: Required[Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]]
    expires_after: Json


class CompleteParams(Options, total=False):
    """The arguments of `Uploads.complete`; the parts in their order."""

    part_ids: Required[Sequence[str]]
    md5: str


class PartParams(Options, total=False):
    """The arguments of `Parts.create`."""

    data: Required[File]


class Parts(Resource[M]):
    """The parts of an upload."""

    @endpoint
    def create(self, upload_id: str, **body: Unpack[PartParams]) -> Call[UploadPart]:
        """Send a part of at most 64 MB."""
        return post(f"{_path(upload_id)}/parts", UploadPart, body, files=("data",))


class Uploads(Resource[M]):
    """Files of at most 8 GB, in parts."""

    def __init__(self, driver: M) -> None:
        super().__init__(driver)
        self.parts: Parts[M] = Parts(driver)

    @endpoint
    def create(self, **body: Unpack[UploadParams]) -> Call[Upload]:
        """Begin one."""
        return post("/uploads", Upload, body)

    @endpoint
    def complete(self, upload_id: str, **body: Unpack[CompleteParams]) -> Call[Upload]:
        """Make a file of the parts."""
        return post(f"{_path(upload_id)}/complete", Upload, body)

    @endpoint
    def cancel(self, upload_id: str, **options: Unpack[Options]) -> Call[Upload]:
        """Give one up."""
        return post(f"{_path(upload_id)}/cancel", Upload, options)


def _path(upload_id: str) -> str:
    return f"/uploads/{segment(upload_id)}"

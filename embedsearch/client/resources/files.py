"""``/files``."""

from typing import Literal, Required, Unpack

from embedsearch.client.answers import Binary, text
from embedsearch.client.calls import Call, Json, Options, Paging, delete, get, post, segment
from embedsearch.client.multipart import File
from embedsearch.client.polling import Steps, poll
from embedsearch.client.procedures import procedure
from embedsearch.client.resource import M, Resource, endpoint, listing
from embedsearch.client.types.files import FileObject
from embedsearch.client.types.models import Deleted

Purpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]


BUSY = frozenset({"uploaded", "pending", "running"})
"""The statuses of a file that is not done."""


class FileParams(Options, total=False):
    """The arguments of `Files.create`."""

    file: Required[File]
    purpose: Required[Purpose]
    expires_after: Json


class FileListParams(Paging, total=False):
    """The arguments of `Files.list`."""

    purpose: str


class Files(Resource[M]):
    """Files for batches, fine-tuning and prompts."""

    @endpoint
    def create(self, **body: Unpack[FileParams]) -> Call[FileObject]:
        """Upload a file of at most 512 MB; a path is read while it is sent."""
        return post("/files", FileObject, body, files=("file",))

    @listing
    def list(self, **query: Unpack[FileListParams]) -> Call[FileObject]:
        """List them all."""
        return get("/files", FileObject, query)

    @endpoint
    def retrieve(self, file_id: str, **options: Unpack[Options]) -> Call[FileObject]:
        """Describe one."""
        return get(f"/files/{segment(file_id)}", FileObject, options)

    @endpoint
    def delete(self, file_id: str, **options: Unpack[Options]) -> Call[Deleted]:
        """Delete one."""
        return delete(f"/files/{segment(file_id)}", Deleted, options)

    @procedure
    def wait_for_processing(
        self,
        id: str,
        *,
        poll_interval: float = 5.0,
        max_wait_seconds: float = 1800.0,
        **options: Unpack[Options],
    ) -> Steps[FileObject]:
        """Wait until one is processed; it may have failed. Raises TimedOut after half an hour."""
        call = get(f"/files/{segment(id)}", FileObject, options)
        wait = {"poll_interval_ms": 1000 * poll_interval, "max_wait_seconds": max_wait_seconds}
        return (yield from poll(call, wait, BUSY))

    @endpoint
    def content(self, file_id: str, **options: Unpack[Options]) -> Call[Binary]:
        """Download one."""
        headers = {"accept": "application/binary"}
        return get(f"/files/{segment(file_id)}/content", Binary, options, headers=headers)

    @endpoint
    def retrieve_content(self, file_id: str, **options: Unpack[Options]) -> Call[str]:
        """Download one that is text."""
        return get(f"/files/{segment(file_id)}/content", text, options)

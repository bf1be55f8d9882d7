"""``/vector_stores``."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Required, Unpack, cast

from embedsearch.client.calls import Call, Json, Options, Paging, delete, get, post, segment
from embedsearch.client.multipart import File
from embedsearch.client.polling import PollParams, Steps, options, own, poll
from embedsearch.client.procedures import procedure
from embedsearch.client.resource import M, Resource, endpoint, listing
from embedsearch.client.types.files import FileObject
from embedsearch.client.types.models import Deleted
from embedsearch.client.types.vector_stores import (
    VectorStore,
    VectorStoreContent,
    VectorStoreFile,
    VectorStoreFileBatch,
    VectorStoreSearchResult,
)

Status = Literal["in_progress", "completed", "failed", "cancelled"]
Attributes = Mapping[str, str | float | bool]


class StoreParams(Options, total=False):
    """The arguments of `VectorStores.create`."""

    chunking_strategy: Json
    description: str
    expires_after: Json
    file_ids: Sequence[str]
    metadata: Mapping[str, str] | None
    name: str


class UpdateParams(Options, total=False):
    """The arguments of `VectorStores.update`."""

    expires_after: Json | None
    metadata: Mapping[str, str] | None
    name: str | None


class SearchParams(Options, total=False):
    """The arguments of `VectorStores.search`."""

    query: Required[str | Sequence[str]]
    filters: Json
    max_num_results: int
    ranking_options: Json
    rewrite_query: bool


class BackwardPaging(Paging, total=False):
    """Paging that goes backward too."""

    before: str


class StoreUploadParams(Options, total=False):
    """The arguments of `Files.upload`."""

    attributes: Attributes | None
    chunking_strategy: Json


class AttachParams(StoreUploadParams, PollParams, total=False):
    """The arguments of `Files.create_and_poll` and its like."""


class AddFileParams(StoreUploadParams, total=False):
    """The arguments of `Files.create`."""

    file_id: Required[str]


class UpdateFileParams(Options, total=False):
    """The arguments of `Files.update`."""

    attributes: Required[Attributes | None]


class FileListParams(BackwardPaging, total=False):
    """The arguments of `Files.list`."""

    filter: Status


class AddBatchParams(Options, total=False):
    """The arguments of `FileBatches.create`: ids, or files with attributes of their own."""

    attributes: Attributes | None
    chunking_strategy: Json
    file_ids: Sequence[str]
    files: Sequence[Json]


class AttachBatchParams(AddBatchParams, PollParams, total=False):
    """The arguments of `FileBatches.create_and_poll`."""


class UploadBatchParams(PollParams, total=False):
    """The arguments of `FileBatches.upload_and_poll`."""

    files: Required[Sequence[File]]
    file_ids: Sequence[str]
    chunking_strategy: Json


class Files(Resource[M]):
    """The files of a store."""

    @endpoint
    def create(self, vector_store_id: str, **body: Unpack[AddFileParams]) -> Call[VectorStoreFile]:
        """Add one that was uploaded."""
        path = f"{_store(vector_store_id)}/files"
        return post(path, VectorStoreFile, body, headers=_BETA)

    @listing
    def list(self, vector_store_id: str, **query: Unpack[FileListParams]) -> Call[VectorStoreFile]:
        """List them all."""
        return get(f"{_store(vector_store_id)}/files", VectorStoreFile, query, headers=_BETA)

    @endpoint
    def retrieve(
        self, file_id: str, *, vector_store_id: str, **options: Unpack[Options]
    ) -> Call[VectorStoreFile]:
        """Tell how far one is."""
        return get(_file(vector_store_id, file_id), VectorStoreFile, options, headers=_BETA)

    @endpoint
    def update(
        self, file_id: str, *, vector_store_id: str, **body: Unpack[UpdateFileParams]
    ) -> Call[VectorStoreFile]:
        """Change the attributes that searches filter by."""
        return post(_file(vector_store_id, file_id), VectorStoreFile, body, headers=_BETA)

    @endpoint
    def delete(
        self, file_id: str, *, vector_store_id: str, **options: Unpack[Options]
    ) -> Call[Deleted]:
        """Take one out of the store; the file itself stays."""
        return delete(_file(vector_store_id, file_id), Deleted, options, headers=_BETA)

    @listing
    def content(
        self, file_id: str, *, vector_store_id: str, **options: Unpack[Options]
    ) -> Call[VectorStoreContent]:
        """List the passages of one."""
        path = f"{_file(vector_store_id, file_id)}/content"
        return get(path, VectorStoreContent, options, headers=_BETA)

    @procedure
    def poll(
        self, file_id: str, *, vector_store_id: str, **params: Unpack[PollParams]
    ) -> Steps[VectorStoreFile]:
        """Wait until one is ready to be searched; it may have failed: its status tells."""
        return (yield from _file_done(vector_store_id, file_id, params))

    @procedure
    def create_and_poll(
        self, file_id: str, *, vector_store_id: str, **params: Unpack[AttachParams]
    ) -> Steps[VectorStoreFile]:
        """Add one that was uploaded, and wait until it is ready."""
        return (yield from _file_added(vector_store_id, file_id, params))

    @procedure
    def upload(
        self, *, vector_store_id: str, file: File, **params: Unpack[StoreUploadParams]
    ) -> Steps[VectorStoreFile]:
        """Upload one and add it."""
        sent = yield _upload(file, params)
        body = {"file_id": sent.id, **params}
        path = f"{_store(vector_store_id)}/files"
        added = yield post(path, VectorStoreFile, body, headers=_BETA)
        return cast("VectorStoreFile", added)

    @procedure
    def upload_and_poll(
        self, *, vector_store_id: str, file: File, **params: Unpack[AttachParams]
    ) -> Steps[VectorStoreFile]:
        """Upload one, add it, and wait until it is ready."""
        sent = yield _upload(file, params)
        return (yield from _file_added(vector_store_id, sent.id, params))


class FileBatches(Resource[M]):
    """Many files at once."""

    @endpoint
    def create(
        self, vector_store_id: str, **body: Unpack[AddBatchParams]
    ) -> Call[VectorStoreFileBatch]:
        """Add files that were uploaded."""
        path = f"{_store(vector_store_id)}/file_batches"
        return post(path, VectorStoreFileBatch, body, headers=_BETA)

    @endpoint
    def retrieve(
        self, batch_id: str, *, vector_store_id: str, **options: Unpack[Options]
    ) -> Call[VectorStoreFileBatch]:
        """Tell how far they are."""
        path = _batch(vector_store_id, batch_id)
        return get(path, VectorStoreFileBatch, options, headers=_BETA)

    @endpoint
    def cancel(
        self, batch_id: str, *, vector_store_id: str, **options: Unpack[Options]
    ) -> Call[VectorStoreFileBatch]:
        """Stop; what is done stays done."""
        path = f"{_batch(vector_store_id, batch_id)}/cancel"
        return post(path, VectorStoreFileBatch, options, headers=_BETA)

    @listing
    def list_files(
        self, batch_id: str, *, vector_store_id: str, **query: Unpack[FileListParams]
    ) -> Call[VectorStoreFile]:
        """List the files of a batch."""
        path = f"{_batch(vector_store_id, batch_id)}/files"
        return get(path, VectorStoreFile, query, headers=_BETA)

    @procedure
    def poll(
        self, batch_id: str, *, vector_store_id: str, **params: Unpack[PollParams]
    ) -> Steps[VectorStoreFileBatch]:
        """Wait until all are done; some may have failed: ``file_counts`` tells."""
        return (yield from _batch_done(vector_store_id, batch_id, params))

    @procedure
    def create_and_poll(
        self, vector_store_id: str, **params: Unpack[AttachBatchParams]
    ) -> Steps[VectorStoreFileBatch]:
        """Add files that were uploaded, and wait until all are done."""
        return (yield from _batch_added(vector_store_id, params))

    @procedure
    def upload_and_poll(
        self, vector_store_id: str, **params: Unpack[UploadBatchParams]
    ) -> Steps[VectorStoreFileBatch]:
        """Upload files, one after the other, add them, and wait until all are done."""
        ids = list(params.get("file_ids") or ())
        for file in params["files"]:
            sent = yield _upload(file, params)
            ids.append(sent.id)
        rest = {name: value for name, value in params.items() if name != "files"}
        return (yield from _batch_added(vector_store_id, {**rest, "file_ids": ids}))


class VectorStores(Resource[M]):
    """Files that the provider cuts, embeds and searches."""

    def __init__(self, driver: M) -> None:
        super().__init__(driver)
        self.files: Files[M] = Files(driver)
        self.file_batches: FileBatches[M] = FileBatches(driver)

    @endpoint
    def create(self, **body: Unpack[StoreParams]) -> Call[VectorStore]:
        """Make one."""
        return post(_STORES, VectorStore, body, headers=_BETA)

    @listing
    def list(self, **query: Unpack[BackwardPaging]) -> Call[VectorStore]:
        """List them all."""
        return get(_STORES, VectorStore, query, headers=_BETA)

    @endpoint
    def retrieve(self, vector_store_id: str, **options: Unpack[Options]) -> Call[VectorStore]:
        """Describe one."""
        return get(_store(vector_store_id), VectorStore, options, headers=_BETA)

    @endpoint
    def update(self, vector_store_id: str, **body: Unpack[UpdateParams]) -> Call[VectorStore]:
        """Change its name, metadata or expiry."""
        return post(_store(vector_store_id), VectorStore, body, headers=_BETA)

    @endpoint
    def delete(self, vector_store_id: str, **options: Unpack[Options]) -> Call[Deleted]:
        """Delete one; the files stay."""
        return delete(_store(vector_store_id), Deleted, options, headers=_BETA)

    @listing
    def search(
        self, vector_store_id: str, **body: Unpack[SearchParams]
    ) -> Call[VectorStoreSearchResult]:
        """Search for passages."""
        path = f"{_store(vector_store_id)}/search"
        return post(path, VectorStoreSearchResult, body, headers=_BETA)


_STORES = "/vector_stores"
_BETA = {"openai-beta": "assistants=v2"}
"""The official SDK sends this with every request to a store."""


_BUSY = frozenset({"in_progress"})


def _upload(file: File, params: Mapping[str, Any]) -> Call[FileObject]:
    body = {"file": file, "purpose": "assistants", **options(params)}
    return post("/files", FileObject, body, files=("file",))


def _file_added(store: str, file_id: str, params: Mapping[str, Any]) -> Steps[VectorStoreFile]:
    body = {"file_id": file_id, **own(params)}
    yield post(f"{_store(store)}/files", VectorStoreFile, body, headers=_BETA)
    return (yield from _file_done(store, file_id, params))


def _file_done(store: str, file_id: str, params: Mapping[str, Any]) -> Steps[VectorStoreFile]:
    call = get(_file(store, file_id), VectorStoreFile, options(params), headers=_BETA)
    return (yield from poll(call, params, _BUSY))


def _batch_added(store: str, params: Mapping[str, Any]) -> Steps[VectorStoreFileBatch]:
    path = f"{_store(store)}/file_batches"
    added = yield post(path, VectorStoreFileBatch, own(params), headers=_BETA)
    return (yield from _batch_done(store, added.id, params))


def _batch_done(
    store: str, batch_id: str, params: Mapping[str, Any]
) -> Steps[VectorStoreFileBatch]:
    call = get(_batch(store, batch_id), VectorStoreFileBatch, options(params), headers=_BETA)
    return (yield from poll(call, params, _BUSY))


def _store(vector_store_id: str) -> str:
    return f"{_STORES}/{segment(vector_store_id)}"


def _file(vector_store_id: str, file_id: str) -> str:
    return f"{_store(vector_store_id)}/files/{segment(file_id)}"


def _batch(vector_store_id: str, batch_id: str) -> str:
    return f"{_store(vector_store_id)}/file_batches/{segment(batch_id)}"

"""Vector stores that the provider keeps."""

from typing import Any

from embedsearch.client.types.record import Object, Record


class FileCounts(Record):
    """How far a store's files are."""

    in_progress: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    total: int = 0


class ExpiresAfter(Record):
    """When a store expires."""

    anchor: str
    days: int


class VectorStore(Record):
    """A store of files to be searched; times are in Unix seconds."""

    id: str
    created_at: int = 0
    name: str = ""
    object: str = "vector_store"
    status: str = ""
    usage_bytes: int = 0
    file_counts: FileCounts | None = None
    expires_after: ExpiresAfter | None = None
    expires_at: int | None = None
    last_active_at: int | None = None
    metadata: dict[str, str] | None = None


class FileError(Record):
    """Why a file is not in the store."""

    code: str
    message: str


class VectorStoreFile(Record):
    """A file in a store."""

    id: str
    created_at: int = 0
    object: str = "vector_store.file"
    status: str = ""
    usage_bytes: int = 0
    vector_store_id: str = ""
    attributes: dict[str, Any] | None = None
    chunking_strategy: Object | None = None
    last_error: FileError | None = None


class VectorStoreFileBatch(Record):
    """Files on their way into a store."""

    id: str
    created_at: int = 0
    object: str = "vector_store.files_batch"
    status: str = ""
    vector_store_id: str = ""
    file_counts: FileCounts | None = None


class VectorStoreContent(Record):
    """A passage of a file."""

    type: str
    text: str | None = None


class VectorStoreSearchResult(Record):
    """A file that a search found, best first."""

    file_id: str
    filename: str = ""
    score: float = 0
    attributes: dict[str, Any] | None = None
    content: list[VectorStoreContent] | None = None

"""Files, uploads in parts, and batches."""

from embedsearch.client.types.record import Object, Record


class FileObject(Record):
    """A file that was uploaded; times are in Unix seconds."""

    id: str
    bytes: int = 0
    created_at: int = 0
    filename: str = ""
    object: str = "file"
    purpose: str = ""
    status: str | None = None
    status_details: str | None = None
    expires_at: int | None = None


class Upload(Record):
    """An upload in parts; ``file`` is there once it is complete."""

    id: str
    bytes: int = 0
    created_at: int = 0
    expires_at: int = 0
    filename: str = ""
    object: str = "upload"
    purpose: str = ""
    status: str = ""
    file: FileObject | None = None


class UploadPart(Record):
    """A part of an upload."""

    id: str
    created_at: int = 0
    object: str = "upload.part"
    upload_id: str = ""


class BatchRequestCounts(Record):
    """How far a batch is."""

    total: int = 0
    completed: int = 0
    failed: int = 0


class BatchError(Record):
    """What was wrong with a line of a batch."""

    code: str | None = None
    line: int | None = None
    message: str | None = None
    param: str | None = None


class BatchErrors(Record):
    """What was wrong with a batch."""

    data: list[BatchError] | None = None
    object: str | None = None


class Batch(Record):
    """Requests that are answered within a day, at half the price; times are in Unix seconds."""

    id: str
    completion_window: str = ""
    created_at: int = 0
    endpoint: str = ""
    input_file_id: str = ""
    object: str = "batch"
    status: str = ""
    model: str | None = None
    errors: BatchErrors | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    in_progress_at: int | None = None
    expires_at: int | None = None
    finalizing_at: int | None = None
    completed_at: int | None = None
    failed_at: int | None = None
    expired_at: int | None = None
    cancelling_at: int | None = None
    cancelled_at: int | None = None
    request_counts: BatchRequestCounts | None = None
    usage: Object | None = None
    metadata: dict[str, str] | None = None

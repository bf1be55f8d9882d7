"""``/uploads``."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Required, Unpack, cast

from embedsearch.client.calls import Call, Json, Options, post, segment
from embedsearch.client.multipart import File, slices
from embedsearch.client.polling import Steps
from embedsearch.client.procedures import procedure
from embedsearch.client.resource import M, Resource, endpoint
from embedsearch.client.resources.files import Purpose
from embedsearch.client.types.files import Upload, UploadPart

PART_SIZE = 64 * 1024 * 1024
"""Bytes, the most that a part may have."""


class UploadParams(Options, total=False):
    """The arguments of `Uploads.create`; ``bytes`` is the size of the whole."""

    bytes: Required[int]
    filename: Required[str]
    mime_type: Required[str]
    purpose: Required[Purpose]
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

    @procedure
    def upload_file_chunked(
        self,
        *,
        file: str | PathLike[str] | bytes,
        mime_type: str,
        purpose: Purpose,
        filename: str | None = None,
        part_size: int = PART_SIZE,
        md5: str | None = None,
        **options: Unpack[Options],
    ) -> Steps[Upload]:
        """Upload a file in parts, one after the other; each is read while it is sent.

        Bytes need a ``filename``.
        """
        source = file if isinstance(file, bytes) else Path(file)
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        name = filename or (None if isinstance(source, bytes) else source.name)
        if name is None:
            raise ValueError("expected a filename for what is given as bytes")
        if part_size < 1:
            raise ValueError(f"expected a part_size of 1 or more, got {part_size}")
        about = {"bytes": size, "filename": name}
        kind = {"mime_type": mime_type, "purpose": purpose}
        upload: Upload = yield post("/uploads", Upload, {**about, **kind, **options})
        ids: list[str] = []
        for piece in slices(source, part_size):
            data = {"data": ("upload", piece), **options}
            part = yield post(f"{_path(upload.id)}/parts", UploadPart, data, files=("data",))
            ids.append(part.id)
        parts = {"part_ids": ids, **({"md5": md5} if md5 else {})}
        done = yield post(f"{_path(upload.id)}/complete", Upload, {**parts, **options})
        return cast("Upload", done)

    @endpoint
    def cancel(self, upload_id: str, **options: Unpack[Options]) -> Call[Upload]:
        """Give one up."""
        return post(f"{_path(upload_id)}/cancel", Upload, options)


def _path(upload_id: str) -> str:
    return f"/uploads/{segment(upload_id)}"

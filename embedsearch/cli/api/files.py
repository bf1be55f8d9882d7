"""``embedsearch api files``."""

from __future__ import annotations

import mimetypes
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from embedsearch.cli import options, progress
from embedsearch.cli.api import asking, deleting, printing, secrets
from embedsearch.cli.inputs import file_at
from embedsearch.cli.late import Group
from embedsearch.cli.terminal import note, show

if TYPE_CHECKING:
    from embedsearch import Client
    from embedsearch.client.resources.files import Purpose
    from embedsearch.client.types.files import FileObject

PURPOSES = ("assistants", "batch", "evals", "fine-tune", "user_data", "vision")
MOST_BYTES = 512_000_000
"""Of a file in one request, by the API reference; a larger one goes in parts."""


@click.group("files", cls=Group)
def files_() -> None:
    """Upload, list, fetch and delete files."""


@files_.command("list")
@click.option("--purpose", type=click.Choice(PURPOSES), help="Only those for this.")
@options.of_a_list
@asking.common
def list_(*, purpose: str | None, limit: int | None, as_json: bool) -> None:
    """List the files, a line each: id, purpose, bytes, day, name."""
    with asking.client() as client:
        files = client.files.list(**asking.said(purpose=purpose))
        printing.listed(files, limit, _print, as_json=as_json)


def _print(file: FileObject) -> None:
    day = printing.day(file.created_at)
    printing.row(file.id, file.purpose, f"{file.bytes:,} bytes", day, file.filename)


@files_.command("get")
@click.argument("id_", metavar="ID")
@asking.common
def get_(*, id_: str, as_json: bool) -> None:
    """Describe a file."""
    with asking.client() as client:
        file = client.files.retrieve(id_)
    printing.record(file, _print, as_json=as_json)


@files_.command("upload")
@click.argument("file", type=secrets.FILE_OR_STDIN)
@click.option(
    "--purpose",
    type=click.Choice(PURPOSES),
    default="user_data",
    show_default=True,
    help="What it is for.",
)
@click.option("--name", type=secrets.TEXT, help="What it shall be called there; needed for stdin.")
@secrets.allowing
@asking.common
def upload_(*, file: str, purpose: Purpose, name: str | None, as_json: bool) -> None:
    """Upload FILE ('-' is stdin), and print its id; more than 512 MB go in parts."""
    if file == "-" and name is None:
        raise click.UsageError("--name: what shall it be called?")
    with asking.client() as client:
        if file == "-":
            content = secrets.checked_bytes(sys.stdin.buffer.read())
            done = client.files.create(file=(name, content), purpose=purpose)
        else:
            done = uploaded(client, Path(file), purpose, name)
    printing.record(done, printing.name, as_json=as_json)


def id_of(client: Client, given: str, purpose: Purpose) -> str:
    """Return the id of a file that is given by its path, and uploaded for that, or by its id."""
    path = file_at(given)
    if path is None:
        return given
    id = uploaded(client, path, purpose).id
    note(f"{given}: {id}")  # Whatever comes next, it need not be uploaded again.
    return id


def uploaded(client: Client, path: Path, purpose: Purpose, name: str | None = None) -> FileObject:
    """Upload a file, in parts where it is too large for one request."""
    name, size = name or path.name, path.stat().st_size
    with progress.working(f"uploading {size / 1e6:,.1f} MB"):
        if size <= MOST_BYTES:
            return client.files.create(file=(name, path), purpose=purpose)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        kind = "text/jsonl" if name.endswith(".jsonl") else kind
        upload = client.uploads.upload_file_chunked(
            file=path, filename=name, mime_type=kind, purpose=purpose
        )
    if upload.file is None:
        raise ValueError(f"the upload {upload.id} is {upload.status} and holds no file")
    return upload.file


@files_.command("download")
@click.argument("id_", metavar="ID")
@asking.to_file
@options.of_a_server
def download_(*, id_: str, output: str | None, force: bool) -> None:
    """Fetch what a file holds, to stdout or to the file that -o names."""
    printing.claim(output, force=force)
    with asking.client() as client:
        fetched(client, id_, output)


def fetched(client: Client, id: str, output: str | None) -> None:
    """Fetch a file as it comes, of any size."""
    with client.files.with_streaming_response.content(id) as answer:
        if output is None or output == "-":
            printing.pour(answer.iter_bytes())
        else:
            answer.stream_to_file(output)
            show(output)


@files_.command("delete")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@asking.common
def delete_(*, ids: tuple[str, ...], as_json: bool) -> None:
    """Delete files, and print the ids of those that are gone; exit code 3 where others are not."""
    with asking.client() as client:
        deleting.delete(ids, client.files.delete, as_json=as_json)

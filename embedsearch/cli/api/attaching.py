"""What goes beside the words of a question: pictures, files, and the schema of its answer."""

from __future__ import annotations

import base64
import json
import mimetypes
from pathlib import Path
from typing import Any, NoReturn

import click

from embedsearch.cli.api import secrets
from embedsearch.cli.inputs import file_at, text_of

images = click.option(
    "-i",
    "--image",
    "images",
    metavar="FILE|URL",
    multiple=True,
    help="A picture to look at. Repeatable.",
)
schema = click.option(
    "--schema", metavar="FILE|JSON", help="Answer in JSON that this JSON Schema describes."
)

_SHOWN = 100
"""Characters of a name that is none, shown in the error: it may be the picture itself."""


def picture(image: str) -> str:
    """Return where a picture is: its URL, or for a file all of it."""
    if image.startswith(("http://", "https://", "data:")):
        return secrets.checked(image, "--image")
    kind = mimetypes.guess_type(image)[0] or "image/png"
    if not kind.startswith("image/"):
        raise click.UsageError(f"--image: expected a picture, got {image!r}, which is {kind}")
    path = file_at(image) or _missing("--image", "a picture's file or its URL", image)
    return _data(path, kind)


def document(path: str) -> dict[str, Any]:
    """Return a file as a part of a question, whole; what can be read of it is looked through."""
    kind = mimetypes.guess_type(path)[0] or "text/plain"
    if kind.startswith("image/"):
        raise click.UsageError(f"--attach: {path!r} is a picture: --image sends it")
    secrets.checked(text_of(path), path)
    data = _data(Path(path), kind)
    return {"type": "input_file", "filename": Path(path).name, "file_data": data}


def form(schema: str) -> dict[str, Any]:
    """Return the form of an answer in JSON, named as the API wants it.

    What begins with a brace is the schema itself, all else the name of its file.
    """
    given = schema
    if not schema.lstrip().startswith("{"):
        path = file_at(schema) or _missing("--schema", "a file or a JSON object", schema)
        given = text_of(str(path))
    try:
        parsed = json.loads(secrets.checked(given, "--schema"))
    except ValueError as error:
        raise click.UsageError(f"--schema: expected a JSON Schema: {error}") from error
    return {"name": "answer", "schema": parsed}


def _missing(option: str, expected: str, given: str) -> NoReturn:
    raise click.UsageError(f"{option}: expected {expected}, got {given[:_SHOWN]!r}: no such file")


def _data(path: Path, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"

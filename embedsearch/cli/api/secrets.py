"""What is given to be sent is scanned where it is given: no key leaves by mistake."""

from __future__ import annotations

import codecs
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from embedsearch import privacy
from embedsearch.cli import progress
from embedsearch.cli.inputs import file_at, there
from embedsearch.errors import SecretsFound
from embedsearch.privacy import Secret
from embedsearch.readers.decoding import clean, encoding_of, looks_binary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ALLOWED = "embedsearch.secrets"
"""The key in ``Context.meta`` of whether secrets may be sent."""

BLOCK = 8_000_000
"""Bytes of a file that are scanned at a time, be they lines or one line."""

OVERLAP = 64_000
"""Bytes that are scanned twice, so that none is parted: keys and tokens are shorter."""


def _allow(ctx: click.Context, _: click.Parameter, said: bool) -> None:
    ctx.meta[ALLOWED] = said


allowing = click.option(
    "--allow-secrets",
    is_flag=True,
    is_eager=True,  # known before anything that is to be sent is looked at
    expose_value=False,
    callback=_allow,
    help="Send what is given even if it looks as if it held secrets.",
)


def checked(text: str, place: str) -> str:
    """Return a text that is to be sent.

    Raises SecretsFound, with ``place`` and the line, where it looks as if it held a secret.
    """
    if not _allowed():
        _refuse(place, privacy.scan(text, path=place))
    return text


def checked_file(path: Path) -> None:
    """Raise SecretsFound for a file of any size that is to be sent as it is, if it is text."""
    if not _allowed():
        with progress.working(f"looking for secrets in {path.name}"), path.open("rb") as file:
            _refuse(str(path), _secrets_in(file, path.name))


def checked_bytes(data: bytes) -> bytes:
    """Return what came by stdin and is to be sent as it is; raises SecretsFound likewise."""
    if not _allowed():
        _refuse("stdin", _secrets_in(BytesIO(data), ""))
    return data


def _secrets_in(file: BinaryIO, name: str) -> Iterator[Secret]:
    """Yield the secrets in a file, window by window; none where it is no text."""
    seen: set[Secret] = set()
    for before, window in _windows(file):
        found = privacy.scan(window, path=name)
        new = {Secret(secret.line + before, secret.kind) for secret in found} - seen
        seen |= new
        yield from sorted(new)


def _windows(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Yield windows that overlap, and how many lines are before each."""
    before, window = 0, ""
    for text in _texts(file):
        start = max(len(window) - OVERLAP, 0)
        before += window.count("\n", 0, start)
        window = window[start:] + text
        yield before, window


def _texts(file: BinaryIO) -> Iterator[str]:
    """Yield what a file says, block by block, in the encoding that its first one looks like."""
    block = file.read(BLOCK)
    if looks_binary(block):
        return
    decoder = codecs.getincrementaldecoder(encoding_of(block))("replace")
    while block:
        yield clean(decoder.decode(block))
        block = file.read(BLOCK)


def _allowed() -> bool:
    return bool(click.get_current_context().meta.get(ALLOWED))


def _refuse(place: str, found: Iterable[Secret]) -> None:
    if places := [f"{place}:{secret.line} ({secret.kind})" for secret in found]:
        raise SecretsFound(places)


class _Text(click.ParamType):  # type: ignore[type-arg] # generic in click 8.5 only
    """An option's text that is to be sent."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002 -- click's signature
        """Return it, scanned."""
        return checked(value, param.opts[-1] if param else "the text")


class _File(click.Path):
    """A file that is to be sent as it is."""

    def __init__(self, *, allow_dash: bool = False) -> None:
        super().__init__(exists=True, dir_okay=False, allow_dash=allow_dash)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return its name; it is there, and scanned."""
        name = str(super().convert(value, param, ctx))
        if name != "-":
            checked_file(Path(name))
        return name


class _Upload(click.ParamType):  # type: ignore[type-arg] # as above
    """A file that is to be uploaded, or the id of one that was."""

    name = "file or id"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it; a file is scanned, and a name of none is no id by mistake."""
        if path := file_at(value):
            checked_file(path)
        elif there(value) or Path(value).suffix or len(Path(value).parts) > 1:
            self.fail(f"there is no file {value!r}", param, ctx)
        return value


TEXT = _Text()
FILE = _File()
FILE_OR_STDIN = _File(allow_dash=True)
UPLOAD = _Upload()

"""Zip containers, opened only after their sizes were found sane."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from embedsearch.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 256 * 2**20
"""What a container may unpack to, all members together."""

MAX_RATIO = 250
"""How many times its packed size, where it unpacks to more than ``RATIO_FROM`` bytes."""

RATIO_FROM = 32 * 2**20

_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_PIECE = 2**20


class Package:
    """The members of a zip container, by name."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.names = frozenset(archive.namelist())
        self._left = MAX_BYTES

    def read(self, name: str) -> bytes:
        """Return a member's bytes, no more of them than its header gave away.

        Raises ReadError too where members that are read again and again come to too much.
        """
        if name not in self.names:
            raise ReadError(f"has no part {name!r}")
        with _translated():
            # In one go, zipfile would unpack all there is before it looks at the size.
            data = b"".join(self._pieces(name))
        self._left -= len(data)
        if self._left < 0:
            raise ReadError(f"has parts that refer to more than {MAX_BYTES >> 20} MB of others")
        return data

    def check(self) -> None:
        """Unpack every member and drop it, for a library that would trust the headers."""
        with _translated():
            for name in self.names:
                for _ in self._pieces(name):
                    pass

    def _pieces(self, name: str) -> Iterator[bytes]:
        with self._archive.open(name) as member:
            while piece := member.read(_PIECE):
                yield piece


def opened(data: bytes) -> Package:
    """Open a container; raises ReadError for one that is damaged, encrypted, or a bomb."""
    refuse_encrypted(data)
    with _translated():
        archive = zipfile.ZipFile(io.BytesIO(data))
    members = archive.infolist()
    if any(member.flag_bits & 1 for member in members):
        raise ReadError("is encrypted (a password is needed)")
    total = sum(member.file_size for member in members)
    if total > MAX_BYTES:
        raise ReadError(f"unpacks to {total / 2**20:,.0f} MB, more than {MAX_BYTES >> 20}")
    if total > max(RATIO_FROM, MAX_RATIO * len(data)):
        raise ReadError(f"unpacks to {total / len(data):,.0f} times its size")
    return Package(archive)


def refuse_encrypted(data: bytes) -> None:
    """Raise ReadError for an encrypted Office file, which is an OLE file with a package in it."""
    if data.startswith(_OLE) and _ENCRYPTED_PACKAGE in data:
        raise ReadError("is encrypted (a password is needed)")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        struct.error,
        EOFError,
        NotImplementedError,
        OSError,
        ValueError,
    ) as error:
        raise ReadError("is damaged, or not the zip container its name promises") from error

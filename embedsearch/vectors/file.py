"""The cache file: named arrays and a stamp in one file, swapped by one rename, opened by mmap.

Layout: magic (8 bytes), length and CRC-32 of the header (two little-endian uint32), the header
(JSON), then each array raw at a multiple of 64 bytes. The header tells every array's place,
shape, dtype and CRC-32, and the length of the file.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.errors import IndexCorrupt, StorageFailed, why

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

    Parts = Mapping[str, Sequence[NDArray[Any]]]
    """Arrays in parts, one or several of each, that follow one another."""

MAGIC = b"embsvec3"
PREAMBLE = struct.Struct("<8sII")
ALIGNMENT = 64
"""Bytes: a cache line, and more than any dtype asks for."""

CHECKED_BELOW = 64 * 2**20
"""Bytes of a file up to which all of it is checked at each opening: about 20 ms."""


def write(path: Path, facts: Mapping[str, Any], arrays: Parts) -> None:
    """Write ``facts`` (JSON) and ``arrays`` to ``path``, whole or not at all.

    Raises ``StorageFailed``; the file that was there is then untouched.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        try:
            with temporary.open("wb") as file:
                _write_to(file, facts, arrays)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise StorageFailed(f"could not save {str(path)!r}: {why(error)}") from error


def read(
    path: Path, *, unchecked: Collection[str] = (), verify: bool = False
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the facts and the arrays, which are read-only and mapped into memory.

    In a file above ``CHECKED_BELOW`` the checksums of the arrays named in ``unchecked`` are
    compared only when ``verify`` is set. Raises ``IndexCorrupt``, ``StorageFailed`` where the disk
    refuses, and ``FileNotFoundError`` where there is no file.
    """
    data = _mapped(path)
    skipped = () if verify or len(data) <= CHECKED_BELOW else unchecked
    try:
        header, start = _header(data)
        arrays = {name: _array(data, start, place) for name, place in header["arrays"].items()}
        for name, array in arrays.items():
            if name not in skipped and _checksum(array) != header["arrays"][name]["crc32"]:
                raise ValueError(f"the checksum of its {name} differs")  # noqa: TRY301 -- one door
    except (ValueError, TypeError, KeyError, struct.error) as error:
        raise IndexCorrupt(f"{str(path)!r} is damaged or no vector file: {error}") from error
    return header["facts"], arrays


def _write_to(file: BinaryIO, facts: Mapping[str, Any], arrays: Parts) -> None:
    places: dict[str, dict[str, Any]] = {}
    end = 0
    for name, parts in arrays.items():
        offset = _aligned(end)
        end = offset + sum(part.nbytes for part in parts)
        places[name] = {
            "offset": offset,
            "shape": (sum(map(len, parts)), *parts[0].shape[1:]),
            "dtype": parts[0].dtype.str,
            "crc32": _checksum(*parts),
        }
    header = json.dumps({"facts": dict(facts), "arrays": places, "length": end}).encode()
    file.write(PREAMBLE.pack(MAGIC, len(header), zlib.crc32(header)) + header)
    start = _aligned(file.tell())
    for name, parts in arrays.items():
        file.write(bytes(start + places[name]["offset"] - file.tell()))
        file.writelines(map(_bytes, parts))


def _header(data: NDArray[np.uint8]) -> tuple[dict[str, Any], int]:
    """Return the header and where the arrays begin; raises ``ValueError``."""
    if len(data) < PREAMBLE.size:
        raise ValueError(f"expected at least {PREAMBLE.size} bytes, found {len(data)}")
    magic, length, checksum = PREAMBLE.unpack(data[: PREAMBLE.size].tobytes())
    if magic != MAGIC and magic.startswith(MAGIC[:-1]):
        raise ValueError("another version of embedsearch wrote it")
    if magic != MAGIC:
        raise ValueError(f"it begins with {magic!r} instead of {MAGIC!r}")
    raw = data[PREAMBLE.size : PREAMBLE.size + length].tobytes()
    if zlib.crc32(raw) != checksum:
        raise ValueError("the checksum of its header differs")
    header: dict[str, Any] = json.loads(raw)
    start = _aligned(PREAMBLE.size + length)
    if len(data) != start + header["length"]:
        raise ValueError(f"expected {start + header['length']:,} bytes, found {len(data):,}")
    return header, start


def _array(data: NDArray[np.uint8], start: int, place: Mapping[str, Any]) -> NDArray[Any]:
    dtype = np.dtype(place["dtype"])
    begin = start + place["offset"]
    end = begin + dtype.itemsize * int(np.prod(place["shape"]))
    array: NDArray[Any] = data[begin:end].view(dtype).reshape(place["shape"])
    return array


def _mapped(path: Path) -> NDArray[np.uint8]:
    try:
        # Windows refuses to replace a file that is mapped.
        if os.name == "nt" or path.stat().st_size == 0:
            return np.frombuffer(path.read_bytes(), np.uint8)
        return np.asarray(np.memmap(path, np.uint8, mode="r"))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StorageFailed(f"could not read {str(path)!r}: {why(error)}") from error


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


def _bytes(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _checksum(*parts: NDArray[Any]) -> int:
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(_bytes(part), checksum)
    return checksum


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The packed form of tiktoken's rank files, and the script that makes it.

``python -m embedsearch.tokens.pack FOLDER`` packs the ``*.tiktoken`` files in FOLDER, as
published under https://openaipublic.blob.core.windows.net/encodings/, into this package.

A packed file is xz over one byte a token (its length), then the tokens themselves, both in the
order of their ranks, which count from 0 without a gap.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import lzma
from itertools import accumulate, pairwise
from pathlib import Path

PUBLISHED_SHA256 = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}
"""The sha256 of each published rank file, as tiktoken pins it."""

FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0}]


def path(name: str) -> Path:
    """Return where the package keeps the packed ranks of an encoding."""
    return Path(__file__).with_name(f"{name}.xz")


def pack(published: bytes) -> bytes:
    """Pack the text of a ``.tiktoken`` file: a base64 token and its rank on each line."""
    lines = [line.split() for line in published.splitlines()]
    if [int(rank) for _, rank in lines] != list(range(len(lines))):
        raise ValueError("expected ranks from 0 in ascending order, without a gap")
    tokens = [base64.b64decode(token) for token, _ in lines]
    lengths = bytes(map(len, tokens))
    return lzma.compress(lengths + b"".join(tokens), filters=FILTERS)


def unpack(packed: bytes, *, count: int, sha256: str) -> list[bytes]:
    """Return the ``count`` tokens of a packed file in the order of their ranks.

    Raises ValueError if the decompressed content is not the one that ``sha256`` pins.
    """
    content = lzma.decompress(packed)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError("the packed ranks are damaged: reinstall embedsearch")
    ends = accumulate(content[:count], initial=count)
    return [content[start:end] for start, end in pairwise(ends)]


def main() -> None:
    """Pack every encoding that the package ships."""
    parser = argparse.ArgumentParser(description="Pack tiktoken's rank files into the package.")
    parser.add_argument("folder", type=Path, help="where the .tiktoken files lie")
    folder = parser.parse_args().folder
    for name, expected in PUBLISHED_SHA256.items():
        published = (folder / f"{name}.tiktoken").read_bytes()
        if hashlib.sha256(published).hexdigest() != expected:
            raise SystemExit(f"{name}.tiktoken is not the published file: its sha256 differs")
        path(name).write_bytes(pack(published))


if __name__ == "__main__":
    main()

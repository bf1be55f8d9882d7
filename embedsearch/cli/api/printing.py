"""Where the answers of an API go: stdout, and files that are not written over."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from embedsearch.cli import outputs
from embedsearch.cli.errors import NOTHING_FOUND
from embedsearch.cli.terminal import draw, painted, show
from embedsearch.replacing import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


def whole(answer: Any) -> None:
    """Print an answer as it came, as JSON."""
    show(json.dumps(answer, ensure_ascii=False))


def record(item: Any, line: Callable[[Any], None], *, as_json: bool) -> None:
    """Print a record as it came, or by ``line``."""
    if as_json:
        whole(item.to_dict())
    else:
        line(item)


def records(items: Sequence[Any], line: Callable[[Any], None], *, as_json: bool) -> None:
    """Print a list as one JSON object, whatever pages it came in, or each item by ``line``."""
    if as_json:
        whole({"object": "list", "data": [item.to_dict() for item in items]})
        return
    for item in items:
        line(item)


def listed(
    items: Iterable[Any], limit: int | None, line: Callable[[Any], None], *, as_json: bool
) -> None:
    """Print the first of a list, as ``records`` are; the exit code is 1 where there is nothing."""
    found = list(islice(items, limit))
    records(found, line, as_json=as_json)
    if not found:
        click.get_current_context().exit(NOTHING_FOUND)


def flowing(pieces: Iterable[str]) -> bool:
    """Print pieces as they come, and end the line whatever happens; say whether any came."""
    last = ""
    try:
        for piece in pieces:
            if piece:
                last = piece
                show(piece, end="")
                sys.stdout.flush()
    finally:
        if last and not last.endswith("\n"):
            show("")
    return bool(last)


def name(item: Any) -> None:
    """Print the id of a record, for a command that takes it."""
    show(item.id)


def row(*columns: object) -> None:
    """Print columns of a line, those that are there."""
    draw("  ".join(painted(str(c)) for c in columns if c not in {None, ""}))


def day(seconds: int) -> str:
    """Return a Unix time as people read it, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M") if seconds else ""


def claim(output: str | None, *, force: bool, names: Sequence[Path] = ()) -> None:
    """Refuse to write where a file is or no folder is: before anything is paid for."""
    for path in names or ([Path(output)] if output and output != "-" else []):
        outputs.claim(path, force=force)


def numbered(path: Path, count: int) -> list[Path]:
    """Return the names of so many files: the path itself, or ``NAME-1.png``, ``NAME-2.png``."""
    if count == 1:
        return [path]
    return [path.with_stem(f"{path.stem}-{n}") for n in range(1, count + 1)]


@contextmanager
def saving(path: Path, *, force: bool) -> Iterator[IO[bytes]]:
    """Open a file to be written, and print its name when it is."""
    with replacing(path) if force else path.open("xb") as file:
        yield file
    show(str(path))


def pour(chunks: Iterator[bytes]) -> None:
    """Write bytes to stdout as they come."""
    for chunk in chunks:
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()

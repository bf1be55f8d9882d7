"""Files that a command writes: looked at before any work is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from embedsearch.compare.head import HEAD
from embedsearch.replacing import descriptor

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

force = click.option("--force", is_flag=True, help="Write over a file that is there.")


def claim(path: Path, *, force: bool) -> None:
    """Refuse to write where a file is or no folder is."""
    if path.exists() and not force:
        raise click.UsageError(f"{path} is there already: --force writes over it")
    _require_folder(path)


def claim_page(path: Path, *, force: bool, inputs: Iterable[Path]) -> None:
    """Refuse to write a page over another file, or over what the command reads.

    An older page may be replaced, and an empty file, which holds nothing to lose.
    """
    if path.is_file() and descriptor(path) is None:
        if any(each.exists() and path.samefile(each) for each in inputs):
            raise click.UsageError(f"{path} is what is read here: write to another file")
        if path.stat().st_size and not _is_page(path):
            claim(path, force=force)
    _require_folder(path)


def _is_page(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(HEAD)) == HEAD.encode()


def _require_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise click.UsageError(f"there is no folder {path.parent}")

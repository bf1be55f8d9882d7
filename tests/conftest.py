"""What the tests share: an index with an instant embedder, and a folder to fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from embedsearch import Index
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """Return a folder with three documents."""
    folder = tmp_path / "docs"
    (folder / "guide").mkdir(parents=True)
    (folder / "guide" / "refunds.md").write_text("# Refunds\n\nMoney comes back in a week.\n")
    (folder / "animals.txt").write_text("Cats and dogs live together.\n")
    (folder / "code.py").write_text("def add(a, b):\n    return a + b\n")
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Return an empty index on disk."""
    with Index.open(tmp_path / "index", HashEmbedder()) as opened:
        yield opened

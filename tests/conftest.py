"""What the tests share: an index with an instant embedder, a folder to fill, real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import servers

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


@pytest.fixture(scope="session")
def chat_server() -> Iterator[str]:
    """Return the base URL of a real chat server, whose model is ``servers.CHAT_MODEL``."""
    with servers.chat_server() as url:
        yield url


@pytest.fixture(scope="session")
def embedding_server() -> Iterator[str]:
    """Return the base URL of a real server of embeddings, which have 384 dimensions."""
    with servers.embedding_server() as url:
        yield url

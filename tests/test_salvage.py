"""Repair and salvage: a damaged database gives back what can still be read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embedsearch import Document, Index
from embedsearch.errors import IndexCorrupt, IndexNotFound
from embedsearch.index import salvage
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from pathlib import Path

PAGE = 4096


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an index of 3,000 documents and 40 files."""
    docs = tmp_path / "docs"
    docs.mkdir()
    for n in range(40):
        (docs / f"{n}.txt").write_text(f"file {n} " * 200)
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        index.add(Document(str(n), f"document number {n}") for n in range(3_000))
        index.sync(docs)
    return tmp_path / "index"


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_database_gives_back_nearly_all(folder: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = bytearray((folder / "index.db").read_bytes())
    pages = len(data) // PAGE
    # The first pages hold the schema; beyond repair without them.
    for page in rng.choice(np.arange(40, pages), 5, replace=False):
        data[page * PAGE : (page + 1) * PAGE] = rng.bytes(PAGE)
    (folder / "index.db").write_bytes(data)
    counts = salvage(folder)
    assert counts["vectors"] > 2_500
    with Index.open(folder, HashEmbedder()) as index:
        index.sync(folder.parent / "docs")
        torn = [problem for problem in index.verify() if "do not cover" not in problem.what]
        assert torn == []
        assert len(index) > 2_500
        assert index.search("file 7", k=1)[0].document_id == "7.txt"
    assert (folder / "index.db.damaged").exists()


def test_what_is_no_database_cannot_be_salvaged_and_stays(folder: Path) -> None:
    (folder / "index.db").write_bytes(b"nothing of use" * 1000)
    with pytest.raises(IndexCorrupt, match="can't be salvaged"):
        salvage(folder)
    assert (folder / "index.db").read_bytes() == b"nothing of use" * 1000
    assert not list(folder.glob("*.salvaged*"))


def test_there_must_be_an_index(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="no index in"):
        salvage(tmp_path)


TEAR = "delete from chunks where position = 0"
ALTER = "update texts set text = 'x' || substr(text, 2)"


@pytest.mark.parametrize("damage", [TEAR, ALTER])
def test_repair_reads_files_again_and_says_what_it_leaves(
    tmp_path: Path, docs: Path, damage: str
) -> None:
    given = Document("row", "a row of words")
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        index.sync(docs)
        index.add([given])
    with closing(sqlite3.connect(tmp_path / "index" / "index.db")) as database, database:
        database.execute(damage)
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        found = [problem for problem in index.repair() if "full text" not in problem.what]
        left = [problem for problem in found if problem.left]
        assert len(found) == 4
        assert [problem.remedy for problem in left] == ["it came from no file: add it again"]
        index.sync(docs)
        assert index.verify() == left
        assert index.get("animals.txt").text == (docs / "animals.txt").read_text()
        index.add([given])
        assert index.verify() == []
        assert index.get("row") == given

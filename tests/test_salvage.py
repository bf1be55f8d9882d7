"""Salvage: a damaged database gives back what can still be read."""

from __future__ import annotations

import sqlite3
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


def test_a_truncated_database_gives_back_what_lies_before_the_cut(folder: Path) -> None:
    whole = (folder / "index.db").read_bytes()
    (folder / "index.db").write_bytes(whole[: len(whole) * 95 // 100])
    with pytest.raises(IndexCorrupt, match="is damaged"):
        Index.open(folder, create=False)
    assert salvage(folder)["documents"] == 3_040
    assert (folder / "index.db.damaged").read_bytes() == whole[: len(whole) * 95 // 100]
    with Index.open(folder, HashEmbedder()) as index:
        index.sync(folder.parent / "docs")
        assert index.get("2999").text == "document number 2999"
        assert index.search("file 7", k=1)[0].document_id == "7.txt"


def test_a_database_without_its_header_loses_nothing_else(folder: Path) -> None:
    with (folder / "index.db").open("r+b") as file:
        file.write(b"\xa5" * 100)
    counts = salvage(folder)
    assert (counts["documents"], counts["vectors"]) == (3_040, 3_080)
    with Index.open(folder, HashEmbedder()) as index:
        assert index.verify() == []


def test_a_database_of_an_older_version_is_salvaged_too(folder: Path) -> None:
    with sqlite3.connect(folder / "index.db") as database:
        database.execute("alter table texts drop column salt")
        database.execute("pragma user_version = 2")
    database.close()
    assert salvage(folder)["texts"] == 3_080
    with Index.open(folder, HashEmbedder()) as index:
        assert index.verify() == []


def test_what_is_no_database_cannot_be_salvaged_and_stays(folder: Path) -> None:
    (folder / "index.db").write_bytes(b"nothing of use" * 1000)
    with pytest.raises(IndexCorrupt, match="can't be salvaged") as refused:
        salvage(folder)
    assert (
        refused.value.hint == f"move {folder} away, keeping it, and run: embedsearch index FOLDER"
    )
    assert (folder / "index.db").read_bytes() == b"nothing of use" * 1000
    assert sorted(path.name for path in folder.glob("index.*")) == ["index.db"]


def test_there_must_be_an_index(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="no index in"):
        salvage(tmp_path)

"""The index as an object: opening, adding, getting, and what it refuses."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pytest
import sqlite_utils
import users

from embedsearch import Document, EmbedsearchError, Index
from embedsearch.errors import (
    DimensionMismatch,
    DocumentNotFound,
    EmbedderMismatch,
    EmbeddingError,
    IndexCorrupt,
    IndexLocked,
    IndexNotFound,
    StorageFailed,
)
from embedsearch.files import salvage
from embedsearch.search.packing import pack
from embedsearch.store.checks import Problem
from embedsearch.store.lock import writer_lock
from embedsearch.testing import HashEmbedder, WordTokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WORDS = ["red", "green", "blue", "white", "black"]


def test_a_document_comes_back_as_it_was(index: Index) -> None:
    given = Document("a", "Grüße, 日本, 🐕\r\n" * 300, {"lang": ["de", "ja"], "n": 1.5})
    index.add([given])
    assert index.get("a") == given
    chunks = index.chunks("a")
    assert len(chunks) > 1
    assert all(given.text[chunk.start : chunk.end] == chunk.text for chunk in chunks)


def test_adding_an_id_again_replaces_the_document(index: Index) -> None:
    assert index.add([Document("a", "old words"), Document("b", "others")]).added == 2
    report = index.add([Document("a", "new words")])
    assert (report.added, report.updated) == (0, 1)
    assert index.get("a").text == "new words"
    assert index.search("old", mode="lexical") == []
    assert len(index) == 2


def test_of_two_documents_with_one_id_the_last_counts(index: Index) -> None:
    index.add([Document("a", "first"), Document("a", "second")])
    assert index.get("a").text == "second"


@pytest.mark.parametrize("apart", [0, 12_000])
def test_each_document_given_is_counted_as_added_updated_or_replaced(
    index: Index, apart: int
) -> None:
    index.add([Document("old", "there before")], embed=False)
    others = [Document(f"other {n}", "x") for n in range(apart)]
    twice = [Document("a", "1"), Document("old", "2"), *others, Document("a", "3")]
    report = index.add(twice, embed=False)
    assert (report.added, report.updated, report.replaced) == (1 + apart, 1, 1)
    assert index.get("a").text == "3"


def test_status_counts_the_passages_that_can_be_embedded(index: Index) -> None:
    index.add([Document("a", "words"), Document("blank", " \n")])
    status = index.status()
    assert (status.embedded, status.counts.texts, status.counts.chunks) == (1, 1, 2)
    assert status.pending.texts == 0


def test_removing_says_how_many_there_were(index: Index) -> None:
    index.add(Document(id, f"text {id}") for id in "abc")
    assert index.remove(["a", "c", "nobody"]) == 2
    assert [document.id for document in index.documents()] == ["b"]


def test_documents_may_be_removed_and_added_while_they_are_listed(index: Index) -> None:
    ids = [f"{n:04}" for n in range(2_500)]
    index.add((Document(id, "red") for id in ids), embed=False)
    seen = []
    for document in index.documents():
        seen.append(document.id)
        if document.id < "0003":
            index.remove([document.id])
            index.add([Document(f"new {document.id}", "blue")], embed=False)
    assert seen == [*ids, "new 0000", "new 0001", "new 0002"]
    assert [document.id for document in index.documents()] == seen[3:]


def test_a_list_of_documents_may_be_left_before_its_end(tmp_path: Path) -> None:
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        index.add([Document(id, id) for id in "abc"])
        listed = index.documents()
        assert next(listed).id == "a"
    del listed


def test_an_index_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("words")
    for create in (True, False):
        with pytest.raises(StorageFailed, match="file is a file: an index is a folder"):
            Index.open(tmp_path / "file", HashEmbedder(), create=create)
    with pytest.raises(StorageFailed, match="file/index can't be made: not a directory"):
        Index.open(tmp_path / "file" / "index", HashEmbedder())
    with pytest.raises(ValueError, match="the path of the index is empty"):
        Index.open("", HashEmbedder())


def test_one_pattern_need_not_be_in_a_list(index: Index, docs: Path) -> None:
    index.sync(docs, glob="*.txt")
    index.add([Document("b.md", "cats")])
    assert [document.id for document in index.documents(glob="*.txt")] == ["animals.txt"]
    assert [hit.document_id for hit in index.search("cats", glob="*.md")] == ["b.md"]


@pytest.mark.parametrize("scale", [1e-300, 1e-46, 1e-30, 1e-20, 1e19, 1e30, 1e300])
def test_a_vector_has_a_direction_whatever_its_length(index: Index, scale: float) -> None:
    rows = np.random.default_rng(1).normal(size=(3, 64))
    index.add([Document(id, id) for id in "abc"], vectors=rows)
    expected = index.search_vector(rows[0])
    found = index.search_vector(rows[0] * scale)
    assert [hit.document_id for hit in found] == [hit.document_id for hit in expected]
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-6)
    index.add([Document(id, id) for id in "def"], vectors=rows * [[1], [scale], [1]])
    assert index.search_vector(rows[1], k=2)[1].score == pytest.approx(1, abs=1e-3)


def test_a_vector_of_another_shape_is_refused(index: Index) -> None:
    with pytest.raises(DimensionMismatch, match=r"expected a vector of shape \(64,\), got \(2,\)"):
        index.search_vector([1.0, 2.0])


@pytest.mark.parametrize("text", ["", " \n\t ", "\0"])
def test_a_blank_document_is_kept(index: Index, text: str) -> None:
    index.add([Document("blank", text)])
    assert index.get("blank").text == text
    assert index.pending().texts == 0


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (Document("", "text"), "expected an id for every document, text without NUL, got ''"),
        (Document("a\0b", "text"), r"expected an id for every document, .* got 'a\\x00b'"),
        (Document("a", "text", kind="md"), "unknown kind 'md' of document 'a': choose from"),  # type: ignore[arg-type]
        (
            Document("a", "x\ud800y"),
            "text of document 'a' holds half of a surrogate pair",
        ),
        (
            Document("a\udfff", "x"),
            r"id of document .* holds half .* at character 1",
        ),
        (Document("a", "text", {"n": 1, "when": UUID(int=0)}), "metadata 'when' of 'a' .* UUID"),
        (Document("a", "text", {"x": float("nan")}), "metadata 'x' of 'a' is no JSON"),
        (Document("a", "text", {"x": [np.float32("nan")]}), "metadata 'x' of 'a' is no JSON"),
        (Document("a", "text", {"\ud800": 1}), r"metadata '\\ud800' of 'a' is no JSON"),
        (Document("a", "text", {(1, 2): 1}), r"metadata \(1, 2\) of 'a' is no JSON"),  # type: ignore[dict-item]
        (Document("a", "text", 5), "metadata of 'a' is no JSON: expected a dict, got 5"),  # type: ignore[arg-type]
        (Document("a", "text", [1]), r"metadata of 'a' is no JSON: expected a dict, got \[1\]"),  # type: ignore[arg-type]
    ],
)
def test_a_document_that_cannot_be_stored_is_refused(
    index: Index, document: Document, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        index.add([document])
    assert len(index) == 0


@pytest.mark.parametrize("id", ["nobody", ""])
def test_getting_what_is_not_there_is_an_error(index: Index, id: str) -> None:
    with pytest.raises(DocumentNotFound, match="no document"):
        index.get(id)
    with pytest.raises(DocumentNotFound, match="no document"):
        index.chunks(id)


def test_ready_vectors_are_scaled_to_unit_length(index: Index) -> None:
    rows = np.eye(64)[:3] * [[1], [20], [0.5]]
    index.add([Document(str(n), f"text {n}") for n in range(3)], vectors=rows)
    hits = index.search_vector(np.eye(64)[1], k=1)
    assert (hits[0].document_id, hits[0].score) == ("1", 1.0)
    assert index.chunks("1")[0].tokens is None


@pytest.mark.parametrize(
    ("rows", "text", "error", "complaint"),
    [
        (np.ones((2, 64)), "text", DimensionMismatch, "a vector for each of 1, got 2"),
        (np.ones((1, 63)), "text", DimensionMismatch, r"shape \(n, 64\), got \(1, 63\)"),
        (np.zeros((1, 64)), "text", ValueError, "vector 0 is zero or not finite"),
        (np.full((1, 64), np.inf), "text", ValueError, "vector 0 is zero or not finite"),
        (np.ones((1, 64)), "  ", ValueError, "has a vector but its text is blank"),
    ],
)
def test_vectors_that_fit_no_document_are_refused(
    index: Index, rows: np.ndarray, text: str, error: type[Exception], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        index.add([Document("a", text)], vectors=rows)
    assert len(index) == 0


def test_an_index_remembers_its_space_and_refuses_another(tmp_path: Path) -> None:
    Index.open(tmp_path, HashEmbedder(64)).close()
    with pytest.raises(EmbedderMismatch, match="the index holds vectors of 'hash/64") as refused:
        Index.open(tmp_path, HashEmbedder(32))
    assert refused.value.hint == (
        "leave -m out for the index's own, 'hash', or make a new index: embedsearch index FOLDER"
        " --db NEW -m hash; in Python: open it with the embedder it was made with, 'hash', or make"
        " a new index for this one"
    )


class Unsized(HashEmbedder):
    """An embedder that does not name its dimensions."""

    space = "unsized"


def test_vectors_of_another_length_are_another_space_whatever_it_is_called(tmp_path: Path) -> None:
    Index.open(tmp_path, Unsized(64)).close()
    Index.open(tmp_path, Unsized(64)).close()
    with pytest.raises(EmbedderMismatch, match=r"vectors of 64 dimensions, .* makes ones of 32"):
        Index.open(tmp_path, Unsized(32))


def test_the_cache_may_be_deleted_damaged_or_another_s(tmp_path: Path) -> None:
    documents = [Document(str(n), f"{WORDS[n % 5]} number {n}") for n in range(1_500)]
    query = "blue number 1002"
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        index.add(documents)
        expected = [hit.document_id for hit in index.search(query)]
    cache = tmp_path / "index" / "vectors.faiss"
    whole = cache.read_bytes()
    for damage in (b"", b"garbage", whole[:-100], whole[: len(whole) // 2], whole[::-1]):
        cache.write_bytes(damage)
        with Index.open(tmp_path / "index", HashEmbedder()) as index:
            assert [hit.document_id for hit in index.search(query)] == expected
            assert len(index.repair()) == 1
            assert index.verify() == []
    cache.unlink()
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        assert [hit.document_id for hit in index.search(query)] == expected
    assert cache.stat().st_size == len(whole)
    with Index.open(tmp_path / "other", HashEmbedder()) as other:
        other.add(Document(f"other {n}", f"unlike {n}") for n in range(1_500))
    cache.write_bytes((tmp_path / "other" / "vectors.faiss").read_bytes())
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        assert index.verify() == [
            Problem("vectors.faiss is another index's", "repair makes it anew from index.db")
        ]
        assert [hit.document_id for hit in index.search(query)] == expected
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        assert index.verify() == []
    cache.write_bytes(b"")
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        assert index.verify()[0].what.endswith("expected at least 16 bytes, found 0")


@pytest.mark.parametrize("hindrance", ["a writer", "a lock that is a folder", "an interrupt"])
def test_a_reader_that_may_not_leave_a_cache_leaves_none_in_silence(
    tmp_path: Path, hindrance: str
) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add([Document(str(n), f"number {n}") for n in range(1_500)])
    (tmp_path / "vectors.faiss").unlink()
    with ExitStack() as stack:
        if hindrance == "a writer":
            stack.enter_context(writer_lock(tmp_path))
        elif hindrance == "an interrupt":
            stack.enter_context(pytest.raises(KeyboardInterrupt))
        else:
            (tmp_path / "writer.lock").unlink()
            (tmp_path / "writer.lock").mkdir()
        with Index.open(tmp_path, HashEmbedder()) as index:
            assert index.search("number 7", k=1)[0].document_id == "7"
            if hindrance == "an interrupt":
                raise KeyboardInterrupt
    assert not (tmp_path / "vectors.faiss").exists()


def test_the_size_of_an_index_is_that_of_its_own_files(tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_bytes(b"a" * 10_000_000)
    with Index.open(tmp_path, HashEmbedder()) as index:
        files = [file for file in tmp_path.iterdir() if file.name != "large.txt"]
        assert index.status().size == sum(file.stat().st_size for file in files) < 1_000_000


def test_an_index_that_was_deleted_takes_nothing_in_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    index = Index.open(folder, HashEmbedder())
    index.add([Document("a", "text")])
    shutil.rmtree(folder)
    for use in (
        lambda: index.add([Document("b", "text")]),
        lambda: index.remove("a"),
        index.gc,
    ):
        with pytest.raises(IndexNotFound, match="any more: it was moved or deleted"):
            use()
    index.close()
    assert not folder.exists()


def test_a_cache_that_is_a_folder_is_to_be_moved_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "vectors.faiss").mkdir()
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add([Document("a", "text")])
        assert index.search("text")[0].document_id == "a"
        (warning,) = caplog.messages
        assert warning.startswith(f"could not read '{tmp_path}/vectors.faiss': is a directory")
        assert warning.endswith("; index.db is read instead: run embedsearch repair")
        (problem,) = index.verify()
        assert problem.remedy == "move it away and run: embedsearch repair"
        with pytest.raises(StorageFailed, match=r"can't be replaced: is a directory") as refused:
            index.repair()
        advice = "move it away and run: embedsearch repair; in Python: index.repair()"
        assert refused.value.hint == advice
        (tmp_path / "vectors.faiss").rmdir()
        assert index.verify() == []


@pytest.mark.parametrize(
    ("misuse", "complaint"),
    [
        (lambda i: i.search(None), "expected a query as str, got None"),
        (lambda i: i.search("x", k="3"), "expected k as a whole number, got '3'"),
        (lambda i: i.search("x", k=1.5), "expected k as a whole number, got 1.5"),
        (lambda i: i.search("x", k=True), "expected k as a whole number, got True"),
        (lambda i: i.search("x", where=5), r"expected a condition as {'year': 2020} .*, got 5"),
        (lambda i: i.search("x", where=["a=1", 5]), r"expected a condition as .*, got 5"),
        (lambda i: i.search("x", glob=5), "expected a list of glob patterns, got 5"),
        (lambda i: i.search("x", diversity="a"), "expected a diversity from 0 to 1, got 'a'"),
        (lambda i: i.sync(5), "expected a list of paths, got 5"),
        (lambda i: i.sync([5]), r"expected a list of paths, got 5 in it"),
        (lambda i: i.remove(5), "expected a list of ids, got 5"),
        (lambda i: i.label(["a"]), r"expected labels by id, as {'a.md': 'bill'}, got \['a'\]"),
        (lambda i: i.label({10: "bill"}), "expected an id as str, got 10"),
        (lambda i: i.document_vectors([5]), "expected a list of ids, got 5 in it"),
        (lambda i: i.add("text"), "expected a list of Documents, got 'text'"),
        (lambda i: i.add(Document("a", "b")), r"a list of Documents, got Document\(id='a'"),
        (lambda i: i.add(Document("a", "b"), vectors=[[1.0] * 64]), "a list of Documents, got D"),
        (lambda i: i.add(None), "expected a list of Documents, got None"),
        (lambda i: i.texts("ab"), "expected a list of ids, got one: put 'ab' into a list"),
        (lambda i: i.document_vectors("ab"), "expected a list of ids, got one"),
        (lambda i: i.embed("a text"), "expected a list of texts, got one"),
        (lambda i: i.embed(["a", None]), "expected a list of texts, got None in it"),
        (lambda i: i.texts(5), "expected a list of ids, got 5"),
        (lambda i: i.get(["a"]), r"expected an id as str, got \['a'\]"),
        (lambda i: i.chunks(5), "expected an id as str, got 5"),
        (lambda i: i.passages(None), "expected an id as str, got None"),
        (lambda i: i.similar(b"a"), "expected an id as str, got b'a'"),
        (lambda i: i.add([{"id": "a"}]), "expected Documents, got {'id': 'a'}"),
        (lambda _: Document(1, "text"), "expected a document's id as str, got 1"),  # type: ignore[arg-type]
        (lambda _: Document("a", None), "expected a document's text as str, got None"),  # type: ignore[arg-type]
    ],
)
def test_arguments_of_the_wrong_type_are_named(
    index: Index, misuse: Callable[[Index], object], complaint: str
) -> None:
    with pytest.raises(TypeError, match=complaint):
        misuse(index)


def test_what_is_no_text_is_no_id(index: Index) -> None:
    index.add([Document("5", "text")])
    assert ("5" in index, 5 in index, ["5"] in index) == (True, False, False)  # type: ignore[operator]


def test_no_glob_may_be_said_as_none(index: Index, docs: Path) -> None:
    assert index.sync(docs, glob=None).added == 3
    assert index.search("cats", k=1, glob=None)[0].document_id == "animals.txt"
    assert index.counts(glob=None).documents == 3


def test_an_embedder_may_be_named(tmp_path: Path) -> None:
    with Index.open(tmp_path / "a", "local") as index:
        assert index.embedder.name == "local"
    with pytest.raises(EmbeddingError, match="zzz"):
        Index.open(tmp_path / "b", "zzz")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    "use",
    [
        len,
        lambda i: i.search("text"),
        lambda i: i.add([Document("b", "more")]),
        lambda i: i.status(),
        lambda i: list(i.documents()),
        lambda i: i.verify(),
    ],
)
def test_a_closed_index_says_so(index: Index, use: Callable[[Index], object]) -> None:
    index.add([Document("a", "text")])
    assert not index.closed
    index.close()
    assert index.closed
    with pytest.raises(EmbedsearchError, match="the index is closed: "):
        use(index)
    index.close()


def test_a_notebook_shows_what_an_object_is(tmp_path: Path) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index:
        assert repr(index) == f"<Index {tmp_path}>"
        assert repr(index.models) == f"<Models of {tmp_path / 'index.db'}: iterate them>"
        assert repr(index.embedder) == "HashEmbedder(64, max_tokens=256)"
    assert repr(index) == f"<Index {tmp_path}, closed>"
    with Index.open(":memory:") as packaged:
        assert repr(packaged) == "<Index in memory>"
        assert repr(packaged.embedder) == "<LocalEmbedder local>"
        assert repr(packaged.models) == "<Models of an index in memory: iterate them>"


def test_hits_and_chunks_become_json(index: Index) -> None:
    index.add([Document("a", "red foxes", {"tags": ["x"], "year": 2024})])
    (hit,) = index.search("red foxes")
    assert json.loads(json.dumps(hit.to_dict())) == {
        "rank": 1,
        "score": hit.score,
        "document_id": "a",
        "chunk_id": "a#0",
        "text": "red foxes",
        "start": 0,
        "end": 9,
        "start_line": 1,
        "end_line": 1,
        "page": None,
        "heading": None,
        "metadata": {"tags": ["x"], "year": 2024},
        "source": None,
        "seconds": None,
    }
    (chunk,) = index.chunks("a")
    assert json.loads(json.dumps(chunk.to_dict()))["tokens"] == 2
    (why,) = index.explain("red foxes", [hit])
    assert json.loads(json.dumps(why.to_dict()))["words"] == why.words
    (passage,) = pack([hit], budget=100, tokenizer=WordTokenizer())
    assert json.loads(json.dumps(passage.to_dict()))["hits"] == [hit.to_dict()]


def make_text(path: Path) -> None:
    path.write_text("this is no database at all, " * 100)


def make_foreign(path: Path) -> None:
    sqlite_utils.Database(path).table("recipes").insert({"name": "soup"})


def make_truncated(path: Path) -> None:
    with Index.open(path.parent, HashEmbedder()) as index:
        index.add(Document(str(n), f"text {n}") for n in range(500))
    path.write_bytes(path.read_bytes()[:9_000])


def make_newer(path: Path) -> None:
    Index.open(path.parent, HashEmbedder()).close()
    with sqlite3.connect(path) as database:
        database.execute("pragma user_version = 999")
    database.close()


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (make_text, "is damaged or no index"),
        (make_foreign, "is another program's database"),
        (make_truncated, "is damaged or no index"),
        (make_newer, "has schema 999, this embedsearch knows up to"),
    ],
)
def test_a_database_that_is_not_ours_or_broken_is_refused_and_left_alone(
    tmp_path: Path, make: Callable[[Path], None], complaint: str
) -> None:
    path = tmp_path / "index.db"
    make(path)
    before = path.read_bytes()
    with (
        pytest.raises(IndexCorrupt, match=complaint),
        Index.open(tmp_path, HashEmbedder()) as index,
    ):
        index.search("text")
    assert path.read_bytes() == before


def test_opening_what_is_not_there_can_be_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="no index in"):
        Index.open(tmp_path / "nowhere", create=False)
    assert not (tmp_path / "nowhere").exists()


def test_no_progress_may_be_wanted(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("one")
    with Index.open(":memory:", HashEmbedder()) as index:
        assert index.sync(tmp_path, progress=None, dry_run=True).added == 1
        assert index.sync(tmp_path, progress=None).texts == 1
        assert index.add([Document("b", "two")], embed=False, progress=None).pending == 1
        assert index.embed_pending(progress=None).texts == 1


def test_one_writer_at_a_time_while_readers_go_on(tmp_path: Path) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(_: object) -> None:
        entered.set()
        leave.wait(10)

    def write() -> None:
        with Index.open(tmp_path, HashEmbedder()) as writer:
            writer.add([Document("a", "first")], progress=slow)

    thread = threading.Thread(target=write)
    thread.start()
    entered.wait(10)
    with Index.open(tmp_path, HashEmbedder()) as other:
        with pytest.raises(IndexLocked, match="is being written by another process"):
            other.add([Document("b", "second")])
        assert [hit.document_id for hit in other.search("first")] == ["a"]
    leave.set()
    thread.join()
    with Index.open(tmp_path, HashEmbedder()) as other:
        assert other.add([Document("b", "second")]).added == 1


def test_a_full_disk_is_an_error_and_loses_nothing(index: Index) -> None:
    index.add([Document("a", "kept words")])
    pages = index._database.value("pragma page_count")
    index._database.execute(f"pragma max_page_count = {pages + 20}")
    with pytest.raises(StorageFailed, match=r"the disk that holds .* is full"):
        index.add(Document(str(n), f"{n} " * 200) for n in range(2_000))
    assert index.verify() == []
    assert index.search("kept", k=1)[0].document_id == "a"
    index._database.execute("pragma max_page_count = 1000000")
    assert index.add([Document("b", "more words")]).added == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of 2 MB; to make one takes Linux and root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_an_index_on_a_full_disk_can_be_read(small_disk: Path) -> None:
    with Index.open(small_disk / "index", HashEmbedder()) as index:
        index.add([Document("a", "kept words")])
    with suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    for create in (True, False):
        with Index.open(small_disk / "index", HashEmbedder(), create=create) as index:
            assert index.search("kept", k=1)[0].document_id == "a"
            assert (len(index), index.status().pending.texts) == (1, 0)
            assert index.verify() == []
            with pytest.raises(StorageFailed, match="can't be written") as refused:
                index.add([Document("b", "more")])
            assert refused.value.hint == "is its folder read-only, or its disk full?"
    (small_disk / "filler").unlink()
    with Index.open(small_disk / "index", HashEmbedder()) as index:
        assert index.add([Document("b", "more")]).added == 1


@pytest.mark.parametrize("version", [7, 10])
def test_an_index_of_an_older_version_has_to_be_opened_where_it_can_be_written(
    version: int,
) -> None:
    with users.open_folder() as folder:
        with Index.open(folder, HashEmbedder()) as index:
            index.add([Document("a", "kept words")])
        database = sqlite3.connect(folder / "index.db")
        if version == 7:
            database.executescript("""
                drop index idx_documents_partial;
                alter table documents drop column partial;
                drop view live_texts;
                alter table texts drop column words;
                create view live_texts as select id, text from texts where text is not null;
            """)
        database.execute(f"pragma user_version = {version}")
        database.close()
        with users.nobody(), pytest.raises(StorageFailed) as refused:
            Index.open(folder, HashEmbedder(), create=False)
        assert str(refused.value) == (
            f"{folder / 'index.db'} was made by an older version, and can't be brought up to date:"
            " it may not be written"
        )
        assert refused.value.hint == (
            "open it once, or a copy of it, where it can be written: embedsearch status"
        )
        Index.open(folder, HashEmbedder()).close()
        with users.nobody(), Index.open(folder, HashEmbedder(), create=False) as index:
            assert index.search("kept", k=1)[0].document_id == "a"


def test_a_database_that_may_not_be_read_is_told_as_such() -> None:
    with users.open_folder() as folder:
        Index.open(folder, HashEmbedder()).close()
        (folder / "index.db").chmod(0)
        with users.nobody(), pytest.raises(StorageFailed) as refused:
            Index.open(folder, create=False)
        assert str(refused.value) == f"{folder / 'index.db'} can't be read: permission denied"
        assert refused.value.hint is None


def test_the_database_can_be_read_with_other_tools(index: Index, docs: Path) -> None:
    index.sync(docs)
    assert index.path
    database = sqlite_utils.Database(index.path / "index.db")
    passages = list(database["passages"].rows_where("document = ?", ["animals.txt"]))
    assert [row["text"] for row in passages] == ["Cats and dogs live together.\n"]
    row = next(iter(database["vectors"].rows))
    assert np.frombuffer(row["vector"], "<f2").shape == (64,)
    assert json.loads(next(iter(database["documents"].rows))["metadata"]) == {}
    database.close()


def test_an_index_serves_several_threads(index: Index) -> None:
    index.add(Document(str(n), f"{WORDS[n % 5]} {n}") for n in range(200))
    found: list[str] = []

    def look() -> None:
        found.extend(index.search(f"{WORDS[n % 5]} {n}", k=1)[0].document_id for n in range(50))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(str(n) for n in range(50) for _ in threads)


@pytest.mark.parametrize("place", ["folder", "memory"])
def test_a_snapshot_is_of_the_moment_it_was_taken(tmp_path: Path, place: str) -> None:
    path = tmp_path if place == "folder" else ":memory:"
    with Index.open(path, HashEmbedder()) as index:
        index.add([Document("a", "old words")])
        with index.snapshot() as then:
            index.add([Document("a", "new"), Document("b", "words")])
            (hit,) = then.search("words")
            assert then.get(hit.document_id).text == hit.text == "old words"
            assert [found.document_id for found in then.search("new", mode="dense")] == ["a"]
            assert (len(then), len(index)) == (1, 2)
            assert index.search("words", k=1)[0].document_id == "b"
            with then.snapshot() as same:
                assert same is then
        assert then.closed
        assert index.get("a").text == "new"


def test_a_snapshot_is_of_one_moment_whatever_others_write(tmp_path: Path) -> None:
    with (
        Index.open(tmp_path, HashEmbedder()) as index,
        Index.open(tmp_path, index.embedder) as other,
        index.snapshot() as then,
    ):
        other.add([Document("a", "words")])
        assert (then.search("words"), "a" in then, "a" in index) == ([], False, True)


def test_a_snapshot_of_an_empty_index_has_its_embedder(tmp_path: Path) -> None:
    with Index.open(tmp_path) as index, index.snapshot() as then:
        assert then.embedder is index.embedder


def test_a_search_in_a_snapshot_leaves_the_vectors_that_were_missing(tmp_path: Path) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add(Document(str(n), f"text {n}") for n in range(1_200))
    (tmp_path / "vectors.faiss").unlink()
    with Index.open(tmp_path, HashEmbedder()) as index, index.snapshot() as then:
        assert len(then.search("text 7")) == 10
    assert (tmp_path / "vectors.faiss").exists()
    with Index.open(tmp_path, HashEmbedder()) as index:
        assert index.verify() == []


@pytest.mark.parametrize("several", [list, np.array, iter, lambda ids: (id for id in ids)])
def test_vectors_are_those_of_ids_in_any_column(index: Index, several: Any) -> None:
    index.add(Document(id, f"text {id}") for id in "abc")
    assert sorted(index.document_vectors(several(["a", "c"])).ids) == ["a", "c"]


def test_later_moments_sort_after(index: Index) -> None:
    at = datetime(2024, 5, 1, 6, tzinfo=UTC)
    for n in range(3):
        index.add([Document(str(n), "text", {"at": at + timedelta(seconds=n, milliseconds=500)})])
    found = [d.id for d in index.documents(where={"at": {"gte": at}})]
    assert found == ["0", "1", "2"]
    later = {"at": {"gte": at + timedelta(seconds=1)}}
    assert [d.id for d in index.documents(where=later)] == ["1", "2"]


def test_a_snapshot_stops_no_other_thread(tmp_path: Path) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index, ThreadPoolExecutor(1) as pool:
        index.add([Document("a", "words")])
        with index.snapshot() as then:
            assert pool.submit(index.get, "a").result(timeout=5).text == "words"
            assert pool.submit(index.add, [Document("b", "words")]).result(timeout=5).added == 1
            assert [h.document_id for h in pool.submit(then.search, "words").result(5)] == ["a"]
            assert {h.document_id for h in index.search("words")} == {"a", "b"}


@pytest.mark.parametrize(
    "write",
    [
        lambda index: index.add([Document("a", "words")]),
        lambda index: index.remove("a"),
        lambda index: index.label({"a": "x"}),
        lambda index: index.embed_pending(),
        lambda index: index.gc(),
    ],
)
def test_a_snapshot_is_not_written_to(index: Index, write: Callable[[Index], object]) -> None:
    index.add([Document("a", "old")], embed=False)
    with index.snapshot() as then:
        with pytest.raises(RuntimeError, match="a snapshot is of one moment: write to the index"):
            write(then)
        with pytest.raises(TypeError, match="as a snapshot"):
            pickle.dumps(then)
    assert (index.get("a").text, index.pending().texts) == ("old", 1)


def test_an_index_made_anew_in_the_same_place_takes_no_words_of_an_old_handle(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "index"
    with Index.open(folder, HashEmbedder()) as old:
        old.add([Document("a", "old")])
        shutil.rmtree(folder)
        with Index.open(folder, HashEmbedder()) as new:
            new.add([Document("b", "new")])
            for act in (lambda: old.add([Document("c", "lost")]), lambda: old.label({"a": "x"})):
                with pytest.raises(IndexNotFound, match="moved, deleted or replaced"):
                    act()
            with pytest.raises(IndexNotFound, match="moved, deleted or replaced"), old.snapshot():
                pass
            assert [document.id for document in new.documents()] == ["b"]
            assert old.get("a").text == "old"


@pytest.mark.parametrize("again", [False, True])
def test_an_index_that_is_gone_can_be_closed(tmp_path: Path, *, again: bool) -> None:
    folder = tmp_path / "index"
    old = Index.open(folder, HashEmbedder())
    old.add(Document(str(n), f"text {n}") for n in range(1_200))  # so many have a cache
    shutil.rmtree(folder)
    if again:
        with Index.open(folder, HashEmbedder()) as new:
            new.add([Document("b", "new")])
    old.close()
    assert old.closed
    if again:
        with Index.open(folder, HashEmbedder()) as new:
            assert (new.verify(), len(new), (folder / "vectors.faiss").exists()) == ([], 1, False)
    else:
        assert not folder.exists()


FORKING = """
import os, sys, threading, warnings
from embedsearch import Document, Index
from embedsearch.errors import EmbedsearchError

warnings.simplefilter("ignore")  # Python's own, of threads and fork
index = Index.open(sys.argv[1])
index.add([Document("a", "a red fox")])
over = threading.Event()
def look():
    while not over.is_set():
        index.search("fox")
threads = [threading.Thread(target=look) for _ in range(3)]
for thread in threads:
    thread.start()
for _ in range(5):
    child = os.fork()
    if child == 0:
        told = 0
        for use in (lambda: index.search("fox"), lambda: index.get("a"), lambda: len(index),
                    lambda: index.add([Document("b", "x")]), lambda: index.embed(["x"])):
            try:
                use()
            except EmbedsearchError as error:
                told += "opened before this process was forked" in str(error)
        index.close()
        os._exit(0 if told == 5 else 1)
    print(os.waitpid(child, 0)[1])
over.set()
for thread in threads:
    thread.join()
print(index.search("fox")[0].document_id, index.add([Document("b", "a blue fox")]).added)
index.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_is_told_to_open_the_index_again(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING, tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("0\n" * 5 + "a 1\n", "")


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    def write(name: str) -> int:
        with Index.open(tmp_path, HashEmbedder()) as index:
            return sum(index.add([Document(f"{name}{n}", f"text {n}")]).added for n in range(20))

    with Index.open(tmp_path, HashEmbedder()), ThreadPoolExecutor(3) as pool:
        assert list(pool.map(write, "abc")) == [20, 20, 20]


def test_one_id_may_be_removed_as_it_is(index: Index) -> None:
    index.add(Document(id, f"text {id}") for id in ("ab", "a", "b"))
    assert index.remove("ab") == 1
    assert [document.id for document in index.documents()] == ["a", "b"]


def test_an_index_stays_where_it_was_opened(
    tmp_path: Path, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Index.open("relative", HashEmbedder()) as index:
        index.sync("docs")
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir("elsewhere")
        hits = index.search("refunds", k=1)
        assert hits[0].source == str(docs / "guide" / "refunds.md")
        assert index.stale(hits) == set()
        assert index.sync(docs).unchanged == 3
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_cache_of_another_past_is_not_believed(tmp_path: Path) -> None:
    def rows(name: str, count: int) -> list[Document]:
        return [Document(f"{name}{n}", f"{name} {n}") for n in range(count)]

    folder, backup = tmp_path / "index", tmp_path / "backup.db"
    with Index.open(folder, HashEmbedder()) as index:
        index.add(rows("common", 1200))
    shutil.copy(folder / "index.db", backup)
    with Index.open(folder, HashEmbedder()) as index:
        index.add(rows("lost", 300))
    shutil.copy(backup, folder / "index.db")
    with Index.open(folder, HashEmbedder()) as index:
        index.add(rows("found", 300))
        hits = index.search("found 7", k=1, mode="dense")
        assert (hits[0].document_id, round(hits[0].score, 2)) == ("found7", 1.0)


def test_documents_of_the_same_text_keep_their_own_vectors(index: Index) -> None:
    index.add([Document("file", "same")])
    before = index.search("same", k=1, mode="dense")[0].score
    eye = np.eye(64, dtype=np.float32)
    index.add([Document("a", "same"), Document("b", "same")], vectors=eye[:2])
    for axis, id in enumerate("ab"):
        (hit,) = index.search_vector(eye[axis], k=1)
        assert (hit.document_id, round(hit.score, 3)) == (id, 1.0)
    assert index.search("same", k=1, mode="dense", glob=["file"])[0].score == before
    assert index.highlighted("same", [hit.text], marks=("<", ">")) == ["<same>"]
    assert index.verify() == []


def test_what_was_removed_counts_for_no_ranking(index: Index) -> None:
    index.add(Document(str(n), f"report number {n}") for n in range(50))
    index.add([Document("zebra", "the zebra report")])
    before = [(hit.document_id, hit.score) for hit in index.search("zebra report", k=3)]
    index.add(Document(f"more {n}", f"nothing of use {n}") for n in range(500))
    index.remove([f"more {n}" for n in range(500)])
    assert [(hit.document_id, hit.score) for hit in index.search("zebra report", k=3)] == before


def test_threads_that_open_a_new_index_get_the_same_one(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def open_it() -> None:
        try:
            Index.open(tmp_path / "index", HashEmbedder()).close()
        except BaseException as error:  # noqa: BLE001 -- looked at below
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_who_reads_waits_for_an_index_that_another_is_making(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedsearch.files.MADE_SECONDS", 60)
    (tmp_path / "index.db").touch()  # what is there at first
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(Index.open, tmp_path, create=False)
        with pytest.raises(TimeoutError):
            reading.result(timeout=0.1)
        Index.open(tmp_path, HashEmbedder()).close()
        with reading.result(timeout=60) as index:
            assert index.space == "hash/64"


def test_opening_to_read_makes_no_index_of_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "index.db").touch()
    with pytest.raises(IndexNotFound, match="holds no index yet"):
        Index.open(tmp_path, create=False)
    assert (tmp_path / "index.db").stat().st_size == 0


@pytest.mark.parametrize("left", ["vectors.faiss", "index.db-wal"])
@pytest.mark.parametrize("create", [True, False])
def test_an_emptied_database_is_no_new_index(tmp_path: Path, left: str, *, create: bool) -> None:
    (tmp_path / "index.db").touch()
    (tmp_path / left).write_bytes(b"what is left")
    with pytest.raises(IndexCorrupt, match=r"index\.db is empty; it held an index"):
        Index.open(tmp_path, HashEmbedder(), create=create)
    with pytest.raises(IndexCorrupt, match="can't be salvaged"):
        salvage(tmp_path)
    assert (tmp_path / "index.db").read_bytes() == b""
    assert (tmp_path / left).read_bytes() == b"what is left"


def test_documents_of_a_source_that_is_gone_are_found_and_kept(index: Index, docs: Path) -> None:
    index.sync(docs)
    index._database.execute("pragma foreign_keys = off")
    index._database.execute("delete from sources")
    hit = index.search("cats", k=1)[0]
    assert (hit.document_id, hit.source) == ("animals.txt", None)
    assert index.stale([hit]) == set()
    (problem,) = index.verify()
    assert (problem.what, problem.remedy) == (
        "documents without their sources: 3",
        "they stay, and those whose files are as they were are found by: embedsearch index",
    )
    assert index.repair() == [problem]
    assert index.verify() == []
    assert index.get("animals.txt").text == "Cats and dogs live together.\n"
    index.label({"animals.txt": "pets"})
    other = docs.parent / "other"
    other.mkdir()
    (other / "animals.txt").write_text("Other animals.\n")
    assert index.sync(other).added == 1
    for report in (index.sync(docs, dry_run=True), index.sync(docs), index.sync(docs)):
        assert (report.added, report.unchanged, report.removed) == (0, 3, 0)
    assert index.search("cats", k=1)[0].source == str(docs / "animals.txt")
    assert index.labels() == {"animals.txt": ("pets",)}
    assert len(index) == 4


def test_verify_takes_its_turn_beside_a_writer(tmp_path: Path) -> None:
    with (
        Index.open(tmp_path / "index", HashEmbedder()) as writer,
        Index.open(tmp_path / "index", HashEmbedder()) as reader,
    ):
        writer.add([Document("a", "text")])
        begun, found = threading.Event(), []

        def verify() -> None:
            begun.wait()
            found.append(reader.verify())

        thread = threading.Thread(target=verify)
        thread.start()
        with writer._database.writing():
            begun.set()
            thread.join(0.2)
            assert found == []
        thread.join()
        assert found == [[]]


def test_threads_that_write_to_one_index_wait_for_each_other(index: Index) -> None:
    def add(name: int) -> None:
        for n in range(5):
            index.add([Document(f"{name}-{n}", f"text {name} {n}")])

    threads = [threading.Thread(target=add, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(index) == 20


def test_without_its_model_an_index_still_tells_what_it_holds(tmp_path: Path) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add([Document("a", "some words")])
    with Index.open(tmp_path) as index:  # 'hash' is no name that a model is found by
        assert index.status().counts.documents == 1
        assert index.search("words", mode="lexical")[0].document_id == "a"
        assert index.remove("a") == 1
        complaint = "the index was made with 'hash': no embedder is named 'hash', and no folder"
        with pytest.raises(EmbeddingError, match=complaint) as refused:
            index.search("words")
        assert refused.value.hint == (
            "say where the model is now: -m FOLDER; words are found without it: --mode lexical"
            "; in Python: Index.open(path, embedder), or mode='lexical'"
        )


def test_the_limit_of_a_chunk_is_the_model_s_where_that_is_less(tmp_path: Path) -> None:
    with Index.open(tmp_path, HashEmbedder(max_tokens=16)) as index:
        index.add([Document("a", "word " * 100)])
        assert max(chunk.tokens or 0 for chunk in index.chunks("a")) == 16
    with pytest.raises(ValueError, match="got 8 and 32"):
        Index.open(tmp_path / "new", HashEmbedder(), chunk_tokens=8)
    assert not (tmp_path / "new").exists()


def test_how_an_index_is_cut_is_told_where_other_numbers_are_asked_for(tmp_path: Path) -> None:
    above = "chunk_tokens of this index is 16, not 40: it is .* never above what its model reads"
    with pytest.warns(UserWarning, match=above) as heard:
        Index.open(tmp_path, HashEmbedder(max_tokens=16), chunk_tokens=40, chunk_overlap=8).close()
    assert (len(heard), heard[0].filename) == (1, __file__)
    with pytest.warns(UserWarning, match="chunk_overlap of this index is 8, not 4: .* half of a c"):
        Index.open(tmp_path, chunk_tokens=16, chunk_overlap=4).close()
    Index.open(tmp_path, chunk_tokens=16, chunk_overlap=8).close()
    Index.open(tmp_path).close()

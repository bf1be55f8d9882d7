"""Repair and salvage: a damaged database gives back what can still be read."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embedsearch import Document, Index
from embedsearch.errors import IndexCorrupt, IndexDamaged, IndexNotFound
from embedsearch.files import damaged, salvage
from embedsearch.store.checks import Problem
from embedsearch.store.fulltext import text_hash
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
    counts = salvage(folder).kept
    assert counts["vectors"] > 2_500
    with Index.open(folder, HashEmbedder()) as index:
        index.sync(folder.parent / "docs")
        torn = [problem for problem in index.verify() if "do not cover" not in problem.what]
        assert torn == []
        assert len(index) > 2_500
        assert index.search("file 7", k=1)[0].document_id == "7.txt"
    assert (folder / "index.db.damaged").exists()


def test_a_vector_whose_text_is_lost_does_not_count(folder: Path) -> None:
    with sqlite3.connect(folder / "index.db") as connection:
        (whole,) = connection.execute("select count(*) from vectors").fetchone()
        connection.execute("delete from texts where id <= 10")
    connection.close()
    assert salvage(folder).kept["vectors"] == whole - 10


def test_a_truncated_database_gives_back_what_lies_before_the_cut(folder: Path) -> None:
    whole = (folder / "index.db").read_bytes()
    (folder / "index.db").write_bytes(whole[: len(whole) * 95 // 100])
    with pytest.raises(IndexCorrupt, match="is damaged"):
        Index.open(folder, create=False)
    assert salvage(folder).kept["documents"] == 3_040
    assert (folder / "index.db.damaged").read_bytes() == whole[: len(whole) * 95 // 100]
    with Index.open(folder, HashEmbedder()) as index:
        index.sync(folder.parent / "docs")
        assert index.get("2999").text == "document number 2999"
        assert index.search("file 7", k=1)[0].document_id == "7.txt"


def test_a_database_without_its_header_loses_nothing_else(folder: Path) -> None:
    with (folder / "index.db").open("r+b") as file:
        file.write(b"\xa5" * 100)
    counts = salvage(folder).kept
    assert (counts["documents"], counts["vectors"]) == (3_040, 3_080)
    with Index.open(folder, HashEmbedder()) as index:
        assert index.verify() == []


def test_a_database_of_an_older_version_is_salvaged_too(folder: Path) -> None:
    with sqlite3.connect(folder / "index.db") as database:
        database.execute("alter table texts drop column salt")
        database.execute("drop table outbox")
        database.execute("pragma user_version = 2")
    database.close()
    salvaged = salvage(folder)
    assert (salvaged.kept["texts"], salvaged.lost) == (3_080, [])
    with Index.open(folder, HashEmbedder()) as index:
        assert index.verify() == []


def test_a_text_that_is_no_utf8_any_more_is_found_and_read_again(folder: Path) -> None:
    data = (folder / "index.db").read_bytes()
    assert data.count(b"file 7 file 7 ") > 1
    (folder / "index.db").write_bytes(data.replace(b"file 7 file 7 ", b"file\xff7 file 7 "))
    with Index.open(folder, HashEmbedder()) as index:
        assert index.search("file 7", k=1)[0].document_id == "7.txt"
        problem = next(p for p in index.verify() if "7.txt" in p.what)
        assert problem.what == "the text of '7.txt' is not what was stored"
        assert problem.remedy == f"it is read again by: embedsearch index {folder.parent / 'docs'}"
        index.repair()
        assert index.sync(folder.parent / "docs").updated == 1
        assert index.verify() == []
        assert index.get("7.txt").text == "file 7 " * 200


def test_rows_of_wrong_types_are_found_and_left_behind(folder: Path) -> None:
    with sqlite3.connect(folder / "index.db") as database:
        database.execute("update chunks set end = 'x' where document = 7")
    database.close()
    with Index.open(folder, HashEmbedder()) as index:
        assert [problem.what for problem in index.verify()] == [
            "index.db is damaged: chunks holds rows of wrong types"
        ]
        with pytest.raises(IndexDamaged, match="chunks holds rows of wrong types"):
            index.repair()
    assert salvage(folder).kept["documents"] == 3_040
    with Index.open(folder, HashEmbedder()) as index:
        assert [(problem.what, problem.remedy) for problem in index.verify()] == [
            ("the chunks of '6' do not cover it", "add it again, or: embedsearch rm 6")
        ]


LOST = {
    "table vectors": "texts are embedded again by: embedsearch index",
    "table texts": "what files hold comes back by: embedsearch index",
    "table chunks": "what files hold comes back by: embedsearch index",
    "table documents": "what files hold comes back by: embedsearch index",
    "table runs": "when the index was brought up to date, and what that took, is lost",
    "table labels": "labels are lost, and set again by: embedsearch label",
    "table models": "classifiers are lost; another: embedsearch train",
    "table unread": "what files can't be read is told again by: embedsearch index",
    "table texts_fts": "",
    "table texts_fts_docsize": "",
    "view live_texts": "",
    "view passages": "",
    "view current_labels": "",
    "index idx_texts_sha256": "",
}
"""What a database may lack, and what becomes of what it held."""


@pytest.mark.parametrize("lost", LOST)
def test_what_the_schema_lacks_is_named_and_made_anew(tmp_path: Path, lost: str) -> None:
    docs, folder = tmp_path / "docs", tmp_path / "index"
    docs.mkdir()
    (docs / "a.md").write_text("Cats purr.\n")
    with Index.open(folder, HashEmbedder()) as index:
        index.sync(docs)
        index.label({"a.md": "cat"})
    with sqlite3.connect(folder / "index.db") as connection:
        connection.execute("pragma foreign_keys = off")
        connection.execute(f"drop {lost}")
    connection.close()
    empty = f", empty; {LOST[lost]}" if LOST[lost] else ""
    problem = Problem(f"index.db is damaged: its {lost} is missing", f"it is made anew{empty}")
    with Index.open(folder, HashEmbedder()) as index:
        assert index.verify() == [problem]
        assert index.repair() == [problem]
        index.sync(docs)
        assert index.verify() == []
        for mode in ("lexical", "dense"):
            assert index.search("cats purr", k=1, mode=mode)[0].document_id == "a.md"
        assert index.labels() == ({} if lost == "table labels" else {"a.md": ("cat",)})


@pytest.mark.parametrize("lost", ["settings", "spaces", "texts_fts_config"])
def test_a_database_that_lacks_more_than_can_be_mended_is_salvaged(folder: Path, lost: str) -> None:
    with sqlite3.connect(folder / "index.db") as connection:
        connection.execute("pragma foreign_keys = off")
        connection.execute(f"drop table {lost}")
    connection.close()
    said = f"no such table: {lost}|vtable constructor failed"
    with pytest.raises(IndexDamaged, match=said), Index.open(folder, HashEmbedder()) as index:
        index.repair()
    assert salvage(folder).kept["vectors"] == 3_080
    with Index.open(folder, HashEmbedder()) as index:
        assert index.verify() == []


def test_metadata_that_cannot_be_read_is_named_and_comes_back_from_its_file(tmp_path: Path) -> None:
    docs, folder = tmp_path / "docs", tmp_path / "index"
    docs.mkdir()
    (docs / "a.md").write_text("---\ntitle: Cats\n---\nCats purr.\n")
    with Index.open(folder, HashEmbedder()) as index:
        index.sync(docs)
        index.add([Document("b", "dogs bark", {"title": "Dogs"}), Document("c", "birds sing")])
        assert index.search("cats", k=3)[0].metadata["title"] == "Cats"
    data = (folder / "index.db").read_bytes()
    (folder / "index.db").write_bytes(data.replace(b'{"title"', b'{"title\x23'))
    with Index.open(folder, HashEmbedder()) as index:
        said = "index.db is damaged: the metadata of '{}' can't be read"
        for call, id in (
            (lambda: index.search("dogs", k=1), "b"),
            (lambda: index.search("cats", k=3), "a.md"),
            (lambda: [*index.documents()], "a.md"),
            (lambda: index.get("b"), "b"),
            (lambda: index.search("cats", where={"title": "Cats"}), "a.md"),
            (lambda: index.unmet({"titel": "Cats"}), "a.md"),
        ):
            with pytest.raises(IndexDamaged, match=re.escape(said.format(id))) as refused:
                call()
            assert (refused.value.hint or "").startswith("try: embedsearch repair")
        again = f"it is read again by: embedsearch index {docs}"
        found = index.repair()
        assert [(problem.what, problem.remedy) for problem in found] == [
            ("the metadata of 'a.md' can't be read", again),
            (
                "the metadata of 'b' can't be read",
                "it is dropped; to have it, add the document again",
            ),
        ]
        assert index.verify() == [Problem("the metadata of 'a.md' is lost", again, by_repair=False)]
        assert (index.get("b").text, index.get("b").metadata) == ("dogs bark", {})
        assert index.sync(docs).updated == 1
        assert index.get("a.md").metadata["title"] == "Cats"
        assert index.verify() == []


@pytest.mark.parametrize("stored", [b'{"title": "C\xff"}', b"[1]", b"{}, {}", b"NaN", b""])
def test_metadata_is_an_object_of_json_in_utf_8(tmp_path: Path, stored: bytes) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add([Document("a", "cats"), Document("b", "dogs")])
    with sqlite3.connect(tmp_path / "index.db") as connection:
        connection.execute(
            "update documents set metadata = cast(? as text) where id = 'a'", [stored]
        )
    connection.close()
    with Index.open(tmp_path, HashEmbedder()) as index:
        assert [problem.what for problem in index.repair()] == ["the metadata of 'a' can't be read"]
        assert index.verify() == []
        assert [document.metadata for document in index.documents()] == [{}, {}]


@pytest.mark.parametrize("stored", ['{"a": 2', "[]", '{"a": "2"}'])
def test_a_classifier_that_lost_what_it_learned_from_is_named_and_dropped(
    tmp_path: Path, stored: str
) -> None:
    np.savez(tmp_path / "state.npz", weights=np.ones(4))
    with Index.open(tmp_path, HashEmbedder()) as index:
        for _ in range(2):
            state = (tmp_path / "state.npz").read_bytes()
            index.models.put(index.space, "KNNClassifier", {"a": 2}, state)
    with sqlite3.connect(tmp_path / "index.db") as connection:
        connection.execute("update models set labels = ? where version = 2", [stored])
    connection.close()
    with Index.open(tmp_path, HashEmbedder()) as index:
        said = "index.db is damaged: what classifier 2 has learned from can't be read"
        for call in (lambda: [*index.models], index.models.get, index.status):
            with pytest.raises(IndexDamaged, match=said) as refused:
                call()
            assert (refused.value.hint or "").startswith("try: embedsearch repair")
        assert index.models.get(1)[0].labels == {"a": 2}
        assert index.repair() == [
            Problem("classifier 2 is damaged", "it is dropped; another: embedsearch train")
        ]
        assert index.verify() == []
        assert [model.version for model in index.models] == [1]


@pytest.mark.parametrize("stored", ["[2, 1, 0", '[2, 1, "0", 0, 1]'])
def test_what_is_left_to_embed_is_counted_where_its_note_is_damaged(
    tmp_path: Path, stored: str
) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add([Document("a", "cats")])
    with sqlite3.connect(tmp_path / "index.db") as connection:
        connection.execute("update settings set value = ? where key = 'pending'", [stored])
    connection.close()
    with Index.open(tmp_path, HashEmbedder()) as index:
        assert (index.pending().texts, index.pending().embedded) == (0, 1)
        assert index.repair() == [
            Problem("the note 'pending' can't be read", "it is dropped, and made anew")
        ]
        assert index.verify() == []


@pytest.mark.parametrize("key", ["chunk_tokens", "generation"])
@pytest.mark.parametrize("damage", ["update settings set value = '2\x7f0'", "delete from settings"])
def test_a_setting_that_cannot_be_read_is_named_and_brought_back(
    tmp_path: Path, damage: str, key: str
) -> None:
    with Index.open(tmp_path, HashEmbedder(), chunk_tokens=99) as index:
        index.add([Document("a", "cats")])
    with sqlite3.connect(tmp_path / "index.db") as connection:
        connection.execute(f"{damage} where key = ?", [key])
    connection.close()
    said = f"index.db is damaged: its setting '{key}' can't be read"
    with pytest.raises(IndexDamaged, match=said) as refused:
        Index.open(tmp_path, HashEmbedder())
    assert (refused.value.hint or "").startswith("try: embedsearch repair")
    assert salvage(tmp_path).kept["vectors"] == 1
    with Index.open(tmp_path, HashEmbedder()) as index:
        assert index.verify() == []
        assert index.search("cats", k=1)[0].document_id == "a"
        assert index.status().chunk_tokens == (254 if key == "chunk_tokens" else 99)


@pytest.mark.parametrize(
    ("key", "damage", "chunks"),
    [
        ("generation", "12345678901234567890", (20, 4)),
        ("chunk_tokens", "0", (254, 4)),
        ("chunk_overlap", "20", (20, 10)),
        ("chunk_overlap", "-4", (20, 10)),
    ],
)
def test_a_setting_that_cannot_be_is_named_and_brought_back(
    tmp_path: Path, key: str, damage: str, chunks: tuple[int, int]
) -> None:
    with Index.open(tmp_path, HashEmbedder(), chunk_tokens=20, chunk_overlap=4) as index:
        index.add([Document("a", "cats")])
    with sqlite3.connect(tmp_path / "index.db") as connection:
        connection.execute("update settings set value = ? where key = ?", [damage, key])
    connection.close()
    with pytest.raises(IndexDamaged, match=f"its setting '{key}' can't be read"):
        Index.open(tmp_path, HashEmbedder())
    assert salvage(tmp_path).kept["vectors"] == 1
    with Index.open(tmp_path, HashEmbedder()) as index:
        assert index.verify() == []
        assert (index.status().chunk_tokens, index.status().chunk_overlap) == chunks
        assert index.add([Document("b", "dogs " * 50)]).added == 1


def make_with_dimensions(folder: Path, dimensions: int) -> None:
    """Make an index whose space says another number than its vectors have."""
    with Index.open(folder, HashEmbedder()) as index:
        index.add([Document("a", "cats"), Document("b", "dogs")])
    with sqlite3.connect(folder / "index.db") as connection:
        connection.execute("update spaces set dimensions = ?", [dimensions])
    connection.close()


@pytest.mark.parametrize("dimensions", [-1, 1 << 40])
def test_dimensions_that_cannot_be_are_told_at_once(tmp_path: Path, dimensions: int) -> None:
    make_with_dimensions(tmp_path, dimensions)
    with pytest.raises(IndexDamaged, match=f"are said to have {dimensions} dimensions"):
        Index.open(tmp_path)
    expect_salvaged(tmp_path)


@pytest.mark.parametrize("dimensions", [0, 65])
def test_dimensions_that_no_vector_has_are_found_by_verify(tmp_path: Path, dimensions: int) -> None:
    make_with_dimensions(tmp_path, dimensions)
    said = "index.db is damaged: its vectors have 64 dimensions, which is not what it says"
    with Index.open(tmp_path) as index:
        assert [problem.what for problem in index.verify()] == [said]
        with pytest.raises(IndexDamaged, match="its vectors have 64 dimensions"):
            index.repair()
    expect_salvaged(tmp_path)


def expect_salvaged(folder: Path) -> None:
    """Expect that no vector is lost with what the space said of them."""
    assert salvage(folder).lost == []
    with Index.open(folder, HashEmbedder()) as index:
        assert index.status().dimensions == 64
        assert index.verify() == []
        assert index.search("dogs", k=1, mode="dense")[0].document_id == "b"


def test_what_a_salvaged_index_has_left_to_embed_is_counted(tmp_path: Path) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add(Document(str(n), f"text {n}") for n in range(5))
        generation = index.status().generation
    with sqlite3.connect(tmp_path / "index.db") as connection:
        connection.execute("delete from vectors where number > 2")
    connection.close()
    salvage(tmp_path)
    with Index.open(tmp_path, HashEmbedder()) as index:
        while index.status().generation < generation:  # of which the old one had noted a 0
            index.label({"0": "a"})
        assert index.pending().texts == 3
        assert index.embed_pending().texts == 3


@pytest.mark.parametrize("stored", ["5", "replace(hex(zeroblob(length(vector))), '00', '0')"])
def test_what_is_no_vector_is_named_and_left_behind(folder: Path, stored: str) -> None:
    with sqlite3.connect(folder / "index.db") as connection:
        connection.execute(f"update vectors set vector = {stored} where number = 7")
    connection.close()
    (folder / "vectors.faiss").unlink()
    with Index.open(folder, HashEmbedder()) as index:
        said = f"expected vectors of {index.embedder.dimensions} dimensions, found one of 0"
        for call in (lambda: index.search("file 7"), index.document_vectors):
            with pytest.raises(IndexDamaged, match=said):
                call()
        with pytest.raises(IndexDamaged, match="vectors holds rows of wrong types"):
            index.repair()
    salvage(folder)
    with Index.open(folder, HashEmbedder()) as index:
        assert index.pending().texts == 1
        assert index.verify() == []


def test_a_vector_of_another_length_is_named_and_made_anew(folder: Path) -> None:
    with sqlite3.connect(folder / "index.db") as connection:
        connection.execute("update vectors set vector = substr(vector, 3) where number = 7")
    connection.close()
    (folder / "vectors.faiss").unlink()
    with Index.open(folder, HashEmbedder()) as index:
        size = index.embedder.dimensions
        said = f"expected vectors of {size} dimensions, found one of {size - 1}"
        for call in (
            lambda: index.search("file 7"),
            lambda: index.similar("6"),
            index.document_vectors,
            lambda: index.passages("6"),
            lambda: index.embed(["document number 6"]),
        ):
            with pytest.raises(IndexDamaged, match=said) as refused:
                call()
            assert (refused.value.hint or "").startswith("try: embedsearch repair")
        assert [problem.what for problem in index.repair()] == ["damaged vectors: 1"]
        assert index.embed_pending().texts == 1
        assert index.search("document number 6", k=1)[0].document_id == "6"
        assert index.verify() == []


def test_a_vector_with_a_flipped_bit_is_named_and_made_anew(tmp_path: Path) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add(Document(str(n), f"document number {n}") for n in range(3))
    with sqlite3.connect(tmp_path / "index.db") as connection:
        (stored,) = connection.execute("select vector from vectors where number = 2").fetchone()
        vector = np.frombuffer(stored, "<u2").copy()
        vector[np.flatnonzero(vector)[0]] ^= 1 << 14
        connection.execute("update vectors set vector = ? where number = 2", [vector.tobytes()])
    connection.close()
    with Index.open(tmp_path, HashEmbedder()) as index:
        assert index.repair() == [
            Problem(
                "damaged vectors: 1",
                "their texts are embedded again by the next: embedsearch index",
            )
        ]
        assert index.embed_pending().texts == 1
        assert index.verify() == []
        assert index.search("document number 1", k=1, mode="dense")[0].score < 1.01


@pytest.mark.parametrize(
    ("page", "rewritten"), [(1, False), (1, True), (2, False), (16, False), (24, False)]
)
def test_a_database_that_lost_a_page_of_its_schema_or_settings_loses_nothing_else(
    folder: Path, page: int, *, rewritten: bool
) -> None:
    if rewritten:
        with Index.open(folder, HashEmbedder()) as index:
            index.gc()
    with (folder / "index.db").open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(np.random.default_rng(0).bytes(PAGE))
    counts = salvage(folder).kept
    assert (counts["documents"], counts["vectors"]) == (3_040, 3_080)
    with Index.open(folder, HashEmbedder()) as index:
        assert index.verify() == []
        assert index.sync(folder.parent / "docs").unchanged == 40
        assert index.search("file 7", k=1)[0].document_id == "7.txt"


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (b"texts_fts_data", b"t\xfaxts_fts_data"),
        (b"key (text, document", b"key (text, d\xfacument"),
        (b"heading text", b"headinh text"),
        (b"'porter unicode61", b"'porter unicode71"),
    ],
)
def test_damage_to_the_words_of_the_schema_is_told_and_loses_nothing(
    tmp_path: Path, was: bytes, now: bytes
) -> None:
    make_with_damage(tmp_path, was, now)
    with pytest.raises(IndexDamaged, match=r"index\.db is damaged") as refused:
        use(tmp_path)
    assert (refused.value.hint or "").startswith("try: embedsearch repair")
    counts = salvage(tmp_path).kept
    assert (counts["documents"], counts["vectors"]) == (50, 50)
    use(tmp_path)


def make_with_damage(folder: Path, was: bytes, now: bytes) -> None:
    """Make an index, and put other bytes in the place of some in its database."""
    with Index.open(folder, HashEmbedder()) as index:
        index.add(Document(str(n), f"document number {n}") for n in range(50))
    data = (folder / "index.db").read_bytes()
    assert was in data
    (folder / "index.db").write_bytes(data.replace(was, now, 1))


def use(folder: Path) -> None:
    """Ask an index for what takes all of its schema."""
    with Index.open(folder, HashEmbedder(), create=False) as index:
        assert index.search("number 7", 1, mode="lexical")[0].document_id == "7"
        index.add([Document("new", "words")])
        assert index.verify() == []


@pytest.mark.parametrize(
    ("was", "now", "what"),
    [
        (
            b'"characters" INTEGER',
            b'"characters" INTEGES',
            "index.db is damaged: documents holds rows of wrong types",
        ),
        (
            b"content = 'live_texts'",
            b"content = 'live_textt'",
            "the full text is not that of the documents",
        ),
    ],
)
def test_damage_to_the_schema_that_shows_in_no_search_is_found_by_verify(
    tmp_path: Path, was: bytes, now: bytes, what: str
) -> None:
    make_with_damage(tmp_path, was, now)
    with Index.open(tmp_path, HashEmbedder()) as index:
        assert [problem.what for problem in index.verify()] == [what]
        with pytest.raises(IndexDamaged, match="is damaged"):
            index.repair()
    assert salvage(tmp_path).kept["documents"] == 50
    use(tmp_path)


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("spaces", "the space of its vectors is lost"),
        ("settings", "its settings are lost"),
        ("settings where key = 'space'", "its settings are lost"),
    ],
)
def test_an_index_that_lost_its_space_says_so_and_is_salvaged_whole(
    folder: Path, lost: str, said: str
) -> None:
    with sqlite3.connect(folder / "index.db") as connection:
        connection.execute(f"delete from {lost}")
    connection.close()
    for create in (True, False):
        with pytest.raises(IndexDamaged, match=said):
            Index.open(folder, HashEmbedder(), create=create)
    assert salvage(folder).kept["vectors"] == 3_080
    with Index.open(folder, HashEmbedder()) as index:
        assert index.verify() == []
        assert index.sync(folder.parent / "docs").unchanged == 40
        assert index.search("file 7", k=1)[0].document_id == "7.txt"


def test_a_database_cut_before_its_last_table_keeps_its_folders(folder: Path) -> None:
    (folder / "index.db").write_bytes((folder / "index.db").read_bytes()[: 12 * PAGE])
    salvaged = salvage(folder)
    assert salvaged.kept["vectors"] == 0
    assert salvaged.lost[0] == Problem(
        "could not be read whole: documents, texts, chunks",
        "what files hold comes back by: embedsearch index",
        by_repair=False,
    )
    with Index.open(folder, HashEmbedder()) as index:
        assert index.status().sources == (folder.parent / "docs",)
        assert index.sync(folder.parent / "docs").added == 40
        assert index.search("file 7", k=1)[0].document_id == "7.txt"
        assert index.verify() == []


def test_salvage_keeps_what_was_paid_for_and_predicted_and_names_what_it_lost(
    tmp_path: Path,
) -> None:
    np.savez(tmp_path / "state.npz", weights=np.ones(4))
    state = (tmp_path / "state.npz").read_bytes()
    asked = HashEmbedder().embed([f"query {n}" for n in range(50)])
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add(Document(str(n), f"text {n}") for n in range(3))
        index.label({"0": "a", "1": "b"})
        for stored in (state, state[:-40] + state[-30:]):
            version = index.models.put(index.space, "KNNClassifier", {"a": 1}, stored).version
            index.models.note(version, [("0", "a", 0.5), ("1", "b", 0.75)])
    with sqlite3.connect(tmp_path / "index.db") as connection:
        for n, vector in enumerate(asked):
            row = [text_hash(f"query {n}"), vector.tobytes() if n else b"torn"]
            connection.execute("insert into queries values (1, ?, ?)", row)
        connection.execute("delete from settings")
        connection.execute("drop table outbox")
    connection.close()
    salvaged = salvage(tmp_path)
    kept = {table: salvaged.kept[table] for table in ("queries", "models", "predictions")}
    assert kept == {"queries": 49, "models": 1, "predictions": 2}
    assert [problem.what for problem in salvaged.lost] == [
        "could not be read whole: settings",
        "could not be read whole: outbox",
        "could not be read whole: models",
        "could not be read whole: predictions",
        "could not be read whole: queries",
    ]
    with Index.open(tmp_path, HashEmbedder()) as index:
        said = [(said.document, said.label, said.probability) for said in index.models.predicted(1)]
        assert said == [("0", "a", 0.5), ("1", "b", 0.75)]
        assert index.verify() == []


def test_what_is_no_database_cannot_be_salvaged_and_stays(folder: Path) -> None:
    (folder / "index.db").write_bytes(b"nothing of use" * 1000)
    with pytest.raises(IndexCorrupt, match="can't be salvaged") as refused:
        salvage(folder)
    assert refused.value.hint == (
        f"move {folder} away, keeping it, and run: embedsearch index FOLDER"
        "; in Python: index.sync(FOLDER)"
    )
    assert (folder / "index.db").read_bytes() == b"nothing of use" * 1000
    assert sorted(path.name for path in folder.glob("index.*")) == ["index.db"]


def test_there_must_be_an_index(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="no index in"):
        salvage(tmp_path)


def test_each_damaged_file_is_kept(tmp_path: Path) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add([Document("a", "words")])
    for n in range(12):
        old = (tmp_path / "index.db").read_bytes()
        salvage(tmp_path)
        if n == 0:
            first = old
    names = ["index.db.damaged", *(f"index.db.damaged.{n}" for n in range(2, 13))]
    assert [file.name for file in damaged(tmp_path)] == names
    assert damaged(tmp_path)[0].read_bytes() == first
    assert damaged(tmp_path)[-1].read_bytes() == old

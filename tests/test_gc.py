"""Garbage: what is dropped, that no trace is left, and that nobody is led astray by it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from embedsearch import Document, Index
from embedsearch.cli.main import main
from embedsearch.files import salvage
from embedsearch.records import Segment, Transcript
from embedsearch.store import transcripts
from embedsearch.testing import HashEmbedder

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

TRACE = "zanzibarquux"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], prog_name="embedsearch")


def held(folder: Path, word: str) -> list[str]:
    """Return the files of a folder with a word in their bytes."""
    return sorted(
        file.name for file in folder.iterdir() if word.encode() in file.read_bytes().lower()
    )


def test_no_trace_of_a_removed_text_is_left(tmp_path: Path) -> None:
    documents = [Document(f"{n}", f"number {n} of the blue ones") for n in range(1_200)]
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add([*documents, Document("secret", f"the word is {TRACE}")])
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.remove("secret")
        before = [hit.document_id for hit in index.search("blue number 77")]
    assert held(tmp_path, TRACE) == ["index.db"]
    with Index.open(tmp_path, HashEmbedder()) as index:
        dropped = index.gc()
        assert (dropped.vectors, dropped.tokens) == (1, 4)
        assert [hit.document_id for hit in index.search("blue number 77")] == before
        assert index.verify() == []
        assert held(tmp_path, TRACE) == []
    assert held(tmp_path, TRACE) == []
    assert (tmp_path / "vectors.faiss").exists()


def test_what_went_is_counted_and_its_room_freed(tmp_path: Path) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add(Document(f"{n}", f"text {n} " * 50) for n in range(500))
        index.remove(f"{n}" for n in range(400))
        size = index.status().size
        assert (index.garbage().vectors, index.garbage().freed) == (400, 0)
        dropped = index.gc()
        assert (dropped.vectors, dropped.transcripts) == (400, 0)
        assert dropped.tokens == sum(100 for _ in range(400))
        assert dropped.freed == size - index.status().size > size / 2
        assert index.gc() == index.garbage()


def test_a_passage_that_comes_back_costs_again_after_gc_alone(index: Index) -> None:
    document = Document("a", "a red fox")
    index.add([document])
    index.remove("a")
    assert index.add([document]).tokens == 0
    index.remove("a")
    index.gc()
    assert index.add([document]).tokens == 3


def test_what_is_held_is_kept(index: Index, docs: Path) -> None:
    index.sync(docs)
    index.label({"animals.txt": "pets"})
    data = (docs / "animals.txt").read_bytes()
    heard = Transcript((Segment(0, 1, "hello"),))
    (kept,) = index._database.execute(
        "select sha256 from documents where id = 'animals.txt'"
    ).fetchone()
    transcripts.keep(index._database, kept, "whisper", heard)
    transcripts.keep(index._database, b"of no file", "whisper", heard)
    transcripts.keep(index._database, b"of no words", "whisper", Transcript(()))
    before = [(d.id, d.updated) for d in index.documents()]
    assert index.gc().transcripts == 1
    assert transcripts.get(index._database, kept, "whisper") == heard
    assert transcripts.get(index._database, b"of no file", "whisper") is None
    assert transcripts.get(index._database, b"of no words", "whisper") == Transcript(())
    assert [(d.id, d.updated) for d in index.documents()] == before
    assert index.labels() == {"animals.txt": ("pets",)}
    assert index.get("animals.txt").text == data.decode()


def test_a_transcript_is_kept_while_a_document_waits_to_be_read_again(
    index: Index, docs: Path
) -> None:
    index.sync(docs)
    heard = Transcript((Segment(0, 1, "hello"),))
    transcripts.keep(index._database, b"perhaps the one", "whisper", heard)
    with index._database.writing():
        index._database.execute(
            "update documents set size = -1, sha256 = x'' where id = 'animals.txt'"
        )
    assert index.gc().transcripts == 0
    index.sync(docs)
    assert index.gc().transcripts == 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 5), st.sampled_from("red blue green".split())),
        st.tuples(st.just("remove"), st.integers(0, 5), st.none()),
        st.tuples(st.just("gc"), st.none(), st.none()),
        st.tuples(st.just("read"), st.none(), st.none()),
    ),
    max_size=25,
)


@given(steps=STEPS)
@settings(max_examples=30, deadline=None)
def test_a_reader_is_never_led_astray(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int | None, str | None]]
) -> None:
    folder = tmp_path_factory.mktemp("index")
    there: dict[str, str] = {}
    with (
        Index.open(folder, HashEmbedder()) as writer,
        Index.open(folder, HashEmbedder()) as reader,
    ):
        for step, number, colour in [*steps, ("read", None, None)]:
            if step == "add":
                there[f"{number}"] = f"a {colour} fox, number {number}"
                writer.add([Document(f"{number}", there[f"{number}"])])
            elif step == "remove":
                writer.remove(f"{number}")
                there.pop(f"{number}", None)
            elif step == "gc":
                writer.gc()
                assert writer.garbage().vectors == 0
            else:
                with Index.open(":memory:", HashEmbedder()) as fresh:
                    fresh.add(Document(id, text) for id, text in sorted(there.items()))
                    expected = fresh.search("blue fox", mode="dense")
                hits = reader.search("blue fox", mode="dense")
                assert {h.document_id: h.text for h in hits} == there
                assert sorted(h.score for h in hits) == pytest.approx(
                    sorted(h.score for h in expected)
                )


def test_a_reader_of_an_older_state_is_warned_of(tmp_path: Path) -> None:
    with (
        Index.open(tmp_path, HashEmbedder()) as writer,
        Index.open(tmp_path, HashEmbedder()) as reader,
    ):
        writer.add([Document("a", f"the word is {TRACE}")])
        writer._database.connection.execute("pragma busy_timeout = 50")
        with reader.snapshot() as older:
            assert older.search(TRACE)[0].document_id == "a"
            writer.remove("a")
            with pytest.warns(UserWarning, match="another process reads the index"):
                writer.gc()
            assert older.get("a").text == f"the word is {TRACE}"
    assert held(tmp_path, TRACE) == []


def test_an_index_in_memory_has_garbage_too() -> None:
    with Index.open(":memory:", HashEmbedder()) as index:
        index.add([Document("a", "a red fox"), Document("b", "a blue one")])
        index.remove("a")
        assert index.gc().vectors == 1
        assert [hit.document_id for hit in index.search("fox one")] == ["b"]


def test_the_command_says_what_went_and_asks_for_what_was_paid_for(tmp_path: Path) -> None:
    with Index.open(tmp_path) as index:
        index.add([Document("a", "a red fox"), Document("b", "a blue one")])
        index.remove("a")
    rehearsed = run("--db", tmp_path, "gc", "--dry-run")
    assert (rehearsed.exit_code, rehearsed.stdout) == (0, "1 vector (3 tokens)\n")
    done = run("--db", tmp_path, "gc")
    assert (done.exit_code, done.stdout) == (0, "1 vector (3 tokens)\n")
    assert done.stderr == ""
    with Index.open(tmp_path) as index:
        index.add(Document(str(n), f"fox {n} " * 100) for n in range(20))
        index.remove(map(str, range(20)))
    assert re.fullmatch(r"[1-9]\d* kB freed\n", run("--db", tmp_path, "gc").stderr)
    with Index.open(tmp_path) as index:
        heard = Transcript((Segment(0, 1, "hello"),))
        transcripts.keep(index._database, b"of no file", "whisper", heard)
    asked = run("--db", tmp_path, "gc")
    assert (asked.exit_code, asked.stdout) == (2, "")
    assert "to drop 1 transcript, without a terminal to ask at, say -y" in asked.stderr
    dropped = json.loads(run("--db", tmp_path, "gc", "-y", "--format", "json").stdout)
    assert (dropped["schema_version"], dropped["vectors"], dropped["transcripts"]) == (1, 0, 1)
    assert run("--db", tmp_path, "gc").stdout == "nothing to drop\n"
    nothing = run("--db", tmp_path, "gc")
    assert (nothing.stdout, nothing.stderr) == ("nothing to drop\n", "")


def test_a_damaged_file_that_a_repair_kept_is_named_and_left(tmp_path: Path) -> None:
    with Index.open(tmp_path, HashEmbedder()) as index:
        index.add([Document("a", "words")])
    salvage(tmp_path)
    salvage(tmp_path)
    for arguments in (["--dry-run"], ["-y"]):
        result = run("--db", tmp_path, "gc", *arguments)
        assert [line for line in result.stderr.splitlines() if line.startswith("note: ")] == [
            f"note: {tmp_path / name} was left by a repair and may hold removed texts:"
            " delete it when you don't need it"
            for name in ("index.db.damaged", "index.db.damaged.2")
        ]
    assert (tmp_path / "index.db.damaged").exists()

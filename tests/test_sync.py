"""Sync: what a folder's changes do to an index, and what they cost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import users
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embedsearch import Document, Index
from embedsearch.errors import FolderGone, SourceNotFound
from embedsearch.sync.report import Progress
from embedsearch.testing import HashEmbedder, WordTokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from embedsearch.embedders.protocol import Role, Vectors
    from embedsearch.sync.report import SyncReport


class Counting(HashEmbedder):
    """Remembers every text it was asked to embed as part of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str], *, kind: Role = "document") -> Vectors:
        if kind == "document":
            self.embedded += texts
        return super().embed(texts, kind=kind)


def changes(report: SyncReport) -> dict[str, int]:
    counts = {
        "added": report.added,
        "updated": report.updated,
        "renamed": report.renamed,
        "removed": report.removed,
        "unchanged": report.unchanged,
        "skipped": report.skipped,
        "failed": len(report.failed),
        "texts": report.texts,
    }
    return {name: count for name, count in counts.items() if count}


def ids(index: Index) -> list[str]:
    return [document.id for document in index.documents()]


def test_adds_every_file_under_its_path(index: Index, docs: Path) -> None:
    assert changes(index.sync(docs)) == {"added": 3, "texts": 3}
    assert ids(index) == ["animals.txt", "code.py", "guide/refunds.md"]
    assert index.get("animals.txt").text == "Cats and dogs live together.\n"


def test_an_unchanged_folder_costs_nothing(index: Index, docs: Path) -> None:
    index.sync(docs)
    assert changes(index.sync(docs)) == {"unchanged": 3}


def test_does_not_open_unchanged_files(index: Index, docs: Path) -> None:
    index.sync(docs)
    opened: list[str] = []
    watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open" and str(arguments[0]).startswith(str(docs)):
            opened.append(str(arguments[0]))

    sys.addaudithook(watch)  # for good: there is no way to take it back
    assert changes(index.sync(docs)) == {"unchanged": 3}
    assert opened == []
    os.utime(docs / "animals.txt")
    index.sync(docs)
    watching = False
    assert set(opened) == {str(docs / "animals.txt")}


@pytest.mark.skipif(os.name == "nt", reason="its files bear no time of their last change")
def test_a_new_text_of_the_same_size_and_time_is_noticed(index: Index, docs: Path) -> None:
    index.sync(docs)
    file = docs / "animals.txt"
    facts = file.stat()
    file.write_text("Cats and dogs live together?\n")  # as long as it was
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    (hit,) = index.search("cats", k=1, mode="lexical")
    assert index.stale([hit]) == {"animals.txt"}
    assert changes(index.sync(docs)) == {"updated": 1, "unchanged": 2, "texts": 1}


@pytest.mark.skipif(os.name == "nt", reason="its files bear no time of their last change")
def test_swapped_files_are_noticed(index: Index, tmp_path: Path) -> None:
    folder = tmp_path / "swapped"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.txt").write_text(f"the text of {name}")
        os.utime(folder / f"{name}.txt", (1, 1))
    index.sync(folder)
    (folder / "one.txt").rename(folder / "aside")
    (folder / "two.txt").rename(folder / "one.txt")
    (folder / "aside").rename(folder / "two.txt")
    assert changes(index.sync(folder)) == {"updated": 2}
    assert index.get("one.txt").text == "the text of two"


def test_reads_and_embeds_only_what_changed(tmp_path: Path, docs: Path) -> None:
    embedder = Counting()
    with Index.open(tmp_path / "index", embedder) as index:
        index.sync(docs)
        embedder.embedded.clear()
        (docs / "animals.txt").write_text("Cows live apart.\n")
        assert changes(index.sync(docs)) == {"updated": 1, "unchanged": 2, "texts": 1}
        assert embedder.embedded == ["Cows live apart.\n"]
        assert index.get("animals.txt").text == "Cows live apart.\n"
        assert [hit.text for hit in index.search("cats", mode="lexical")] == []


def test_a_touched_file_is_not_embedded_again(index: Index, docs: Path) -> None:
    index.sync(docs)
    os.utime(docs / "animals.txt", (1, 1))
    assert changes(index.sync(docs)) == {"unchanged": 3}
    assert changes(index.sync(docs)) == {"unchanged": 3}


def test_a_rename_embeds_nothing(index: Index, docs: Path) -> None:
    index.sync(docs)
    for file in [path for path in docs.rglob("*") if path.is_file()]:
        file.rename(file.with_name(f"new-{file.name}"))
    assert changes(index.sync(docs)) == {"renamed": 3}
    assert ids(index) == ["guide/new-refunds.md", "new-animals.txt", "new-code.py"]
    assert index.search("dogs", k=1)[0].document_id == "new-animals.txt"


def test_a_copy_embeds_nothing(index: Index, docs: Path) -> None:
    index.sync(docs)
    shutil.copy(docs / "animals.txt", docs / "copy.txt")
    assert changes(index.sync(docs)) == {"added": 1, "unchanged": 3}
    hits = index.search("dogs", k=2)
    assert {hit.document_id for hit in hits} == {"animals.txt", "copy.txt"}


def test_two_files_that_swap_names_are_both_right(index: Index, docs: Path) -> None:
    (docs / "b.txt").write_text("Ships sail by night.\n")
    index.sync(docs)
    (docs / "b.txt").rename(docs / "c.txt")
    (docs / "animals.txt").rename(docs / "b.txt")
    (docs / "c.txt").rename(docs / "animals.txt")
    assert "texts" not in changes(index.sync(docs))
    assert index.get("animals.txt").text == "Ships sail by night.\n"
    assert index.get("b.txt").text == "Cats and dogs live together.\n"


def test_a_removed_file_disappears(index: Index, docs: Path) -> None:
    index.sync(docs)
    (docs / "animals.txt").unlink()
    assert changes(index.sync(docs)) == {"removed": 1, "unchanged": 2}
    assert "animals.txt" not in index
    assert index.search("cats dogs", mode="lexical") == []
    assert all(hit.document_id != "animals.txt" for hit in index.search("cats dogs"))


def test_what_comes_back_is_not_embedded_again(index: Index, docs: Path) -> None:
    index.sync(docs)
    text = (docs / "animals.txt").read_text()
    (docs / "animals.txt").unlink()
    index.sync(docs)
    (docs / "animals.txt").write_text(text)
    assert changes(index.sync(docs)) == {"added": 1, "unchanged": 2}
    assert index.search("cats dogs", k=1)[0].document_id == "animals.txt"


def test_a_dry_run_says_exactly_what_will_be_done_and_writes_nothing(
    index: Index, docs: Path
) -> None:
    index.sync([docs / "animals.txt", docs / "guide"])
    (docs / "twin.py").write_text((docs / "code.py").read_text())
    (docs / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    generation = index.status().generation
    planned = index.sync(docs, dry_run=True)
    assert index.status().generation == generation
    assert ids(index) == ["animals.txt", "refunds.md"]
    done = index.sync(docs)
    assert changes(planned) == changes(done)
    assert planned.tokens == done.tokens > 0


def test_without_embedding_texts_stay_pending_and_are_found_by_words(
    index: Index, docs: Path
) -> None:
    report = index.sync(docs, embed=False)
    assert (report.texts, report.pending, index.pending().texts) == (0, 3, 3)
    assert [hit.document_id for hit in index.search("dogs")] == ["animals.txt"]
    assert index.search("dogs", mode="dense") == []
    assert changes(index.sync(docs)) == {"unchanged": 3, "texts": 3}
    assert index.pending().texts == 0


def test_a_part_of_a_source_is_synced_alone(index: Index, docs: Path) -> None:
    index.sync(docs)
    (docs / "animals.txt").unlink()
    (docs / "guide" / "refunds.md").write_text("# Refunds\n\nNone.\n")
    assert changes(index.sync(docs / "guide")) == {"updated": 1, "texts": 1}
    assert ids(index) == ["animals.txt", "code.py", "guide/refunds.md"]


def test_a_folder_takes_over_the_sources_inside_it(index: Index, docs: Path) -> None:
    index.sync(docs / "guide")
    assert ids(index) == ["refunds.md"]
    assert changes(index.sync(docs)) == {"added": 2, "unchanged": 1, "texts": 2}
    assert ids(index) == ["animals.txt", "code.py", "guide/refunds.md"]


def test_a_folder_that_takes_over_another_gives_its_own_files_their_names(
    index: Index, docs: Path
) -> None:
    (docs / "guide" / "refunds.md").rename(docs / "guide" / "animals.txt")
    index.sync(docs / "guide")
    assert ids(index) == ["animals.txt"]
    assert changes(index.sync(docs)) == {"added": 2, "unchanged": 1, "texts": 2}
    assert ids(index) == ["animals.txt", "code.py", "guide/animals.txt"]
    assert index.get("animals.txt").text == "Cats and dogs live together.\n"


def test_what_could_not_be_read_is_remembered_by_the_folder_that_takes_over(
    index: Index, docs: Path
) -> None:
    (docs / "guide" / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    index.sync(docs / "guide")
    assert changes(index.sync(docs, glob=["*.py"])) == {"added": 1, "texts": 1}
    picture = str(docs / "guide" / "picture.png")
    assert index.status().skipped == ((picture, "is a binary file"),)
    assert index.status().sources == (docs,)
    assert ids(index) == ["code.py", "guide/refunds.md"]


def test_naming_a_file_changes_no_other_id(index: Index, docs: Path) -> None:
    index.sync(docs / "guide")
    assert changes(index.sync(docs / "animals.txt")) == {"added": 1, "texts": 1}
    assert ids(index) == ["animals.txt", "refunds.md"]
    assert changes(index.sync(docs / "guide")) == {"unchanged": 1}
    assert changes(index.sync(docs)) == {"added": 1, "unchanged": 2, "texts": 1}
    assert ids(index) == ["animals.txt", "code.py", "guide/refunds.md"]


def notes(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.md").write_text(f"{text}\n")
    return folder


def test_a_folder_takes_over_another_though_its_ids_are_taken(index: Index, tmp_path: Path) -> None:
    index.sync(notes(tmp_path / "p1" / "notes", "one"))
    index.sync(notes(tmp_path / "p2" / "notes", "two"))
    assert ids(index) == ["a.md", "notes/a.md"]
    assert changes(index.sync(tmp_path / "p1")) == {"unchanged": 1}
    assert {id: index.get(id).text for id in ids(index)} == {
        "notes/a.md": "two\n",
        "p1/notes/a.md": "one\n",
    }
    assert changes(index.sync([tmp_path / "p1", tmp_path / "p2"])) == {"unchanged": 2}


def test_a_file_finds_an_id_whatever_is_taken(index: Index, tmp_path: Path) -> None:
    folder = notes(tmp_path / "notes", "words")
    taken = ["a.md", "notes/a.md", f"{folder}/a.md", f"{folder}/a~2.md"]
    index.add([Document(id, "taken") for id in taken])
    assert changes(index.sync(folder)) == {"added": 1, "texts": 1}
    assert index.get(f"{folder}/a~3.md").text == "words\n"
    assert changes(index.sync(folder)) == {"unchanged": 1}


def test_a_file_never_takes_the_place_of_another_of_its_folder(
    index: Index, tmp_path: Path
) -> None:
    index.sync([notes(tmp_path / "one", "first"), notes(tmp_path / "two", "second")])
    assert ids(index) == ["a.md", "two/a.md"]
    notes(tmp_path / "two" / "two", "third")
    assert changes(index.sync(tmp_path / "two")) == {"added": 1, "unchanged": 1, "texts": 1}
    assert {id: index.get(id).text for id in ids(index)} == {
        "a.md": "first\n",
        "two/a.md": "second\n",
        "two/two/a.md": "third\n",
    }


def test_two_folders_with_the_same_names_are_kept_apart(index: Index, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "readme.txt").write_text(f"This is {name}.\n")
    index.sync([tmp_path / "one", tmp_path / "two"])
    assert ids(index) == ["readme.txt", "two/readme.txt"]
    assert changes(index.sync([tmp_path / "one", tmp_path / "two"])) == {"unchanged": 2}
    assert index.get("two/readme.txt").text == "This is two.\n"


def test_files_of_the_same_path_that_two_folders_lose_are_both_removed(
    index: Index, tmp_path: Path
) -> None:
    both = [tmp_path / "one", tmp_path / "two"]
    for folder in both:
        folder.mkdir()
        (folder / "readme.txt").write_text(f"This is {folder.name}.\n")
    index.sync(both)
    for folder in both:
        (folder / "readme.txt").unlink()
    assert changes(index.sync(both)) == {"removed": 2}
    assert index.search("This is", mode="lexical") == []
    assert len(index) == 0


@pytest.mark.parametrize("paths", ["docs docs/guide", "docs/guide docs", "docs docs/animals.txt"])
def test_paths_that_overlap_are_met_once(index: Index, docs: Path, paths: str) -> None:
    named = [docs.parent / path for path in paths.split()]
    assert changes(index.sync(named)) == {"added": 3, "texts": 3}
    assert ids(index) == ["animals.txt", "code.py", "guide/refunds.md"]
    assert changes(index.sync(named)) == {"unchanged": 3}


def test_an_ignored_file_that_is_named_beside_its_folder_is_read(index: Index, docs: Path) -> None:
    (docs / ".embedsearchignore").write_text("code.py\n")
    named = [docs, docs / "code.py"]
    assert changes(index.sync(named)) == {"added": 3, "texts": 3}
    assert changes(index.sync(named)) == {"unchanged": 3}


def test_a_glob_limits_what_a_sync_touches(index: Index, docs: Path) -> None:
    assert changes(index.sync(docs, glob=["*.md"])) == {"added": 1, "texts": 1}
    index.sync(docs)
    (docs / "animals.txt").unlink()
    assert changes(index.sync(docs, glob=["*.py"])) == {"unchanged": 1}
    assert "animals.txt" in index


@pytest.mark.parametrize("place", ["my-index", ".", "guide", "guide/../guide"])
def test_the_index_does_not_index_itself(docs: Path, place: str) -> None:
    for _ in range(2):
        with Index.open(docs / place, HashEmbedder()) as index:
            index.sync(docs)
    with Index.open(docs / place, HashEmbedder()) as index:
        assert changes(index.sync(docs)) == {"unchanged": 3}
        assert ids(index) == ["animals.txt", "code.py", "guide/refunds.md"]


def test_binary_files_are_skipped_with_a_count_and_not_opened_again(
    index: Index, docs: Path
) -> None:
    (docs / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    assert changes(index.sync(docs)) == {"added": 3, "skipped": 1, "texts": 3}
    assert changes(index.sync(docs)) == {"unchanged": 3, "skipped": 1}
    assert index.status().skipped == ((str(docs / "picture.png"), "is a binary file"),)


def test_a_folder_that_was_renamed_is_told_of_until_it_is_forgotten(
    index: Index, docs: Path
) -> None:
    index.sync(docs)
    new = docs.rename(docs.with_name("new"))
    assert index.sync(new, dry_run=True).missing == (str(docs),)
    report = index.sync(new)
    assert (report.added, report.missing) == (3, (str(docs),))
    index.remove_source(docs)
    assert index.sync(new).missing == ()


def test_a_text_file_that_becomes_binary_is_no_document_any_more_and_keeps_its_vectors(
    index: Index, docs: Path
) -> None:
    index.sync(docs)
    (docs / "animals.txt").write_bytes(b"cats\0" * 100)
    told = {"removed": 1, "unchanged": 2, "skipped": 1}
    assert changes(index.sync(docs, dry_run=True)) == told
    assert changes(index.sync(docs)) == told
    assert ids(index) == ["code.py", "guide/refunds.md"]
    assert index.search("cats", mode="lexical") == []
    assert index.status().skipped == ((str(docs / "animals.txt"), "is a binary file"),)
    assert changes(index.sync(docs)) == {"unchanged": 2, "skipped": 1}
    (docs / "animals.txt").write_text("Cats and dogs live together.\n")
    assert changes(index.sync(docs)) == {"added": 1, "unchanged": 2}


def test_a_file_that_cannot_be_read_is_reported_and_stops_nothing(index: Index, docs: Path) -> None:
    (docs / "broken.docx").write_bytes(b"PK\x03\x04" + bytes(range(256)))
    report = index.sync(docs)
    assert changes(report) == {"added": 3, "failed": 1, "texts": 3}
    assert report.failed[0].path == str(docs / "broken.docx")
    again = index.sync(docs)
    assert again.failed == report.failed
    assert index.status().unread == ((str(docs / "broken.docx"), report.failed[0].why),)
    (docs / "broken.docx").unlink()
    assert changes(index.sync(docs)) == {"unchanged": 3}


class PanicException(BaseException):
    """Named as PyO3 names what becomes of a panic in Rust."""


@pytest.mark.parametrize("bug", [RuntimeError("a\nbug"), PanicException("a bug")])
def test_a_file_that_finds_a_reader_s_bug_is_reported_and_stops_nothing(
    index: Index,
    docs: Path,
    bug: BaseException,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls: list[str] = []

    def broken(text: str) -> None:
        calls.append(text)
        raise bug

    monkeypatch.setattr("embedsearch.readers.core_schema.load", broken)
    (docs / "odd.md").write_text("---\na: 1\n---\n")
    caplog.set_level("INFO")
    for added in ({"added": 3, "texts": 3}, {"unchanged": 3}):
        report = index.sync(docs)
        assert changes(report) == {**added, "failed": 1}
        assert report.failed[0].why.startswith("its reader failed: ")
        assert report.failed[0].why.endswith(f"{type(bug).__name__}: a bug")
    assert calls == ["\na: 1\n"]
    assert "in broken" in caplog.text


def test_an_interruption_while_reading_is_no_bug_of_the_file(
    index: Index, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("embedsearch.readers.core_schema.load", interrupted)
    (docs / "odd.md").write_text("---\na: 1\n---\n")
    with pytest.raises(KeyboardInterrupt):
        index.sync(docs)


class Fussy(WordTokenizer):
    """Fails on a certain text, until it is mended."""

    mended = False

    def ends(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        if any("Cats" in text for text in texts) and not self.mended:
            raise KeyError("foo")
        return super().ends(texts)


def test_a_file_that_a_tokenizer_fails_on_is_read_again(tmp_path: Path, docs: Path) -> None:
    embedder = HashEmbedder()
    embedder.tokenizer = tokenizer = Fussy()
    with Index.open(tmp_path / "index", embedder) as index:
        report = index.sync(docs)
        assert changes(report) == {"added": 2, "failed": 1, "texts": 2}
        assert report.failed[0].why == "its reader failed: KeyError: 'foo'"
        tokenizer.mended = True
        assert changes(index.sync(docs)) == {"added": 1, "unchanged": 2, "texts": 1}


def test_what_may_not_be_read_is_listed_until_it_is() -> None:
    with users.open_folder() as folder, Index.open(":memory:", HashEmbedder()) as index:
        (folder / "private").mkdir()
        (folder / "private" / "note.txt").write_text("a note")
        (folder / "plain.txt").write_text("words")
        (folder / "secret.txt").write_text("more words")
        with Index.open(":memory:", HashEmbedder()) as other:
            other.sync(folder)  # what is imported for it may lie where nobody else reads
        kept = {folder / "private": 0o755, folder / "secret.txt": 0o644}
        for path in kept:
            path.chmod(0)
        for added in (1, 0):  # they are tried again, though nothing has changed
            with users.nobody():
                assert index.sync(folder).added == added
            expected = tuple((str(path), "permission denied") for path in kept)
            assert index.status().unread == expected
        with users.nobody():
            named = index.sync([*kept, folder / "private" / "note.txt", folder / "plain.txt"])
        assert (named.unchanged, [failure.why for failure in named.failed]) == (
            1,
            ["permission denied"] * 3,
        )
        for path, mode in kept.items():
            path.chmod(mode)
        with users.nobody():
            assert changes(index.sync(folder)) == {"added": 2, "unchanged": 1, "texts": 2}
        assert index.status().unread == ()


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_a_name_that_is_not_utf_8_is_listed_until_it_is_gone(index: Index, tmp_path: Path) -> None:
    docs = tmp_path / "names"
    docs.mkdir()
    bad = os.fsencode(docs) + b"/b\xe4d.txt"
    with open(bad, "wb") as file:  # noqa: PTH123 -- a path holds no bytes
        file.write(b"words")
    for _ in range(2):
        index.sync(docs)
        ((path, why),) = index.status().unread
        assert path == f"{docs}/b\ufffdd.txt"
        assert why.startswith("its name is not valid UTF-8: rename it, or ignore it")
    os.unlink(bad)  # noqa: PTH108 -- as above
    index.sync(docs)
    assert index.status().unread == ()


def test_a_document_whose_file_became_unreadable_is_kept(index: Index, docs: Path) -> None:
    cell = '{"cells": [{"cell_type": "markdown", "source": "some words here"}]}'
    (docs / "notes.ipynb").write_text(cell)
    index.sync(docs)
    (docs / "notes.ipynb").write_text(cell[:-1])
    assert changes(index.sync(docs)) == {"unchanged": 3, "failed": 1}
    assert index.get("notes.ipynb").text == "some words here"


def test_an_enormous_sparse_file_is_not_read(index: Index, docs: Path) -> None:
    with (docs / "sparse.txt").open("wb") as file:
        file.truncate(1_000_000_000)
    with (docs / "long.txt").open("wb") as file:
        file.write(b"words " * 2_000)
        file.truncate(1_000_000_000)
    report = index.sync(docs)
    assert changes(report) == {"added": 3, "skipped": 1, "failed": 1, "texts": 3}
    assert report.failed[0].why == "is 1,000 MB, more than the 100 MB that are read"


@pytest.mark.parametrize("name", ["long.pdf", "long.docx", "LONG.XLSX"])
def test_a_binary_format_of_texts_that_is_too_large_is_no_skipped_file(
    index: Index, docs: Path, name: str
) -> None:
    with (docs / name).open("wb") as file:
        file.truncate(300_000_000)
    report = index.sync(docs)
    assert changes(report) == {"added": 3, "failed": 1, "texts": 3}
    assert report.failed[0].why == "is 300 MB, more than the 100 MB that are read"


def test_many_small_files_are_found_before_the_last_is_read(index: Index, tmp_path: Path) -> None:
    docs = tmp_path / "small"
    docs.mkdir()
    for n in range(4_500):
        (docs / f"{n}.txt").write_text(str(n))
    found: list[int] = []

    def listen(progress: Progress) -> None:
        if progress.stage == "read":
            found.append(len(index))

    index.sync(docs, embed=False, progress=listen)
    assert found == [2_000, 4_000, 4_500]


def test_tells_how_many_files_it_has_found(index: Index, tmp_path: Path) -> None:
    for n in range(1_100):
        (tmp_path / f"{n}.log").write_bytes(b"")
    told: list[Progress] = []
    index.sync(tmp_path, glob=["*.txt"], dry_run=True, progress=told.append)
    assert told == [Progress("walk", 500, None), Progress("walk", 1_000, None)]


def test_a_missing_path_is_an_error(index: Index, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such file or folder: .*nowhere"):
        index.sync(tmp_path / "nowhere")


def test_a_folder_that_is_gone_from_its_source_is_removed(index: Index, docs: Path) -> None:
    (docs / "guide" / "broken.docx").write_bytes(b"PK\x03\x04" + bytes(range(256)))
    index.sync(docs)
    shutil.rmtree(docs / "guide")
    assert changes(index.sync(docs / "guide", dry_run=True)) == {"removed": 1}
    assert changes(index.sync(docs / "guide")) == {"removed": 1}
    assert ids(index) == ["animals.txt", "code.py"]
    assert index.status().unread == ()
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        index.sync(docs / "guide")


def test_a_source_that_is_not_there_keeps_its_documents(index: Index, docs: Path) -> None:
    index.sync(docs)
    docs.rename(docs.with_name("unmounted"))
    for named in (docs, docs / "guide", docs / "animals.txt"):
        with pytest.raises(FolderGone, match="is not there; what the index holds of it is kept"):
            index.sync(named)
    assert len(index) == 3
    docs.with_name("unmounted").rename(docs)
    assert changes(index.sync(docs)) == {"unchanged": 3}


def test_a_source_that_is_not_there_is_told_once(index: Index, docs: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    index.sync(docs)
    docs.rename(docs.with_name("unmounted"))
    report = index.sync([docs, other])
    assert [failure.path for failure in report.failed] == [str(docs)]
    assert report.missing == ()
    assert index.sync(other).missing == (str(docs),)
    with pytest.raises(FolderGone, match="is not there; what the index holds of it is kept"):
        index.sync([tmp_path / "nope", docs])


def test_a_source_is_forgotten_with_its_documents(index: Index, docs: Path) -> None:
    (docs / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    index.sync(docs)
    index.add([Document("kept", "Not from a file.")])
    assert [document.id for document in index.documents(source=docs, glob=["*.py"])] == ["code.py"]
    assert index.remove_source(docs) == 3
    assert ids(index) == ["kept"]
    assert (index.status().sources, index.status().skipped) == ((), ())
    with pytest.raises(SourceNotFound, match="is no folder of the index"):
        index.remove_source(docs)
    assert changes(index.sync(docs)) == {"added": 3, "skipped": 1}


def test_an_empty_folder_is_no_error(index: Index, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert changes(index.sync(tmp_path / "empty")) == {}


def test_sources_below_the_index_s_parent_move_with_it(docs: Path, tmp_path: Path) -> None:
    with Index.open(docs / ".embedsearch", HashEmbedder()) as index:
        index.sync(docs)
    moved = tmp_path / "moved"
    docs.rename(moved)
    with Index.open(moved / ".embedsearch", HashEmbedder()) as index:
        assert changes(index.sync(moved)) == {"unchanged": 3}
        assert index.search("dogs", k=1)[0].source == str(moved / "animals.txt")


@pytest.mark.parametrize("moment", range(1, 6))
def test_a_killed_sync_loses_nothing_and_the_next_goes_on(tmp_path: Path, moment: int) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for n in range(60):
        (docs / f"{n}.txt").write_text("\n\n".join(f"word{n} part{m} " * 30 for m in range(40)))
    script = (
        "import sys\n"
        "from embedsearch import Index\n"
        "from embedsearch.testing import HashEmbedder\n"
        "index = Index.open(sys.argv[1], HashEmbedder(max_tokens=60))\n"
        "index.sync(sys.argv[2], progress=lambda p: print(p.stage, flush=True))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "index"), str(docs)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    for _ in range(moment):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with Index.open(tmp_path / "index", HashEmbedder(max_tokens=60)) as index:
        assert index.verify() == []
        before = index.status().embedded
        report = index.sync(docs)
        assert index.verify() == []
        assert len(index) == 60
        assert index.pending().texts == 0
        assert before + report.texts == index.counts().texts


def test_a_search_elsewhere_finds_by_words_while_embedding_goes_on(
    tmp_path: Path, docs: Path
) -> None:
    class Slow(HashEmbedder):
        def embed(self, texts: Sequence[str], *, kind: Role = "document") -> Vectors:
            with Index.open(tmp_path / "index", HashEmbedder()) as reader:
                found.append([hit.document_id for hit in reader.search("dogs")])
                waiting.append(reader.pending().texts)
            return super().embed(texts, kind=kind)

    found: list[list[str]] = []
    waiting: list[int] = []
    with Index.open(tmp_path / "index", Slow()) as index:
        index.sync(docs)
    assert found == [["animals.txt"]]
    assert waiting == [3]


def test_a_reader_sees_new_generations_without_opening_again(docs: Path, tmp_path: Path) -> None:
    with (
        Index.open(tmp_path / "index", HashEmbedder()) as writer,
        Index.open(tmp_path / "index", HashEmbedder()) as reader,
    ):
        assert reader.search("dogs") == []
        writer.sync(docs)
        assert reader.search("dogs", mode="dense", k=1)[0].document_id == "animals.txt"
        (docs / "animals.txt").unlink()
        writer.sync(docs)
        assert "animals.txt" not in {hit.document_id for hit in reader.search("dogs")}


NAMES = st.sampled_from(["a.txt", "b.txt", "c.md", "d/e.txt", "d/f.md"])
TEXTS = st.sampled_from(["red fox", "blue whale", "green frog", "", " \n"])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(states=st.lists(st.dictionaries(NAMES, TEXTS), min_size=1, max_size=5))
def test_after_any_changes_the_index_is_the_folder(
    tmp_path: Path, states: list[dict[str, str]]
) -> None:
    folder = tmp_path / f"docs-{time.monotonic_ns()}"
    with Index.open(":memory:", HashEmbedder()) as index:
        for state in states:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for name, text in state.items():
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(text)
            index.sync(folder)
            assert {document.id: index.get(document.id).text for document in index.documents()} == (
                state
            )
            assert index.verify() == []


NAMED = st.sampled_from([".", "a.txt", "d", "d/e.txt", "d/g", "d/g/h.md"])
PLACES = st.sampled_from(["a.txt", "c.md", "e.txt", "d/a.txt", "d/e.txt", "d/g/e.txt", "d/g/h.md"])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.tuples(st.dictionaries(PLACES, TEXTS), st.lists(NAMED)), max_size=5))
def test_whatever_is_named_in_whatever_order_every_file_is_known_once(
    tmp_path: Path, steps: list[tuple[dict[str, str], list[str]]]
) -> None:
    folder = tmp_path / f"docs-{time.monotonic_ns()}"
    folder.mkdir()
    with Index.open(":memory:", HashEmbedder()) as index:
        for state, named in [*steps, ({"a.txt": "red fox", "d/e.txt": "red fox"}, ["."])]:
            for file in [path for path in folder.rglob("*") if path.is_file()]:
                file.unlink()
            for name, text in state.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text)
            paths = [folder / name for name in named if (folder / name).exists()]
            planned = index.sync(paths, dry_run=True)
            assert changes(planned) == changes(index.sync(paths))
            assert index.verify() == []
        there = [index.id_at(folder / name) for name in ("a.txt", "d/e.txt")]
        assert sorted(ids(index)) == sorted(filter(None, there))
        assert [index.get(id or "").text for id in there] == ["red fox", "red fox"]


def test_of_two_folders_the_one_named_first_has_the_plain_ids(tmp_path: Path) -> None:
    for name in ("A", "B"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.md").write_text(f"text of {name}")

    def ids(index: Index, *glob: str) -> list[str]:
        return [document.id for document in index.documents(glob=glob)]

    with Index.open(":memory:", HashEmbedder()) as index:
        index.sync([tmp_path / "B", tmp_path / "A"])
        assert ids(index) == ["A/a.md", "a.md"]
    with Index.open(":memory:", HashEmbedder()) as index:
        index.sync([tmp_path / "A", tmp_path / "B"])
        assert ids(index) == ids(index, "a.md") == ["B/a.md", "a.md"]
        assert (ids(index, "/a.md"), ids(index, "/B/")) == (["a.md"], ["B/a.md"])
        index.label({"a.md": "first", "B/a.md": "second"})
        index.remove_source(tmp_path / "A")
        assert ids(index) == ["B/a.md"]
        (tmp_path / "A").rename(tmp_path / "C")
        assert index.sync(tmp_path / "C").texts == 0
        assert index.labels() == {"a.md": ("first",), "B/a.md": ("second",)}
        index.sync(tmp_path)
        assert ids(index) == ["B/a.md", "C/a.md"]

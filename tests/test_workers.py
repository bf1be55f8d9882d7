"""Reading in several processes: the same index, whatever happens to one of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import pytest

from embedsearch import Index
from embedsearch.testing import HashEmbedder, WordTokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


class Deadly(WordTokenizer):
    """Kills the process that tokenizes a certain text, unless it is the one that made this."""

    def __init__(self) -> None:
        self.owner = os.getpid()

    def ends(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        if any("deadly" in text for text in texts) and os.getpid() != self.owner:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().ends(texts)

    def count(self, texts: Sequence[str]) -> list[int]:
        return super().count(texts)


class DeadlyEmbedder(HashEmbedder):
    tokenizer = Deadly()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return a folder with 10 MB to read, more than is read without workers."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for n in range(20):
        lines = (f"file {n} line {m} of plain and simple words\n" for m in range(12_000))
        (folder / f"{n:02}.txt").write_text("".join(lines))
    (folder / "page.html").write_text("<h1>Title</h1><p>Some words.</p>")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 no more than this\0")
    (folder / "binary.bin").write_bytes(bytes(range(256)))
    return folder


def contents(index: Index) -> dict[str, object]:
    return {document.id: index.chunks(document.id) for document in index.documents()}


def test_workers_make_the_same_index(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Index.open(tmp_path / "many", HashEmbedder()) as index:
        by_many = index.sync(corpus, embed=False)
        many = contents(index)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    with Index.open(tmp_path / "one", HashEmbedder()) as index:
        by_one = index.sync(corpus, embed=False)
        assert contents(index) == many
    assert (by_many.added, by_many.skipped, by_many.failed) == (21, 1, by_one.failed)
    assert [failure.path for failure in by_many.failed] == [str(corpus / "broken.pdf")]


def test_a_file_that_kills_its_worker_is_reported_and_stops_nothing(
    corpus: Path, tmp_path: Path
) -> None:
    (corpus / "05.doc.pdf").write_text("deadly words\n")
    with Index.open(tmp_path / "index", DeadlyEmbedder()) as index:
        report = index.sync(corpus, embed=False)
        assert report.added == 21
        failures = {Path(failure.path).name: failure.why for failure in report.failed}
        assert failures["05.doc.pdf"] == "crashed its reader"
        assert set(failures) == {"05.doc.pdf", "broken.pdf"}


class Watchful(WordTokenizer):
    """Says what the process that made it tokenizes, and when that is to be forgotten."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.read: list[str] = []

    def ends(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        if os.getpid() == self.owner:
            self.read += texts
        return super().ends(texts)

    def forget(self) -> None:
        self.read.append("forgotten")


class WatchfulEmbedder(HashEmbedder):
    tokenizer = Watchful()


@pytest.fixture
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)


@pytest.mark.usefixtures("two_processors")
def test_the_owner_reads_what_cannot_crash_it_while_workers_start(
    corpus: Path, tmp_path: Path
) -> None:
    (corpus / "00.doc.pdf").write_text("plain words, as its name says\n")
    (corpus / "04").write_text("plain words, as its name says not\n")
    embedder = WatchfulEmbedder()
    with Index.open(tmp_path / "index", embedder) as index:
        assert index.sync(corpus, embed=False).added == 23
    *read, last = embedder.tokenizer.read
    assert last == "forgotten"
    assert any(text.startswith("file 2 ") for text in read)
    assert not any("as its name says" in text for text in read)


class Noting(WordTokenizer):
    """Leaves a file named after each process that tokenizes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ends(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        (self.folder / str(os.getpid())).touch()
        return super().ends(texts)


class NotingEmbedder(HashEmbedder):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        folder.mkdir()
        self.tokenizer = Noting(folder)


@pytest.mark.usefixtures("two_processors")
def test_the_owner_takes_the_place_of_a_worker(corpus: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with Index.open(tmp_path / "index", NotingEmbedder(pids)) as index:
        assert index.sync(corpus, embed=False).added == 21
    assert len(list(pids.iterdir())) == 2
    assert (pids / str(os.getpid())).exists()


@pytest.mark.usefixtures("two_processors")
def test_binary_formats_are_left_to_as_many_workers_as_processors(
    corpus: Path, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    (corpus / "page.html").unlink()
    for file in corpus.glob("*.txt"):
        file.rename(file.with_suffix(".pdf"))  # whose content is text all the same
    with Index.open(tmp_path / "index", NotingEmbedder(pids)) as index:
        assert index.sync(corpus, embed=False).added == 20
    assert len(list(pids.iterdir())) == 2
    assert not (pids / str(os.getpid())).exists()


class Fussy(WordTokenizer):
    """Fails on a certain text."""

    def ends(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        if any("fussy" in text for text in texts):
            raise KeyError("foo")
        return super().ends(texts)


class FussyEmbedder(HashEmbedder):
    tokenizer = Fussy()


def test_the_trace_of_a_bug_in_a_worker_is_logged_here(
    corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (corpus / "05.doc.pdf").write_text("fussy words\n")
    caplog.set_level("INFO")
    with Index.open(tmp_path / "index", FussyEmbedder()) as index:
        report = index.sync(corpus, embed=False)
    failures = {Path(failure.path).name: failure.why for failure in report.failed}
    assert failures["05.doc.pdf"] == "its reader failed: KeyError: 'foo'"
    assert 'raise KeyError("foo")' in caplog.text


class Locked(WordTokenizer):
    """Holds what can't be sent to another process."""

    def __init__(self) -> None:
        self.lock = Lock()


class LockedEmbedder(HashEmbedder):
    tokenizer = Locked()


def test_a_tokenizer_that_cannot_be_sent_is_used_here(corpus: Path, tmp_path: Path) -> None:
    with Index.open(tmp_path / "index", LockedEmbedder()) as index:
        assert index.sync(corpus, embed=False).added == 21


SCRIPT = """
import sys
from embedsearch import Index
from embedsearch.testing import HashEmbedder
with Index.open(sys.argv[1], HashEmbedder()) as index:
    print("begin", flush=True)
    print(index.sync(sys.argv[2], embed=False, progress=lambda p: print(p, flush=True)).added)
"""


def test_a_script_needs_no_main_guard(corpus: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    run = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "index"), str(corpus)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines()[-1] == "21"
    assert run.stdout.count("begin") == 1
    assert run.stderr == ""


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_an_interrupted_sync(
    corpus: Path, tmp_path: Path, kill: signal.Signals
) -> None:
    said = tmp_path / "stderr"
    with said.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path / "index"), str(corpus)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )
    assert process.stdout
    assert process.stdout.readline() == "begin\n"
    assert process.stdout.readline().startswith("Progress(stage='read'")
    os.kill(process.pid, kill)
    process.wait(timeout=20)
    process.stdout.close()
    deadline = time.monotonic() + 30
    while members(process.pid) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert members(process.pid) == []
    assert "executor manager" not in said.read_text()
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        assert index.verify() == []


def members(session: int) -> list[int]:
    """Return the processes of a session that are alive."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,stat=", "--sid", str(session)],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.split() for line in listed.stdout.splitlines()]
    return [int(pid) for pid, state in lines if not state.startswith("Z")]

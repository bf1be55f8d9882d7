"""The command line at a real terminal: colours, width, and names that would disturb it."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import tomllib
from pathlib import Path
from typing import IO

import pytest
from click.testing import CliRunner

from embedsearch import Index
from embedsearch.cli.main import main
from embedsearch.store.outbox import Sent
from embedsearch.store.usage import Use

COLUMNS = 60


def at_a_terminal(
    folder: Path, *arguments: str, code: int = 0, typed: str = "", **variables: str
) -> str:
    """Return what a terminal of 60 columns, at which something is typed, is sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    known = {key: os.environ[key] for key in os.environ if key not in {"NO_COLOR", "COLUMNS"}}
    command = [sys.executable, "-m", "embedsearch", *arguments]
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=known | {"TERM": "xterm-256color"} | variables,
    ) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        sent = b"".join(iter(lambda: _received(ours), b""))
    os.close(ours)
    assert process.returncode == code, sent
    return sent.decode()


def _received(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux's way to say that the other side has closed
        return b""


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "bell\x07.txt").write_text("the quick brown fox " * 10 + "\x1b[2J")
    at_a_terminal(folder, "index", ".")
    return folder


def test_words_that_matched_are_coloured_and_lines_wrapped(indexed: Path) -> None:
    sent = at_a_terminal(indexed, "search", "fox", "-q", NO_COLOR="")
    assert "\x1b[1;31mfox\x1b[0m" in sent
    plain = at_a_terminal(indexed, "search", "fox", "-q", NO_COLOR="1")
    assert len(plain.splitlines()) == 5
    assert all(len(line) <= COLUMNS for line in plain.splitlines())


def test_no_color_is_honoured(indexed: Path) -> None:
    sent = at_a_terminal(indexed, "search", "fox", "-q", NO_COLOR="1")
    assert "\x1b[1;31m" not in sent
    assert "fox" in sent


def test_neither_a_name_nor_a_text_commands_the_terminal(indexed: Path) -> None:
    sent = at_a_terminal(indexed, "search", "fox", "-q")
    assert "\x07" not in sent
    assert "\x1b[2J" not in sent


def test_progress_is_drawn_and_cleared(indexed: Path) -> None:
    (indexed / "new.txt").write_text("a new file")
    for n in range(600):
        (indexed / f"{n}.bin").write_bytes(b"\0")
    sent = at_a_terminal(indexed, "index", ".")
    assert "looking" in sent
    assert "500 files" in sent
    assert "embedding" in sent
    assert "1 added, 1 unchanged" in sent


EVIL = "\x1b]0;PWNED\x07\x9b2Jevil.md"
"""A file's name that would give a window another title, and clear it."""

PROMPT = ["ask", "fox", "--mode", "lexical", "--show-prompt"]

TEXT = "a fox\x1b[31m\r\n\tred\x9b0m\n"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / EVIL).write_text(TEXT, newline="")
    at_a_terminal(folder, "index", ".", "--no-embed")
    with Index.open(folder / ".embedsearch") as index:
        index.note_sent([Sent("2026-11-01T00:00:00Z", "host", "model", EVIL, b"", 1)])
        index.note_use(Use("2026-11-01T00:00:00Z", "index", "host", EVIL, 1, 1, 0.0))
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ["ls"],
        ["ls", "-l"],
        ["ls", "--format", "csv"],
        ["ls", "--format", "json"],
        ["get", EVIL],
        ["get", EVIL, "--format", "json"],
        ["rm", "--glob", "*", "--dry-run"],
        ["status"],
        ["verify"],
        ["tokens", EVIL, "--show"],
        ["outbox"],
        ["outbox", "--json"],
        ["usage", "--by", "model"],
        ["usage", "--by", "model", "--json"],
        PROMPT,
        [*PROMPT, "--json"],
        *(
            ["search", "fox", "--mode", "lexical", "--format", each]
            for each in ("text", "json", "jsonl", "csv", "md", "files", "vimgrep")
        ),
    ],
    ids=" ".join,
)
def test_no_command_lets_a_name_or_text_command_the_terminal(
    hostile: Path, arguments: list[str]
) -> None:
    sent = at_a_terminal(hostile, *arguments, NO_COLOR="1")
    assert not {"\x1b", "\x07", "\x9b"} & set(sent)


def test_what_goes_wrong_does_not_command_the_terminal_either(tmp_path: Path) -> None:
    for arguments in (["index", EVIL], ["get", EVIL], ["--db", EVIL, "ls"], ["search", "x"]):
        sent = at_a_terminal(tmp_path, *arguments, NO_COLOR="1", EMBEDSEARCH_DB=EVIL, code=2)
        for bar in (
            "\x1b[?25l",
            "\x1b[?25h",
            "\x1b[2K",
        ):  # rich hides the cursor, draws, and tidies
            sent = sent.replace(bar, "")
        assert not {"\x1b", "\x07", "\x9b"} & set(sent)


def test_lines_and_tabs_stay_where_they_are_at_a_terminal(hostile: Path) -> None:
    sent = at_a_terminal(hostile, "get", EVIL)
    assert sent == "a fox\ufffd[31m\r\n\tred\ufffd0m\r\n"  # a terminal's own line ends


def test_no_name_reads_backwards_at_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "photo\u202egpj.txt").write_text("a \u202afox")
    at_a_terminal(tmp_path, "index", ".", "--no-embed")
    assert at_a_terminal(tmp_path, "ls") == "photo\ufffdgpj.txt\r\n"
    found = at_a_terminal(tmp_path, "search", "fox", "--mode", "lexical", "-q", NO_COLOR="1")
    assert found.splitlines()[0].startswith("1  photo\ufffdgpj.txt:1")
    assert found.splitlines()[1] == "   1  a \ufffdfox"
    shown = at_a_terminal(tmp_path, "tokens", "--text", "\u202e", "--show", NO_COLOR="1")
    assert shown.startswith("\\u202e\r\n")


def test_data_in_a_pipe_is_exactly_what_is_stored(hostile: Path) -> None:
    def piped(*arguments: str) -> bytes:
        command = [sys.executable, "-m", "embedsearch", *arguments]
        return subprocess.run(command, cwd=hostile, capture_output=True, check=True).stdout

    assert piped("get", EVIL) == TEXT.encode()
    search = ["search", "fox", "--mode", "lexical", "--format", "files"]
    for arguments in (["ls"], ["rm", "--glob", "*", "--dry-run"], search):
        assert piped(*arguments) == f"{EVIL}\n".encode()
    assert piped("outbox").endswith(f"  {EVIL}\n".encode())
    assert piped("usage", "--by", "model").startswith(f"{EVIL}  ".encode())
    assert TEXT.encode() in piped(*PROMPT)


def test_a_list_is_cut_to_the_terminal_not_wrapped(indexed: Path) -> None:
    lines = at_a_terminal(indexed, "outliers").splitlines()
    assert lines[0].endswith("…")
    assert len(lines[0]) == COLUMNS


CLOSED = "import os, sys; os.close(int(sys.argv[1])); os.execv(sys.executable, sys.argv[2:])"
"""Closes a standard stream as ``>&-`` does, and runs a command."""


def process(
    folder: Path,
    *arguments: str,
    stdout: int | IO[bytes] = subprocess.PIPE,
    stderr: int | IO[bytes] = subprocess.PIPE,
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "embedsearch", *arguments]
    return subprocess.run(command, cwd=folder, check=False, stdout=stdout, stderr=stderr)


def without(stream: int, folder: Path, *arguments: str) -> tuple[int, bytes, bytes]:
    """Return the exit code, stdout and stderr of a command that has lost a standard stream."""
    run = [sys.executable, "-m", "embedsearch", *arguments]
    command = [sys.executable, "-c", CLOSED, str(stream), *run]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "command", ["--help", "--version", "search fox -k 1", "ls", "status --format json"]
)
def test_a_closed_stdout_is_an_error_of_one_sentence(indexed: Path, command: str) -> None:
    code, _, told = without(1, indexed, *command.split())
    assert (code, b"stdout is closed: there is nowhere to write to" in told) == (2, True)
    assert b"bug" not in told


@pytest.mark.parametrize("command", ["search -", "tokens -", "add - --from jsonl"])
def test_a_closed_stdin_is_an_error_of_one_sentence(indexed: Path, command: str) -> None:
    told = b"error: stdin is closed: there is nothing to read\n"
    assert without(0, indexed, *command.split()) == (2, b"", told)


def test_a_question_without_a_stdin_is_one_without_a_terminal(indexed: Path) -> None:
    code, _, told = without(0, indexed, "rm", "--glob", "*.txt")
    assert (code, b"without a terminal to ask at, say -y" in told) == (2, True)


def test_a_closed_stderr_takes_nothing_but_the_messages(indexed: Path) -> None:
    assert without(2, indexed, "search", "fox", "-k", "1", "--format", "files")[0] == 0
    assert without(2, indexed, "get", "nosuch")[0] == 2


def test_lists_say_at_a_terminal_what_their_columns_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(
        f"{kind}{n},the {kind} of order {n * 7919},{kind}\n"
        for n in range(6)
        for kind in ("refund", "password")
    )
    (tmp_path / "rows.csv").write_text(
        f"id,text,label\n{rows}copy,the refund of order 0,password\n"
    )
    at_a_terminal(tmp_path, "add", "rows.csv")
    at_a_terminal(tmp_path, "label", "--file", "rows.csv")
    heads = {
        ("cluster", "-k", "2"): "documents, mean cosine to their centre, terms; below, the m…",
        ("suspects",): "document, its label (probability), a likelier one; below, n…",
        ("outliers",): "oddity (1 - mean cosine to the nearest others), document, h…",
        (
            "dedupe",
            "--threshold",
            "1",
        ): "the document to keep; below, cosines to it of what says the…",
        ("recommend", "--like", "copy"): "cosine to what is wanted, document, its passage",
    }
    for command, head in heads.items():
        sent = at_a_terminal(tmp_path, *command, "-q").splitlines()
        assert sent[:2] == [head, ""]
        piped = CliRunner().invoke(main, [*command, "-q"])
        assert len(piped.stdout.splitlines()) == len(sent) - 2
        assert head[:20] not in piped.stdout


def test_a_text_that_asks_for_its_label_is_broken_between_words(tmp_path: Path) -> None:
    lines = [" ".join(f"{word}{n}" for n in range(12)) for word in ("refund", "delivery")]
    (tmp_path / "a.txt").write_text("\n\n".join(lines))
    at_a_terminal(tmp_path, "index", ".")
    sent = at_a_terminal(tmp_path, "label", code=1, typed=":q\n").replace("\r", "")
    shown = sent[sent.index("refund0") : sent.index("label (?")].splitlines()
    assert all(len(line) <= COLUMNS for line in shown)
    assert [line.split() for line in shown if not line] == [[], []]
    assert " ".join(filter(None, shown)) == " ".join(lines)


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("command", ["--help", "--version", "search --help", "ls"])
def test_a_full_disk_is_an_error_of_one_sentence(indexed: Path, command: str) -> None:
    with FULL.open("wb") as full:
        done = process(indexed, *command.split(), stdout=full)
    assert (done.returncode, done.stderr) == (2, b"error: no space left on device\n")


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize(
    ("command", "code"),
    [("", 2), ("nosuch", 2), ("--nosuch", 2), ("search", 2), ("get nosuch", 2), ("search fox", 0)],
)
def test_messages_that_cannot_be_written_leave_the_exit_code(
    indexed: Path, command: str, code: int
) -> None:
    with FULL.open("wb") as full:
        done = process(indexed, *command.split(), stderr=full)
    assert (done.returncode, b"fox" in done.stdout) == (code, code == 0)


def test_an_interrupt_that_an_extension_takes_for_a_failed_import_is_one(
    indexed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "onnxruntime.py").write_text(
        "raise ImportError('initialization failed') from KeyboardInterrupt()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    done = process(indexed, "search", "what jumps")
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"\ninterrupted\n")
    as_json = process(indexed, "search", "what jumps", "--json")
    assert json.loads(as_json.stderr) == {
        "error": {"code": "interrupted", "message": "interrupted", "hint": None}
    }


def test_an_interrupt_before_the_command_line_is_loaded_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    module, _, name = project["project"]["scripts"]["embedsearch"].partition(":")
    script = f"import sys; from {module} import {name}; sys.exit({name}())"  # as pip writes it
    for words in (["-c", script], ["-m", "embedsearch"]):
        done = subprocess.run([sys.executable, *words], capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")

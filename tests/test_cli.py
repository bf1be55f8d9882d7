"""The command line, through its door: what it prints where, and how it exits."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from embedsearch import Document, Index
from embedsearch.cli.main import COMMANDS, main

if TYPE_CHECKING:
    from click.testing import Result

EXAMPLE = Path(__file__).parents[1] / "examples" / "wikipedia"


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(
        main, [str(a) for a in arguments], input=stdin, prog_name="embedsearch"
    )


def in_a_shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run a line in which ``"$0"`` is this Python."""
    return subprocess.run(
        ["sh", "-c", line, sys.executable], capture_output=True, text=True, check=False
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the empty folder that commands are run in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EMBEDSEARCH_DB", raising=False)
    return tmp_path


@pytest.fixture(scope="module")
def wikipedia(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an index of the example folder."""
    folder = tmp_path_factory.mktemp("wikipedia") / "index"
    result = run("--db", folder, "index", EXAMPLE)
    assert result.exit_code == 0, result.stderr
    return folder


def found(*arguments: object) -> list[dict[str, Any]]:
    result = run(*arguments, "--format", "json")
    hits: list[dict[str, Any]] = json.loads(result.stdout)["hits"]
    return hits


NOTED = (
    "index .; search qwertz --mode lexical; similar a.txt --where nosuch=1; add rows.csv; "
    "label a.txt --as plant; classify --all; suspects; cluster; sample; "
    "map -o map.html; verify; repair"
)
"""Commands that tell something on stderr."""


def test_quiet_is_quiet_before_a_command_and_after_it(here: Path) -> None:
    labels = {f"{name}.txt": "plant" if name < "f" else "star" for name in "abcdefghij"}
    for name, label in labels.items():
        (here / name).write_text(f"{name} is one of many {label}s\n")
    rows = "".join(f"{name},{label}\n" for name, label in labels.items())
    (here / "labels.csv").write_text(f"id,label\n{rows}")
    (here / "rows.csv").write_text("id,text\n1,row\n")
    for command in ("index .", "label --file labels.csv", "train"):
        assert run(*command.split()).exit_code == 0
    for command in NOTED.split("; "):
        lines = (f"-q {command}", f"{command} -q", command)
        told = [bool(run(*line.split()).stderr) for line in lines]
        assert (command, told) == (command, [False, False, True])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: embedsearch {command} ")


def test_index_says_what_it_did_on_stderr_and_nothing_on_stdout(here: Path) -> None:
    shutil.copytree(EXAMPLE / "science", here / "docs")
    result = run("index", "docs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines()[-1].startswith("11 added; ")  # a slow machine says more
    (here / "docs" / "oxygen.md").rename(here / "docs" / "o2.md")
    (here / "docs" / "force.md").unlink()
    again = run("index", "docs")
    assert again.stderr.startswith("1 renamed, 1 removed, 9 unchanged")
    assert json.loads(run("index", "docs", "--format", "json").stdout)["unchanged"] == 10


def test_numbers_and_nouns_agree(here: Path) -> None:
    (here / "a.txt").write_text("word")
    assert run("index", "a.txt").stderr.startswith("1 added; 1 passage (1 token) embedded, in ")
    (here / "a.txt").write_text("two words")
    assert "1 passage (2 tokens) embedded" in run("index", "a.txt").stderr


def test_a_link_is_followed_where_it_is_named_only(here: Path) -> None:
    (here / "real").mkdir()
    (here / "real" / "a.txt").write_text("words")
    (here / "docs").mkdir()
    (here / "docs" / "inside").symlink_to(here / "real")
    (here / "named").symlink_to(here / "real")
    assert run("index", "docs").exit_code == 1
    assert run("index", "named").stderr.startswith("1 added; ")


def test_a_dry_run_prints_the_plan_and_makes_nothing(here: Path) -> None:
    result = run("index", EXAMPLE / "places", "--dry-run")
    assert result.exit_code == 0
    assert "7" in result.stdout
    assert list(here.iterdir()) == []


def test_a_walk_says_how_many_files_it_has_found(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedsearch.cli.progress.EVERY_SECONDS", 0.0)
    (here / "docs").mkdir()
    for n in range(1_000):
        (here / "docs" / f"{n}.log").write_bytes(b"")
    result = run("index", "docs", "--glob", "*.txt", "--no-embed")
    assert result.stderr.startswith("looking: 1,000 files, ")


def test_files_that_are_no_documents_are_listed_with_the_reason(here: Path) -> None:
    (here / "docs").mkdir()
    for name in ("b.png", "a.png"):
        (here / "docs" / name).write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (here / "docs" / "bad.pdf").write_bytes(b"%PDF-1.4 nothing\0")
    run("index", "docs")
    assert "skipped     2 binary files (see: ls --skipped)\n" in run("status").stdout
    assert run("ls", "--skipped").stdout == "docs/a.png\ndocs/b.png\n"
    assert run("ls", "--skipped", "-0").stdout == "docs/a.png\0docs/b.png\0"
    assert run("ls", "--unread").stdout == "docs/bad.pdf\n"
    long = run("ls", "--skipped", "--unread", "-l").stdout.splitlines()
    assert long[:2] == ["docs/a.png: is a binary file", "docs/b.png: is a binary file"]
    assert long[2].startswith("docs/bad.pdf: ")
    [why] = [why for _, why in json.loads(run("status", "--json").stdout)["unread"]]
    path = str(here / "docs" / "bad.pdf")
    listed = json.loads(run("ls", "--unread", "--json").stdout)
    assert listed == {"schema_version": 1, "files": [{"path": path, "why": why}]}
    assert run("ls", "--unread", "--format", "csv").stdout.startswith("path,why\n")
    (here / "docs" / "bad.pdf").unlink()
    run("index", "docs")
    assert (run("ls", "--unread").stdout, run("ls", "--unread").exit_code) == ("", 1)
    refused = run("ls", "--skipped", "--glob", "*.png")
    assert "error: --where and --glob choose documents" in refused.stderr


def test_what_is_neither_file_nor_folder_is_told_and_makes_no_index(here: Path) -> None:
    os.mkfifo(here / "fifo")
    (here / "a.txt").write_text("words")
    result = run("index", "fifo")
    told = "is a pipe: only files and folders are indexed\n"
    assert (result.exit_code, result.stderr) == (2, f"error: fifo {told}")
    assert run("index", "/dev/null").stderr.startswith("error: /dev/null is a device: only files")
    assert {path.name for path in here.iterdir()} == {"a.txt", "fifo"}
    beside = run("index", "a.txt", "fifo", "--no-embed")
    assert (beside.exit_code, beside.stderr.splitlines()[1:]) == (3, [f"failed: fifo: {told[:-1]}"])


def test_front_matter_that_is_none_is_told_of_and_the_text_is_found(here: Path) -> None:
    (here / "bad.md").write_text("---\ntitle: a: b\n---\nA fox.\n")
    (here / "good.md").write_text("---\ntitle: c\n---\nA dog.\n")
    why = (
        "bad.md: its front matter is no YAML (line 2: mapping values are not allowed here):"
        " no metadata was taken from it"
    )
    dry = run("index", ".", "--dry-run")
    assert (dry.exit_code, dry.stderr.splitlines()) == (0, [f"warning: {why}"])
    result = run("index", ".", "--no-embed")
    assert (result.exit_code, result.stderr.splitlines()[1:]) == (0, [f"warning: {why}"])
    assert run("search", "fox", "--mode", "lexical", "--format", "files").stdout == "bad.md\n"
    assert f"partial     {why}\n" in run("status").stdout
    assert run("ls", "--partial", "-l").stdout == f"{why}\n"
    (here / "bad.md").rename(here / "moved.md")
    run("index", ".", "--no-embed")
    assert run("ls", "--partial").stdout == "moved.md\n"
    (here / "moved.md").write_text("---\ntitle: b\n---\nA fox.\n")
    assert "warning" not in run("index", ".", "--no-embed").stderr
    assert run("ls", "--partial").exit_code == 1


def test_status_stays_short_with_many_files_that_could_not_be_read(here: Path) -> None:
    for n in range(22):
        (here / f"{n:02}.pdf").write_bytes(b"%PDF-1.4 nothing\0")
    run("index", ".")
    told = run("status").stdout
    assert told.count("unread ") == 20 + 1
    assert "\nunread      ... and 2 more (see: ls --unread)\n" in told
    assert len(run("ls", "--unread").stdout.splitlines()) == 22


def test_names_are_parted_by_nul_for_xargs(here: Path) -> None:
    for name in ("a b.txt", "c\nd.txt"):
        (here / name).write_text("words of a fox")
    run("index", ".", "--no-embed")
    assert run("ls", "-0").stdout == "a b.txt\0c\nd.txt\0"
    search = ("search", "fox", "--mode", "lexical")
    assert sorted(run(*search, "--format", "files", "-0").stdout.split("\0")) == [
        "",
        "a b.txt",
        "c\nd.txt",
    ]
    assert run(*search, "-0").stderr.startswith("error: -0 parts the names of files: say --format")
    assert run("ls", "-0", "--json").exit_code == 2


def test_files_that_failed_are_listed_as_seen_from_here_and_the_exit_code_is_3(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "docs").mkdir()
    (here / "docs" / "good.txt").write_text("words")
    (here / "docs" / "bad.pdf").write_bytes(b"%PDF-1.4 nothing\0")
    result = run("index", "docs")
    assert result.exit_code == 3
    assert "failed: docs/bad.pdf: " in result.stderr
    assert "unread      docs/bad.pdf: " in run("status").stdout
    monkeypatch.chdir(here / "docs")
    assert "failed: bad.pdf: " in run("index", ".").stderr
    monkeypatch.setenv("EMBEDSEARCH_DB", str(here / ".embedsearch"))
    (here / "other").mkdir()
    monkeypatch.chdir(here / "other")
    bad = here / "docs" / "bad.pdf"
    assert f"failed: {bad}: " in run("index", here / "docs").stderr
    assert f"unread      {bad}: " in run("status").stdout
    report = json.loads(run("index", here / "docs", "--format", "json").stdout)
    assert [failure["path"] for failure in report["failed"]] == [str(bad)]


def test_a_named_file_that_is_not_there_stops_no_other(here: Path) -> None:
    (here / "ok.txt").write_text("words")
    for told in (["--dry-run", "--json"], ["--json"]):
        result = run("index", "nosuch", "ok.txt", *told)
        report = json.loads(result.stdout)
        assert (result.exit_code, report["added"]) == (3, 1)
        assert report["failed"] == [{"path": str(here / "nosuch"), "why": "no such file or folder"}]
    assert run("index", "nosuch", "ok.txt").stderr.splitlines()[1:] == [
        "failed: nosuch: no such file or folder"
    ]


def test_where_no_named_file_is_there_no_index_is_made(here: Path) -> None:
    both = run("index", "a.txt", "https://example.com/b")
    assert (both.exit_code, both.stderr.splitlines()) == (
        2,
        [
            "error: a.txt: no such file or folder",
            "https:/example.com/b: only files and folders are read, save the page first",
        ],
    )
    page = run("index", "https://example.com").stderr
    assert page.endswith("read, save the page first: https://example.com\n")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["index", "nowhere"], "no such file or folder: nowhere"),
        (["index"], "Missing argument 'PATH...'"),
        (["search", "words"], "no index in "),
        (["search", "words", "--mode", "fuzzy"], "'fuzzy' is not one of"),
        (["--frobnicate"], "No such option"),
        (["--db"], "'--db' requires an argument"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["-d", "a", "--db", "b", "ls"], "'-d' / '--db' takes one value, and was given 2 times"),
        (["ls", "--db", "a", "--db=b"], "'-d' / '--db' takes one value, and was given 2 times"),
        (["api", "chat", "hi", "-m", "a", "-m", "b"], "'-m' / '--model' takes one value"),
        (["api", "files", "list", "-n1", "-n2"], "'-n' / '--limit' takes one value"),
        (["add", "-", "--text", "a", "--text", "b"], "'--text' takes one value"),
        (["serach", "words"], "No such command 'serach': did you mean 'search'?"),
        (["tokens", "--text", "x", "--model", "gpt-4p"], "did you mean gpt-4, gpt-4o, gpt-5.4?"),
        (["tokens", "--text", "x", "--model", "gpt-99"], "gpt-99"),
        (
            ["tokens", "--text", "x", "--model", "gpt-4o", "--encoding", "cl100k_base"],
            "gpt-4o counts in o200k_base: leave out --encoding",
        ),
        (["add", "-", "--from", "csv", "--text", ""], "--text names no column"),
        (["map", "-o", ""], "Invalid value for '-o' / '--output': it is empty"),
    ],
)
def test_bad_arguments_are_one_line_and_a_hint(
    here: Path, arguments: list[str], message: str
) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert message in result.stderr.splitlines()[0]
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("said", [["--json", "--format", "csv"], ["--format", "csv", "--json"]])
def test_two_formats_are_refused_and_one_said_twice_is_not(here: Path, said: list[str]) -> None:
    (here / "a.txt").write_text("words")
    run("index", "a.txt", "--no-embed")
    refused = run("ls", *said)
    assert (refused.exit_code, refused.stdout) == (2, "")
    message = json.loads(refused.stderr)["error"]["message"]
    assert message == "--json is --format json: leave it out, or --format csv"
    twice = run("ls", *(word.replace("csv", "json") for word in said))
    assert json.loads(twice.stdout)["documents"][0]["id"] == "a.txt"


def test_what_the_system_says_is_named_as_a_word_and_in_a_sentence(here: Path) -> None:
    (here / "a.txt").write_text("words")
    run("index", "a.txt", "--no-embed")
    full = in_a_shell('"$0" -m embedsearch ls --json > /dev/full')
    error = json.loads(full.stderr)["error"]
    assert (error["code"], error["message"]) == ("os_error", "no space left on device")
    (here / "gone").mkdir()
    gone = in_a_shell('cd gone && rmdir ../gone && "$0" -m embedsearch search words')
    assert gone.stderr == "error: the current folder is gone\n"
    assert (full.returncode, gone.returncode) == (2, 2)
    assert run("get", "\udcff").stderr == "error: '\\udcff' is not valid UTF-8\n"


def test_that_nothing_was_found_is_said(here: Path) -> None:
    (here / "a.txt").write_text("words")
    run("index", "a.txt", "--no-embed")
    for said, told in {
        ("ls", "-g", "*.md", "-g", "b"): "nothing found among 1 document (filter *.md, b)\n",
        ("rm", "-g", "*.md", "-y"): "nothing found among 1 document (filter *.md)\n",
        ("usage",): "no provider was asked\n",
        ("usage", "--since", "2026-11-01"): "no provider was asked since 2026-11-01\n",
        ("outbox",): "nothing was sent to a provider\n",
    }.items():
        result = run(*said)
        assert (result.exit_code, result.stdout, result.stderr) == (1, "", told)


@pytest.mark.parametrize("group", [[], ["api"], ["api", "files"]])
def test_a_group_alone_shows_its_help(group: list[str]) -> None:
    result = run(*group)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == run(*group, "--help").stdout


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("search fox --timeout nan", "expected a number, got 'nan'"),
        ("search fox --timeout inf", "inf is not in the range 0<x<=86400"),
        ("search fox --timeout 1e10", "10000000000.0 is not in the range 0<x<=86400"),
        ("api batch get b --every 1e10", "10000000000.0 is not in the range 0<=x<=86400"),
        ("api batch get b --every nan", "expected a number, got 'nan'"),
        ("api fine-tune prepare /dev/null -o o --validation 1", "1.0 is not in the range 0<=x<1"),
        ("ask fox --min-score nan", "expected a number, got 'nan'"),
        ("index . --max-cost nan", "expected a number, got 'nan'"),
        ("search fox --diversity NaN", "expected a number, got 'NaN'"),
        ("dedupe --threshold nan", "expected a number, got 'nan'"),
        ("compare a b --near nan", "expected a number, got 'nan'"),
    ],
)
def test_a_number_out_of_its_range_is_refused_by_its_name(here: Path, line: str, why: str) -> None:
    result = run(*line.split())
    assert (result.exit_code, result.stdout) == (2, "")
    name = line.split()[-2]
    assert result.stderr.startswith(f"error: Invalid value for '{name}': {why}")
    assert not any(here.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["--db", ""], "Invalid value for '-d' / '--db': it is empty", 2),
        (
            ["--db", "docs/a.txt"],
            "Invalid value for '-d' / '--db': Directory 'docs/a.txt' is a file",
            2,
        ),
        (["--model", "index.db"], "no embedder is named 'index.db'", 2),
        (["--model", "openai/unheard-of"], "no API key: set OPENAI_API_KEY", 4),
        (["--model", "openai/text-embedding-3-small"], "no API key: set OPENAI_API_KEY", 4),
        (["--transcribe", "nosuch"], "no transcriber is named 'nosuch'", 2),
        ([""], "Invalid value for 'PATH...': it is empty", 2),
    ],
)
def test_a_slip_leaves_no_index_behind(
    here: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str, code: int
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (here / "docs").mkdir()
    (here / "docs" / "a.txt").write_text("words")
    result = run("index", "docs", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith(f"error: {message}")
    assert [path.name for path in here.rglob("*")] == ["docs", "a.txt"]


def test_a_bug_is_told_as_one_and_shows_its_trace_on_demand(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "a.txt").write_text("words")
    run("index", "a.txt", "--no-embed")
    with sqlite3.connect(here / ".embedsearch" / "index.db") as database:
        # Which nothing that we do can bring about.
        database.execute("update chunks set start = x'ff'")
    database.close()
    told = (
        "error: this is a bug in embedsearch: TypeError: unsupported operand type(s) for -:"
        " 'int' and 'bytes'\nhint: please report it, with what it prints when EMBEDSEARCH_DEBUG=1\n"
    )
    result = run("get", "a.txt")
    assert (result.exit_code, result.stdout, result.stderr) == (70, "", told)
    error = json.loads(run("get", "a.txt", "--format", "json").stderr)["error"]
    assert (error["code"], error["message"]) == ("bug", told.splitlines()[0].partition(" ")[2])
    monkeypatch.setenv("EMBEDSEARCH_DEBUG", "1")
    debugged = run("get", "a.txt")
    assert debugged.stderr.startswith("Traceback (most recent call last):\n")
    assert debugged.stderr.endswith(told)
    assert "ValueError: the query is empty" in run("search", " ").stderr


@pytest.mark.parametrize(
    ("query", "far"),
    [
        ("asdfqwer zzz", True),
        ("pharmacy", True),  # of which nothing is said there
        ("fishbowl", False),  # a word of one text, far from what the text is about
        ("who discovered oxygen", False),
    ],
)
def test_a_search_that_finds_only_what_is_far_says_so(
    wikipedia: Path, query: str, *, far: bool
) -> None:
    result = run("--db", wikipedia, "search", query, "-k", 1)
    told = "note: no text has a word of the query or is near its meaning: at best 0."
    assert (result.exit_code, result.stderr.startswith(told)) == (0, far)
    assert run("--db", wikipedia, "search", query, "--mode", "lexical").stderr.count(told) == 0


def test_what_a_condition_matches_is_not_removed_unasked(here: Path) -> None:
    (here / "a.txt").write_text("words")
    run("index", "a.txt", "--no-embed")
    result = run("rm", "--glob", "*", stdin="y\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(
        "error: to remove 1 document, 'a.txt' first, without a terminal to ask at, say -y\n"
    )
    assert run("ls").stdout == "a.txt\n"
    assert run("rm", "--glob", "*", "-y").exit_code == 0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("why did fuel get expensive in the seventies", "history/oil-crisis.html"),
        ("how did people get to the moon", "history/apollo-program.html"),
        ("who discovered oxygen", "science/oxygen.md"),
        ("jungle in south america", "places/amazon-rainforest.txt"),
    ],
)
def test_search_finds_what_is_meant(wikipedia: Path, query: str, expected: str) -> None:
    hit = found("--db", wikipedia, "search", query, "-k", 1)[0]
    assert hit["document_id"] == expected


def test_a_hit_in_json_has_the_contract_s_keys(wikipedia: Path) -> None:
    result = run("--db", wikipedia, "search", "oxygen", "-k", 2, "--format", "json")
    answer = json.loads(result.stdout)
    assert answer["schema_version"] == 1
    assert answer["query"] == "oxygen"
    keys = (
        "rank score document_id chunk_id text start end"
        " start_line end_line page heading metadata source"
    )
    assert [list(hit) for hit in answer["hits"]] == [keys.split()] * 2
    assert answer["hits"][0]["source"] == str(EXAMPLE / answer["hits"][0]["document_id"])
    assert answer["hits"][0]["metadata"] == {"title": "Oxygen", "topic": "science"}


def test_every_format_prints_the_same_hits(wikipedia: Path, here: Path) -> None:
    assert here.is_dir()  # from elsewhere, paths are absolute
    common = ("--db", wikipedia, "search", "oxygen", "-k", 3)
    hits = found(*common)
    lines = run(*common, "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["chunk_id"] for line in lines] == [h["chunk_id"] for h in hits]
    rows = list(csv.DictReader(io.StringIO(run(*common, "--format", "csv").stdout)))
    assert [row["document_id"] for row in rows] == [h["document_id"] for h in hits]
    files = run(*common, "--format", "files").stdout.splitlines()
    assert files == list(dict.fromkeys(str(EXAMPLE / h["document_id"]) for h in hits))
    for line, hit in zip(
        run(*common, "--format", "vimgrep").stdout.splitlines(), hits, strict=True
    ):
        path, number, column, _ = line.split(":", 3)
        assert path == str(EXAMPLE / hit["document_id"])
        assert hit["start_line"] <= int(number) <= hit["end_line"]
        assert int(column) >= 1
    assert run(*common, "--format", "md").stdout.count("\n   > ") >= 3
    text = run(*common).stdout
    assert text.startswith(f"1  {EXAMPLE / hits[0]['document_id']}:")


def test_vimgrep_names_the_place_in_the_file_and_leaves_the_line_as_it_is(here: Path) -> None:
    line = f"\t{'Ärger ' * 300}gnu\tgnat"
    (here / "a.txt").write_text(f"one\n\n\tthe fox\x0c runs\r\n{line}\n", newline="")
    run("index", "a.txt", "--no-embed")
    search = ("--mode", "lexical", "--format", "vimgrep", "-k", 1)
    fox = run("search", "fox", *search).stdout_bytes.decode()
    assert fox == "a.txt:3:6:\tthe fox\x0c runs\n"
    gnu = run("search", "gnu", *search).stdout_bytes.decode()
    column = len(line[: line.index("gnu")].encode()) + 1
    assert gnu == f"a.txt:4:{column}:{line}\n"


def test_explain_says_what_a_score_is_made_of(wikipedia: Path) -> None:
    common = ("--db", wikipedia, "search", "who discovered oxygen", "-k", 1)
    (hit,) = found(*common, "--explain")
    why = hit["explain"]
    assert list(why["terms"]) == ["discovered", "oxygen"]
    assert hit["score"] == pytest.approx((why["meaning"] + why["words"]) / 2)
    last = run(*common, "--explain").stdout.splitlines()[-1]
    terms = ", ".join(f"{term} {share:.2f}" for term, share in why["terms"].items())
    assert last == f"   meaning {why['meaning']:.2f}, words {why['words']:.2f} ({terms})"
    words = run(*common, "--mode", "lexical", "--explain").stdout.splitlines()[-1]
    assert words.startswith("   words 0.")
    (line,) = run(*common, "--explain", "--format", "jsonl").stdout.splitlines()
    assert json.loads(line) == hit
    refused = run(*common, "--explain", "--format", "files")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--explain goes with --format json|jsonl|text" in refused.stderr


@pytest.mark.parametrize("chunk", ["", "#1"])
def test_the_path_that_a_search_prints_names_the_document(
    wikipedia: Path, here: Path, chunk: str
) -> None:
    assert here.is_dir()  # from elsewhere, paths are absolute
    path, id_ = f"{EXAMPLE}/science/oxygen.md{chunk}", f"science/oxygen.md{chunk}"
    by_path = run("--db", wikipedia, "get", path)
    assert (by_path.exit_code, by_path.stdout) == (0, run("--db", wikipedia, "get", id_).stdout)
    similar = run("--db", wikipedia, "similar", path, "-k", 3)
    assert similar.stdout == run("--db", wikipedia, "similar", id_, "-k", 3).stdout
    assert run("--db", wikipedia, "rm", path.partition("#")[0], "--dry-run").stdout == (
        "science/oxygen.md\n"
    )


def test_a_wrong_column_leaves_no_index(here: Path) -> None:
    (here / "rows.csv").write_text("key,text\n1,one\n")
    result = run("add", "rows.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no column 'id': the columns are key, text" in result.stderr
    assert [path.name for path in here.iterdir()] == ["rows.csv"]


def test_filters_globs_and_groups(wikipedia: Path) -> None:
    common = ("--db", wikipedia, "search", "water and land", "-k", 50)
    assert {h["metadata"].get("topic") for h in found(*common, "--where", "topic=science")} == {
        "science"
    }
    assert {Path(h["document_id"]).suffix for h in found(*common, "--glob", "*.txt")} == {".txt"}
    grouped = [h["document_id"] for h in found(*common, "--group-by", "document")]
    assert len(grouped) == len(set(grouped)) == 25


def test_context_lines_surround_the_best_ones(wikipedia: Path) -> None:
    common = ("--db", wikipedia, "search", "Priestley", "--mode", "lexical", "-k", 1)
    plain, wide = run(*common).stdout.splitlines(), run(*common, "-C", 2).stdout.splitlines()
    assert set(plain) <= set(wide)
    assert len(wide) > len(plain)


def test_context_ends_where_the_document_does(here: Path) -> None:
    db = here / "index"
    with Index.open(db) as index:
        index.add([Document("a", "one\ntwo words\nthree\n")], embed=False)
    common = ("--db", db, "search", "words", "--mode", "lexical", "-k", 1)
    shown = run(*common, "-C", 100_000_000).stdout.splitlines()
    assert shown[1:] == ["   1  one", "   2  two words", "   3  three"]


@pytest.mark.parametrize("format_", ["json", "jsonl", "csv", "md", "files", "vimgrep"])
def test_context_is_refused_where_a_format_has_no_room_for_it(
    wikipedia: Path, format_: str
) -> None:
    refused = run("--db", wikipedia, "search", "oxygen", "-C", 2, "--format", format_)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "-C goes with --format text" in refused.stderr


def test_the_text_of_an_empty_document_is_nothing(here: Path) -> None:
    (here / "docs").mkdir()
    (here / "docs" / "empty.txt").touch()
    run("--db", here / "index", "index", here / "docs")
    result = run("--db", here / "index", "get", "empty.txt")
    assert (result.exit_code, result.stdout) == (0, "")


def test_context_is_of_the_moment_of_the_hits(here: Path) -> None:
    db = here / "index"
    with Index.open(db) as index:
        index.add([Document("a", "words\n" * 20)], embed=False)
    done = threading.Event()

    def write() -> None:
        with Index.open(db) as writer:
            while not done.is_set():
                writer.remove(["a"])
                writer.add([Document("a", "words\n" * 20)], embed=False)

    thread = threading.Thread(target=write)
    thread.start()
    searched = [
        run("--db", db, "search", "words", "--mode", "lexical", "-C", 1).exit_code
        for _ in range(40)
    ]
    done.set()
    thread.join()
    assert set(searched) <= {0, 1}


def test_nothing_found_says_what_was_searched_and_what_came_near(wikipedia: Path) -> None:
    result = run("--db", wikipedia, "search", "zeppelins", "--mode", "lexical")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("nothing found among 113 chunks of 25 documents\nnearest: ")
    filtered = run("--db", wikipedia, "search", "oxygen", "--where", "topic=cooking")
    assert (filtered.exit_code, filtered.stdout) == (1, "")
    assert "(filter topic=cooking)" in filtered.stderr
    assert "oxygen.md" in filtered.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["", "-k", "1"], 2),
        (["x", "-k", "0"], 2),
        (["x", "-k", "1000000000"], 0),
        (["x", "-k", "9" * 30], 0),
    ],
)
def test_odd_queries_are_answered_or_refused(
    wikipedia: Path, arguments: list[str], code: int
) -> None:
    assert run("--db", wikipedia, "search", *arguments).exit_code == code


def test_a_query_of_a_megabyte_is_answered(wikipedia: Path) -> None:
    result = run("--db", wikipedia, "search", "-", "-k", 1, stdin="oxygen gas " * 90_000)
    assert result.exit_code == 0


def test_a_hit_whose_file_changed_says_so(here: Path) -> None:
    (here / "a.txt").write_text("the quick brown fox")
    run("index", "a.txt")
    (here / "a.txt").write_text("the slow brown fox!")
    assert "(file changed since it was indexed)" in run("search", "fox").stdout
    assert found("search", "fox")[0]["stale"] is True
    for format_ in ("csv", "md", "files", "vimgrep"):
        told = run("search", "fox", "--format", format_).stderr
        assert told == "note: changed since it was indexed: a.txt\n"
    (here / "b.txt").write_text("the fox is red")
    run("index", "b.txt")
    (here / "b.txt").unlink()
    lines = run("search", "fox").stdout.splitlines()
    said = {line.split()[1].split(":")[0]: line for line in lines if ".txt:" in line}
    assert said["a.txt"].endswith("(file changed since it was indexed)")
    assert said["b.txt"].endswith("(file is gone)")
    assert [hit["stale"] for hit in found("search", "fox")] == [True, True]
    told = run("search", "fox", "--format", "csv").stderr
    assert told == "note: changed since it was indexed: a.txt\nnote: the file is gone: b.txt\n"


def test_lines_of_json_say_on_stderr_that_nothing_was_found(here: Path) -> None:
    (here / "a.txt").write_text("the quick brown fox")
    run("index", "a.txt", "--no-embed")
    told = {
        format_: run("search", "qwertz", "--mode", "lexical", "--format", format_).stderr
        for format_ in ("jsonl", "csv", "json")
    }
    assert told["jsonl"] == told["csv"]
    assert told["jsonl"].startswith("nothing found among 1 chunk of 1 document\n")
    assert told["json"] == ""


def test_an_id_is_found_whichever_way_its_accents_are_typed(here: Path) -> None:
    (here / "cafe\u0301.txt").write_text("apart")
    (here / "th\u00e9.txt").write_text("on its letter")
    run("index", ".", "--no-embed")
    assert run("get", "caf\u00e9.txt").stdout == "apart\n"
    assert run("get", "the\u0301.txt#0").stdout == "on its letter\n"
    assert run("get", here / "caf\u00e9.txt").stdout == "apart\n"


def test_texts_that_wait_are_found_by_words_and_mentioned(here: Path) -> None:
    (here / "a.txt").write_text("the quick brown fox")
    (here / "blank.txt").write_text(" \n")  # which nobody waits for
    run("index", "a.txt", "blank.txt", "--no-embed")
    result = run("search", "fox")
    assert result.exit_code == 0
    assert "note: 1 of 1 passages are not embedded yet" in result.stderr
    missed = run("search", "wolf")
    assert missed.exit_code == 1
    assert missed.stderr == (
        "nothing found among 2 chunks of 2 documents\n"
        "note: 1 of 1 passages are not embedded yet: they are found by words only\n"
    )
    assert run("search", "fox", "--mode", "dense").stderr == (
        "nothing found among 2 chunks of 2 documents\n"
        "note: 1 of 1 passages are not embedded yet: they are not found by meaning\n"
    )


@pytest.mark.parametrize(
    ("glob", "meant"),
    [("rd/a.txt", "/a.txt"), ("./rd/sub/*", "/sub/*"), ("{here}/rd/a.*", "/a.*"), ("rd/b", "")],
)
def test_a_glob_of_paths_from_here_is_told_what_ids_are(here: Path, glob: str, meant: str) -> None:
    for name in ("rd/a.txt", "rd/sub/b.txt"):
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text("the quick brown fox")
    run("index", "rd", "--no-embed")
    glob = glob.format(here=here)
    said = f"--glob {glob} matches no id, as ids begin under the indexed folder: try --glob {meant}"
    for command in ("search fox --mode lexical", "ls", "rm -y"):
        result = run(*command.split(), "--glob", glob)
        assert result.exit_code == 1
        assert (f"note: {said}\n" in result.stderr) == bool(meant)


def test_an_endless_query_is_told_of_once(here: Path) -> None:
    (here / "a.txt").write_text("the quick brown fox")
    run("index", "a.txt")
    line = """yes 'interest rates' | head -70000 | "$0" -m embedsearch search -"""
    told = in_a_shell(line).stderr.splitlines()
    assert told[0] == "a query of 1050000 characters is too long: parts are read"
    assert [said for said in told[1:] if "too long" in said] == []


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_tilde_is_the_home_of_the_user(
    here: Path, monkeypatch: pytest.MonkeyPatch, *, by_variable: bool
) -> None:
    monkeypatch.setenv("HOME", str(here / "home"))
    (here / "a.txt").write_text("words")
    if by_variable:
        monkeypatch.setenv("EMBEDSEARCH_DB", "~/notes")
    run("index", "a.txt", "--no-embed", *([] if by_variable else ["--db=~/notes"]))
    assert sorted(path.name for path in here.iterdir()) == ["a.txt", "home"]
    assert (here / "home" / "notes" / "index.db").is_file()


def test_similar_get_ls_and_rm(here: Path, wikipedia: Path) -> None:
    db = here / "index"
    shutil.copytree(wikipedia, db)
    assert found("--db", db, "similar", "science/oxygen.md", "-k", 1)[0]["document_id"] != (
        "science/oxygen.md"
    )
    text = run("--db", db, "get", "places/kenya.txt").stdout
    assert text.rstrip("\n") == (EXAMPLE / "places/kenya.txt").read_text().rstrip("\n")
    assert run("--db", db, "get", "places/kenya.txt#0").stdout[:6] == "Kenya\n"
    assert run("--db", db, "get", "nobody").exit_code == 2
    assert len(json.loads(run("--db", db, "ls", "--format", "json").stdout)["documents"]) == 25
    assert run("--db", db, "rm", "places/kenya.txt", "-y").exit_code == 0
    assert "places/kenya.txt" not in run("--db", db, "ls").stdout


def test_a_renamed_folder_keeps_ids_and_labels_by_what_the_note_says(here: Path) -> None:
    (here / "docs").mkdir()
    (here / "docs" / "a.txt").write_text("words")
    run("index", "docs", "--no-embed")
    run("label", "a.txt", "--as", "bill")
    (here / "docs").rename(here / "notes")
    assert "; if it was renamed, " in run("index", "notes", "--no-embed").stderr
    assert run("ls").stdout == "a.txt\nnotes/a.txt\n"
    for folder in ("docs", "notes"):
        assert run("rm", "--source", folder, "-y").exit_code == 0
    assert "1 added" in run("index", "notes", "--no-embed").stderr
    assert run("ls", "--where", "@label=bill").stdout == "a.txt\n"


def test_rm_forgets_a_folder_that_is_gone(here: Path) -> None:
    for name in ("docs", "notes"):
        (here / name).mkdir()
        (here / name / f"{name}.txt").write_text(f"words of {name}")
    run("index", "docs", "notes", "--no-embed")
    shutil.rmtree(here / "docs")
    gone = run("index", "docs")
    assert (gone.exit_code, gone.stdout) == (2, "")
    renamed = "if it is gone for good, or renamed and not yet indexed by its new name:"
    assert gone.stderr.splitlines() == [
        f"error: {here / 'docs'} is not there; what the index holds of it is kept",
        f"hint: {renamed} embedsearch rm --source {here / 'docs'}",
    ]
    told = (
        "note: docs is not there, its documents are kept; if it is gone for good: embedsearch rm"
        " --source docs; if it was renamed, forget its new name likewise where that is indexed,"
        " then index it: ids and labels stay"
    )
    assert run("index", "notes", "--no-embed").stderr.splitlines()[1:] == [told]
    assert run("index", "notes", "--no-embed", "-q").stderr == ""
    assert run("rm", "--source", "docs", "--dry-run").stdout == "docs.txt\n"
    assert run("rm", "--source", "docs", "--glob", "*.txt").exit_code == 2
    removed = run("rm", "--source", "docs", "-y")
    assert (removed.exit_code, removed.stderr) == (0, "1 document removed\n")
    assert run("ls").stdout == "notes.txt\n"
    assert f"folder      {here / 'docs'}\n" not in run("status").stdout
    again = run("rm", "--source", "docs", "-y")
    assert again.exit_code == 2
    assert again.stderr.startswith("error: docs is no folder of the index\n")
    assert run("index", "docs").stderr == "error: no such file or folder: docs\n"


def test_a_file_that_is_gone_can_be_named(here: Path) -> None:
    (here / "docs").mkdir()
    for name in ("a.txt", "b.txt"):
        (here / "docs" / name).write_text(f"words of {name}")
    run("index", "docs", "--no-embed")
    (here / "docs" / "a.txt").unlink()
    result = run("index", "docs/a.txt", "--no-embed")
    assert result.exit_code == 0
    assert result.stderr.startswith("1 removed")
    assert run("ls").stdout == "b.txt\n"
    assert run("index", "docs/a.txt").exit_code == 2


ROWS = [{"number": "7", "subject": "Refund", "body": "Where is my money?", "year": 2024}]


@pytest.mark.parametrize("kind", ["csv", "tsv", "json", "jsonl"])
@pytest.mark.parametrize("by_stdin", [False, True])
def test_add_takes_rows(here: Path, kind: str, *, by_stdin: bool) -> None:
    if kind in {"csv", "tsv"}:
        stream = io.StringIO()
        writer = csv.DictWriter(stream, list(ROWS[0]), delimiter="\t" if kind == "tsv" else ",")
        writer.writeheader()
        writer.writerows(ROWS)
        data = stream.getvalue()
    else:
        data = json.dumps(ROWS) if kind == "json" else json.dumps(ROWS[0]) + "\n"
    (here / f"rows.{kind}").write_text(data)
    source = ["-", "--from", kind] if by_stdin else [f"rows.{kind}"]
    columns = ["--id", "number", "--text", "subject,body", "--meta", "*"]
    result = run("add", *source, *columns, stdin=data if by_stdin else None)
    assert result.exit_code == 0, result.stderr
    hit = found("search", "money", "-k", 1)[0]
    assert hit["document_id"] == "7"
    assert "Refund" in hit["text"]
    assert str(hit["metadata"]["year"]) == "2024"


def test_a_row_that_cannot_be_stored_is_reported_and_the_rest_goes_on(here: Path) -> None:
    rows = [
        '{"id": 1, "text": "a"}',
        '{"id": 2, "text": "b", "n": 1e999}',
        '{"id": 3, "text": "c"}',
    ]
    (here / "rows.jsonl").write_text("\n".join(rows))
    result = run("add", "rows.jsonl", "--meta", "*", "--no-embed")
    assert result.exit_code == 3
    assert (
        "failed: rows.jsonl:2: holds NaN, or a number beyond all that can be stored"
        in result.stderr
    )
    assert run("ls").stdout == "1\n3\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["index", "a.txt"],
        ["add", "rows.csv"],
        ["search", "words", "--mode", "lexical"],
        ["get", "1"],
        ["ls"],
        ["status"],
        ["verify"],
        ["repair"],
        ["tokens", "a.txt"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_json_is_short_for_format_json(here: Path, arguments: list[str]) -> None:
    (here / "a.txt").write_text("words")
    (here / "rows.csv").write_text("id,text\n1,words\n")
    run("add", "rows.csv", "--no-embed")
    for said in (["--json"], ["--format", "json"], ["--json", "--format", "json"]):
        result = run(*arguments, *said)
        assert result.exit_code == 0
        assert json.loads(result.stdout)["schema_version"] == 1


@pytest.mark.parametrize("said", [["--json"], ["--format", "jsonl"], ["--format", "json"]])
def test_errors_are_json_where_the_output_is(here: Path, said: list[str]) -> None:
    result = run("--db", here / "nowhere", "ls", *said)
    assert json.loads(result.stderr)["error"]["code"] == "index_not_found"


def test_add_names_the_columns_there_are(here: Path) -> None:
    (here / "rows.csv").write_text("number,body\n1,words\n")
    result = run("add", "rows.csv", "--text", "body")
    assert result.exit_code == 2
    assert "number" in result.stderr
    assert "body" in result.stderr


def test_add_goes_on_after_a_row_that_is_never_closed(here: Path) -> None:
    (here / "rows.csv").write_text('id,text\n1,one\n2,"two\n3,three\n')
    result = run("add", "rows.csv")
    assert result.exit_code == 3
    assert "failed: rows.csv:3: its quotation mark is never closed" in result.stderr
    assert run("ls").stdout == "1\n3\n"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("rows_before", [0, 2_000])
def test_add_reads_the_encodings_that_spreadsheets_write(
    here: Path, encoding: str, rows_before: int
) -> None:
    rows = "a row of ordinary words that has no text,\n" * rows_before
    data = f"id,text\n{rows}x,Grüße aus Köln: die Größe zählt\n".encode(encoding)
    (here / "rows.csv").write_bytes(data)
    assert run("add", "rows.csv", "--no-embed").exit_code == (3 if rows_before else 0)
    assert run("get", "x").stdout == "Grüße aus Köln: die Größe zählt\n"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_add_reads_a_pipe_in_either_encoding(here: Path, encoding: str) -> None:
    data = "id,text\nx,Grüße aus Köln: die Größe zählt\n".encode(encoding)
    add = command("add", "-", "--from", "csv", "--no-embed")
    subprocess.run(add, input=data, cwd=here, check=True)
    assert run("get", "x").stdout == "Grüße aus Köln: die Größe zählt\n"


def test_a_pipe_that_turns_out_to_be_no_utf8_is_an_error(here: Path) -> None:
    data = b"id,text\n" + b"1,\n" * 50_000 + "x,Größe\n".encode("latin-1")
    add = command("add", "-", "--from", "csv")
    done = subprocess.run(add, input=data, cwd=here, check=False, capture_output=True)
    assert done.returncode == 2
    assert b"error: stdin is not utf-8: invalid start byte" in done.stderr


def test_csv_is_read_back_as_it_was_whatever_ends_a_line(here: Path) -> None:
    ids = ["a\nb", "a\rb", 'a"b', "a,b", "a\r\nb"]
    with Index.open(here / "index") as index:
        index.add([Document(id, "words", {"list": ["a", 1]}) for id in ids], embed=False)
    for command, name in ((("ls",), "id"), (("search", "words"), "document_id")):
        told = run("-d", "index", *command, "--format", "csv").stdout_bytes.decode()
        rows = [*csv.DictReader(io.StringIO(told, newline=""))]
        assert {row[name] for row in rows} == {*ids}
        assert {row["metadata"] for row in rows} == {'{"list": ["a", 1]}'}


def test_of_many_columns_the_first_are_named(here: Path) -> None:
    (here / "wide.csv").write_text(",".join(f"column{n:04}" for n in range(3_000)) + "\n1\n")
    (here / "none.json").write_text("{}")
    told = run("add", "wide.csv").stderr
    assert told.startswith("error: no column 'id': the columns are column0000, column0001, ")
    assert told.endswith(", column0019 and 2,980 more\n")
    assert run("add", "none.json").stderr == "error: no column 'id': the columns are none\n"


def test_add_says_that_ids_came_twice(here: Path) -> None:
    (here / "rows.csv").write_text("id,text\n1,one\n1,uno\n2,two\n1,eins\n")
    result = run("add", "rows.csv")
    assert result.stderr.startswith("2 added; 2 rows replaced by a later one of the same id; ")
    assert run("get", "1").stdout == "eins\n"


def test_tokens_counts_shows_and_prices() -> None:
    assert run("tokens", "--text", "hamburger", "--show").stdout.splitlines()[0] == "hamb|urger"
    shown = run("tokens", "--text", "hamburger", "--encoding", "cl100k_base", "--show").stdout
    assert shown.splitlines()[0] == "h|amburger"
    answer = json.loads(run("tokens", "--text", "a b", "--json").stdout)
    assert answer["tokens"] == 2
    priced = run("tokens", "-", "--model", "text-embedding-3-small", stdin="word " * 1000)
    assert "12.22% of 8,192 tokens of context, $0.00002 as input (prices as of" in priced.stdout


def test_tokens_lists_the_models_that_are_known() -> None:
    lines = run("tokens", "--models").stdout.splitlines()
    assert "gpt-4o-mini             o200k_base, 128,000 tokens of context, $0.15 in, $0.60 out" in (
        line.removesuffix(" per million") for line in lines
    )
    listed = json.loads(run("tokens", "--models", "--json").stdout)["models"]
    assert [line.split()[0] for line in lines] == [model["name"] for model in listed]
    assert run("tokens", "--models", "--text", "x").exit_code == 2
    assert run("tokens", "--models", "--show").exit_code == 2


def test_status_verify_and_repair(here: Path, wikipedia: Path) -> None:
    db = here / "index"
    shutil.copytree(wikipedia, db)
    status = json.loads(run("--db", db, "status", "--format", "json").stdout)
    assert (status["counts"]["documents"], status["pending"]["texts"]) == (25, 0)
    assert run("--db", db, "verify").exit_code == 0
    with sqlite3.connect(db / "index.db") as database:
        database.execute("update vectors set vector = x'00' where number = 1")
    database.close()
    broken = run("--db", db, "verify")
    assert (broken.exit_code, broken.stdout) == (
        3,
        "damaged vectors: 1: their texts are embedded again by the next: embedsearch index\n",
    )
    assert run("--db", db, "repair").exit_code == 0
    assert run("--db", db, "verify").exit_code == 0
    assert run("--db", db, "index", EXAMPLE).stderr.count("1 passage ") == 1


def test_repair_says_what_only_the_user_can_mend(here: Path) -> None:
    (here / "rows.csv").write_text("id,text\n1,words\n")
    run("add", "rows.csv", "--no-embed")
    with sqlite3.connect(here / ".embedsearch" / "index.db") as database:
        database.execute("delete from chunks")
    database.close()
    for _ in range(2):
        result = run("repair")
        assert result.exit_code == 3
        problem = "the chunks of '1' do not cover it: add it again, or: embedsearch rm 1\n"
        assert result.stdout == problem
        assert result.stderr == f"0 problems mended\nleft: {problem}"
        assert run("verify").stderr == "hint: repair can do no more\n"
    run("add", "rows.csv", "--no-embed")
    assert run("verify").exit_code == 0


def test_repair_salvages_a_database_that_cannot_be_opened(here: Path, wikipedia: Path) -> None:
    db = here / "index"
    shutil.copytree(wikipedia, db)
    path = db / "index.db"
    data = bytearray(path.read_bytes())
    data[40 * 4096 : 46 * 4096] = os.urandom(6 * 4096)
    for name in ("index.db.damaged", "index.db.damaged.2"):
        path.write_bytes(data)
        repaired = run("--db", db, "repair")
        assert repaired.exit_code == (3 if "\nleft: " in repaired.stderr else 0)
        assert f"; the old is {name}\n" in repaired.stderr
    assert (db / "index.db.damaged").read_bytes() == data
    assert run("--db", db, "index", EXAMPLE).exit_code == 0
    assert found("--db", db, "search", "oxygen", "-k", 1)[0]["document_id"] == "science/oxygen.md"


def test_repair_says_all_that_it_salvaged_and_what_it_could_not(here: Path) -> None:
    (here / "rows.csv").write_text("id,text\na,some words\nb,more words\n")
    run("add", "rows.csv")
    run("label", "a", "--as", "x")
    with sqlite3.connect(here / ".embedsearch" / "index.db") as database:
        database.execute("delete from settings where key = 'generation'")
        database.execute("insert into models values (1, 'now', 'space', 'KNN', '{}', x'00')")
    database.close()
    result = run("repair")
    assert result.stderr.splitlines()[1:] == [
        (
            "salvaged 2 documents, 2 vectors and labels of 1 document into a new one; the old is"
            " index.db.damaged"
        ),
        "could not be read whole: models: classifiers are lost; another: embedsearch train",
        "hint: run embedsearch index on your folders, for what is missing",
    ]
    assert (result.exit_code, result.stdout) == (0, "")


def test_repair_says_what_is_left_and_by_which_command_it_is_done(
    here: Path, wikipedia: Path
) -> None:
    db = here / "index"
    shutil.copytree(wikipedia, db)
    (here / "rows.csv").write_text("id,text\nrow,words\n")
    run("--db", db, "add", "rows.csv")
    with sqlite3.connect(db / "index.db") as database:
        for id_ in ("row", "science/oxygen.md"):
            database.execute(
                "update texts set text = text || ' more' where id ="
                " (select text from chunks where position = 0 and document ="
                " (select number from documents where id = ?))",
                [id_],
            )
    database.close()
    (db / "vectors.faiss").write_bytes(b"damaged")
    assert run("--db", db, "verify").stderr == "hint: run: embedsearch repair\n"
    result = run("--db", db, "repair")
    again = {
        "row": "add it again, or: embedsearch rm row",
        "science/oxygen.md": f"it is read again by: embedsearch index {EXAMPLE}",
    }
    wrong = ["chunks of {!r} do not cover it", "text of {!r} is not what was stored"]
    left = [f"left: the {w.format(id_)}: {how}" for w in wrong for id_, how in again.items()]
    assert result.exit_code == 3
    assert result.stderr.splitlines()[0] == "2 problems mended"
    assert sorted(result.stderr.splitlines()[1:]) == left
    answer = json.loads(run("--db", db, "repair", "--format", "json").stdout)
    assert answer["problems"] == answer["left"]
    assert run("--db", db, "verify").stderr == "hint: repair can do no more\n"
    assert run("--db", db, "index", EXAMPLE).exit_code == 0
    assert run("--db", db, "add", "rows.csv").exit_code == 0
    assert run("--db", db, "verify").exit_code == 0


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"\0" * 5000])
def test_a_database_that_is_none_is_an_error_without_a_trace(
    here: Path, wikipedia: Path, damage: bytes
) -> None:
    db = here / "index"
    shutil.copytree(wikipedia, db)
    (db / "index.db").write_bytes(damage)
    result = run("--db", db, "search", "oxygen")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr
    assert (db / "index.db").read_bytes() == damage


def test_a_folder_in_place_of_the_database_is_said(here: Path) -> None:
    (here / ".embedsearch" / "index.db").mkdir(parents=True)
    for arguments in (["search", "fox"], ["-m", "local", "index", "."]):
        result = run(*arguments)
        path = here / ".embedsearch" / "index.db"
        said = f"error: {path} is a folder: it is to be the database of an index\n"
        assert (result.exit_code, result.stderr) == (2, said)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "embedsearch", *map(str, arguments)]


def test_a_reader_that_leaves_early_is_no_error(wikipedia: Path) -> None:
    line = " ".join(command("--db", wikipedia, "search", "oxygen", "-k", "50", "--format", "json"))
    done = subprocess.run(
        ["bash", "-c", f"{line} | head -c 10; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_second_writer_is_told_to_wait(here: Path) -> None:
    (here / "a.txt").write_text("words")
    run("index", "a.txt")
    held = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from embedsearch.store.lock import writer_lock\n"
        "with writer_lock(Path('.embedsearch')):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        owner.stdout.readline()
        result = run("index", "a.txt")
        assert result.exit_code == 6
        assert "is being written by another process" in result.stderr
        assert run("search", "words").exit_code == 0
        owner.communicate()


def test_ctrl_c_keeps_what_was_done_and_the_next_run_goes_on(here: Path) -> None:
    (here / "docs").mkdir()
    for n in range(200):
        (here / "docs" / f"{n}.txt").write_text(f"Document {n} tells of a number. " * 200)
    with subprocess.Popen(command("index", "docs"), stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not embedded(here):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "what was done is kept" in errors
    assert "Traceback" not in errors
    before = embedded(here)
    assert before > 0
    assert run("verify").exit_code == 0
    report = json.loads(run("index", "docs", "--format", "json").stdout)
    assert report["texts"] + before == embedded(here)
    assert report["pending"] == 0


def embedded(here: Path) -> int:
    path = here / ".embedsearch" / "index.db"
    if not path.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            return int(database.execute("select count(*) from vectors").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        if "database" in locals():
            database.close()


def test_the_nearest_index_upwards_is_used(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "a.txt").write_text("the quick brown fox")
    run("index", "a.txt")
    (here / "deep" / "down").mkdir(parents=True)
    monkeypatch.chdir(here / "deep" / "down")
    assert found("search", "fox")[0]["document_id"] == "a.txt"
    monkeypatch.chdir(here.parent)
    assert run("search", "fox").exit_code == 2
    monkeypatch.setenv("EMBEDSEARCH_DB", str(here / ".embedsearch"))
    assert found("search", "fox")[0]["document_id"] == "a.txt"


@pytest.mark.parametrize("rows", ["id,text\n1,words\n", "number,body\n1,words\n"])
def test_add_leaves_the_csv_module_s_limit_as_it_was(here: Path, rows: str) -> None:
    (here / "rows.csv").write_text(rows)
    before = csv.field_size_limit()
    run("add", "rows.csv")
    assert csv.field_size_limit() == before


def labelled(folder: Path, n: int, *more: str) -> Path:
    path = folder / "labelled.csv"
    rows = [f"ticket {i},{'ab'[i % 2]}" for i in range(n)]
    path.write_text("\n".join(["text,label", *rows, *more]) + "\n")
    return path


def test_fine_tune_prepare_writes_two_files_and_says_what_they_cost(here: Path) -> None:
    result = run("api", "fine-tune", "prepare", labelled(here, 100), "-o", "out", "--epochs", 4)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "90 examples for training, 10 for validation; the longest has 15 of 65,536 tokens",
        "1,350 tokens x 4 epochs = 5,400: $0.03 to train gpt-4.1-mini (prices as of 2026-11-24)",
        f"written: {Path('out/training.jsonl')}, {Path('out/validation.jsonl')}",
    ]
    lines = (here / "out" / "training.jsonl").read_text().splitlines()
    assert [message["role"] for message in json.loads(lines[0])["messages"]] == [
        "user",
        "assistant",
    ]


def test_fine_tune_prepare_names_every_bad_row_and_goes_on(here: Path) -> None:
    path = labelled(here, 20, "no label,", "too,many,cells", "ticket 3,b")
    result = run("api", "fine-tune", "prepare", path, "-o", "out", "--validation", 0)
    cells = "expected a row of the table, came one that has more cells than there are columns"
    assert result.exit_code == 3
    assert result.stderr.splitlines() == [
        f"failed: {path}:22: expected a text as 'label', came \"\"",
        f"failed: {path}:23: {cells}",
        f"warning: {path}:24: expected another example, came that of line 5 again",
    ]
    assert len((here / "out" / "training.jsonl").read_text().splitlines()) == 20


def test_fine_tune_prepare_reads_stdin_and_prints_json(here: Path) -> None:
    rows = "".join(f'{{"q": "ticket {n}", "a": {n}}}\n' for n in range(20))
    command = ("api", "fine-tune", "prepare", "-", "-o", "out", "--from", "jsonl", "--json")
    result = run(*command, "--prompt", "q", "--answer", "a", stdin=rows)
    report = json.loads(result.stdout)
    assert (result.exit_code, report["schema_version"], report["problems"]) == (0, 1, [])
    assert (report["training"]["examples"], report["validation"]["examples"]) == (18, 2)
    assert all((here / file).exists() for file in report["files"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "expected at least 10 examples for training, came 7, and 1 held out"),
        (("--prompt", "text"), "name both --prompt and --answer"),
        (("--model", "gpt-5"), "'gpt-5' can't be fine-tuned"),
        (("--validation", "2"), "0<=x<1"),
    ],
)
def test_fine_tune_prepare_refuses_before_it_writes(
    here: Path, more: tuple[str, ...], message: str
) -> None:
    result = run("api", "fine-tune", "prepare", labelled(here, 8), "-o", "out", *more)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert not (here / "out").exists()


def test_a_binary_file_that_is_named_is_told_as_such(here: Path) -> None:
    (here / "b.bin").write_bytes(bytes(range(256)) * 8)
    said = "no readable files in b.bin; 1 binary file skipped\n"
    assert (result := run("index", "b.bin")).stderr == said
    assert (result.exit_code, run("index", "b.bin", "--dry-run").stdout) == (1, said)

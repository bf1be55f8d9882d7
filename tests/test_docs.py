"""The documents are true: every block of them runs, every command is described."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from recording import serving

from embedsearch import Document, Index
from embedsearch.cli.main import COMMANDS
from embedsearch.readers.walking import NEVER_ENTERED

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LABELLED = "text,label\n" + "".join(f"ticket {n},{'ab'[n % 2]}\n" for n in range(20))
TICKETS = (
    "number,subject,body,year\n"
    "1,Refund,Where is my money?,2024\n"
    "2,Login,The password is not accepted.,2023\n"
)


def blocks(path: Path, language: str) -> list[str]:
    found = BLOCK.findall(path.read_text(encoding="utf-8"))
    return [block for kind, block in found if kind == language]


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """Return a folder that holds what the examples name."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    guide = tmp_path / "docs" / "guide"
    guide.mkdir(parents=True)
    (guide / "refunds.md").write_text("---\nlang: en\nyear: 2024\n---\n# Refunds\n\nFive days.\n")
    (guide / "other.md").write_text("# Other\n\nSomething else.\n")
    (tmp_path / "tickets.csv").write_text(TICKETS)
    (tmp_path / "tickets.jsonl").write_text('{"number": "3", "body": "A third one"}\n')
    (tmp_path / "labelled.csv").write_text(LABELLED)
    return tmp_path


def run_lines(lines: str, folder: Path) -> None:
    """Run shell lines as a user would, the command being this interpreter's."""
    home = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{home}:{os.environ['PATH']}"}
    environment.pop("EMBEDSEARCH_DB", None)
    done = subprocess.run(
        ["bash", "-e", "-c", lines],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{lines}\n{done.stdout}\n{done.stderr}"


def test_the_readme_s_commands_run(workshop: Path) -> None:
    lines = [b for b in blocks(ROOT / "README.md", "sh") if b.startswith("embedsearch ")]
    assert len(lines) == 1
    run_lines(lines[0], workshop)


@pytest.mark.parametrize("page", ["README.md", "docs/schema.md"])
def test_python_blocks_run(page: str, workshop: Path) -> None:
    found = blocks(ROOT / page, "python")
    assert found
    for block in found:
        subprocess.run([sys.executable, "-c", block], cwd=workshop, check=True, capture_output=True)


@pytest.mark.filterwarnings("ignore:2 of 40 documents have several labels")  # as the page gives
def test_the_page_of_classifying_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    texts = [f"{said} {n}" for n in range(260) for said in ("refund my money", "reset my password")]
    documents = [Document(str(4_700 + n), text, {"lang": "en"}) for n, text in enumerate(texts)]
    with Index.open("tickets.index") as index, Index.open("old.index") as old:
        index.add(documents)
        index.label({str(4_700 + n): ("refund", "login")[n % 2] for n in range(40)})
        old.add(documents[:20])
        names: dict[str, object] = {"index": index, "old": old}
        names |= {"texts": texts[:300], "labels": ["refund", "login"] * 150, "others": texts[-9:]}
        first, second, third = blocks(ROOT / "docs" / "classify.md", "python")
        for block in (first, third, second):  # which opens an index of the same name
            exec(block, names)  # noqa: S102 -- our own page


def test_the_page_of_the_library_runs(workshop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workshop)
    said = json.dumps({"choices": [{"index": 0, "delta": {"content": "Five days [1]."}}]}).encode()
    with serving() as server:
        server.streams(b"data: " + said + b"\n\n", b"data: [DONE]\n\n")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        names: dict[str, object] = {}
        for block in blocks(ROOT / "docs" / "library.md", "python"):
            exec(block, names)  # noqa: S102 -- our own page
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("first", "after"), [("index", "label"), ("label", "status"), ("status", "")]
)
def test_the_page_of_commands_runs(first: str, after: str, workshop: Path) -> None:
    _, _, part = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8").partition(f"\n## {first}\n")
    if after:
        part, _, _ = part.partition(f"\n## {after}\n")
    indexing = "embedsearch index examples/wikipedia"
    run_lines(indexing, workshop)
    for kind, block in BLOCK.findall(part):
        if kind == "sh":
            run_lines(block, workshop)
        if "embedsearch rm" in block:  # takes away what the next section names
            run_lines(indexing, workshop)


def test_every_command_is_described() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    described = re.findall(r"^## ([\w-]+)$", text, re.MULTILINE)
    assert set(COMMANDS) == set(described)


def test_the_folders_that_are_left_out_are_named() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert {name for name in NEVER_ENTERED if f"`{name}`" not in text} == set()


def test_the_readme_is_short_and_shows_code_early() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 120
    assert any(line.startswith("```") for line in lines[:25])


@pytest.mark.parametrize("name", ["main-job", "tests"])
def test_the_readme_has_one_line_for_each_job(name: str) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    marked = re.search(rf"<!-- {name} -->\n```sh\n(.*?)\n```", text, re.DOTALL)
    assert marked
    assert "\n" not in marked[1]


def test_the_schema_page_names_every_table_and_column(tmp_path: Path) -> None:
    from embedsearch.store.database import open_database

    text = (ROOT / "docs" / "schema.md").read_text(encoding="utf-8")
    database = open_database(tmp_path / "index.db", create=True)
    tables = database.execute(
        "select name from sqlite_master where type in ('table', 'view') and name not like '%fts_%'"
    )
    for (table,) in tables.fetchall():
        assert f"`{table}`" in text, table
        for column in database.execute(f"pragma table_info({table})"):
            assert f"`{column[1]}`" in text, f"{table}.{column[1]}"
    database.close()

"""Commands that compare documents, through the door."""

from __future__ import annotations

import csv
import io
import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from embedsearch import Index
from embedsearch.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = {
    "r0": "where is my refund",
    "r1": "the refund has not arrived yet",
    "r2": "when do I get my money back",
    "p0": "I forgot my password",
    "p1": "the password is not accepted",
    "p2": "I can not log in with my password",
    "p3": "the password is not accepted",
    "z0": "whales sing in the deep blue sea",
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="embedsearch")


def found(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("comparing")
    rows = [{"id": id, "text": text, "kind": id[0]} for id, text in TEXTS.items()]
    (made / "texts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    command = ("--db", str(made / "index"), "add", str(made / "texts.jsonl"), "--meta", "*")
    assert run(*command).exit_code == 0
    return made


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("EMBEDSEARCH_DB", str(folder / "index"))


def test_clusters_have_their_documents_and_terms() -> None:
    groups = found("cluster", "-k", "3")["clusters"]
    assert [sorted(group["documents"]) for group in groups] == [
        ["p0", "p1", "p2", "p3"],
        ["r0", "r1", "r2"],
        ["z0"],
    ]
    assert "password" in groups[0]["terms"]
    assert "refund" in groups[1]["terms"]
    text = run("cluster", "-k", "3")
    assert text.stdout.splitlines()[0].replace(",", "").split()[:3] == [
        "4",
        f"{groups[0]['cohesion']:.2f}",
        "password",
    ]
    assert text.stderr == "3 clusters of 8 documents\n"


def test_the_oddest_comes_first() -> None:
    rows = list(csv.DictReader(io.StringIO(run("outliers", "-k", "2", "--format", "csv").stdout)))
    assert next(row["document_id"] for row in rows) == "z0"
    assert len(rows) == 2
    assert rows[0]["text"] == TEXTS["z0"]


def test_copies_are_listed_and_removed_when_told(tmp_path: Path) -> None:
    (group,) = found("dedupe", "--threshold", "1")["duplicates"]
    assert group == {"keep": "p1", "others": ["p3"], "similarities": [1.0], "exact": True}
    assert run("dedupe", "--glob", "r*").exit_code == 1
    own = ("--db", str(tmp_path / "index"))
    run(*own, "add", "texts.jsonl")
    refused = run(*own, "dedupe", "--threshold", "1", "--remove")
    assert refused.exit_code == 2
    assert "to remove 1 document, 'p3' first, without a terminal" in refused.stderr
    done = run(*own, "dedupe", "--threshold", "1", "--remove", "-y")
    assert done.stderr.splitlines() == ["1 document more than needed", "1 document removed"]
    assert "p3" not in run(*own, "ls").stdout.split()


def test_a_sample_holds_one_of_each_kind() -> None:
    ids = [row["document_id"] for row in found("sample", "-k", "3")["documents"]]
    assert {id[0] for id in ids} == {"r", "p", "z"}
    assert run("sample", "-k", "99").stderr.startswith("of 8 documents, as varied as ")


def test_more_like_one_and_less_like_another() -> None:
    rows = found("recommend", "--like", "r0", "-k", "2")["documents"]
    assert {row["document_id"] for row in rows} == {"r1", "r2"}
    unlike = found("recommend", "--like", "p0", "--unlike", "p1", "-k", "1")["documents"]
    assert unlike[0]["document_id"] == "p2"
    assert "no document 'nope'" in run("recommend", "--like", "nope").stderr


def test_two_texts_are_compared_by_their_cosine() -> None:
    assert found("compare", "p1", "p3")["comparison"] == [{"similarity": 1.0}]
    near = found("compare", "p1", "my password was refused")["comparison"][0]["similarity"]
    assert 0.6 < near < 1
    assert run("compare", "p1", "p3").stdout == "similarity 1.0000\n"


def test_two_sets_are_compared_by_what_each_lacks() -> None:
    (said,) = found("compare", "kind=r", "[pr]*", "--near", "0.6")["comparison"]
    assert said["documents"] == [3, 7]
    assert {row["document_id"] for row in said["new"]} == {"p0", "p1", "p2", "p3"}
    assert said["gone"] == []
    text = run("compare", "kind=r", "[pr]*", "--near", "0.6").stdout
    head = text.splitlines()[:2]
    assert head[0] == "3 documents in kind=r, 7 in [pr]*, 3 in both"
    assert head[1].startswith("their means have cosine ")
    assert "\n\n4 new in [pr]* (cosine to the nearest there, below 0.6)\n+ " in text
    assert "drifted" not in text
    assert sum(line.startswith("+ ") for line in text.splitlines()) == 4


def test_folders_of_the_index_are_sets_and_their_clusters_are_counted(tmp_path: Path) -> None:
    own = ("--db", str(tmp_path / "index"))
    rows = [{"id": f"[a] {id[0]}/{id}", "text": text} for id, text in TEXTS.items()]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run(*own, "add", str(tmp_path / "rows.jsonl"))
    (said,) = found(*own, "compare", "[a] r", "[a] p/")["comparison"]
    assert said["documents"] == [3, 4]
    clusters = said["clusters"]
    assert (sum(c["before"] for c in clusters), sum(c["after"] for c in clusters)) == (3, 4)
    assert "two texts or two sets" in run(*own, "compare", "[a] r", "a text").stderr


def test_an_index_of_another_time_is_a_set(tmp_path: Path) -> None:
    other = tmp_path / "other"
    (tmp_path / "new.jsonl").write_text('{"id": "n", "text": "an invoice for the cat"}')
    run("--db", str(other), "add", str(tmp_path / "new.jsonl"))
    (said,) = found("compare", "z*", str(other))["comparison"]
    assert [row["document_id"] for row in said["new"]] == ["n"]
    assert [row["document_id"] for row in said["gone"]] == ["z0"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare", "z*", "a text"), "two texts or two sets"),
        (("compare", "z*", "nope*"), "no document is in 'nope*'"),
        (("cluster", "-k", "9"), "expected k from 1 to the 8 documents there are, got 9"),
        (("map", "-o", "m.html", "--glob", "z*"), "at least three documents for a map, got 1"),
        (("map", "-o", "m.html", "--by", "predicted"), "no classifier was trained yet"),
        (("map", "-o", "m.html", "--by", "kidn"), "no document has 'kidn' in its metadata"),
    ],
)
def test_what_can_not_be_compared_is_said(arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize("command", ["outliers", "sample"])
def test_that_nothing_is_there_is_said(command: str) -> None:
    result = run(command, "--glob", "no/*")
    assert result.exit_code == 1
    assert result.stderr.startswith("nothing found among ")
    assert result.stderr.endswith(" (filter no/*)\n")


@pytest.mark.parametrize("command", ["cluster", "outliers", "dedupe", "sample"])
def test_nothing_is_found_among_nothing(command: str) -> None:
    assert run(command, "--glob", "nope*").exit_code == 1


def test_a_map_is_coloured_by_a_key_as_a_condition_names_it(tmp_path: Path) -> None:
    own = ("--db", str(tmp_path / "index"))
    rows = [
        {"id": "1", "text": "one cat", "author": {"name": "Ann"}, "a.b": "x", "tags": ["p", "q"]},
        {"id": "2", "text": "two dogs", "author": {"name": "Bob"}, "tags": ["p"]},
        {"id": "3", "text": "three ships"},
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run(*own, "add", str(tmp_path / "rows.jsonl"), "--meta", "*")
    for key, groups in (
        ("author.name", ["Ann", "Bob", "(none)"]),
        ("a.b", ["x", "(none)"]),
        ("tags", ["p + q", "p", "(none)"]),
        ("@label", ["(none)"]),
    ):
        page = run(*own, "map", "--by", key, "-o", "-").stdout
        data = json.loads(page.split("const data = ")[1].split(";\n")[0])
        assert [group["name"] for group in data["groups"]] == groups
    refused = run(*own, "map", "--by", "author.nam", "-o", "-")
    assert "did you mean 'author.name' or 'author'? (or colour by cluster" in refused.stderr


def test_a_map_is_one_page(tmp_path: Path) -> None:
    page = tmp_path / "map.html"
    assert run("map", "-o", str(page), "--by", "kind").stderr.endswith(f"8 documents on {page}\n")
    assert TEXTS["z0"] in page.read_text()
    assert run("map", "-o", "-").stdout.startswith("<!doctype html>")
    link = tmp_path / "link.html"
    link.symlink_to(page)
    page.write_text(page.read_text().replace(TEXTS["z0"], "old"))
    assert run("map", "-o", str(link)).exit_code == 0
    assert link.is_symlink()
    assert TEXTS["z0"] in page.read_text()


def test_a_map_is_written_over_no_other_file(folder: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("# Notes\n")
    refused = run("map", "-o", str(notes))
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert f"error: {notes} is there already: --force writes over it\n" in refused.stderr
    assert "drawing" not in refused.stderr
    assert notes.read_text() == "# Notes\n"
    assert run("map", "-o", str(notes), "--force").exit_code == 0
    assert TEXTS["z0"] in notes.read_text()
    empty = tmp_path / "empty.html"
    empty.touch()
    assert run("map", "-o", str(empty)).exit_code == 0
    database = folder / "index" / "index.db"
    refused = run("map", "-o", str(database), "--force")
    assert f"error: {database} is what is read here: write to another file\n" in refused.stderr
    assert found("ls")["documents"]
    refused = run("map", "-o", str(tmp_path / "gone" / "map.html"))
    assert refused.exit_code == 2
    assert f"error: there is no folder {tmp_path / 'gone'}\n" in refused.stderr


def test_what_is_compared_is_a_document_a_file_or_a_text(folder: Path) -> None:
    (folder / "same.txt").write_text(TEXTS["r0"])
    (folder / "aside").mkdir(exist_ok=True)
    assert found("compare", "r0", "same.txt")["comparison"][0]["similarity"] == 1
    long = TEXTS["r0"] * 40
    assert found("compare", long, long)["comparison"][0]["similarity"] == 1
    for strange in ("nope.md", "no/such", "aside", " "):
        assert run("compare", "r0", strange).exit_code == 2
    for names, place in ((("", "*"), "A"), (("*", ""), "B"), (("r0", ""), "B"), (("", ""), "A")):
        refused = run("compare", *names)
        assert (refused.exit_code, refused.stdout) == (2, "")
        said = f"error: Invalid value for '{place}': it is empty: say '.' for the current folder\n"
        assert refused.stderr.startswith(said)
    assert (
        "'aside' is neither a folder that is in the index nor"
        in run("compare", "*", "aside").stderr
    )
    assert "taken as a text" in run("compare", "r0", "refund").stderr


def test_a_document_is_not_liked_and_disliked() -> None:
    ids = [row["document_id"] for row in found("sample", "-k", "2")["documents"]]
    refused = run("recommend", "--like", ids[0], "--unlike", ids[0])
    assert refused.exit_code == 2
    assert f"{ids[0]!r} is named both as liked and as not" in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "refund"),
        ("search", "refund", "--mode", "lexical", "--json"),
        ("similar", "r0"),
        ("ask", "where is it", "--show-prompt"),
        ("ls",),
        ("rm", "-y"),
        ("label", "--as", "x", "-y"),
        ("label", "where is it", "--as", "x", "-y"),
        ("cluster",),
        ("outliers",),
        ("dedupe",),
        ("sample",),
        ("recommend", "--like", "r0"),
        ("map", "-o", "-"),
    ],
)
def test_a_condition_on_a_key_that_no_document_has_is_told_where_nothing_is_found(
    arguments: tuple[str, ...],
) -> None:
    said = "no document has 'kid' in its metadata: did you mean 'kind'?\n"
    result = run(*arguments, "--where", "kid=r")
    assert result.exit_code
    assert result.stderr.count(said) == 1
    assert said not in run(*arguments, "--where", "kid=r", "-q").stderr
    assert said not in run(*arguments, "--where", "kind=nope").stderr


def test_a_set_of_a_key_that_no_document_has_is_told() -> None:
    told = run("compare", "kid=r", "kind=p").stderr
    assert "did you mean 'kind'?" in told
    assert "no document is in 'kid=r'" in told


def test_what_fails_is_told_even_quietly() -> None:
    unknown = run("rm", "nope", "-q")
    assert (unknown.exit_code, unknown.stderr) == (
        2,
        "error: no document 'nope' in the index\nhint: see: embedsearch ls\n",
    )
    assert run("rm", "nope", "no").stderr.startswith(
        "error: no document 'no', 'nope' in the index\n"
    )
    assert run("rm", "nope").stderr == run("get", "nope").stderr
    assert "no file 'no/such'" in run("-q", "compare", "r0", "no/such").stderr


THEN = {
    "a": "The refund takes five days.\n",
    "b": "Whales sing in the deep blue sea.\n",
    "c": "The password has eight letters.\n",
    "d": "A cat sat on the mat.\n",
}
NOW = THEN | {
    "b": "Whales sing in the deep blue sea.\nBake the bread for forty minutes.\n",
    "c": "Trains leave at noon.\n",
    "e": "The stock market fell today.\n",
}
del NOW["d"]


def added(index: Path, texts: dict[str, str], prefix: str = "") -> None:
    rows = [{"id": prefix + id, "text": text} for id, text in texts.items()]
    file = index.with_suffix(".jsonl")
    file.write_text("\n".join(map(json.dumps, rows)))
    assert run("--db", str(index), "add", str(file)).exit_code == 0


def test_two_points_in_time_are_compared_by_what_is_new_gone_and_drifted(tmp_path: Path) -> None:
    then, now = tmp_path / "then", tmp_path / "now"
    added(then, THEN)
    added(now, NOW)
    command = ("--db", str(now), "compare", str(then), "*")
    (said,) = found(*command)["comparison"]
    assert (said["documents"], said["in_both"]) == ([4, 4], 3)
    assert [row["document_id"] for row in said["new"]] == ["e"]
    assert [row["document_id"] for row in said["gone"]] == ["d"]
    assert [(row["document_id"], row["before"]) for row in said["drifted"]] == [
        ("c", "c"),
        ("b", "b"),
    ]
    rewritten, longer = said["drifted"]
    assert rewritten["similarity"] < longer["similarity"] < 0.9999
    assert rewritten["lost"]["lines"] == ["The password has eight letters."]
    assert longer["gained"]["lines"] == ["Bake the bread for forty minutes."]
    assert (longer["gained"]["start_line"], longer["gained"]["end_line"]) == (1, 2)
    rows = list(csv.DictReader(io.StringIO(run(*command, "--format", "csv").stdout)))
    assert [(row["change"], row["document_id"]) for row in rows] == [
        ("new", "e"),
        ("gone", "d"),
        ("drifted", "c"),
        ("drifted", "b"),
    ]
    assert rows[3]["gained"] == NOW["b"]
    lines = [json.loads(line) for line in run(*command, "--format", "jsonl").stdout.splitlines()]
    assert [line["similarity"] for line in lines] == [float(row["similarity"]) for row in rows]
    text = run(*command).stdout
    assert f"\n1 gone from {then} (cosine to the nearest there, below 0.8)\n- " in text
    assert f"\n~ {longer['similarity']:.4f}  b\n" in text
    assert ":1-2  Bake the bread for forty minutes.\n" in text


def test_the_same_path_in_two_folders_is_one_document(tmp_path: Path) -> None:
    index = tmp_path / "index"
    added(index, THEN, "then/")
    added(index, NOW, "now/")
    (said,) = found("--db", str(index), "compare", "then", "now/")["comparison"]
    assert said["in_both"] == 3
    assert [(row["document_id"], row["before"]) for row in said["drifted"]] == [
        ("now/c", "then/c"),
        ("now/b", "then/b"),
    ]
    (other,) = found("--db", str(index), "compare", "then/*", "now/*")["comparison"]
    assert (other["in_both"], other["drifted"]) == (0, [])


def test_a_document_of_a_folder_inside_another_is_one_document(tmp_path: Path) -> None:
    index = tmp_path / "index"
    added(index, THEN, "wiki/")
    added(index, {"a": NOW["b"], "b": NOW["e"]}, "wiki/new/")
    both = ("wiki/new/a", "wiki/new/b")
    for sides, documents in ((("wiki", "wiki/new"), [6, 2]), (("wiki/new", "wiki"), [2, 6])):
        (said,) = found("--db", str(index), "compare", *sides)["comparison"]
        assert (said["documents"], said["in_both"], said["drifted"]) == (documents, 2, [])
        assert not {row["document_id"] for row in said["new"] + said["gone"]} & {*both}


def write_both(docs: Path) -> None:
    """Write what is compared into two folders."""
    for name, texts in (("then", THEN), ("now", NOW)):
        (docs / name).mkdir(parents=True)
        for id, text in texts.items():
            (docs / name / f"{id}.txt").write_text(text)


def test_a_link_to_what_was_indexed_is_what_it_points_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_both(tmp_path / "docs")
    (tmp_path / "link").symlink_to(tmp_path / "docs" / "then")
    (tmp_path / "page").symlink_to(tmp_path / "docs" / "then" / "a.txt")
    own = ("--db", "index")
    assert run(*own, "index", "docs").exit_code == 0
    (said,) = found(*own, "compare", "link", "docs/now")["comparison"]
    assert (said["documents"], said["in_both"]) == ([4, 4], 3)
    assert run(*own, "get", "page").stdout == THEN["a"]
    with Index.open(tmp_path / "index") as index:
        assert index.id_at("no\0path") is None


@pytest.mark.parametrize("indexed", [("docs",), ("docs/then", "docs/now")])
def test_two_folders_on_disk_are_compared_by_what_was_indexed_of_them(
    indexed: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_both(tmp_path / "docs")
    (tmp_path / "docs" / "now" / "blank.txt").write_text("\n")
    own = ("--db", "index")
    assert run(*own, "index", *indexed).exit_code == 0
    result = run(*own, "compare", "docs/then", str(tmp_path / "docs" / "now"), "--json")
    (said,) = json.loads(result.stdout)["comparison"]
    assert (said["documents"], said["in_both"]) == ([4, 4], 3)
    assert [PurePath(row["before"]).name for row in said["drifted"]] == ["c.txt", "b.txt"]
    assert "note: 1 document without words left out\n" in result.stderr


def test_a_text_with_signs_of_a_condition_is_one_with_a_blank_before_it() -> None:
    refused = run("compare", "a < b", "b > a")
    assert refused.exit_code == 2
    assert "no document is in 'a < b'; if a text is meant, put a blank before it" in refused.stderr
    assert found("compare", " a < b", " a < b")["comparison"] == [{"similarity": 1.0}]


def test_different_texts_that_the_model_cannot_read_are_no_duplicates(tmp_path: Path) -> None:
    texts = {
        "train": "รถไฟออกเวลาเจ็ดโมงเช้า",
        "weather": "วันนี้อากาศดีมาก",
        "again": "วันนี้อากาศดีมาก",
        "rain": "ዛሬ ዝናብ ነው",
        "water": "ខ្ញុំចង់បានទឹក",
        "party": "🎉",
        "read": "the refund has not arrived",
        "read, too": "The refund HAS not arrived",
    }
    rows = [json.dumps({"id": id, "text": text}) for id, text in texts.items()]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    own = ("--db", str(tmp_path / "index"))
    added = run(*own, "add", str(tmp_path / "rows.jsonl"))
    said = "note: 5 passages (the first in train) mostly in signs that the model can't read:"
    assert added.stderr.splitlines()[1:] == [f"{said} only words find them, not meaning"]
    assert run(*own, "index", str(tmp_path), "-g", "*.none").stderr.count("note:") == 0
    listed = run(*own, "dedupe", "--format", "jsonl")
    groups = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [(g["keep"], g["others"]) for g in groups] == [
        ("weather", ["again"]),
        ("read", ["read, too"]),
    ]
    said = "note: 6 documents mostly in signs that 'local' can't read:"
    assert listed.stderr.splitlines() == [
        f"{said} of these only copies are listed",
        "2 documents more than needed",
    ]
    assert run(*own, "dedupe", "--remove", "-y").exit_code == 0
    assert len(run(*own, "ls").stdout.split("\n")) == 7

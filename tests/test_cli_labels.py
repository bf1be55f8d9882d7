"""``embedsearch label``, through the door."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from embedsearch import Document, Index
from embedsearch.cli.asking_labels import ask_for_labels
from embedsearch.cli.main import main

TICKETS = "id,text\n" + "".join(
    f"{n},{text}\n"
    for n, text in enumerate(
        [
            "where is my refund",
            "the refund has not arrived",
            "I forgot my password",
            "the password is not accepted",
        ]
    )
)


TOLD_OTHERWISE = (
    "1 more label told otherwise by the examples, but less surely:"
    " embedsearch evaluate lists mistakes"
)


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin, prog_name="embedsearch")


@pytest.fixture(autouse=True)
def tickets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EMBEDSEARCH_DB", raising=False)
    Path("tickets.csv").write_text(TICKETS)
    assert run("add", "tickets.csv").exit_code == 0


def labels() -> dict[str, str]:
    listed = json.loads(run("label", "--list", "--json").stdout)["labels"]
    return {row["document_id"]: row["label"] for row in listed}


def test_documents_are_labelled_by_id() -> None:
    result = run("label", "0", "1", "--as", "refund")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "2 documents labelled\n")
    assert labels() == {"0": "refund", "1": "refund"}
    assert run("label", "1", "--clear").exit_code == 0
    assert labels() == {"0": "refund"}


def test_documents_are_labelled_by_what_a_query_finds() -> None:
    refused = run("label", "refund not received", "-k", "2", "--as", "refund")
    assert refused.exit_code == 2
    assert "to label 2 documents as refund, without a terminal to ask at, say -y" in refused.stderr
    assert run("label", "refund not received", "-k", "2", "--as", "refund", "-y").exit_code == 0
    assert labels() == {"0": "refund", "1": "refund"}
    listed = run("label", "--list", "--format", "csv").stdout.splitlines()
    assert listed[0] == "document_id,label,at,source,waiting"
    assert listed[1].startswith("0,refund,")
    assert listed[1].endswith(",query: refund not received,False")


def test_labels_that_wait_for_a_document_are_listed_and_marked() -> None:
    run("label", "0", "1", "--as", "refund")
    run("label", "0", "--as", "money", "--as", "urgent")
    run("label", "2", "--as", "login")
    run("label", "2", "--clear")
    assert run("rm", "0", "2", "-y").exit_code == 0
    listed = json.loads(run("label", "--list", "--json").stdout)["labels"]
    told = [(row["document_id"], row["label"], row["waiting"]) for row in listed]
    assert told == [("1", "refund", False), ("0", "money", True), ("0", "urgent", True)]
    day = listed[0]["at"][:10]
    assert run("label", "--list").stdout.splitlines() == [
        f"1  refund  (command line, {day})",
        f"0  money  (command line, {day}; waits, as there is no such document)",
        f"0  urgent  (command line, {day}; waits, as there is no such document)",
    ]
    assert run("add", "tickets.csv").exit_code == 0
    assert "waits" not in run("label", "--list").stdout
    assert run("rm", "0", "1", "-y").exit_code == 0
    assert run("label", "--list").exit_code == 0


def test_documents_are_labelled_by_condition() -> None:
    assert run("label", "--glob", "[23]", "--as", "login", "-y").exit_code == 0
    assert labels() == {"2": "login", "3": "login"}
    assert run("label", "--glob", "nope*", "--as", "login", "-y").exit_code == 1


def test_an_id_that_is_wrong_among_right_ones_labels_nothing() -> None:
    result = run("label", "0", "17", "--as", "refund", "-y")
    assert (result.exit_code, labels()) == (2, {})
    assert "no document '17': name documents, or say a query" in result.stderr


def test_a_file_gives_labels_to_many() -> None:
    Path("labels.tsv").write_text("key\tkind\n0\trefund\n0\turgent\n2\tlogin\n9\tnone\n3\t\n")
    result = run("label", "--file", "labels.tsv", "--id", "key", "--label", "kind")
    assert result.exit_code == 3
    assert result.stderr.splitlines() == [
        "labels.tsv:6: has no 'kind'",
        "no document '9' in the index",
        "note: 1 document with several labels, '0' first",
        "2 documents labelled",
    ]
    assert run("label", "--list").stdout.count("labels.tsv") == 3
    assert {line.split()[1] for line in run("label", "--list").stdout.splitlines()} == {
        "refund",
        "urgent",
        "login",
    }


def test_no_control_character_is_taken_into_a_label(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run("label", "0", "--as", "refund\nlate")
    said = "expected labels of '0' without control characters, got 'refund\\nlate'"
    assert (result.exit_code, result.stderr) == (2, f"error: {said}\n")
    Path("l.csv").write_text('id,label\n0,"a\nb"\n1,\x1b[A\n2, login\n')
    result = run("label", "--file", "l.csv")
    assert (result.exit_code, result.stderr.splitlines()) == (
        3,
        [
            "l.csv:2: has a control character in 'label': 'a\\nb'",
            "l.csv:4: has a control character in 'label': '\\x1b[A'",
            "1 document labelled",
        ],
    )
    assert asked(monkeypatch, "\x1b[A", ":is a\tb", "zero\u200dwidth", ":q") == 0
    shown = capsys.readouterr().err
    assert "expected a label without control characters, got '\\x1b[A'\n" in shown
    assert "expected a label without control characters, got ':is a\\tb'\n" in shown
    assert sorted(labels().values()) == ["login", "zero\u200dwidth"]


def test_a_file_that_says_two_things_of_a_document_is_told() -> None:
    Path("l.csv").write_text("id,label\n0,refund\n2,login\n0,money\n2,login\n")
    result = run("label", "--file", "l.csv")
    assert result.exit_code == 0
    assert "note: 1 document with several labels, '0' first" in result.stderr


PARTS = {
    "refund": ["where is my refund", "give me my money back", "I was charged twice"],
    "login": ["I forgot my password", "the password is wrong", "I can not log in"],
}


@pytest.fixture
def several() -> None:
    """Label 24 documents with one of two labels, or with both."""
    rows = []
    for n in range(24):
        names = [["refund"], ["login"], ["login", "refund"]][n % 3]
        text = ". ".join(PARTS[name][n // 3 % 3] for name in names)
        rows.append({"id": str(n), "text": f"{text}, order {n * 7919}", "label": names})
    Path("rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert run("add", "rows.jsonl").exit_code == 0
    assert run("label", "--file", "rows.jsonl").exit_code == 0


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("source", [(), ("--labels", "rows.jsonl")])
def test_several_labels_a_document_are_measured_each_by_itself(source: tuple[str, ...]) -> None:
    result = run("evaluate", *source, "--threshold", "1", "--html", "page.html")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == (
        "8 of 24 texts do not have one label, so each label is measured by itself: a text may be"
        " told none or several, so fewer are told rightly\n"
        "the page is page.html\n"
    )
    told = result.stdout.splitlines()
    head, _, columns, micro, macro, whole, won, _, near, _, table, *lines = told
    assert head == "24 texts, 2 labels, 5 folds over 24 groups"
    assert columns.split() == ["FewShotClassifier", "majority"]
    said = json.loads(run("evaluate", *source, "--threshold", "1", "--json").stdout)
    figures = [said[name]["value"] for name in ("micro_f1", "macro_f1", "subset_accuracy")]
    assert min(figures) > 0.75
    for line, figure in zip((micro, macro, whole), figures, strict=True):
        assert line[22:].startswith(f"{100 * figure:6.1f} (")
    assert micro[45:].startswith(f"{100 * said['majority']['value']:6.1f} (")
    gain = said["gain"]
    assert won == "micro F1 won            {:.1f} ({:.1f} to {:.1f})".format(
        *(100 * gain[end] for end in ("value", "low", "high"))
    )
    assert near.startswith(f"{said['near_texts']} of 24 texts have one of cosine 0.9 or more")
    assert table == "   F1   precision   recall   texts   label"
    scores = sorted(said["labels"], key=lambda score: score["f1"])
    assert [line.split() for line in lines[:2]] == [
        [*(f"{score[name]:.2f}" for name in ("f1", "precision", "recall")), "16", score["label"]]
        for score in scores
    ]
    assert lines[2:4] == ["", "text, - label not told, + label told wrongly"]
    assert len(lines[4:]) == len(said["mistakes"])
    rows = run("evaluate", *source, "--threshold", "1", "--format", "csv").stdout.splitlines()
    assert rows[0] == "label,precision,recall,f1,support,predicted"
    assert [row.split(",")[0] for row in rows[1:]] == [score["label"] for score in scores]


def test_a_text_without_a_label_is_left_out_be_it_the_first_one() -> None:
    rows = [{"text": "not labelled yet"}]
    rows += [
        {"text": f"{PARTS[kind][n % 3]}, order {n * 7919}", "label": kind}
        for kind in PARTS
        for n in range(6)
    ]
    Path("rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    result = run("evaluate", "--labels", "rows.jsonl", "--no-curve")
    assert result.exit_code == 0
    assert "1 of 13 texts left out: they have no label" in result.stderr
    result = run("evaluate", "--labels", "rows.jsonl", "--label-column", "kind")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: no column 'kind': the columns are text, label\n",
    )


def test_what_is_of_one_group_is_held_out_together() -> None:
    rows = [
        {"id": f"n{kind}{n}", "text": f"{PARTS[kind][n % 3]}, order {n * 7919}", "label": kind}
        for kind in PARTS
        for n in range(6)
    ]
    for place, row in enumerate(rows[2:]):  # the first two are of no thread
        row["thread"] = f"t{place % 4}" + " " * (place % 3)
    rows[0]["thread"] = rows[1]["thread"] = "  "
    Path("rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    same = ("evaluate", "--no-curve", "--threshold", "1", "--json")
    of_file = (*same, "--labels", "rows.jsonl")
    alone = json.loads(run(*of_file).stdout)
    assert (alone["groups"], alone["grouped_by"]) == (12, None)
    grouped = json.loads(run(*of_file, "--group", "thread", "--html", "page.html").stdout)
    assert (grouped["groups"], grouped["grouped_by"]) == (6, "thread")
    page = Path("page.html").read_text(encoding="utf-8")
    assert "over 6 groups: texts of the same thread and near duplicates (cosine 1 and more)" in page
    refused = run(*of_file, "--group", "author")
    assert refused.exit_code == 2
    assert "no column 'author': the columns are id, text, label, thread" in refused.stderr
    assert run("add", "rows.jsonl", "--meta", "thread").exit_code == 0
    for kind in PARTS:
        assert run("label", "--glob", f"n{kind}*", "--as", kind, "-y").exit_code == 0
    assert json.loads(run(*same, "--group", "thread").stdout)["groups"] == 6
    for command in (same, ("train",), ("suspects",)):
        assert "no document has 'thred'" in run(*command, "--group", "thred").stderr
    assert run("train", "--group", "thread").exit_code == 0
    assert run("suspects", "--group", "thread").stderr == "0 suspects\n"


@pytest.mark.usefixtures("several")
def test_mistakes_of_several_labels_are_named_on_the_page_and_in_words() -> None:
    run("label", "2", "--as", "refund", "--as", "<b>odd")
    run("label", "5", "--as", "refund", "--as", "other")
    run("label", "8", "--as", "login", "--as", "other")
    result = run("evaluate", "--threshold", "1", "--html", "page.html")
    assert "1 of 4 labels have a single text, or copies of it, and are never told" in result.stderr
    assert "label 1 more of '<b>odd'" in result.stderr
    assert "1 of 4 labels have less than 5 texts, too few for figures of their own" in result.stderr
    told = result.stdout.split("text, - label not told, + label told wrongly\n")[1].splitlines()
    assert "2  -<b>odd  +login" in told
    page = Path("page.html").read_text(encoding="utf-8")
    assert "<small>2</small>" in page
    assert "<td >&lt;b&gt;odd</td>" in page
    assert "<b>odd" not in page
    assert "micro F1, majority" in page


@pytest.mark.filterwarnings("always")
@pytest.mark.usefixtures("several")
def test_labels_that_are_too_much_or_missing_are_suspects() -> None:
    run("label", "2", "--as", "refund")
    run("label", "9", "--as", "refund", "--as", "login")
    result = run("suspects")
    assert result.stderr == (
        "warning: 8 of 24 documents have several labels ('5', '8', '9', '11', '14' and 3 more), so"
        " each label is decided by itself\n2 suspects\n"
        "3 more labels told otherwise by the examples, but less surely:"
        " embedsearch evaluate lists mistakes\n"
    )
    heads = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert [head.rsplit(" ", 1)[0] for head in sorted(heads)] == [
        "2  login is missing",
        "9  login is too much",
    ]
    rows = json.loads(run("suspects", "--json").stdout)["suspects"]
    found = {row["document_id"]: row for row in rows}
    assert [found["2"][key] for key in ("label", "suggested")] == [None, "login"]
    assert [found["9"][key] for key in ("label", "suggested")] == ["login", None]
    assert all("login" in near["labels"] for near in found["2"]["disagreeing"])
    assert all("login" not in near["labels"] for near in found["9"]["disagreeing"])


@pytest.mark.parametrize(
    ("off", "listed", "said"),
    [(0.1, ["59"], ["1 suspect"]), (0.3, [], ["0 suspects", TOLD_OTHERWISE])],
)
def test_labels_that_are_told_otherwise_and_no_suspects_are_counted(
    off: float, listed: list[str], said: list[str]
) -> None:
    rows = np.zeros((60, 384))
    rows[:30, 0] = rows[30:, 1] = 1
    rows[:, 10:70] = 0.4 * np.eye(60)  # which keeps them from being near duplicates
    rows[59, :2] = 1, off  # labelled as its neighbours are not, and less like these than they are
    with Index.open("own") as index:
        index.add([Document(str(n), f"text {n}") for n in range(60)], vectors=rows)
        index.label({str(n): "refund" if n < 30 else "login" for n in range(60)})
    result = run("--db", "own", "suspects", "--format", "jsonl")
    assert [json.loads(line)["document_id"] for line in result.stdout.splitlines()] == listed
    assert (result.stderr.splitlines(), result.exit_code) == (said, 0 if listed else 1)


def test_the_latest_labelling_is_taken_back() -> None:
    run("label", "0", "--as", "refund")
    run("label", "0", "1", "--as", "wrong")
    result = run("label", "--undo")
    assert result.stderr.startswith("taken back: 2 documents, labelled at ")
    assert labels() == {"0": "refund"}
    run("label", "--undo")
    assert run("label", "--undo").exit_code == 1
    assert run("label", "--list").exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("0",),
        ("--as", "refund"),
        ("0", "--as", "refund", "--clear"),
        ("0", "--as", "refund", "--undo"),
        ("--list", "--undo"),
        ("--list", "--where", "lang=en"),
        ("--undo", "--glob", "0"),
        ("--file", "tickets.csv", "--glob", "0"),
        ("0", "--as", " "),
        (),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...]) -> None:
    result = run("label", *arguments)
    assert result.exit_code == 2
    assert result.stderr.strip()
    assert labels() == {}


class Terminal(io.StringIO):
    """What somebody types."""

    def isatty(self) -> bool:
        return True


def asked(monkeypatch: pytest.MonkeyPatch, *typed: str) -> int:
    """Return the exit code of asking somebody who types these lines."""
    monkeypatch.setattr("sys.stdin", Terminal("".join(f"{line}\n" for line in typed)))
    with Index.open(".embedsearch") as index:
        return ask_for_labels(index, where=(), glob=())


def test_asking_takes_back_only_what_was_said_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    run("label", "0", "--as", "refund")
    assert asked(monkeypatch, ":u", "login", "refund", ":u", ":u", ":u", ":q") == 1
    assert labels() == {"0": "refund"}


def test_asking_keeps_the_numbers_of_labels(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("label", "0", "--as", "refund")
    assert asked(monkeypatch, "zebra", "apple", "1") == 0
    assert sorted(labels().values()) == ["apple", "refund", "refund", "zebra"]
    shown = capsys.readouterr().err
    assert [line for line in shown.splitlines() if line.startswith("1 refund")] == [
        "1 refund",
        "1 refund   2 zebra",
        "1 refund   2 zebra   3 apple",
    ]
    assert "(2 labelled, 0 passed)" in shown
    assert shown.endswith(
        "nothing is left to label\n3 documents labelled; next: embedsearch train\n"
    )


def test_asking_shows_how_a_long_text_begins_and_cuts_no_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for text, shown in (
        ("words " * 300, f"{'words ' * 199}words… (600 characters more: :t)"),
        ("文" * 1_300, f"{'文' * 1_200}… (100 characters more: :t)"),
        ("words " * 200, f"\n{('words ' * 200).strip()}\n\n"),
    ):
        with Index.open(".embedsearch") as index:
            index.remove([document.id for document in index.documents()])
            index.add([Document("long", text)])
        assert asked(monkeypatch, ":q") == 1
        assert shown in capsys.readouterr().err


def test_asking_takes_several_labels_with_commas_between(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("label", "0", "--as", "refund", "--as", "late, again")
    assert asked(monkeypatch, "2, login,login,", ",", "1, 9, 7", "1, :x", ":u", ":q") == 1
    shown = capsys.readouterr().err
    assert "1 late, again   2 refund   3 login\n" in shown
    assert "2 is refund and login\n" in shown
    assert "there is no command ,; ? lists" in shown
    assert "no label has the number 9; ? lists" in shown
    assert "there is no command :x; ? lists" in shown
    assert "taken back: 2 was refund and login\n" in shown
    both = ("late, again", "refund")
    with Index.open(".embedsearch") as index:
        assert index.labels() == {"0": both}
    assert asked(monkeypatch, "late, again", ":is soon, please", "1,2", ":q") == 0
    with Index.open(".embedsearch") as index:
        assert sorted(index.labels().values()) == [both[:1], both, both, ("soon, please",)]


def test_asking_takes_no_slip_for_a_label(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(monkeypatch, "99", ":x", "?", ":q") == 1
    shown = capsys.readouterr().err
    assert "no label has the number 99; ? lists" in shown
    assert "there is no command :x; ? lists" in shown
    assert ":u         take the latest label back" in shown
    assert shown.endswith("nothing labelled\n")
    assert labels() == {}
    assert asked(monkeypatch, ":is 5", ":is :x", "login", ":u", "3", ":q") == 0
    assert "taken back: " in (shown := capsys.readouterr().err)
    assert " was login\n" in shown
    assert sorted(labels().values()) == ["5", ":x", "login"]


def test_conditions_are_for_all_documents_not_for_a_text() -> None:
    run("label", "0", "1", "--as", "refund")
    run("label", "2", "3", "--as", "login")
    assert run("train").exit_code == 0
    assert "say --all" in run("classify", "my refund", "--glob", "0").stderr
    Path("more.csv").write_text("id,text\n4,the refund is late\n")
    run("add", "more.csv", "--no-embed")
    told = run("classify", "--all").stderr
    said = "4 documents classified; 1 document of which nothing is embedded yet left out\n"
    assert told == said
    with Index.open(".embedsearch") as index:
        index.add([Document("blank", " \n")], embed=False)
    assert run("classify", "--all").stderr == said.replace(
        " left", " and 1 document without words left"
    )
    assert (
        "note: 1 document of which nothing is embedded yet and 1 document without words left"
        in (run("cluster", "-k", "2").stderr)
    )


def test_labels_are_conditions_of_a_search() -> None:
    run("label", "1", "2", "--as", "urgent")
    result = run("search", "refund", "--where", "@label=urgent", "--json")
    assert [hit["document_id"] for hit in json.loads(result.stdout)["hits"]] == ["1", "2"]


@pytest.fixture
def learned() -> None:
    """Train a classifier of two labels."""
    run("label", "0", "1", "--as", "refund")
    run("label", "2", "3", "--as", "login")
    assert run("train").exit_code == 0


def classified(*arguments: str) -> list[str]:
    result = run("classify", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return [" ".join(row["labels"]) for row in json.loads(result.stdout)["predictions"]]


@pytest.mark.usefixtures("learned")
def test_a_text_of_any_length_is_classified() -> None:
    assert len(classified("where is my refund. " * 40)) == 1


@pytest.mark.usefixtures("learned")
def test_a_document_or_a_file_is_classified_by_its_name() -> None:
    Path("note.txt").write_text("I forgot the password of my account")
    assert classified("note.txt") == classified("3") == ["login"]
    for name, id_, given in (("3", "3", ["login"]), ("note.txt", None, [])):
        (row,) = json.loads(run("classify", name, "--json").stdout)["predictions"]
        assert (row["document_id"], row["given"]) == (id_, given)
    head, *reasons = run("classify", "3").stdout.splitlines()
    assert head.endswith("  login  3  (labelled login)")
    assert len(reasons) == 3


@pytest.mark.usefixtures("learned")
def test_a_name_of_nothing_is_no_text_by_mistake() -> None:
    Path("folder").mkdir()
    Path("bin.dat").write_bytes(bytes(range(256)) * 20)
    assert "no document and no file 'nope.txt'" in run("classify", "nope.txt").stderr
    assert "no document and no file 'a/b'" in run("classify", "a/b").stderr
    assert "'folder' is a folder" in run("classify", "folder").stderr
    assert "one document or file at a time, got 2" in run("classify", "a.txt", "b.txt").stderr
    assert run("classify", "bin.dat").stderr.startswith("error: bin.dat: is a binary file")
    assert classified(" nope.txt")
    alone = run("classify", "refund")
    assert alone.exit_code == 0
    assert alone.stderr == "note: no document and no file 'refund': taken as a text\n"


@pytest.mark.usefixtures("learned")
def test_what_can_not_be_classified_is_refused_in_words() -> None:
    assert "the text is blank" in run("classify", " ").stderr
    assert "the text is blank" in run("classify", "-", stdin="\n").stderr
    assert "not both" in run("classify", "words", "--all").stderr


def test_a_word_that_is_no_document_is_said_to_be_a_query() -> None:
    result = run("label", "zzz", "--as", "x", "-y", "-k", "1")
    assert result.stderr == "note: taken as a query: 'zzz'\n1 document labelled\n"
    run("label", "--undo")
    for strange in ("nope.md", "a/b", "tickets.csv", " "):
        assert run("label", strange, "--as", "x", "-y").exit_code == 2
    assert labels() == {}


def test_a_query_takes_no_label_away_unless_told_to() -> None:
    run("label", "0", "2", "--as", "mine")
    result = run("label", "refund not received", "-k", "2", "--as", "refund", "-y")
    assert result.stderr.splitlines()[1:] == [
        "note: 1 document with other labels left as they are: --relabel replaces them",
        "1 document labelled",
    ]
    assert labels() == {"0": "mine", "1": "refund", "2": "mine"}
    result = run("label", "--glob", "*", "--as", "all", "--relabel", "-y")
    assert result.stderr == "4 documents labelled, 3 in place of other labels (0 was mine)\n"
    assert set(labels().values()) == {"all"}


def test_what_is_named_is_labelled_anew_and_that_is_said() -> None:
    run("label", "0", "--as", "mine")
    result = run("label", "0", "1", "--as", "refund")
    assert result.stderr == "2 documents labelled, 1 in place of other labels (0 was mine)\n"
    assert run("label", "0", "--clear").stderr == "1 document without a label now\n"
    every = run("label", "--glob", "*", "--clear", "-y")
    said = "note: 3 documents without a label anyway\n"
    assert every.stderr.startswith(said)
    assert every.stderr.endswith("1 document without a label now\n")
    none = run("label", "0", "1", "--clear")
    told = ["note: 2 documents without a label anyway", "0 documents without a label now"]
    assert (none.exit_code, none.stderr.splitlines()) == (1, told)


@pytest.mark.filterwarnings("always")
def test_what_is_not_answered_has_no_probability() -> None:
    run("label", "0", "1", "--as", "refund")
    run("label", "2", "3", "--as", "login")
    run("train", "--max-error", "0.05")
    assert run("classify", "where is my refund").stdout.startswith("   -  (none)\n")


def test_a_list_of_labels_is_read_back() -> None:
    run("label", "0", "--as", "refund", "--as", "urgent, now")
    run("label", "2", "--as", "login")
    before = run("label", "--list", "--format", "csv").stdout
    Path("labels.csv").write_text(before)
    Path("labels.json").write_text(run("label", "--list", "--json").stdout)
    Path("labels.jsonl").write_text(
        '{"document": "0", "label": ["refund", "urgent, now"]}\n'
        '{"document": "2", "label": "login"}\n'
        '{"document": "3", "label": []}\n'
    )
    for file, code in (("labels.csv", 0), ("labels.json", 0), ("labels.jsonl", 3)):
        run("label", "--glob", "*", "--clear", "-y")
        assert run("label", "--file", file).exit_code == code
        after = run("label", "--list", "--format", "csv").stdout
        assert [row.split(",20")[0] for row in after.splitlines()] == [
            row.split(",20")[0] for row in before.splitlines()
        ]


def test_a_labelling_is_told_as_data_where_that_is_asked_for() -> None:
    said = json.loads(run("label", "0", "--as", "refund", "--json").stdout)
    assert said["labelled"] == [{"document_id": "0", "labels": ["refund"]}]
    assert json.loads(run("label", "--undo", "--json").stdout)["undone"][0]["documents"] == 1


def test_nothing_labelled_is_nothing_found() -> None:
    Path("labels.csv").write_text("id,label\n")
    assert run("label", "--file", "labels.csv").exit_code == 1
    Path("labels.csv").write_text("id,label\n17,refund\n")
    assert run("label", "--file", "labels.csv").exit_code == 1
    assert run("label", "--glob", "nope*", "--as", "x", "-y").exit_code == 1


@pytest.mark.usefixtures("learned")
def test_what_was_labelled_is_marked_where_all_is_classified() -> None:
    run("label", "3", "--clear")
    lines = run("classify", "--all").stdout.splitlines()
    assert [line.split("  ", 2)[2] for line in lines] == [
        "0  (labelled refund)",
        "1  (labelled refund)",
        "2  (labelled login)",
        "3",
    ]


@pytest.mark.usefixtures("learned")
def test_a_classifier_that_has_classified_nothing_is_said_to_have() -> None:
    said = "classifier 1 has classified nothing yet: run embedsearch classify --all"
    assert said in run("ls", "--where", "@predicted=refund").stderr
    assert said in run("map", "--by", "predicted", "-o", "map.html").stderr
    run("classify", "--all")
    assert run("ls", "--where", "@predicted=refund").output == "0\n1\n"
    assert "no document has '@foo' in its metadata; there is '@label', '@predicted'" in (
        run("ls", "--where", "@foo=1").stderr
    )
    refused = run("map", "--by", "nokey", "-o", "m.html").stderr
    assert "none has any (or colour by cluster, label, predicted)" in refused
    unknown = run("classify", "words", "--version", "7")
    assert unknown.stderr.endswith("no classifier of version 7\nhint: the versions are 1\n")


@pytest.mark.usefixtures("learned")
def test_a_classifier_that_is_damaged_is_found_and_dropped() -> None:
    with closing(sqlite3.connect(".embedsearch/index.db")) as database, database:
        database.execute("update models set state = x'00'")
    result = run("classify", "my refund")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-2:] == [
        "error: classifier 1 can't be used: no classifier can be read there: it is damaged",
        "hint: train it again: embedsearch train",
    ]
    assert run("verify").stdout == (
        "classifier 1 is damaged: it is dropped; another: embedsearch train\n"
    )
    assert run("repair").exit_code == 0
    assert run("verify").exit_code == 0
    assert "no classifier was trained yet" in run("classify", "my refund").stderr


@pytest.mark.filterwarnings("always")
def test_a_warning_is_its_words() -> None:
    run("label", "0", "1", "--as", "Login")
    run("label", "2", "3", "--as", "login")
    assert "warning: the labels 'Login' and 'login' differ only" in run("train").stderr
    assert "UserWarning" not in run("train").stderr


def test_status_tells_of_labels_and_of_what_was_learned_from_them() -> None:
    assert "\nlabels" not in run("status").stdout
    run("label", "0", "1", "--as", "refund")
    run("label", "2", "3", "--as", "login")
    run("train")
    run("classify", "--all")
    text = run("status").stdout
    assert "labels      login 2, refund 2\n" in text
    told = next(line for line in text.splitlines() if line.startswith("classifier"))
    assert told.startswith("classifier  1, FewShotClassifier of ")
    assert told.endswith(", 4 documents classified")
    status = json.loads(run("status", "--json").stdout)
    assert status["labels"] == {"refund": 2, "login": 2}
    assert (status["classifier"]["version"], status["classified"]) == (1, 4)


@pytest.mark.filterwarnings("always")
@pytest.mark.usefixtures("learned")
def test_what_is_labelled_and_not_embedded_yet_is_told() -> None:
    Path("new.csv").write_text("id,text\n9,the parcel is lost\n")
    run("add", "new.csv", "--no-embed")
    run("label", "9", "--as", "refund")
    said = (
        "1 of 5 labelled documents left out, as they are not embedded yet: '9'; run embedsearch"
        " index\n"
    )
    for command in ("train", "suspects", "evaluate"):
        assert said in run(command).stderr
        assert said not in run(command, "-q").stderr


@pytest.mark.filterwarnings("always")
@pytest.mark.usefixtures("learned")
def test_what_is_labelled_and_has_no_words_is_told_as_that() -> None:
    with Index.open(".embedsearch") as index:
        index.add([Document("blank", " \n"), Document("empty", "")])
    run("label", "blank", "empty", "--as", "refund")
    said = "2 of 6 labelled documents left out, as they have no words: 'blank', 'empty'\n"
    for command in ("train", "suspects", "evaluate"):
        assert said in run(command).stderr
        assert "not embedded" not in run(command).stderr
    alone = run("train", "--glob", "blank")
    assert alone.stderr == "error: no labelled document has words: 'blank'\n"


def test_nonsense_gets_a_label_and_a_mark() -> None:
    rows = [f"{w}{n},the {w} of order {n},{w}" for n in range(10) for w in ("refund", "password")]
    Path("many.csv").write_text("\n".join(["id,text,label", *rows]))
    assert run("add", "many.csv").exit_code == 0
    assert run("label", "--file", "many.csv").exit_code == 0
    assert run("train").exit_code == 0
    mark = "  (unlike all that is labelled)\n"
    assert mark in run("classify", "asdf qwerty zxcv").stdout
    assert mark not in run("classify", "the refund of order 4").stdout
    (said,) = json.loads(run("classify", "asdf qwerty zxcv", "--json").stdout)["predictions"]
    assert said["unlike"] is True
    table = run("classify", "--all", "--format", "csv").stdout.splitlines()
    assert table[0] == "document_id,labels,probability,version,given,unlike"
    assert table[-1].startswith("password9,password,")
    assert table[-1].endswith(",password,False")

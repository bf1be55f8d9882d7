"""Rows of tables as documents."""

from __future__ import annotations

import csv
import io
import json

import pytest

from embedsearch.cli.rows import Columns
from embedsearch.cli.tables import Table
from embedsearch.readers import tab_separated
from embedsearch.records import Document


def read(
    text: str, kind: str, columns: Columns | None = None
) -> tuple[list[Document], dict[str, str]]:
    table = Table("t", io.StringIO(text), kind, columns or Columns())
    documents = list(table.documents())
    return documents, {failure.path: failure.why for failure in table.failed}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("csv", 'id,text,n\n1,"a, b",7\n'),
        ("csv", "id;text;n\n1;a, b;7\n"),
        ("tsv", "id\ttext\tn\n1\ta, b\t7\n"),
        ("json", '[{"id": 1, "text": "a, b", "n": 7}]'),
        ("jsonl", '{"id": 1, "text": "a, b", "n": 7}\n\n'),
    ],
)
def test_every_format_gives_the_same_document(kind: str, text: str) -> None:
    columns = Columns(metadata=("*",))
    assert read(text, kind, columns) == ([Document("1", "a, b", {"n": 7})], {})


def test_cells_that_are_numbers_compare_as_such_and_codes_stay_text() -> None:
    header = "id,text,year,price,zip,big,empty\n"
    row = f"1,x,2020,-1.50,01234,{'9' * 16},\n"
    ((document,), _) = read(header + row, "csv", Columns(metadata=("*",)))
    assert document.metadata == {"year": 2020, "price": -1.5, "zip": "01234", "big": "9" * 16}


def test_texts_of_several_columns_are_joined_by_blank_lines() -> None:
    columns = Columns("n", ("title", "body"))
    rows = [{"n": 1, "title": "T", "body": "B"}, {"n": 2, "body": "only"}]
    documents, _ = read(json.dumps(rows), "json", columns)
    assert [document.text for document in documents] == ["T\n\nB", "only"]


def test_a_row_that_is_no_document_is_reported_and_the_rest_goes_on() -> None:
    lines = [
        '{"id": "a", "text": "first"}',
        "nonsense",
        "[1]",
        '{"id": "b", "text": NaN}',
        '{"id": "c", "text": ["x"]}',
        '{"id": "\\ud800", "text": "x"}',
        '{"text": "x"}',
        '{"id": "d", "text": " "}',
        '{"id": "e", "text": "x", "n": 1e999}',
        '{"id": "f\\u0000", "text": "x"}',
        "[" * 100_000,
        '{"id": "z", "text": "last"}',
    ]
    documents, failed = read("\n".join(lines), "jsonl")
    assert [document.id for document in documents] == ["a", "z"]
    assert failed == {
        "t:2": "is no JSON: Expecting value: line 1 column 1 (char 0)",
        "t:3": "is no object but [1]",
        "t:4": "holds NaN, or a number beyond all that can be stored",
        "t:5": "'text' is no text but [\"x\"]",
        "t:6": "holds half of a surrogate pair",
        "t:7": "has no 'id'",
        "t:8": "has no 'text'",
        "t:9": "holds NaN, or a number beyond all that can be stored",
        "t:10": "'id' holds a NUL character",
        "t:11": "its lists and objects are nested too deeply",
    }


def test_a_number_that_is_none_costs_its_row_alone() -> None:
    rows = (
        '[{"id": "a", "text": "x", "n": NaN}, {"id": "b", "text": "y"},'
        ' {"id": "c", "text": "z", "n": [-Infinity]}]'
    )
    documents, failed = read(rows, "json")
    assert [document.id for document in documents] == ["b"]
    said = "holds NaN, or a number beyond all that can be stored"
    assert failed == {"t:1": said, "t:3": said}


def test_a_row_with_too_many_cells_is_reported_by_its_line() -> None:
    _, failed = read('id,text\n1,"two\nlines"\n2,x,y\n', "csv")
    assert failed == {"t:4": "has more cells than there are columns"}


@pytest.mark.parametrize(
    ("last", "ids"),
    [
        ("20,row 20\n", ["1", "2", "4", "5", "20"]),
        ('20,"row 20"\n', ["1", "2", "4", "5", "20"]),
        ('20,"row ""20"""\n', ["1", "2", "4", "5", "20"]),
        ('20,"row 20', ["1", "2", "4", "5"]),
        ('20,"row\n20"', ["1", "2", "4", "5", "20"]),
    ],
)
def test_a_quotation_mark_that_is_never_closed_costs_one_row(last: str, ids: list[str]) -> None:
    rows = 'id,text\n1,a\n2,"b"\n3,"oops unclosed\n4,"two\nlines"\n\n5,"said" so\n' + last
    documents, failed = read(rows, "csv")
    assert [document.id for document in documents] == ids
    assert documents[2].text == "two\nlines"
    assert documents[3].text == "said so"
    why = "its quotation mark is never closed"
    assert failed == dict.fromkeys(["t:4", *(["t:9"] if "20" not in ids else [])], why)


def test_a_file_full_of_stray_quotation_marks_is_read_in_one_pass() -> None:
    rows = "id,text\n" + "".join(f'{n},"a\n' for n in range(50_000))
    documents, failed = read(rows, "csv")
    assert (documents, len(failed)) == ([], 50_000)


def test_a_quotation_mark_in_tab_separated_text_is_a_character() -> None:
    documents, _ = read('id\ttext\n1\t12" disk\n', "tsv")
    assert documents == [Document("1", '12" disk')]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('"said ""so"""', 'said "so"'),
        ('"a\tb"', "a\tb"),
        ('"two\nlines"', "two\nlines"),
        ('"well" said', '"well" said'),
        ('"unclosed', '"unclosed'),
        ('"', '"'),
    ],
)
def test_a_tab_separated_cell_is_unquoted_where_its_row_is_well_formed(
    cell: str, text: str
) -> None:
    documents, failed = read(f"id\ttext\n1\t{cell}\n2\t{cell}\n3\tlast\n", "tsv")
    assert (documents, failed) == (
        [Document("1", text), Document("2", text), Document("3", "last")],
        {},
    )


@pytest.mark.parametrize(
    "text",
    ["word " * 40_000, "\n".join(f"line {n}" for n in range(2_000)), "\n\n"],
    ids=["long", "of many lines", "blank"],
)
@pytest.mark.parametrize("before", ["x", '5" "', '"'])
def test_a_quoted_tab_separated_cell_of_any_size_is_one_cell(text: str, before: str) -> None:
    rows = f'id\ttext\n1\t{before}\n2\t"a{text}b"\n3\tlast\n'
    assert read(rows, "tsv") == (
        [Document("1", before), Document("2", f"a{text}b"), Document("3", "last")],
        {},
    )


def test_a_tab_separated_cell_larger_than_any_file_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tab_separated, "MOST_CHARACTERS", 10)
    before = csv.field_size_limit()
    with pytest.raises(ValueError, match="t is no tsv: field larger than field limit"):
        read(f'id\ttext\n1\t"{"a" * 11}"\n', "tsv")
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("line", ['x"\t"a', 'x\t"a', '"x\ta'])
def test_a_tab_separated_file_full_of_stray_quotation_marks_takes_no_longer(line: str) -> None:
    rows = "id\ttext\n" + "".join(f"{n}{line}\n" for n in range(20_000))
    documents, failed = read(rows, "tsv")
    assert (len(documents), failed) == (20_000, {})


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_column_that_is_not_there_names_those_that_are(kind: str) -> None:
    text = {"csv": "key,text\n1,x\n", "jsonl": '{"key": 1, "text": "x"}\n'}[kind]
    with pytest.raises(ValueError, match="no column 'id': the columns are key, text"):
        read(text, kind)


@pytest.mark.parametrize(("kind", "header"), [("csv", "id,id,text,,"), ("tsv", "id\tid\ttext")])
def test_a_name_of_two_columns_is_refused(kind: str, header: str) -> None:
    with pytest.raises(ValueError, match=f"t is no {kind}: 2 columns are called 'id'"):
        read(f"{header}\n", kind)


def test_rows_inside_of_an_object_are_told_as_such() -> None:
    text = '{"count": 1, "rows": [{"id": "1", "text": "x"}]}'
    with pytest.raises(ValueError, match="no column 'id': the rows are inside of 'rows', give"):
        read(text, "json")


def test_records_may_leave_out_metadata_but_a_table_s_header_may_not() -> None:
    columns = Columns(metadata=("lang",))
    assert read('{"id": 1, "text": "x"}', "jsonl", columns) == ([Document("1", "x")], {})
    with pytest.raises(ValueError, match="no column 'lang'"):
        read("id,text\n1,x\n", "csv", columns)


def test_one_json_object_is_one_row() -> None:
    assert read('{"id": 1, "text": "x"}', "json") == ([Document("1", "x")], {})


@pytest.mark.parametrize("text", ["1", '"x"', "null"])
def test_json_that_holds_no_objects_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a JSON list of objects, or one object"):
        read(text, "json")


def test_json_nested_too_deeply_is_refused() -> None:
    with pytest.raises(ValueError, match="t can't be read: its lists and objects are nested too"):
        read("[" * 100_000, "json")

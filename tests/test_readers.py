"""Reading files: the right reader, the right characters, and text kept as it is."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from subprocess import run

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedsearch import Document
from embedsearch.errors import BinaryFile, ReadError
from embedsearch.readers import read
from embedsearch.records import Heading

UMLAUTS = "Die Größe der Bäume übersteigt häufig fünf Meter, sagt Jürgen Müller aus Köln.\n" * 5


def title_of(text: str) -> object:
    return read("a.md", text.encode()).metadata.get("title")


def test_reads_plain_text_as_it_is() -> None:
    assert read("a.txt", b"one\r\ntwo\n\n") == Document(id="a.txt", text="one\r\ntwo\n\n")


@pytest.mark.parametrize("id", ["a.txt", "LICENSE", "notes/log", "a.unknown", "a.LOG"])
def test_reads_text_under_any_name(id: str) -> None:
    assert read(id, b"some words").kind == "text"


@pytest.mark.parametrize(
    ("id", "data", "kind"),
    [
        ("a.py", b"import os", "code"),
        ("run", b"#!/bin/sh\nls", "code"),
        ("A.MD", b"words", "markdown"),
        ("README", b"<!DOCTYPE html><p>words", "html"),
        ("page", b"\n <HTML><p>words", "html"),
        ("data", b'{"a": 1}', "text"),
        ("notes", b"[draft] words", "text"),
        ("table.xls", b"<html><table><tr><td>1</table>", "html"),
    ],
)
def test_tells_what_a_text_is(id: str, data: bytes, kind: str) -> None:
    assert read(id, data).kind == kind


@pytest.mark.parametrize(
    ("id", "data"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("a.txt", b"text and \0 then"),
        ("a.bin", bytes(10_000)),
        ("a.md", bytes(100_000)),
        ("a.Z", b"\x1f\x9d\x90\x01"),
        ("a.gz", b"\x1f\x8b\x08\0\0\0"),
        ("a.zip", b"PK\x03\x04\x14\0\0\0rest of a zip"),
    ],
)
def test_knows_a_binary_file(id: str, data: bytes) -> None:
    with pytest.raises(BinaryFile, match="is a binary file"):
        read(id, data)


@pytest.mark.parametrize("id", ["a.txt", "a.pdf", "a.docx", "a.xlsx", "a.html", "a.json", "a.eml"])
def test_reads_nothing_from_an_empty_file(id: str) -> None:
    assert read(id, b"").text == ""


def test_reports_a_file_whose_text_is_lost() -> None:
    with pytest.raises(ReadError, match="holds no text"):
        read("a.html", b"<script>alert(1)</script>")


@pytest.mark.parametrize(
    ("id", "data"),
    [
        ("a.txt", b"\xef\xbb\xbf"),
        ("a.html", b"<html><body></body></html>"),
        ("a.ipynb", b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'),
    ],
)
def test_reads_nothing_from_a_file_that_says_nothing(id: str, data: bytes) -> None:
    assert read(id, data).text == ""


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_finds_the_encoding(encoding: str) -> None:
    assert read("a.txt", UMLAUTS.encode(encoding)).text == UMLAUTS


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "L\u00e0 o\u00f9 il a \u00e9t\u00e9 d\u00e9\u00e7u"),
        ("cp1252", "N\u00e3o h\u00e1 informa\u00e7\u00e3o \u00e0 noite"),
        ("cp1252", "Ber\u00f8rt p\u00e5 S\u00f8rlandet og p\u00e5 l\u00f8rdag"),
        ("cp1252", "\u00c4rendet \u00e4r \u00f6ppet p\u00e5 m\u00e5ndag"),
        ("cp1252", "20 \u00b0C \u00b1 5"),
        ("cp1250", "Egyenl\u0151 m\u00e9lt\u00f3s\u00e1ga \u00e9s joga van, sz\u00fcletik"),
        ("cp1250", "P\u0159\u00edli\u0161 \u017elu\u0165ou\u010dk\u00fd k\u016f\u0148"),
        ("iso8859_2", "Za\u017c\u00f3\u0142\u0107 g\u0119\u015bl\u0105 ja\u017a\u0144"),
        ("cp1254", "L\u00fctfen fi\u015fi saklay\u0131n, \u00e7\u00fcnk\u00fc gerekebilir"),
        ("cp1257", "Vis\u0173 \u017emoni\u0173 teis\u0117s ir s\u0105\u017ein\u0117"),
        ("cp850", "Il a \u00e9t\u00e9 d\u00e9\u00e7u par la r\u00e9ponse, l\u00e0 comme ici"),
        ("cp850", "f\u00fcr die gr\u00f6\u00dften B\u00e4ume"),
        ("cp850", "k\u00f6nnten, B\u00e4ume"),
        ("cp852", "P\u0159\u00edli\u0161 \u017elu\u0165ou\u010dk\u00fd k\u016f\u0148"),
        ("mac_roman", "Il a \u00e9t\u00e9 d\u00e9\u00e7u par la r\u00e9ponse, l\u00e0 comme ici"),
        ("mac_roman", "N\u00e3o h\u00e1 informa\u00e7\u00e3o \u00e0 noite"),
        ("mac_roman", "la informaci\u00f3n del a\u00f1o pasado est\u00e1 aqu\u00ed"),
        ("cp1252", "He came\u2014late, of course\u2014and left\u2026or so"),
        ("cp1252", "of\xa0the 3\xa0km, \u201cquoted\u201dword and \u201canother\u201d, it\u2019s"),
        ("cp1251", "Все люди равны"),  # noqa: RUF001 -- Russian
    ],
)
def test_tells_code_pages_by_the_letters_of_languages(encoding: str, text: str) -> None:
    assert read("a.txt", f"{text}\n".encode(encoding)).text == f"{text}\n"


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "caf\u00e9 cr\u00e8me"),  # taken for Arabic
        ("cp1252", "Se\u00f1or Mu\u00f1oz"),
        ("cp1252", "Gr\u00f6\u00dfe"),  # for EBCDIC
        ("cp1252", "Bj\u00f8rn \u00c5ngstr\u00f6m"),  # for Central European
        ("cp1252", "ma\u00f1ana"),  # for UTF-16
        ("cp1252", "Fu\u00dfg\u00e4nger\u00fcbergang"),  # for Chinese
        ("cp1252", "\u00c8 gi\u00e0 qui"),
        ("cp1252", "1,\u00e4\u00f6"),
        ("cp1250", "\u0141\u00f3d\u017a"),
        ("cp932", "Python\u3067\u66f8\u304f"),
        ("cp932", "USB\u30e1\u30e2\u30ea"),
        ("cp932", "\u6c34"),
        ("big5", "\u4f60\u597d"),
    ],
)
def test_few_letters_are_of_another_script_only_where_that_can_be(
    encoding: str, text: str, end: str
) -> None:
    assert read("a.txt", f"{text}{end}".encode(encoding)).text == f"{text}{end}"


def test_finds_the_encoding_of_a_long_file_that_turns_foreign_late() -> None:
    text = "plain words " * 20_000 + UMLAUTS
    assert read("a.txt", text.encode("latin-1")).text == text


def test_puts_one_character_for_each_nul_far_down() -> None:
    assert read("a.txt", b"a" * 9000 + b"\0b").text == "a" * 9000 + "\ufffdb"


@given(st.binary(max_size=300), st.sampled_from(["a", "a.md", "a.rst", "a.py", "a.csv", "a.tsv"]))
def test_never_fails_on_bytes_that_are_text(data: bytes, id: str) -> None:
    try:
        text = read(id, data).text
    except ReadError:
        return
    assert "\0" not in text
    assert text.encode().decode() == text


@settings(deadline=None)  # a spreadsheet has a process of its own
@given(
    st.binary(max_size=200),
    st.sampled_from(
        ["html", "json", "jsonl", "ipynb", "eml", "mbox", "xml", "rtf", "docx", "xlsx", "odt"]
    ),
)
def test_any_bytes_are_read_or_refused(data: bytes, suffix: str) -> None:
    with suppress(ReadError):
        document = read(f"a.{suffix}", data)
        document.text.encode()
        json.dumps(dict(document.metadata), allow_nan=False)


def test_leaves_the_front_matter_in_the_text() -> None:
    text = "---\ntitle: Refunds\ntags: [a, b]\ndate: 2020-01-31\nempty:\nnone: []\n---\n# Other\n"
    assert read("a.md", text.encode()) == Document(
        id="a.md",
        text=text,
        metadata={"title": "Refunds", "tags": ["a", "b"], "date": "2020-01-31"},
        kind="markdown",
    )


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2024-05-01T06:00:00Z", "2024-05-01T06:00:00Z"),
        ("2024-05-01T06:00:00+00:00", "2024-05-01T06:00:00Z"),
        ("2024-05-01T08:00:00.5+02:00", "2024-05-01T06:00:00Z"),
        ("2024-05-01 06:00:00", "2024-05-01T06:00:00"),
        ("2024-05-01", "2024-05-01"),
        ("0001-01-01T00:00:00+02:00", "0001-01-01T00:00:00+02:00"),
        ("'2024-05-01T08:00:00+02:00'", "2024-05-01T08:00:00+02:00"),
    ],
)
def test_one_moment_has_one_spelling_but_where_it_is_a_text(written: str, kept: str) -> None:
    assert read("a.md", f"---\nat: {written}\n---\n".encode()).metadata == {"at": kept}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("01234", "01234"),
        ("12:30", "12:30"),
        ("no", "no"),
        ("on", "on"),
        ("1_000", "1_000"),
        ("01.05", "01.05"),
        ("12e345678", "12e345678"),
        ("1e3", "1e3"),
        ("1.0e3", 1000.0),
        ("0o17", "0o17"),
        ("0x1F", 31),
        ("true", True),
        ("FALSE", False),
        ("0", 0),
        ("-30", -30),
        ("1.", 1.0),
        ("-.5", -0.5),
        ("2.5e+3", 2500.0),
        ("1.2.3", "1.2.3"),
        (".inf", "inf"),
    ],
)
def test_plain_values_of_yaml_mean_what_they_look_like(written: str, meant: object) -> None:
    found = read("a.md", f"---\nat: {written}\n---\n".encode()).metadata["at"]
    assert (found, type(found)) == (meant, type(meant))


def test_reads_toml_front_matter() -> None:
    text = '+++\r\ntitle = "Refunds"\r\ndate = 2020-01-31T10:00:00Z\r\n[extra]\r\nn = 1\r\n+++\r\n'
    assert read("a.md", text.encode()).metadata == {
        "title": "Refunds",
        "date": "2020-01-31T10:00:00Z",
        "extra": {"n": 1},
    }


@pytest.mark.parametrize(
    "block",
    [
        "a: [unclosed",
        "just words",
        "d: 2020-13-45",
        "a: !!python/object/apply:os.system [ls]",
        "a: &a [*a]",
        "a: " + "[" * 400,
        "\n".join(f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9 if i else '0')}]" for i in range(9)),
        "a: !!bool foo",
        "a: !!int ''",
        "a: !!float ''",
        "a: !!timestamp foo",
        "a: 0x" + "F" * 5000,
        "? 0x" + "F" * 5000 + "\n: a",
    ],
)
def test_takes_no_metadata_from_a_block_that_is_none_and_says_so(block: str) -> None:
    document = read("a.md", f"---\n{block}\n---\nText".encode())
    prose = block == "just words"
    assert (document.metadata, document.partial is None) == ({}, prose)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("---\na: 1\nb: c: d\n---\n", "is no YAML (line 3: mapping values are not allowed here)"),
        (
            "---\r\na:\r\n\tb\r\n---\r\n",
            "is no YAML (line 3: found character '\\t' that cannot start any token)",
        ),
        (
            "---\na: 1\n? [b, c]\n: d\n---\n",
            "has a key that is no text (line 3: a list or a mapping)",
        ),
        ("---\ndate: 2024-02-30\n---\n", "is no YAML (day is out of range for month)"),
        ("---\ntitle:none\n---\n", "names no values"),
        ("---\na: &a [*a]\n---\n", "holds more than can be read"),
        (
            "+++\na = 1\nb\n+++\n",
            "is no TOML (Expected '=' after a key in a key/value pair (at line 3, column 2))",
        ),
        ("---\nhttps://example.org: an example\n---\n", None),
        ("---\n\n---\n", None),
        ("---\n# a: b\n---\n", None),
    ],
)
def test_says_what_is_wrong_with_front_matter(text: str, why: str | None) -> None:
    document = read("a.md", text.encode())
    told = why and f"its front matter {why}: no metadata was taken from it"
    assert (document.text, document.partial) == (text, told)


@pytest.mark.parametrize("number", ["9" * 5000, "0x" + "F" * 5000])
def test_takes_no_metadata_from_toml_with_a_number_too_long(number: str) -> None:
    assert read("a.md", f"+++\na = {number}\n+++\nText".encode()).metadata == {}


def test_binary_values_of_front_matter_stay_as_they_are_written() -> None:
    text = "---\na: !!binary aGVsbG8=\nb: [!!binary /9g=]\n---\n"
    assert read("a.md", text.encode()).metadata == {"a": "aGVsbG8=", "b": ["/9g="]}


def test_cleans_the_keys_of_front_matter() -> None:
    text = '---\n"\\ud800": a\n2020-01-31: b\nx: {"\\0": c}\n---\n'
    metadata = {"\ufffd": "a", "2020-01-31": "b", "x": {"\ufffd": "c"}}
    assert read("a.md", text.encode()).metadata == metadata


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Refunds #\n", "Refunds"),
        ("intro\n\n# Refunds\r\n", "Refunds"),
        ("Refunds\n=======\n", "Refunds"),
        ("---\ndate: 2020-01-31\n---\n\n# Refunds\n", "Refunds"),
        ("```\n# a comment\n```\n# Refunds\n", None),
        ("## Second\n", None),
        ("# \n", None),
        ("no heading", None),
    ],
)
def test_finds_the_title_of_markdown(text: str, title: str | None) -> None:
    assert title_of(text) == title


def test_finds_headings_in_restructured_text() -> None:
    text = "=====\nGuide\n=====\n\nwords\n\nInstall\n=======\n\nFrom pip\n--------\n\nUse\n===\n"
    document = read("a.rst", text.encode())
    assert document.metadata == {"title": "Guide"}
    assert document.text == text
    assert document.headings == (
        Heading(text.index("Guide"), 1, "Guide"),
        Heading(text.index("Install"), 2, "Install"),
        Heading(text.index("From pip"), 3, "From pip"),
        Heading(text.index("Use"), 2, "Use"),
    )


def test_writes_json_as_paths_and_values() -> None:
    data = {"name": "x", "a": {"b": [1, 2.5, True, None], "empty": "", "c": {"d": "two\nlines"}}}
    assert read("a.json", json.dumps(data).encode()).text == (
        "name: x\na.b: 1, 2.5, true, null\na.c.d: two lines\n"
    )


def test_writes_a_record_of_a_json_list_on_a_line() -> None:
    data = [{"id": 1, "name": "x"}, {"id": 2, "tags": ["a", "b"]}]
    assert (
        read("a.json", json.dumps(data).encode()).text.splitlines()
        == [
            "id: 1 | name: x",
            "id: 2 | tags: a, b",
            "",
        ][:2]
    )
    nested = read("a.json", json.dumps({"rows": data, "n": 1}).encode())
    assert nested.text == "rows[0] id: 1 | name: x\nrows[1] id: 2 | tags: a, b\n\nn: 1"


def test_writes_a_long_record_on_several_lines() -> None:
    data = [{"id": 1, "body": "word " * 500}]
    assert read("a.json", json.dumps(data).encode()).text.splitlines()[:2] == [
        "[0] id: 1",
        "[0] body: " + "word " * 500,
    ]


@pytest.mark.parametrize("text", ['{"a": 1, // why\n}', "[" * 100_000, '{"a": ' + "9" * 5000 + "}"])
def test_reads_what_is_no_json_as_source(text: str) -> None:
    assert read("a.json", text.encode()) == Document(id="a.json", text=text, kind="code")


def test_keeps_the_line_numbers_of_json_lines() -> None:
    data = b'{"a": 1, "b": {"c": "x\\ny"}}\n\nnot json\n{"a": "\\ud800"}\n'
    assert read("a.jsonl", data).text == "a: 1 | b.c: x y\n\nnot json\na: \ufffd\n"


def test_names_the_columns_in_every_record() -> None:
    data = b'id,name,note\n1,Ann,"says ""hi"", twice"\n2,,\n3,Bob,"two\nlines",extra\n'
    assert read("a.csv", data).text.splitlines() == [
        "id | name | note",
        'id: 1 | name: Ann | note: says "hi", twice',
        "id: 2",
        "id: 3 | name: Bob | note: two lines | extra",
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_finds_the_delimiter(delimiter: str) -> None:
    rows = [["name", "price"], ["a, b" if delimiter != "," else "ab", "1.5"], ["c", "2"]]
    data = "\r\n".join(delimiter.join(row) for row in rows).encode()
    assert read("a.csv", data).text.splitlines()[2] == "name: c | price: 2"


def test_a_table_of_numbers_has_no_names() -> None:
    assert read("a.csv", b"1,2\n3,4\n").text == "1 | 2\n3 | 4"


def test_quoted_cells_between_tabs_are_unquoted() -> None:
    data = b'name\tnote\n"a ""b"""\t"two\nlines"\n5"\tx\n'
    assert read("a.tsv", data).text.splitlines()[1:] == [
        'name: a "b" | note: two lines',
        'name: 5" | note: x',
    ]


def test_a_stray_quote_means_nothing_between_tabs() -> None:
    assert read("a.tsv", b'size\tname\n5"\tpipe\n"6\trod\n').text.splitlines()[1:] == [
        'size: 5" | name: pipe',
        'size: "6 | name: rod',
    ]


@pytest.mark.parametrize("field", [b'"' + b"x" * (10 << 20) + b'"', b'"' + b"a,b\n" * 100_000])
def test_leaves_a_table_that_does_not_parse_as_it_is(field: bytes) -> None:
    assert read("a.csv", b"a,b\n" + field).text == (b"a,b\n" + field).decode()


def notebook(*cells: dict[str, object]) -> bytes:
    return json.dumps(
        {"cells": cells, "metadata": {"language_info": {"name": "python"}}, "nbformat": 4}
    ).encode()


def test_reads_a_notebook_as_markdown() -> None:
    outputs = [
        {"output_type": "stream", "text": ["1\n", "\x1b[31m2\x1b[0m\n"]},
        {"output_type": "display_data", "data": {"image/png": "iVBOR", "text/plain": "<Figure>"}},
        {"output_type": "error", "traceback": ["Traceback", "KeyError: 1"]},
        {"output_type": "display_data", "data": {"image/png": "iVBOR"}},
    ]
    document = read(
        "a.ipynb",
        notebook(
            {"cell_type": "markdown", "source": ["# Refunds\n", "Why"]},
            {"cell_type": "code", "source": "print('```')", "outputs": outputs},
        ),
    )
    assert document.kind == "markdown"
    assert document.metadata == {"title": "Refunds"}
    assert document.text == (
        "# Refunds\nWhy\n\n````python\nprint('```')\n````\n\n```\n1\n2\n```\n\n"
        "```\n<Figure>\n```\n\n```\nTraceback\nKeyError: 1\n```"
    )


@pytest.mark.parametrize(
    ("metadata", "fence"),
    [
        ({"kernelspec": "python3"}, "```"),
        ({"language_info": ["python"], "kernelspec": {"language": "julia"}}, "```julia"),
        ("python", "```"),
    ],
)
def test_survives_a_notebook_whose_metadata_is_odd(metadata: object, fence: str) -> None:
    cells = [{"cell_type": "code", "source": "1"}]
    data = json.dumps({"cells": cells, "metadata": metadata}).encode()
    assert read("a.ipynb", data).text == f"{fence}\n1\n```"


@pytest.mark.parametrize("data", [b"hello", b"{", b"[" * 100_000, b"[]", b"{}", b'{"cells": 1}'])
def test_refuses_a_notebook_that_is_none(data: bytes) -> None:
    with pytest.raises(ReadError, match="JSON"):
        read("a.ipynb", data)


def test_imports_no_parser_before_it_is_needed() -> None:
    probe = (
        "import sys; from embedsearch.readers import read, walk; read('a.md', b'# A');"
        "print([m for m in ('pypdfium2','selectolax','python_calamine','charset_normalizer',"
        "'pathspec','yaml','email','zipfile','csv') if m in sys.modules])"
    )
    result = run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"

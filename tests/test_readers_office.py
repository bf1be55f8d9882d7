"""Reading Word, PowerPoint, spreadsheets and OpenDocument, made by the libraries people use."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING

import pytest
from docx import Document as WordDocument
from pptx import Presentation
from pptx.util import Inches
from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it ships no types

from embedsearch import Document
from embedsearch.errors import ReadError
from embedsearch.readers import read
from embedsearch.records import Heading

if TYPE_CHECKING:
    from typing import Protocol

    class Saves(Protocol):
        def save(self, path_or_stream: io.BytesIO) -> None: ...


OFFICE = ["a.docx", "a.pptx", "a.xlsx", "a.odt"]


def saved(office: Saves) -> bytes:
    file = io.BytesIO()
    office.save(file)
    return file.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def word() -> bytes:
    office = WordDocument()
    office.core_properties.title = "Refunds"
    office.core_properties.author = "Ann"
    office.core_properties.modified = datetime(2020, 1, 31, tzinfo=UTC)
    office.add_heading("Guide", 1)
    office.add_paragraph("First\tline\nsecond line")
    table = office.add_table(rows=2, cols=2)
    for row, cells in zip(table.rows, [("Name", "Price"), ("Tea", "2 \u20ac")], strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    office.add_heading("Use", 2)
    office.add_paragraph("after the table")
    office.sections[0].header.paragraphs[0].text = "Confidential"
    return saved(office)


@pytest.mark.parametrize("id", ["a.docx", "a.unknown"])
def test_reads_a_word_document_in_order(id: str) -> None:
    text = (
        "Guide\n\nFirst\tline\nsecond line\n\nName | Price\nTea | 2 \u20ac\n\nUse\n\n"
        "after the table\n\nConfidential"
    )
    assert read(id, word()) == Document(
        id=id,
        text=text,
        metadata={
            "title": "Refunds",
            "author": "Ann",
            "date": "2020-01-31T00:00:00Z",
        },
        kind="html",
        headings=(Heading(0, 1, "Guide"), Heading(text.index("Use"), 2, "Use")),
    )


def test_reads_text_boxes_once_and_deleted_text_never() -> None:
    body = (
        "<w:p><w:r><w:t>outer</w:t></w:r><mc:AlternateContent><mc:Choice><w:p><w:r><w:t>box</w:t>"
        "</w:r></w:p></mc:Choice><mc:Fallback><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Fallback>"
        "</mc:AlternateContent><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t> new</w:t></w:r></w:ins></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>control</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    xml = f'<w:document xmlns:w="w" xmlns:mc="mc"><w:body>{body}</w:body></w:document>'
    data = zipped({"word/document.xml": xml.encode()})
    assert read("a.docx", data).text == "box\n\nouter new\n\ncontrol"


def test_reads_no_tab_where_a_paragraph_says_where_they_end() -> None:
    body = (
        '<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr><w:r><w:t>one</w:t><w:tab/>'
        "<w:t>two</w:t></w:r></w:p>"
    )
    xml = f'<w:document xmlns:w="w"><w:body>{body}</w:body></w:document>'
    assert read("a.docx", zipped({"word/document.xml": xml.encode()})).text == "one\ttwo"


def presentation() -> bytes:
    office = Presentation()
    office.core_properties.title = "Talk"
    first = office.slides.add_slide(office.slide_layouts[1])
    first.shapes.title.text = "Refunds"
    first.placeholders[1].text = "Within 30 days"
    first.notes_slide.notes_text_frame.text = "Smile"
    second = office.slides.add_slide(office.slide_layouts[5])
    second.shapes.title.text = "Prices"
    table = second.shapes.add_table(1, 2, Inches(1), Inches(1), Inches(1), Inches(1)).table
    table.cell(0, 0).text, table.cell(0, 1).text = "Tea", "2"
    return saved(office)


def test_reads_a_presentation_slide_by_slide() -> None:
    document = read("a.pptx", presentation())
    start = document.text.index("Prices")
    assert document.text.split("\n\n") == [
        *("Refunds", "Within 30 days", "Smile"),
        *("Prices", "Tea | 2"),
    ]
    assert document.pages == (0, start)
    assert document.headings == (Heading(0, 1, "Refunds"), Heading(start, 1, "Prices"))
    assert document.metadata["title"] == "Talk"


def test_reads_a_workbook_sheet_by_sheet() -> None:
    file = io.BytesIO()
    with Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as office:
        sheet = office.add_worksheet("Prices")
        sheet.write_row(0, 0, ["Name", "Price", "Since"])
        sheet.write_row(1, 0, ["Tea", 2])
        sheet.write_datetime(1, 2, date(2020, 1, 31))
        sheet.write_row(2, 0, ["Milk", 1.5])
        office.add_worksheet("Empty")
        office.add_worksheet("Notes").write(3, 3, "only this")
    document = read("a.xlsx", file.getvalue())
    text = (
        "Prices\n\nName | Price | Since\nName: Tea | Price: 2 | Since: 2020-01-31\n"
        "Name: Milk | Price: 1.5\n\nNotes\n\nonly this"
    )
    assert document.text == text
    assert document.headings == (
        Heading(0, 1, "Prices"),
        Heading(text.index("Notes"), 1, "Notes"),
    )


def opendocument(**members: bytes) -> bytes:
    content = (
        '<office:document-content xmlns:office="o" xmlns:text="t" xmlns:table="b"><office:body>'
        '<text:h text:outline-level="2">Use</text:h>'
        '<text:p>a<text:s text:c="2"/>b<text:tab/><text:span>c</text:span><text:line-break/>d'
        "</text:p><text:list><text:list-item><text:p>item</text:p></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>1</text:p></table:table-cell>"
        "<table:table-cell><text:p>2</text:p></table:table-cell></table:table-row></table:table>"
        "</office:body></office:document-content>"
    )
    meta = b'<m xmlns:dc="d"><dc:title>Guide</dc:title><dc:creator>Ann</dc:creator></m>'
    return zipped({"content.xml": content.encode(), "meta.xml": meta, **members})


def test_reads_an_opendocument_text() -> None:
    assert read("a.odt", opendocument()) == Document(
        id="a.odt",
        text="Use\n\na  b\tc\nd\n\n- item\n\n1 | 2",
        metadata={"title": "Guide", "author": "Ann"},
        kind="html",
        headings=(Heading(0, 2, "Use"),),
    )


def test_reads_what_a_comment_says_and_not_who_says_it_amid_the_text() -> None:
    content = (
        '<office:body xmlns:office="o" xmlns:text="t" xmlns:dc="d" xmlns:svg="s"><text:p>It takes'
        "<office:annotation><dc:creator>Ann</dc:creator><dc:date>2024-01-01</dc:date>"
        "<text:p>Really?</text:p></office:annotation> days<svg:desc>A clock</svg:desc>from"
        " <text:date>3 May</text:date> on.</text:p></office:body>"
    )
    text = read("a.odt", opendocument(**{"content.xml": content.encode()})).text
    assert text == "Really?\n\nIt takes days A clock from 3 May on."


def test_refuses_an_encrypted_opendocument() -> None:
    manifest = b"<manifest><encryption-data/></manifest>"
    with pytest.raises(ReadError, match="is encrypted"):
        read("a.odt", opendocument(**{"META-INF/manifest.xml": manifest}))


@pytest.mark.parametrize("id", OFFICE)
def test_refuses_an_encrypted_office_file(id: str) -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(ReadError, match=r"is encrypted \(a password is needed\)"):
        read(id, ole)


@pytest.mark.parametrize("id", [*OFFICE, "a.epub"])
@pytest.mark.parametrize("size", [700, 3000])
def test_refuses_a_file_cut_short(id: str, size: int) -> None:
    with pytest.raises(ReadError, match="is damaged"):
        read(id, word()[:size])


@pytest.mark.parametrize("id", ["a.docx", "a.pptx", "a.odt"])
def test_refuses_a_zip_of_something_else(id: str) -> None:
    with pytest.raises(ReadError, match="has no part"):
        read(id, zipped({"a": bytes(10)}))


@cache
def bomb(size: int) -> bytes:
    return zipped(
        {"word/document.xml": bytes(size), "content.xml": b"<a/>", "xl/workbook.xml": b""}
    )


@pytest.mark.parametrize("id", [*OFFICE, "a.epub"])
def test_refuses_a_bomb_before_it_unpacks(id: str) -> None:
    with pytest.raises(ReadError, match="unpacks to 300 MB, more than 256"):
        read(id, bomb(300 << 20))
    with pytest.raises(ReadError, match=r"unpacks to [\d,]+ times its size"):
        read(id, bomb(40 << 20))


@pytest.mark.parametrize("id", ["a.docx", "a.xlsx"])
def test_refuses_a_bomb_that_lies_about_its_size(id: str) -> None:
    data = bytearray(bomb(40 << 20))
    told = struct.pack("<I", 40 << 20)
    while (at := data.find(told)) >= 0:
        data[at : at + 4] = struct.pack("<I", 1000)
    with pytest.raises(ReadError, match="is damaged"):
        read(id, bytes(data))


PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def relations(**targets: str) -> bytes:
    items = "".join(
        f'<Relationship Id="{id}" Type="{OFFICE_RELATIONS}/{id.rstrip("0123456789")}"'
        f' Target="{target}"/>'
        for id, target in targets.items()
    )
    return f'<Relationships xmlns="{PACKAGE}">{items}</Relationships>'.encode()


@pytest.mark.parametrize(
    "part", [b"<a>" + b"<b/>" * 4_000_000 + b"</a>", b"<a>" + b" " * (17 << 20)]
)
@pytest.mark.parametrize(
    ("id", "name"),
    [
        ("a.docx", "docProps/core.xml"),
        ("a.docx", "_rels/.rels"),
        ("a.docx", "word/styles.xml"),
        ("a.odt", "meta.xml"),
        ("a.epub", "META-INF/container.xml"),
    ],
)
def test_refuses_properties_relations_and_styles_without_end(
    id: str, name: str, part: bytes
) -> None:
    members = {
        "word/document.xml": b"<document/>",
        "word/_rels/document.xml.rels": relations(styles="styles.xml"),
        "content.xml": b"<content/>",
    }
    with pytest.raises(ReadError, match="has properties, relations or styles"):
        read(id, zipped({**members, name: part}))


def test_refuses_a_presentation_that_shows_a_slide_without_end() -> None:
    shown = b'<sldId r:id="slide"/>' * 20_000
    xml = b'<p xmlns:r="%s">%s</p>' % (OFFICE_RELATIONS.encode(), shown)
    members = {
        "ppt/presentation.xml": xml,
        "ppt/_rels/presentation.xml.rels": relations(slide="slide.xml"),
        "ppt/slide.xml": b"<sld>" + b" " * (20 << 20) + b"</sld>",
    }
    with pytest.raises(ReadError, match="refer to more than 256 MB"):
        read("a.pptx", zipped(members))


def test_refuses_xml_with_entities_of_its_own() -> None:
    xml = b'<!DOCTYPE a [<!ENTITY x "lol"><!ENTITY y "&x;&x;">]><a>&y;</a>'
    with pytest.raises(ReadError, match="declares XML entities"):
        read("a.docx", zipped({"word/document.xml": xml}))


def spreadsheet(cells: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with Workbook(file, {"in_memory": True}) as office:
        sheet = office.add_worksheet("S")
        for place, text in cells.items():
            sheet.write(place, text)
    return file.getvalue()


def test_reads_a_sheet_whose_cells_are_far_apart() -> None:
    assert read("a.xlsx", spreadsheet({"A1": "a", "ZZ2000": "b"})).text == "S\n\na\nb"


def test_refuses_a_sheet_that_spreads_over_too_many_cells() -> None:
    with pytest.raises(ReadError, match=r"spreads over more than 5,000,000 cells"):
        read("a.xlsx", spreadsheet({"A1": "a", "ZZ20000": "b"}))


@pytest.mark.parametrize("id", ["a.xlsx", "a.unknown"])
def test_outlives_a_sheet_that_would_take_all_memory(id: str) -> None:
    with pytest.raises(ReadError, match="takes more than 1 GB to read"):
        read(id, spreadsheet({"A1": "a", "XFD1048576": "b"}))


def test_outlives_a_sheet_that_repeats_a_long_text() -> None:
    cells = {f"A{row}": "x" * 32_000 for row in range(1, 50_000)}
    with pytest.raises(ReadError, match="takes more than 1 GB to read"):
        read("a.xlsx", spreadsheet(cells))


def test_outlives_a_spreadsheet_that_crashes_its_parser() -> None:
    told = (62, 3, 0xFFFE, 9, 6, 0, 0, 0, 0, 1, 1, 0, 4096, 2, 1, -2, 0)
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<8H9i", *told)
    with pytest.raises(ReadError, match="crashed its reader: it is damaged"):
        read("a.xls", ole.ljust(512, b"\xff") + b"abc")


def test_refuses_a_damaged_spreadsheet() -> None:
    with pytest.raises(ReadError, match="is damaged, or not a spreadsheet"):
        read("a.xls", b"\xd0\xcf\x11\xe0" + bytes(600))


@pytest.mark.parametrize("name", [*OFFICE, "a.ods", "a.epub"])
def test_what_only_begins_as_an_office_file_does_is_damaged_not_binary(name: str) -> None:
    with pytest.raises(ReadError, match="is damaged, or not the zip container") as caught:
        read(name, b"PK\3\4 not a zip")
    assert caught.type is ReadError

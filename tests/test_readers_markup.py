"""Reading HTML, XML, EPUB and mail."""

from __future__ import annotations

import io
import re
import zipfile
from email.message import EmailMessage

import pytest

from embedsearch import Document
from embedsearch.errors import ReadError
from embedsearch.readers import read
from embedsearch.records import Heading


def html(body: str) -> Document:
    return read("a.html", body.encode())


def test_parts_blocks_by_blank_lines_and_finds_headings() -> None:
    document = html(
        "<html><head><title>The\n Guide</title><meta name=author content=Ann></head><body>"
        "<h1>Guide</h1><p>First <b>bold</b>,\n then <a href=x>a link</a>.</p>"
        "<div><h2>Use  <code>it</code></h2>Text</div></body></html>"
    )
    assert document == Document(
        id="a.html",
        text="Guide\n\nFirst bold, then a link.\n\nUse it\n\nText",
        metadata={"title": "The Guide", "author": "Ann"},
        kind="html",
        headings=(Heading(0, 1, "Guide"), Heading(33, 2, "Use it")),
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<pre>def f():\n    <b>return</b> 1\n\n</pre>after", "def f():\n    return 1\n\nafter"),
        ("a<br>b", "a\nb"),
        ("<ul><li>one<li><p>two</p></ul>end", "- one\n- two\n\nend"),
        ("<dl><dt>term<dd><p>meaning</p></dl>", "term\nmeaning"),
        ("<p>see <img src=x alt='a cat'>!</p>", "see a cat !"),
        ("<p>a<script>b()</script><style>c{}</style><!-- d --><template>e</template>f", "af"),
        ("<table><tr><th>a<th>b<tr><td><p>1</p></td><td>2</td></table>", "a | b\n1 | 2"),
        ("<table><tr><td><p>a</p><p>b</p></td><td>c</td></tr></table>", "a\nb | c"),
        ("<table><tr><td><ul><li>menu</ul></td><td>page</td></table>", "- menu\n\npage"),
        ("<nav>menu</nav><div role=navigation>more</div><p>page</p>", "page"),
        ("<nav>nothing else</nav>", "nothing else"),
        ("<h1><br></h1>x&nbsp;&lt;y&gt;", "x <y>"),
        ("plain words, no mark-up", "plain words, no mark-up"),
        ("<p>\ufdd0\ufdd3a</p>&#xFDD0;b", "a\n\nb"),
    ],
)
def test_keeps_the_shape_of(body: str, text: str) -> None:
    assert html(body).text == text


@pytest.mark.parametrize(
    "data",
    [
        b'<meta charset="iso-8859-1"><p>caf\xe9',
        b'<meta http-equiv=Content-Type content="text/html; charset=windows-1252"><p>caf\xe9',
        '<meta charset="iso-8859-1"><p>caf\u00e9'.encode(),
        '<meta charset="utf-8"><p>caf\u00e9'.encode("utf-16"),
        '<meta charset="nonsense"><p>caf\u00e9'.encode(),
    ],
)
def test_finds_the_encoding_of_a_page(data: bytes) -> None:
    assert read("a.html", data).text == "caf\u00e9"


@pytest.mark.parametrize("tag", ["div", "ul", "table", "DIV", "pre"])
def test_refuses_a_page_nested_without_end(tag: str) -> None:
    with pytest.raises(ReadError, match="nested more than 10000 deep"):
        html(f"<{tag}>" * 100_000 + "x" + f"</{tag}>" * 100_000)


def test_reads_the_text_of_xml() -> None:
    data = b"<svg><style>a{}</style><title>A cat</title><g><text>On a\n mat</text></g></svg>"
    assert read("a.svg", data) == Document(id="a.svg", text="A cat\nOn a mat")


@pytest.mark.parametrize(
    "source",
    [
        '<a b="only attributes"/>',
        "<a>not closed",
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x "lol"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>',
        "<a>" * 100_000,
    ],
)
def test_reads_other_xml_as_source(source: str) -> None:
    assert read("a.xml", source.encode()) == Document(id="a.xml", text=source, kind="code")


def book(**members: str) -> bytes:
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<metadata><dc:title>A Book</dc:title><dc:creator>Ann</dc:creator></metadata><manifest>"
        '<item id="b" href="b%20two.xhtml"/><item id="a" href="a.xhtml"/></manifest>'
        '<spine><itemref idref="a"/><itemref idref="b"/><itemref idref="a"/></spine></package>'
    )
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "OEBPS/book.opf": package,
            "OEBPS/a.xhtml": "<html><body><h1>One</h1><p>First.</p></body></html>",
            "OEBPS/b two.xhtml": "<html><body><h1>Two</h1><p>Second.</p></body></html>",
            **members,
        }
    )


def zipped(members: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return file.getvalue()


@pytest.mark.parametrize("id", ["a.epub", "a.unknown"])
def test_reads_a_book_along_its_spine(id: str) -> None:
    assert read(id, book()) == Document(
        id=id,
        text="One\n\nFirst.\n\nTwo\n\nSecond.",
        metadata={"title": "A Book", "author": "Ann"},
        kind="html",
        headings=(Heading(0, 1, "One"), Heading(13, 1, "Two")),
    )


def test_refuses_a_protected_book() -> None:
    with pytest.raises(ReadError, match="is encrypted"):
        read("a.epub", book(**{"META-INF/encryption.xml": "<encryption/>"}))


def test_refuses_a_zip_that_is_no_book() -> None:
    with pytest.raises(ReadError, match="is no EPUB book"):
        read("a.epub", zipped({"a": "b"}))


def message(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in {"Subject": "Caf\u00e9", "From": "Ann <a@b.c>", **headers}.items():
        mail[name] = value
    return mail


def test_reads_the_plain_part_of_a_message() -> None:
    mail = message(To="bob@b.c", Date="Wed, 01 Jan 2020 10:00:00 +0100")
    mail.set_content("Hello\n\nBob")
    mail.add_alternative("<p>Hello <b>Bob</b></p>", subtype="html")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="bill.pdf")
    document = read("a.eml", mail.as_bytes())
    assert document.metadata == {
        "title": "Caf\u00e9",
        "subject": "Caf\u00e9",
        "from": "Ann <a@b.c>",
        "to": "bob@b.c",
        "date": "2020-01-01T09:00:00Z",
    }
    assert document.text == (
        "Subject: Caf\u00e9\nFrom: Ann <a@b.c>\nTo: bob@b.c\nDate: Wed, 01 Jan 2020 10:00:00 +0100"
        "\n\nHello\n\nBob\n\nAttachments: bill.pdf"
    )


def test_reads_the_texts_that_are_attached_to_a_message() -> None:
    mail = message()
    mail.set_content("See below.")
    mail.add_attachment("one\ntwo\n", filename="notes.txt")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="bill.pdf")
    mail.add_attachment("<p>three</p>", subtype="html", filename="page.html")
    assert read("a.eml", mail.as_bytes()).text.endswith(
        "\n\nSee below.\n\nAttachments: notes.txt, bill.pdf, page.html\n\none\ntwo\n\nthree"
    )


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2024-05-01T08:00:00+02:00", "2024-05-01T06:00:00Z"),
        ("2024-05-01T08:00:00", "2024-05-01T08:00:00"),
        ("2024-05-01", "2024-05-01"),
        ("May 2024", "May 2024"),
    ],
)
def test_the_date_of_a_page_is_spelled_as_in_other_formats(written: str, kept: str) -> None:
    page = f'<head><meta name="date" content="{written}"></head><body>text</body>'
    assert read("a.html", page.encode()).metadata == {"date": kept}


def test_a_date_beyond_all_dates_is_kept_as_it_stands() -> None:
    date = "Mon, 1 Jan 2024 00:00:00 +999999999999999999990000"
    document = read("a.eml", f"From: a@b.c\nDate: {date}\n\nbody\n".encode())
    assert document.metadata["date"] == date
    assert document.text.endswith("body")


def test_converts_a_message_that_is_html() -> None:
    mail = message()
    mail.set_content("<h1>Hi</h1><p>caf\u00e9</p>", subtype="html", charset="iso-8859-1")
    document = read("a.eml", mail.as_bytes())
    assert document.text.endswith("\n\nHi\n\ncaf\u00e9")
    assert document.headings == (Heading(document.text.index("Hi"), 1, "Hi"),)


def mailbox_of(*mails: EmailMessage | bytes) -> bytes:
    """Return messages as one file, the way of the standard library."""
    parts = []
    for mail in mails:
        data = mail if isinstance(mail, bytes) else mail.as_bytes()
        quoted = re.sub(rb"^(>*From )", rb">\1", data, flags=re.MULTILINE)
        parts.append(b"From ann@b.c Mon Nov 30 01:48:52 2026\n" + quoted + b"\n")
    return b"".join(parts)


@pytest.mark.parametrize("id", ["old.mbox", "Inbox"])
def test_reads_every_message_of_a_mailbox_under_its_subject(id: str) -> None:
    first, second = message(Date="Wed, 01 Jan 2020 10:00:00 +0100"), message(To="bob@b.c")
    first.set_content("Gr\u00fc\u00dfe\n\nFrom here on it is mine.\n")
    del second["Subject"]
    second.set_content("a" * 500, cte="base64")
    document = read(id, mailbox_of(first, second))
    assert document.text == (
        "Caf\u00e9\n\nFrom: Ann <a@b.c>\nDate: Wed, 01 Jan 2020 10:00:00 +0100\n\n"
        "Gr\u00fc\u00dfe\n\nFrom here on it is mine.\n\n"
        f"(no subject)\n\nFrom: Ann <a@b.c>\nTo: bob@b.c\n\n{'a' * 500}"
    )
    assert [h.title for h in document.headings] == ["Caf\u00e9", "(no subject)"]
    assert (document.metadata, document.partial) == ({"messages": 2}, None)


def test_a_mailbox_tells_of_messages_that_cannot_be_read() -> None:
    mail = message()
    mail.set_content("words")
    endless = b"Content-Type: message/rfc822\n\n" * 3000
    document = read("a.mbox", mailbox_of(mail, endless))
    assert document.text.endswith("\n\nwords")
    assert document.partial == "1 of its 2 messages can't be parsed: they were left out"
    for none in (mailbox_of(endless), b"no mailbox"):
        with pytest.raises(ReadError, match="no mailbox with a message"):
            read("a.mbox", none)


def test_a_message_without_a_suffix_is_told_from_a_text() -> None:
    mail = message(Date="Wed, 01 Jan 2020 10:00:00 +0100")
    mail.set_content("caf\u00e9", cte="base64")
    assert read("1700.M1P2.host:2,S", mail.as_bytes()).text.endswith("\n\ncaf\u00e9")
    for text in ("From: me\nhello\n\nDate: x", "From Ann, in 2020\nwords", "Date: today"):
        assert read("note", text.encode()).text == text


def test_survives_a_broken_message() -> None:
    data = b'From: <<>>"@@\nDate: x\nContent-Type: text/plain; charset=no\n\ncaf\xc3\xa9'
    assert read("a.eml", data).text.endswith("\n\ncaf\u00e9")


def test_survives_a_message_in_an_encoding_that_cannot_be() -> None:
    data = b"Content-Type: text/plain; charset*=utf-8''a%00b\n\nwords\x1b[0m"
    assert read("a.eml", data).text == "words\x1b[0m"


def test_refuses_a_message_nested_without_end() -> None:
    with pytest.raises(ReadError, match="nested too deeply"):
        read("a.eml", b"Content-Type: message/rfc822\n\n" * 3000)


def test_extracted_words_are_as_one_types_them() -> None:
    page = "<h1>Ru\u0308ck&shy;erstattung</h1><p>Zah&shy;lungs&shy;eingang \u1112\u1161\u11ab</p>"
    document = read("a.html", page.encode())
    assert document.text == "R\u00fcckerstattung\n\nZahlungseingang \ud55c"
    assert document.headings == (Heading(0, 1, "R\u00fcckerstattung"),)


def test_reads_rich_text() -> None:
    data = (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}\f0 Hello \b world\b0\par caf\'e9 \u8364?5"
        rb"{\*\generator x;}\{a\}\tab b}"
    )
    assert read("a.rtf", data).text == "Hello world\n\ncaf\u00e9 \u20ac5{a}\tb"


@pytest.mark.parametrize(
    ("codepage", "source", "text"),
    [
        (
            b"932",
            rb"\'93\'fa\'96" + b"\n" + rb"\'7b\'83e\'83X\'83g x",
            "\u65e5\u672c\u30c6\u30b9\u30c8 x",
        ),
        (b"932", rb"\uc2 \u26085\'93\'fa\u26412\'96\'7b x", "\u65e5\u672c x"),
        (b"936", rb"\'d6\'d0\'ce\'c4", "\u4e2d\u6587"),
        (b"1251", rb"\'cf\'f0\'e8\'e2\'e5\'f2", "\u041f\u0440\u0438\u0432\u0435\u0442"),
        (b"99999", rb"caf\'e9", "caf\u00e9"),
    ],
)
def test_rich_text_is_read_in_its_code_page(codepage: bytes, source: bytes, text: str) -> None:
    assert read("a.rtf", rb"{\rtf1\ansi\ansicpg%b %b}" % (codepage, source)).text == text

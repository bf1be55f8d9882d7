"""Reading PDF: pages, bookmarks, passwords, and what cannot be read."""

from __future__ import annotations

from hashlib import md5

import pytest

from embedsearch.errors import ReadError
from embedsearch.readers import read
from embedsearch.records import Heading

PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
PERMISSIONS = -64
OWNER = bytes(range(32))
FILE_ID = b"0123456789abcdef"


def pdf(
    *pages: str, info: str = "", outline: tuple[str, ...] = (), user: str | None = None
) -> bytes:
    """Write a PDF of one line of text a page, encrypted for ``user`` (RC4, 40 bits)."""
    key = b"" if user is None else file_key(user)
    first = 5 + 2 * len(pages)
    kids = " ".join(f"{5 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Outlines %d 0 R >>" % first,
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        f"<< {info} >>".encode(),
    ]
    for text in pages:
        number = len(objects) + 2
        stream = b" ".join((b"BT /F1 12 Tf 72 700 Td 14 TL", *map(shown, text.split("\n")), b"ET"))
        stream = crypt(stream, key, number)
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % number,
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        ]
    objects += bookmarks(outline, first)
    encryption = b""
    if key:
        check = rc4(key, PADDING)
        encryption = b"/Encrypt << /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P %d >>" % (
            OWNER.hex().encode(),
            check.hex().encode(),
            PERMISSIONS,
        )
    return written(objects, encryption)


def shown(line: str) -> bytes:
    return b"(" + line.encode("cp1252") + b") Tj T*"


def bookmarks(titles: tuple[str, ...], first: int) -> list[bytes]:
    """Chain the bookmarks of each page, the last one to the first again: a loop."""
    last = first + len(titles)
    items = [b"<< /Type /Outlines /First %d 0 R /Last %d 0 R >>" % (first + 1, last)]
    for i, title in enumerate(titles):
        following = first + 1 + (i + 1) % len(titles)
        items.append(
            b"<< /Title (%s) /Parent %d 0 R /Next %d 0 R /Dest [%d 0 R /Fit] >>"
            % (title.encode(), first, following, 5 + 2 * i)
        )
    return items


def written(objects: list[bytes], encryption: bytes) -> bytes:
    out = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        out
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R %s >>\n"
        % (
            len(objects) + 1,
            table,
            len(objects) + 1,
            b"/Info 4 0 R /ID [<%s> <%s>] %s"
            % (FILE_ID.hex().encode(), FILE_ID.hex().encode(), encryption),
        )
        + b"startxref\n%d\n%%%%EOF\n" % len(out)
    )


def file_key(password: str) -> bytes:
    padded = (password.encode() + PADDING)[:32]
    permissions = PERMISSIONS.to_bytes(4, "little", signed=True)
    return md5(padded + OWNER + permissions + FILE_ID, usedforsecurity=False).digest()[:5]


def crypt(data: bytes, key: bytes, number: int) -> bytes:
    if not key:
        return data
    salted = key + number.to_bytes(3, "little") + bytes(2)
    return rc4(md5(salted, usedforsecurity=False).digest()[:10], data)


def rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    out = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


@pytest.mark.parametrize("id", ["a.pdf", "a.PDF", "report"])
def test_reads_the_pages(id: str) -> None:
    info = "/Title (Refunds) /Author (Ann) /CreationDate (D:20200131120000+01'00')"
    document = read(id, pdf("First\nline two", "", "Third caf\u00e9", info=info))
    assert document.text == "First\nline two\n\nThird caf\u00e9"
    assert document.pages == (0, 16, 16)
    assert document.kind == "text"
    assert document.metadata == {"title": "Refunds", "author": "Ann", "date": "2020-01-31"}


def test_takes_bookmarks_for_headings_and_survives_their_loop() -> None:
    document = read("a.pdf", pdf("words\nOne", "no title here", outline=("One", "Two")))
    assert document.headings == (Heading(6, 1, "One"), Heading(11, 1, "Two"))


def test_joins_a_word_that_ends_a_line_with_a_hyphen() -> None:
    assert read("a.pdf", pdf("a hyphen-\nated word")).text == "a hyphenated word"


def test_a_hyphen_that_a_font_calls_soft_is_one() -> None:
    plain = b"/Encoding /WinAnsiEncoding"
    soft = b"/Encoding << /BaseEncoding /WinAnsiEncoding /Differences [126 /softhyphen] >>"
    data = pdf("a well~known hyphen~\nated word").replace(plain, soft)
    assert read("a.pdf", data).text == "a well-known hyphenated word"


def test_opens_a_file_that_is_encrypted_without_a_password() -> None:
    assert read("a.pdf", pdf("Open to all", user="")).text == "Open to all"


def test_refuses_a_file_that_needs_a_password() -> None:
    with pytest.raises(ReadError, match=r"is encrypted \(a password is needed\)"):
        read("a.pdf", pdf("Closed", user="secret"))


def test_says_that_pages_without_text_may_be_scanned() -> None:
    with pytest.raises(ReadError, match=r"holds no text \(pages: 2\): it may be scanned images"):
        read("a.pdf", pdf("", " "))


@pytest.mark.parametrize(
    "data", [b"%PDF-1.4\n", b"%PDF-1.4\n" + bytes(1000), pdf(), pdf("First")[:600]]
)
def test_refuses_a_damaged_file(data: bytes) -> None:
    with pytest.raises(ReadError, match="may be damaged"):
        read("a.pdf", data)


def test_leaves_out_a_title_that_is_no_text() -> None:
    data = pdf("one", outline=("Lost",), info="/Title <FEFFD8000041> /Author (Ann)")
    document = read("a.pdf", data.replace(b"(Lost)", b"<FEFFD8000041>"))
    assert (document.text, document.headings, document.metadata) == ("one", (), {"author": "Ann"})

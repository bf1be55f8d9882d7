"""Files damaged at random: each is read or reported, and none finds a bug."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest
from test_readers import notebook
from test_readers_markup import book, message
from test_readers_office import opendocument, presentation, spreadsheet, word
from test_readers_pdf import pdf

from embedsearch import Index
from embedsearch.testing import HashEmbedder

EXAMPLES = Path(__file__).parents[1] / "examples" / "wikipedia"

YAML = (
    b"---\ntitle: Refunds\ntags: [a, b]\ndate: 2020-01-31\na: !!bool yes\nb: !!int 3\n"
    b"c: !!float 3\nd: &d !!timestamp 2020-01-31\n? [e, f]\n: *d\n---\n# Title\n\nwords\n"
)
TOML = b'+++\ntitle = "Refunds"\ndate = 2020-01-31T10:00:00Z\n[a]\nb = 0x1F\n+++\nwords\n'

PIECES = (
    *(b"\0", b"\xff", b"\xed\xa0\x80", b"\\ud800", b'"\\ud800": 1,', b"&#xD800;", b"\x1b", b"%00"),
    *(
        b"9" * 5000,
        b"0x" + b"F" * 5000,
        b"-1",
        b"1e999",
        b"NaN",
        b"null",
        b"''",
        b'""',
        b"[]",
        b"{}",
    ),
    *(b"!!bool ", b"!!int ", b"!!timestamp ", b"!!set ", b"<<: *d\n", b"charset*=utf-8''a%00b;"),
    *(b"<", b">", b"{", b"}", b"[", b"]", b"(", b")", b"<FEFFD800>", b"'", b'"', b"\n", b"\r"),
)
"""What tends to hurt."""


def mail() -> bytes:
    mail = message(Subject="Caf\u00e9", Date="Mon, 1 Jan 2024 00:00:00 +0000")
    mail.set_content("Plain words")
    mail.add_alternative("<p>The same</p>", subtype="html")
    mail.add_attachment(b"1", maintype="text", subtype="csv", filename="a.csv")
    return mail.as_bytes()


def seeds() -> dict[str, bytes]:
    code: dict[str, object] = {
        "cell_type": "code",
        "source": "1",
        "outputs": [{"data": {"text/plain": "1"}}],
    }
    return {
        "yaml.md": YAML,
        "toml.md": TOML,
        "a.docx": word(),
        "a.pptx": presentation(),
        "a.xlsx": spreadsheet({"A1": "name", "B1": "price", "A2": "Tea", "B2": "two"}),
        "a.odt": opendocument(),
        "a.epub": book(),
        "a.eml": mail(),
        "a.pdf": pdf("one", "two", info="/Title (Guide)", outline=("One", "Two")),
        "a.ipynb": notebook({"cell_type": "markdown", "source": ["# A\n", "b"]}, code),
        "a.json": b'[{"id": 1, "a": {"b": [1, 2.5, null]}}, {"id": 2, "c": "d\\ne"}]',
        "a.jsonl": b'{"a": 1, "b": {"c": "d"}}\n\nwords\n{"a": "\\ud83d\\ude00"}\n',
        "a.csv": b'id,name\n1,"a ""b"""\n2,c\n',
        "a.rst": b"=====\nGuide\n=====\n\nwords\n\nInstall\n-------\n",
        "a.rtf": rb"{\rtf1\ansicpg1252{\fonttbl x}Hello\par \uc1\u233?\'e9 \b x}",
        "a.xml": b"<?xml version='1.0'?><a><b c='d'>words</b>more</a>",
        "a.html": (EXAMPLES / "history" / "oil-crisis.html").read_bytes(),
        "b.md": (EXAMPLES / "science" / "oxygen.md").read_bytes(),
        "a.txt": "caf\u00e9 and words".encode("utf-16"),
    }


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Overwrite, cut, repeat or insert something in a few places; in zips, within a member."""
    if data.startswith(b"PK") and chance.random() < 0.8:
        return _within(data, chance)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        start = chance.randrange(len(data) + 1)
        end = start + chance.choice((0, 1, 4, 16, 64))
        piece = chance.choice(
            (b"", chance.randbytes(end - start), data[start:end] * 20, chance.choice(PIECES))
        )
        data = data[:start] + piece + data[end:]
    return data


def _within(data: bytes, chance: random.Random) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        names = old.namelist()
        hit = chance.choice(names)
        for name in names:
            member = old.read(name)
            new.writestr(name, damaged(member, chance) if name == hit else member)
    return file.getvalue()


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_file_is_read_or_reported_and_stops_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, data in seeds().items():
        for number in range(8):
            (folder / f"{number}-{name}").write_bytes(damaged(data, chance))
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        report = index.sync(folder, embed=False)
        assert [failure for failure in report.failed if "reader failed" in failure.why] == []
        assert report.added + report.skipped + len(report.failed) == 8 * len(seeds())
        assert index.verify() == []

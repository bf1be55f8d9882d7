"""What chunking costs beside one tiktoken encode of the same text, and that it is linear.

``python benchmarks/chunker.py [FILE ...]`` prints JSON. Without files the texts are made of
what every Python has: its own documentation and sources, and generated Chinese.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import time
from importlib.metadata import version
from pathlib import Path
from pydoc_data.topics import topics
from sysconfig import get_path
from typing import TYPE_CHECKING, Any

from embedsearch.chunking import chunk
from embedsearch.records import Document
from embedsearch.tokens import encoding

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedsearch.tokens import TiktokenTokenizer

LIMIT, OVERLAP = 256, 32
SUFFIXES = {".md": "markdown", ".py": "code", ".c": "code", ".html": "html"}
# The most frequent characters of written Chinese in their order: three quarters of any text.
COMMON = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过"
    "发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本"
    "前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很"
    "最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度"
    "门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电"
)
MEGABYTES = (1, 2, 5, 10)


def prose() -> str:
    return "\n\n".join(topics.values())


def markdown() -> str:
    sections = []
    for name, text in topics.items():
        paragraphs = text.split("\n\n")
        body = "\n\n".join(
            f"```\n{part}\n```" if part.startswith("   ") else part for part in paragraphs
        )
        sections.append(f"# {name}\n\n{body}")
    return "\n\n".join(sections)


def code(size: int = 1_000_000) -> str:
    sources = sorted(Path(get_path("stdlib")).glob("*.py"))
    return "\n".join(path.read_text("utf-8") for path in sources)[:size]


def chinese(size: int = 400_000) -> str:
    chance = random.Random(0)
    # The first level of GB 2312: the 3,755 characters of everyday writing.
    cells = [bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)]
    everyday = b"".join(cells).decode("gb2312", "ignore")
    weights = [1 / (rank + 10) for rank in range(len(COMMON))]
    weights += [sum(weights) / 3 / len(everyday)] * len(everyday)
    characters = chance.choices(COMMON + everyday, weights, k=size)
    for place in range(0, size, 11):
        characters[place] = chance.choice("\uff0c\uff0c\uff0c\u3002\u3001\uff1b")
    return "".join(
        character + ("\n" if character == "\u3002" and chance.random() < 0.1 else "")
        for character in characters
    )


def one_line(size: int) -> str:
    line = " ".join(prose().split()) + " "
    return (line * (size // len(line) + 1))[:size]


def documents(paths: list[Path]) -> list[Document]:
    if paths:
        return [
            Document(path.name, path.read_text("utf-8"), kind=SUFFIXES.get(path.suffix, "text"))  # type: ignore[arg-type]  # kinds
            for path in paths
        ]
    return [
        Document("prose", prose()),
        Document("markdown", markdown(), kind="markdown"),
        Document("code", code(), kind="code"),
        Document("chinese", chinese()),
        Document("one line, 10 MB", one_line(10_000_000)),
    ]


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def compare(document: Document, tokenizer: TiktokenTokenizer, repeats: int) -> dict[str, Any]:
    """Interleave the runs, so that a busy machine slows both."""
    pairs = [
        (
            seconds(lambda: tokenizer.encode(document.text)),
            seconds(lambda: chunk(document, tokenizer, limit=LIMIT, overlap=OVERLAP)),
        )
        for _ in range(repeats)
    ]
    chunks = chunk(document, tokenizer, limit=LIMIT, overlap=OVERLAP)
    return {
        "text": document.id,
        "characters": len(document.text),
        "chunks": len(chunks),
        "mean_tokens": round(statistics.mean(c.tokens or 0 for c in chunks), 1),
        "encode_seconds": round(statistics.median(encode for encode, _ in pairs), 4),
        "chunk_seconds": round(statistics.median(chunking for _, chunking in pairs), 4),
        "ratio": round(statistics.median(chunking / encode for encode, chunking in pairs), 2),
    }


def linearity(tokenizer: TiktokenTokenizer) -> list[dict[str, Any]]:
    """Chunk one line of 1 to 10 MB, prose and a single letter: the rate should stay the same."""
    makers: dict[str, Callable[[int], str]] = {"one line": one_line, "aaa": lambda n: "a" * n}
    rows = []
    for name, make in makers.items():
        for megabytes in MEGABYTES:
            document = Document(name, make(megabytes * 1_000_000))
            took = seconds(lambda: chunk(document, tokenizer, limit=LIMIT, overlap=OVERLAP))  # noqa: B023 -- called at once
            rate = round(megabytes / took, 2)
            rows.append({"text": name, "megabytes": megabytes, "megabytes_per_second": rate})
    return rows


def report(ratios: list[dict[str, Any]], rates: list[dict[str, Any]]) -> str:
    return json.dumps(
        {
            "name": "chunker",
            "limit": LIMIT,
            "overlap": OVERLAP,
            "machine": platform.platform(),
            "versions": {
                "python": platform.python_version(),
                "tiktoken": version("tiktoken"),
                "regex": version("regex"),
            },
            "results": ratios,
            "linearity": rates,
        },
        indent=2,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="texts to chunk instead")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--encoding", default="cl100k_base")
    arguments = parser.parse_args()
    tokenizer = encoding(arguments.encoding)
    chunk(Document("warm-up", prose()[:10_000]), tokenizer, limit=LIMIT, overlap=OVERLAP)
    ratios = [compare(d, tokenizer, arguments.repeats) for d in documents(arguments.files)]
    print(report(ratios, linearity(tokenizer)))


if __name__ == "__main__":
    main()

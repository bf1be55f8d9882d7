"""What it costs to index a folder: taking in, embedding, waiting for a first hit, memory.

    python benchmarks/indexing.py TEXT_FOLDER... --small FOLDER

Taking in is measured on each TEXT_FOLDER (Debian: python3.11-doc's html/_sources and html/library).
The whole pipeline is held against the bare embedder on the 2,000 smallest texts of ``--small``
(linux-doc-6.1's html/_sources, or any other) with the packaged model.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from embedsearch import Index
from embedsearch.embedders import load

FILES = 2_000
LEAST_BYTES = 200
SAMPLED = 4
"""The bare embedder runs on every fourth chunk, before and after, to catch a drift of the machine."""
MEMORY_TEXT_BYTES = 200_000_000

SEARCHER = """
import sys, time
from embedsearch import Index
from embedsearch.errors import EmbedsearchError
while True:
    try:
        with Index.open(sys.argv[1], create=False) as index:
            if index.search("function", k=1, mode="lexical"):
                print(time.time())
                break
    except EmbedsearchError:
        pass
    time.sleep(0.05)
"""

MEMORY = """
import resource, sys, zlib
import numpy as np
from embedsearch import Index
from embedsearch.embedders import load

class Drawn:
    def __init__(self, model):
        self.model, self.warm = model, False
        self.name, self.space, self.dimensions = "drawn", "drawn", model.dimensions
        self.tokenizer, self.max_tokens = model.tokenizer, model.max_tokens
    def embed(self, texts, *, kind="document"):
        if not self.warm:
            self.warm = True
            return self.model.embed(texts, kind=kind)
        seeds = (zlib.crc32(text.encode()) for text in texts)
        draws = [np.random.default_rng(seed).standard_normal(self.dimensions) for seed in seeds]
        return np.float32(draws / np.linalg.norm(draws, axis=1, keepdims=True))

with Index.open(sys.argv[1], Drawn(load())) as index:
    texts = index.sync(sys.argv[2]).texts
own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(texts, own // 1024, worker // 1024)
"""
"""Passages as the packaged model reads them, with it in memory: the first are embedded by it. The
others would take more than an hour, so their vectors are drawn."""


def characters(index: Index) -> int:
    return sum(document.characters for document in index.documents())


def take_in(folder: Path, rounds: int = 3) -> dict[str, Any]:
    """Time reading, chunking and full text alone; a document's text is what comes out of files."""
    taken, text = [], 0
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as home, Index.open(home) as index:
            begin = time.perf_counter()
            index.sync(folder, embed=False)
            taken.append(time.perf_counter() - begin)
            text = characters(index)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    seconds = statistics.median(taken)
    return {
        "folder": folder.as_posix(),
        "file_mb": round(size / 1e6, 1),
        "text_mb": round(text / 1e6, 1),
        "seconds": round(seconds, 2),
        "text_mb_per_second": round(text / 1e6 / seconds, 2),
    }


def smallest(folder: Path, into: Path) -> None:
    files = [p for p in folder.rglob("*") if p.is_file() and p.suffix in {".txt", ".rst", ".html"}]
    wanted = sorted((p.stat().st_size, p) for p in files if p.stat().st_size >= LEAST_BYTES)
    for n, (_, path) in enumerate(wanted[:FILES]):
        shutil.copy(path, into / f"{n:04}-{path.name}")


def bare(texts: list[str]) -> float:
    embedder = load()
    embedder.embed(texts[:8])
    begin = time.perf_counter()
    embedder.embed(texts)
    return time.perf_counter() - begin


def pipeline(folder: Path) -> dict[str, Any]:
    """Time a sync from nothing between two runs of the bare embedder on the same chunks."""
    with tempfile.TemporaryDirectory() as home:
        docs = Path(home) / "docs"
        docs.mkdir()
        smallest(folder, docs)
        with Index.open(Path(home) / "plan") as index:
            index.sync(docs, embed=False)
            texts = [c.text for d in index.documents() for c in index.chunks(d.id)]
        texts = list(dict.fromkeys(text for text in texts if text.strip()))
        sample = texts[::SAMPLED]
        before = bare(sample)
        searcher = subprocess.Popen(
            [sys.executable, "-c", SEARCHER, str(Path(home) / "index")],
            stdout=subprocess.PIPE,
            text=True,
        )
        time.sleep(2)  # let it wait for the index
        started = time.time()
        with Index.open(Path(home) / "index") as index:
            index.embedder.embed(["loaded, as the bare one is"])
            begin = time.perf_counter()
            report = index.sync(docs)
            seconds = time.perf_counter() - begin
        first_hit = float(searcher.communicate()[0]) - started
        after = bare(sample)
    embedding = (before + after) / 2 * len(texts) / len(sample)
    return {
        "files": report.added,
        "chunks": report.texts,
        "tokens": report.tokens,
        "bare_seconds_on_a_quarter": [round(before, 1), round(after, 1)],
        "pipeline_seconds": round(seconds, 1),
        "chunks_per_second": round(report.texts / seconds, 1),
        "ratio_to_bare": round(embedding / seconds, 3),
        "first_hit_by_words_seconds": round(first_hit, 2),
    }


def memory(source: Path) -> dict[str, Any]:
    """Return the peak memory of indexing 200 MB of text, in MB, of the largest process of each."""
    with tempfile.TemporaryDirectory() as home:
        docs = Path(home) / "docs"
        docs.mkdir()
        texts = [p.read_text(errors="replace") for p in source.rglob("*.txt")]
        written, copy = 0, 0
        while written < MEMORY_TEXT_BYTES:
            for n, text in enumerate(texts):
                lines = (f"{line} ({copy})" if line else "" for line in text.split("\n"))
                written += (docs / f"{copy}-{n}.txt").write_text("\n".join(lines))
            copy += 1
        run = subprocess.run(
            [sys.executable, "-c", MEMORY, str(Path(home) / "index"), str(docs)],
            capture_output=True,
            text=True,
            check=True,
        )
        chunks, own, worker = map(int, run.stdout.split())
    return {
        "text_mb": round(written / 1e6),
        "chunks": chunks,
        "peak_mb": own,
        "largest_worker_peak_mb": worker,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--small", type=Path, required=True)
    arguments = parser.parse_args()
    result = {
        "taking_in": [take_in(folder) for folder in arguments.texts],
        "memory": memory(arguments.texts[0]),
        "pipeline": pipeline(arguments.small),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

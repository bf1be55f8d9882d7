"""What the client costs: CPU and memory a batch of 2,048 x 1,536 as base64, the first request, and
100,000 texts from a server that takes 150 ms, by the client and into an index; the official SDK beside it.

Every figure comes from a process of its own; the server is another one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from embedding_server import serving

if TYPE_CHECKING:
    from collections.abc import Callable

TEXTS = [f"text number {n}" for n in range(2048)]
MODEL = "text-embedding-3-small"
ROUNDS = 5
CONCURRENT = 16
MANY, MOST, LATENCY = 100_000, 256, 0.15
"""Texts of a long run, how many the server takes at a time, and the seconds it takes for it."""


def cpu() -> float:
    """Return the CPU seconds of this process, its threads and the kernel's share included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def one(side: str, url: str) -> Callable[[], object]:
    """Return a call of one batch by the blocking client."""
    if side == "embedsearch":
        from embedsearch import Client

        ours = Client(api_key="k", base_url=url)
        return lambda: ours.embeddings.create_array(TEXTS, model=MODEL)
    from openai import OpenAI

    theirs = OpenAI(api_key="k", base_url=url)
    return lambda: theirs.embeddings.create(input=TEXTS, model=MODEL)


def blocking(side: str, url: str) -> dict[str, Any]:
    call = one(side, url)
    call()
    taken = []
    for _ in range(ROUNDS):
        begin = cpu()
        call()
        taken.append(cpu() - begin)
    return {"cpu_ms": round(1000 * statistics.median(taken))}


def threads(side: str, url: str) -> dict[str, Any]:
    """Run 16 batches on 16 threads."""
    call = one(side, url)
    call()
    begin = cpu()
    running = [threading.Thread(target=call) for _ in range(CONCURRENT)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return {"cpu_ms": round(1000 * (cpu() - begin) / CONCURRENT), "peak_mb": peak_mb()}


def awaiting(side: str, url: str) -> dict[str, Any]:
    """Run 16 batches as 16 tasks."""
    return asyncio.run(_awaiting(side, url))


async def _awaiting(side: str, url: str) -> dict[str, Any]:
    call: Callable[[], Any]
    if side == "embedsearch":
        from embedsearch import AsyncClient

        ours = AsyncClient(api_key="k", base_url=url)
        call = lambda: ours.embeddings.create_array(TEXTS, model=MODEL)  # noqa: E731
    else:
        from openai import AsyncOpenAI

        theirs = AsyncOpenAI(api_key="k", base_url=url)
        call = lambda: theirs.embeddings.create(input=TEXTS, model=MODEL)  # noqa: E731
    await call()
    taken = []
    for _ in range(ROUNDS):
        begin = cpu()
        await asyncio.gather(*(call() for _ in range(CONCURRENT)))
        taken.append((cpu() - begin) / CONCURRENT)
    return {"cpu_ms": round(1000 * statistics.median(taken)), "peak_mb": peak_mb()}


FIRST = {
    "embedsearch": "from embedsearch import Client; Client(api_key='k', base_url={url!r}).models.list()",
    "embedsearch, an array": "from embedsearch import Client; "
    "Client(api_key='k', base_url={url!r}).embeddings.create_array(['a'], model='m')",
    "openai": "from openai import OpenAI; OpenAI(api_key='k', base_url={url!r}).models.list()",
    "openai, an embedding": "from openai import OpenAI; "
    "OpenAI(api_key='k', base_url={url!r}).embeddings.create(input=['a'], model='m')",
    "nothing": "pass",
}


def first_requests(url: str) -> dict[str, int]:
    """Return the CPU milliseconds of a program that imports a client and sends one request."""
    taken: dict[str, list[float]] = {name: [] for name in FIRST}
    for _ in range(ROUNDS):
        for name, code in FIRST.items():
            process = subprocess.Popen([sys.executable, "-c", code.format(url=url)])
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = status
            if status:
                raise SystemExit(f"{name} failed")
            taken[name].append(used.ru_utime + used.ru_stime)
    return {name: round(1000 * statistics.median(times)) for name, times in taken.items()}


def stream(_: str, url: str) -> dict[str, Any]:
    """Embed many texts with many requests in flight, by the client alone."""
    from embedsearch import Client

    client = Client(api_key="k", base_url=url)
    client.embeddings.create_array(TEXTS[:MOST], model=MODEL)

    def run() -> int:
        texts = (f"text number {n}" for n in range(MANY))
        parts = client.embeddings.create_many(texts, model=MODEL, batch_size=MOST)
        return sum(len(part.positions) for part in parts)

    return timed(run)


def index(_: str, url: str) -> dict[str, Any]:
    """Embed as many by an `APIEmbedder` into an index: scanned, noted, committed and searchable."""
    from tempfile import TemporaryDirectory

    from embedsearch import Client, Document, Index
    from embedsearch.embedders.api import APIEmbedder

    embedder = APIEmbedder(MODEL, client=Client(api_key="k", base_url=url))
    embedder.embed(TEXTS)  # The server's cap on inputs is learned.
    with TemporaryDirectory() as folder, Index.open(folder, embedder) as opened:
        rows = (Document(f"{n}", f"text number {n}, another") for n in range(MANY))
        opened.add(rows, embed=False)
        return timed(lambda: opened.embed_pending().texts)


def timed(run: Callable[[], int]) -> dict[str, Any]:
    """Time a run, beside what its requests take at the least."""
    begin, used = time.perf_counter(), cpu()
    embedded = run()
    seconds = time.perf_counter() - begin
    limit = math.ceil(MANY / MOST / CONCURRENT) * LATENCY
    return {
        "texts": embedded,
        "seconds": round(seconds, 2),
        "limit_seconds": round(limit, 2),
        "ratio": round(seconds / limit, 2),
        "cpu_seconds": round(cpu() - used, 2),
    }


TASKS = {
    "blocking": blocking,
    "threads": threads,
    "awaiting": awaiting,
    "stream": stream,
    "index": index,
}


def apart(task: str, side: str, url: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--task", task, "--side", side, "--url", f"{url}/v1"]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(run.stdout))


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--task", "--side", "--url"):
        parser.add_argument(name)
    given = parser.parse_args()
    if given.task:
        print(json.dumps(TASKS[given.task](given.side, given.url)))
        return
    results: dict[str, Any] = {}
    with serving(1536) as url:
        for side in ("embedsearch", "openai"):
            results[side] = {
                task: apart(task, side, url) for task in ("blocking", "threads", "awaiting")
            }
        results["first_request_cpu_ms"] = first_requests(f"{url}/v1")
    with serving(1536, LATENCY, most=MOST) as url:
        for task in ("stream", "index"):
            results[task] = apart(task, "embedsearch", url)
    firsts = results["first_request_cpu_ms"]
    results["first_request_ratio"] = round(firsts["embedsearch"] / firsts["openai"], 2)
    results["memory_ratio"] = round(
        results["embedsearch"]["awaiting"]["peak_mb"] / results["openai"]["awaiting"]["peak_mb"], 2
    )
    print(json.dumps(results))


if __name__ == "__main__":
    main()

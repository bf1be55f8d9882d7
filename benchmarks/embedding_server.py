"""A server of embeddings for the client's benchmarks: one process, little work of its own.

    python embedding_server.py --dimensions 1536 --latency 0.15 --limit bucket

prints its port. ``GET /stats`` tells what it took and refused; ``--limit`` names a model of
``tests/rate_models.py`` for 50,000 tokens a second.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

RATE = 50_000
SECONDS = 60
"""Over which is counted, from the first request on."""


def limits() -> dict[str, Any]:
    from rate_models import Bucket, Slices, SlidingWindow

    return {
        "bucket": lambda: Bucket(RATE, RATE),
        "failures charged": lambda: Bucket(RATE, RATE, charges_failures=True),
        "sliding window": lambda: SlidingWindow(10 * RATE, 10),
        "slices of a second": lambda: Slices(RATE),
        "no headers": lambda: Bucket(RATE, RATE, silent=True),
    }


def ideal(limit: str) -> int:
    """Return the tokens that a server lets through in the time, at most."""
    full_at_first = limit in {"bucket", "failures charged", "no headers"}
    return RATE * (SECONDS + full_at_first)


@cache
def body(count: int, dimensions: int, encoded: bool) -> bytes:  # noqa: FBT001
    import numpy as np

    rows = np.random.default_rng(0).standard_normal((count, dimensions)).astype("<f4")
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": base64.b64encode(row.tobytes()).decode() if encoded else row.tolist(),
        }
        for index, row in enumerate(rows)
    ]
    usage = {"prompt_tokens": count, "total_tokens": count}
    reply = {"object": "list", "data": data, "model": "text-embedding-3-small", "usage": usage}
    return json.dumps(reply).encode()


class Server:
    def __init__(self, dimensions: int, latency: float, limit: str | None, most: int) -> None:
        self.dimensions, self.latency, self.most = dimensions, latency, most
        self.limit = limits()[limit]() if limit else None
        self.began: float | None = None
        self.stats = {"requests": 0, "refused": 0, "tokens": 0}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = head.partition("content-length:")[2].split("\r\n")[0].strip()
                content = await reader.readexactly(int(length or 0))
                status, headers, reply = await self.reply(head.split()[1], content)
                lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                start = f"HTTP/1.1 {status} -\r\ncontent-type: application/json\r\n{lines}"
                writer.write(f"{start}content-length: {len(reply)}\r\n\r\n".encode())
                writer.write(reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def reply(self, path: str, content: bytes) -> tuple[int, dict[str, str], bytes]:
        if path == "/stats":
            return 200, {}, json.dumps(self.stats).encode()
        if path == "/v1/models":
            return 200, {}, b'{"object": "list", "data": []}'
        return await self.embed(json.loads(content))

    async def embed(self, asked: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        now = time.monotonic()
        self.began = self.began or now
        # Some clients send one text bare, or token ids: four characters or one id are a token.
        texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        if len(texts) > self.most:
            return 400, {}, b'{"error": {"message": "at most %d inputs"}}' % self.most
        tokens = sum(len(text) // 4 if isinstance(text, str) else len(text) for text in texts)
        passes, headers = (
            self.limit.take(now - self.began, tokens) if self.limit else (True, dict[str, str]())
        )
        self.count(tokens, now - self.began, passes=passes)
        if not passes:
            error = {
                "message": "Rate limit reached",
                "type": "tokens",
                "code": "rate_limit_exceeded",
            }
            return 429, headers, json.dumps({"error": error}).encode()
        if self.latency:
            await asyncio.sleep(self.latency)
        encoded = asked.get("encoding_format") == "base64"
        return 200, headers, body(len(texts), asked.get("dimensions") or self.dimensions, encoded)

    def count(self, tokens: int, seconds: float, *, passes: bool) -> None:
        self.stats["requests"] += 1
        self.stats["refused"] += not passes
        if passes and seconds < SECONDS:
            self.stats["tokens"] += tokens


async def run(server: Server) -> None:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=2**26)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


@contextmanager
def serving(
    dimensions: int, latency: float = 0.0, limit: str | None = None, *, most: int = 2048
) -> Iterator[str]:
    """Run the server in a process of its own; gives its root address."""
    options = ["--dimensions", str(dimensions), "--latency", str(latency)]
    options += ["--most", str(most), *(["--limit", limit] if limit else [])]
    process = subprocess.Popen(
        [sys.executable, __file__, *options], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None  # noqa: S101
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def stats(url: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/stats") as reply:  # noqa: S310
        return dict(json.load(reply))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dimensions", type=int, default=1536)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--limit", default=None)
    parser.add_argument("--most", type=int, default=2048)
    given = parser.parse_args()
    asyncio.run(run(Server(given.dimensions, given.latency, given.limit, given.most)))


if __name__ == "__main__":
    main()

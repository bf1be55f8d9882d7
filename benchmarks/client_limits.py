"""What a rate limit leaves of a minute: batches of 6,250 tokens by 16 workers, each side beside
servers that let 50,000 tokens a second through, each in their own way.

Each side has a server of its own; ours run at once, then the others.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from embedding_server import RATE, SECONDS, ideal, limits, serving, stats

if TYPE_CHECKING:
    from collections.abc import Callable

WORKERS = 16
LATENCY = 0.15
TEXT = "word " * 5000
"""25,000 characters: 6,250 tokens, as the server counts."""


def embedsearch(url: str) -> Callable[[], object]:
    from embedsearch import Client

    client = Client(api_key="k", base_url=f"{url}/v1")
    return lambda: client.embeddings.create_array([TEXT], model="m")


def openai(url: str, max_retries: int) -> Callable[[], object]:
    from openai import OpenAI

    client = OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=max_retries)
    return lambda: client.embeddings.create(input=[TEXT], model="m")


def langchain(url: str) -> Callable[[], object]:
    from langchain_openai import OpenAIEmbeddings

    embedder = OpenAIEmbeddings(
        api_key="k", base_url=f"{url}/v1", model="m", check_embedding_ctx_length=False
    )
    return lambda: embedder.embed_documents([TEXT])


def llama_index(url: str) -> Callable[[], object]:
    from llama_index.embeddings.openai import OpenAIEmbedding

    embedder = OpenAIEmbedding(api_key="k", api_base=f"{url}/v1", model_name="m")
    return lambda: embedder.get_text_embedding_batch([TEXT])


SIDES: dict[str, Callable[[str], Callable[[], object]]] = {
    "embedsearch": embedsearch,
    "openai, 2 retries": lambda url: openai(url, 2),
    "openai, 10 retries": lambda url: openai(url, 10),
    "langchain-openai": langchain,
    "llama-index": llama_index,
}


def work(side: str, url: str) -> dict[str, int]:
    """Send for a minute; count the batches that came back and those that raised."""
    send = SIDES[side](url)
    done, lost = [], []
    end = time.monotonic() + SECONDS

    def run() -> None:
        while time.monotonic() < end:
            try:
                send()
            except Exception as error:  # noqa: BLE001 - each side has errors of its own
                lost.append(type(error).__name__)
            else:
                done.append(1)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        # Who still retries long after the end has lost nothing yet, but counts no more.
        thread.join(max(end + 5 - time.monotonic(), 0))
    return {"batches": len(done), "lost": len(lost)}


def measure(side: str, limit: str) -> dict[str, Any]:
    with serving(8, LATENCY, limit) as url:
        command = [sys.executable, __file__, "--side", side, "--url", url]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        seen = stats(url)
    return {
        "side": side,
        "server": limit,
        **json.loads(run.stdout),
        "refused": seen["refused"],
        "share_of_ideal": round(seen["tokens"] / ideal(limit), 3),
    }


def installed(side: str) -> bool:
    module = {"langchain-openai": "langchain_openai", "llama-index": "llama_index"}
    name = module.get(side, side.split(",", maxsplit=1)[0])
    found = subprocess.run(
        [sys.executable, "-c", f"import {name}"], capture_output=True, check=False
    )
    return found.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--side")
    parser.add_argument("--url")
    given = parser.parse_args()
    if given.side:
        print(json.dumps(work(given.side, given.url)))
        return
    sides = [side for side in SIDES if installed(side)]
    others = [side for side in sides if side != "embedsearch"]
    # Apart, as sides that try again and again take the CPU from those that wait.
    waves = [
        [("embedsearch", limit) for limit in limits()],
        [(side, "bucket") for side in others]
        + [(side, "failures charged") for side in others if side.endswith(("10 retries", "index"))],
    ]
    runs = []
    for wave in waves:
        with ThreadPoolExecutor(len(wave)) as pool:
            runs += list(pool.map(lambda pair: measure(*pair), wave))
    print(json.dumps({"tokens_per_second": RATE, "seconds": SECONDS, "runs": runs}))


if __name__ == "__main__":
    main()

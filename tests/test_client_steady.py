"""Forms and queries, judged by a mock server that is made from the specification.

Needs ``steady`` on the path: ``npm install --global @stdy/cli``.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from operations import OPERATIONS, Operation, spec

from embedsearch import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

STEADY = shutil.which("steady")
BRACKETS = [
    f"--validator-{where}-{kind}-format=brackets"
    for where in ("query", "form")
    for kind in ("array", "object")
]

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(STEADY is None, reason="steady is not installed"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("spec") / "spec.json"
    path.write_text(json.dumps(spec()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [str(STEADY), "--host", "127.0.0.1", "-p", port, *BRACKETS, str(path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            yield awaited(f"http://127.0.0.1:{port}")
        finally:
            server.terminate()


def awaited(url: str) -> str:
    """Give the address when the server listens."""
    for _ in range(200):
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return url
    raise TimeoutError(url)


# Steady does not put an object together that is one of several types; the SDK sends it as we do.
JUDGED = [o for o in OPERATIONS if o.in_spec and "chunking_strategy" not in o.arguments]


@pytest.mark.parametrize("operation", JUDGED, ids=lambda op: f"{op}-{op.spec}")
def test_a_server_made_from_the_specification_accepts(operation: Operation, url: str) -> None:
    faults: list[str] = []

    def look(response: httpx.Response) -> None:
        response.read()
        faults.append(f"{response.status_code} {response.text[:2000]}")

    with httpx.Client(event_hooks={"response": [look]}) as http:
        client = Client(base_url=url, api_key="k", http_client=http, max_retries=0)
        operation.on(client.with_raw_response)
    assert [fault for fault in faults if not fault.startswith("2")] == []

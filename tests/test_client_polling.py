"""Waiting for what a server works on, beside the SDK."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from openai import AsyncOpenAI, OpenAI
from recording import Recorded, Reply, Server, serving

from embedsearch import AsyncClient, Client
from embedsearch.errors import TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STORE: dict[str, Any] = {"vector_store_id": "vs_1"}
CHUNKING = {"type": "static", "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 9}}
NAMED: dict[str, Any] = {"file": ("n.txt", b"abc"), "chunking_strategy": CHUNKING}

WAITS: dict[str, Callable[[Any], Any]] = {
    "file": lambda c: c.vector_stores.files.poll("f_1", **STORE),
    "file every ms": lambda c: c.vector_stores.files.poll("f_1", **STORE, poll_interval_ms=1),
    "file created": lambda c: c.vector_stores.files.create_and_poll(
        "f_1", **STORE, attributes={"a": 1}, chunking_strategy=CHUNKING
    ),
    "file uploaded": lambda c: c.vector_stores.files.upload_and_poll(**STORE, **NAMED),
    "batch": lambda c: c.vector_stores.file_batches.poll("b_1", **STORE),
    "batch created": lambda c: c.vector_stores.file_batches.create_and_poll(
        "vs_1", file_ids=["f_1"], poll_interval_ms=1
    ),
    "batch uploaded": lambda c: c.vector_stores.file_batches.upload_and_poll(
        "vs_1", files=[b"a", ("b.txt", b"b")], file_ids=["f_0"], chunking_strategy=CHUNKING
    ),
}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def working(server: Server, *statuses: str, every: str = "1") -> None:
    """Let what is asked for have one status after the other, and what is sent be new."""
    coming = iter(statuses)
    told = {"content-type": "application/json", "openai-poll-after-ms": every}

    def reply(seen: Recorded) -> Reply:
        status = next(coming) if seen.method == "GET" else "in_progress"
        counts = {"in_progress": int(status == "in_progress"), "total": 1}
        file = {"id": "id_1", "status": status, "file_counts": counts}
        return Reply(json.dumps(file).encode(), headers=told)

    server.reply = reply


def asked(server: Server) -> list[Any]:
    """Give what was asked for, files that went at once in one order; and forget it."""
    seen = [request.essence for request in server.seen]
    server.seen.clear()
    return sorted(seen[:-4], key=lambda e: str(e["body"])) + seen[-4:]


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS.keys())
def test_waits_as_the_sdk_does(wait: Callable[[Any], Any], server: Server) -> None:
    account: dict[str, Any] = {"base_url": server.url, "api_key": "k", "max_retries": 0}

    async def awaited(client: Any) -> Any:
        async with client:
            return await wait(client)

    found = []
    for kind in (OpenAI, Client, AsyncOpenAI, AsyncClient):
        working(server, "in_progress", "in_progress", "failed")
        client: Any = kind(**account)
        done = wait(client) if kind in {OpenAI, Client} else asyncio.run(awaited(client))
        found.append((asked(server), done.to_dict()))
        if kind in {OpenAI, Client}:
            client.close()
    assert found == [found[0]] * 4
    assert found[0][1]["status"] == "failed"


def test_a_file_is_waited_for(server: Server) -> None:
    for kind in (OpenAI, Client):
        working(server, "uploaded", "processed")
        client: Any = kind(base_url=server.url, api_key="k")
        with client:
            assert client.files.wait_for_processing("f", poll_interval=0.01).status == "processed"
        assert len(asked(server)) == 2


def test_uploads_and_adds_as_the_sdk_does(server: Server) -> None:
    working(server)
    for kind in (OpenAI, Client):
        client: Any = kind(base_url=server.url, api_key="k")
        with client:
            assert client.vector_stores.files.upload(**STORE, **NAMED).id == "id_1"
    seen = [request.essence for request in server.seen]
    assert seen[:2] == seen[2:]


def test_what_is_added_to_a_request_is_added_to_each(server: Server) -> None:
    working(server, "in_progress", "completed")
    with Client(base_url=server.url) as client:
        client.vector_stores.files.create_and_poll(
            "f_1", **STORE, extra_headers={"x-a": "b"}, extra_body={"x": 1}
        )
    assert [seen.headers["x-a"] for seen in server.seen] == ["b"] * 3
    assert [seen.content for seen in server.seen] == [{"file_id": "f_1", "x": 1}, None, None]


def test_none_is_not_given(server: Server) -> None:
    working(server, "in_progress", "completed")
    none: Any = {"poll_interval_ms": None, "max_wait_seconds": None, "file_ids": None}
    with Client(base_url=server.url) as client:
        client.vector_stores.file_batches.upload_and_poll("vs_1", files=[b"a"], **none)
    (added,) = (seen.content for seen in server.seen if seen.path.endswith("/file_batches"))
    assert added == {"file_ids": ["id_1"]}


def test_does_not_wait_for_ever(server: Server) -> None:
    working(server, *["in_progress"] * 99, every="20")
    said = "^/vector_stores/vs_1/files/f_1 is 'in_progress' after 0.05 seconds$"
    with Client(base_url=server.url) as client, pytest.raises(TimedOut, match=said):
        client.vector_stores.files.poll("f_1", **STORE, max_wait_seconds=0.05)
    assert 1 < len(server.seen) < 5
    with Client(base_url=server.url) as client, pytest.raises(TypeError, match="one answer"):
        client.vector_stores.with_raw_response.files.poll("f_1", **STORE)

"""Streams: events cut anywhere, streams that break off, and leaving before the end."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recording import Recorded, Reply, Server, serving

from embedsearch import AsyncClient, Client
from embedsearch.client.limiter import Limiter
from embedsearch.client.sse import Decoder, ServerSentEvent
from embedsearch.errors import APIError, ConnectionFailed, InvalidAnswer, RateLimited, TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

SSE = {"content-type": "text/event-stream"}
ASKED: dict[str, Any] = {"model": "m", "messages": [], "stream": True}


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running.seen.clear()
    return running


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(base_url=server.url, api_key="k", max_retries=0) as opened:
        yield opened


def sent(event: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def piece(text: str, **more: Any) -> bytes:
    return sent({"choices": [{"index": 0, "delta": {"content": text}, **more}]})


def texts(client: Client) -> Iterator[str | None]:
    for chunk in client.chat.completions.create(**ASKED):
        yield chunk.choices[0].delta.content


def collected(client: Client) -> tuple[list[str | None], str]:
    """Read until something goes wrong; give what came before, and what went wrong."""
    got: list[str | None] = []
    try:
        got.extend(texts(client))
    except (APIError, ConnectionFailed) as error:
        return got, str(error)
    return got, ""


async def acollected(client: AsyncClient) -> tuple[list[str | None], str]:
    got: list[str | None] = []
    try:
        stream = await client.chat.completions.create(**ASKED)
        async for chunk in stream:
            got.append(chunk.choices[0].delta.content)  # noqa: PERF401 - what came is kept
    except (APIError, ConnectionFailed) as error:
        return got, str(error)
    return got, ""


# The decoder

FIELDS = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1)


@given(
    st.lists(st.tuples(FIELDS, st.sampled_from(["", "delta"])), min_size=1, max_size=5),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.integers(1, 9), min_size=1),
)
def test_events_are_the_same_wherever_they_are_cut(
    events: list[tuple[str, str]], end: str, sizes: list[int]
) -> None:
    lines = [f"event: {name}{end}data: {data}{end}: hi{end}{end}" for data, name in events]
    content = ("\ufeff" + "".join(lines)).encode()
    decoder = Decoder()
    found: list[ServerSentEvent] = []
    start = 0
    while start < len(content):
        size = sizes[start % len(sizes)]
        found += decoder.feed(content[start : start + size])
        start += size
    assert found == [ServerSentEvent(data, name) for data, name in events]
    assert decoder.rest == ""


def test_lines_of_data_are_joined_and_unknown_fields_ignored() -> None:
    content = b"id: 1\nretry: 2\ndata: a\ndata:b\ndata\n\nevent: lonely\n\ndata: c"
    decoder = Decoder()
    assert list(decoder.feed(content)) == [ServerSentEvent("a\nb\n", "")]
    assert decoder.rest == "c"


def test_an_event_has_an_end() -> None:
    decoder = Decoder(largest=100)
    for content in (b"data: %s\n\n" % (b"a" * 80), b": note\n\n", b"data: b\n\ndata: c"):
        for _ in range(9):
            list(decoder.feed(content))
    for line in (b"<p>", b"data: <p>\n", b"\n", b": note\n\n"):
        decoder = Decoder(largest=100)
        with pytest.raises(ValueError, match=r"^no event ends within 100 bytes$"):
            deque((event for _ in range(101) for event in decoder.feed(line)), maxlen=0)


# Streams


def test_events_come_as_they_are_sent(client: Client, server: Server) -> None:
    arrived = threading.Event()

    def body() -> Iterator[bytes]:
        yield piece("a")
        assert arrived.wait(5)
        yield piece("b") + b"data: [DONE]\n\n"

    server.reply = Reply(body(), headers=SSE)
    stream = texts(client)
    assert next(stream) == "a"
    arrived.set()
    assert list(stream) == ["b"]
    assert server.seen[0].content == {"model": "m", "messages": [], "stream": True}


BROKEN = {
    "cut": (Reply([piece("a"), piece("b")[:9]], headers=SSE, cut=True), "no answer from 127.0.0.1"),
    "torn": (Reply([piece("a"), piece("b")[:9]], headers=SSE), "in the middle of an event"),
    "ended": (Reply([piece("a", finish_reason="")], headers=SSE), "did not say that it ended"),
    "nonsense": (Reply([piece("a"), b"data: {]\n\n"], headers=SSE), "not what was asked for"),
    "list": (Reply([piece("a"), b"data: []\n\n"], headers=SSE), "expected an object, got list"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_stream_that_breaks_off_says_so_after_what_came(
    client: Client, server: Server, how: str
) -> None:
    server.reply, message = BROKEN[how]
    got, said = collected(client)
    assert got == ["a"]
    assert message in said

    async def gather() -> tuple[list[str | None], str]:
        async with AsyncClient(base_url=server.url, api_key="k") as awaiting:
            return await acollected(awaiting)

    assert asyncio.run(gather()) == (got, said)
    assert len(server.seen) == 2, "what was read in part is not asked for again"


@pytest.mark.parametrize("page", [b"<html>\n\n<p>Hello</html>", b"<html>\n\nHello\n"])
def test_a_page_is_no_stream(client: Client, server: Server, page: bytes) -> None:
    server.reply = Reply(page, headers={"content-type": "text/html"})
    with pytest.raises(InvalidAnswer, match="no events, but text/html"):
        list(texts(client))


def test_a_server_that_does_not_stream_is_told_by_its_json(client: Client, server: Server) -> None:
    server.says({"choices": [{"message": {"content": "a"}}]})
    with pytest.raises(InvalidAnswer, match=r"no events, but application/json: ") as caught:
        list(texts(client))
    assert (caught.value.hint or "").endswith("or no --stream; in Python: stream=False")
    assert caught.value.body == '{"choices": [{"message": {"content": "a"}}]}', "it was paid for"


def test_an_error_in_the_place_of_a_stream_is_the_error_that_it_names(
    client: Client, server: Server
) -> None:
    server.says({"error": {"message": "slow down", "code": 429}})
    with pytest.raises(RateLimited, match=r"^429: slow down$"):
        list(texts(client))


def test_the_last_word_needs_no_empty_line(client: Client, server: Server) -> None:
    server.streams(piece("a"), b"data: [DONE]")
    with client.chat.completions.create(model="m", messages=[], stream=True) as stream:
        assert (len(list(stream)), stream.done) == (1, True)


def test_an_error_within_a_stream_is_the_error_that_it_names(
    client: Client, server: Server
) -> None:
    server.streams(b'data: {"error": {"message": "full", "code": 429}}\n\n')
    with pytest.raises(RateLimited, match="429: full"):
        list(texts(client))
    server.streams(piece("a"), b'error: {"message": "too large", "code": 500, "type": "x"}\n\n')
    assert collected(client) == (["a"], "500: too large"), "llama.cpp"
    server.streams(b'event: error\ndata: {"message": "no", "type": "server_error"}\n\n')
    with pytest.raises(APIError, match=r"^no$"):
        list(texts(client))
    server.streams(b"data: nonsense\n\n")
    with pytest.raises(InvalidAnswer, match="'nonsense'"):
        list(texts(client))


def test_a_stream_without_done_ends(client: Client, server: Server) -> None:
    server.streams(piece("a", finish_reason="stop"), b": keep-alive\n\n", b"\n\n")
    assert list(texts(client)) == ["a"]


DELTA = {"type": "response.output_text.delta", "delta": "a"}
STARTED = {"type": "response.created", "response": {"id": "r", "output": []}}
TEXT = {"choices": [{"text": "a"}]}
ENDS: dict[str, tuple[str, list[dict[str, Any]], bool]] = {
    "usage": ("completions", [TEXT, {"choices": [], "usage": {}}], True),
    "length": (
        "completions",
        [TEXT, {"choices": [{"text": "", "finish_reason": "length"}]}],
        False,
    ),
    "delta": ("responses", [STARTED, DELTA], True),
    "failed": ("responses", [STARTED, {**STARTED, "type": "response.failed"}], False),
    "error": ("responses", [STARTED, {"type": "error", "message": "full"}], False),
    "picture": ("images", [{"type": "image_generation.partial_image"}], False),
}


@pytest.mark.parametrize("how", ENDS)
def test_where_an_answer_tells_its_end_no_other_end_will_do(
    client: Client, server: Server, how: str
) -> None:
    family, events, is_cut = ENDS[how]
    server.streams(*map(sent, events))
    resource = getattr(client, family)
    create = resource.generate if family == "images" else resource.create
    asked = {"input": "a"} if family == "responses" else {"prompt": "a"}
    got = []
    try:
        for event in create(model="m", **asked, stream=True):
            got.append(event.to_dict())  # noqa: PERF401 - what came is kept
    except ConnectionFailed as error:
        got.append(str(error))
    cut = "the answer broke off: the server did not say that it ended"
    assert got == [*events, *([cut] if is_cut else [])]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_stream_may_end_without_an_empty_line(client: Client, server: Server, end: bytes) -> None:
    server.streams(piece("a"), b"data: [DONE]" + end)
    assert list(texts(client)) == ["a"]


def test_a_refusal_of_a_stream_is_an_error(client: Client, server: Server) -> None:
    server.says({"error": {"message": "too fast"}}, status=429)
    with pytest.raises(RateLimited, match="too fast"):
        next(texts(client))


# Leaving early


class Endless:
    """A reply that goes on until the other side hangs up."""

    def __init__(self) -> None:
        self.hung_up = threading.Event()

    def __call__(self, _: Recorded) -> Reply:
        return Reply(self._pieces(), headers=SSE)

    def _pieces(self) -> Iterator[bytes]:
        try:
            while True:
                yield piece("x" * 10_000)
                time.sleep(0.005)
        finally:
            self.hung_up.set()


def test_leaving_a_stream_hangs_up(client: Client, server: Server) -> None:
    server.reply = endless = Endless()
    with client.chat.completions.create(**ASKED) as stream:
        next(stream)
    assert endless.hung_up.wait(5)
    server.says({"id": "a"})
    assert client.models.retrieve("a").id == "a"


def test_leaving_an_awaited_stream_hangs_up(server: Server) -> None:
    server.reply = endless = Endless()

    async def leave() -> None:
        async with AsyncClient(base_url=server.url, api_key="k") as client:
            async with await client.chat.completions.create(**ASKED) as stream:
                await anext(stream)
            assert await asyncio.to_thread(endless.hung_up.wait, 5)

    asyncio.run(leave())


def test_cancelling_a_task_hangs_up(server: Server) -> None:
    server.reply = endless = Endless()

    async def cancel() -> str:
        async with AsyncClient(base_url=server.url, api_key="k") as client:
            task = asyncio.create_task(acollected(client))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(endless.hung_up.wait, 5)
            server.says({"id": "a"})
            return (await client.models.retrieve("a")).id

    assert asyncio.run(cancel()) == "a"


def test_cancelling_a_task_that_waits_to_try_again_ends_it(server: Server) -> None:
    server.reply = Reply(status=429, headers={"retry-after": "60"})

    async def cancel() -> float:
        async with AsyncClient(base_url=server.url, api_key="k") as client:
            started = time.monotonic()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.models.retrieve("a"), 0.2)
            return time.monotonic() - started

    assert asyncio.run(cancel()) < 2
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("ask", "model"),
    [
        (lambda client: client.models.retrieve("a"), ""),
        (lambda client: client.embeddings.create_array(["a"], model="m"), "m"),
    ],
    ids=["a request", "embedding work"],
)
def test_who_is_cancelled_leaves_the_limiter(
    server: Server, ask: Callable[[AsyncClient], Coroutine[Any, Any, object]], model: str
) -> None:
    asked, over = threading.Event(), threading.Event()

    def hang(_: Recorded) -> Reply:
        asked.set()
        over.wait(10)
        return Reply()

    async def cancel() -> float:
        # Time stands still, so that the first request goes alone for ever.
        limiter = Limiter(lambda: 0.0)
        async with AsyncClient(base_url=server.url, api_key="k", limiter=limiter) as client:
            flying = asyncio.create_task(ask(client))
            await asyncio.to_thread(asked.wait, 10)
            queued = asyncio.create_task(ask(client))
            await asyncio.sleep(0.05)
            lane = f"{server.url} {model}"
            assert limiter.wait(limiter.reserve(0, lane)) > 0
            for task in (flying, queued):
                task.cancel()
            await asyncio.gather(flying, queued, return_exceptions=True)
            over.set()
            return limiter.wait(limiter.reserve(0, lane))

    server.reply = hang
    assert asyncio.run(cancel()) == 0
    assert len(server.seen) == 1


def test_streams_share_a_connection(server: Server) -> None:
    server.streams(piece("a"), b"data: [DONE]\n\n", b": one comment more\n\n")
    before = server.connections
    with Client(base_url=server.url, api_key="k") as client:
        assert [list(texts(client)) for _ in range(5)] == [["a"]] * 5
    assert server.connections == before + 1


def test_awaited_streams_share_a_connection(server: Server) -> None:
    async def five() -> list[tuple[list[str | None], str]]:
        async with AsyncClient(base_url=server.url, api_key="k") as client:
            return [await acollected(client) for _ in range(5)]

    server.streams(piece("a"), b"data: [DONE]\n\n", b": one comment more\n\n")
    before = server.connections
    assert asyncio.run(five()) == [(["a"], "")] * 5
    assert server.connections == before + 1


@pytest.mark.parametrize("kind", ["late", "endless"])
def test_what_follows_the_last_event_is_not_waited_for(server: Server, kind: str) -> None:
    over = threading.Event()

    def body() -> Iterator[bytes]:
        yield piece("a") + b"data: [DONE]\n\n"
        while not over.wait(5 if kind == "late" else 0.02):
            yield b": nothing new\n\n"

    async def one() -> tuple[list[str | None], str]:
        async with AsyncClient(base_url=server.url, api_key="k") as client:
            return await acollected(client)

    def timed(read: Callable[[], tuple[list[str | None], str]]) -> float:
        server.reply = Reply(body(), headers=SSE)
        began = time.monotonic()
        assert read() == (["a"], "")
        return time.monotonic() - began

    with Client(base_url=server.url, api_key="k") as client:
        assert timed(lambda: collected(client)) < 1
    assert timed(lambda: asyncio.run(one())) < 1
    over.set()


def test_a_stream_that_stalls_times_out_after_what_came(server: Server) -> None:
    over = threading.Event()

    def stall() -> Iterator[bytes]:
        yield piece("a")
        over.wait(10)

    server.reply = Reply(stall(), headers=SSE)
    with Client(base_url=server.url, api_key="k", timeout=0.2) as client:
        stream = client.chat.completions.create(**ASKED)
        assert next(stream).choices[0].delta.content == "a"
        with pytest.raises(TimedOut, match=rf"^no answer from {server.url[7:]}: ReadTimeout"):
            next(stream)
    over.set()
    assert len(server.seen) == 1, "what came is not asked for again"

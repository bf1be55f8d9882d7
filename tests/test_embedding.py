"""Embedding many texts, by both clients, from a server that misbehaves."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import numpy as np
import pytest
from fault_server import (
    FaultServer,
    answer,
    refused,
    replied,
    reset,
    serve,
    slow,
    torn,
    vector,
)
from rate_models import Bucket

from embedsearch import AsyncClient, Client
from embedsearch.client.quirks import named_cap
from embedsearch.client.stopping import Stop
from embedsearch.errors import (
    AuthenticationFailed,
    BadRequest,
    ConnectionFailed,
    DimensionMismatch,
    InputRefused,
    InvalidAnswer,
    NotFound,
    RateLimited,
    ServerError,
    TimedOut,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from embedsearch.client.arrays import Vectors
    from embedsearch.client.job import Embedded

KEY = "sk-not-a-key"


class Embeds(Protocol):
    """Either client, as a blocking one."""

    def array(self, texts: Iterable[str], **params: Any) -> Vectors: ...
    def many(self, texts: Iterable[str], **params: Any) -> list[Embedded]: ...
    def each(self, texts: Iterable[str], kept: list[Embedded], **params: Any) -> None: ...


class Sync:
    def __init__(self, url: str, **options: Any) -> None:
        self.client = Client(api_key=KEY, base_url=url, **options)

    def array(self, texts: Iterable[str], **params: Any) -> Vectors:
        return self.client.embeddings.create_array(texts, **{"model": "m", **params})

    def many(self, texts: Iterable[str], **params: Any) -> list[Embedded]:
        return list(self.client.embeddings.create_many(texts, **{"model": "m", **params}))

    def each(self, texts: Iterable[str], kept: list[Embedded], **params: Any) -> None:
        for part in self.client.embeddings.create_many(texts, **{"model": "m", **params}):
            kept.append(part)  # noqa: PERF402 - it may raise in the middle

    def close(self) -> None:
        self.client.close()


class Async:
    def __init__(self, url: str, **options: Any) -> None:
        self.runner = asyncio.Runner()
        self.client = AsyncClient(api_key=KEY, base_url=url, **options)

    def array(self, texts: Iterable[str], **params: Any) -> Vectors:
        async def run() -> Vectors:
            return await self.client.embeddings.create_array(texts, **{"model": "m", **params})

        return self.runner.run(run())

    def many(self, texts: Iterable[str], **params: Any) -> list[Embedded]:
        async def run() -> list[Embedded]:
            parts = self.client.embeddings.create_many(texts, **{"model": "m", **params})
            return [part async for part in parts]

        return self.runner.run(run())

    def each(self, texts: Iterable[str], kept: list[Embedded], **params: Any) -> None:
        async def run() -> None:
            async for part in self.client.embeddings.create_many(texts, **{"model": "m", **params}):
                kept.append(part)  # noqa: PERF401 - as above

        self.runner.run(run())

    def close(self) -> None:
        self.runner.run(self.client.close())
        self.runner.close()


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with serve(FaultServer()) as faults:
        yield faults


@pytest.fixture(params=[Sync, Async])
def client(request: pytest.FixtureRequest, server: FaultServer) -> Iterator[Embeds]:
    client = request.param(server.url)
    yield client
    client.close()


def texts(count: int) -> list[str]:
    return [chr(97 + n % 26) * (1 + n % 50) for n in range(count)]


def expected(of: list[str], dimensions: int = 4) -> Vectors:
    return np.stack([vector(text, dimensions) for text in of])


def test_places_vectors_by_index(client: Embeds, server: FaultServer) -> None:
    got = client.array(texts(100))
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, expected(texts(100)))
    assert server.sizes() == [100]


def test_no_texts_are_no_request(client: Embeds, server: FaultServer) -> None:
    assert client.array([]).shape == (0, 0)
    assert client.array([], dimensions=8).shape == (0, 8)
    assert client.many([]) == []
    assert server.requests == []


def test_asks_for_base64_and_takes_what_comes(client: Embeds, server: FaultServer) -> None:
    for kind in ("given", "ignored"):
        server.base64 = kind
        np.testing.assert_array_equal(client.array(texts(30)), expected(texts(30)))
    assert [request["encoding_format"] for request in server.requests] == ["base64"] * 2


def test_does_without_base64_where_it_is_refused(client: Embeds, server: FaultServer) -> None:
    server.base64 = "refused"
    for _ in range(2):
        np.testing.assert_array_equal(client.array(texts(30)), expected(texts(30)))
    assert ["encoding_format" in request for request in server.requests] == [True, False, False]


def test_splits_by_inputs(client: Embeds, server: FaultServer) -> None:
    np.testing.assert_array_equal(client.array(texts(5000)), expected(texts(5000)))
    assert sorted(server.sizes()) == [904, 2048, 2048]


def test_splits_by_tokens_summed(client: Embeds, server: FaultServer) -> None:
    long = ["word " * 1000] * 700
    client.array(long, model="text-embedding-3-small")
    # "word" and each " word" is a token, and so is the last space: 1,001 a text.
    assert sorted(server.sizes()) == [102, 299, 299]


def test_counts_tokens_as_the_caller_does(client: Embeds, server: FaultServer) -> None:
    client.array(["x" * 100_000] * 10, count=lambda some: [60_000] * len(some))
    assert server.sizes() == [5, 5]


@pytest.mark.parametrize("cap", [10, 16])
@pytest.mark.parametrize(
    "message",
    [
        "batch size is invalid, it should not be larger than {cap}.",
        "Too many inputs. The max number of inputs is {cap}. We hope to increase the number soon.",
        "batch size {sent} > maximum allowed batch size {cap}",
        "no more than {cap} inputs are allowed",
        "Input array must have between 1 and {cap} items, got {sent}",
        "fewer than or equal to {cap} texts, please",
        "The batch size should be ≤ {cap}",
        "#/texts: expected maximum item count: {cap}, found: {sent}",
    ],
)
def test_learns_a_cap_from_its_refusal_and_remembers_it(
    client: Embeds, server: FaultServer, cap: int, message: str
) -> None:
    server.cap, server.cap_message = cap, message
    np.testing.assert_array_equal(client.array(texts(500)), expected(texts(500)))
    np.testing.assert_array_equal(client.array(texts(100)), expected(texts(100)))
    assert server.statuses.count(400) == 1
    assert server.statuses.count(200) == -(-500 // cap) - (-100 // cap)


def test_finds_a_cap_that_no_message_tells(client: Embeds, server: FaultServer) -> None:
    server.cap, server.cap_message = 10, "invalid request"
    np.testing.assert_array_equal(client.array(texts(128)), expected(texts(128)))
    # 128, 64, 32 and 16 alone; then what was under way when two times 8 had been taken.
    assert 4 <= server.statuses.count(400) <= 4 + 16
    # Between 8 and 16, one request at a time tells more; no text is paid for twice.
    client.array(texts(80), concurrency=1)
    np.testing.assert_array_equal(client.array(texts(80)), expected(texts(80)))
    assert server.sizes()[-8:] == [10] * 8


def test_a_cap_that_is_named_late_is_kept(client: Embeds, server: FaultServer) -> None:
    """A proxy before the server refuses large requests without a word."""

    def refuse_twice(handler: Any, body: dict[str, Any]) -> None:
        sent = len(body["input"])
        if sent > 100:
            handler.refuse(413, "Request Entity Too Large")
        elif sent > 64:
            handler.refuse(422, f"batch size {sent} > maximum allowed batch size 64")
        else:
            answer(handler, body)

    server.script = [refuse_twice] * 100
    got = client.array(texts(600), batch_size=128, concurrency=1)
    np.testing.assert_array_equal(got, expected(texts(600)))
    # Twice in halves shows a cap; 96, to find it, is told that it is 64.
    assert server.sizes() == [128, 64, 64, 128, 64, 64, 96, 64, 32, 64, 64, 64, 56]


@pytest.mark.parametrize(("count", "concurrency"), [(148, 1), (294, 1), (249, 4)])
def test_every_cap_that_no_message_tells_is_found(count: int, concurrency: int) -> None:
    for cap in range(1, 61):
        sizes: list[int] = []

        def reply(
            request: httpx.Request, cap: int = cap, sizes: list[int] = sizes
        ) -> httpx.Response:
            sent = len(json.loads(request.content)["input"])
            sizes.append(sent)
            if sent > cap:
                return httpx.Response(400, json={"error": {"message": "bad request"}})
            data = [{"index": index, "embedding": [1.0]} for index in range(sent)]
            return httpx.Response(200, json={"data": data, "usage": {"prompt_tokens": sent}})

        http = httpx.Client(transport=httpx.MockTransport(reply))
        with Client(api_key=KEY, http_client=http) as client:
            parts = client.embeddings.create_many(
                texts(count), model="m", batch_size=150, concurrency=concurrency
            )
            positions = sorted(position for part in parts for position in part.positions)
        assert positions == list(range(count))
        assert min(sizes) > 0
        assert len(sizes) <= 2 * -(-count // cap) + 60


def test_what_passes_in_halves_once_makes_no_later_batch_small(
    client: Embeds, server: FaultServer
) -> None:
    for _ in range(2):
        server.script = [refused(400, "invalid request")]
        for _ in range(2):
            np.testing.assert_array_equal(client.array(texts(100)), expected(texts(100)))
    assert server.sizes() == [100, 50, 50, 100] * 2


def test_a_cap_that_no_message_tells_shows_when_small_runs_meet_it_twice(
    client: Embeds, server: FaultServer
) -> None:
    server.cap, server.cap_message = 10, "invalid request"
    for _ in range(3):
        np.testing.assert_array_equal(client.array(texts(16)), expected(texts(16)))
    assert server.sizes()[:6] == [16, 8, 8, 16, 8, 8]
    assert sorted(server.sizes()[6:]) == [4, 6, 6, 12]
    server.requests.clear()
    client.array(texts(100), concurrency=1)
    assert server.sizes() == [10, *[11, 6, 5], *[10] * 7, 9]


def test_a_text_that_is_refused_tells_nothing_of_a_cap(server: FaultServer) -> None:
    server.cap, server.cap_message = 10, "invalid request"
    refusals: list[str] = []
    with Client(api_key=KEY, base_url=server.url) as client:
        client.embeddings.create_array(texts(128), model="m")
        server.bad = lambda text: text == "t" * 7
        for _ in range(2):
            some = [*texts(5), "t" * 7, *texts(94)]
            for _part in client.embeddings.create_many(
                some, model="m", concurrency=1, on_refused=lambda r: refusals.append(r.reason)
            ):
                pass
    assert len(refusals) == 2
    assert server.sizes()[-9:] == [10] * 9


def test_two_refusals_that_no_one_cap_explains_show_none(
    client: Embeds, server: FaultServer
) -> None:
    for size in (100, 40):
        server.script = [refused(400, "invalid request")]
        client.array(texts(size))
    client.array(texts(100))
    assert server.sizes() == [100, 50, 50, 40, 20, 20, 100]


def test_an_answer_cut_to_a_cap_is_asked_for_again_in_parts(
    client: Embeds, server: FaultServer
) -> None:
    def cut(reply: dict[str, Any]) -> None:
        reply["data"] = [item for item in reply["data"] if item["index"] < 16]

    server.change = cut
    np.testing.assert_array_equal(client.array(texts(100)), expected(texts(100)))
    assert server.sizes()[:2] == [100, 100], "once may be a mishap"
    assert sorted(server.sizes()[2:]) == [4, *[16] * 6]
    assert sum(part.tokens for part in client.many(["abcd"] * 20)) == 20


def short(count: int) -> Callable[[Any, dict[str, Any]], None]:
    """Return a fault: an answer for the first texts only."""

    def cut(handler: Any, body: dict[str, Any]) -> None:
        handler.send(200, replied(handler.faults, {**body, "input": body["input"][:count]}))

    return cut


def test_an_answer_that_is_short_once_makes_no_later_batch_small(
    client: Embeds, server: FaultServer
) -> None:
    for _ in range(3):
        server.script = [short(3)]
        np.testing.assert_array_equal(client.array(texts(100)), expected(texts(100)))
    server.script = [short(3), answer, short(3)]
    client.array(texts(300), batch_size=100, concurrency=1)
    assert set(server.sizes()) == {100}


def test_an_answer_that_is_short_at_every_size_ends_the_work(
    client: Embeds, server: FaultServer
) -> None:
    server.change = lambda reply: reply["data"].pop(0)
    with pytest.raises(InvalidAnswer, match="expected 99 vectors, got 98"):
        client.array(texts(100))
    assert server.sizes() == [100, 100, 99, 99], "as it is, as it is, below the cap, and again"


def test_short_answers_of_many_lengths_end_the_work(client: Embeds, server: FaultServer) -> None:
    server.script = [short(count) for count in (5, 4, 3)]
    with pytest.raises(InvalidAnswer, match="expected 100 vectors, got 4"):
        client.array(texts(100))
    assert server.sizes() == [100, 100]


def test_one_confirmation_is_enough_for_all_that_fly(client: Embeds, server: FaultServer) -> None:
    client.array(["a"])
    server.latency = 0.1
    server.change = lambda reply: reply.update(data=reply["data"][-8:])
    np.testing.assert_array_equal(client.array(texts(320), batch_size=64), expected(texts(320)))
    assert server.sizes().count(8) == 40
    assert server.sizes().count(64) <= 5 + 1, "the first goes again before the second is here"


def test_reports_the_one_bad_text_with_its_source(client: Embeds, server: FaultServer) -> None:
    server.bad = lambda text: text == "bad"
    some = texts(300)
    some[217] = "bad"
    with pytest.raises(InputRefused, match=r"^text 217 \(b.md\) was refused: 400: .* 'bad'") as got:
        client.array(some, label=lambda position: "b.md" if position == 217 else "a.md")
    assert (got.value.position, got.value.label) == (217, "b.md")
    assert isinstance(got.value.__cause__, BadRequest)


def test_goes_on_without_the_bad_texts(client: Embeds, server: FaultServer) -> None:
    server.bad = lambda text: text == "bad"
    some = texts(200)
    some[0] = some[77] = some[199] = "bad"
    some[5] = ""
    refusals: list[InputRefused] = []
    parts = client.many(some, on_refused=refusals.append)
    assert sorted(refused.position for refused in refusals) == [0, 5, 77, 199]
    positions = [position for part in parts for position in part.positions]
    assert sorted(positions) == sorted(set(range(200)) - {0, 5, 77, 199})
    for part in filter(lambda part: part.positions, parts):
        np.testing.assert_array_equal(part.vectors, expected([some[p] for p in part.positions]))


@pytest.mark.parametrize("batch_size", [1, 100])
def test_bad_texts_that_come_first_are_refused_like_any(
    client: Embeds, server: FaultServer, batch_size: int
) -> None:
    server.bad = lambda text: text == "bad"
    some = ["bad"] * 3 + texts(20)
    refusals: list[InputRefused] = []
    parts = client.many(some, on_refused=refusals.append, batch_size=batch_size)
    assert sorted(refused.position for refused in refusals) == [0, 1, 2]
    assert sorted(p for part in parts for p in part.positions) == list(range(3, 23))
    asked = [request["input"] for request in server.requests]
    assert asked.count(["text"]) == 1  # the word that tells whether the texts are at fault
    billed = sum(server.charge(texts) for texts in asked if "bad" not in texts)
    assert sum(part.tokens for part in parts) == billed


def test_a_bad_text_alone_is_named(client: Embeds, server: FaultServer) -> None:
    server.bad = lambda text: text == "bad"
    with pytest.raises(InputRefused, match=r"^text 0 \(a.md\) was refused: 400: .* 'bad'"):
        client.array(["bad"], label=lambda _: "a.md")
    refusals: list[InputRefused] = []
    assert client.many(["bad"], on_refused=refusals.append) == []
    assert [refused.position for refused in refusals] == [0]


@pytest.mark.parametrize("answers", [False, True])
def test_a_server_that_embeds_nothing_is_told_in_its_words(
    client: Embeds, server: FaultServer, *, answers: bool
) -> None:
    server.script = [refused(400, "dimensions: 512 is not supported")]
    server.script += [] if answers else [refused(400, "no")]
    server.vector = lambda _, dimensions: np.zeros(dimensions, np.float32)
    with pytest.raises(BadRequest, match="512 is not supported"):
        client.many(["a"] * 100, batch_size=1, on_refused=[].append)
    assert [request["input"] for request in server.requests] == [["a"], ["text"]]


def test_what_flies_is_kept_where_reading_the_texts_fails(
    client: Embeds, server: FaultServer
) -> None:
    def read() -> Iterator[str]:
        yield from ["a", "b", "c"]
        raise OSError("the disk is gone")

    server.latency = 0.1
    for stream, error in ((read(), OSError), (iter(["a", "b", "c", None]), TypeError)):
        kept: list[Embedded] = []
        with pytest.raises(error):
            client.each(stream, kept, batch_size=1)  # type: ignore[arg-type]
        assert sorted(part.positions for part in kept) == [[0], [1], [2]]
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (500, "input is too large to process. increase the physical batch size"),
        (500, "input (992 tokens) is too large to process. increase the physical batch size (512)"),
        (500, "input is too large to process, please increase the physical batch size"),
        (500, "input prompt is too big compared to KV size, please increase KV size"),
        (500, "the input length exceeds the context length"),
        (500, "input length exceeds maximum context length"),
        (400, "the input length exceeds the context length"),
        (400, "request (8210 tokens) exceeds the available context size (8192 tokens)"),
        (400, "This model's maximum context length is 512 tokens. However, you requested 548 ..."),
        (413, "`inputs` must have less than 512 tokens. Given: 548"),
    ],
)
def test_a_text_too_long_for_a_local_server_is_found_in_the_words_it_uses(
    client: Embeds, server: FaultServer, status: int, message: str
) -> None:
    def refuse(handler: Any, body: dict[str, Any]) -> None:
        if any(len(text) > 60 for text in body["input"]):
            handler.refuse(status, message)
        else:
            answer(handler, body)

    server.script = [refuse] * 40
    some = texts(20)
    some[13] = "long " * 100
    refusals: list[InputRefused] = []
    began = time.monotonic()
    parts = client.many(some, on_refused=refusals.append)
    assert [one.position for one in refusals] == [13]
    assert sum(len(part.positions) for part in parts) == 19
    assert server.statuses.count(status) == 5, "20, 10, 5, 2, 1"
    assert time.monotonic() - began < 2, "it is not tried again in vain"


def test_what_is_wrong_with_every_text_is_not_blamed_on_one(
    client: Embeds, server: FaultServer
) -> None:
    server.bad = lambda _: True
    with pytest.raises(BadRequest, match=r"\$\.input"):
        client.array(texts(2048))
    assert len(server.requests) == 13


def test_one_text_that_is_refused_raises_the_servers_words(
    client: Embeds, server: FaultServer
) -> None:
    server.bad = lambda _: True
    with pytest.raises(BadRequest, match=r"^400: "):
        client.array(["a"])


def test_refuses_an_empty_text_before_it_is_sent(client: Embeds, server: FaultServer) -> None:
    with pytest.raises(InputRefused, match=r"^text 1 was refused: it is empty$"):
        client.array(["a", "", "b"])
    assert server.requests == []


def test_refuses_a_text_too_long_for_the_model_before_it_is_sent(
    client: Embeds, server: FaultServer
) -> None:
    reason = r"^text 1 was refused: 9001 tokens, text-embedding-3-small reads 8192$"
    with pytest.raises(InputRefused, match=reason):
        client.array(["a", "word " * 9000], model="text-embedding-3-small")
    assert server.requests == []


SPOILS: dict[str, Callable[[dict[str, Any]], object]] = {
    # The reply is in reverse order: the last item is that of the first text.
    "fewer": lambda reply: reply["data"].pop(),
    "more": lambda reply: reply["data"].append({**reply["data"][-1], "index": len(reply["data"])}),
    "twice": lambda reply: reply["data"][0].update(index=0),
    "out of range": lambda reply: reply["data"][-1].update(index=-1),
    "nothing": lambda reply: reply["data"].clear(),
    "no data": lambda reply: reply.pop("data"),
    "zero": lambda reply: reply["data"][-1].update(embedding=[0.0] * 4),
    "nan": lambda reply: reply["data"][-1].update(embedding="AADAfwAAwH8AAMB/AADAfw=="),
    "beyond float32": lambda reply: reply["data"][-1].update(embedding=[1e39] * 4),
    "another length": lambda reply: reply["data"][-1].update(embedding=[1.0] * 3),
    "half a float": lambda reply: reply["data"][-1].update(embedding="AACAPwAA"),
    "no base64": lambda reply: reply["data"][-1].update(embedding="!!!!"),
    "null": lambda reply: reply["data"][-1].update(embedding=None),
}


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("fewer", "expected 1 vectors, got 0"),
        ("more", "expected 1 vectors, got 2"),
        ("out of range", "no vector for input 0"),
        ("nothing", "expected 1 vectors, got 0"),
        ("no data", "missing required field `data`"),
        ("zero", "the vector of input 0 is zero"),
        ("nan", "the vector of input 0 is not finite"),
        ("beyond float32", "the vector of input 0 is not finite"),
        ("half a float", "buffer size must be a multiple of element size"),
        ("no base64", "base64"),
        ("null", "Expected `array`, got `null`"),
    ],
)
def test_an_answer_that_makes_no_sense_is_no_vector(
    client: Embeds, server: FaultServer, what: str, why: str
) -> None:
    server.change = SPOILS[what]
    with pytest.raises(InvalidAnswer, match=why):
        client.array(["a"])


def test_an_index_that_is_left_out_is_zero_where_that_alone_is_missing(
    client: Embeds, server: FaultServer
) -> None:
    some = ["a", "bb", "ccc"]
    server.change = lambda reply: reply["data"][-1].pop("index")
    np.testing.assert_array_equal(client.array(some), expected(some))
    for other in range(2):
        server.change = lambda reply, other=other: reply["data"][other].pop("index")  # type: ignore[misc]
        with pytest.raises(InvalidAnswer, match=r"no vector for input [12], another one twice"):
            client.array(some)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 7.0}, 7),
        ({"prompt_tokens": None, "total_tokens": 7}, 7),
        ({"prompt_tokens": "7"}, 0),
        ({"prompt_tokens": True}, 0),
        ({"prompt_tokens": -7}, 0),
        ({"prompt_tokens": -7, "total_tokens": 7}, 7),
        ({"prompt_tokens": 2**53}, 2**53),
        ({"prompt_tokens": 2**53 + 1}, 0),
        ({"prompt_tokens": 10**30}, 0),
        ({"prompt_tokens": 1e300}, 0),
        ([7], 0),
        (None, 0),
    ],
)
def test_what_is_said_of_the_price_spoils_no_vector(
    client: Embeds, server: FaultServer, usage: object, tokens: int
) -> None:
    server.change = lambda reply: reply.update(usage=usage)
    (part,) = client.many(["a"])
    assert (part.positions, part.tokens) == ([0], tokens)


def test_a_price_that_no_number_holds_spoils_no_vector(client: Embeds, server: FaultServer) -> None:
    def says(handler: Any, body: dict[str, Any]) -> None:
        reply = json.dumps({**replied(server, body), "usage": {"prompt_tokens": "n"}})
        handler.send(200, reply.replace('"n"', "1e400").encode())

    server.script = [says]
    (part,) = client.many(["a"])
    assert (part.positions, part.tokens) == ([0], 0)


@pytest.mark.parametrize("what", ["twice", "another length", "fewer", "nothing", "no data"])
def test_a_spoiled_answer_ends_the_work_and_tells_what_it_cost(
    client: Embeds, server: FaultServer, what: str
) -> None:
    def last(reply: dict[str, Any]) -> None:
        if len(server.requests) == 2:
            SPOILS[what](reply)

    server.change = last
    kept: list[Embedded] = []
    with pytest.raises(InvalidAnswer):
        client.each(["abcd"] * 30, kept, batch_size=10, concurrency=1)
    assert [(len(part.positions), part.tokens) for part in kept] == [(10, 10), (0, 10)]
    assert server.sizes() == [10, 10]


def test_garbage_ends_the_work_after_one_request(client: Embeds, server: FaultServer) -> None:
    server.script = [lambda handler, _: handler.send(200, b"<html>Welcome!</html>")]
    kept: list[Embedded] = []
    with pytest.raises(InvalidAnswer, match=r"127.0.0.1:\d+ is not .*: '<html>W"):
        client.each(texts(10), kept)
    assert [(part.positions, part.tokens, len(server.requests)) for part in kept] == [([], 0, 1)]


@pytest.mark.parametrize(
    ("what", "flaw"), [("zero", "zero"), ("nan", "not finite"), ("beyond float32", "not finite")]
)
def test_of_an_answer_with_one_bad_vector_the_others_are_kept(
    client: Embeds, server: FaultServer, what: str, flaw: str
) -> None:
    server.change = SPOILS[what]
    refusals: list[InputRefused] = []
    (part,) = client.many(texts(10), on_refused=refusals.append)
    assert part.positions == list(range(1, 10))
    np.testing.assert_array_equal(part.vectors, expected(texts(10)[1:]))
    assert [str(one) for one in refusals] == [
        f"text 0 was refused: the vector of input 0 is {flaw}"
    ]
    assert server.sizes() == [10]


def test_an_answer_of_other_dimensions_tells_what_it_cost(
    client: Embeds, server: FaultServer
) -> None:
    server.choose_dimensions = False
    kept: list[Embedded] = []
    with pytest.raises(DimensionMismatch):
        client.each(["abcd"] * 10, kept, dimensions=16)
    assert [(part.positions, part.tokens) for part in kept] == [([], 10)]


def test_asks_for_dimensions_and_refuses_others(client: Embeds, server: FaultServer) -> None:
    np.testing.assert_array_equal(client.array(texts(3), dimensions=8), expected(texts(3), 8))
    server.choose_dimensions = False
    with pytest.raises(DimensionMismatch, match="asked for vectors of 16 dimensions, got 4"):
        client.array(texts(3), dimensions=16)


def test_refuses_a_server_that_changes_its_dimensions(client: Embeds, server: FaultServer) -> None:
    def longer(reply: dict[str, Any]) -> None:
        if len(server.requests) > 1:
            for item in reply["data"]:
                item["embedding"] = [1.0] * 5

    server.change = longer
    with pytest.raises(
        DimensionMismatch, match="expected vectors of 4 dimensions as before, got 5"
    ):
        client.array(texts(6), batch_size=3)


@pytest.mark.parametrize(
    "fault",
    [
        refused(429, retry_after_ms="1"),
        refused(429, retry_after="0.001"),
        refused(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
        refused(400, x_should_retry="true", retry_after_ms="1"),
        refused(408, retry_after_ms="1"),
        refused(409, retry_after_ms="1"),
        refused(500, retry_after_ms="1"),
        refused(503, retry_after="0"),
        torn,
        reset,
    ],
)
def test_gets_over_what_passes(client: Embeds, server: FaultServer, fault: Any) -> None:
    server.script = [fault]
    np.testing.assert_array_equal(client.array(texts(10)), expected(texts(10)))
    assert server.sizes() == [10, 10]


def test_gets_over_a_refusal_that_names_no_time(client: Embeds, server: FaultServer) -> None:
    server.script = [refused(429)]
    began = time.monotonic()
    np.testing.assert_array_equal(client.array(texts(10)), expected(texts(10)))
    assert 0.37 < time.monotonic() - began < 1.5


@pytest.mark.parametrize("kind", [Sync, Async])
def test_gets_over_a_storm(kind: type[Sync | Async], server: FaultServer) -> None:
    client = kind(server.url, max_retries=12)  # one request may meet with all of it
    client.array(["a"])
    server.script = [refused(503, retry_after_ms="1")] * 12
    got = client.array(texts(64), batch_size=4)
    client.close()
    np.testing.assert_array_equal(got, expected(texts(64)))
    assert server.statuses.count(503) == 12


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (refused(401, "bad key"), AuthenticationFailed),
        (refused(404, "no such model"), NotFound),
        (refused(429, "no credit", "insufficient_quota"), RateLimited),
        (refused(503, x_should_retry="false"), ServerError),
    ],
)
def test_raises_at_once_what_does_not_pass(
    client: Embeds, server: FaultServer, fault: Any, error: type[Exception]
) -> None:
    server.script = [fault]
    with pytest.raises(error):
        client.array(texts(10))
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", [Sync, Async])
def test_gives_up_in_the_end(server: FaultServer, kind: type[Sync | Async]) -> None:
    client = kind(server.url, max_retries=1)
    server.script = [torn, torn, slow(0.5), slow(0.5)]
    with pytest.raises(ConnectionFailed):
        client.array(["a"])
    with pytest.raises(TimedOut):
        client.array(["a"], timeout=0.1)
    client.close()


def test_a_bucket_smaller_than_one_batch_is_no_dead_lock(
    client: Embeds, server: FaultServer
) -> None:
    server.limit = Bucket(rate=20_000, size=1000)
    some = ["x" * 400] * 60
    np.testing.assert_array_equal(client.array(some, batch_size=15), expected(some))
    assert server.statuses == [200] * 4


def test_reads_no_further_ahead_than_is_in_flight(server: FaultServer) -> None:
    read: list[int] = []

    def source() -> Iterator[str]:
        for n in range(1000):
            read.append(n)
            yield "a"

    with Client(api_key=KEY, base_url=server.url) as client:
        parts = client.embeddings.create_many(source(), model="m", batch_size=10, concurrency=2)
        next(parts)
        assert len(read) == 10
        next(parts)
        assert len(read) == 30
        parts.close()


def flying() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "embedding"}


def test_closing_cancels_what_waits(server: FaultServer) -> None:
    others = flying()
    with Client(api_key=KEY, base_url=server.url) as client:
        parts = client.embeddings.create_many(texts(100), model="m", batch_size=10, concurrency=4)
        next(parts)
        server.script = [None, *[refused(429, retry_after="100")] * 3]
        next(parts)
        parts.close()
        deadline = time.monotonic() + 5
        while flying() - others and time.monotonic() < deadline:
            time.sleep(0.01)
        assert flying() <= others


def test_what_is_in_flight_when_one_request_fails_is_kept(
    client: Embeds, server: FaultServer
) -> None:
    """It is paid for; what waits to be sent is not sent any more."""
    server.script = [None, slow(0.5), refused(401), refused(429, retry_after="100"), slow(0.5)]
    kept: list[Embedded] = []
    began = time.monotonic()
    with pytest.raises(AuthenticationFailed):
        client.each(texts(100), kept, batch_size=10, concurrency=4)
    assert time.monotonic() - began < 20
    assert server.statuses.count(200) >= 2
    positions = [position for part in kept for position in part.positions]
    assert len(set(positions)) == len(positions) == 10 * server.statuses.count(200)


def test_what_is_in_flight_when_a_run_is_stopped_is_given(
    client: Embeds, server: FaultServer
) -> None:
    """What waits to be sent, or to be sent again, is not sent any more."""
    stop = Stop()
    server.script = [None, slow(0.5), refused(429, retry_after="100"), slow(0.5)]

    def source() -> Iterator[str]:
        for n, text in enumerate(texts(100)):
            if n == 30:
                stop.set()
            yield text

    began = time.monotonic()
    parts = client.many(source(), batch_size=10, concurrency=4, stop=stop)
    assert time.monotonic() - began < 20
    positions = [position for part in parts for position in part.positions]
    assert len(set(positions)) == len(positions) == 10 * server.statuses.count(200)
    assert server.statuses.count(200) >= 2
    assert len(server.requests) <= 4


WAITS = "stopping: waiting for {} in flight: what was sent is billed"


@pytest.mark.parametrize(
    ("slept", "said"),
    [
        (0, [WAITS.format("3 requests")]),
        (1, [WAITS.format("2 requests")]),
        (2, [WAITS.format("1 request")]),
        (3, []),
    ],
)
def test_a_run_that_is_stopped_says_how_many_requests_are_really_sent(
    client: Embeds,
    server: FaultServer,
    caplog: pytest.LogCaptureFixture,
    slept: int,
    said: list[str],
) -> None:
    """What waits to be sent again is not waited for."""
    stop, stopped = Stop(), threading.Event()

    def hold(handler: Any, body: dict[str, Any]) -> None:
        stopped.wait(10)
        answer(handler, body)

    def refuse(handler: Any, _: dict[str, Any]) -> None:
        while len(server.requests) < 4:  # One that comes later would wait to be sent at all.
            time.sleep(0.01)
        handler.refuse(429, "slow down", retry_after="100")

    def end() -> None:
        while len(server.requests) < 4 or server.statuses.count(429) < slept:
            time.sleep(0.01)
        time.sleep(0.3)  # The client takes the refusals meanwhile.
        stop.set()
        time.sleep(0.2)
        stopped.set()

    server.script = [None, *[refuse] * slept, *[hold] * (3 - slept)]
    ender = threading.Thread(target=end, daemon=True)
    ender.start()
    parts = client.many(texts(100), batch_size=10, concurrency=3, stop=stop)
    ender.join(10)
    assert len(parts) == 4 - slept
    assert [r.message for r in caplog.records if r.levelname == "WARNING"] == said


@pytest.mark.parametrize("first", [True, False])
def test_a_failure_is_raised_where_a_run_is_stopped(
    client: Embeds, server: FaultServer, *, first: bool
) -> None:
    """Whether it came before or after."""
    stop, came = Stop(), threading.Event()

    def refuse(handler: Any, _: dict[str, Any]) -> None:
        if first:
            handler.refuse(401, "key revoked")
            time.sleep(0.2)  # The client takes it meanwhile.
        stop.set()
        if not first:
            handler.refuse(401, "key revoked")
        came.set()

    def hold(handler: Any, body: dict[str, Any]) -> None:
        came.wait(10)
        answer(handler, body)

    server.script = [None, refuse, hold, hold]
    kept: list[Embedded] = []
    with pytest.raises(AuthenticationFailed, match="key revoked"):
        client.each(texts(100), kept, batch_size=10, concurrency=3, stop=stop)
    assert sum(len(part.positions) for part in kept) == 10 * server.statuses.count(200)


def test_a_refusal_of_what_may_be_every_text_is_raised_where_a_run_is_stopped(
    client: Embeds, server: FaultServer
) -> None:
    stop = Stop()

    def refuse(handler: Any, _: dict[str, Any]) -> None:
        stop.set()
        handler.refuse(400, "content blocked")

    server.script = [refuse]
    with pytest.raises(BadRequest, match="content blocked"):
        client.many(texts(3), batch_size=1, stop=stop, on_refused=[].append)
    assert server.sizes() == [1]


def test_a_run_that_is_stopped_before_it_begins_sends_nothing(
    client: Embeds, server: FaultServer
) -> None:
    stop = Stop()
    stop.set()
    assert client.many(texts(100), stop=stop) == []
    assert server.requests == []


def test_cancelling_the_task_cancels_its_requests(server: FaultServer) -> None:
    server.script = [refused(429, retry_after="100")]

    async def run() -> float:
        async with AsyncClient(api_key=KEY, base_url=server.url) as client:
            task = asyncio.create_task(client.embeddings.create_array(texts(10), model="m"))
            await asyncio.sleep(0.3)
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return time.monotonic() - began

    assert asyncio.run(run()) < 1


def test_yields_what_was_billed(client: Embeds) -> None:
    parts = client.many(["abcd" * 25] * 30, batch_size=10)
    assert [part.tokens for part in parts] == [250] * 3


def test_refuses_one_text_that_is_no_list(client: Embeds) -> None:
    with pytest.raises(TypeError, match="put it into a list"):
        client.array("abc")


def test_sends_lone_surrogates_as_what_they_count_as(client: Embeds, server: FaultServer) -> None:
    client.array(["a\ud800b"])
    assert server.requests[0]["input"] == ["a\ufffdb"]


@pytest.mark.parametrize(
    ("message", "cap"),
    [
        ("batch size is invalid, it should not be larger than 10.: input.contents", 10),
        ("Too many inputs. The max number of inputs is 16.", 16),
        ("batch size 2048 > maximum allowed batch size 32", 32),
        ("at most 100 requests can be in one batch", 100),
        ("invalid request: total number of texts must be at most 96 - received 2048", 96),
        ("input数组最大不得超过64条", 64),
        ("input 17 is too long", None),
        ("[] is too long - 'input'. Expected an array with maximum length 2048", None),
        ("'$.input[17]' is invalid", None),
        ("This model's maximum context length is 512 tokens, input 3 has 600", None),
        ("inputs exceed the maximum of 300000 tokens", None),
    ],
)
def test_takes_for_a_cap_only_what_is_one(message: str, cap: int | None) -> None:
    assert named_cap(message, 2048) == cap

"""The clients themselves: settings, errors, redirects, the key, pages, raw answers, options."""

from __future__ import annotations

import asyncio
import base64
import copy
import dataclasses
import io
import itertools
import json
import logging
import math
import os
import pickle
import re
import socket
import sys
import threading
import time
import traceback
import tracemalloc
import zlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_type

import httpx
import numpy as np
import pytest
from recording import Recorded, Reply, Server, serving

from embedsearch import AsyncClient, Client
from embedsearch.client import settings
from embedsearch.client.types.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionMessage,
    Completion,
)
from embedsearch.client.types.models import Model
from embedsearch.client.types.moderations import Moderation
from embedsearch.client.types.responses import Response, ResponseStreamEvent
from embedsearch.errors import (
    APIError,
    AuthenticationFailed,
    BadRequest,
    ConnectionFailed,
    ConnectionRefused,
    InvalidAnswer,
    MissingDependency,
    NotFound,
    RateLimited,
    ServerError,
    TimedOut,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from embedsearch.client.pages import AsyncPages, Page
    from embedsearch.client.raw import RawResponse
    from embedsearch.client.streams import AsyncStream, Stream
    from embedsearch.client.types.audio import Transcription, TranscriptionEvent
    from embedsearch.client.types.images import ImageEvent, ImagesResponse

    def typed(client: Client, awaiting: AsyncClient) -> None:
        """Hold what mypy makes of an endpoint that is written once."""
        assert_type(client.models.retrieve("a"), Model)
        _ = assert_type(awaiting.models.retrieve("a"), Coroutine[Any, Any, Model])
        assert_type(client.models.list(), Page[Model])
        assert_type(awaiting.models.list(), AsyncPages[Model])
        assert_type(client.with_raw_response.models.retrieve("a"), RawResponse[Model])
        ask, aask = client.chat.completions.create, awaiting.chat.completions.create
        assert_type(ask(model="m", messages=[]), ChatCompletion)
        assert_type(ask(model="m", messages=[], stream=True), Stream[ChatCompletionChunk])
        _ = assert_type(
            aask(model="m", messages=[], stream=True),
            Coroutine[Any, Any, AsyncStream[ChatCompletionChunk]],
        )
        client.models.retrieve(3)  # type: ignore[arg-type]
        ask(modl="m", messages=[])  # type: ignore[call-overload]

    def typed_streams(client: Client, awaiting: AsyncClient, file: Path) -> None:
        """Hold what mypy makes of ``stream=True``: another answer, and the same arguments."""
        go_on, respond = client.completions.create, client.responses.create
        assert_type(go_on(model="m", prompt="a", stream=False), Completion)
        assert_type(go_on(model="m", prompt="a", stream=True), Stream[Completion])
        assert_type(respond(model="m", input="a", stream=None), Response)
        assert_type(respond(model="m", input="a", stream=True), Stream[ResponseStreamEvent])
        follow = client.responses.retrieve
        assert_type(follow("r"), Response)
        assert_type(follow("r", starting_after=3, stream=True), Stream[ResponseStreamEvent])
        hear, draw = client.audio.transcriptions.create, client.images.generate
        assert_type(hear(file=file, model="m"), Transcription)
        assert_type(hear(file=file, model="m", stream=True), Stream[TranscriptionEvent])
        assert_type(draw(prompt="a cat"), ImagesResponse)
        assert_type(draw(prompt="a cat", partial_images=2, stream=True), Stream[ImageEvent])
        assert_type(client.images.edit(image=file, prompt="a", stream=True), Stream[ImageEvent])
        _ = assert_type(
            awaiting.responses.create(model="m", stream=True),
            Coroutine[Any, Any, AsyncStream[ResponseStreamEvent]],
        )
        assert_type(
            client.with_raw_response.completions.create(model="m", prompt="a", stream=True),
            RawResponse[Stream[Completion]],
        )
        go_on(model="m", prompt="a", stream=True, temprature=1)  # type: ignore[call-overload]
        go_on(model="m", stream=True)  # type: ignore[call-overload]
        respond(model=3, stream=True)  # type: ignore[call-overload]
        follow(3, stream=True)  # type: ignore[call-overload]
        hear(file=file, model="m", temperature="hot", stream=True)  # type: ignore[call-overload]

    async def typed_by_a_bool(client: Client, awaiting: AsyncClient, live: bool) -> None:  # noqa: FBT001
        """Hold what mypy makes of a ``stream`` that only the run decides: either answer."""
        ask, aask = client.chat.completions.create, awaiting.chat.completions.create
        either = ask(model="m", messages=[], stream=live)
        assert_type(either, ChatCompletion | Stream[ChatCompletionChunk])
        awaited = await aask(model="m", messages=[], stream=live)
        assert_type(awaited, ChatCompletion | AsyncStream[ChatCompletionChunk])
        task = asyncio.create_task(aask(model="m", messages=[], stream=live))
        assert_type(await task, ChatCompletion | AsyncStream[ChatCompletionChunk])
        followed = client.responses.retrieve("r", starting_after=3, stream=live)
        assert_type(followed, Response | Stream[ResponseStreamEvent])
        raw = client.with_raw_response.completions.create(model="m", prompt="a", stream=live)
        assert_type(raw, RawResponse[Completion | Stream[Completion]])
        client.images.generate(prompt="a cat", stream=live or None)
        ask(modl="m", messages=[], stream=live)  # type: ignore[call-overload]
        ask(model="m", messages=[], stream="yes")  # type: ignore[call-overload]
        client.responses.retrieve(3, stream=live)  # type: ignore[call-overload]


DOCS = Path(__file__).parents[1] / "docs"
KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "BASE_URL", "ORG_ID", "PROJECT_ID", "API_VERSION"):
        monkeypatch.delenv(f"OPENAI_{name}", raising=False)
    for name in ("API_KEY", "AD_TOKEN", "ENDPOINT"):
        monkeypatch.delenv(f"AZURE_OPENAI_{name}", raising=False)


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running.seen.clear()
    running.says({})
    return running


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(base_url=server.url, api_key=KEY, max_retries=0) as opened:
        yield opened


def page(*ids: str, more: bool) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": i} for i in ids], "has_more": more}


# Settings


def test_settings_come_from_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env\n")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v2/")
    monkeypatch.setenv("OPENAI_ORG_ID", "org")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj")
    server.says(page(more=False))
    with Client() as client:
        client.models.list()
    assert server.seen[0].path == "/v2/models"
    assert server.seen[0].essence["headers"] == {
        "authorization": "Bearer sk-env",
        "accept": "application/json",
        "openai-organization": "org",
        "openai-project": "proj",
    }


def test_openai_needs_a_key_and_a_local_server_does_not(server: Server) -> None:
    with pytest.raises(AuthenticationFailed, match="set OPENAI_API_KEY"):
        Client()
    server.says(page(more=False))
    with Client(base_url=server.url) as client:
        client.models.list()
    assert "authorization" not in server.seen[0].headers


def test_a_key_can_be_a_function_that_is_asked_each_time(server: Server) -> None:
    keys = iter(["one", "two"])
    server.says(page(more=False))
    with Client(base_url=server.url, api_key=lambda: next(keys)) as client:
        client.models.list()
        client.models.list()
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer one", "Bearer two"]


def test_a_key_may_have_to_be_awaited(server: Server) -> None:
    async def key() -> str:
        await asyncio.sleep(0)
        return "fetched"

    async def retrieve() -> None:
        async with AsyncClient(base_url=server.url, api_key=key) as client:
            await client.models.retrieve("a")

    server.says({"id": "a"})
    asyncio.run(retrieve())
    assert server.seen[0].headers["authorization"] == "Bearer fetched"
    with (
        Client(base_url=server.url, api_key=key) as client,
        pytest.raises(TypeError, match=r"^a key that has to be awaited needs AsyncClient$"),
    ):
        client.models.retrieve("a")
    with (
        Client(base_url=server.url, api_key=lambda: 5) as client,  # type: ignore[arg-type]
        pytest.raises(TypeError, match=r"^expected the API key as str, got int$"),
    ):
        client.models.retrieve("a")


@pytest.mark.parametrize(
    "url",
    ["http://example.com/v1", "http://10.0.0.1", "http://localhost.example.com", "http://[::2]"],
)
def test_an_open_line_is_refused_unless_it_is_meant(url: str) -> None:
    with pytest.raises(ValueError, match="use https, or --insecure; in Python: insecure=True"):
        Client(base_url=url, api_key=KEY)
    Client(base_url=url, api_key=KEY, insecure=True).close()


@pytest.mark.parametrize(
    "url", ["https://example.com", "http://localhost:1", "http://127.3.2.1", "http://[::1]:80/v1"]
)
def test_https_and_this_machine_are_private(url: str) -> None:
    assert settings.is_private(url)


@pytest.mark.parametrize(
    "url",
    [
        "example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "https://",
        "https://a b",
        "http:/a",
    ],
)
def test_a_base_url_must_be_one_of_http(url: str) -> None:
    with pytest.raises(ValueError, match="expected a base_url of http or https"):
        Client(base_url=url, api_key=KEY)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://a.b/v1?key=secret", "the base_url of a.b has a query: say it by default_query"),
        ("https://a.b/v1#secret", "has a query"),
        ("http://localhost:port", "got 'http://localhost:port': Port could not be cast"),
        ("http://localhost:99999", "got 'http://localhost:99999': Port out of range"),
    ],
)
def test_what_no_path_can_follow_is_no_base_url(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        Client(base_url=url, api_key=KEY)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("base", ["", "/", "/v1", "/v1/", "/api/v1//"])
def test_paths_follow_a_base_url_with_or_without_one(server: Server, base: str) -> None:
    server.says({"id": "a"})
    with Client(base_url=server.url + base, api_key=KEY) as client:
        client.models.retrieve("a")
    assert server.seen[0].path == f"{base.rstrip('/')}/models/a"


def test_a_login_in_the_address_is_used_where_there_is_no_key(server: Server) -> None:
    address = server.url.replace("://", "://me:s%40id@")
    server.says({"id": "a"})
    for key in (None, KEY):
        with Client(base_url=address, api_key=key) as client:
            client.models.retrieve("a")
    basic = base64.b64encode(b"me:s@id").decode()
    sent = [seen.headers["authorization"] for seen in server.seen]
    assert sent == [f"Basic {basic}", f"Bearer {KEY}"]
    server.says({"error": {"message": f"wrong login {basic}"}}, status=401)
    with (
        Client(base_url=address) as client,
        pytest.raises(AuthenticationFailed, match=r"wrong login \[key\]"),
    ):
        client.models.list()


def test_azure_puts_the_deployment_into_the_path(server: Server) -> None:
    server.says({"data": []})
    where: dict[str, Any] = {"azure_endpoint": server.url, "api_version": "2024-10-21"}
    with Client.azure(**where, api_key="k") as client:
        client.embeddings.create(model="my model", input="a")
        client.models.list()
    with Client.azure(**where, azure_deployment="dep", azure_ad_token="t") as client:  # noqa: S106
        client.embeddings.create(model="m", input="a")
        client.files.list()
    assert [(seen.path, seen.query) for seen in server.seen] == [
        ("/openai/deployments/my%20model/embeddings", "api-version=2024-10-21"),
        ("/openai/models", "api-version=2024-10-21"),
        ("/openai/deployments/dep/embeddings", "api-version=2024-10-21"),
        ("/openai/files", "api-version=2024-10-21"),
    ]
    assert server.seen[0].headers["api-key"] == "k"
    assert "authorization" not in server.seen[0].headers
    assert server.seen[2].headers["authorization"] == "Bearer t"


def test_azure_reads_its_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="AZURE_OPENAI_ENDPOINT and OPENAI_API_VERSION"):
        Client.azure()
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://me.openai.azure.com/")
    monkeypatch.setenv("OPENAI_API_VERSION", "v")
    with pytest.raises(AuthenticationFailed, match="AZURE_OPENAI_API_KEY"):
        Client.azure()
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
    with Client.azure() as client:
        assert client.driver.settings.base_url == "https://me.openai.azure.com/openai"
        assert (client.driver.settings.key_header, client.driver.settings.key()) == ("api-key", "k")


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("/gateway", "/gateway/deployments/m/embeddings"),
        ("/openai/deployments/d", "/openai/deployments/d/embeddings"),
    ],
)
def test_azure_may_have_a_base_url_of_its_own(server: Server, base: str, path: str) -> None:
    server.says({"data": []})
    where: dict[str, Any] = {"base_url": server.url + base, "api_version": "v", "api_key": "k"}
    with Client.azure(**where, organization=None, timeout=None) as client:
        client.embeddings.create(model="m", input="a")
    assert [seen.path for seen in server.seen] == [path]
    with pytest.raises(ValueError, match="expected azure_endpoint or base_url, got both"):
        Client.azure(**where, azure_endpoint=server.url)


def test_what_is_none_changes_nothing_but_a_timeout(client: Client) -> None:
    nothing: dict[str, Any] = dict.fromkeys(["base_url", "api_key", "default_headers"])
    same = client.with_options(max_retries=1, timeout=None, **nothing).driver.settings
    was = client.driver.settings
    assert same == dataclasses.replace(was, max_retries=1, timeout=None)


def test_settings_that_contradict_are_refused() -> None:
    with pytest.raises(ValueError, match="expected max_retries of 0 or more, got -1"):
        Client(api_key=KEY, max_retries=-1)
    with pytest.raises(ValueError, match="expected api_key or azure_ad_token, got both"):
        Client.azure(
            azure_endpoint="https://a.b",
            api_version="v",
            api_key=KEY,
            azure_ad_token="t",  # noqa: S106 - no secret
        )


def test_the_awaiting_client_has_the_same_options(server: Server) -> None:
    async def ask() -> None:
        where: dict[str, Any] = {"azure_endpoint": server.url, "api_version": "v", "api_key": "k"}
        async with AsyncClient.azure(**where) as client:
            changed = client.with_options(default_headers={"x-a": "1"})
            assert changed.driver.limiter is client.driver.limiter
            await changed.models.retrieve("m")

    server.says({"id": "m"})
    asyncio.run(ask())
    assert (server.seen[0].path, server.seen[0].headers["x-a"]) == ("/openai/models/m", "1")


# Options


def test_options_of_one_call_win(server: Server) -> None:
    with Client(
        base_url=server.url,
        api_key=KEY,
        default_headers={"X-A": "1", "X-B": "1"},
        default_query={"q": 1},
    ) as client:
        client.moderations.with_raw_response.create(
            input="a",
            extra_headers={"x-b": "2", "Authorization": "Bearer other"},
            extra_query={"r": [1, 2]},
            extra_body={"input": "b", "new": True},
        )
    seen = server.seen[0]
    assert (seen.headers["x-a"], seen.headers["x-b"]) == ("1", "2")
    assert seen.headers["authorization"] == "Bearer other"
    assert seen.query == "q=1&r%5B%5D=1&r%5B%5D=2"
    assert seen.content == {"input": "b", "new": True}


def test_a_changed_client_shares_connections_and_limits(client: Client) -> None:
    changed = client.with_options(timeout=1, default_headers={"x-a": "1"})
    assert changed.driver.http is client.driver.http
    assert changed.driver.limiter is client.driver.limiter
    assert (changed.driver.settings.timeout, client.driver.settings.timeout) == (1, 600)
    assert changed.with_options(default_headers={"x-b": "2"}).driver.settings.default_headers == {
        "x-a": "1",
        "x-b": "2",
    }
    others: list[settings.Options] = [{"api_key": "b"}, {"organization": "b"}, {"project": "b"}]
    for other in others:
        assert client.with_options(**other).driver.limiter is not client.driver.limiter


def test_a_wrong_argument_is_refused_before_anything_is_sent(
    client: Client, server: Server
) -> None:
    with pytest.raises(
        TypeError, match=r"unexpected \['temprature'\]: choose from .*'temperature'"
    ):
        client.chat.completions.create(model="m", messages=[], temprature=1)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"missing \['messages'\]"):
        client.chat.completions.create(model="m")  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"from \['extra_body', .* 'extra_query', 'timeout'\]$"):
        client.models.list(query="a")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"one by position .* by keyword: \['input', 'model'\]$"):
        client.embeddings.create("a", "m")  # type: ignore[arg-type,call-arg]
    with pytest.raises(TypeError, match=r"one by position .* by keyword: \['model'\]$"):
        client.embeddings.create_array(["a"], "m")  # type: ignore[arg-type,call-arg]
    with pytest.raises(TypeError, match=r"one by position .* by keyword: \[.*'timeout'\]$"):
        client.models.list("m")  # type: ignore[arg-type,call-arg]
    assert server.seen == []


def test_what_can_not_be_sent_is_refused_in_words(client: Client, server: Server) -> None:
    with pytest.raises(TypeError, match=r"^expected the header 'x' as str, got int$"):
        client.models.retrieve("m", extra_headers={"X": 1})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match=r"^expected what JSON can hold, got bytes: decode them"):
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": b"a"}])
    for send in (
        lambda: client.completions.create(model="m", prompt="\udcff"),
        lambda: client.audio.transcriptions.create(model="m", file=b"", prompt="\udcff"),
    ):
        with pytest.raises(ValueError, match=r"^expected text that UTF-8 can hold, got '\\udcff'"):
            send()
    with pytest.raises(ValueError, match=r"^expected a base_url .* 'http://a..b/v1': .*idna"):
        Client(base_url="http://a..b/v1", insecure=True)
    with pytest.raises(TypeError, match=r"^expected base_url as str, got int$"):
        Client(api_key=KEY, base_url=5)  # type: ignore[arg-type]
    assert server.seen == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temperature": math.nan}, "temperature, got nan"),
        ({"logit_bias": {"5": math.inf}}, "5, got inf"),
        ({"extra_body": {"x": [1, 2.0, -math.inf][1:]}}, "x, got -inf"),
        ({"extra_body": {"x": [1, math.nan]}}, "x, got nan"),
        ({"extra_body": {"x": np.array([math.nan])}}, "the body, got nan"),
        ({"extra_body": {"x": (n for n in [1, math.nan])}}, "the body, got nan"),
        ({"extra_query": {"q": math.nan}}, "q, got nan"),
    ],
)
def test_a_number_that_json_does_not_know_is_not_sent_as_null(
    client: Client, server: Server, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=f"^expected a finite number in {said}$"):
        client.chat.completions.create(model="m", messages=[], **options)
    assert server.seen == []


@pytest.mark.parametrize("name", ["", ".", "..", "%2e%2E"])
def test_an_id_can_not_name_another_endpoint(client: Client, name: str, server: Server) -> None:
    with pytest.raises(ValueError, match="expected an id"):
        client.models.retrieve(name)
    server.says({"id": "a"})
    client.models.retrieve("../files?x#y")
    assert server.seen[0].path == "/models/..%2Ffiles%3Fx%23y"


def test_an_injected_http_client_is_used() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"id": request.url.path})

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        with Client(api_key=KEY, http_client=http) as client:
            assert client.models.retrieve("a").id == "/v1/models/a"
        assert not http.is_closed, "who opened it closes it"
        with pytest.raises(
            TypeError, match=r"^expected http_client as httpx\.AsyncClient, got httpx\.Client$"
        ):
            AsyncClient(api_key=KEY, http_client=http)  # type: ignore[arg-type]
    with pytest.raises(
        TypeError, match=r"^expected http_client as httpx.Client, got httpx.AsyncClient$"
    ):
        Client(api_key=KEY, http_client=httpx.AsyncClient())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="positional"):
        Client(KEY)  # type: ignore[call-arg, arg-type]


def test_only_the_client_that_opened_connections_closes_them(server: Server) -> None:
    async def ask() -> None:
        async with AsyncClient(base_url=server.url, api_key=KEY) as client:
            async with client.with_options(timeout=5) as quick:
                await quick.models.retrieve("a")
            await client.models.retrieve("a")

    server.says({"id": "a"})
    with Client(base_url=server.url, api_key=KEY) as client:
        with client.with_options(timeout=5) as quick:
            quick.models.retrieve("a")
        client.models.retrieve("a")
    assert client.driver.http.is_closed
    asyncio.run(ask())


def test_what_came_goes_back_whole(client: Client, server: Server) -> None:
    said: dict[str, Any] = {
        "role": "assistant",
        "content": None,
        "reasoning_content": "hm",
        "tool_calls": [],
    }
    server.says({"choices": [{"index": 0, "message": said}]})
    message = client.chat.completions.create(model="m", messages=[]).choices[0].message
    client.chat.completions.create(model="m", messages=[{"role": "user"}, message])
    assert server.seen[1].content["messages"] == [{"role": "user"}, said]


@pytest.mark.parametrize("given", [range(3), iter([0, 1, 2]), (0, 1, 2), np.arange(3)])
def test_anything_that_can_be_listed_is_sent_as_a_list(
    client: Client, server: Server, given: Any
) -> None:
    server.says({"data": []})
    client.embeddings.create(model="m", input=given)
    assert server.seen[0].content["input"] == [0, 1, 2]
    with pytest.raises(TypeError, match="expected what JSON can hold, got object"):
        client.embeddings.create(model="m", input=object())  # type: ignore[arg-type]


def test_this_machine_is_reached_through_no_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server.says({"id": "a"})
    with Client(base_url=server.url, api_key=KEY, max_retries=0) as client:
        assert client.models.retrieve("a").id == "a"


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with (
        Client(base_url="https://example.com", api_key=KEY, max_retries=0) as client,
        pytest.raises(
            ConnectionRefused, match=r"^the way to https://example\.com is refused$"
        ) as caught,
    ):
        client.models.list()
    assert "HTTPS_PROXY" in str(caught.value.hint)


def test_a_proxy_of_another_kind_needs_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "socksio", None)  # as if it were not installed
    for kind in (Client, AsyncClient):
        with pytest.raises(MissingDependency, match="names a SOCKS proxy") as caught:
            kind(api_key=KEY)
        assert "httpx[socks]" in str(caught.value.hint)


# Records


def test_unknown_fields_are_kept_and_small_lies_forgiven() -> None:
    came: dict[str, Any] = {
        "choices": [{"message": {"content": 3, "x": 1}}],
        "usage": None,
        "y": {"z": []},
    }
    read = ChatCompletion.read(came)
    assert read.to_dict() == came
    assert read.extra == {"y": {"z": []}}
    assert read.choices[0].message.extra == {"x": 1}
    assert read.choices[0].message.content == 3  # type: ignore[comparison-overlap]
    assert ChatCompletion.read({"choices": None}).choices == []
    assert ChatCompletion.read({"choices": [], "usage": "free", "created": None}).usage is None
    assert ChatCompletion.read({"choices": [], "created": None}).created == 0
    assert ChatCompletionMessage.read({"tool_calls": {}}).tool_calls is None
    assert ChatCompletionMessage(content="a").to_dict()["content"] == "a"


@pytest.mark.parametrize(
    ("came", "why"),
    [
        ({"choices": "none"}, "expected a list, got str"),
        ({"choices": ["none"]}, "expected an object, got str"),
        ({"choices": [{"message": "hello"}]}, "expected an object, got str"),
    ],
)
def test_what_is_no_record_is_none_where_one_must_be(came: dict[str, Any], why: str) -> None:
    with pytest.raises(TypeError, match=f"^{why}$"):
        ChatCompletion.read(came)


def test_what_is_not_known_is_an_attribute_too() -> None:
    usage = {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 1}}
    came = {"id": "r", "output": [], "usage": usage, "incomplete_details": {"reason": "length"}}
    answer: Any = Response.read(
        {**came, "tools": [{"type": "x", "a": [{"b": 1}]}], "new": {"c": 2}}
    )
    assert answer.usage.input_tokens_details.cached_tokens == 1
    assert (answer.incomplete_details.reason, answer.tools[0].a[0].b) == ("length", 1)
    assert answer.new.c == answer.new["c"] == answer.extra["new"].c == answer.extra.new.c == 2
    assert (answer.new, repr(answer.new), json.dumps(answer.new)) == (
        {"c": 2},
        "{'c': 2}",
        '{"c": 2}',
    )
    for copied in (copy.deepcopy(answer.new), pickle.loads(pickle.dumps(answer.new))):  # noqa: S301
        assert (copied.c, copied) == (2, {"c": 2})
    with pytest.raises(AttributeError, match=r"^'Response' object has no attribute 'nothing'$"):
        _ = answer.nothing
    with pytest.raises(AttributeError, match=r"^no 'd' came: choose from \['c'\]$"):
        _ = answer.new.d
    for copied in (copy.copy(answer), copy.deepcopy(answer), pickle.loads(pickle.dumps(answer))):  # noqa: S301
        assert (copied, copied.to_dict(), copied.new) == (answer, answer.to_dict(), {"c": 2})
    categories: Any = Moderation.read(
        {"flagged": False, "categories": {"hate/x-y": True}}
    ).categories
    assert categories.hate_x_y is True


def test_a_chunk_may_lack_what_other_servers_leave_out() -> None:
    assert ChatCompletionChunk.read({"choices": [{"delta": None}]}).choices[0].delta.content is None
    chunk = ChatCompletionChunk.read({"choices": [{"index": 0, "content_filter_offsets": {}}]})
    assert chunk.choices[0].delta.content is None
    assert ChatCompletionChunk.read({"usage": {"total_tokens": 3}}).choices == []
    assert Completion.read({"choices": [{"finish_reason": "stop"}]}).choices[0].text == ""


def test_the_text_of_a_response_is_that_of_its_messages() -> None:
    said = [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "no"}]
    output = [{"type": "reasoning"}, {"type": "message", "content": said}]
    output += [{"type": "message", "content": said}]
    assert Response.read({"id": "r", "output": output}).output_text == "aa"


def test_a_record_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Model(id="a").id = "b"  # type: ignore[misc]


# Errors


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, AuthenticationFailed),
        (403, AuthenticationFailed),
        (404, NotFound),
        (409, APIError),
        (413, BadRequest),
        (422, BadRequest),
        (429, RateLimited),
        (500, ServerError),
        (503, ServerError),
    ],
)
def test_a_refusal_is_the_error_of_its_status(
    client: Client, server: Server, status: int, kind: type[APIError]
) -> None:
    body = {"error": {"message": "no such thing", "code": "gone", "type": "t", "param": "p"}}
    headers = {"x-request-id": "req_1", "content-type": "application/json"}
    server.says(body, status=status, headers=headers)
    with pytest.raises(APIError, match=f"{status}: no such thing") as caught:
        client.models.list()
    assert type(caught.value) is kind
    error = caught.value
    assert (error.status_code, error.code, error.request_id) == (status, "gone", "req_1")
    assert (error.message, error.type, error.param) == (str(error), "t", "p")
    assert len(server.seen) == 1, "max_retries is 0"
    assert error.body == body["error"]
    assert (error.hint is not None) == (status in {401, 404})
    assert (error.hint is not None) == (status in {401, 404})


def test_long_words_of_a_server_are_shown_in_part(client: Client, server: Server) -> None:
    server.reply = Reply(b"no " * 300, status=400)
    with pytest.raises(BadRequest) as caught:
        client.models.list()
    assert str(caught.value) == "400: " + ("no " * 167)[:500].strip()
    server.reply = Reply(b"no " * 300)
    with pytest.raises(InvalidAnswer, match=": '" + ("no " * 67)[:200] + "'$"):
        client.models.list()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": "model not found"}', "404: model not found"),  # Ollama
        (b'{"message": "no", "type": "x", "code": 404}', "404: no"),  # vLLM
        (b'{"detail": "Not Found"}', "404: Not Found"),  # FastAPI
        (b'{"error": {"code": null}}', "404: {'error': {'code': None}}"),
        (b"<html>gone</html>", "404: <html>gone</html>"),
        (b"", "404: no reason given"),
        (b"[]", r"404: \[\]"),
    ],
)
def test_errors_of_other_servers_are_read_too(
    client: Client, server: Server, body: bytes, message: str
) -> None:
    server.reply = Reply(body, status=404)
    with pytest.raises(NotFound, match=f"^{message}$"):
        client.models.list()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>hello</html>", r"JSON is malformed: .*: '<html>hello</html>'"),
        (b"[1]", r"Model: expected an object, got list: '\[1\]'"),
        (b"{}", "Model: Missing required argument 'id': '{}'"),
        (b"", r"it is empty \(Input data was truncated\)"),
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error(
    client: Client, server: Server, body: bytes, message: str
) -> None:
    server.reply = Reply(body)
    host = server.url.removeprefix("http://")
    said = f"^the answer of {host} is not what was asked for: {message}$"
    with pytest.raises(InvalidAnswer, match=said) as caught:
        client.models.retrieve("a")
    assert caught.value.status_code == 200


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"data": "a"}'])
def test_what_is_no_list_is_not_taken_for_an_empty_one(
    client: Client, server: Server, body: bytes
) -> None:
    server.reply = Reply(body)
    with pytest.raises(InvalidAnswer, match="expected an object with a list as data: "):
        client.models.list()
    server.reply = Reply(b'{"data": null}')
    assert client.models.list().data == []


def endlessly_packed() -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    while True:
        yield packer.compress(b" " * 9999) + packer.flush(zlib.Z_SYNC_FLUSH)


def test_an_answer_without_an_end_is_not_read_to_it(
    client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedsearch.client.answers.MOST", 100_000)
    monkeypatch.setattr("embedsearch.client.answers.MOST_OF_A_FILE", 200_000)
    packed = {"content-type": "application/json", "content-encoding": "gzip"}
    endless = [
        lambda _: Reply(itertools.repeat(b" " * 9999)),
        lambda _: Reply(endlessly_packed(), headers=packed),
        lambda _: Reply(b" " * 200_001),
    ]

    async def retrieve() -> None:
        async with AsyncClient(base_url=server.url, api_key=KEY) as awaiting:
            await awaiting.models.retrieve("a")

    said = f"^the answer of {server.url[7:]} is not what was asked for: it has more than "
    for server.reply in endless:
        for ask in (lambda: client.models.retrieve("a"), lambda: asyncio.run(retrieve())):
            with pytest.raises(InvalidAnswer, match=said + "100,000 bytes$"):
                ask()
        with pytest.raises(InvalidAnswer, match=said + "200,000 bytes$") as caught:
            client.files.content("a")
        assert caught.value.hint == "a file of any size comes by with_streaming_response"
    server.reply = Reply([b" " * 100_000, b" " * 100_000])
    assert client.files.content("a").content == b" " * 200_000


@pytest.mark.parametrize("depth", [700, 100_000])
def test_an_answer_that_is_nested_without_an_end_is_an_error(
    client: Client, server: Server, depth: int
) -> None:
    nested = b'{"id": "a", "output": [], "tools": ' + b"[" * depth + b"]" * depth + b"}"
    server.reply = Reply(nested)
    with pytest.raises(InvalidAnswer, match="maximum recursion depth exceeded"):
        client.responses.retrieve("a")
    server.streams(b'data: {"type": "a", "response": ' + nested + b"}\n\n")
    with pytest.raises(InvalidAnswer, match="maximum recursion depth exceeded"):
        list(client.responses.retrieve("a", stream=True))


def test_a_length_beside_chunks_is_not_believed(client: Client, server: Server) -> None:
    server.reply = Reply([b'{"id":', b' "a"}'], headers={"content-length": "99"})
    assert client.models.retrieve("a").id == "a"


def test_an_error_without_an_end_is_the_error_of_its_status(client: Client, server: Server) -> None:
    server.reply = Reply(itertools.chain([b"no such"], itertools.repeat(b" " * 9999)), status=404)
    with pytest.raises(NotFound, match=r"^404: no such$"):
        client.models.retrieve("a")


def test_an_error_with_the_status_200_is_an_error(client: Client, server: Server) -> None:
    server.says({"error": {"message": "Provider returned error", "code": 502}})  # OpenRouter
    with pytest.raises(ServerError, match=r"^502: Provider returned error$"):
        client.chat.completions.create(model="m", messages=[])
    server.says({"error": "Unexpected endpoint or method. (POST /models). Returning 200 anyway"})
    with pytest.raises(APIError, match=r"^Unexpected endpoint"):  # LM Studio
        client.models.list()
    job = {"error": {"code": "invalid_training_file", "message": "no"}, "id": "j", "model": "m"}
    server.says({**job, "object": "fine_tuning.job", "created_at": 1, "status": "failed"})
    failed = client.fine_tuning.jobs.retrieve("j")
    assert failed.error is not None
    assert failed.error.message == "no"


def test_an_error_with_the_status_200_that_passes_is_tried_again(server: Server) -> None:
    replies = iter(
        [Reply(b' {"error": {"code": 429, "message": "slow down"}}'), Reply(b'{"id": "a"}')]
    )
    server.reply = lambda _: next(replies)
    with Client(base_url=server.url, api_key=KEY) as client:
        assert client.models.retrieve("a").id == "a"
    assert len(server.seen) == 2


def test_a_server_that_is_not_there_is_named_within_two_seconds() -> None:
    with socket.socket() as unheard:  # bound, and nobody listens
        unheard.bind(("127.0.0.1", 0))
        address = f"localhost:{unheard.getsockname()[1]}"
        client = Client(base_url=f"http://me:secret@{address}/v1")
        began = time.monotonic()
        with client, pytest.raises(ConnectionRefused) as caught:
            client.models.list()
    assert 0.3 < time.monotonic() - began < 2.5, "a server that starts up is waited for"
    assert str(caught.value) == f"nothing listens at http://{address}"
    assert caught.value.hint == (
        "start it, or name another: OPENAI_BASE_URL, --base-url; in Python: base_url=..."
    )


def test_a_server_without_tls_is_told_from_one_that_is_not_there(server: Server) -> None:
    began = time.monotonic()
    client = Client(base_url=server.url.replace("http", "https"), api_key=KEY)
    with client, pytest.raises(ConnectionFailed, match="WRONG_VERSION_NUMBER") as caught:
        client.models.list()
    assert caught.value.hint == "the base URL says https: does the server speak http?"
    assert time.monotonic() - began < 2, "it is not tried again in vain"


def test_the_awaiting_client_names_it_too() -> None:
    async def ask() -> None:
        async with AsyncClient(base_url="http://127.0.0.1:1/v1", max_retries=0) as client:
            await client.models.list()

    with pytest.raises(ConnectionRefused, match=r"nothing listens at http://127\.0\.0\.1:1$"):
        asyncio.run(ask())


def test_a_slow_server_times_out(client: Client, server: Server) -> None:
    def slow(_: Recorded) -> Reply:
        time.sleep(0.3)
        return Reply()

    server.reply = slow
    with pytest.raises(TimedOut, match="ReadTimeout"):
        client.models.list(timeout=0.05)


@pytest.mark.parametrize("timeout", [0.05, httpx.Timeout(5, read=0.05)])
def test_a_timeout_may_be_seconds_or_what_httpx_takes_wherever_it_is_given(
    client: Client, server: Server, timeout: float | httpx.Timeout
) -> None:
    def slow(_: Recorded) -> Reply:
        time.sleep(0.2)
        return Reply(b'{"data": []}')

    server.reply = slow
    with Client(base_url=server.url, api_key=KEY, max_retries=0, timeout=timeout) as impatient:
        for ask in (
            impatient.models.list,
            client.with_options(timeout=timeout).models.list,
            partial(client.models.list, timeout=timeout),
        ):
            with pytest.raises(TimedOut, match="ReadTimeout"):
                ask()
        assert impatient.with_options(timeout=None).models.list().data == []
        assert impatient.models.list(timeout=None).data == []


@pytest.mark.parametrize("seconds", [-1, 1e10, math.inf, math.nan])
def test_a_timeout_that_no_clock_has_is_refused_in_words(client: Client, seconds: float) -> None:
    said = rf"from 0 to \d+ seconds, or None for no end, got {seconds}$"
    with pytest.raises(ValueError, match=said):
        client.models.list(timeout=seconds)


def test_what_is_no_timeout_is_refused_in_words(client: Client) -> None:
    with pytest.raises(TypeError, match=r"expected a timeout in seconds, .*, got '5s'"):
        client.models.list(timeout="5s")  # type: ignore[arg-type]


def test_a_failure_that_passes_is_tried_again(server: Server) -> None:
    replies = iter([Reply(status=500, headers={"retry-after-ms": "1"}), Reply(b'{"id": "a"}')])
    server.reply = lambda _: next(replies)
    with Client(base_url=server.url, api_key=KEY) as client:
        assert client.models.retrieve("a").id == "a"
    assert len(server.seen) == 2


@pytest.mark.parametrize("headers", [{"retry-after": "3600"}, {"x-should-retry": "false"}])
def test_a_limit_that_lasts_is_not_waited_for(server: Server, headers: dict[str, str]) -> None:
    server.reply = Reply(b"slow down", status=429, headers=headers)
    with Client(base_url=server.url, api_key=KEY) as client:
        with pytest.raises(RateLimited, match=r"^429: slow down$") as caught:
            client.models.retrieve("a")
        waits = "the server asks to wait for 3,600 seconds"
        assert caught.value.hint == (waits if "retry-after" in headers else None)
        server.says({"id": "a"})
        began = time.monotonic()
        assert client.models.retrieve("a").id == "a"
    assert time.monotonic() - began < 5, "others need not wait for it"
    assert len(server.seen) == 2


# Redirects


def test_a_redirect_on_the_same_server_is_followed(client: Client, server: Server) -> None:
    def reply(seen: Recorded) -> Reply:
        if seen.path == "/moderations":
            return Reply(status=307, headers={"location": "/v9/moderations?a=b"})
        return Reply(b'{"results": []}')

    server.reply = reply
    client.moderations.create(input="a")
    assert [(seen.path, seen.query) for seen in server.seen] == [
        ("/moderations", ""),
        ("/v9/moderations", "a=b"),
    ]
    assert server.seen[1].content == {"input": "a"}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_key_goes_to_no_other_server(client: Client, server: Server, scheme: str) -> None:
    with serving() as other:
        location = other.url.replace("http", scheme) + "/models"
        server.reply = Reply(status=302, headers={"location": location})
        with pytest.raises(APIError, match=r"redirected .* which is not sent the key") as caught:
            client.models.list()
        said = "name the server that is meant: --base-url; in Python: base_url=..."
        assert caught.value.hint == said
        assert other.seen == []


def test_a_redirect_that_says_see_other_is_fetched(client: Client, server: Server) -> None:
    there = Reply(status=303, headers={"location": "/there"})
    server.reply = lambda seen: Reply(b'{"id": "b"}') if seen.path == "/there" else there
    assert client.batches.cancel("b").id == "b"
    assert [seen.method for seen in server.seen] == ["POST", "GET"]


def test_a_redirect_in_a_circle_ends(client: Client, server: Server) -> None:
    server.reply = Reply(status=302, headers={"location": "/models"})
    with pytest.raises(APIError, match="302: redirected more than 5 times"):
        client.with_options(max_retries=3).models.list()
    assert len(server.seen) == 6


def test_an_injected_client_that_follows_redirects_does_not(server: Server) -> None:
    with serving() as other:
        server.reply = Reply(status=302, headers={"location": f"{other.url}/models"})
        with httpx.Client(follow_redirects=True) as http:
            client = Client(base_url=server.url, api_key=KEY, http_client=http)
            with pytest.raises(APIError, match="not sent the key"):
                client.models.list()
        assert other.seen == []


# The key


def leaks(error: BaseException) -> str:
    """Give all that a traceback can show, variables included."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    below = [frame for frame in told.stack if "tests" not in frame.filename]
    causes = [told.__cause__, told.__context__]
    inner = [str(frame.locals) for cause in causes if cause for frame in cause.stack]
    return "".join([*(str(frame.locals) for frame in below), *inner, repr(error), str(vars(error))])


def test_the_key_is_nowhere_to_be_seen(
    client: Client, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.says({"error": {"message": f"wrong key {KEY}"}}, status=401)
    with pytest.raises(AuthenticationFailed, match=r"wrong key \[key\]") as refused:
        client.models.list()
    server.reply = Reply(b"{", cut=True)
    with pytest.raises(ConnectionFailed) as torn:
        client.models.list()
    server.says({"echo": KEY})
    with pytest.raises(InvalidAnswer, match=r"'{\"echo\":\"\[key\]\"}'$") as garbled:
        client.models.retrieve("a")
    server.says({"error": {"message": f"wrong key {KEY}", "code": 400}})
    with pytest.raises(BadRequest, match=r"wrong key \[key\]") as quoting:
        client.models.retrieve("a")
    server.streams(b'data: {"error": {"message": "wrong key %s"}}\n\n' % KEY.encode())
    with pytest.raises(APIError, match=r"wrong key \[key\]") as streamed:
        list(client.chat.completions.create(model="m", messages=[], stream=True))
    shown = [repr(client), repr(client.driver.settings), repr(client.driver), caplog.text]
    shown += [leaks(caught.value) for caught in (refused, torn, quoting)]
    shown += [f"{e.value!r} {vars(e.value)}" for e in (garbled, streamed)]
    assert repr(client) == f"<Client of {server.url[7:]}>"
    assert "_drive" not in caplog.text
    assert KEY not in "".join(shown)


def test_a_placeholder_for_a_key_is_a_word_as_any_other(server: Server) -> None:
    server.says({"error": {"message": "ollama has no model m"}}, status=400)
    client = Client(base_url=server.url, api_key="ollama")
    with client, pytest.raises(BadRequest, match=r"^400: ollama has no model m$"):
        client.models.list()


def test_a_key_that_can_not_be_sent_is_not_shown(server: Server) -> None:
    client = Client(base_url=server.url, api_key=KEY + "\nX: y")
    with client, pytest.raises(ValueError, match="a character that can't be sent") as caught:
        client.models.list()
    assert KEY not in leaks(caught.value)
    client = Client(base_url=server.url, api_key=KEY.encode())  # type: ignore[arg-type]
    with client, pytest.raises(TypeError, match="expected the API key as str, got bytes") as other:
        client.models.list()
    assert KEY not in leaks(other.value)


@pytest.mark.parametrize("value", ["another-key\n", "another-kéy"])
def test_a_header_that_can_not_be_sent_is_named_and_not_shown(server: Server, value: str) -> None:
    with (
        Client(base_url=server.url, default_headers={"X-API-Key": value}) as client,
        pytest.raises(ValueError, match="the header 'x-api-key' holds a character") as caught,
    ):
        client.models.list()
    assert value not in str(caught.value)
    assert server.seen == []


def test_what_an_address_holds_of_a_login_is_not_shown(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ValueError, match=r"'example\.com' would send the key") as refused:
        Client(base_url="http://me:secret@example.com/v1", api_key=KEY)
    server.says({}, status=302, headers={"location": "https://other.example/"})
    address = server.url.replace("://", "://me:secret@")
    with Client(base_url=address, api_key=KEY) as client:
        with pytest.raises(APIError, match="which is not sent the key") as astray:
            client.models.list()
        shown = [str(refused.value), str(astray.value), repr(client.driver.settings)]
    assert f"GET {server.url}/models " in caplog.text
    assert "secret" not in "".join([*shown, caplog.text])


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("me:secret77", "secret77"),
        ("me:p%C3%A9%22%3As", 'pé":s'),
        ("secret77", "-"),
        ("me:at", "-"),
    ],
)
def test_a_password_that_a_server_quotes_is_not_shown(
    server: Server, login: str, password: str
) -> None:
    server.says({"error": {"message": f"me at work may not log in with {password}"}}, status=401)
    shown = password if password == "-" else "[key]"  # noqa: S105 - no secret
    with (
        Client(base_url=server.url.replace("://", f"://{login}@")) as client,
        pytest.raises(AuthenticationFailed) as caught,
    ):
        client.models.list()
    assert caught.value.message == f"401: me at work may not log in with {shown}"
    assert shown == password or password not in str(vars(caught.value))


@pytest.mark.parametrize("sent", ["Basic x", "Basic /w==", "Basic"])
def test_a_header_that_is_no_login_is_no_matter(server: Server, sent: str) -> None:
    server.says({"error": {"message": "who?"}}, status=401)
    with (
        Client(base_url=server.url, default_headers={"authorization": sent}) as client,
        pytest.raises(AuthenticationFailed, match=r"^401: who\?$"),
    ):
        client.models.list()


# Pages


def test_iterating_a_list_fetches_all_its_pages(client: Client, server: Server) -> None:
    replies = {"": page("a", "b", more=True), "b": page("c", more=True), "c": page(more=False)}

    def reply(seen: Recorded) -> Reply:
        after = dict(pair for pair in seen.essence["query"]).get("after", "")
        return Reply(json.dumps(replies[after]).encode())

    server.reply = reply
    assert [file.id for file in client.files.list(limit=2)] == ["a", "b", "c"]
    assert [seen.query for seen in server.seen] == ["limit=2", "limit=2&after=b", "limit=2&after=c"]

    first = client.files.list()
    assert (first.has_more, first.has_next_page(), len(first.data)) == (True, True, 2)
    assert [file.id for file in first.get_next_page().data] == ["c"]
    last = list(first.iter_pages())[-1]
    with pytest.raises(LookupError, match="this is the last page"):
        last.get_next_page()

    async def gather() -> tuple[list[str], list[int]]:
        async with AsyncClient(base_url=server.url, api_key=KEY) as awaiting:
            ids = [file.id async for file in awaiting.files.list()]
            first = await awaiting.files.list()
            return ids, [len(page.data) async for page in first.iter_pages()]

    assert asyncio.run(gather()) == (["a", "b", "c"], [2, 1, 0])


def test_nothing_follows_an_empty_page_whatever_it_says(client: Client, server: Server) -> None:
    server.says({**page(more=True), "last_id": "z"})
    assert list(client.files.list()) == []
    assert len(server.seen) == 1


def test_a_server_that_gives_the_same_page_again_is_not_asked_for_ever(
    client: Client, server: Server
) -> None:
    server.says(page("a", "b", more=True))
    with pytest.raises(InvalidAnswer, match="expected what follows 'b', got it again: "):
        list(client.files.list())
    assert len(server.seen) == 2


def test_a_server_that_names_the_last_id_is_believed(client: Client, server: Server) -> None:
    server.says({**page("a", more=True), "last_id": "z", "extra": 1})
    first = client.batches.list()
    assert first.to_dict()["extra"] == 1
    server.says(page(more=False))
    first.get_next_page()
    assert server.seen[1].query == "after=z"


# Raw answers


def test_a_raw_answer_has_status_and_headers(client: Client, server: Server) -> None:
    server.reply = Reply(b'{"id": "a"}', headers={"x-request-id": "r", "x-ratelimit-a": "1"})
    for resource in (client.with_raw_response.models, client.models.with_raw_response):
        raw = resource.retrieve("a")
        assert (raw.status_code, raw.request_id, raw.headers["x-ratelimit-a"]) == (200, "r", "1")
        assert (raw.text, raw.parse().id) == ('{"id": "a"}', "a")
    server.says(page("a", more=False))
    assert [model.id for model in client.with_raw_response.models.list().parse()] == ["a"]
    assert client.beta.responses.with_raw_response.version == {"beta": "true"}


def test_raw_answers_await_and_stream(server: Server) -> None:
    async def gather() -> list[Any]:
        async with AsyncClient(base_url=server.url, api_key=KEY) as client:
            server.says(page("a", more=False))
            listed = (await client.with_raw_response.models.list()).parse()
            server.says({"id": "b"})
            one = (await client.with_raw_response.models.retrieve("b")).parse()
            server.streams(b'data: {"choices": [{"text": "c"}]}\n\ndata: [DONE]\n\n')
            create = client.with_raw_response.completions.create
            raw = await create(model="m", prompt="", stream=True)
            texts = [event.choices[0].text async for event in raw.parse()]
            return [[m.id async for m in listed], one.id, raw.status_code, texts]

    assert asyncio.run(gather()) == [["a"], "b", 200, ["c"]]


# Uploads


def test_a_file_goes_out_without_being_read_whole(tmp_path: Path) -> None:
    big = tmp_path / "big.bin"
    with big.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        sent = sending(big)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert sent > 64 * 1024 * 1024
    assert peak < 4 * 1024 * 1024


def sending(path: Path) -> int:
    """Upload to a server that throws everything away; give how many bytes it got."""
    got = 0

    class Swallowing(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal got
            assert isinstance(request.stream, httpx.SyncByteStream)
            got = sum(len(chunk) for chunk in request.stream)
            assert got == int(request.headers["content-length"])
            return httpx.Response(200, json={"id": "file-1"})

    http = httpx.Client(transport=Swallowing())
    Client(api_key=KEY, http_client=http).files.create(file=path, purpose="batch")
    return got


class Once(io.BytesIO):
    """As a pipe, it gives its bytes once."""

    name = "once.mp3"

    def seekable(self) -> bool:
        return False


def test_every_kind_of_file_is_taken_and_named(
    client: Client, server: Server, tmp_path: Path
) -> None:
    path = tmp_path / 'a"b ü.jsonl'
    path.write_bytes(b"12345")
    server.says({"id": "file-1"})
    with path.open("rb") as file:
        file.seek(2)
        named: Any = ("n.txt", io.BytesIO(b"12345")), ("x", path, "a/b"), ("\udcff.txt", b"12345")
        named += ("t.txt", "é"), Once(b"12345")
        for given in (path, b"12345", file, *named):
            client.files.create(file=given, purpose="batch")
    sent = [{part[0]: part[1:] for part in seen.content}["file"] for seen in server.seen]
    assert sent == [
        ("a%22b ü.jsonl", "application/octet-stream", b"12345"),
        ("upload", "application/octet-stream", b"12345"),
        ("a%22b ü.jsonl", "application/octet-stream", b"345"),
        ("n.txt", "text/plain", b"12345"),
        ("x", "a/b", b"12345"),
        ("?.txt", "text/plain", b"12345"),
        ("t.txt", "text/plain", "é".encode()),
        ("once.mp3", "audio/mpeg", b"12345"),
    ]


@pytest.mark.parametrize("file", ["a.txt", io.StringIO("a"), 3])
def test_what_is_no_binary_file_is_refused(client: Client, file: Any) -> None:
    with pytest.raises(TypeError, match=r"expected a file as a pathlib\.Path"):
        client.files.create(file=file, purpose="batch")


def test_an_upload_is_sent_again_from_its_start(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"12345")

    for given in (path, io.BytesIO(b"12345"), Once(b"12345")):
        replies = iter([Reply(status=500, headers={"retry-after-ms": "1"}), Reply(b'{"id": "f"}')])
        server.reply = lambda _, replies=replies: next(replies)
        server.seen.clear()
        with Client(base_url=server.url, api_key=KEY) as client:
            client.files.create(file=given, purpose="batch")
        assert [seen.content[0][3] for seen in server.seen] == [b"12345", b"12345"]


def test_a_file_that_shrinks_while_it_is_sent_is_no_silent_loss() -> None:
    class Shrinking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            self.truncate(3)
            return super().read(size)

    with serving() as server, Client(base_url=server.url) as client:
        file = Shrinking(b"12345")
        with pytest.raises(OSError, match="the file shrank while it was sent: 2 bytes are missing"):
            client.files.create(file=file, purpose="batch")


def test_a_file_of_any_size_goes_in_parts(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"0123456789")

    def reply(seen: Recorded) -> Reply:
        ident = f"part_{len(server.seen)}" if seen.path.endswith("parts") else "up"
        return Reply(json.dumps({"id": ident, "status": "completed"}).encode())

    server.reply = reply
    asked: dict[str, Any] = {"file": path, "mime_type": "text/jsonl", "purpose": "batch"}
    with Client(base_url=server.url, api_key=KEY) as client:
        assert client.uploads.upload_file_chunked(**asked, part_size=4).status == "completed"
    blocking = [(seen.path, seen.content) for seen in server.seen]
    server.seen.clear()

    async def upload() -> None:
        async with AsyncClient(base_url=server.url, api_key=KEY) as client:
            await client.uploads.upload_file_chunked(**asked, part_size=4)

    asyncio.run(upload())
    assert [(seen.path, seen.content) for seen in server.seen] == blocking
    kind = {"mime_type": "text/jsonl", "purpose": "batch"}
    octets = "application/octet-stream"
    assert blocking == [
        ("/uploads", {"bytes": 10, "filename": "rows.jsonl", **kind}),
        ("/uploads/up/parts", [("data", "upload", octets, b"0123")]),
        ("/uploads/up/parts", [("data", "upload", octets, b"4567")]),
        ("/uploads/up/parts", [("data", "upload", octets, b"89")]),
        ("/uploads/up/complete", {"part_ids": ["part_2", "part_3", "part_4"]}),
    ]
    server.seen.clear()
    given: dict[str, Any] = {**asked, "file": path.read_bytes(), "part_size": 4}
    with Client(base_url=server.url, api_key=KEY) as client:
        client.uploads.upload_file_chunked(**given, filename="rows.jsonl")
        assert [(seen.path, seen.content) for seen in server.seen] == blocking
        with pytest.raises(ValueError, match="expected a filename for what is given as bytes"):
            client.uploads.upload_file_chunked(**given)
        with pytest.raises(ValueError, match="expected a part_size of 1 or more, got 0"):
            client.uploads.upload_file_chunked(**{**given, "part_size": 0}, filename="a")


def test_a_download_can_be_kept(client: Client, server: Server, tmp_path: Path) -> None:
    server.reply = Reply(b"\x00\x01\x02")
    content = client.files.content("file-1")
    content.write_to_file(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == content.read() == b"\x00\x01\x02"
    assert list(content.iter_bytes(2)) == [b"\x00\x01", b"\x02"]
    content.stream_to_file(tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == content.content


def test_a_large_download_goes_to_a_file_as_it_comes(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"

    async def adownload() -> None:
        async with AsyncClient(base_url=server.url, max_retries=0) as client:
            async with client.files.with_streaming_response.content("f") as answer:
                await answer.stream_to_file(path)
            async with client.files.with_streaming_response.content("f") as answer:
                assert [chunk async for chunk in answer.iter_bytes()] == [b"xy", b"z"]

    with Client(base_url=server.url, max_retries=0) as client:
        content = client.files.with_streaming_response.content
        server.reply = Reply([b"01", b"2"])
        with content("f") as answer:
            answer.stream_to_file(path)
        assert path.read_bytes() == b"012"
        server.reply = Reply([b"345"], cut=True)
        with content("f") as answer, pytest.raises(ConnectionFailed):
            answer.stream_to_file(path)
        server.says({"error": "gone"}, status=404)
        with pytest.raises(NotFound, match="gone"), content("f"):
            pass
    assert path.read_bytes() == b"012"
    server.reply = Reply([b"xy", b"z"])
    asyncio.run(adownload())
    assert path.read_bytes() == b"xyz"
    assert list(tmp_path.iterdir()) == [path]


def test_a_download_changes_neither_the_kind_of_a_file_nor_who_may_read_it(
    client: Client, server: Server, tmp_path: Path
) -> None:
    server.reply = Reply(b"012")
    plain, new, old, link, pipe = (tmp_path / name for name in "plain new old link pipe".split())
    plain.write_bytes(b"")
    old.write_bytes(b"")
    old.chmod(0o640)
    link.symlink_to(old)
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    for path in (new, link, pipe):
        with client.files.with_streaming_response.content("f") as answer:
            answer.stream_to_file(path)
    reader.join()
    assert new.stat().st_mode == plain.stat().st_mode
    assert (link.is_symlink(), old.read_bytes(), old.stat().st_mode & 0o777) == (
        True,
        b"012",
        0o640,
    )
    assert (pipe.is_fifo(), got) == (True, [b"012"])


def test_any_answer_can_be_had_as_it_comes(client: Client, server: Server) -> None:
    async def each() -> list[bytes]:
        async with AsyncClient(base_url=server.url) as awaiting:
            files, chat = awaiting.files, awaiting.chat.completions
            async with files.with_streaming_response.list() as answer:
                came = [chunk async for chunk in answer.iter_bytes()]
            create = chat.with_streaming_response.create
            async with create(model="m", messages=[], stream=True) as answer:
                return came + [chunk async for chunk in answer.iter_bytes()]

    server.reply = Reply(b"data: 1")
    with client.files.with_streaming_response.list() as answer:
        assert b"".join(answer.iter_bytes()) == b"data: 1"
    create = client.with_streaming_response.chat.completions.create
    with create(model="m", messages=[], stream=True) as answer:
        assert b"".join(answer.iter_bytes()) == b"data: 1"
    assert asyncio.run(each()) == [b"data: 1"] * 2


def test_what_comes_can_be_cut_into_pieces_and_lines(client: Client, server: Server) -> None:
    async def each() -> list[str | bytes]:
        async with AsyncClient(base_url=server.url) as awaiting:
            content = awaiting.files.with_streaming_response.content
            async with content("f") as answer:
                pieces = [piece async for piece in answer.iter_bytes(chunk_size=5)]
            async with content("f") as answer:
                return pieces + [line async for line in answer.iter_lines()]

    server.reply = Reply([b"one\r", b"\ntw", b"o\n\nthr", b"ee"])
    expected = [b"one\r\n", b"two\n\n", b"three", "one", "two", "", "three"]
    content = client.files.with_streaming_response.content
    with content("f") as answer:
        pieces = list(answer.iter_bytes(5))
    with content("f") as answer:
        assert pieces + list(answer.iter_lines()) == expected
    assert asyncio.run(each()) == expected


# The document


def test_the_page_about_the_client_runs(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def reply(seen: Recorded) -> Reply:
        asked = seen.content
        if seen.path == "/embeddings":
            data = [{"index": i, "embedding": [1.0, 2.0]} for i, _ in enumerate(asked["input"])]
            return Reply(json.dumps({"data": data, "usage": {"prompt_tokens": 2}}).encode())
        if asked.get("stream"):
            event = b'data: {"choices": [{"delta": {"content": "hel"}}]}\n\n'
            end = b"data: [DONE]\n\n"
            return Reply([event, event, end], headers={"content-type": "text/event-stream"})
        return Reply(b'{"choices": [{"message": {"content": "hello"}}]}')

    server.reply = reply
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    page = (DOCS / "client.md").read_text(encoding="utf-8")
    exec(page.split("```python\n")[1].split("```")[0], {})  # noqa: S102 - our own page
    assert capsys.readouterr().out == "(2, 2)\nhello None\nhelhel"


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (
            lambda c: c.files.create(file=None, purpose="batch"),
            "Files.create() got arguments it can't use: None for ['file']",
        ),
        (
            lambda c: c.chat.completions.create(model=None, messages=None),
            "Completions.create() got arguments it can't use: None for ['messages', 'model']",
        ),
        (
            lambda c: c.chat.completions.create(model="m", messages="hi"),
            "expected a list of messages, got one str",
        ),
        (
            lambda c: c.chat.completions.create(model="m", messages=[{"role": "user"}, "hi"]),
            "expected a message, a dict, at position 1, got str",
        ),
        (
            lambda c: c.embeddings.create_array(["a", None], model="m"),
            "expected texts, got NoneType at position 1",
        ),
        (
            lambda c: c.embeddings.create_array(iter([3]), model="m"),
            "expected texts, got int at position 0",
        ),
        (lambda c: c.embeddings.create_array(None, model="m"), "expected texts, got NoneType"),
    ],
)
def test_says_what_was_expected_before_anything_is_sent(
    client: Client, server: Server, call: Any, why: str
) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(why)}$"):
        call(client)
    assert server.seen == []


def test_what_may_be_none_may(client: Client, server: Server) -> None:
    server.says({"id": "a", "choices": []})
    client.chat.completions.update("a", metadata=None)
    assert server.seen[0].content == {"metadata": None}

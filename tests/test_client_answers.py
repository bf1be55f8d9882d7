"""What can be done with an answer, beside the SDK: as a record, raw, while it comes, as a file."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from openai import AsyncOpenAI, OpenAI
from recording import Reply, Server, serving

from embedsearch import AsyncClient, Client
from embedsearch.errors import ConnectionFailed, InvalidAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL = {"id": "a", "created": 1, "object": "model", "owned_by": "café"}
PAGE = {"object": "list", "data": [MODEL], "has_more": False, "first_id": "a", "last_id": "a"}
TOLD = {"content-type": "application/json", "x-request-id": "req_1"}
EVENT = b'data: {"id": "c", "choices": [{"text": "d", "index": 0, "finish_reason": "stop"}]}\n\n'


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        server.says(MODEL, headers=TOLD)
        yield server


@pytest.fixture
def clients(server: Server) -> Iterator[list[Any]]:
    """Give ours and theirs."""
    account: dict[str, Any] = {"base_url": f"{server.url}/v1", "api_key": "k", "max_retries": 1}
    with Client(**account) as ours, OpenAI(**account) as theirs:
        yield [ours, theirs]


def same(found: list[Any]) -> Any:
    """Give what both found."""
    assert found[0] == found[1]
    return found[0]


def test_a_record_is_written_as_json(clients: list[Any]) -> None:
    models = [client.models.retrieve("a") for client in clients]
    assert same([model.to_json() for model in models]) == json.dumps(
        MODEL, indent=2, ensure_ascii=False
    )
    written = same([model.to_json(indent=None) for model in models])
    assert written == '{"id":"a","created":1,"object":"model","owned_by":"café"}'
    dumped = [models[0].model_dump_json(), models[1].model_dump_json(exclude_unset=True)]
    assert same(dumped) == written
    assert models[0].model_dump() == same([model.to_dict() for model in models]) == MODEL


def test_an_answer_knows_its_request(clients: list[Any], server: Server) -> None:
    for client in clients:
        assert client.models.retrieve("a")._request_id == "req_1"
        server.says(PAGE, headers=TOLD)
        page = client.files.list()
        assert (page._request_id, page.object, page.first_id, page.last_id) == (
            "req_1",
            "list",
            "a",
            "a",
        )
        assert getattr(page.data[0], "_request_id", None) is None
        server.says(MODEL)
        assert client.models.retrieve("a")._request_id is None
        server.says(MODEL, headers=TOLD)


def test_a_client_tells_its_settings_but_not_its_key(clients: list[Any], server: Server) -> None:
    for client in clients:
        other = client.copy(timeout=3, max_retries=7)
        assert (other.timeout, other.max_retries, client.max_retries) == (3, 7, 1)
        assert str(client.base_url).rstrip("/") == f"{server.url}/v1"
        assert client.is_closed() is False
        client.close()
        assert client.is_closed() is True
    assert not hasattr(clients[0], "api_key")
    assert Client(base_url="http://me:word@localhost:1/v1").base_url == "http://localhost:1/v1"
    awaiting = AsyncClient(base_url=server.url).copy(timeout=None)
    assert (awaiting.timeout, awaiting.max_retries, awaiting.is_closed()) == (None, 5, False)


def test_a_raw_answer_says_how_it_was_asked_for(clients: list[Any], server: Server) -> None:
    for client in clients:
        passing = Reply(status=503, headers={"retry-after-ms": "1"})
        replies = iter([passing, Reply(json.dumps(MODEL).encode(), headers=TOLD)])
        server.reply = lambda _, replies=replies: next(replies)
        raw = client.models.with_raw_response.retrieve("a b")
        assert (raw.method, str(raw.url)) == ("GET", f"{server.url}/v1/models/a%20b")
        assert (raw.request_id, raw.retries_taken) == ("req_1", 1)
        assert raw.parse() is raw.parse()
        assert raw.parse()._request_id == "req_1"


def test_an_address_is_told_without_a_login(server: Server) -> None:
    with Client(base_url=server.url.replace("://", "://me:word@")) as client:
        assert client.with_raw_response.models.retrieve("a").url == f"{server.url}/models/a"


def test_an_answer_that_comes_can_be_read_in_any_form(clients: list[Any], server: Server) -> None:
    for client in clients:
        server.reply = Reply([b'{"id": "caf\xc3', b'\xa9"}'], headers=TOLD)
        with client.models.with_streaming_response.retrieve("a") as answer:
            assert (answer.request_id, answer.method, answer.status_code) == ("req_1", "GET", 200)
            assert answer.read() == b'{"id": "caf\xc3\xa9"}'
            assert (answer.text(), answer.json()) == ('{"id": "café"}', {"id": "café"})
            assert answer.parse().id == "café"
        with client.models.with_streaming_response.retrieve("a") as answer:
            assert "".join(answer.iter_text()) == '{"id": "café"}'
        with client.models.with_streaming_response.retrieve("a") as answer:
            assert answer.parse().id == "café"
            answer.close()
        server.says(PAGE)
        with client.files.with_streaming_response.list() as answer:
            assert [file.id for file in answer.parse()] == ["a"]
        server.streams(EVENT, b"data: [DONE]\n\n")
        create = client.completions.with_streaming_response.create
        with create(model="m", prompt="", stream=True) as answer:
            assert [event.choices[0].text for event in answer.parse()] == ["d"]


def test_it_can_be_awaited_in_any_form(server: Server) -> None:
    async def ask(client: Any) -> list[Any]:
        server.reply = Reply([b'{"id": "caf\xc3', b'\xa9"}'], headers=TOLD)
        retrieve = client.models.with_streaming_response.retrieve
        async with retrieve("a") as answer:
            found = [await answer.read(), await answer.text(), await answer.json()]
            found.append((await answer.parse()).id)
            await answer.close()
        async with retrieve("a") as answer:
            found.append("".join([text async for text in answer.iter_text()]))
        server.says(PAGE)
        async with client.files.with_streaming_response.list() as answer:
            found.append([file.id async for file in await answer.parse()])
        server.streams(EVENT, b"data: [DONE]\n\n")
        create = client.completions.with_streaming_response.create
        async with create(model="m", prompt="", stream=True) as answer:
            found.append([event.choices[0].text async for event in await answer.parse()])
        await client.close()
        return found

    kinds: list[Any] = [AsyncClient, AsyncOpenAI]
    account = {"base_url": server.url, "api_key": "k"}
    text = '{"id": "café"}'
    assert same([asyncio.run(ask(kind(**account))) for kind in kinds]) == [
        text.encode(),
        text,
        {"id": "café"},
        "café",
        text,
        ["a"],
        ["d"],
    ]


def test_an_answer_that_is_over_is_told_as_such(clients: list[Any], server: Server) -> None:
    host = server.url.split("/")[2]
    told = f"^the answer of {host} can't be read any more: it is closed, or was read$"
    retrieve = clients[0].models.with_streaming_response.retrieve
    with retrieve("a") as left:
        pass
    with retrieve("a") as read:
        list(read.iter_bytes())
        with pytest.raises(ConnectionFailed, match=told):
            read.text()
    with pytest.raises(ConnectionFailed, match=told) as caught:
        left.parse()
    assert caught.value.hint == "read it once, before it is closed; what leaves a with block closes"
    server.streams(EVENT, b"data: [DONE]\n\n")
    with clients[0].completions.create(model="m", prompt="", stream=True) as stream:
        pass
    with pytest.raises(ConnectionFailed, match=told):
        next(stream)

    async def leave() -> None:
        async with AsyncClient(base_url=server.url) as client:
            async with client.models.with_streaming_response.retrieve("a") as answer:
                pass
            await answer.parse()

    with pytest.raises(ConnectionFailed, match=told):
        asyncio.run(leave())


def test_text_that_is_cut_ends_with_a_sign_for_it(clients: list[Any], server: Server) -> None:
    server.reply = Reply([b"caf\xc3"])
    with clients[0].files.with_streaming_response.content("f") as answer:
        assert list(answer.iter_text()) == ["caf", "\ufffd"]

    async def ask() -> list[str]:
        client = AsyncClient(base_url=server.url)
        async with client, client.files.with_streaming_response.content("f") as answer:
            return [text async for text in answer.iter_text()]

    assert asyncio.run(ask()) == ["caf", "\ufffd"]


def test_what_is_read_whole_has_an_end(
    clients: list[Any], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedsearch.client.answers.MOST", 20)
    server.reply = Reply([b"[" + b" " * 10, b" " * 10])
    with (
        clients[0].models.with_streaming_response.retrieve("a") as answer,
        pytest.raises(InvalidAnswer, match=r"it has more than 20 bytes$"),
    ):
        answer.parse()
    server.reply = Reply([b"["], cut=True)
    with (
        clients[0].models.with_streaming_response.retrieve("a") as answer,
        pytest.raises(ConnectionFailed),
    ):
        answer.read()


def test_a_file_has_lines_and_json_and_can_be_awaited(
    clients: list[Any], server: Server, tmp_path: Path
) -> None:
    content = '{"a": "é"}\r\n{"a": 2}\n'.encode()
    server.reply = Reply(content)
    found = [client.files.content("f") for client in clients]
    assert same([list(file.iter_lines()) for file in found]) == ['{"a": "é"}', '{"a": 2}']
    server.reply = Reply(b'{"a": 1}')
    assert same([client.files.content("f").json() for client in clients]) == {"a": 1}
    server.reply = Reply("a\u2028b\nc".encode())
    assert list(clients[0].files.content("f").iter_lines()) == ["a\u2028b", "c"]

    async def keep() -> list[bytes]:
        async with AsyncClient(base_url=server.url) as client:
            file = await client.files.content("f")
            await file.astream_to_file(tmp_path / "a")
            return [await file.aread(), *[piece async for piece in file.aiter_bytes(4)]]

    server.reply = Reply(b"012345")
    assert asyncio.run(keep()) == [b"012345", b"0123", b"45"]
    assert (tmp_path / "a").read_bytes() == b"012345"

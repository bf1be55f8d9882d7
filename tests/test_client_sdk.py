"""Both clients beside OpenAI's own SDK: they ask for the same, and read the same out of answers."""

from __future__ import annotations

import asyncio
import json
import re
import warnings
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import reduce
from inspect import ismethod, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import msgspec
import openai
import pytest
from openai import AsyncOpenAI, AzureOpenAI, OpenAI
from openai._resource import SyncAPIResource
from operations import OPERATIONS, STREAMS, Operation
from pydantic import BaseModel
from recording import Recorded, Reply, Server, serving
from specimens import answer_schema, specimen, variants

from embedsearch import AsyncClient, Client
from embedsearch.client.pages import AsyncPage, AsyncPages, Page
from embedsearch.client.streams import Stream
from embedsearch.client.types.chat import Completion
from embedsearch.client.types.models import Model
from embedsearch.client.types.record import Record
from embedsearch.errors import APIError

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = (Record, Page, AsyncPage)
ACCOUNT: dict[str, Any] = {"api_key": "sk-1", "organization": "org-1", "project": "proj_1"}

VOICE = {"id": "voice_1", "object": "audio.voice", "name": "Ada", "created_at": 1}
CONSENT = {**VOICE, "id": "cons_1", "object": "audio.voice_consent", "language": "en-US"}
UNDESCRIBED = {
    "POST /audio/voice_consents": CONSENT,
    "GET /audio/voice_consents": {"object": "list", "data": [CONSENT], "has_more": False},
    "GET /audio/voice_consents/{consent_id}": CONSENT,
    "POST /audio/voice_consents/{consent_id}": CONSENT,
    "DELETE /audio/voice_consents/{consent_id}": {"id": "cons_1", "deleted": True},
    "POST /audio/voices": VOICE,
}


@dataclass(frozen=True)
class Pair:
    """Ours and theirs, blocking and awaiting, of one server."""

    server: Server
    blocking: tuple[Client, OpenAI]
    awaiting: tuple[AsyncClient, AsyncOpenAI]
    runner: asyncio.Runner

    def outcomes(self, operation: Operation) -> tuple[list[Any], list[Recorded]]:
        """Call all four; give what each gave, and what each sent."""
        self.server.seen.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # The SDK calls some endpoints deprecated.
            found = [whole(operation.on(client)) for client in self.blocking]
            found += [self.runner.run(awaited(operation, client)) for client in self.awaiting]
        return found, self.server.seen[:]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with serving() as server, asyncio.Runner() as runner:
        account: dict[str, Any] = {"base_url": f"{server.url}/v1", **ACCOUNT}
        with Client(**account) as ours, OpenAI(**account) as theirs:
            awaiting = AsyncClient(**account), AsyncOpenAI(**account)
            yield Pair(server, (ours, theirs), awaiting, runner)
            for client in awaiting:
                runner.run(client.close())


def answer_of(operation: Operation) -> Any:
    """Make up what the server answers; a list says that it ends here."""
    if operation.spec in UNDESCRIBED:
        return UNDESCRIBED[operation.spec]
    schema = answer_schema(operation.spec)
    if operation.arguments.get("response_format") == "verbose_json":
        schema = {"$ref": "#/components/schemas/CreateTranscriptionResponseVerboseJson"}
    answer = specimen(schema) if schema else {}
    if isinstance(answer, dict) and "has_more" in answer:
        answer["has_more"] = False
    if operation.name == "embeddings.create" and "encoding_format" not in operation.arguments:
        answer["data"][0]["embedding"] = "AACAPwAAAMA="
    return answer


def whole(found: Any) -> Any:
    """Read a stream to its end."""
    return list(found) if hasattr(found, "__next__") else found


async def awaited(operation: Operation, client: Any) -> Any:
    """Await an answer, or a stream to its end."""
    answer = await operation.on(client)
    return [event async for event in answer] if hasattr(answer, "__anext__") else answer


def value(found: Any) -> Any:
    """What an answer says, whoever read it."""
    if isinstance(found, list):
        return [value(item) for item in found]
    if hasattr(found, "to_dict"):
        return found.to_dict(**({} if isinstance(found, OURS) else {"warnings": False}))
    if hasattr(found, "read"):
        return found.read()
    return found


def same(ours: Any, theirs: Any, where: str) -> None:
    """Compare every attribute that theirs, or ours, has of what came.

    Pydantic has other uses for names that begin with ``model_``: theirs have ``api_`` before that.
    """
    if isinstance(theirs, BaseModel):
        for name in {*theirs.model_fields_set, *(theirs.model_extra or {})}:
            same(getattr(ours, name.removeprefix("api_")), getattr(theirs, name), f"{where}.{name}")
    elif isinstance(ours, Record):  # which they have as an object of no kind
        for name in ours.to_dict():
            same(getattr(ours, name), theirs[name], f"{where}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and ours:
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            same(one, other, f"{where}[{index}]")
    else:
        assert (where, value(ours)) == (where, value(theirs))


def answers(server: Server, operation: Operation) -> None:
    """Let a server answer an operation as the specification says, or with a sound."""
    server.says(answer_of(operation))
    if operation.name == "audio.speech.create":
        server.reply = Reply(b"RIFF", headers={"content-type": "audio/wav"})


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda op: f"{op}-{op.spec}")
def test_asks_and_reads_as_the_sdk_does(operation: Operation, pair: Pair) -> None:
    answers(pair.server, operation)
    (ours, theirs, ours_awaited, theirs_awaited), seen = pair.outcomes(operation)
    assert [request.essence for request in seen] == [seen[1].essence] * 4
    if operation.arguments.get("response_format") == "srt":
        assert ours.text == theirs == theirs_awaited == ours_awaited.text
    else:
        assert value(ours) == value(theirs) == value(ours_awaited) == value(theirs_awaited)
        same(getattr(ours, "data", ours), getattr(theirs, "data", theirs), operation.name)


@pytest.mark.parametrize("operation", STREAMS, ids=str)
def test_streams_as_the_sdk_does(operation: Operation, pair: Pair) -> None:
    schema = answer_schema(operation.spec, "text/event-stream") or answer_schema(
        "POST /responses", "text/event-stream"
    )
    if operation.name == "completions.create":
        schema = answer_schema(operation.spec)
    assert schema is not None
    events = variants(schema)
    text = "".join(f"event: {e.get('type', 'x')}\r\ndata: {json.dumps(e)}\r\n\r\n" for e in events)
    content = text.encode() + b": a comment\n\ndata: [DONE]\n\n"
    pair.server.streams(*(content[i : i + 1000] for i in range(0, len(content), 1000)))
    found, seen = pair.outcomes(operation)
    assert [request.essence for request in seen] == [seen[1].essence] * 4
    assert [len(stream) for stream in found] == [len(events)] * 4
    assert value(found[0]) == value(found[1]) == value(found[2]) == value(found[3]) == events
    same(found[0], found[1], operation.name)


NAMES = {operation.name for operation in OPERATIONS}
NOT_TAKEN = {"responses.parse": {"parse_as", "verbosity"}}


@pytest.mark.parametrize("name", sorted(NAMES | {"chat.completions.parse", "responses.parse"}))
def test_shows_the_arguments_of_the_sdk(name: str, pair: Pair) -> None:
    names = []
    for client in (*pair.blocking, *pair.awaiting):
        method: Any = reduce(getattr, name.split("."), client)
        names.append(set(signature(method).parameters))
    ours, theirs, ours_awaited, _ = names
    assert theirs - ours == NOT_TAKEN.get(name, set())
    assert ours_awaited == ours


def test_shows_what_comes_back(pair: Pair) -> None:
    ours, awaiting = pair.blocking[0], pair.awaiting[0]
    assert signature(ours.models.retrieve).return_annotation is Model
    assert signature(awaiting.models.retrieve).return_annotation == Awaitable[Model]
    assert signature(ours.models.list).return_annotation == Page[Model]
    assert signature(awaiting.models.list).return_annotation == AsyncPages[Model]
    completion = Completion | Stream[Completion]
    assert signature(ours.completions.create).return_annotation == completion
    shown = str(signature(ours.batches.retrieve)).replace("collections.abc.", "")
    assert shown.startswith("(batch_id: str, *, extra_headers: Mapping[str, str] = UNSET, ")
    required = [
        p.name for p in signature(ours.files.create).parameters.values() if p.default is p.empty
    ]
    assert required == ["file", "purpose"]


INNER = {"custom_auth", "get_api_list", "platform_headers"}
"""What the SDK shows of its inside."""


def lacking(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Yield the resources and methods that theirs has and ours has not."""
    for name in dir(type(theirs)):
        is_shown = not name.startswith(("_", "with_"))
        value = getattr(theirs, name) if is_shown else None
        if isinstance(value, SyncAPIResource) and hasattr(ours, name):
            yield from lacking(getattr(ours, name), value, f"{path}{name}.")
        elif (isinstance(value, SyncAPIResource) or ismethod(value)) and not hasattr(ours, name):
            yield path + name


def test_what_is_lacking_is_told(pair: Pair) -> None:
    page = (Path(__file__).parents[1] / "docs" / "client.md").read_text(encoding="utf-8")
    section = page.split("## What the SDK has and this client has not\n")[1].split("\n## ")[0]
    told = set(re.findall(r"`([a-z_.]+)`", section))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert set(lacking(*pair.blocking)) - INNER <= told
    raw = pair.blocking[0].with_raw_response.models
    pair.server.says({"id": "a"})
    for name in ("http_response", "http_request", "elapsed"):
        assert not hasattr(raw.retrieve("a"), name)
        assert f"`{name}`" in section


FACTS = ["status_code", "code", "type", "param", "request_id", "body"]


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"message": "m", "type": "t", "param": "p", "code": "c"}},
        {"error": {"message": "m", "type": "t", "param": None, "code": None}},
        {"error": "m"},
        {"message": "m", "type": "t"},
        ["m"],
        "m",
    ],
    ids=str,
)
def test_errors_have_the_facts_of_the_sdk(said: Any, pair: Pair) -> None:
    pair.server.says(said, status=400, headers={"x-request-id": "req_1"})
    found = []
    clients: list[Any] = list(pair.blocking)
    for client, kind in zip(clients, (APIError, openai.APIError), strict=True):
        with pytest.raises(kind) as caught:
            client.models.retrieve("m")
        found.append([getattr(caught.value, name) for name in FACTS])
    assert found[0] == found[1]


def test_a_server_that_is_not_there_is_an_api_error_for_both() -> None:
    account: dict[str, Any] = {"base_url": "http://127.0.0.1:9/v1", "api_key": "k"}
    with Client(max_retries=0, **account) as ours, pytest.raises(APIError) as caught:
        ours.models.list()
    assert isinstance(caught.value, ConnectionRefusedError)
    facts = [getattr(caught.value, name) for name in FACTS]
    with OpenAI(max_retries=0, **account) as theirs, pytest.raises(openai.APIError) as other:
        theirs.models.list()
    assert facts == [getattr(other.value, name, None) for name in FACTS] == [None] * len(FACTS)


CUSTOM = """
X-One: 1:2
no header
x-two:two
Authorization: Bearer other"""


@pytest.mark.parametrize("own", [{}, {"X-Two": "mine"}, {"authorization": "Bearer mine"}], ids=str)
@pytest.mark.parametrize("azure", [False, True])
def test_headers_of_the_environment_go_along_as_with_the_sdk(
    own: dict[str, str], *, azure: bool, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", CUSTOM)
    pair.server.says({"id": "a"})
    account: Any = {"base_url": pair.server.url, "api_key": "k", "default_headers": own}
    account |= {"api_version": "v"} if azure else {}
    sent = []
    for make in (Client.azure, AzureOpenAI) if azure else (Client, OpenAI):
        client: Any = make(**account)
        client.models.retrieve("a")
        headers = pair.server.seen[-1].headers
        sent.append([headers.get(name) for name in ("x-one", "x-two", "authorization", "api-key")])
        client.close()
    assert sent[0] == sent[1]


def test_what_says_that_nothing_is_given_is_not_sent(pair: Pair) -> None:
    pair.server.says({"id": "c", "choices": []})
    asked: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "a"}]}
    clients: list[Any] = list(pair.blocking)
    for absent in (openai.NOT_GIVEN, openai.omit):
        headers = {"OpenAI-Organization": openai.omit}
        for client in clients:
            client.chat.completions.create(**asked, tools=absent, extra_headers=headers)
        ours, theirs = pair.server.seen[-2:]
        assert ours.essence == theirs.essence
        assert ours.content == asked
        assert "openai-organization" not in ours.headers
    assert Client(api_key="k", timeout=openai.NOT_GIVEN).timeout == 600  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [{}, {"timeout": 7}, {"timeout": None}], ids=str)
def test_the_timeout_of_an_injected_client_counts_as_with_the_sdk(given: dict[str, Any]) -> None:
    for own in ({}, {"timeout": 3}, {"timeout": None}):
        ours: Any = Client(api_key="k", http_client=httpx.Client(**own), **given).timeout
        theirs: Any = OpenAI(api_key="k", http_client=httpx2.Client(**own), **given).timeout
        assert getattr(ours, "read", ours) == getattr(theirs, "read", theirs)
    own_client = httpx.Client(timeout=3)
    for absent in (openai.NOT_GIVEN, openai.omit, msgspec.UNSET):
        told: Any = {"timeout": absent}
        assert Client(api_key="k", http_client=own_client, **told).timeout == httpx.Timeout(3)
    where: Any = {"azure_endpoint": "https://a.b", "api_version": "v", "api_key": "k"}
    azure = Client.azure(http_client=httpx.Client(timeout=3), **where)
    assert (azure.timeout, azure.with_options(max_retries=1).timeout) == (httpx.Timeout(3),) * 2
    http = httpx.AsyncClient(timeout=3)
    assert AsyncClient(api_key="k", http_client=http).timeout == httpx.Timeout(3)
    assert AsyncClient.azure(http_client=http, **where, timeout=5).timeout == 5


def test_the_http_client_of_another_library_is_refused_in_words() -> None:
    said = "^expected http_client as httpx.Client, got httpx2.Client$"
    with httpx2.Client() as foreign, pytest.raises(TypeError, match=said):
        Client(api_key="k", http_client=foreign)  # type: ignore[arg-type]
    said = "^expected http_client as httpx.Client, got openai.DefaultHttpxClient$"
    with openai.DefaultHttpxClient() as foreign, pytest.raises(TypeError, match=said):
        Client(api_key="k", http_client=foreign)  # type: ignore[arg-type]


def test_an_unknown_setting_is_named_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for make in (Client, Client.azure, AsyncClient.azure, Client(base_url="http://localhost").copy):
        call: Any = make
        with pytest.raises(
            TypeError, match=r"^a client got unexpected \['nosuch'\]: choose from \["
        ):
            call(nosuch=1)


AZURE = [
    {"azure_deployment": "dep x", "api_key": "k"},
    {"api_key": "k"},
    {"azure_ad_token": "token", "default_query": {"a": "b"}},
]
ON_AZURE = [
    operation
    for operation in OPERATIONS
    if operation.name
    in {
        "audio.speech.create",
        "audio.transcriptions.create",
        "batches.list",
        "chat.completions.create",
        "embeddings.create",
        "files.create",
        "images.edit",
        "models.list",
        "responses.create",
    }
]


@pytest.mark.parametrize("account", AZURE, ids=["deployment", "by model", "token"])
def test_asks_azure_as_the_sdk_does(account: dict[str, Any], pair: Pair) -> None:
    where = {"azure_endpoint": pair.server.url, "api_version": "2024-10-21", **account}
    with Client.azure(**where) as ours, AzureOpenAI(**where) as theirs:
        for operation in ON_AZURE:
            answers(pair.server, operation)
            pair.server.seen.clear()
            operation.on(ours)
            operation.on(theirs)
            one, other = pair.server.seen
            assert one.essence == other.essence

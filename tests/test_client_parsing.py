"""Structured outputs: what is asked for, beside the SDK, and what is read out of the answer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, assert_type

import msgspec
import pytest
from openai import OpenAI
from pydantic import BaseModel, Field
from recording import Server, serving

from embedsearch import AsyncClient, Client
from embedsearch.errors import InvalidAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    def typed(client: Client) -> None:
        """Hold what mypy makes of a value."""
        completion = client.chat.completions.parse(model="m", messages=[], response_format=Step)
        assert_type(completion.choices[0].message.parsed, Step | None)
        assert_type(client.responses.parse(model="m", text_format=Step).output_parsed, Step | None)


HELLO: list[dict[str, Any]] = [{"role": "user", "content": "Hello"}]


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Step(BaseModel):
    text: str
    colour: Colour = Field(Colour.RED, description="of the chalk")
    note: str | None = None


class Proof(BaseModel):
    """With a description of its own."""

    steps: list[Step]
    last: Annotated[Step, Field(description="stands beside a reference")]
    names: dict[str, int] | None = None
    more: Proof | None = None


class Struct(msgspec.Struct):
    text: str
    more: Struct | None = None


@dataclass
class Data:
    text: str


class Typed(TypedDict):
    text: str


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(base_url=server.url, api_key="k", max_retries=0) as client:
        yield client


def said(content: str | None, finish_reason: str = "stop", **message: Any) -> dict[str, Any]:
    whole = {"role": "assistant", "content": content, **message}
    choice = {"index": 0, "finish_reason": finish_reason, "message": whole, "logprobs": None}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
    }


def responded(*parts: tuple[str, str | None]) -> dict[str, Any]:
    output = [
        {
            "type": "message",
            "id": "m",
            "role": "assistant",
            "status": "completed",
            "phase": phase,
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        }
        for text, phase in parts
    ]
    return {"id": "r", "object": "response", "created_at": 1, "model": "m", "output": output}


@pytest.mark.parametrize("kind", [Step, Proof])
def test_asks_for_a_model_as_the_sdk_does(kind: type[BaseModel], server: Server) -> None:
    account: dict[str, Any] = {"base_url": f"{server.url}/v1", "api_key": "k"}
    told = kind.model_construct(text="a", steps=[], last={"text": "b"}).model_dump_json(
        warnings=False
    )
    clients: list[Any] = [Client(**account), OpenAI(**account)]
    for client in clients:
        server.says(said(told))
        chat = client.chat.completions.parse(model="m", messages=HELLO, response_format=kind)
        server.says(said(told))
        chat = client.beta.chat.completions.parse(model="m", messages=HELLO, response_format=kind)
        server.says(responded(("thinking", "commentary"), (told, "final_answer")))
        text = {"verbosity": "low"}
        made = client.responses.parse(model="m", input="a", text_format=kind, text=text)
        assert (
            chat.choices[0].message.parsed == made.output_parsed == kind.model_validate_json(told)
        )
        client.close()
    # The SDK says that it wants no stream, too.
    asked = [{**seen.essence, "body": {**seen.content, "stream": False}} for seen in server.seen]
    assert asked[:3] == asked[3:]


@pytest.mark.parametrize("kind", [Struct, Data, Typed])
def test_reads_what_needs_no_pydantic(kind: Any, client: Client, server: Server) -> None:
    server.says(said('{"text": "a"}'))
    create = client.chat.completions.parse
    found = create(model="m", messages=HELLO, response_format=kind).choices[0].message
    assert found.parsed == kind(text="a")
    assert found.to_dict() == {"role": "assistant", "content": '{"text": "a"}'}, (
        "goes back as it was"
    )
    sent = server.seen[0].content["response_format"]["json_schema"]
    assert (sent["name"], sent["strict"]) == (kind.__name__, True)
    assert sent["schema"]["properties"]["text"] == {"type": "string"}
    assert sent["schema"]["additionalProperties"] is False
    assert sent["schema"]["required"] == list(sent["schema"]["properties"])


def test_a_refusal_is_no_value(client: Client, server: Server) -> None:
    server.says(said(None, refusal="no"))
    answer = client.chat.completions.parse(model="m", messages=HELLO, response_format=Step)
    assert (answer.choices[0].message.parsed, answer.choices[0].message.refusal) == (None, "no")
    refused = {"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}
    server.says({"id": "r", "output": [{"type": "reasoning", "content": None}, refused]})
    assert client.responses.parse(model="m", input="a", text_format=Step).output_parsed is None


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (said('{"text": "a', "length"), "it ended early, by length"),
        (said('{"text": 1}'), r"""'{"text": 1}' is no Struct: Expected `str`, got `int` - .*"""),
        (said('{"text": "a'), r"""'{"text": "a' is no Struct: Input data was truncated"""),
    ],
)
def test_what_is_no_value_was_paid_for(
    answer: Any, why: str, client: Client, server: Server
) -> None:
    server.says(answer)
    with pytest.raises(InvalidAnswer, match=f"is not what was asked for: {why}$") as caught:
        client.chat.completions.parse(model="m", messages=HELLO, response_format=Struct)
    assert caught.value.body == json.dumps(answer)


def test_an_error_of_pydantic_is_one_line(client: Client, server: Server) -> None:
    server.says(said("{}"))
    with pytest.raises(InvalidAnswer, match=r"'\{\}' is no Step: 1 validation error for Step text"):
        client.chat.completions.parse(model="m", messages=HELLO, response_format=Step)


def test_awaits_and_gives_raw(server: Server) -> None:
    async def ask() -> list[Any]:
        async with AsyncClient(base_url=server.url, api_key="k") as client:
            given: Any = {"model": "m", "messages": HELLO, "response_format": Data}
            answer = await client.chat.completions.parse(**given)
            raw = await client.with_raw_response.chat.completions.parse(**given)
            return [a.choices[0].message.parsed for a in (answer, raw.parse())]

    server.says(said('{"text": "a"}'))
    assert asyncio.run(ask()) == [Data("a")] * 2


@pytest.mark.parametrize("kind", [int, list[int], object, {"type": "json_object"}])
def test_only_a_class_of_fields_is_a_shape(kind: Any, client: Client, server: Server) -> None:
    with pytest.raises(TypeError, match=r"^expected a class of fields \(pydantic's BaseModel, "):
        client.chat.completions.parse(model="m", messages=HELLO, response_format=kind)
    assert server.seen == []


class Node(BaseModel):
    name: str
    root: Node = Field(  # type: ignore[assignment]  # as many write it
        default=None, description="beside a reference to its own kind"
    )


def test_a_kind_may_hold_itself_with_a_word_beside(client: Client, server: Server) -> None:
    """The SDK finds no end to it."""
    server.says(said('{"name": "a"}'))
    sent = client.chat.completions.parse(model="m", messages=HELLO, response_format=Node)
    assert sent.choices[0].message.parsed == Node(name="a")
    schema = server.seen[0].content["response_format"]["json_schema"]["schema"]
    own = {"$ref": "#/$defs/Node"}
    for kind in (schema, schema["$defs"]["Node"]):
        root = kind["properties"]["root"]
        assert root["properties"]["root"] == own
        assert root["description"] == "beside a reference to its own kind"
        assert root["required"] == ["name", "root"]


def test_a_value_does_not_come_as_a_stream(client: Client, server: Server) -> None:
    told: Any = {"stream": True}
    with pytest.raises(TypeError, match=r"^parse\(\) reads a whole answer: leave stream out"):
        client.responses.parse(model="m", input="a", text_format=Step, **told)
    assert server.seen == []
    server.says(responded(('{"text": "a"}', "final_answer")))
    made = client.responses.parse(model="m", input="a", text_format=Step, stream=False)
    assert made.output_parsed == Step.model_validate({"text": "a"})


def test_create_names_what_takes_a_class(client: Client, server: Server) -> None:
    kind: Any = Step
    with pytest.raises(TypeError, match=r"^parse\(\) takes a class, create\(\) a dict: got Step$"):
        client.chat.completions.create(model="m", messages=HELLO, response_format=kind)
    assert server.seen == []

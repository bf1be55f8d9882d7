"""Every request that the clients can build, judged by OpenAI's specification."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import httpx
import pytest
from operations import OPERATIONS, STREAMS, Operation, described, resolved, spec, table
from specimens import answer_schema, errors, request_schema, specimen

from embedsearch import AsyncClient, Client
from embedsearch.errors import InvalidAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_SPEC = [operation for operation in [*OPERATIONS, *STREAMS] if operation.in_spec]
WITH_JSON = {
    operation.spec: operation
    for operation in OPERATIONS
    if operation.in_spec and request_schema(operation.spec, "application/json")
}
del WITH_JSON["POST /images/edits"]  # The SDK and we send a form.


class Judge:
    """A server that answers as the specification says, and judges what it is asked."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.faults: list[str] = []
        self.bodies: list[Any] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.faults += [*self._route(request), *self._query(request), *self._body(request)]
        if self.operation.stream:
            return httpx.Response(200, text="data: [DONE]\n\n")
        schema = answer_schema(self.operation.spec)
        said = {"json": specimen(schema)} if schema else {"text": "x"}
        return httpx.Response(200, **said)

    def _route(self, request: httpx.Request) -> list[str]:
        method, path = self.operation.spec.split(" ")
        pattern = "/v1" + re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        sent = request.url.raw_path.decode().split("?")[0]
        right = request.method == method and re.fullmatch(pattern, sent)
        return [] if right else [f"{request.method} {sent} is not {self.operation.spec}"]

    def _query(self, request: httpx.Request) -> list[str]:
        known = {
            p["name"]: p["schema"] for p in described(self.operation.spec).get("parameters", ())
        }
        pairs = parse_qsl(request.url.query.decode())
        names = {unquote(name).split("[")[0] for name, _ in pairs}
        return [f"query {name} is unknown" for name in sorted(names - known.keys())]

    def _body(self, request: httpx.Request) -> list[str]:
        kind = request.headers.get("content-type", "").split(";")[0]
        if not request.content:
            needed = described(self.operation.spec).get("requestBody", {}).get("required")
            return ["no body"] if needed else []
        schema = request_schema(self.operation.spec, kind)
        if schema is None:
            return [f"a body of {kind}"]
        if kind == "application/json":
            self.bodies.append(json.loads(request.content))
            return errors(schema, self.bodies[-1])
        return form_errors(resolved(schema), request.content)


def nonsense(value: Any, depth: int = 3) -> Iterator[Any]:
    """Yield an answer with one value in it, or all of it, replaced by what is of another kind."""
    yield from (5, "x", None, True, [1, 2], [[]], {"a": 1})
    parts = value.items() if depth and isinstance(value, dict) else ()
    yield from ({**value, name: bad} for name, part in parts for bad in nonsense(part, depth - 1))
    if depth and isinstance(value, list) and value:
        yield from ([bad] for bad in nonsense(value[0], depth - 1))


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_nonsense_is_taken_or_is_one_clear_error(operation: Operation) -> None:
    schema = answer_schema(operation.spec) if operation.in_spec else None
    bodies = list(islice(nonsense(specimen(schema) if schema else {"data": [{"id": "a"}]}), 200))
    coming = iter(bodies)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=next(coming)))
    http = httpx.Client(transport=transport)
    with Client(base_url="http://localhost/v1", http_client=http) as client:
        for _ in bodies:
            with suppress(InvalidAnswer):
                operation.on(client)


def form_errors(schema: dict[str, Any], content: bytes) -> list[str]:
    """Judge the names of a form's fields."""
    names = {n.decode().split("[")[0] for n in re.findall(rb'form-data; name="([^"]+)"', content)}
    unknown = names - schema["properties"].keys()
    missing = set(schema.get("required", ())) - names
    return [f"field {n} is unknown" for n in unknown] + [f"field {n} is missing" for n in missing]


def call_both(operation: Operation) -> list[str]:
    """Call an operation on both clients; say what was wrong."""
    judge = Judge(operation)
    transport = httpx.MockTransport(judge)
    operation.on(Client(api_key="k", http_client=httpx.Client(transport=transport)))

    async def await_it() -> None:
        client = AsyncClient(api_key="k", http_client=httpx.AsyncClient(transport=transport))
        await operation.on(client)

    asyncio.run(await_it())
    return judge.faults


def test_every_operation_is_called() -> None:
    verbs = {"get", "post", "delete", "put", "patch"}
    paths = spec()["paths"].items()
    known = {f"{verb.upper()} {path}" for path, item in paths for verb in item.keys() & verbs}
    assert len(known) == 67
    assert {operation.spec for operation in IN_SPEC} == known
    assert len({operation.spec for operation in OPERATIONS}) == 79


@pytest.mark.parametrize("operation", IN_SPEC, ids=str)
def test_requests_are_what_the_specification_says(operation: Operation) -> None:
    assert call_both(operation) == []


@pytest.mark.parametrize("operation", WITH_JSON.values(), ids=str)
def test_every_property_of_a_body_can_be_sent(operation: Operation) -> None:
    schema = request_schema(operation.spec, "application/json")
    assert schema is not None
    for name, inner in properties(schema).items():
        if name == "stream":
            continue
        arguments = {**operation.arguments, name: specimen(inner)}
        sent = Operation(operation.spec, operation.name, operation.ids, arguments)
        assert (name, call_both(sent)) == (name, [])


def properties(schema: dict[str, Any]) -> dict[str, Any]:
    """Give all properties of an object, from wherever its schema takes them."""
    schema = resolved(schema)
    parts = [*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    inherited = {name: inner for part in parts for name, inner in properties(part).items()}
    return {**inherited, **schema.get("properties", {})}


def test_every_operation_is_documented() -> None:
    page = (Path(__file__).parents[1] / "docs" / "client.md").read_text(encoding="utf-8")
    assert table() in page, f"docs/client.md is to have\n{table()}"


def test_the_gate_refuses_what_the_specification_does() -> None:
    bad = Operation(
        "POST /chat/completions",
        "chat.completions.create",
        arguments={"model": "m", "messages": [{"role": "nobody"}], "temperature": 9},
    )
    assert len(call_both(bad)) == 4

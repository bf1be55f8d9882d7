"""What a chat takes of a model's context: counted, guarded, trimmed."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recording import serving

from embedsearch import AsyncClient, Client
from embedsearch.client.types.chat import ChatCompletionMessage
from embedsearch.errors import BadRequest, ContextTooLong, EmbedsearchError
from embedsearch.tokens import (
    Model,
    check_context,
    check_prompt,
    count_messages,
    encoding_for,
    fit_messages,
)
from embedsearch.tokens.chat import AFTER_TOOLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedsearch.tokens.chat import Message

HELPFUL = {"role": "system", "content": "You are a helpful assistant."}
HELLO = {"role": "user", "content": "Hello!"}
WEATHER = {
    "name": "get_current_weather",
    "description": "Get the current weather in a given location",
    "parameters": {
        "type": "object",
        "properties": {
            "location": {
                "type": "string",
                "description": "The city and state, e.g. San Francisco, CA",
            },
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["location"],
    },
}


def test_a_chat_counts_what_the_api_reference_shows_for_it() -> None:
    assert count_messages([HELPFUL, HELLO], "gpt-4o") == 19
    assert count_messages([HELPFUL, HELLO], "gpt-4") == 19


def test_tools_count_what_the_api_reference_shows_for_them() -> None:
    asked = [{"role": "user", "content": "What is the weather like in Boston today?"}]
    tools = [{"type": "function", "function": WEATHER}]
    assert count_messages(asked, "gpt-3.5-turbo", tools=tools) == 82
    assert count_messages(asked, "gpt-3.5-turbo", tools=[WEATHER]) == 82
    assert count_messages(asked, "gpt-4o", tools=tools) == 79


def test_tools_count_what_the_cookbook_was_billed_for_them() -> None:
    unit = {**WEATHER["parameters"]["properties"]["unit"]}  # type: ignore[index]
    unit["description"] = "The unit of temperature to return"
    properties = {**WEATHER["parameters"]["properties"], "unit": unit}  # type: ignore[index]
    tool = {**WEATHER, "parameters": {"type": "object", "properties": properties}}
    messages = [
        {
            "role": "system",
            "content": "You are a helpful assistant that can answer to questions about the "
            "weather.",
        },
        {"role": "user", "content": "What's the weather like in San Francisco?"},
    ]
    assert count_messages(messages, "gpt-4", tools=[tool]) == 105
    assert count_messages(messages, "gpt-4o", tools=[tool]) == 101


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "web_search"},
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
        {"type": "mcp", "server_label": "docs", "server_url": "https://example.com/mcp"},
        {"type": "function", "function": {}},
    ],
)
def test_a_tool_of_the_providers_own_counts_as_its_json(tool: dict[str, Any]) -> None:
    told = encoding_for("gpt-4o").count([json.dumps(tool)])[0]
    alone = count_messages([], "gpt-4o")
    assert count_messages([], "gpt-4o", tools=[tool]) == alone + AFTER_TOOLS + 7 + told


def test_a_name_takes_its_tokens_and_one_more() -> None:
    named = {**HELLO, "name": "Ada"}
    alone = encoding_for("gpt-4o").count(["Ada"])[0]
    assert count_messages([named], "gpt-4o") == count_messages([HELLO], "gpt-4o") + alone + 1


def test_a_list_of_parts_counts_as_its_texts_and_pictures_as_nothing() -> None:
    parts = [
        {"type": "text", "text": "Hello!"},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    ]
    listed = {"role": "user", "content": parts}
    assert count_messages([listed], "gpt-4o") == count_messages([HELLO], "gpt-4o")


def test_a_call_counts_by_its_name_and_arguments() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    calling: Message = {"role": "assistant", "content": None, "tool_calls": [call]}
    silent: Message = {"role": "assistant", "content": ""}
    texts = sum(encoding_for("gpt-4o").count(["f", '{"a": 1}']))
    expected = count_messages([silent], "gpt-4o") + 3 + texts
    assert count_messages([calling], "gpt-4o") == expected
    legacy: Message = {"role": "assistant", "function_call": call["function"]}
    assert count_messages([legacy], "gpt-4o") == expected


def test_what_a_schema_says_beyond_the_rule_is_counted_as_its_json() -> None:
    def tool(schema: dict[str, Any]) -> dict[str, Any]:
        return {"name": "f", "parameters": {"type": "object", "properties": {"a": schema}}}

    plain = count_messages([], "gpt-4o", tools=[tool({"type": "array"})])
    nested = count_messages(
        [], "gpt-4o", tools=[tool({"type": "array", "items": {"type": "string"}})]
    )
    more = encoding_for("gpt-4o").count(['{"items": {"type": "string"}}'])[0]
    assert nested == plain + more


def test_a_chat_that_fits_to_the_token_passes_and_one_more_is_refused() -> None:
    small = Model("small", "o200k_base", context=29)
    assert check_context(small, [HELPFUL, HELLO], 10) == 19
    with pytest.raises(ContextTooLong, match=r"small holds 29 tokens, but 19 .* 11 .* make 30"):
        check_context(small, [HELPFUL, HELLO], 11)


def test_without_a_limit_there_must_be_room_for_one_token() -> None:
    assert check_context(Model("m", "o200k_base", context=20), [HELPFUL, HELLO]) == 19
    with pytest.raises(ContextTooLong, match="make 20"):
        check_context(Model("m", "o200k_base", context=19), [HELPFUL, HELLO])


def test_an_answer_longer_than_the_model_writes_is_refused() -> None:
    with pytest.raises(ContextTooLong, match="gpt-4o writes 16,384 tokens at most"):
        check_context("gpt-4o", [HELLO], 16_385)


def test_the_error_carries_the_figures_and_says_what_to_do() -> None:
    with pytest.raises(EmbedsearchError) as caught:
        check_prompt(Model("m", "o200k_base", context=3), "tiktoken is great!", 5)
    error = caught.value
    assert isinstance(error, ContextTooLong)
    assert isinstance(error, ValueError)
    assert (error.prompt, error.answer, error.limit) == (6, 5, 3)
    assert error.hint
    assert "fit_messages" in error.hint


def test_an_embedding_input_may_fill_the_context() -> None:
    model = Model("m", "o200k_base", context=6)
    assert check_prompt(model, "tiktoken is great!", 0) == 6


def test_a_model_whose_context_is_not_known_holds_everything() -> None:
    assert check_prompt("gpt-5.9-mini", "word " * 10, 10**9) == 11
    messages = [HELPFUL, HELLO]
    assert fit_messages(messages, "gpt-5.9-mini", reserve=10**9) == messages


def test_a_model_that_nothing_is_known_of_is_named() -> None:
    with pytest.raises(ValueError, match="unknown model 'llama'"):
        check_context("llama", [HELLO])


def test_the_oldest_messages_go_first() -> None:
    chat = [
        HELPFUL,
        {"role": "user", "content": "one " * 50},
        {"role": "assistant", "content": "two " * 50},
        {"role": "user", "content": "three"},
    ]
    model = Model("m", "o200k_base", context=count_messages(chat, "gpt-4o"))
    assert fit_messages(chat, model, reserve=0) == chat
    assert fit_messages(chat, model, reserve=1) == [chat[0], *chat[2:]]
    assert fit_messages(chat, model, reserve=60) == [chat[0], chat[3]]


def test_what_has_to_stay_may_be_too_much() -> None:
    chat = [HELPFUL, {"role": "assistant", "content": "Well, ..."}, HELLO]
    model = Model("m", "o200k_base", context=20)
    assert fit_messages(chat, model, reserve=1) == [HELPFUL, HELLO]
    with pytest.raises(ContextTooLong, match="19 of the prompt and 2 for the answer"):
        fit_messages(chat, model, reserve=2)


def test_a_call_goes_with_its_results() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    chat: list[Message] = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": None, "tool_calls": [call, {**call, "id": "d"}]},
        {"role": "tool", "tool_call_id": "c", "content": "result " * 30},
        {"role": "tool", "tool_call_id": "d", "content": "result"},
        HELLO,
    ]
    room = count_messages(chat[3:], "gpt-4o")
    assert fit_messages(chat, Model("m", "o200k_base", context=room), reserve=0) == [HELLO]


words = st.sampled_from(["", "a", "several words here", "word " * 20, "中文", "🙂"])
calls = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from("cd"),
            "function": st.fixed_dictionaries({"name": st.just("f"), "arguments": words}),
        }
    ),
    min_size=1,
    max_size=2,
)
messages = st.one_of(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["system", "developer", "user", "assistant", "tool"]),
            "content": words,
        }
    ),
    st.fixed_dictionaries({"role": st.just("assistant"), "tool_calls": calls}),
)
chats = st.lists(messages, max_size=12)


def fitted(chat: list[Message], context: int, reserve: int) -> list[Message] | None:
    try:
        return fit_messages(chat, Model("m", "o200k_base", context=context), reserve=reserve)
    except ContextTooLong:
        return None


def places(chat: list[Message], kept: list[Message]) -> list[int]:
    return [n for n, message in enumerate(chat) if any(message is other for other in kept)]


@settings(deadline=None)
@given(chats, st.integers(1, 300), st.integers(0, 50))
def test_what_is_kept_fits_in_order_with_all_that_must_stay(
    chat: list[Message], context: int, reserve: int
) -> None:
    kept = fitted(chat, context, reserve)
    instructions = [m for m in chat if m["role"] in {"system", "developer"}]
    last = [m for m in chat if m["role"] == "user"][-1:]
    must = [m for m in chat if any(m is other for other in instructions + last)]
    if kept is None:
        assert count_messages(must, "gpt-4o") + reserve > context
        return
    assert [id(chat[n]) for n in places(chat, kept)] == [id(m) for m in kept]
    assert count_messages(kept, "gpt-4o") + reserve <= context
    assert {id(m) for m in must} <= {id(m) for m in kept}


@settings(deadline=None)
@given(chats, st.integers(1, 300))
def test_only_the_oldest_are_missing_and_no_more_than_needed(
    chat: list[Message], context: int
) -> None:
    kept = fitted(chat, context, 0)
    if kept is None or len(kept) == len(chat):
        return
    there = set(places(chat, kept))
    missing = [n for n in range(len(chat)) if n not in there]
    newest = max(missing)
    last = max((n for n, m in enumerate(chat) if m["role"] == "user"), default=-1)
    older = [n for n in there if n < newest]
    assert all(chat[n]["role"] in {"system", "developer"} or n == last for n in older)
    start = newest
    while start in missing and chat[start]["role"] == "tool" and start - 1 in missing:
        start -= 1
    one_turn_more = [m for n, m in enumerate(chat) if n in there or n >= start]
    assert count_messages(one_turn_more, "gpt-4o") > context


@settings(deadline=None)
@given(chats, st.integers(1, 300))
def test_no_result_is_left_without_its_call(chat: list[Message], context: int) -> None:
    kept = fitted(chat, context, 0)
    if kept is None:
        return
    there = set(places(chat, kept))
    for place, message in enumerate(chat):
        if message.get("tool_calls"):
            after = place + 1
            while after < len(chat) and chat[after]["role"] == "tool":
                assert (after in there) == (place in there)
                after += 1


@settings(deadline=None)
@given(chats, st.integers(1, 300))
def test_trimming_what_was_trimmed_changes_nothing(chat: list[Message], context: int) -> None:
    kept = fitted(chat, context, 0)
    if kept is not None:
        assert fitted(kept, context, 0) == kept


# What a client sends


def ask(client: Client, model: str, count: int, **more: Any) -> object:
    """Ask something that takes ``count`` tokens with what stands around it."""
    messages = [{"role": "user", "content": " a" * (count - 7)}]
    return client.chat.completions.create(model=model, messages=messages, **more)


LONGEST: dict[str, tuple[Callable[[Client, int], object], int, int]] = {
    "a chat": (lambda client, n: ask(client, "gpt-4", n), 8191, 1),
    "a chat's answer": (lambda client, n: ask(client, "gpt-4", n, max_tokens=200), 7992, 200),
    "its newer name": (
        lambda client, n: ask(client, "gpt-4", n, max_completion_tokens=200),
        7992,
        200,
    ),
    "messages that came": (
        lambda client, n: client.chat.completions.create(
            model="gpt-4",
            messages=[ChatCompletionMessage(role="assistant", content=" a" * (n - 7))],
        ),
        8191,
        1,
    ),
    "a prompt": (
        lambda client, n: client.completions.create(
            model="gpt-3.5-turbo-instruct", prompt=["a", " a" * (n - 1)], suffix=" a", max_tokens=96
        ),
        4000,
        96,
    ),
    "tokens": (
        lambda client, n: client.completions.create(
            model="gpt-3.5-turbo-instruct", prompt=[64] * n, max_tokens=96
        ),
        4000,
        96,
    ),
    "an input": (
        lambda client, n: client.embeddings.create(
            model="text-embedding-3-small", input=["a" * 9000, " a" * n]
        ),
        8192,
        0,
    ),
    "input of tokens": (
        lambda client, n: client.embeddings.create(model="text-embedding-3-small", input=[64] * n),
        8192,
        0,
    ),
    "a text to respond to": (
        lambda client, n: client.responses.create(
            model="gpt-4", input=" a" * (n - 12), instructions=" a"
        ),
        8191,
        1,
    ),
    "items to respond to": (
        lambda client, n: client.responses.create(
            model="gpt-4",
            input=[{"role": "user", "content": [{"type": "input_text", "text": " a" * (n - 7)}]}],
        ),
        8191,
        1,
    ),
}


@pytest.mark.parametrize("kind", LONGEST)
def test_a_client_refuses_what_a_known_model_cannot_hold(kind: str) -> None:
    send, longest, answer = LONGEST[kind]
    with serving() as server, Client(base_url=server.url, api_key="k", max_retries=0) as client:
        server.says({"error": {"message": "it came"}}, status=400)
        with pytest.raises(BadRequest, match="it came"):
            send(client, longest)
        assert len(server.seen) == 1
        with pytest.raises(ContextTooLong) as caught:
            send(client, longest + 1)
        assert len(server.seen) == 1
    error = caught.value
    assert (error.prompt, error.answer) == (longest + 1, answer)
    assert error.limit == longest + answer


def test_a_client_refuses_an_answer_that_a_known_model_cannot_write() -> None:
    with serving() as server, Client(base_url=server.url, api_key="k") as client:
        with pytest.raises(ContextTooLong, match="gpt-4-turbo writes 4,096 tokens at most, but 4,"):
            ask(client, "gpt-4-turbo", 20, max_tokens=4097)
        assert server.seen == []


def test_a_client_sends_what_it_can_not_judge() -> None:
    with serving() as server:
        server.says({"error": {"message": "it came"}}, status=400)
        azure = Client.azure(azure_endpoint=server.url, api_version="1", api_key="k")
        with Client(base_url=server.url, api_key="k") as client, azure:
            sends: list[Callable[[], object]] = [
                lambda: ask(client, "llama3", 20_000),
                lambda: ask(azure, "gpt-4", 20_000),  # a deployment of whatever model
                lambda: client.responses.create(
                    model="gpt-4", truncation="auto", input=" a" * 20_000
                ),
                lambda: client.responses.create(
                    model="gpt-4",
                    input=[" a" * 9000],  # type: ignore[list-item] # no item
                ),
            ]
            for send in sends:
                with pytest.raises(BadRequest, match="it came"):
                    send()
        assert len(server.seen) == len(sends)


def test_an_awaiting_client_refuses_it_too() -> None:
    async def send(url: str) -> None:
        async with AsyncClient(base_url=url, api_key="k") as client:
            await client.embeddings.create(model="text-embedding-3-small", input=" a" * 8193)

    expected = "^text-embedding-3-small reads 8,192 tokens at most, but the text has 8,193$"
    with serving() as server:
        with pytest.raises(ContextTooLong, match=expected):
            asyncio.run(send(server.url))
        assert server.seen == []

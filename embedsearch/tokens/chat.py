"""The tokens of a chat: those of its texts, and those that stand around them.

The rules are the ones OpenAI publishes in its cookbook, ``How_to_count_tokens_with_tiktoken.ipynb``
(MIT), for the models up to gpt-4o. Newer models are counted by the same rules.

Exact are texts, names and roles. Tools are exact as far as the cookbook goes: properties with a
type, a description and an enum; whatever else a schema says is counted as its JSON, which is more
than a model is given; so are the provider's own tools, as ``web_search``. Calls of tools are
counted by their names and arguments. Images, sound and files are not counted: what they take
depends on their size, which no message tells.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from embedsearch.tokens.encodings import encoding
from embedsearch.tokens.models import Model, model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from embedsearch.tokens.encodings import TiktokenTokenizer

    Message = Mapping[str, Any]
    """A message as the API takes it: ``role``, ``content``, ..."""

PER_MESSAGE = 3
PER_NAME = 1
PER_CALL = 3
PER_ANSWER = 3
"""Every answer is primed with ``<|start|>assistant<|message|>``."""

PER_TOOL = {"cl100k_base": 10, "o200k_base": 7}
PER_PROPERTY = 3
PER_ENUM = -3
PER_CHOICE = 3
AFTER_TOOLS = 12

_COUNTED = {"type", "description", "enum"}


def resolved(name: str | Model) -> Model:
    """Return a model by its name; one that no table knows can be given as a ``Model``."""
    return name if isinstance(name, Model) else model(name)


def count_messages(
    messages: Sequence[Message], model: str | Model, *, tools: Sequence[Mapping[str, Any]] = ()
) -> int:
    """Return how many tokens a chat request takes of a model's context.

    Raises ValueError for a model that nothing is known of.
    """
    tokenizer = encoding(resolved(model).encoding)
    counts = sum(count_message(message, tokenizer) for message in messages)
    return counts + PER_ANSWER + _count_tools(tools, tokenizer)


def count_message(message: Message, tokenizer: TiktokenTokenizer) -> int:
    """Return the tokens of one message; those of a chat are their sum, and ``PER_ANSWER``."""
    calls = _calls(message)
    texts = [str(message.get("role") or ""), *_content(message), *_call_texts(calls)]
    total = PER_MESSAGE + PER_CALL * len(calls) + sum(tokenizer.count(texts))
    if name := message.get("name"):
        total += PER_NAME + tokenizer.count([name])[0]
    return total


def _content(message: Message) -> Iterator[str]:
    """Yield the texts of a message, whose content may be a text or a list of parts."""
    for content in (message.get("content"), message.get("refusal")):
        if isinstance(content, str):
            yield content
        elif content is not None:
            yield from (part.get("text") or part.get("refusal") or "" for part in content)


def _calls(message: Message) -> list[Mapping[str, Any]]:
    calls = [call.get("function") or call.get("custom") for call in message.get("tool_calls") or ()]
    return [call for call in (*calls, message.get("function_call")) if call]


def _call_texts(calls: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for call in calls:
        yield call.get("name") or ""
        yield call.get("arguments") or call.get("input") or ""


def _count_tools(tools: Sequence[Mapping[str, Any]], tokenizer: TiktokenTokenizer) -> int:
    if not tools:
        return 0
    return AFTER_TOOLS + sum(
        _count_tool(tool.get("function") or tool.get("custom") or tool, tokenizer) for tool in tools
    )


def _count_tool(tool: Mapping[str, Any], tokenizer: TiktokenTokenizer) -> int:
    if "name" not in tool:  # the provider's own
        return PER_TOOL[tokenizer.name] + tokenizer.count([_json(tool)])[0]
    line = f"{tool['name']}:{_described(tool)}"
    total = PER_TOOL[tokenizer.name] + tokenizer.count([line])[0]
    properties = (tool.get("parameters") or {}).get("properties") or {}
    if properties:
        total += PER_PROPERTY
    return total + sum(
        PER_PROPERTY + _count_property(name, schema, tokenizer)
        for name, schema in properties.items()
    )


def _count_property(name: str, schema: Any, tokenizer: TiktokenTokenizer) -> int:
    if not isinstance(schema, dict):  # true and false are schemas, too
        return tokenizer.count([f"{name}:{_json(schema)}"])[0]
    choices = [str(choice) for choice in schema.get("enum") or ()]
    line = f"{name}:{schema.get('type', '')}:{_described(schema)}"
    total = sum(tokenizer.count([line, *choices]))
    if choices:
        total += PER_ENUM + PER_CHOICE * len(choices)
    if beyond := {key: value for key, value in schema.items() if key not in _COUNTED}:
        total += tokenizer.count([_json(beyond)])[0]
    return total


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _described(schema: Mapping[str, Any]) -> str:
    return str(schema.get("description") or "").removesuffix(".")

"""What is wrong with one example, whatever file it is from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embedsearch.finetuning.report import Kind

FORMS = {
    "name": (str, "a text"),
    "refusal": (str, "a text"),
    "tool_calls": (list, "a list"),
    "function_call": (dict, "an object"),
}
"""What the parts of a message are that it may have beside its role and content."""

ROLES = ("system", "developer", "user", "assistant", "tool", "function")


@dataclass(frozen=True, slots=True)
class Fault:
    """What was expected of an example, and what came."""

    kind: Kind
    expected: str
    came: str


def parsed(line: str) -> Any:
    """Return the value of a line of JSON, a ``Fault`` where it has none."""
    try:
        return json.loads(line, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        came = f"{shown(line)} ({error})" if line.strip() else "an empty line"
        return Fault("json", "a JSON object", came)


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def faults(example: Any) -> Iterator[Fault]:
    """Yield what is wrong with the form of an example."""
    if isinstance(example, Fault):
        yield example
        return
    messages = example.get("messages") if isinstance(example, dict) else None
    if not isinstance(messages, list) or not messages:
        yield Fault("messages", 'an object with "messages", a list', shown(example))
        return
    for number, message in enumerate(messages, 1):
        yield from _of_message(number, message)
    yield from _of_tools(example.get("tools", []))
    last = messages[-1].get("role") if isinstance(messages[-1], dict) else None
    if last != "assistant":
        yield Fault("answer", "the assistant's answer as the last message", f"one of {last!r}")


def _of_message(number: int, message: Any) -> Iterator[Fault]:
    if not isinstance(message, dict):
        yield Fault("messages", f"an object as message {number}", shown(message))
        return
    role = message.get("role")
    if role not in ROLES:
        expected = f"a role of {', '.join(ROLES)} in message {number}"
        yield Fault("role", expected, shown(role) if "role" in message else "none")
    for key, (form, words) in FORMS.items():
        if message.get(key) is not None and not isinstance(message[key], form):
            yield Fault("messages", f"{words} as {key} of message {number}", shown(message[key]))
            return
    calls = _calls(message)
    if not all(map(_is_call, calls)):
        expected = f"calls by a function's name and arguments in message {number}"
        yield Fault("messages", expected, shown(calls))
    content = message.get("content")
    if _blank(content) and not (calls and content in (None, "")):
        yield Fault("empty", f"words in message {number}", shown(content))


def _calls(message: dict[str, Any]) -> list[Any]:
    calls = message.get("tool_calls") or []
    functions = [call.get("function") if isinstance(call, dict) else call for call in calls]
    return [*functions, *([message["function_call"]] if message.get("function_call") else [])]


def _is_call(function: Any) -> bool:
    return isinstance(function, dict) and all(
        isinstance(function.get(key), str) for key in ("name", "arguments")
    )


def _blank(content: Any) -> bool:
    """Say whether a content is no text, or holds nothing but white space."""
    if isinstance(content, list):
        return not (all(map(_is_part, content)) and any(map(_says_something, content)))
    return not isinstance(content, str) or not content.strip()


def _is_part(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text", ""), str)


def _says_something(part: dict[str, Any]) -> bool:
    return part.get("type") != "text" or not _blank(part.get("text"))


def _of_tools(tools: Any) -> Iterator[Fault]:
    if not isinstance(tools, list) or not all(map(_is_tool, tools)):
        yield Fault("messages", 'functions with a name and parameters as "tools"', shown(tools))


def _is_tool(tool: Any) -> bool:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return False
    parameters = function.get("parameters", {})
    return isinstance(parameters, dict) and isinstance(parameters.get("properties", {}), dict)


def shown(value: Any) -> str:
    """Return the beginning of a value as JSON."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."

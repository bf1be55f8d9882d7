"""What a known model can't hold is refused before it is sent; imported where it may be too long."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from embedsearch.tokens.context import check_context, check_tokens
from embedsearch.tokens.encodings import encoding
from embedsearch.tokens.models import known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from embedsearch.client.calls import Guarded
    from embedsearch.tokens.models import Model


def check(kind: Guarded, name: object, content: bytes, answer: int) -> None:
    """Raise ContextTooLong for a body whose model is known, and holds or writes less.

    A token has a byte at least: only what has more bytes than the model holds tokens is counted.
    What a body may hold beside texts (tools, images, files) is not.
    """
    model = known(name) if isinstance(name, str) else None
    if model is None or model.context is None:
        return
    if len(content) + answer <= model.context and answer <= (model.max_output or answer):
        return
    with suppress(AttributeError, KeyError, TypeError):  # Of another form: the server's to refuse.
        GUARDS[kind](model, msgspec.json.decode(content), answer)


def _chat(model: Model, body: dict[str, Any], answer: int) -> None:
    check_context(model, body["messages"], answer or 1)


def _response(model: Model, body: dict[str, Any], answer: int) -> None:
    if body.get("truncation") == "auto":
        return
    given = body.get("input") or ()
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    told = body.get("instructions")
    system = [{"role": "system", "content": told}] if told else []
    said = [
        {"role": item.get("role"), "content": item.get("content") or item.get("output")}
        for item in items
    ]
    check_context(model, [*system, *said], answer or 1)


def _prompts(model: Model, body: dict[str, Any], answer: int) -> None:
    for tokens in _counts(model, body["prompt"], answer, suffix=body.get("suffix") or ""):
        check_tokens(model, tokens, answer or 1)


def _inputs(model: Model, body: dict[str, Any], _: int) -> None:
    for tokens in _counts(model, body["input"], 0):
        check_tokens(model, tokens, 0)


def _counts(model: Model, given: Any, answer: int, *, suffix: str = "") -> Iterator[int]:
    """Yield the tokens of each prompt, a text or tokens; its bytes where even these fit."""
    is_one = isinstance(given, str) or (given and isinstance(given[0], int))
    for prompt in [given] if is_one else given:
        if not isinstance(prompt, str):
            yield len(prompt)
            continue
        size = len((prompt + suffix).encode())
        if size + answer > (model.context or size):
            size = encoding(model.encoding).count([prompt + suffix])[0]
        yield size


GUARDS: dict[Guarded, Callable[[Model, dict[str, Any], int], None]] = {
    "chat": _chat,
    "inputs": _inputs,
    "prompts": _prompts,
    "response": _response,
}

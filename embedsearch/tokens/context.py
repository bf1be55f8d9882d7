"""The guard of a model's context: what does not fit is refused, or trimmed on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from embedsearch.errors import ContextTooLong
from embedsearch.tokens.chat import count_message, count_messages, resolved
from embedsearch.tokens.encodings import encoding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from embedsearch.tokens.chat import Message
    from embedsearch.tokens.models import Model

INSTRUCTIONS = {"system", "developer"}
RESULTS = {"tool", "function"}
"""The roles of messages that answer the calls of the message before them."""


def check_context(
    model: str | Model,
    messages: Sequence[Message],
    max_tokens: int | None = None,
    *,
    tools: Sequence[Mapping[str, Any]] = (),
) -> int:
    """Return the tokens of a chat that leaves room for an answer of ``max_tokens``.

    Without ``max_tokens`` there must be room for one token. A model whose limits are not known
    holds everything.

    Raises:
        ContextTooLong: the messages and the answer are more than the model holds, or the answer
            is longer than it can write.
        ValueError: nothing is known of the model.

    """
    known = resolved(model)
    prompt = count_messages(messages, known, tools=tools)
    check_tokens(known, prompt, 1 if max_tokens is None else max_tokens)
    return prompt


def check_prompt(model: str | Model, prompt: str, max_tokens: int | None = None) -> int:
    """Return the tokens of a plain prompt, as ``check_context`` does those of a chat.

    For an embedding model, which writes nothing, ``max_tokens`` is 0.
    """
    known = resolved(model)
    tokens = encoding(known.encoding).count([prompt])[0]
    check_tokens(known, tokens, 1 if max_tokens is None else max_tokens)
    return tokens


def fit_messages(
    messages: Sequence[Message],
    model: str | Model,
    *,
    reserve: int,
    tools: Sequence[Mapping[str, Any]] = (),
) -> list[Message]:
    """Return the messages that leave ``reserve`` tokens of a model's context for its answer.

    The oldest go first. Instructions and the last message of the user stay, and a call of tools
    stays or goes together with what the tools answered.

    Raises:
        ContextTooLong: what has to stay is too much by itself.
        ValueError: nothing is known of the model.

    """
    known = resolved(model)
    tokenizer = encoding(known.encoding)
    counts = [count_message(message, tokenizer) for message in messages]
    total = sum(counts) + count_messages((), known, tools=tools)
    dropped: set[int] = set()
    for turn in _droppable(messages):
        if known.context is None or total + reserve <= known.context:
            break
        dropped.update(turn)
        total -= sum(counts[place] for place in turn)
    check_tokens(known, total, reserve)
    return [message for place, message in enumerate(messages) if place not in dropped]


def _droppable(messages: Sequence[Message]) -> Iterator[list[int]]:
    """Yield, oldest first, the places of the messages that go together."""
    last = max((n for n, m in enumerate(messages) if m.get("role") == "user"), default=-1)
    for turn in _turns(messages):
        if turn[0] != last and messages[turn[0]].get("role") not in INSTRUCTIONS:
            yield turn


def _turns(messages: Sequence[Message]) -> list[list[int]]:
    """Return the places of messages, those of a call with those of its results."""
    turns: list[list[int]] = []
    for place, message in enumerate(messages):
        follows = message.get("role") in RESULTS and turns and _calls(messages[turns[-1][0]])
        if follows:
            turns[-1].append(place)
        else:
            turns.append([place])
    return turns


def _calls(message: Message) -> bool:
    return bool(message.get("tool_calls") or message.get("function_call"))


def check_tokens(model: Model, prompt: int, answer: int) -> None:
    """Raise ContextTooLong where a model does not hold a prompt and an answer of so many tokens."""
    if model.context is not None and prompt > model.context and not answer:
        raise ContextTooLong(
            f"{model.name} reads {model.context:,} tokens at most, but the text has {prompt:,}",
            prompt=prompt,
            answer=answer,
            limit=model.context,
            hint="cut the text into parts",
        )
    if model.context is not None and prompt + answer > model.context:
        raise ContextTooLong(
            f"{model.name} holds {model.context:,} tokens, but {prompt:,} of the prompt "
            f"and {answer:,} for the answer make {prompt + answer:,}",
            prompt=prompt,
            answer=answer,
            limit=model.context,
            hint="shorten the prompt (fit_messages drops the oldest messages), ask for a shorter "
            "answer, or take a model with a longer context",
        )
    if model.max_output is not None and answer > model.max_output:
        raise ContextTooLong(
            f"{model.name} writes {model.max_output:,} tokens at most, "
            f"but {answer:,} are asked for",
            prompt=prompt,
            answer=answer,
            limit=model.max_output,
            hint=f"ask for {model.max_output:,} tokens or fewer",
        )

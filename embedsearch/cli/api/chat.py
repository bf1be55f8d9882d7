"""``embedsearch api chat``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from embedsearch import tokens
from embedsearch.cli.api import asking, attaching, endings, secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from embedsearch.cli.api.endings import Ending
    from embedsearch.client.types.chat import ChatCompletion, ChatCompletionChunk

DEFAULT_MODEL = "gpt-5-mini"
VARIABLE = "EMBEDSEARCH_CHAT_MODEL"


@click.command("chat")
@asking.texts
@asking.of_model(DEFAULT_MODEL, variable=VARIABLE)
@click.option("--system", type=secrets.TEXT, help="An instruction that goes before all else.")
@attaching.images
@click.option("--max-tokens", type=click.IntRange(min=1), help="The longest answer.")
@attaching.schema
@endings.written
@asking.extras
@asking.common
def chat_(
    *,
    words: tuple[str, ...],
    files: tuple[str, ...],
    model: str,
    system: str | None,
    images: tuple[str, ...],
    max_tokens: int | None,
    temperature: float | None,
    schema: str | None,
    no_stream: bool,
    usage: bool,
    extra: dict[str, Any],
    as_json: bool,
) -> None:
    """Ask a model, and print its answer while it is written.

    TEXT needs no quotation marks; '-' is stdin. What --file names goes before it, a PDF or Word
    file as its text. What is too long for the model is refused before it is sent.
    """
    messages = _messages(asking.text(words, files), system, images)
    known = tokens.known(model)
    if known:
        tokens.check_context(known, messages, max_tokens)
    # The older name is refused by OpenAI's newer models, the newer one not known to all others.
    longest = {"max_completion_tokens" if known else "max_tokens": max_tokens}
    form = {"type": "json_schema", "json_schema": attaching.form(schema)} if schema else None
    body = asking.said(model=model, temperature=temperature, response_format=form, **longest)
    body["messages"] = messages
    body["extra_body"] = extra
    with asking.client() as client:
        endings.flow(
            client.chat.completions.create,
            body,
            whole=_said,
            pieces=_pieces,
            no_stream=no_stream,
            usage=usage,
            as_json=as_json,
        )


def _messages(text: str, system: str | None, images: Sequence[str]) -> list[dict[str, Any]]:
    content: Any = text
    if images:
        pictures = [
            {"type": "image_url", "image_url": {"url": attaching.picture(i)}} for i in images
        ]
        content = [{"type": "text", "text": text}, *pictures]
    asked = {"role": "user", "content": content}
    return [{"role": "system", "content": system}, asked] if system else [asked]


def _said(answer: ChatCompletion, ending: Ending) -> Iterator[str]:
    ending.model = answer.model
    if answer.usage:
        ending.takes(answer.usage.prompt_tokens, answer.usage.completion_tokens)
    for choice in answer.choices[:1]:
        ending.reason = choice.finish_reason
        yield choice.message.content or choice.message.refusal or ""


def _pieces(stream: Iterable[ChatCompletionChunk], ending: Ending) -> Iterator[str]:
    """Yield what the chunks add to the first answer."""
    for chunk in stream:
        ending.model = chunk.model
        if chunk.usage:
            ending.takes(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        for choice in chunk.choices:
            if choice.index == 0:
                ending.reason = choice.finish_reason or ending.reason
                yield choice.delta.content or choice.delta.refusal or ""

"""``embedsearch api complete``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from embedsearch import tokens
from embedsearch.cli.api import asking, endings, secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from embedsearch.cli.api.endings import Ending
    from embedsearch.client.types.chat import Completion

DEFAULT_MODEL = "gpt-3.5-turbo-instruct"
DEFAULT_TOKENS = 256
"""The API's own 16 end in the middle of a sentence."""


@click.command("complete")
@asking.texts
@asking.of_model(DEFAULT_MODEL)
@click.option(
    "--suffix", type=secrets.TEXT, help="What follows: the model fills the gap before it."
)
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    default=DEFAULT_TOKENS,
    show_default=True,
    help="The longest answer.",
)
@endings.written
@asking.extras
@asking.common
def complete_(
    *,
    words: tuple[str, ...],
    files: tuple[str, ...],
    model: str,
    suffix: str | None,
    max_tokens: int,
    temperature: float | None,
    no_stream: bool,
    usage: bool,
    extra: dict[str, Any],
    as_json: bool,
) -> None:
    """Let a model continue TEXT ('-' is stdin), and print what it adds while it is written."""
    prompt = asking.text(words, files)
    known = tokens.known(model)
    if known:
        tokens.check_prompt(known, prompt + (suffix or ""), max_tokens)
    body = asking.said(
        model=model,
        prompt=prompt,
        suffix=suffix,
        max_tokens=max_tokens,
        temperature=temperature,
    )
    body["extra_body"] = extra
    with asking.client() as client:
        endings.flow(
            client.completions.create,
            body,
            whole=_said,
            pieces=_pieces,
            no_stream=no_stream,
            usage=usage,
            as_json=as_json,
        )


def _said(answer: Completion, ending: Ending) -> Iterator[str]:
    """Yield the text of a whole answer, which is a stream of one."""
    return _pieces([answer], ending)


def _pieces(answers: Iterable[Completion], ending: Ending) -> Iterator[str]:
    """Yield what each answer adds to the first text."""
    for answer in answers:
        ending.model = answer.model
        if answer.usage:
            ending.takes(answer.usage.prompt_tokens, answer.usage.completion_tokens)
        for choice in answer.choices:
            if choice.index == 0:
                ending.reason = choice.finish_reason or ending.reason
                yield choice.text

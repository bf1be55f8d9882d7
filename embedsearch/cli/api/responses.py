"""``embedsearch api respond``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from embedsearch import tokens
from embedsearch.cli.api import asking, attaching, endings, secrets
from embedsearch.cli.api.chat import DEFAULT_MODEL, VARIABLE
from embedsearch.errors import APIError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from embedsearch.cli.api.endings import Ending
    from embedsearch.client.types.responses import Response, ResponseStreamEvent


@click.command("respond")
@asking.texts
@asking.of_model(DEFAULT_MODEL, variable=VARIABLE)
@click.option("--system", type=secrets.TEXT, help="An instruction that goes before all else.")
@attaching.images
@click.option(
    "-a",
    "--attach",
    "attached",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="A file to send whole, as a PDF with its pictures. Repeatable.",
)
@click.option(
    "-t",
    "--tool",
    "tools",
    metavar="NAME",
    multiple=True,
    help="A tool of the provider's own: web_search, code_interpreter, ... Repeatable.",
)
@click.option("--after", metavar="ID", type=secrets.TEXT, help="Go on after this response.")
@click.option("--max-tokens", type=click.IntRange(min=1), help="The longest answer.")
@attaching.schema
@endings.written
@asking.extras
@asking.common
def respond_(
    *,
    words: tuple[str, ...],
    files: tuple[str, ...],
    model: str,
    system: str | None,
    images: tuple[str, ...],
    attached: tuple[str, ...],
    tools: tuple[str, ...],
    after: str | None,
    max_tokens: int | None,
    temperature: float | None,
    schema: str | None,
    no_stream: bool,
    usage: bool,
    extra: dict[str, Any],
    as_json: bool,
) -> None:
    """Ask a model by the Responses API, and print its answer while it is written.

    TEXT needs no quotation marks; '-' is stdin. What --file names goes before it as text, what
    --attach names beside it as it is. What is too long for the model is refused before it is sent.
    """
    asked = _message(asking.text(words, files), images, attached)
    if known := tokens.known(model):
        told = [{"role": "system", "content": system}] if system else []
        tokens.check_context(known, [*told, asked], max_tokens)
    body = asking.said(
        model=model,
        input=[asked],
        instructions=system,
        tools=[{"type": tool} for tool in tools] or None,
        previous_response_id=after,
        max_output_tokens=max_tokens,
        temperature=temperature,
        text={"format": {"type": "json_schema", **attaching.form(schema)}} if schema else None,
        extra_body=extra,
    )
    with asking.client() as client:
        endings.flow(
            client.responses.create,
            body,
            whole=_said,
            pieces=_pieces,
            no_stream=no_stream,
            usage=usage,
            as_json=as_json,
            counted={},
        )


def _message(text: str, images: Sequence[str], attached: Sequence[str]) -> dict[str, Any]:
    pictures = [{"type": "input_image", "image_url": attaching.picture(i)} for i in images]
    files = [attaching.document(path) for path in attached]
    return {
        "role": "user",
        "content": [{"type": "input_text", "text": text}, *pictures, *files],
    }


def _said(answer: Response, ending: Ending) -> Iterator[str]:
    _note(answer, ending)
    for item in answer.output:
        for part in item.content or ():
            yield part.text if part.type == "output_text" and part.text else part.refusal or ""


def _pieces(stream: Iterable[ResponseStreamEvent], ending: Ending) -> Iterator[str]:
    """Yield what the events add to the text of the answer."""
    for event in stream:
        if event.type in {"response.output_text.delta", "response.refusal.delta"}:
            yield event.delta or ""
        elif event.type == "error":
            raise _failure(event.message, event.code)
        elif event.response:
            _note(event.response, ending)


def _note(answer: Response, ending: Ending) -> None:
    """Note how a response stands; raises APIError for one that failed."""
    if answer.status == "failed":
        facts = answer.error
        raise _failure(facts.message if facts else None, facts.code if facts else None)
    ending.model = answer.model
    details = answer.incomplete_details
    ending.reason = (details and details.get("reason")) or answer.status
    if used := answer.usage:
        ending.takes(used.input_tokens, used.output_tokens)


def _failure(message: str | None, code: str | None) -> APIError:
    said = message or "no reason given"
    return APIError(f"the response failed: {said}", status_code=200, code=code)

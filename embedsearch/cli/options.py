"""The options that several commands share, each written once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from embedsearch.cli.errors import WANTS_JSON
from embedsearch.cli.terminal import hush

F = TypeVar("F", bound=Callable[..., Any])

HIT_FORMATS = ("text", "json", "jsonl", "csv", "md", "files", "vimgrep")
ROW_FORMATS = ("text", "json", "jsonl", "csv")
PLAIN_FORMATS = ("text", "json")
ANSWER_FORMATS = ("text", "json", "md")
TABLE_FORMATS = ("csv", "tsv", "json", "jsonl")


class Place(click.Path):
    """A path that is not empty: a variable that is not set would mean the current folder.

    Whether it may be read shows when it is: one file that may not stops no other.
    """

    def __init__(self, *, file_okay: bool = True, dir_okay: bool = True) -> None:
        super().__init__(file_okay=file_okay, dir_okay=dir_okay, readable=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if value == "":
            more = ": say '.' for the current folder" if self.dir_okay else ""
            self.fail(f"it is empty{more}", param, ctx)
        if isinstance(param, click.Option):
            value = os.path.expanduser(value)  # noqa: PTH111 -- Path's raises; no shell does --db=~
        return super().convert(value, param, ctx)


class Number(click.FloatRange):
    """A number in a range; NaN, which click lets into any, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        number = super().convert(value, param, ctx)
        if number != number:  # noqa: PLR0124 -- NaN alone differs from itself
            self.fail(f"expected a number, got {value!r}", param, ctx)
        return number


SECONDS = 86_400
"""The longest time that can be said: the clock of a socket ends at 24 days."""


def together(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Make one decorator of several options."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def _chosen(ctx: click.Context, _: click.Parameter, value: str) -> str:
    if ctx.meta.get(WANTS_JSON):  # --json stands before it, or alone
        given = ctx.get_parameter_source("format_") is ParameterSource.COMMANDLINE
        return _json_alone(value if given else "json")
    ctx.meta[WANTS_JSON] = value in {"json", "jsonl"}
    return value


def _json(ctx: click.Context, _: click.Parameter, said: bool) -> None:
    if said:
        ctx.meta[WANTS_JSON] = True
        ctx.params["format_"] = _json_alone(ctx.params.get("format_", "json"))


def _json_alone(format_: str) -> str:
    if format_ != "json":
        raise click.UsageError(f"--json is --format json: leave it out, or --format {format_}")
    return format_


def output_format(choices: tuple[str, ...]) -> Callable[[F], F]:
    """Add ``--format``, and ``--json`` for short; errors are JSON where the output is."""
    return together(
        click.option(
            "--format",
            "format_",
            type=click.Choice(choices),
            default="text",
            show_default=True,
            is_eager=True,
            callback=_chosen,
            help="How to print.",
        ),
        click.option(
            "--json",
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_json,
            help="The same as --format json.",
        ),
    )


mode = click.option(
    "--mode",
    type=click.Choice(["hybrid", "dense", "lexical"]),
    default="hybrid",
    show_default=True,
    help="By meaning and words, by meaning, or by words.",
)

allow_secrets = click.option(
    "--allow-secrets", is_flag=True, help="Send texts even if they look as if they held secrets."
)

from_ = click.option(
    "--from",
    "from_",
    type=click.Choice(TABLE_FORMATS),
    help="What FILE holds, where its name does not say.",
)

API = "embedsearch.api"
"""The key in ``Context.meta`` of what was said of an API, which any command may need."""


def _of_an_api(ctx: click.Context, option: click.Parameter, value: Any) -> None:
    if value is not None:
        ctx.meta.setdefault(API, {})[option.name] = value


def said_of_an_api() -> dict[str, Any]:
    """Return what was said of an API and its embedder, by the names of arguments."""
    said: dict[str, Any] = click.get_current_context().meta.get(API, {})
    return said


def said_of_a_client(base_url: str | None = None) -> dict[str, Any]:
    """Return what a client is made with; ``base_url`` goes before ``--base-url``."""
    said = {name: value for name, value in said_of_an_api().items() if name != "dimensions"}
    return said | ({"base_url": base_url} if base_url else {})


of_a_server = together(
    click.option(
        "--base-url",
        metavar="URL",
        expose_value=False,
        callback=_of_an_api,
        help="Where the API is; else $OPENAI_BASE_URL, else OpenAI's own.",
    ),
    click.option(
        "--insecure",
        is_flag=True,
        default=None,
        expose_value=False,
        callback=_of_an_api,
        help="Allow http to another machine: who is on the way reads key and texts.",
    ),
    click.option(
        "--timeout",
        metavar="SECONDS",
        type=Number(0, SECONDS, min_open=True),
        expose_value=False,
        callback=_of_an_api,
        help="How long to wait for the next packet.  [default: 600]",
    ),
    click.option(
        "-q",
        "--quiet",
        is_flag=True,
        expose_value=False,
        callback=hush,
        help="No progress and no notes on stderr.",
    ),
)
"""What every command has: for each may need an API, if only for the embedder of its index."""

of_a_list = click.option(
    "-n", "--limit", type=click.IntRange(min=1), help="So many at most; all without it."
)

null = click.option(
    "-0", "--null", is_flag=True, help="End each name with a NUL, not a newline, for xargs -0."
)

of_the_index = together(
    click.option(
        "-d",
        "--db",
        metavar="DIR",
        type=Place(file_okay=False),
        help="The index: this folder, else $EMBEDSEARCH_DB, else the nearest .embedsearch upwards.",
    ),
    click.option(
        "-m",
        "--model",
        metavar="NAME",
        help="The embedder: 'local', a folder with an ONNX model, or openai/MODEL of an API that is"
        " compatible with OpenAI's; else the index's own.",
    ),
    of_a_server,
)

conditions = together(
    click.option(
        "-g",
        "--glob",
        metavar="PATTERN",
        multiple=True,
        help="Only documents whose id matches, '!' in front: does not. Repeatable.",
    ),
    click.option(
        "--where",
        metavar="CONDITION",
        multiple=True,
        help="Only documents with this metadata: lang=en, 'year>=2020'. Repeatable.",
    ),
)


def group(where: str) -> Callable[[F], F]:
    """Add ``--group``: ``where`` says what it names."""
    return click.option(
        "--group",
        metavar="NAME",
        help=f"What is held out together, as a thread: {where}.",
    )


of_hits = together(
    click.option("-k", type=int, default=10, show_default=True, help="How many hits at most."),
    conditions,
    click.option(
        "--group-by", type=click.Choice(["document"]), help="Only the best hit of each document."
    ),
    click.option(
        "-C",
        "--context",
        metavar="N",
        type=click.IntRange(min=0),
        default=0,
        help="Show N lines around the best lines of a hit.",
    ),
    null,
    output_format(HIT_FORMATS),
)

hearing = together(
    click.option(
        "--transcribe",
        metavar="NAME",
        help="Take recordings in as what is said in them, heard by: openai/MODEL of an API, or the"
        " faster-whisper model in a folder.",
    ),
    click.option(
        "--transcribe-url",
        metavar="URL",
        help="Where that API is, when it is not where the embedder's is.",
    ),
)

embedding = click.option(
    "--no-embed",
    "embed",
    is_flag=True,
    # Not by flag_value and default: releases of click differ in what the two mean together.
    callback=lambda _, __, given: not given,
    help="Take texts in for search by words; embed them in a later run.",
)

sending = together(
    click.option(
        "--dimensions",
        type=click.IntRange(min=1),
        expose_value=False,
        callback=_of_an_api,
        help="How long an API's vectors shall be; settled when the index is made.",
    ),
    click.option(
        "--max-tokens",
        type=click.IntRange(min=0),
        help="Stop before the request to a provider that would cross so many tokens.",
    ),
    click.option(
        "--max-cost",
        metavar="DOLLARS",
        type=Number(0),
        help="Stop before the request that would cross so many US dollars.",
    ),
    allow_secrets,
    click.option("-y", "--yes", is_flag=True, help="Do not ask before texts are sent for money."),
)

of_a_chat = together(
    click.option(
        "--chat-model",
        metavar="NAME",
        envvar="EMBEDSEARCH_CHAT_MODEL",
        help="Who answers: a chat model, by its provider's name; else $EMBEDSEARCH_CHAT_MODEL.",
    ),
    click.option(
        "--chat-base-url",
        metavar="URL",
        envvar="EMBEDSEARCH_CHAT_BASE_URL",
        help="Where it is, if not where --base-url says; else $EMBEDSEARCH_CHAT_BASE_URL.",
    ),
    click.option(
        "--max-answer-tokens",
        metavar="TOKENS",
        type=click.IntRange(min=1),
        default=2_000,
        show_default=True,
        help="How long the answer may be, what a model thinks before it included.",
    ),
    click.option("--show-prompt", is_flag=True, help="Print what would be sent, and ask nobody."),
    allow_secrets,
)

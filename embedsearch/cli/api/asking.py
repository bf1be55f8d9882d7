"""What the commands of an API share: their options, the client, what they are given to send."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

import embedsearch
from embedsearch.cli import options, outputs
from embedsearch.cli.api import secrets
from embedsearch.cli.errors import WANTS_JSON
from embedsearch.cli.inputs import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch import Client

F = TypeVar("F", bound=Callable[..., Any])


def client() -> Client:
    """Make the client of what was said of an API, and of the environment."""
    return embedsearch.Client(**options.said_of_a_client())


def _whole(ctx: click.Context, _: click.Parameter, said: bool) -> bool:
    ctx.meta[WANTS_JSON] = said
    return said


as_json = click.option(
    "--json",
    "as_json",
    is_flag=True,
    is_eager=True,
    callback=_whole,
    help="Print the whole answer as JSON.",
)

common = options.together(options.of_a_server, as_json)
"""What every command has: where the API is, and ``--json``."""


def of_model(default: str, *, variable: str | None = None) -> Callable[[F], F]:
    """Add ``--model``; without a default for good, it is an environment variable's."""
    return click.option(
        "-m",
        "--model",
        metavar="NAME",
        default=default,
        envvar=variable,
        show_envvar=True,
        show_default=True,
        help="The model.",
    )


def _pairs(ctx: click.Context, option: click.Parameter, given: Sequence[str]) -> dict[str, Any]:
    found = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"expected NAME=VALUE, got {pair!r}", ctx, option)
        try:
            found[name] = json.loads(secrets.checked(value, "--set"))
        except ValueError:
            found[name] = value
    return found


extras = click.option(
    "--set",
    "extra",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_pairs,
    help="Any other argument of the API, as JSON or text: --set seed=7. Repeatable.",
)

to_file = options.together(
    click.option(
        "-o", "--output", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True)
    ),
    outputs.force,
)


def _files(*, allow_dash: bool, help: str) -> Callable[[F], F]:
    kind = click.Path(exists=True, dir_okay=False, allow_dash=allow_dash)
    return click.option(
        "-f", "--file", "files", metavar="FILE", multiple=True, type=kind, help=help
    )


texts = options.together(
    click.argument("words", metavar="[TEXT]...", nargs=-1),
    _files(allow_dash=True, help="A file whose text goes before; '-' is stdin. Repeatable."),
    secrets.allowing,
)
"""What is sent as one text: see ``text``."""

each = options.together(
    click.argument("texts", metavar="[TEXT]...", nargs=-1),
    _files(allow_dash=False, help="A file that is one more text. Repeatable."),
    secrets.allowing,
)
"""What is sent as several texts: see ``several``."""


def text(words: Sequence[str], files: Sequence[str]) -> str:
    """Return the text to send: that of files, then the words, or stdin for ``-``."""
    said = sys.stdin.read().removesuffix("\n") if tuple(words) == ("-",) else " ".join(words)
    secrets.checked(said, _place(words))
    whole = "\n\n".join(part for part in (*map(_read, files), said) if part.strip())
    if not whole:
        raise click.UsageError("say what to send: words, '-' for stdin, or --file")
    return whole


def several(texts: Sequence[str], files: Sequence[str]) -> list[str]:
    """Return the texts to send: those given, or the lines of stdin for ``-``, then the files'."""
    lines = _lines() if tuple(texts) == ("-",) else list(texts)
    secrets.checked("\n".join(lines), _place(texts))
    lines += [_read(file) for file in files]
    if not lines:
        raise click.UsageError("say what to send: texts, '-' for the lines of stdin, or --file")
    return lines


def _lines() -> list[str]:
    """Return the lines of stdin; what else parts lines in Unicode may stand within a text."""
    return [line.rstrip("\r\n") for line in sys.stdin]


def places(lines: Sequence[str], texts: Sequence[str], files: Sequence[str]) -> list[str]:
    """Return the place of each of ``several`` texts: ``stdin:2``, ``TEXT 2``, a file's name."""
    before = "stdin:" if tuple(texts) == ("-",) else "TEXT "
    return [*(f"{before}{n + 1}" for n in range(len(lines) - len(files))), *files]


def _place(words: Sequence[str]) -> str:
    return "stdin" if tuple(words) == ("-",) else "TEXT"


def _read(file: str) -> str:
    return secrets.checked(text_of(file), "stdin" if file == "-" else file)


def said(**given: Any) -> dict[str, Any]:
    """Return the arguments that were given."""
    return {name: value for name, value in given.items() if value is not None}

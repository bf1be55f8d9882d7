"""How errors end: a message on stderr, in the format that was asked for, and an exit code."""

from __future__ import annotations

import json
import re
from typing import NoReturn

import click

from embedsearch.cli.terminal import note, printable_lines
from embedsearch.errors import EmbedsearchError, IndexLocked

NOTHING_FOUND = 1
FAILED = 2
SOME_FAILED = 3
LOCKED = 6
INTERRUPTED = 130

EXPECTED = (EmbedsearchError, ValueError, OSError, click.UsageError)
"""What the library and click raise on purpose; anything else is a bug and shows its trace."""

WANTS_JSON = "embedsearch.json"
"""The key in ``Context.meta`` that a command sets when its output is JSON."""


def report(ctx: click.Context, error: Exception) -> NoReturn:
    """Say what went wrong, and exit."""
    if ctx.meta.get(WANTS_JSON):
        note(json.dumps({"error": _as_json(error)}, ensure_ascii=False))
    else:
        _say("error:", _message(error), "red")
        if hint := _hint(error):
            _say("hint:", hint, "cyan")
    ctx.exit(LOCKED if isinstance(error, IndexLocked) else FAILED)


def _say(word: str, message: str, colour: str) -> None:
    click.echo(f"{click.style(word, fg=colour, bold=True)} {printable_lines(message)}", err=True)


def interrupted(ctx: click.Context) -> NoReturn:
    """Say that nothing is lost, and exit as a program that was interrupted."""
    kept = "; what was done is kept, and the next run goes on from there"
    writes = ctx.invoked_subcommand in {"index", "add"}
    click.echo(f"\ninterrupted{kept if writes else ''}", err=True)
    ctx.exit(INTERRUPTED)


def _as_json(error: Exception) -> dict[str, str | None]:
    return {"code": _code(error), "message": _message(error), "hint": _hint(error)}


def _code(error: Exception) -> str:
    """Return the error's class as a word: ``index_not_found``."""
    if isinstance(error, click.UsageError):
        return "usage"
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__)
    return {"Value_Error": "bad_argument"}.get(name, name.lower())


def _message(error: Exception) -> str:
    if isinstance(error, click.UsageError):
        return error.format_message()
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror.lower()}{where}"
    return str(error)


def _hint(error: Exception) -> str | None:
    if isinstance(error, click.UsageError) and error.ctx:
        return f"see: {error.ctx.command_path} --help"
    return error.hint if isinstance(error, EmbedsearchError) else None

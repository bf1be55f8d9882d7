"""How errors end: a message on stderr, in the format that was asked for, and an exit code."""

from __future__ import annotations

import json
import os
import re
import traceback
from typing import NoReturn

import click

from embedsearch.cli.terminal import for_commands, printable_lines, tell, write
from embedsearch.errors import (
    AuthenticationFailed,
    CostLimitReached,
    EmbedsearchError,
    IndexLocked,
    RateLimited,
    why,
)

NOTHING_FOUND = 1
FAILED = 2
SOME_FAILED = 3
BUG = 70
"""EX_SOFTWARE in BSD's ``sysexits.h``."""
INTERRUPTED = 130
EXITS = {AuthenticationFailed: 4, CostLimitReached: 5, RateLimited: 5, IndexLocked: 6}
"""The exit codes of errors that a script may want to tell apart; all others are FAILED."""

EXPECTED = (EmbedsearchError, ValueError, OSError, click.UsageError)
"""What the library and click raise on purpose; anything else is a bug."""

_BETWEEN_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

DEBUG = "EMBEDSEARCH_DEBUG"
"""The variable that makes every error show its trace."""

WANTS_JSON = "embedsearch.json"
"""The key in ``Context.meta`` that a command sets when its output is JSON."""


def report(ctx: click.Context, error: Exception) -> NoReturn:
    """Say what went wrong, and exit."""
    if os.environ.get(DEBUG):
        tell("".join(traceback.format_exception(error)).rstrip())
    if _was_interrupted(error):
        interrupted(ctx)
    if ctx.meta.get(WANTS_JSON):
        _tell_json(_code(error), _message(error), _hint(error))
    else:
        _say("error:", _message(error), "red")
        if hint := _hint(error):
            _say("hint:", hint, "cyan")
    ctx.exit(_exit_code(error))


def _was_interrupted(error: BaseException | None) -> bool:
    """Look behind an error for Ctrl-C: an extension that it hits while loading raises another."""
    while error and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _say(word: str, message: str, colour: str) -> None:
    write(f"{click.style(word, fg=colour, bold=True)} {printable_lines(message)}")


def interrupted(ctx: click.Context) -> NoReturn:
    """Say that nothing is lost, and exit as a program that was interrupted."""
    kept = "; what was done is kept, and the next run goes on from there"
    writes = ctx.invoked_subcommand in {"index", "add"}
    _ended(ctx, "interrupted", f"\ninterrupted{kept if writes else ''}")
    ctx.exit(INTERRUPTED)


def refused(ctx: click.Context, refusal: click.Abort) -> NoReturn:
    """Say why a question was not answered with yes, and exit."""
    cause = refusal.__context__  # click.confirm makes one of these three
    if isinstance(cause, KeyboardInterrupt):
        interrupted(ctx)
    why = "\nnobody is there to answer: -y says yes" if cause else "not done: the answer was no"
    _ended(ctx, "refused", why)
    ctx.exit(FAILED)


def _ended(ctx: click.Context, code: str, message: str) -> None:
    """Say by what a command was ended that is no error."""
    if ctx.meta.get(WANTS_JSON):
        _tell_json(code, message.lstrip("\n"))
    else:
        tell(message)


def _exit_code(error: Exception) -> int:
    other = FAILED if isinstance(error, EXPECTED) else BUG
    return next((code for kind, code in EXITS.items() if isinstance(error, kind)), other)


def _tell_json(code: str, message: str, hint: str | None = None) -> None:
    error = {"code": code, "message": message, "hint": hint}
    tell(json.dumps({"error": error}, ensure_ascii=False))


def _code(error: Exception) -> str:
    """Return the error's class as a word: ``index_not_found``."""
    if isinstance(error, click.UsageError):
        return "usage"
    if not isinstance(error, EXPECTED):
        return "bug"
    if type(error) is ValueError or isinstance(error, UnicodeError):
        return "bad_argument"
    return re.sub(
        r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", type(error).__name__
    ).lower()


def _message(error: Exception) -> str:
    return for_commands(_whole_message(error))


def _whole_message(error: Exception) -> str:
    if isinstance(error, click.UsageError):
        return error.format_message()
    if isinstance(error, UnicodeEncodeError):
        return f"{error.object!r:.60} is not valid UTF-8"
    if isinstance(error, FileNotFoundError) and error.strerror and not error.filename:
        return "the current folder is gone"  # which alone is looked for without a name
    if isinstance(error, OSError) and error.strerror:
        return why(error) + (f": {error.filename}" if error.filename else "")
    if not isinstance(error, EXPECTED):
        return f"this is a bug in embedsearch: {type(error).__name__}: {error}"
    return str(error)


def _hint(error: Exception) -> str | None:
    if isinstance(error, click.UsageError) and error.ctx:
        return f"see: {error.ctx.command_path} --help"
    if not isinstance(error, EXPECTED):
        return f"please report it, with what it prints when {DEBUG}=1"
    hint = error.hint if isinstance(error, EmbedsearchError) else None
    return hint and for_commands(hint)

"""The two streams: data on stdout, everything else on stderr."""

from __future__ import annotations

import io
import os
import sys

import click

CONTROLS = dict.fromkeys((*range(32), *range(127, 160)), "\ufffd")
"""No document, and no file's name, may move a user's cursor or recolour the screen."""

_BUT_LINES = {code: mark for code, mark in CONTROLS.items() if chr(code) not in "\t\n"}


def prepare(ctx: click.Context) -> None:
    """Honour NO_COLOR, and print what the terminal's encoding lacks as escapes."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def let_go_of_stdout() -> None:
    """Send the rest of the output nowhere: its reader has seen enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(message: str, *, quiet: bool = False) -> None:
    """Say something to the user that is no data."""
    if not quiet:
        click.echo(message, err=True)


def printable(text: str) -> str:
    """Return a text, or a file's name, without what a terminal would take for a command."""
    return text.translate(CONTROLS)


def printable_lines(text: str) -> str:
    """Return a text of several lines, or a piece of one, without any other command."""
    return text.translate(_BUT_LINES)


def counted(n: int, noun: str) -> str:
    """Return a number with its noun: ``1 file``, ``1,204 files``."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"

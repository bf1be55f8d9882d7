"""The two streams: data on stdout, everything else on stderr."""

from __future__ import annotations

import io
import os
import sys
import textwrap
import warnings
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from embedsearch.errors import IN_PYTHON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")

_TURNING = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Marks that turn the order of signs around: ``gpj.exe`` reads as ``exe.jpg`` behind one."""

CONTROLS = dict.fromkeys((*range(32), *range(127, 160), *_TURNING), "\ufffd")
"""No document, and no file's name, may move a user's cursor or recolour the screen."""

PAGE = 1_000
"""How many lines are written at once: a list of 100,000 takes a third of the time."""

_QUIET = f"{__name__}.quiet"

_BUT_FOR_LINES = {sign: CONTROLS[sign] for sign in CONTROLS if chr(sign) not in "\n\t"}


class _Unopened(io.RawIOBase):
    """A standard stream that the command was started without: ``>&-``."""

    def __init__(self, name: str) -> None:
        self.name = name

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, _: object) -> int:
        raise OSError(f"{self.name} is closed: there is nothing to read")

    def write(self, _: object) -> int:
        raise OSError(f"{self.name} is closed: there is nowhere to write to")


def prepare(ctx: click.Context) -> None:
    """Honour NO_COLOR, and print what the terminal's encoding lacks as escapes."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def open_what_is_closed() -> None:
    """Let no file that is opened later pass for a standard stream, as gnulib's ``stdopen`` does."""
    for name in ("stdin", "stdout", "stderr"):  # in the order of their numbers: the lowest is taken
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, _stand_in(name, nowhere))


def _stand_in(name: str, nowhere: int) -> TextIO:
    if name == "stderr":
        return os.fdopen(nowhere, "w", encoding="utf-8")
    closed = _Unopened(name)
    buffer = io.BufferedReader(closed) if name == "stdin" else closed
    # What a buffer of writes can't get rid of would fail a second time at the end.
    return io.TextIOWrapper(buffer, encoding="utf-8", write_through=True)


def let_go_of(stream: TextIO) -> None:
    """Send the rest of what is written to a stream nowhere: nobody reads it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def show(data: str, *, end: str = "\n") -> None:
    """Print data: exactly as it is into a pipe or file, without commands to a terminal on one."""
    draw(printable_lines(data) if sys.stdout.isatty() else data, end=end)


def show_all(lines: Iterable[str], *, end: str = "\n") -> None:
    """Print many lines of data, each as ``show`` does, with fewer writes."""
    left = iter(lines)
    while page := list(islice(left, PAGE)):
        show(end.join(page), end=end)


def draw(text: str, *, end: str = "\n") -> None:
    """Print data with its ``painted`` parts, colours and all."""
    # Told nothing of colours, click takes the codes out of what is piped, the data's own too.
    click.echo(text + end, nl=False, color=None if sys.stdout.isatty() else True)


def painted(data: str, **style: Any) -> str:
    """Return data on one line of stdout: at a terminal in a style and without commands."""
    return click.style(printable(data), reset=bool(style), **style) if sys.stdout.isatty() else data


def tell(message: str) -> None:
    """Say on stderr what has to be known: what failed, or what a question is about."""
    write(printable_lines(message))


def write(message: str) -> None:
    """Write a line to stderr as it is; where that fails, the exit code alone has to tell."""
    try:
        click.echo(message, err=True)
    except OSError:
        let_go_of(sys.stderr)


def note(message: str) -> None:
    """Say on stderr what is good to know; nothing where the command was given ``-q``."""
    if not is_quiet():
        tell(message)


def hush(ctx: click.Context, _: click.Parameter, given: bool) -> None:
    """Keep that ``-q`` was given, be it before the command or after it."""
    if given:
        ctx.meta[_QUIET] = True


def is_quiet(ctx: click.Context | None = None) -> bool:
    """Return whether the command was given ``-q``; threads of its own have to say which it is."""
    ctx = ctx or click.get_current_context(silent=True)
    return bool(ctx and ctx.meta.get(_QUIET))


@contextmanager
def warnings_in_words() -> Iterator[None]:
    """Print a warning as its message alone, not as where in which module it was made."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda said, *_, **__: note(f"warning: {for_commands(str(said))}")
        yield


def for_commands(advice: str) -> str:
    """Leave out of a message what is advice for Python alone."""
    return advice.partition(IN_PYTHON)[0]


def printable(text: str) -> str:
    """Return a text, or a file's name, without what a terminal would take for a command."""
    return text.translate(CONTROLS)


def printable_lines(text: str) -> str:
    """Return a text of several lines likewise, each line and tab where it was."""
    return text.replace("\r\n", "\n").translate(_BUT_FOR_LINES)


def wrapped(text: str) -> str:
    """Return a text for stderr, where that is a terminal, with lines broken between words."""
    if not sys.stderr.isatty():
        return text
    width = os.get_terminal_size(sys.stderr.fileno()).columns or 80
    lines = (textwrap.wrap(line, width, replace_whitespace=False) for line in text.split("\n"))
    return "\n".join("\n".join(parts) for parts in lines)


def counted(n: int, noun: str) -> str:
    """Return a number with its noun: ``1 file``, ``1,204 files``."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def first(most: int, of: Sequence[T], rest: str, *, line: Callable[[T], str] = str) -> list[str]:
    """Return a line for the first of many, and one that says how many more there are, and where."""
    lines = [line(each) for each in of[:most]]
    more = len(of) - most
    return [*lines, f"... and {more:,} more ({rest})"] if more > 0 else lines


def confirmed(verb: str, what: str) -> bool:
    """Ask whether to do something; raises UsageError where nobody is there to be asked."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"to {verb} {what}, without a terminal to ask at, say -y")
    return click.confirm(f"{verb.capitalize()} {what}?", abort=True, err=True)

"""Groups of commands that are imported when they are asked for: ``--help`` stays cheap."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from embedsearch.cli.errors import FAILED
from embedsearch.cli.terminal import write

if TYPE_CHECKING:
    from collections.abc import Mapping


class Late(NamedTuple):
    """The module under ``cli`` that holds a command, and the command's line in the help."""

    module: str
    summary: str


class Group(click.Group):
    """A group that hands on to its commands what was said before them.

    An option that takes one value is refused, there and in its commands, when it is given twice:
    of two indexes, or two lists of columns, one would be dropped in silence.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what stands before the command; where nothing does, show the help."""
        if not args and not ctx.resilient_parsing:
            write(ctx.get_help())
            ctx.exit(FAILED)
        _refuse_repeated(ctx, args)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, and look at what it is given."""
        name, command, rest = super().resolve_command(ctx, args)
        if command and not isinstance(command, Group) and not ctx.resilient_parsing:
            _refuse_repeated(click.Context(command, ctx, name), rest)
        return name, command, rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what was said before the group is a default of each of its commands."""
        ctx.default_map = dict.fromkeys(self.list_commands(ctx), ctx.default_map or {})
        return super().invoke(ctx)


def _refuse_repeated(ctx: click.Context, args: list[str]) -> None:
    """Raise UsageError for an option that is there twice and takes one value."""
    _, _, order = ctx.command.make_parser(ctx).parse_args([*args])
    for param, times in Counter(order).items():
        if times > 1 and isinstance(param, click.Option) and _takes_one_value(param):
            named = " / ".join(map(repr, param.opts))
            ctx.fail(f"{named} takes one value, and was given {times} times")


def _takes_one_value(option: click.Option) -> bool:
    return not (option.multiple or option.is_flag or option.count)


class LateGroup(Group):
    """A group whose commands are imported late; NAME is ``NAME_`` in its module."""

    def __init__(self, *args: Any, late: Mapping[str, Late], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.late = late

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Return the names of all commands, in the order of the help."""
        return list(self.late)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's signature
        """Import a command."""
        if cmd_name not in self.late:
            return None
        module = import_module(f"embedsearch.cli.{self.late[cmd_name].module}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command by its name; of an unknown one, say which is spelled like it."""
        close = [] if args[0] in self.late else get_close_matches(args[0], self.late, n=1)
        if close and not ctx.resilient_parsing:
            ctx.fail(f"No such command {args[0]!r}: did you mean {close[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's signature
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, late.summary) for name, late in self.late.items()])

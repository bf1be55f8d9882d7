"""The door: finds the command, and turns what goes wrong into one line and an exit code."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from embedsearch.cli import errors, options, terminal
from embedsearch.cli.late import Late, LateGroup
from embedsearch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS = {
    "index": Late("indexing", "Bring the index in step with files and folders."),
    "search": Late("searching", "Find the passages that answer a query."),
    "ask": Late("asking", "Have a chat model answer from what a search finds."),
    "add": Late("adding", "Add the rows of a csv, tsv, json or jsonl file."),
    "similar": Late("searching", "Find the passages most like a document or chunk."),
    "get": Late("documents", "Print the text of a document or chunk."),
    "ls": Late("documents", "List the documents of the index."),
    "rm": Late("documents", "Remove documents from the index; no file is touched."),
    "label": Late("labelling", "Say what documents are: one by one, by query, from a file."),
    "train": Late("classifying", "Train a classifier on the labels."),
    "classify": Late("classifying", "Say which label a text or each document has."),
    "suspects": Late("classifying", "List labels that are probably wrong."),
    "cluster": Late("comparing", "Say which groups the documents fall into."),
    "dedupe": Late("comparing", "List documents that say the same, and which to keep."),
    "outliers": Late("comparing", "List the documents that are least like any others."),
    "sample": Late("comparing", "List documents that differ as much as they can."),
    "recommend": Late("comparing", "List documents like some and unlike others."),
    "compare": Late("contrasting", "Compare two texts or two sets: what is new, gone, drifted."),
    "map": Late("mapping", "Draw the documents on one HTML page."),
    "evaluate": Late("evaluating", "Say how good a classifier of these labels is."),
    "status": Late("upkeep", "Say what the index holds and how far it is embedded."),
    "verify": Late("upkeep", "Check the index; change nothing."),
    "repair": Late("upkeep", "Mend what verify finds."),
    "gc": Late("collecting", "Drop what no document holds any more, and free its room."),
    "usage": Late("ledgers", "Say what providers were asked and paid."),
    "outbox": Late("ledgers", "List the texts that were sent to providers."),
    "tokens": Late("tokens", "Count tokens, show them, say what they cost."),
    "api": Late("api.group", "Ask an API for anything: chat, speech, images, fine-tuning, ..."),
}


class Door(LateGroup):
    """The group of all commands, where errors end."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse what stands before the command; what goes wrong there ends as elsewhere."""
        terminal.open_what_is_closed()
        with _last_door(click.Context(self, info_name=self.name)):
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _last_door(ctx), terminal.warnings_in_words():
            from embedsearch.cli import waits  # loads logging, which --help does without

            with waits.told(ctx):
                return super().invoke(ctx)


@contextmanager
def _last_door(ctx: click.Context) -> Iterator[None]:
    """End what goes wrong as a message and an exit code, be it the user's fault or ours."""
    try:
        yield
    except BrokenPipeError:
        terminal.let_go_of(sys.stdout)
        ctx.exit()
    except KeyboardInterrupt:
        errors.interrupted(ctx)
    except click.Abort as refusal:
        errors.refused(ctx, refusal)
    except click.exceptions.Exit:
        raise
    except Exception as error:  # noqa: BLE001 -- a bug is told as one, with exit code 70
        errors.report(ctx, error)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"embedsearch {__version__}")
        ctx.exit()


@click.group(
    cls=Door,
    late=COMMANDS,
    name="embedsearch",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="embedsearch COMMAND --help tells more of a command.",
)
@options.of_the_index
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version.",
)
@click.pass_context
def main(ctx: click.Context, /, **given: Any) -> None:
    """Search your own documents by meaning and by words, offline."""
    terminal.prepare(ctx)
    # What is said before the command is the command's default: it may be said after it, too.
    said = {name: value for name, value in given.items() if value}
    ctx.default_map = dict.fromkeys(COMMANDS, said)

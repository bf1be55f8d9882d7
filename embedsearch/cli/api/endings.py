"""A model's answer to its end: printed as it comes, why it ended, and what it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from embedsearch import tokens
from embedsearch.cli import options
from embedsearch.cli.api import printing
from embedsearch.cli.spending import dollars
from embedsearch.cli.terminal import note, tell
from embedsearch.tokens import bills

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_CUT = {
    "length": "the answer was cut: it reached its limit of tokens (--max-tokens)",
    "max_output_tokens": "the answer was cut: it reached its limit of tokens (--max-tokens)",
    "content_filter": "the answer was cut by the provider's filter",
}

COUNTED = {"stream_options": {"include_usage": True}}

written = options.together(
    click.option("--temperature", type=options.Number(0, 2), help="0: the likeliest words."),
    click.option("--no-stream", is_flag=True, help="Print the answer when all of it is there."),
    click.option("-u", "--usage", is_flag=True, help="Say at the end what it took."),
)
"""How a model writes its answer, and how that is printed."""


@dataclass(slots=True)
class Ending:
    """Why an answer of a model ended, and its tokens."""

    model: str = ""
    """The one that answered, by its own account."""
    reason: str | None = None
    took: tuple[int, int] | None = None
    """The tokens that it read and wrote; None where the server does not say."""

    def takes(self, read: object, written: object) -> None:
        """Note the tokens that a server says it read and wrote, where that can be true."""
        took = bills.count(read), bills.count(written)
        self.took = None if took[0] is None or took[1] is None else (took[0], took[1])

    def tell(self, *, came: bool, usage: bool) -> None:
        """Say on stderr what is worth knowing; ``came`` is whether there was any text."""
        if self.reason in _CUT:
            note(_CUT[self.reason])
        elif not came:
            note(f"the answer holds no text ({self.reason}): see it with --json")
        if usage:
            tell(self._used())

    def _used(self) -> str:
        if self.took is None:
            return "the server does not say what it took"
        read, written = self.took
        known = tokens.known(self.model)
        cost = known.cost(read, written) if known else None
        price = "price not known" if cost is None else dollars(cost)
        return f"{read:,} tokens read, {written:,} written, {price}"


def flow(
    create: Callable[..., Any],
    body: dict[str, Any],
    *,
    whole: Callable[[Any, Ending], Iterator[str]],
    pieces: Callable[[Any, Ending], Iterator[str]],
    no_stream: bool,
    usage: bool,
    as_json: bool,
    counted: Mapping[str, Any] = COUNTED,
) -> None:
    """Print an answer while it is written, or when all of it is there; then say how it ended.

    With ``as_json`` it is all that came. ``counted`` is what a stream has to be asked for to say
    what it took.
    """
    if as_json:
        printing.whole(create(**body).to_dict())
        return
    ending = Ending()
    if no_stream:
        came = printing.flowing(whole(create(**body), ending))
    else:
        asked = counted if usage else {}
        with create(**body, **asked, stream=True) as stream:
            came = printing.flowing(pieces(stream, ending))
    ending.tell(came=came, usage=usage)

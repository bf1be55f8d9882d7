"""What a search found, drawn for people."""

from __future__ import annotations

import sys
from io import StringIO
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from embedsearch.cli.places import path, staleness, where
from embedsearch.cli.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from embedsearch import Hit
    from embedsearch.cli.snippets import Line
    from embedsearch.records import Explanation

UNLIMITED = 1_000_000
"""The width where no terminal is: nothing is wrapped that another program may read."""


def drawn(
    hits: Sequence[Hit],
    snippets: Sequence[list[Line]],
    stale: Collection[str],
    explained: Sequence[Explanation],
) -> Iterator[str]:
    """Yield a head line and a snippet for each hit; ``stale`` are documents that changed since.

    Where hits are ``explained``, a line says so below each.
    """
    console = _console()
    for hit, snippet, why in zip_longest(hits, snippets, explained):
        with console.capture() as captured:
            console.print(_head(hit, stale=hit.document_id in stale, width=console.width))
            _print_snippet(console, snippet)
            if why:
                console.print(Text(f"   {_reasons(why)}", "dim"))
            if hit.rank < len(hits):
                console.print()
        yield captured.get().removesuffix("\n")


def _console() -> Console:
    terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout if terminal else StringIO(),
        width=None if terminal else UNLIMITED,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _head(hit: Hit, *, stale: bool, width: int) -> Text:
    before = Text.assemble(
        (f"{hit.rank}  ", "bold"), (printable(path(hit)), "magenta"), (where(hit), "green")
    )
    if hit.page is not None:
        before.append(f"  p. {hit.page}")
    after = Text(f"  {hit.score:.2f}", "dim")
    if stale:
        after.append(f"  {staleness(hit)}", "yellow")
    heading = Text(printable(hit.heading or ""), "cyan")
    heading.truncate(max(width - before.cell_len - after.cell_len - 2, 10), overflow="ellipsis")
    return Text.assemble(before, "  " if heading else "", heading, after)


def _reasons(why: Explanation) -> str:
    """Return what a score is made of: ``meaning 0.56, words 0.38 (date 0.38; no header)``."""
    found = [f"{term} {share:.2f}" for term, share in why.terms.items() if share]
    lacking = [term for term, share in why.terms.items() if not share]
    terms = [", ".join(found), f"no {', '.join(lacking)}" if lacking else ""]
    meaning = "" if why.meaning is None else f"meaning {why.meaning:.2f}, "
    return printable(f"{meaning}words {why.words:.2f} ({'; '.join(filter(None, terms))})")


def _print_snippet(console: Console, snippet: list[Line]) -> None:
    digits = len(str(snippet[-1].number)) if snippet else 0
    for line in snippet:
        text = Text(line.text, "" if line.chosen else "dim")
        for start, end in line.spans:
            text.stylize("bold red", start, end)
        wrapped = text.wrap(console, max(console.width - digits - 5, 20))
        for row, part in enumerate(wrapped):
            number = str(line.number) if row == 0 else ""
            console.print(Text.assemble("   ", (f"{number:>{digits}}", "dim"), "  ", part))

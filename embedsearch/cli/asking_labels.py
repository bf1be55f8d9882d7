"""The loop that shows the most useful next document and asks for its label."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from embedsearch.cli.terminal import counted, note, printable_lines
from embedsearch.labelling import chooser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch import Index
    from embedsearch.labelling import Choice

SHOWN = 1_200
"""How many characters of a document are shown."""

MOST_NAMES = 9
"""How many labels can be chosen by a digit."""

WORDS = "a label or its number; Enter to pass, :u to take back, :q to end"


def ask_for_labels(index: Index, *, where: Sequence[str], glob: Sequence[str]) -> int:
    """Ask until the user has enough or all is labelled, and return the exit code."""
    if not sys.stdin.isatty():
        raise click.UsageError("name documents and a label; without a terminal there is no asking")
    chosen = chooser(index, where=where, glob=glob)
    skipped: set[str] = set()
    done = 0
    while choice := chosen.next(index.labels(), frozenset(skipped)):
        names = _names(index, choice)
        answer = _asked(index, choice, names)
        if answer == ":q":
            break
        if answer == ":u" and not done:  # what is there is not of this session
            note("nothing was labelled here yet; what was before: embedsearch label --undo")
        elif answer == ":u":
            done -= index.undo_label() is not None
        elif not answer:
            skipped.add(choice.document_id)
        else:
            index.label({choice.document_id: answer}, source="asked")
            done += 1
    else:
        note("nothing is left to label")
    note(f"{counted(done, 'document')} labelled; next: embedsearch train")
    return 0


def _names(index: Index, choice: Choice) -> list[str]:
    """Return the labels to choose from, the likeliest first, then the most frequent."""
    frequent = Counter(label for labels in index.labels().values() for label in labels)
    names = dict.fromkeys([*choice.guesses, *(name for name, _ in frequent.most_common())])
    return list(names)[:MOST_NAMES]


def _asked(index: Index, choice: Choice, names: Sequence[str]) -> str:
    (text,) = index.texts([choice.document_id])
    note(f"\n{choice.document_id}\n{printable_lines(text[:SHOWN]).strip()}\n")
    if names:
        note("   ".join(f"{n} {name}" for n, name in enumerate(names, 1)))
    try:
        answer = click.prompt(f"({WORDS})\nlabel", default="", show_default=False, err=True)
    except click.Abort:  # the end of the input, or Ctrl-C: what was said is kept
        return ":q"
    answer = str(answer).strip()
    if answer.isdecimal() and 1 <= int(answer) <= len(names):
        return names[int(answer) - 1]
    return answer

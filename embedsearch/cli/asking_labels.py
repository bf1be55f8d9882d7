"""The loop that shows the most useful next document and asks for its label."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from embedsearch.cli.errors import NOTHING_FOUND
from embedsearch.cli.terminal import counted, printable, printable_lines, tell, wrapped
from embedsearch.labelling import Choice, chooser
from embedsearch.store.labels import has_control

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedsearch import Index

SHOWN = 1_200
"""How many characters of a document are shown."""

LONGEST = 40
"""A word that is longer, as a line of a script that knows no blanks, is cut."""

MOST_NAMES = 9
"""How many labels are offered with a question; ? lists all."""

HELP = """\
  LABEL      the label of this document, new or known
  NUMBER     the label that has this number, the same all along
  1, LABEL   several, with commas between
  Enter      pass
  :t         show the whole text
  :u         take the latest label back
  :is LABEL  a label that is a number, begins with a colon or has a comma
  :q         end; what was said is kept
  ?          this, and all labels"""


@dataclass(slots=True)
class Session:
    """What was said in one sitting, and the labels by their numbers, from 1."""

    index: Index
    names: list[str]
    given: list[tuple[str, list[str]]] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)

    def answer(self, choice: Choice) -> Choice | None:
        """Ask for a document's labels, and return what to ask of next: ``None`` for another.

        Raises:
            EOFError: it is enough.

        """
        self._show(choice)
        while True:
            said = _typed()
            if not said:
                self.skipped.add(choice.document_id)
                return None
            if said == ":q":
                raise EOFError
            if said == ":u" and self.given:
                return self._take_back()
            if has_control(said):
                tell(f"expected a label without control characters, got {said!r}")
                continue
            meant = self._meant(said)
            if all(meant.values()):
                self._label(choice.document_id, list(dict.fromkeys(meant.values())))
                return None
            self._tell(next(part for part, label in meant.items() if not label), choice)

    def _meant(self, said: str) -> dict[str, str]:
        """Return the label that each part of an answer means, "" for none."""
        if said.startswith(":is "):
            return {said: said.removeprefix(":is ").strip()}
        parts = [said] if said in self.names else map(str.strip, said.split(","))
        return {part: self._named(part) for part in parts if part} or {said: ""}

    def _named(self, part: str) -> str:
        if part.isdecimal():
            known = 1 <= int(part) <= len(self.names)
            return self.names[int(part) - 1] if known else ""
        return "" if part.startswith(":") or not part.strip("?") else part

    def _label(self, id_: str, labels: list[str]) -> None:
        self.index.label({id_: labels}, source="asked")
        self.given.append((id_, labels))
        self.names += [label for label in labels if label not in self.names]
        if len(labels) > 1:
            tell(f"{printable(id_)} is {printable(' and '.join(labels))}")

    def _tell(self, said: str, choice: Choice) -> None:
        """Say what was not understood, and what would have been."""
        if said == ":t":
            (text,) = self.index.texts([choice.document_id])
            tell(wrapped(printable_lines(text)))
        elif said == ":u":
            tell("nothing was labelled here yet; what was before: embedsearch label --undo")
        elif said.strip("?"):
            what = "no label has the number" if said.isdecimal() else "there is no command"
            tell(f"{what} {said}; ? lists what there is")
        else:
            tell("\n".join([HELP, *(f"  {n:<10} {name}" for n, name in enumerate(self.names, 1))]))

    def _take_back(self) -> Choice:
        self.index.undo_label()
        id_, labels = self.given.pop()
        tell(f"taken back: {printable(id_)} was {printable(' and '.join(labels))}")
        return Choice(id_)

    def _show(self, choice: Choice) -> None:
        (text,) = self.index.texts([choice.document_id])
        done = f"{len(self.given):,} labelled, {len(self.skipped):,} passed"
        tell(f"\n{choice.document_id}  ({done})\n{wrapped(_beginning(printable_lines(text)))}\n")
        if offered := self._offered(choice.guesses):
            tell("   ".join(f"{n} {self.names[n - 1]}" for n in offered))

    def _offered(self, guesses: Sequence[str]) -> list[int]:
        """Return the numbers of the likeliest labels and of the first ones, in order."""
        likely = [name for name in guesses if name in self.names]
        names = list(dict.fromkeys([*likely, *self.names]))[:MOST_NAMES]
        return sorted(self.names.index(name) + 1 for name in names)


def ask_for_labels(index: Index, *, where: Sequence[str], glob: Sequence[str]) -> int:
    """Ask until the user has enough or all is labelled, and return the exit code."""
    if not sys.stdin.isatty():
        raise click.UsageError("name documents and a label; without a terminal there is no asking")
    frequent = Counter(label for labels in index.labels().values() for label in labels)
    session = Session(index, [name for name, _ in frequent.most_common()])
    chosen = chooser(index, where=where, glob=glob)
    again: Choice | None = None
    try:
        while choice := again or chosen.next(index.labels(), frozenset(session.skipped)):
            again = session.answer(choice)
        tell("nothing is left to label")
    except EOFError:
        pass
    finally:
        done = counted(len(session.given), "document")
        tell(f"{done} labelled; next: embedsearch train" if session.given else "nothing labelled")
    return 0 if session.given else NOTHING_FOUND


def _beginning(text: str) -> str:
    """Return how a text begins, cut between words, and how much more there is."""
    text = text.strip()
    if len(text) <= SHOWN:
        return text
    whole = text[: SHOWN + 1].rsplit(None, 1)[0]
    shown = whole if SHOWN - LONGEST < len(whole) <= SHOWN else text[:SHOWN]
    return f"{shown}… ({counted(len(text) - len(shown), 'character')} more: :t)"


def _typed() -> str:
    """Return what was typed. Raises EOFError at its end, KeyboardInterrupt for Ctrl-C."""
    try:
        typed = click.prompt("label (? helps)", default="", show_default=False, err=True)
    except click.Abort as refusal:  # which click makes of one of the two
        tell("")
        raise refusal.__context__ or refusal from None
    return str(typed).strip()

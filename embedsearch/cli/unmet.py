"""Conditions on ``@label`` and ``@predicted`` that no document can meet yet: said, not silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from embedsearch.cli.terminal import note
from embedsearch.store.filters import key_of

if TYPE_CHECKING:
    from embedsearch import Index


def say_what_is_unmet(index: Index) -> None:
    """Say of each ``--where @...`` of the command that nothing can meet it, where that is so."""
    ctx = click.get_current_context(silent=True)
    for condition in (ctx and ctx.params.get("where")) or ():
        if why := _unmet(index, key_of(condition)):
            note(f"note: {why}")


def _unmet(index: Index, key: str) -> str:
    if key == "@label":
        return "" if index.labels() else "no document is labelled yet: embedsearch label"
    if key == "@predicted":
        return _unpredicted(index)
    if key.startswith("@"):
        return f"{key!r} is of the metadata; what is known besides is @label, @predicted"
    return ""


def _unpredicted(index: Index) -> str:
    versions = [model.version for model in index.models]
    if not versions:
        return "no classifier was trained yet: label some documents, embedsearch train"
    if index.models.classified(versions[-1]):
        return ""
    return f"classifier {versions[-1]} has classified nothing yet: run embedsearch classify --all"

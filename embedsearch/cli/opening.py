"""Which index a command is about, and how it is opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

import embedsearch
from embedsearch import embedders, files
from embedsearch.cli import options
from embedsearch.cli.terminal import note

if TYPE_CHECKING:
    from embedsearch import Index
    from embedsearch.embedders import Embedder

FOLDER = ".embedsearch"
"""The name of an index that was not named."""

VARIABLE = "EMBEDSEARCH_DB"


def open_index(
    db: Path | None, model: str | None, *, create: bool = False, asks: bool = False
) -> Index:
    """Open the index that ``-d`` names, or the one that is meant without it.

    ``asks``: the command itself asks an API, so that ``--base-url`` may be meant for that alone.

    Raises:
        IndexNotFound: there is none, and ``create`` is false.

    """
    folder = db or located()
    index = embedsearch.Index.open(folder, _embedder(folder, model, asks=asks), create=create)
    _say_what_is_not_known(index)
    if create and folder.name == FOLDER:
        _keep_out_of_git(folder)
    return index


def _say_what_is_not_known(index: Index) -> None:
    """Say of ``--where @...`` that nothing can meet it, where that is so."""
    ctx = click.get_current_context(silent=True)
    for condition in (ctx and ctx.params.get("where")) or ():
        key = condition.split("=")[0].strip(" !<>")
        if key == "@predicted" and (models := list(index.models)):
            version = models[-1].version
            if not index.models.classified(version):
                note(
                    f"note: classifier {version} has classified nothing yet:"
                    " run embedsearch classify --all"
                )
        elif key == "@predicted":
            note("note: no classifier was trained yet: label some documents, embedsearch train")
        elif key == "@label" and not index.labels():
            note("note: no document is labelled yet: embedsearch label")
        elif key.startswith("@") and key not in {"@label", "@predicted"}:
            note(f"note: {key!r} is of the metadata; what is known besides is @label, @predicted")


def open_without_making(db: Path | None, model: str | None, *, asks: bool = False) -> Index:
    """Open the index, or an empty one in memory where there is none, for what makes no files."""
    try:
        return open_index(db, model, asks=asks)
    except embedsearch.errors.IndexNotFound:
        named = _embedder(located() if db is None else db, model, asks=asks)
        return embedsearch.Index.open(":memory:", named)


def _embedder(folder: Path, model: str | None, *, asks: bool) -> Embedder | None:
    """Return the embedder that was named, or the index's own where an API was said for it."""
    said = options.said_of_an_api()
    if model is None and said:
        model = files.embedder_of(folder) or "local"
    if asks and not embedders.is_api(model):
        said = {}
    return embedders.load(model, **said) if model else None


def located() -> Path:
    """Return $EMBEDSEARCH_DB, else the nearest ``.embedsearch`` upwards, else the one to make."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    here = Path.cwd()
    around = (folder / FOLDER for folder in (here, *here.parents))
    return next((folder for folder in around if folder.is_dir()), here / FOLDER)


def _keep_out_of_git(folder: Path) -> None:
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")

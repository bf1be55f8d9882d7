"""Which index a command is about, and how it is opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import embedsearch
from embedsearch import embedders, files
from embedsearch.cli import options
from embedsearch.folder import DATABASE

if TYPE_CHECKING:
    from embedsearch import Index
    from embedsearch.embedders import Embedder

FOLDER = ".embedsearch"
"""The name of an index that was not named."""

VARIABLE = "EMBEDSEARCH_DB"


def open_index(
    db: Path | None,
    model: str | None,
    *,
    create: bool = False,
    sends: bool = False,
    asks: bool = False,
) -> Index:
    """Open the index that ``-d`` names, or the one that is meant without it.

    ``sends``: the command has texts embedded, so that a missing key is told before an index is
    made. ``asks``: it asks an API itself, so that ``--base-url`` may be meant for that alone.

    Raises:
        IndexNotFound: there is none, and ``create`` is false.

    """
    folder = db or located()
    embedder = _embedder(folder, model, asks=asks)
    if sends and embedder and embedders.is_remote(embedder):
        _ = embedder.host  # raises AuthenticationFailed
    index = embedsearch.Index.open(folder, embedder, create=create)
    if create and folder.name == FOLDER:
        _keep_out_of_git(folder)
    return index


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
        return Path(os.path.expanduser(named))  # noqa: PTH111 -- Path's raises for ~nobody
    here = Path.cwd()
    around = (folder / FOLDER for folder in (here, *here.parents))
    return next((folder for folder in around if folder.is_dir()), here / FOLDER)


def database(db: Path | None) -> Path:
    """Return the database of the index that is meant."""
    return (db or located()) / DATABASE


def _keep_out_of_git(folder: Path) -> None:
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")

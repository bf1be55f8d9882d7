"""The files of an index: opened, settled once, and saved from damage."""

from __future__ import annotations

import shlex
import time
import uuid
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embedsearch import embedders
from embedsearch.embedders import LocalEmbedder
from embedsearch.errors import (
    EmbedderMismatch,
    EmbeddingError,
    IndexCorrupt,
    IndexNotFound,
    StorageFailed,
)
from embedsearch.folder import CACHE, DATABASE
from embedsearch.store import facts, outbox, vectors
from embedsearch.store import salvage as stored
from embedsearch.store.database import open_database
from embedsearch.store.lock import writer_lock

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from embedsearch.embedders.protocol import Embedder
    from embedsearch.store.database import Database
    from embedsearch.store.salvage import Salvaged

    PathLike = str | os.PathLike[str]

CHUNK_TOKENS = 254
"""The default limit of a chunk; never more than the embedder reads."""

CHUNK_OVERLAP = 32
"""The default number of tokens that neighbouring chunks may share."""

MADE_SECONDS = 1.0
"""How long who opens an index waits for another process that is making it: from the file's first
byte that takes some milliseconds."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is settled once, when an index is made: its space, and how its texts are cut."""

    embedder: str
    space: str
    dimensions: int | None
    """``None`` where the first vectors will tell."""
    chunk_tokens: int
    chunk_overlap: int


def settings(embedder: Embedder | None, limit: int, overlap: int) -> Settings:
    """Return what a new index is made with; a model may have to be loaded for it."""
    embedder = embedder or embedders.load()
    limit = min(limit, embedder.max_tokens)
    overlap = min(overlap, limit // 2)
    size = embedder.size if embedders.is_remote(embedder) else embedder.dimensions
    return Settings(embedder.name, embedder.space, size, limit, overlap)


def opened(folder: Path | None, settings: Callable[[], Settings] | None) -> Database:
    """Open the database of an index, in memory for ``None``; without ``settings`` none is made.

    They are asked for before there is a file: where that fails, none is left. One that another
    process is making is waited for, a moment.

    Raises:
        IndexNotFound: there is no index, and none is to be made.
        IndexCorrupt: ``index.db`` is damaged, foreign, or from a newer version.
        StorageFailed: the folder can't be read or written.

    """
    until = time.monotonic() + MADE_SECONDS
    while True:
        try:
            return _opened(folder, settings)
        except IndexNotFound:
            if not folder or not (folder / DATABASE).exists() or time.monotonic() > until:
                raise
        time.sleep(0.01)


def _opened(folder: Path | None, settings: Callable[[], Settings] | None) -> Database:
    if folder:
        _refuse_file(folder)
        _refuse_emptied(folder)
    is_there = folder and (folder / DATABASE).exists()
    new = settings() if settings and not is_there else None
    database = open_database(folder and folder / DATABASE, create=settings is not None)
    try:
        if vectors.is_settled(database):
            facts.require(database)
        elif settings:
            _settle(database, folder, new or settings())
        else:
            raise IndexNotFound(f"no index in {folder} yet: it is being made")  # noqa: TRY301 -- the database is closed below
    except BaseException:
        database.close()
        raise
    return database


def _settle(database: Database, folder: Path | None, new: Settings) -> None:
    with writer_lock(folder), database.writing():
        if database.setting("space") is not None:
            return  # another process was faster
        vectors.add_space(database, new.space, new.embedder, new.dimensions)
        database.set("uuid", str(uuid.uuid4()))
        database.set("chunk_tokens", str(new.chunk_tokens))
        database.set("chunk_overlap", str(new.chunk_overlap))


def embedder(database: Database) -> Embedder:
    """Return the embedder that an index was made with, found by its name.

    Raises:
        EmbeddingError: there is none of this name any more, or it was an object of the caller's.
        EmbedderMismatch: its vectors are of another space by now.

    """
    name = database.setting("embedder")
    try:
        found = embedders.load(name)
    except EmbeddingError as error:
        raise EmbeddingError(
            f"the index was made with {name!r}: {error}",
            hint="say where the model is now: -m FOLDER; words are found without it: --mode lexical"
            "; in Python: Index.open(path, embedder), or mode='lexical'",
        ) from error
    refuse_other_space(database, found, way_out="the model has changed: bring the old one back")
    return found


def refuse_other_space(database: Database, embedder: Embedder, *, way_out: str = "") -> None:
    """Raise EmbedderMismatch unless an embedder is of the index's space; nothing is sent."""
    space, name = database.setting("space") or "", database.setting("embedder") or ""
    _, length = vectors.space(database)
    if embedders.is_remote(embedder):
        same = embedder.belongs(space, name)
    else:
        same = embedder.space == space and length in {0, embedder.dimensions}
    if same:
        return
    held, made = repr(space), repr(embedder.space)
    if held == made:
        held, made = f"{length} dimensions", f"ones of {embedder.dimensions}"
    way_out = way_out or f"leave -m out for the index's own, {name!r}"
    new = f"embedsearch index FOLDER --db NEW -m {shlex.quote(embedder.name)}"
    raise EmbedderMismatch(
        f"the index holds vectors of {held}, the embedder makes {made}",
        hint=f"{way_out}, or make a new index: {new}; in Python: open it with the embedder it was"
        f" made with, {name!r}, or make a new index for this one",
    )


def note_place(database: Database, embedder: Embedder) -> None:
    """Note where the index's model is, if it is a folder that has moved."""
    if isinstance(embedder, LocalEmbedder) and embedder.name != database.setting("embedder"):
        vectors.name_embedder(database, embedder.name)


def warn_of_other_chunking(database: Database, tokens: int | None, overlap: int | None) -> None:
    """Warn where the texts of an index are cut otherwise than the caller of ``Index.open`` says."""
    for name, given, most in (
        ("chunk_tokens", tokens, "what its model reads"),
        ("chunk_overlap", overlap, "half of a chunk"),
    ):
        held = facts.needed(database, name)
        if given not in {None, held}:
            warnings.warn(
                f"{name} of this index is {held}, not {given}: it is settled when an index is made,"
                f" and never above {most}",
                stacklevel=3,
            )


def refuse_other_server(database: Database, embedder: Embedder) -> None:
    """Raise EmbedderMismatch where texts would go to a server that made none of the vectors.

    Who says where the API is may know that it has moved.
    """
    if not embedders.is_remote(embedder) or not embedder.default_host:
        return
    hosts = outbox.hosts(database, embedder.model)
    if hosts and embedder.default_host not in hosts:
        raise EmbedderMismatch(
            f"the index's vectors came from {hosts[-1]}, but without a base URL texts would go to"
            f" {embedder.default_host}",
            hint="say --base-url, or set OPENAI_BASE_URL; in Python:"
            f" Index.open(path, embedders.load({embedder.name!r}, base_url=...))",
        )


def embedder_of(path: PathLike) -> str | None:
    """Return the name of the embedder that an index was made with, ``None`` without an index."""
    try:
        database = open_database(Path(path) / DATABASE, create=False)
    except IndexNotFound:
        return None
    try:
        return database.setting("embedder")
    finally:
        database.close()


def salvage(path: PathLike) -> Salvaged:
    """Make a damaged index usable again: what ``index.db`` still yields goes into a new one.

    Returns how many rows of each table were kept, and which tables lost some; ``Index.sync`` then
    brings back what files hold. The damaged file stays beside the new one: it is the last of
    ``damaged``.

    Raises:
        IndexNotFound: there is no index.
        IndexCorrupt: nothing of use can be read.
        IndexLocked: another process is writing.

    """
    folder = Path(path)
    if not (folder / DATABASE).exists():
        raise IndexNotFound(f"no index in {folder}")
    with writer_lock(folder):
        defaults = {"uuid": str(uuid.uuid4()), "chunk_tokens": str(CHUNK_TOKENS)}
        defaults["chunk_overlap"] = str(CHUNK_OVERLAP)
        salvaged = stored.salvage(folder / DATABASE, defaults)
        (folder / CACHE).unlink(missing_ok=True)
    return salvaged


def damaged(path: PathLike) -> list[Path]:
    """Return the files that ``salvage`` left beside new ones, oldest first."""
    return stored.damaged(Path(path))


def _refuse_file(folder: Path) -> None:
    """Raise StorageFailed for a file in the place of an index's folder."""
    if folder.exists() and not folder.is_dir():
        raise StorageFailed(f"{folder} is a file: an index is a folder")


def _refuse_emptied(folder: Path) -> None:
    """Raise IndexCorrupt for an ``index.db`` of no bytes beside what only an index leaves.

    SQLite would take it for a new database, and delete the log.
    """
    database = folder / DATABASE
    left = (folder / CACHE, folder / f"{DATABASE}-wal")
    if _size(database) == 0 and any(map(_size, left)):
        raise IndexCorrupt(
            f"{database} is empty; it held an index",
            hint=f"put a backup in its place, or move {folder} away and index anew",
        )


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.exists() else None

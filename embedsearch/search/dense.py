"""Search by meaning: the vector index, kept in step with the store it is a cache of."""

from __future__ import annotations

import logging
import secrets
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from embedsearch.errors import IndexCorrupt, StorageFailed, why
from embedsearch.store import fulltext
from embedsearch.store import hits as stored_hits
from embedsearch.store import vectors as stored_vectors
from embedsearch.store.checks import Problem
from embedsearch.vectors import VectorIndex
from embedsearch.vectors.rows import Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from embedsearch.store.database import Database
    from embedsearch.store.filters import Filter
    from embedsearch.vectors import Selection

logger = logging.getLogger(__name__)

FILTERS_KEPT = 64
"""How many filters' selections are kept between searches of one generation."""

MOST_WASTED = 0.2
"""The share of tombstones from which the cache is compacted before it is saved."""

BUILT_AT_ONCE = 40_000
"""How many vectors an index is trained on and begun with; more are added page by page, so that
memory stays flat: 61 MB of float32 at 384 dimensions."""

MAKES_IT = "repair makes it anew from index.db"
MOVE_IT = "move it away and run: embedsearch repair"

FILE_MIN_ROWS = 1_000
"""Below this, reading the vectors from SQLite is as fast as opening the cache file."""


class DenseIndex:
    """A ``VectorIndex`` of one space that follows the store, generation by generation."""

    def __init__(self, database: Database, space: int, dimensions: int, path: Path | None) -> None:
        self.database = database
        self._space = space
        self._dimensions = dimensions
        self._path = path
        self._index: VectorIndex | None = None
        self._generation = -1
        self._epoch: str | None = None
        self._newest = 0
        self._on_disk: tuple[int, int] | None = None
        """The newest vector and the tombstones of the cache file, as far as known."""
        self.was_missing = False
        """Whether many vectors were read, for want of a file of this index; not of a damaged
        one, which is ``rebuild``'s."""
        self._selections: dict[Filter, Selection] = {}
        self.texts = 0
        """How many distinct texts chunks hold, embedded or not."""

    def current(self) -> VectorIndex:
        """Return the index as of the store's current snapshot; call inside ``reading()``."""
        generation = self.database.generation
        if self._index is None or generation != self._generation:
            epoch = self.database.setting("epoch")
            # One that is empty is soon made, and its vectors may be longer than was known.
            if self._index is None or epoch != self._epoch or not len(self._index):
                self._index, self._epoch = self._opened(), epoch
            self.texts = fulltext.held_texts(self.database)
            self._catch_up(self._index)
            self._generation = generation
        return self._index

    def selection(self, condition: Filter) -> Selection:
        """Return the rows of documents that meet a condition, kept while nothing changes."""
        index = self.current()
        if condition not in self._selections:
            if len(self._selections) >= FILTERS_KEPT:
                self._selections.clear()
            allowed = stored_hits.allowed_texts(self.database, condition)
            self._selections[condition] = index.selection(allowed)
        return self._selections[condition]

    def _stamp(self) -> dict[str, int | str]:
        return {
            "index": self.database.setting("uuid") or "",
            "space": self._space,
            "epoch": self.database.setting("epoch") or "0",
            "mark": self.database.setting("cache") or "",
        }

    def _opened(self) -> VectorIndex:
        """Open the cache file, or start anew where it is missing, foreign or damaged."""
        self._newest = 0
        loaded = self._loaded()
        if loaded is not None:
            return loaded
        was_missing, self.was_missing = self.was_missing, False
        made = self._rebuilt()  # which may find damage: nothing is left to be saved then
        self.was_missing = was_missing and len(made) >= FILE_MIN_ROWS
        return made

    def _loaded(self) -> VectorIndex | None:
        if self._path is None:
            return None
        try:
            index, stamp = VectorIndex.load(self._path)
        except FileNotFoundError:
            self.was_missing = True
            return None
        except (IndexCorrupt, StorageFailed) as error:
            logger.warning("%s; index.db is read instead: run embedsearch repair", error)
            return None
        newest = int(stamp.pop("newest", 0))
        if stamp != self._stamp() or newest > stored_vectors.highest(self.database):
            self.was_missing = True
            return None
        self._newest = newest
        self._on_disk = newest, index.dead
        return index

    def _rebuilt(self) -> VectorIndex:
        stored = stored_vectors.after(self.database, self._space, 0)
        first = next(stored, None)
        if first is None:
            return VectorIndex(self._dimensions or 1)
        texts, vectors = Table(first.texts), Table(first.vectors.astype(np.float32))
        vectors.reserve(min(BUILT_AT_ONCE, stored_vectors.highest(self.database)))
        self._newest = int(first.numbers[-1])
        for batch in islice(stored, BUILT_AT_ONCE // stored_vectors.PAGE - 1):
            texts.append(batch.texts)
            vectors.append(batch.vectors)
            self._newest = int(batch.numbers[-1])
        return VectorIndex.build(texts.rows, vectors.rows)

    def _catch_up(self, index: VectorIndex) -> None:
        self._selections.clear()
        # At most so many are new, as other spaces' vectors have numbers, too.
        index.reserve(min(self.texts, stored_vectors.highest(self.database) - self._newest))
        for batch in stored_vectors.after(self.database, self._space, self._newest):
            index.remove(batch.texts)  # the older vector of a text that came back
            index.add(batch.texts, batch.vectors.astype(np.float32))
            self._newest = int(batch.numbers[-1])
        index.remove(stored_vectors.retired(self.database))

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong with the cache file: damage, or a row that is not the store's."""
        if self._path is None:
            return
        try:
            _, stamp = VectorIndex.load(self._path, verify=True)
        except FileNotFoundError:
            return
        except IndexCorrupt as error:
            yield Problem(str(error), MAKES_IT)
            return
        except StorageFailed as error:
            yield Problem(str(error), MOVE_IT)
            return
        with self.database.reading():
            if int(stamp.pop("newest", 0)) > stored_vectors.highest(self.database):
                yield Problem("vectors.faiss holds more than index.db", MAKES_IT)
            elif stamp != self._stamp():
                yield Problem("vectors.faiss is another index's", MAKES_IT)

    def rebuild(self) -> None:
        """Make the cache anew from the store.

        Raises:
            StorageFailed: the file that is there can't be replaced, or the disk is full.

        """
        if self._path is not None:
            try:
                self._path.unlink(missing_ok=True)
            except OSError as error:
                raise StorageFailed(
                    f"{self._path} can't be replaced: {why(error)}",
                    hint=f"{MOVE_IT}; in Python: index.repair()",
                ) from error
        self._index, self._generation, self._on_disk = None, -1, None
        self.save()

    def save(self) -> None:
        """Write the cache file, so that the next process opens it instead of reading SQLite.

        Raises:
            StorageFailed: the disk refused; the store is whole all the same.

        """
        if self._path is None:
            return
        with self.database.reading():
            index = self.current()
            if index.wasted > MOST_WASTED:
                index.compact()
            held = self._newest, index.dead
            for torn in self._path.parent.glob(f"{self._path.name}.*.tmp"):
                torn.unlink(missing_ok=True)  # of a writer that was killed
        if len(index) >= FILE_MIN_ROWS and held != self._on_disk:
            self._mark()
            index.save(self._path, {**self._stamp(), "newest": self._newest})
            self._on_disk = held

    def _mark(self) -> None:
        """Leave a mark in the store that only the next file bears.

        A store that was put back to an older state, by a backup or by a power cut, counts vectors
        anew: their numbers alone don't tell that a file is of another past.
        """
        with self.database.writing(generation=False):
            self.database.set("cache", secrets.token_hex(8))

"""Vectors: once per (space, text), as little-endian fp16, and which texts still lack one."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.errors import DimensionMismatch, IndexDamaged
from embedsearch.store import facts
from embedsearch.store.failures import REPAIR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from embedsearch.records import Chunk
    from embedsearch.store.database import Database
    from embedsearch.store.filters import Filter

STORED = np.dtype("<f2")
"""fp16 halves the file and costs no measurable recall for unit vectors."""

NEAR_ONE = 0.01
"""So far from 1 the length of a stored vector may be: what an embedder may give is half as far, and
fp16 rounds by a thousandth."""

MOST_DIMENSIONS = 1 << 24
"""No model's vectors are so long, by far."""

PAGE = 4_000
"""How many vectors are read at a time: 6 MB of float32 at 384 dimensions."""


def space(database: Database) -> tuple[int, int]:
    """Return the number of the index's space, and the dimensions of its vectors.

    These are 0 where only the first vectors will tell.

    Raises:
        IndexDamaged: what tells the space is lost.

    """
    row = database.execute(
        "select number, dimensions from spaces where name = ?", [database.setting("space")]
    ).fetchone()
    if row is None:
        raise IndexDamaged(
            f"{database.path} is damaged: the space of its vectors is lost", hint=REPAIR
        )
    number, dimensions = row
    if not isinstance(dimensions, int) or not 0 <= dimensions <= MOST_DIMENSIONS:
        raise IndexDamaged(
            f"{database.path} is damaged: its vectors are said to have {dimensions} dimensions",
            hint=REPAIR,
        )
    return number, dimensions


def other_dimensions(database: Database, space: int) -> int | None:
    """Return how many dimensions the vectors of a space have where none has what the space says.

    One vector alone may be the one that is damaged.
    """
    said = database.value("select dimensions from spaces where number = ?", [space])
    if database.value(
        "select exists (select 1 from vectors where space = ? and length(vector) = ?)",
        [space, said * STORED.itemsize],
    ):
        return None
    length, count = database.execute(
        """
        select length(vector), count(*) from vectors where space = ?
        group by 1 order by 2 desc limit 1
        """,
        [space],
    ).fetchone() or (0, 0)
    return int(length // STORED.itemsize) if length and count > 1 else None


def is_settled(database: Database) -> bool:
    """Tell whether an index has its space, which it lacks only while it is being made.

    Raises:
        IndexDamaged: it had one.

    """
    if database.setting("space") is not None:
        return True
    begun = database.setting("generation") is None or database.value("select count(*) from spaces")
    if begun:
        raise IndexDamaged(f"{database.path} is damaged: its settings are lost", hint=REPAIR)
    return False


def is_empty(database: Database, space: int) -> bool:
    """Tell whether a space has no vector."""
    return not database.value("select exists (select 1 from vectors where space = ?)", [space])


def add_space(database: Database, name: str, embedder: str, dimensions: int | None) -> None:
    """Make the space of the index's vectors; without dimensions the first ones tell."""
    with database.writing():
        database.execute(
            "insert into spaces (name, embedder, dimensions) values (?, ?, ?)",
            [name, embedder, dimensions or 0],
        )
        _name_space(database, name, embedder)


def space_found(database: Database, name: str, embedder: str) -> None:
    """Name the space of a salvaged index; what is lost of it, or wrong, its vectors tell."""
    with database.writing():
        database.execute(
            "delete from spaces where dimensions not between 0 and ?", [MOST_DIMENSIONS]
        )
        known = database.value("select number from spaces where name = ?", [name])
        if known is None:
            number, size = database.execute("""
                select space, length(vector) from vectors
                where space not in (select number from spaces)
                group by 1, 2 order by count(*) desc
            """).fetchone() or (None, 0)
            database.execute(
                "insert into spaces (number, name, embedder, dimensions) values (?, ?, ?, ?)",
                [number, name, embedder, size // STORED.itemsize],
            )
        elif dimensions := other_dimensions(database, known):
            database.execute(
                "update spaces set dimensions = ? where number = ?", [dimensions, known]
            )
        _name_space(database, name, embedder)


def size_space(database: Database, name: str, embedder: str, dimensions: int) -> None:
    """Note how long the vectors of the index's space are, where that was not known.

    Raises:
        DimensionMismatch: they are known to be of another length.

    """
    number, known = space(database)
    if known == dimensions:
        return
    if known:
        raise DimensionMismatch(
            f"the index holds vectors of {known} dimensions, {embedder} makes {dimensions}"
        )
    with database.writing():
        database.execute(
            "update spaces set name = ?, embedder = ?, dimensions = ? where number = ?",
            [name, embedder, dimensions, number],
        )
        _name_space(database, name, embedder)


def name_embedder(database: Database, embedder: str) -> None:
    """Note by which name the embedder of the index's space is found from now on."""
    with database.writing(generation=False):
        name = database.setting("space")
        database.execute("update spaces set embedder = ? where name = ?", [embedder, name])
        database.set("embedder", embedder)


def _name_space(database: Database, name: str, embedder: str) -> None:
    database.set("space", name)
    database.set("embedder", embedder)


def blobs(vectors: NDArray[np.float32]) -> list[bytes]:
    """Return vectors (n, d) as they are stored."""
    stored = vectors.astype(STORED)
    data, width = stored.tobytes(), stored.shape[1] * STORED.itemsize
    return [data[start : start + width] for start in range(0, len(data), width)]


def _stacked(database: Database, space: int, blobs: Sequence[bytes]) -> NDArray[np.float32]:
    """Return vectors (n, d) out of what is stored; raises as ``_joined`` does."""
    return _joined(database, space, blobs).astype(np.float32)


def _joined(database: Database, space: int, blobs: Sequence[bytes]) -> NDArray[np.float16]:
    """Return vectors (n, d) as they are stored.

    Raises:
        IndexDamaged: one is not as long as those of its space.

    """
    dimensions = database.value("select dimensions from spaces where number = ?", [space]) or 0
    # What damage made a number or a text has no bytes of a vector.
    sizes = {len(blob) if isinstance(blob, bytes) else 0 for blob in blobs}
    for size in sizes - {dimensions * STORED.itemsize}:
        raise IndexDamaged(
            f"{database.path or 'the index'} is damaged: expected vectors of {dimensions}"
            f" dimensions, found one of {size / STORED.itemsize:g}",
            hint=REPAIR,
        )
    return np.frombuffer(b"".join(blobs), STORED).reshape(len(blobs), dimensions)


def is_sound(blob: bytes, dtype: np.dtype[Any], dimensions: int) -> bool:
    """Tell whether a stored vector has so many dimensions, and unit length."""
    if len(blob) != dimensions * dtype.itemsize:
        return False
    with np.errstate(invalid="ignore", over="ignore"):  # of garbage
        length = np.linalg.norm(np.frombuffer(blob, dtype).astype(np.float32))
    return bool(abs(length - 1) < NEAR_ONE)


def put(database: Database, space: int, texts: Sequence[int], vectors: Sequence[bytes]) -> None:
    """Store the unit vectors of texts, as ``blobs`` gives them; one that is there already stays."""
    with database.writing():
        database.executemany(
            "insert or ignore into vectors (space, text, vector) values (?, ?, ?)",
            ((space, text, blob) for text, blob in zip(texts, vectors, strict=True)),
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Vectors of a space: ``numbers`` ascending, ``texts`` (n,), ``vectors`` (n, d) as stored."""

    numbers: NDArray[np.int64]
    texts: NDArray[np.int64]
    vectors: NDArray[np.float16]


def after(database: Database, space: int, number: int) -> Iterator[Batch]:
    """Yield the vectors of a space that were stored after the one with ``number``."""
    while (batch := _page(database, space, number)) is not None:
        number = int(batch.numbers[-1])
        yield batch


def _page(database: Database, space: int, number: int) -> Batch | None:
    rows = database.execute(
        """
        select number, text, vector from vectors
        where number > ? and space = ? order by number limit ?
        """,
        [number, space, PAGE],
    ).fetchall()
    if not rows:
        return None
    if len(rows) == PAGE:
        database.let_go()
    numbers, texts, blobs = zip(*rows, strict=True)
    return Batch(np.array(numbers), np.array(texts), _joined(database, space, blobs))


def of(database: Database, space: int, texts: Sequence[int]) -> NDArray[np.float32]:
    """Return the vectors (n, d) of those among ``texts`` that have one."""
    rows = database.execute(
        """
        select v.vector from json_each(?) j join vectors v on v.space = ? and v.text = j.value
        """,
        [json.dumps(list(texts)), space],
    ).fetchall()
    return _stacked(database, space, [blob for (blob,) in rows])


def by_hash(database: Database, space: int, key: bytes) -> NDArray[np.float32] | None:
    """Return the vector (d,) of the text with a sha256, ``None`` where there is none."""
    blob = database.value(
        """
        select v.vector from texts t join vectors v on v.space = ? and v.text = t.id
        where t.sha256 = ?
        """,
        [space, key],
    )
    return None if blob is None else _stacked(database, space, [blob])[0]


@dataclass(frozen=True, slots=True)
class DocumentVectors:
    """Documents by id, and their unit vectors (n, d): the means of their passages'."""

    ids: list[str]
    vectors: NDArray[np.float32]


def of_documents(
    database: Database, space: int, dimensions: int, condition: Filter
) -> DocumentVectors:
    """Return the vectors of the documents that meet a condition, oldest first.

    Those of which nothing is embedded are left out.
    """
    ids: list[str] = []
    sums = [np.empty((0, dimensions), np.float32)]
    with database.reading():
        rows = database.execute(
            f"""
            select d.id, v.vector from documents d
            join chunks c on c.document = d.number
            join vectors v on v.space = ? and v.text = c.text
            where {condition.sql} order by d.number
            """,
            [space, *condition.values],
        )
        while page := rows.fetchmany(PAGE):
            of, blobs = zip(*page, strict=True)
            starts = [n for n in range(len(of)) if n == 0 or of[n] != of[n - 1]]
            added = np.add.reduceat(_stacked(database, space, blobs), starts)
            if ids and ids[-1] == of[0]:  # the page before ended within this document
                sums[-1][-1] += added[0]
                starts, added = starts[1:], added[1:]
            ids += [of[n] for n in starts]
            sums.append(added)
    means = np.concatenate(sums)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return DocumentVectors(ids, means / np.maximum(lengths, np.finfo(np.float32).tiny))


@dataclass(frozen=True, slots=True)
class Passages:
    """Passages of a document, in order, and their unit vectors (n, d)."""

    chunks: list[Chunk]
    vectors: NDArray[np.float32]


def of_passages(database: Database, space: int, id: str) -> tuple[list[int], NDArray[np.float32]]:
    """Return the positions of a document's passages that are embedded, and their vectors."""
    rows = database.execute(
        """
        select c.position, v.vector from documents d
        join chunks c on c.document = d.number
        join vectors v on v.space = ? and v.text = c.text
        where d.id = ? order by c.position
        """,
        [space, id],
    ).fetchall()
    vectors = _stacked(database, space, [blob for _, blob in rows])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)  # two bytes round lengths, too
    return [place for place, _ in rows], vectors


def retired(database: Database) -> NDArray[np.int64]:
    """Return the ids of texts that no chunk holds any more."""
    return ids(database.value("select group_concat(id) from texts where text is null"))


def ids(listed: str | None) -> NDArray[np.int64]:
    """Return ids out of SQLite's ``group_concat``: a third of the time that rows take."""
    return np.fromstring(listed, np.int64, sep=",") if listed else np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Pending:
    """Texts that have no vector in a space yet, and how many tokens that is."""

    texts: int
    tokens: int
    embedded: int = 0
    """How many have one, of those that documents hold."""


_TO_EMBED = """
    from texts t left join vectors v on v.space = ? and v.text = t.id
    where t.text is not null and not t.blank
"""
_PENDING = f"{_TO_EMBED} and v.text is null"


def pending(database: Database, space: int | None) -> Pending:
    """Return how much is left to embed: as noted, unless the index has changed since."""
    with database.reading():
        generation, noted_space, *noted = facts.noted(database, facts.PENDING) or [0, 0]
        known = (generation, noted_space) == (database.generation, space)
        if known and len(noted) == len(Pending.__slots__):  # an older version noted less
            return Pending(*noted)
        row = database.execute(
            f"""
            select count(*) - count(v.text),
                   coalesce(sum(t.tokens) filter (where v.text is null), 0), count(v.text)
            {_TO_EMBED}
            """,
            [space],
        ).fetchone()
    return Pending(*row)


def note_pending(database: Database, space: int) -> Pending:
    """Count what is left to embed, and note it: to count takes a search longer than to search."""
    with database.writing():
        left = pending(database, space)
        # This transaction's own commit is the one generation more.
        noted = [database.generation + 1, space, *astuple(left)]
        database.set(facts.PENDING, json.dumps(noted))
    return left


def pending_texts(
    database: Database, space: int, *, after: int, limit: int
) -> list[tuple[int, int, str]]:
    """Return up to ``limit`` (id, tokens, text) left to embed with ids above ``after``, by id."""
    with database.reading():
        return database.execute(
            f"""
            select t.id, coalesce(t.tokens, 0), t.text {_PENDING} and t.id > ?
            order by t.id limit ?
            """,
            [space, after, limit],
        ).fetchall()


def planned(database: Database, space: int | None, texts: Mapping[bytes, int]) -> Pending:
    """Return how much there would be to embed were ``texts`` (tokens by sha256) taken in too."""
    with database.reading():
        waiting = dict(
            database.execute(f"select t.sha256, coalesce(t.tokens, 0) {_PENDING}", [space])
        )
        for key, tokens in texts.items():
            if key not in waiting and not _embedded(database, space, key):
                waiting[key] = tokens
    return Pending(len(waiting), sum(waiting.values()))


def _embedded(database: Database, space: int | None, key: bytes) -> bool:
    found = database.value(
        "select 1 from texts t join vectors v on v.text = t.id where t.sha256 = ? and v.space = ?",
        [key, space],
    )
    return found is not None


def highest(database: Database) -> int:
    """Return the number of the newest vector, 0 where there is none."""
    return int(database.value("select coalesce(max(number), 0) from vectors"))

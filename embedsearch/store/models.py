"""Classifiers that were trained on the labels, and what they said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embedsearch.errors import ModelNotFound
from embedsearch.store import json_columns
from embedsearch.store.clock import now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from embedsearch.store.database import Database


NOTHING_CLASSIFIED = "classifier {} has classified nothing yet: run embedsearch classify --all"
"""What is said where predictions of a version are asked for, and there are none."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained classifier without its weights.

    ``version`` grows by one with every training; ``estimator`` is the name of its class; ``labels``
    says how many documents of each label it learned from; ``space`` is the space of its vectors.
    """

    version: int
    at: str
    space: str
    estimator: str
    labels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a model said of a document: ``None`` where it abstained."""

    version: int
    document: str
    label: str | None
    probability: float
    at: str


def forget(database: Database, documents: Sequence[str]) -> None:
    """Drop what was said of documents, by id, whose texts are replaced or removed."""
    database.execute(
        """
        delete from predictions where version in (select version from models)
        and document in (select value from json_each(?))
        """,
        [json.dumps(documents)],
    )


def _are_counts(found: Any) -> bool:
    return isinstance(found, dict) and all(isinstance(count, int) for count in found.values())


def damaged(database: Database) -> Iterator[int]:
    """Yield the versions of classifiers of which it can't be read what they learned from."""
    rows = database.execute("select version, cast(labels as blob) from models")
    return json_columns.damaged(rows, _are_counts)


@dataclass(frozen=True, slots=True, repr=False)
class Models:
    """The classifiers of an index, and what they said of its documents."""

    database: Database

    def __repr__(self) -> str:
        return f"<Models of {self.database.path or 'an index in memory'}: iterate them>"

    def __iter__(self) -> Iterator[Trained]:
        """Go through them, oldest first."""
        rows = self.database.execute(
            "select version, at, space, estimator, labels from models order by version"
        )
        for row in rows.fetchall():
            yield self._trained(*row)

    def _trained(self, version: int, at: str, space: str, estimator: str, labels: str) -> Trained:
        counts = json_columns.read(
            self.database.path,
            labels,
            _are_counts,
            lambda: f"what classifier {version} has learned from",
        )
        return Trained(version, at, space, estimator, counts)

    def put(self, space: str, estimator: str, labels: Mapping[str, int], state: bytes) -> Trained:
        """Store one as the newest version."""
        at = now()
        with self.database.writing():
            version = self.database.value(
                """
                insert into models (at, space, estimator, labels, state) values (?, ?, ?, ?, ?)
                returning version
                """,
                [at, space, estimator, json.dumps(labels, ensure_ascii=False), state],
            )
        return Trained(int(version), at, space, estimator, dict(labels))

    def get(self, version: int | None = None) -> tuple[Trained, bytes]:
        """Return one, the newest for ``None``, and its state.

        Raises:
            ModelNotFound: nothing was trained, or there is no such version.
            IndexDamaged: what is told of it can't be read.

        """
        row = self.database.execute(
            """
            select version, at, space, estimator, labels, state from models
            where ?1 is null or version = ?1 order by version desc limit 1
            """,
            [version],
        ).fetchone()
        if row is None:
            raise self._none(version)
        *about, state = row
        return self._trained(*about), state

    def _none(self, version: int | None) -> ModelNotFound:
        if there := [model.version for model in self]:
            listed = ", ".join(map(str, there[-10:]))
            hint = f"the versions are {'..., ' if len(there) > 10 else ''}{listed}"
            return ModelNotFound(f"no classifier of version {version}", hint=hint)
        hint = "label some documents, then: embedsearch train; in Python: labelling.train(index)"
        return ModelNotFound("no classifier was trained yet", hint=hint)

    @property
    def generation(self) -> int:
        """The index's: it grows with every change."""
        return self.database.generation

    def classified(self, version: int) -> int:
        """Return of how many documents one has said something, as ``predicted`` has them."""
        return int(
            self.database.value(
                "select count(distinct document) from predictions where version = ?",
                [version],
            )
        )

    def note(
        self,
        version: int,
        said: Iterable[tuple[str, str | None, float]],
        *,
        at: str | None = None,
        generation: int | None = None,
    ) -> None:
        """Keep what one says of documents (id, label, probability), in place of what it said.

        A document may have several rows, one a label, or one without a label: it abstained. ``at``
        is when the documents were read, now for ``None``, and ``generation`` the index's of then.
        Nothing is kept of one that was removed or replaced since, be it in the same second.
        """
        rows, stamp = list(said), at or now()
        with self.database.writing():
            changed = at is not None and generation != self.database.generation
            there = self._there([document for document, *_ in rows], at if changed else None)
            rows = [row for row in rows if row[0] in there]
            self.database.executemany(
                "delete from predictions where version = ? and document = ?",
                ((version, document) for document in {document for document, *_ in rows}),
            )
            self.database.executemany(
                """
                insert into predictions (version, document, label, probability, at)
                values (?, ?, ?, ?, ?)
                """,
                ((version, *row, stamp) for row in rows),
            )

    def _there(self, ids: Sequence[str], before: str | None) -> set[str]:
        """Return those documents that are there, put before a time if there is one."""
        rows = self.database.execute(
            """
            select d.id from json_each(?1) j join documents d on d.id = j.value
            where ?2 is null or d.updated < ?2
            """,
            [json.dumps(ids), before],
        )
        return {id for (id,) in rows}

    def predicted(self, version: int) -> list[Predicted]:
        """Return what one said of documents, by id, the likeliest label first.

        What it said of a text went with that, when it was replaced or removed.
        """
        rows = self.database.execute(
            """
            select version, document, label, probability, at from predictions
            where version = ? order by document, probability desc
            """,
            [version],
        )
        return [Predicted(*row) for row in rows]

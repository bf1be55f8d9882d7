"""``Index``: the one object that users hold."""

from __future__ import annotations

import warnings
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np

from embedsearch import arguments, elsewhere, embedders, files
from embedsearch.embedders.checking import checked, refuse_other
from embedsearch.errors import DimensionMismatch, IndexLocked, IndexNotFound, StorageFailed
from embedsearch.folder import CACHE, OWN
from embedsearch.search import asking, explaining, freshness, results
from embedsearch.search.dense import DenseIndex
from embedsearch.search.diversifying import diverse
from embedsearch.search.ranking import RANKERS, Query
from embedsearch.store import (
    checks,
    documents,
    facts,
    filters,
    fulltext,
    garbage,
    hits,
    labels,
    outbox,
    sources,
    summaries,
    transcripts,
    unmet,
    usage,
)
from embedsearch.store import vectors as stored_vectors
from embedsearch.store.lock import writer_lock
from embedsearch.store.models import Models
from embedsearch.store.status import size, status
from embedsearch.sync import adding, apply
from embedsearch.sync.embedding import embed_pending
from embedsearch.sync.plan import Plan, plan
from embedsearch.sync.reading import Chunking
from embedsearch.sync.report import Progress, SyncReport
from embedsearch.sync.running import run
from embedsearch.sync.spending import (
    UNLIMITED,
    Allowance,
    Estimate,
    allowed,
    estimate,
    require_price,
)
from embedsearch.sync.transcribing import Amount, check_hearing, parted, unheard

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from numpy.typing import ArrayLike, NDArray

    from embedsearch.embedders.protocol import Embedder, Role
    from embedsearch.records import Chunk, Document, Explanation, Hit
    from embedsearch.search.ranking import Mode, Ranking
    from embedsearch.search.results import GroupBy
    from embedsearch.store.checks import Problem
    from embedsearch.store.database import Database
    from embedsearch.store.filters import Filter, Where
    from embedsearch.store.garbage import Garbage
    from embedsearch.store.hits import Counts
    from embedsearch.store.labels import Labelled, Labelling
    from embedsearch.store.outbox import Sent
    from embedsearch.store.status import Status
    from embedsearch.store.summaries import Summary
    from embedsearch.store.usage import Use
    from embedsearch.store.vectors import DocumentVectors, Passages, Pending
    from embedsearch.transcribers import Transcriber

    PathLike = str | os.PathLike[str]

_NO_VECTOR = np.empty(0, np.float32)


def _silent(_: Progress) -> None:
    pass


class Index:
    """An index of documents: a folder with ``index.db``, the truth, and a cache of its vectors.

    Made by ``Index.open``; a context manager that closes itself. Threads may share it. One writer
    at a time, in any process, for which others wait some seconds; any number of readers, which see
    what is committed without opening again. A fork of the process must open it again.
    """

    def __init__(
        self,
        database: Database,
        embedder: Embedder | None,
        folder: Path | None,
        *,
        present: Self | None = None,
    ) -> None:
        self._database = database
        self._present = self if present is None else present  # which may be empty, and so false
        self._given = embedder
        self._folder = folder
        self._space, self._length = stored_vectors.space(database)
        cache = folder and folder / CACHE
        self._dense = DenseIndex(database, self._space, self._length, cache)
        self._turn = RLock()
        self._wrote = False
        self._asked = "", _NO_VECTOR

    @classmethod
    def open(
        cls,
        path: PathLike,
        embedder: Embedder | str | None = None,
        *,
        create: bool = True,
        chunk_tokens: int | None = None,
        chunk_overlap: int | None = None,
    ) -> Self:
        """Open the index in a folder, or a new one in memory for ``":memory:"``.

        The embedder may be named, as for ``--model``. Without one it is that which the index was
        made with, the local model for a new index.
        How texts are cut is settled when an index is made, by default into chunks of 254 tokens
        that share 32, and fewer where the embedder reads fewer. A warning says where the index has
        other numbers than are given.

        Raises:
            TypeError: the embedder is none, as it lacks what the protocol asks.
            IndexNotFound: there is no index, and ``create`` is false.
            EmbedderMismatch: the index was made in another space.
            EmbeddingError: there is no model of this name.
            IndexCorrupt: ``index.db`` is damaged, foreign, or from a newer version.
            StorageFailed: the folder can't be read or written.

        """
        limit = files.CHUNK_TOKENS if chunk_tokens is None else chunk_tokens
        overlap = files.CHUNK_OVERLAP if chunk_overlap is None else chunk_overlap
        arguments.check_chunking(limit, overlap)
        if isinstance(embedder, str):
            embedder = embedders.load(embedder)
        elif embedder is not None:
            refuse_other(embedder)
        folder = arguments.folder(path)
        settings = partial(files.settings, embedder, limit, overlap)
        database = files.opened(folder, settings if create else None)
        try:
            if embedder is not None:
                files.refuse_other_space(database, embedder)
            files.warn_of_other_chunking(database, chunk_tokens, chunk_overlap)
            return cls(database, embedder, folder)
        except BaseException:
            database.close()
            raise

    def __repr__(self) -> str:
        closed = ", closed" if self.closed else ""
        return f"<Index {self._folder or 'in memory'}{closed}>"

    def __sklearn_clone__(self) -> Self:
        """Let the copies that scikit-learn makes of an estimator share it."""
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            # Who interrupts, waits for nothing: the next reader catches up.
            self._wrote = self._dense.was_missing = False
        self.close()

    def close(self) -> None:
        """Bring the cache of vectors up to date if this object wrote, and let go of the files.

        A reader that found none leaves one, where it may write and nobody else does. In a fork of
        the process that opened them they are left to that.

        Raises:
            StorageFailed: the disk refused the cache; the index is whole all the same.

        """
        wrote, self._wrote = self._wrote, False
        missed, self._dense.was_missing = self._dense.was_missing, False
        own = self._present is self and not self._database.is_inherited
        try:
            if own and (wrote or missed):
                # Another writer at work will save the cache; an index that is gone needs none.
                untold = () if wrote else (StorageFailed,)
                with (
                    suppress(IndexLocked, IndexNotFound, *untold),
                    writer_lock(self._folder, wait=0),
                ):
                    self._dense.save()
        finally:
            self._database.close()
            embedder = self._given or self.__dict__.get("embedder")  # not to be looked for now
            if own and embedder and embedders.is_remote(embedder):
                embedder.close()

    @cached_property
    def embedder(self) -> Embedder:
        """What turns this index's texts into vectors; it is looked for at the first use.

        Raises:
            EmbeddingError: there is no such model any more.
            EmbedderMismatch: the model has changed since the index was made, or its texts would go
                to another server than they did because nobody says where it is.

        """
        if self._present is not self:
            return self._present.embedder
        embedder = self._given or files.embedder(self._database)
        files.refuse_other_server(self._database, embedder)
        return embedder

    @property
    def _dimensions(self) -> int:
        """How long vectors are; 0 where the first one will tell."""
        self._length = self._length or stored_vectors.space(self._database)[1]
        return self._length

    def _settled(self) -> int:
        """Return how long vectors are; a model of which that is not known is asked."""
        if not self._dimensions:
            made = self.embedder
            dimensions = made.dimensions  # which its names hold from then on
            stored_vectors.size_space(self._database, made.space, made.name, dimensions)
        return self._dimensions

    @property
    def path(self) -> Path | None:
        """The folder of this index, ``None`` in memory."""
        return self._folder

    @contextmanager
    def snapshot(self) -> Iterator[Self]:
        """Give the index as of this moment until the block ends, whatever is written meanwhile.

        It is an ``Index`` of its own, for reading only, which any thread may use; this one goes on
        with what is written. It opens the vectors anew when it searches by meaning. What is deleted
        takes up room on the disk until the block ends; of an index in memory it is a copy.

        Raises:
            IndexNotFound: the folder was moved or deleted.

        """
        if self._database.is_snapshot:
            yield self
            return
        with self._database.snapshot() as database:
            then = type(self)(database, self._given, self._folder, present=self)
            try:
                yield then
            finally:
                self._dense.was_missing |= then._dense.was_missing  # noqa: SLF001 -- another of us

    @property
    def closed(self) -> bool:
        """Whether this object was closed; it can't be used any more then."""
        return not self._database.is_open

    def __len__(self) -> int:
        """How many documents there are."""
        return int(self._database.value("select count(*) from documents"))

    def __contains__(self, id: str) -> bool:
        """Whether there is a document with this id."""
        return isinstance(id, str) and bool(documents.held(self._database, [id]))

    def sync(
        self,
        paths: PathLike | Iterable[PathLike],
        *,
        glob: Sequence[str] | None = None,
        dry_run: bool = False,
        embed: bool = True,
        allowance: Allowance = UNLIMITED,
        transcriber: Transcriber | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> SyncReport:
        """Bring the index in step with files and folders: only what changed is read and embedded.

        A file that is gone is removed from the index, one that moved keeps what it had. A file or
        folder that is gone can be named; a synced folder itself is forgotten by ``remove_source``
        alone, as its disk may just not be mounted. Files that can't be read, and named ones that
        are not there, are in the report's ``failed`` and stop nothing. ``dry_run`` writes nothing
        and says what would be done, in exact tokens; ``embed=False`` leaves the texts pending.
        ``allowance`` is what may be sent to a provider, if the embedder is one's. With a
        ``transcriber`` recordings become documents of what is said in them; each is heard once.

        Raises:
            FileNotFoundError: no path exists, and nothing is known of them.
            FolderGone: the folder that was synced is not there.
            IndexLocked: another process is writing.
            StorageFailed: the disk refused; what was committed is safe.
            CostLimitReached: the allowance is used up; what was embedded is kept.
            SecretsFound: texts look as if they held secrets; none was sent.
            ValueError: the path is a pipe or a device, or recordings would be sent to a provider
                and there is a limit in dollars.

        """
        check_hearing(allowed(allowance), transcriber)
        hearing, progress = transcriber is not None, progress or _silent
        make = partial(self._plan, arguments.paths(paths), glob, progress, hearing=hearing)
        if dry_run:
            return self._rehearsed(make(), transcriber, progress)

        def work() -> SyncReport:
            return apply.apply(
                self._database, make(), self._chunking, progress, transcriber=transcriber
            )

        return self._run("index", work, allowance=allowance if embed else None, progress=progress)

    def _rehearsed(
        self, made: Plan, transcriber: Transcriber | None, progress: Callable[[Progress], None]
    ) -> SyncReport:
        """Return what a sync would do, and what embedding would cost then."""
        report = apply.rehearse(
            self._database, made, self._chunking, self._space, progress, transcriber=transcriber
        )
        planned = self.estimate(stored_vectors.Pending(report.texts, report.tokens))
        return replace(report, requests=planned.requests, cost=planned.cost)

    def add(
        self,
        given: Iterable[Document],
        *,
        vectors: ArrayLike | None = None,
        embed: bool = True,
        allowance: Allowance = UNLIMITED,
        progress: Callable[[Progress], None] | None = None,
    ) -> SyncReport:
        """Add documents, in place of those of the same id.

        With ``vectors`` (n, d), one row a document, each document is one chunk with that vector,
        scaled to unit length, and its text must not be blank. Without, texts are cut and embedded.

        Raises:
            DimensionMismatch: the vectors' shape is not (n, d).
            ValueError: a vector is zero or not finite, metadata is no JSON, a kind is unknown, an
                id is empty or holds a NUL, an id or a text holds half of a surrogate pair.
            IndexLocked: another process is writing.
            StorageFailed: the disk refused; what was committed is safe.
            CostLimitReached, SecretsFound: as ``sync`` does.

        """
        given, allowance = adding.several(given), allowed(allowance)

        def work() -> SyncReport:
            if vectors is None:
                return adding.add(self._database, given, self._chunking)
            return adding.add_with_vectors(
                self._database, list(given), vectors, self._space, self._settled()
            )

        wanted = allowance if embed and vectors is None else None
        return self._run("add", work, allowance=wanted, progress=progress)

    def estimate(self, todo: Pending | None = None) -> Estimate:
        """Return what it takes to embed what is pending, or so many texts and tokens."""
        return estimate(self._database, self.embedder, todo or self.pending())

    def embed_pending(
        self,
        *,
        allowance: Allowance = UNLIMITED,
        progress: Callable[[Progress], None] | None = None,
    ) -> SyncReport:
        """Embed the texts that still wait for it; raises as ``sync`` does."""
        return self._run("embed", SyncReport, allowance=allowed(allowance), progress=progress)

    def remove(self, ids: str | Iterable[str]) -> int:
        """Remove one document or several, and return how many of them were there.

        Their vectors are kept, as the same passage then costs nothing when it comes back, until
        ``gc`` drops them.
        """
        gone = arguments.ids(ids)

        def work() -> SyncReport:
            return SyncReport(removed=documents.remove(self._database, gone))

        return self._run("rm", work, allowance=None).removed

    def remove_source(self, folder: PathLike) -> int:
        """Forget a folder that was synced; remove its documents, and return how many those were.

        Raises:
            SourceNotFound: no such folder was.
            IndexLocked: another process is writing.

        """

        def work() -> SyncReport:
            return SyncReport(removed=sources.remove(self._database, Path(folder)))

        return self._run("rm", work, allowance=None).removed

    def _run(
        self,
        command: str,
        work: Callable[[], SyncReport],
        *,
        allowance: Allowance | None,
        progress: Callable[[Progress], None] | None = None,
    ) -> SyncReport:
        """Do work as the only writer, embed what it left pending, and note it in the ledger."""
        self._database.require_own()
        self._database.require_present()

        def noted() -> SyncReport:
            report = work()
            if self._given:
                files.note_place(self._database, self._given)
            return report

        embed = None
        if allowance is not None:
            require_price(allowance, self.embedder)
            embed = partial(
                embed_pending,
                self._database,
                self.embedder,
                self._space,
                allowance,
                progress or _silent,
            )
        with self._turn:
            self._wrote = not self.closed
            return run(
                self._database, self._folder, self._space, command=command, work=noted, embed=embed
            )

    def unheard(
        self,
        paths: PathLike | Iterable[PathLike],
        transcriber: Transcriber,
        *,
        glob: Sequence[str] | None = None,
    ) -> Amount:
        """Return how many recordings ``sync`` would have transcribed, and their bytes."""
        made = self._plan(arguments.paths(paths), glob, _silent, hearing=True)
        _, recordings = parted([*made.changed, *made.new], transcriber)
        return unheard(self._database, recordings, transcriber)

    def _plan(
        self,
        paths: Sequence[Path],
        glob: Sequence[str] | None,
        progress: Callable[[Progress], None],
        *,
        hearing: bool,
    ) -> Plan:
        own = [self._folder / name for name in OWN] if self._folder else ()
        patterns = arguments.patterns(glob)
        return plan(self._database, paths, progress, glob=patterns, own=own, hearing=hearing)

    @property
    def _chunking(self) -> Chunking:
        limit = facts.needed(self._database, "chunk_tokens")
        overlap = facts.needed(self._database, "chunk_overlap")
        return Chunking(self.embedder.tokenizer, limit, overlap)

    def search(
        self,
        query: str,
        k: int = 10,
        *,
        mode: Mode = "hybrid",
        where: Where = None,
        glob: Sequence[str] | None = None,
        group_by: GroupBy = None,
        diversity: float = 0,
    ) -> list[Hit]:
        """Return the k best chunks for a query, best first; with ``group_by`` one a document.

        ``mode`` is by meaning (``"dense"``: cosine), by words (``"lexical"``: BM25) or by both
        (``"hybrid"``: the cosine and the share of the best possible BM25 score, averaged). Texts
        that are not embedded yet are found by words. ``where`` is a condition on metadata (see
        ``store.filters.where``), ``glob`` one on ids. When k chunks match them, k come back.
        ``diversity``, 0 to 1, is how much it counts against a chunk that it is like one before it;
        scores then need not descend.

        Raises:
            ValueError: the query is blank, k is below 1, or an option can't be understood.
            SecretsFound: the query would go to a provider, and looks as if it held a secret.

        """
        diversity = arguments.share(diversity, "diversity")
        if diversity and mode == "lexical":
            raise ValueError("diversity weighs scores by meaning: mode 'hybrid' or 'dense'")
        query = arguments.query(query)
        asked = Query(query, self._vector_of(query, mode), arguments.condition(where, glob))
        rank = partial(RANKERS[mode], self._dense, asked)
        if diversity:
            rank = partial(diverse, self._dense, rank, diversity)
        return self._collect(rank, k, asked.condition, group_by)

    def _vector_of(self, query: str, mode: Mode) -> NDArray[np.float32]:
        """Return the unit vector (d,) that a search looks for, an empty one for none."""
        self._database.require_own()  # before the model, whose threads did not come along
        if arguments.mode(mode) == "lexical":
            return _NO_VECTOR
        before, vector = self._asked
        if before != query or not len(vector):
            vector = asking.vector(self._database, self.embedder, self._space, query)
            self._asked = query, vector  # what is far or not found is looked for in other ways
        return vector

    def explain(
        self, query: str, hits: Iterable[Hit], *, mode: Mode = "hybrid"
    ) -> list[Explanation]:
        """Say what the scores of hits for a query are made of: how near by meaning and by words.

        Of a search by words alone the meaning is not looked at.

        Raises:
            DocumentNotFound: a hit's chunk is not in the index any more.
            ValueError: as ``search`` does.

        """
        query = arguments.query(query)
        vector = self._vector_of(query, mode)
        with self._database.reading():
            return explaining.explain(self._dense, query, vector, list(hits))

    def cosines(self, query: str, *, most: int = 1_000) -> NDArray[np.float32]:
        """Return a query's cosines (n,) with up to ``most`` passages, and so what is usual.

        They are drawn evenly from all that are embedded, in the order of that: the same each time.

        Raises:
            ValueError: the query is blank, or ``most`` is below 1.
            SecretsFound: as ``search`` does.

        """
        query, most = arguments.query(query), arguments.how_many(most, "most")
        vector = self._vector_of(query, "dense")
        with self._database.reading():
            return explaining.usual(self._dense, vector, most)

    def search_vector(
        self,
        vector: ArrayLike,
        k: int = 10,
        *,
        where: Where = None,
        glob: Sequence[str] | None = None,
        group_by: GroupBy = None,
    ) -> list[Hit]:
        """Return the k chunks nearest to a vector (d,), best first, by cosine.

        Raises:
            DimensionMismatch: d is not the index's.
            ValueError: the vector is zero or not finite, or k is below 1.

        """
        return self._nearest(np.asarray(vector), k, arguments.condition(where, glob), group_by)

    def similar(
        self,
        id: str,
        k: int = 10,
        *,
        where: Where = None,
        glob: Sequence[str] | None = None,
        group_by: GroupBy = None,
    ) -> list[Hit]:
        """Return the chunks most like a document, or like the chunk ``DOCUMENT_ID#N``, but not it.

        Raises:
            DocumentNotFound: there is no such document or chunk.
            EmbeddingError: it is blank, or not embedded yet.

        """
        with self._database.reading():
            document, position = documents.named(self._database, arguments.id(id))
            vector = asking.vector_of(self._database, self._space, document, position)
            others = filters.other_than(document, position)
            return self._nearest(vector, k, arguments.condition(where, glob), group_by, but=others)

    def _nearest(
        self,
        vector: NDArray[Any],
        k: int,
        condition: Filter,
        group_by: GroupBy,
        *,
        but: Filter = filters.ALL,
    ) -> list[Hit]:
        """Rank by cosine; ``but`` thins out what was found, where that is cheaper than a filter."""
        dimensions = self._dimensions
        if not dimensions:
            return []
        if vector.shape != (dimensions,):
            raise DimensionMismatch(
                f"expected a vector of shape ({dimensions},), got {vector.shape}"
            )
        unit = adding.unit_rows(vector[np.newaxis], dimensions)[0]
        rank = partial(RANKERS["dense"], self._dense, Query("", unit, condition))
        return self._collect(rank, k, condition & but, group_by)

    def _collect(
        self, rank: Callable[[int], Ranking], k: int, condition: Filter, group_by: GroupBy
    ) -> list[Hit]:
        k, group_by = arguments.how_many(k), arguments.grouping(group_by)
        with self._database.reading():
            return results.collect(self._database, rank, k, condition=condition, group_by=group_by)

    def get(self, id: str) -> Document:
        """Return a document with its text and metadata; its headings and pages are in its chunks.

        Raises:
            DocumentNotFound: there is no document with this id.

        """
        return documents.get(self._database, arguments.id(id))

    def texts(self, ids: Sequence[str]) -> list[str]:
        """Return the texts of documents, in the order of their ids.

        Raises:
            DocumentNotFound: there is no document with one of these ids.

        """
        return documents.texts(self._database, arguments.several(ids, "ids"))

    @property
    def space(self) -> str:
        """The space of this index's vectors: equal means comparable."""
        return str(self._database.setting("space"))

    def document_vectors(
        self,
        ids: Sequence[str] | None = None,
        *,
        where: Where = None,
        glob: Sequence[str] | None = None,
    ) -> DocumentVectors:
        """Return the documents that meet the conditions, and their unit vectors (n, d).

        With ``ids``, of these documents alone, not in their order. A document's vector is the mean
        of its passages'; one of which nothing is embedded yet is left out.

        Raises:
            DocumentNotFound: there is no document with one of these ids.

        """
        named = None if ids is None else arguments.several(ids, "ids")
        condition = arguments.condition(where, glob) & arguments.of(named)
        with self._database.reading():
            documents.require(self._database, named or ())
            return stored_vectors.of_documents(
                self._database, self._space, self._dimensions, condition
            )

    def passages(self, id: str) -> Passages:
        """Return those passages of a document that are embedded, with their unit vectors (n, d).

        Raises:
            DocumentNotFound: there is no document with this id.

        """
        with self._database.reading():
            chunks = documents.chunks(self._database, arguments.id(id))
            places, rows = stored_vectors.of_passages(self._database, self._space, id)
        return stored_vectors.Passages([chunks[place] for place in places], rows)

    def embed(
        self, texts: Sequence[str], *, kind: Role = "document", allow_secrets: bool = False
    ) -> NDArray[np.float32]:
        """Return unit vectors (n, d) of texts; what the index holds is not embedded again.

        What a provider gives is kept in the index, too. ``allow_secrets``: whether a text may be
        sent to one that looks as if it held a secret.

        Raises:
            SecretsFound: a text looks as if it held a secret; none was sent.

        """
        self._database.require_own()
        texts, kind = arguments.several(texts, "texts"), arguments.role(kind)
        if kind == "query" and not embedders.is_remote(self.embedder):
            return checked(self.embedder.embed(texts, kind=kind), self.embedder, len(texts))
        return asking.vectors(
            self._database, self.embedder, self._space, texts, allow_secrets=allow_secrets
        )

    def __reduce__(self) -> Any:
        """Let another process open the same folder, as joblib's workers do.

        Raises:
            TypeError: the index is in memory or a snapshot, or its texts go to an API: each process
                would pay.

        """
        if self._folder is None or self._database.is_snapshot or embedders.is_remote(self.embedder):
            raise TypeError(elsewhere.REFUSED)
        return elsewhere.opened, (type(self), self._folder, self.space, self._given)

    def __deepcopy__(self, _: object) -> NoReturn:
        raise TypeError(elsewhere.REFUSED)

    def __copy__(self) -> NoReturn:
        raise TypeError(elsewhere.REFUSED)

    def label(self, given: Mapping[str, str | Sequence[str]], *, source: str = "python") -> int:
        """Give documents, by id, a label or several, in place of those they had.

        No labels (an empty list) takes away what a document had. Returns how many documents these
        are. Labels follow a document that is renamed, and wait for one that is removed.

        Raises:
            DocumentNotFound: there is no such document; then none is labelled.
            ValueError: a label is blank or has a control character.

        """
        return labels.give(self._database, arguments.labelled(given), source)

    def undo_label(self) -> Labelling | None:
        """Take back the latest call of ``label``, and return what it was; ``None`` for none."""
        return labels.undo(self._database)

    def labelled(self, *, waiting: bool = False) -> list[Labelled]:
        """Return every label of a document, when it was given and from where, by document.

        With ``waiting`` those of ids that no document has, as it was removed.
        """
        return (labels.waiting if waiting else labels.labelled)(self._database)

    def labels(self) -> dict[str, tuple[str, ...]]:
        """Return the labels of those documents that have any, by id."""
        return labels.by_document(self._database)

    @property
    def models(self) -> Models:
        """The classifiers that were trained on the labels."""
        return Models(self._database)

    def id_at(self, path: PathLike) -> str | None:
        """Return the id of the document that was read from a file, ``None`` if there is none."""
        return sources.document_at(self._database, Path(path))

    def ids_below(self, folder: PathLike) -> dict[str, str]:
        """Return the documents that were read from files below a folder: by id, their path in it.

        Paths have forward slashes; there are none for a folder of which nothing was indexed.
        """
        return sources.documents_below(self._database, Path(folder))

    def chunks(self, id: str) -> list[Chunk]:
        """Return the chunks of a document, in order.

        Raises:
            DocumentNotFound: there is no document with this id.

        """
        return documents.chunks(self._database, arguments.id(id))

    def documents(
        self,
        *,
        where: Where = None,
        glob: Sequence[str] | None = None,
        source: PathLike | None = None,
    ) -> Iterator[Summary]:
        """Yield every document that meets the conditions, without its text, by id.

        ``source`` is a folder that was synced: only its documents.

        Raises:
            SourceNotFound: no such folder was.

        """
        condition = arguments.condition(where, glob)
        if source is not None:
            number = sources.number_of(self._database, Path(source))
            condition = condition & filters.of_source(number)
        return summaries.summaries(self._database, condition)

    def blank(self, *, where: Where = None, glob: Sequence[str] | None = None) -> list[str]:
        """Return the ids of those documents that meet the conditions and have no words.

        Nothing of them will ever be embedded.
        """
        return summaries.blank(self._database, arguments.condition(where, glob))

    def counts(self, *, where: Where = None, glob: Sequence[str] | None = None) -> Counts:
        """Return how many documents meet the conditions, and how many chunks they have."""
        return hits.counts(self._database, arguments.condition(where, glob))

    def values(self, key: str) -> dict[str, Any]:
        """Return what documents' metadata says under a key, by id; those without it are left out.

        A key is named as in a condition: ``author.name`` may be in an object inside another.

        Raises:
            ValueError: no document has it.

        """
        every = (
            (document.id, summaries.under(document.metadata, key)) for document in self.documents()
        )
        found = {id: value for id, value in every if value is not None}
        if not found:
            why = "; ".join(self.unmet({key: ""}))
            raise ValueError(why or f"{key!r} says nothing of any document")
        return found

    def unmet(self, where: Where) -> list[str]:
        """Return why no document can meet a condition, in words: keys that none has.

        Nothing where there is no such reason. It may look at every document: ask when nothing
        was found.
        """
        return unmet.reasons(self._database, filters.where(where))

    def pending(self) -> Pending:
        """Return how many texts wait to be embedded, and their tokens."""
        return stored_vectors.pending(self._database, self._space)

    def stale(self, found: Iterable[Hit]) -> set[str]:
        """Return the ids of those hits' documents whose file changed since it was read, or is gone.

        The files are looked at now, by size and time first, then by content.
        """
        return freshness.stale(self._database, {hit.document_id for hit in found})

    def highlighted(self, query: str, texts: Sequence[str], *, marks: tuple[str, str]) -> list[str]:
        """Return texts of hits with each word that the query matched put between ``marks``."""
        query = arguments.composed(query)
        return fulltext.highlighted(self._database, query, texts, marks=marks)

    def said_at(self, hit: Hit, line: int) -> float | None:
        """Return how far into a recording a line of a hit is said, in seconds; ``None`` elsewhere.

        The line counts from 1 in the document. Where no transcript tells it, it is ``hit.seconds``.
        """
        return transcripts.said_at(self._database, hit, line)

    def status(self) -> Status:
        """Return what the index holds, and how far it is embedded."""
        return status(self._database, self._space, self._folder)

    def usage(self, *, by: usage.By = "day", since: str = "") -> list[usage.Total]:
        """Return what providers were asked and paid, summed by a key, in its order.

        ``since`` is a date or a time of UTC, as ``2026-11-01``.
        """
        with self._database.reading():
            return usage.totals(self._database, by=by, since=since)

    def outbox(self) -> Iterator[outbox.Sent]:
        """Yield every text that was sent to a provider, oldest first: when, where, what of."""
        return outbox.sent(self._database)

    def note_sent(self, entries: Iterable[Sent]) -> None:
        """Add to the outbox what is about to be sent to a provider."""
        outbox.note(self._database, entries)

    def note_use(self, use: Use) -> None:
        """Add to the ledger what a provider was asked and paid."""
        usage.note(self._database, [use])

    def verify(self) -> list[Problem]:
        """Return what is wrong with the index's files, nothing for a sound one; writes nothing."""
        if lost := [*checks.missing(self._database)]:
            return lost
        return [*checks.problems(self._database, self._space), *self._dense.problems()]

    def repair(self) -> list[Problem]:
        """Mend what ``verify`` finds, and return what it found; nothing sound is touched.

        A database too damaged for that raises ``IndexCorrupt``: see ``salvage``.

        Texts and vectors that were lost are read and embedded again by the next ``sync``.

        Raises:
            IndexLocked: another process is writing.

        """
        with self._turn, writer_lock(self._folder):
            found = self.verify()
            if any(problem.by_repair for problem in found):
                checks.mend(self._database, self._space)
                self._dense.rebuild()
        return found

    def garbage(self) -> Garbage:
        """Return what nothing in the index holds any more, as vectors of removed documents."""
        return garbage.found(self._database)

    def gc(self) -> Garbage:
        """Drop what nothing holds any more, and free its room; return what that was.

        No trace of a removed text is left in the index's files then, unless another process
        reads an older state, which is warned of: when that ends they are. What ``files.salvage``
        left there is not touched.

        Raises:
            IndexLocked: another process is writing.
            StorageFailed: the disk has no room to write the file anew; nothing is lost.

        """
        with self._turn, writer_lock(self._folder):
            before = size(self._folder)
            dropped = garbage.drop(self._database)
            if not self._database.compact():
                warnings.warn(
                    "another process reads the index: traces of what was dropped are left in its"
                    " log until that ends",
                    stacklevel=2,
                )
            self._dense.rebuild()
            return replace(dropped, freed=max(0, before - size(self._folder)))

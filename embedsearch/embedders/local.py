"""Embedding on this machine's CPU with ONNX Runtime."""

from __future__ import annotations

import logging
import math
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from embedsearch.errors import EmbeddingError, ModelNotLoaded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from embedsearch.embedders.model import EncodingTokenizer, SentenceModel
    from embedsearch.embedders.protocol import Role, Vectors
    from embedsearch.embedders.session import Session

LOG = logging.getLogger(__name__)
QUERY_PARTS = 32
"""Of a longer query, this many parts are read: about two seconds' worth."""

MOST_CHARACTERS = 16
"""No prose has as many a token: what a query has beyond is not even looked at."""


class LocalEmbedder:
    """A sentence model that runs here; it is loaded when the first text is embedded.

    Each text is a run of its own, ``threads`` of them at once (default: one for each CPU that
    this process may use). On a CPU that is as fast as the best batches, nothing is wasted on
    padding, and no text changes another one's vector.
    """

    def __init__(self, model: SentenceModel, *, threads: int | None = None) -> None:
        self._model = model
        self._threads = threads

    def __repr__(self) -> str:
        return f"<LocalEmbedder {self.name}>"

    def __sklearn_clone__(self) -> Self:
        """Let the copies that scikit-learn makes of an estimator share it."""
        return self

    def __deepcopy__(self, _: object) -> Self:
        """Let all copies share it: it never changes, and another would load its model again."""
        return self

    def __reduce__(self) -> Any:
        """Let another process load it by its name, as joblib's workers do, once."""
        return _loaded, (self._model.remake, self.name, self._threads)

    @property
    def name(self) -> str:
        """``local``, or the folder of the model."""
        return self._model.name

    @property
    def space(self) -> str:
        """Provider, model, dimensions, pooling, prefixes, normalisation: equal means comparable."""
        return self._model.space

    @property
    def dimensions(self) -> int:
        """The length d of a vector."""
        return self._model.dimensions

    @property
    def max_tokens(self) -> int:
        """How many tokens of one text the model reads, special tokens and prefix left out."""
        return self._model.max_tokens

    @property
    def tokenizer(self) -> EncodingTokenizer:
        """The model's own tokenizer."""
        return self._model.tokenizer()

    def embed(self, texts: Sequence[str], *, kind: Role = "document") -> Vectors:
        """Return one unit row of float32 a text, shape (n, d), in the order of the texts.

        A text longer than ``max_tokens`` is read in equal parts; its row is their mean, weighted
        by their tokens. Documents are read whole, however long that takes; of a query of more
        than 32 parts, 32 evenly spread ones, and a warning is logged. A text without any token,
        such as blanks, has a vector too, but no meaning.
        """
        import numpy as np

        rows = np.empty((len(texts), self.dimensions), dtype=np.float32)
        if not texts:
            return rows
        session = self._session  # Loaded here, so that the threads below don't race for it.
        # The longest first: then the threads end at about the same time.
        order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
        embed_one = partial(self._embed_one, session, kind)
        workers = min(self._threads or usable_cpus(), len(texts))
        with ThreadPoolExecutor(workers) as pool:
            # A pool of one would only cost a query the start of a thread.
            run = pool.map if workers > 1 else map
            for place, row in zip(order, run(embed_one, (texts[i] for i in order)), strict=True):
                rows[place] = row
        return rows

    @cached_property
    def _session(self) -> Session:
        from embedsearch.embedders.session import Session

        model = self._model
        try:
            return Session(model.graph(), pooling=model.pooling, dimensions=model.dimensions)
        except EmbeddingError as error:
            raise ModelNotLoaded(str(error), hint=error.hint) from error

    def _embed_one(self, session: Session, kind: Role, text: str) -> Vectors:
        cut = self._query_parts if kind == "query" else self._parts
        return session.vector(cut(self._model.prefixes[kind], text))

    def _query_parts(self, prefix: str, text: str) -> list[list[int]]:
        """Return the token ids of a query, in at most ``QUERY_PARTS`` parts from all over it."""
        width = self.max_tokens * MOST_CHARACTERS
        if len(text) > QUERY_PARTS * width:
            LOG.warning("a query of %d characters is too long: parts are read", len(text))
            starts = (len(text) * part // QUERY_PARTS for part in range(QUERY_PARTS))
            return [self._parts(prefix, text[start : start + width])[0] for start in starts]
        parts = self._parts(prefix, text)
        if len(parts) > QUERY_PARTS:
            LOG.warning("a query of %d parts is too long: %d are read", len(parts), QUERY_PARTS)
            parts = [parts[len(parts) * part // QUERY_PARTS] for part in range(QUERY_PARTS)]
        return parts

    def _parts(self, prefix: str, text: str) -> list[list[int]]:
        """Return the token ids of a text, in as many parts as the model needs."""
        (ids,) = self.tokenizer.encode([prefix + text])
        if len(ids) <= self._model.max_length:
            return [ids]
        cuts = self._cuts(text)
        if len(cuts) < 3:
            raise EmbeddingError(f"{len(ids)} tokens in {len(text)} characters can't be parted")
        # A part cut inside a word can have more tokens than the word had there: look again.
        return [
            ids for start, end in pairwise(cuts) for ids in self._parts(prefix, text[start:end])
        ]

    def _cuts(self, text: str) -> list[int]:
        """Return where the parts of a text start, and its end; they have as many tokens each."""
        (ends,) = self.tokenizer.ends([text])
        parts = max(2, math.ceil(len(ends) / self.max_tokens))
        places = (len(ends) * part // parts - 1 for part in range(1, parts + 1))
        return sorted({0, *(int(ends[place]) for place in places)})


@cache
def _loaded(
    remake: Callable[[str], SentenceModel], name: str, threads: int | None
) -> LocalEmbedder:
    return LocalEmbedder(remake(name), threads=threads)


def usable_cpus() -> int:
    """Return how many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

"""Embedding any number of texts: many batches in flight, and refusals narrowed down to one text.

`Work` decides and does no input or output; the drivers in ``running.py`` send for it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from embedsearch.client import arrays
from embedsearch.client.batches import Batch, Cutter, ruler, split
from embedsearch.client.calls import Call, post
from embedsearch.client.job import MOST_INPUTS, Embedded, Job
from embedsearch.client.quirks import Quirks, about_encoding, named_cap
from embedsearch.client.stopping import Stopped
from embedsearch.errors import APIError, BadRequest, DimensionMismatch, InputRefused, InvalidAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Halves:
    """The two halves of a refused batch: if both are taken, it was perhaps only too large."""

    refused: int
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A batch to send."""

    batch: Batch
    halves: Halves | None = None
    was_short: bool = False
    """Whether it was sent before, and answered for its first inputs only."""
    is_trial: bool = False
    """Whether it has more inputs than are known to be taken, to find out."""


PROBE = Piece(Batch([], ["text"], [1]))
"""A word that any model reads, sent where a single text is refused before any was taken: where it
is refused, too, the texts are not at fault."""


class Work:
    """What is to be sent next, and what follows from what came back.

    The first batch goes alone: its answer tells the limits, the server's cap on inputs, and
    whether anything of this kind is answered at all.
    """

    def __init__(self, job: Job, quirks: Quirks) -> None:
        self._job = job
        self._quirks = quirks
        self._ruler = ruler(job.model, job.count)
        self._cutter = Cutter(job.texts, self._ruler)
        self._todo: deque[Piece] = deque()
        self._suspects: list[tuple[Batch, APIError]] = []
        self._dimensions = job.dimensions
        self._short: int | None = None
        self._trying = False
        self._failure: BaseException | None = None

    def next(self, flying: int) -> Piece | None:
        """Return what to send while ``flying`` are out, None if nothing now.

        Raises what ended the work when nothing flies any more: what is in flight is paid for.
        """
        if flying and not self._quirks.proven:
            return None
        piece = None if self._failure else self._queued() or self._fresh()
        if piece is None and not flying:
            self.finish()
        return piece

    def finish(self) -> None:
        """Raise what failed, where nothing flies and nothing is sent any more."""
        if self._suspects:
            self.end(self._suspects[0][1])
        if self._failure and not isinstance(self._failure, Stopped):
            raise self._failure

    def call(self, piece: Piece) -> Call[arrays.Read]:
        """Return the request of a piece; its answer is read as vectors and tokens."""
        job = self._job
        body: dict[str, Any] = {**job.params, "input": piece.batch.texts, "model": job.model}
        if self._quirks.base64:
            body["encoding_format"] = "base64"
        if job.dimensions is not None:
            body["dimensions"] = job.dimensions
        return post("/embeddings", partial(arrays.read, count=len(piece.batch)), body)

    def take(self, piece: Piece, read: arrays.Read) -> Iterator[Embedded]:
        """Note that a piece was embedded, and yield it without the texts whose vectors are bad."""
        self._trying &= not piece.is_trial
        found = read.vectors.shape[1]
        self._dimensions = self._dimensions or found
        if found != self._dimensions:
            self.end(self._mismatch(found))
            yield self._wasted(read.tokens)
            return
        self._quirks.took(len(piece.batch))
        if self._short and len(piece.batch) > self._short:
            self._short = None
        if piece.halves:
            piece.halves.taken += 1
            if piece.halves.taken == 2:
                self._quirks.took_in_halves(piece.halves.refused)
        while self._suspects:
            self._refuse(*self._suspects.pop())
        yield self._wasted(read.tokens) if piece is PROBE else self._kept(piece.batch, read)

    def fail(self, piece: Piece, error: BaseException) -> Iterator[Embedded]:
        """Put a refused piece back in parts; what is no matter of its texts ends the work.

        An answer that makes no sense was paid for, so its tokens are yielded without vectors, and
        it is not asked for again, but for one that is only short.
        """
        self._trying &= not piece.is_trial
        if isinstance(error, InvalidAnswer):
            self._spoil(piece, error)
            yield self._wasted(error.tokens)
        elif isinstance(error, BadRequest):
            self._part(piece, error)
        else:
            self.end(error)

    def _spoil(self, piece: Piece, error: InvalidAnswer) -> None:
        """End the work, unless the server takes fewer inputs, or fails on the one text alone."""
        if isinstance(error, arrays.Cut) and self._goes_again(piece, error.count):
            self._todo.appendleft(replace(piece, was_short=True))
        elif piece is PROBE:
            self._blame_server()
        elif len(piece.batch) == 1 and self._quirks.proven:
            self._refuse(piece.batch, error)
        else:
            self.end(error)

    def _goes_again(self, piece: Piece, count: int) -> bool:
        """Tell whether to send a piece again that was answered for its first ``count`` inputs.

        Once is a mishap, so it is sent as it is. Twice the same count and nothing longer in between
        is the server's cap.
        """
        if self._quirks.most_inputs is None and count == self._short:
            self._cap(count)
        self._short = count
        return not piece.was_short or len(piece.batch) > self._most

    def _kept(self, batch: Batch, read: arrays.Read) -> Embedded:
        """Refuse the texts whose vectors are bad; the others were paid for."""
        if not read.bad:
            return Embedded(batch.positions, read.vectors, read.tokens)
        for index, why in read.bad.items():
            self._refuse(batch.part(index, index + 1), why)
        good = [index for index in range(len(batch)) if index not in read.bad]
        return Embedded(batch.only(good).positions, read.vectors[good], read.tokens)

    def _wasted(self, tokens: int) -> Embedded:
        return Embedded([], np.empty((0, self._dimensions or 0), np.float32), tokens)

    def _mismatch(self, found: int) -> DimensionMismatch:
        asked = self._job.dimensions
        if asked is None:
            expected = f"expected vectors of {self._dimensions} dimensions as before"
            return DimensionMismatch(f"{expected}, got {found}")
        return DimensionMismatch(
            f"asked for vectors of {asked} dimensions, got {found}",
            hint="the server or the model has no choice of dimensions: ask for none",
        )

    def _part(self, piece: Piece, error: BadRequest) -> None:
        size = len(piece.batch)
        if self._quirks.base64 and about_encoding(str(error)):
            self._quirks.base64 = False
            self._todo.appendleft(piece)
        elif piece is PROBE:
            self._blame_server()
        elif size == 1:
            self._suspect(piece.batch, error)
        elif cap := named_cap(str(error).removeprefix(f"{error.status_code}: "), size):
            self._cap(cap)
            self._todo.appendleft(piece)
        elif size > self._most and not piece.is_trial:  # It was sent before the cap was known.
            self._todo.appendleft(piece)
        else:
            halves = Halves(size)
            parts = split(piece.batch, (size + 1) // 2)
            self._todo.extendleft(reversed([Piece(part, halves) for part in parts]))

    @property
    def ended(self) -> bool:
        """Whether something failed for good: what is not sent yet has no use any more."""
        return self._failure is not None

    def end(self, failure: BaseException) -> None:
        """Send nothing new; the first failure is the one that is raised, being stopped is none."""
        if self._failure is None or isinstance(self._failure, Stopped):
            self._failure = failure

    @property
    def _most(self) -> int:
        return min(self._job.batch_size, self._quirks.most_inputs or MOST_INPUTS)

    def _cap(self, size: int) -> None:
        self._quirks.most_inputs = min(size, self._most)
        self._quirks.too_many = None

    def _queued(self) -> Piece | None:
        """Return the next piece that was put back, cut by what is known by now."""
        if not self._todo:
            return None
        piece = self._todo.popleft()
        if len(piece.batch) <= self._most:
            return piece
        size = self._size
        if len(piece.batch) <= size:
            self._trying = True
            return replace(piece, is_trial=True)
        self._todo.appendleft(Piece(piece.batch.part(size, len(piece.batch))))
        return self._tried(piece.batch.part(0, size))

    def _fresh(self) -> Piece | None:
        """Return the next texts of the stream without those that no server takes."""
        while batch := self._cut():
            kept = self._screened(batch)
            if self._failure:
                return None
            if kept:
                return self._tried(kept)
        return None

    @property
    def _size(self) -> int:
        """How many inputs to send: one request at a time tries for more where there may be more."""
        trial = self._most if self._trying else min(self._quirks.trial, self._job.batch_size)
        return max(trial, self._most)

    def _tried(self, batch: Batch) -> Piece:
        is_trial = len(batch) > self._most
        self._trying |= is_trial
        return Piece(batch, is_trial=is_trial)

    def _cut(self) -> Batch | None:
        """Return the next texts of the stream; what reading it raises ends the work."""
        try:
            return self._cutter.next(self._size)
        except Exception as error:  # noqa: BLE001 -- raised when nothing flies any more
            self.end(error)
            return None

    def _screened(self, batch: Batch) -> Batch:
        longest = self._ruler.longest
        good = []
        for index, (text, tokens) in enumerate(zip(batch.texts, batch.tokens, strict=True)):
            if not text:
                self._refuse(batch.part(index, index + 1), "it is empty")
            elif longest and tokens > longest:
                reason = f"{tokens} tokens, {self._job.model} reads {longest}"
                self._refuse(batch.part(index, index + 1), reason)
            else:
                good.append(index)
        return batch if len(good) == len(batch) else batch.only(good)

    def _suspect(self, batch: Batch, error: APIError) -> None:
        if self._quirks.proven:
            self._refuse(batch, error)
            return
        self._suspects.append((batch, error))
        self._todo.appendleft(PROBE)

    def _blame_server(self) -> None:
        """End the work: no text is embedded, whatever it is."""
        self.end(self._suspects[0][1])

    def _refuse(self, batch: Batch, reason: APIError | str) -> None:
        """Report a single text that can't be embedded."""
        position = batch.positions[0]
        label = self._job.label(position) if self._job.label else None
        refused = InputRefused(str(reason), position=position, label=label)
        refused.__cause__ = reason if isinstance(reason, APIError) else None
        if self._job.on_refused is None:
            self.end(refused)
        else:
            self._job.on_refused(refused)

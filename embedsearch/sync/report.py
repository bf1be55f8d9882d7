"""What a sync tells its caller: while it runs, and at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Stage: TypeAlias = Literal["walk", "read", "embed"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be read, by its absolute path, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage has come: in files found, in bytes read, or in tokens embedded.

    While files are being found, nobody knows the ``total``: it is ``None``.
    """

    stage: Stage
    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, or would do: counts of documents, then of what was embedded.

    ``replaced`` are documents that a later one of the same id followed in the same ``add``: each
    one given is added, updated or replaced. ``skipped`` are binary files; a document that was
    read from one when it held text is removed. ``failed`` are files that could not be read; a
    document read from one earlier is kept. ``partial`` are those that were read, but not all of
    what is in them. ``texts`` and ``tokens`` were embedded (would be, for a dry run), in so many
    ``requests`` to a provider, for ``cost`` US dollars (``None``: not known); ``pending`` are left.
    ``unheard`` are recordings that would be transcribed first: what their texts take is not known.
    ``unknown`` of what was embedded are mostly in signs that the model can't read, so that
    their vectors tell nothing; the first of them is in the document ``first_unknown``.
    ``missing`` are folders of the index that are not there, whose documents are kept; those that
    were named are in ``failed``.
    """

    added: int = 0
    updated: int = 0
    replaced: int = 0
    renamed: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: tuple[Failure, ...] = ()
    partial: tuple[Failure, ...] = ()
    texts: int = 0
    tokens: int = 0
    pending: int = 0
    seconds: float = 0.0
    requests: int = 0
    cost: float | None = 0.0
    unheard: int = 0
    unknown: int = 0
    first_unknown: str = ""
    missing: tuple[str, ...] = ()

"""Transcripts of recordings: they were paid for, or took long, so they are kept by content."""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import TYPE_CHECKING

from embedsearch.records import Segment, Transcript

if TYPE_CHECKING:
    from embedsearch.records import Hit
    from embedsearch.store.database import Database


def get(database: Database, sha256: bytes, model: str) -> Transcript | None:
    """Return what a model heard in the recording with these bytes, if it was ever asked."""
    with database.reading():
        row = database.execute(
            "select language, seconds, segments from transcripts where sha256 = ? and model = ?",
            [sha256, model],
        ).fetchone()
    if row is None:
        return None
    language, seconds, segments = row
    return Transcript(tuple(Segment(*one) for one in json.loads(segments)), language, seconds)


def keep(database: Database, sha256: bytes, model: str, transcript: Transcript) -> None:
    """Keep a transcript; no generation is made, as nothing that is found changes."""
    segments = json.dumps([astuple(one) for one in transcript.segments], ensure_ascii=False)
    with database.writing(generation=False):
        database.execute(
            """
            insert or replace into transcripts (sha256, model, language, seconds, segments)
            values (?, ?, ?, ?, ?)
            """,
            [sha256, model, transcript.language, transcript.seconds, segments],
        )


def said_at(database: Database, hit: Hit, line: int) -> float | None:
    """Return how far into a recording a line of a hit is said, in seconds; ``None`` elsewhere.

    Where no transcript tells it, it is when the hit begins.
    """
    if hit.seconds is None:
        return None
    for times in _times(database, hit.document_id):
        # Of several models that heard it, the one whose words the document holds.
        if line <= len(times) and times[hit.start_line - 1 : hit.start_line] == [hit.seconds]:
            return times[line - 1]
    return hit.seconds


def _times(database: Database, document: str) -> list[list[float]]:
    """Return when each line of a recording's document is said, by each model that heard it."""
    with database.reading():
        rows = database.execute(
            """
            select t.segments from documents d join transcripts t on t.sha256 = d.sha256
            where d.id = ?
            """,
            [document],
        ).fetchall()
    return [[start for start, *_ in json.loads(segments)] for (segments,) in rows]

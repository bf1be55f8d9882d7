"""Transcripts of recordings: they were paid for, or took long, so they are kept by content."""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from embedsearch.records import Segment, Transcript
from embedsearch.store import json_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embedsearch.records import Hit
    from embedsearch.store.database import Database


def get(database: Database, sha256: bytes, model: str) -> Transcript | None:
    """Return what a model heard in the recording with these bytes, if it was ever asked.

    Raises:
        IndexDamaged: it can't be read.

    """
    with database.reading():
        row = database.execute(
            """
            select number, language, seconds, segments from transcripts
            where sha256 = ? and model = ?
            """,
            [sha256, model],
        ).fetchone()
        if row is None:
            return None
        number, language, seconds, segments = row
        found = _segments(database, number, segments)
    return Transcript(tuple(Segment(*one) for one in found), language, seconds)


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
            select t.number, t.segments from documents d join transcripts t on t.sha256 = d.sha256
            where d.id = ?
            """,
            [document],
        ).fetchall()
        return [[start for start, *_ in _segments(database, *row)] for row in rows]


def _segments(database: Database, number: int, stored: str) -> list[tuple[float, float, str]]:
    segments: list[tuple[float, float, str]] = json_columns.read(
        database.path, stored, _are_segments, lambda: name(database, number)
    )
    return segments


def _are_segments(found: Any) -> bool:
    return isinstance(found, list) and all(map(_is_segment, found))


def _is_segment(found: Any) -> bool:
    match found:
        case [int() | float(), int() | float(), str()]:
            return True
        case _:
            return False


def damaged(database: Database) -> Iterator[int]:
    """Yield the numbers of transcripts that can't be read."""
    rows = database.execute("select number, cast(segments as blob) from transcripts")
    return json_columns.damaged(rows, _are_segments)


def name(database: Database, number: int) -> str:
    """Return what a transcript is called: by a document of its recording, if there is one."""
    model, sha256, document = database.execute(
        """
        select t.model, t.sha256, (select min(id) from documents d where d.sha256 = t.sha256)
        from transcripts t where t.number = ?
        """,
        [number],
    ).fetchone()
    recording = repr(document) if document else f"a recording with SHA-256 {sha256.hex()}"
    return f"the transcript of {recording} by {model}"

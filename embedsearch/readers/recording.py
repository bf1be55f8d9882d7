"""Recordings: which files are some, and the document that a transcript makes."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from embedsearch.records import Document

if TYPE_CHECKING:
    from embedsearch.records import Transcript

SUFFIXES = frozenset(".flac .m4a .mp3 .mp4 .ogg .wav .webm".split())

SILENT = "nobody speaks in it"
"""Why a recording that was heard is left out, as music is."""


def is_recording(path: str) -> bool:
    """Say whether a file holds sound, by its name."""
    return PurePosixPath(path).suffix.lower() in SUFFIXES


def document(id: str, transcript: Transcript) -> Document:
    """Make a document of a transcript: a line a segment, each with its time."""
    lines, times, start = [], [], 0
    for segment in transcript.segments:
        line = " ".join(segment.text.split())
        times.append((start, segment.start))
        lines.append(line)
        start += len(line) + 1
    known = {"language": transcript.language, "duration": transcript.seconds}
    metadata = {name: value for name, value in known.items() if value is not None}
    return Document(id, "\n".join(lines), metadata, times=tuple(times))

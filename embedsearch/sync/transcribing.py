"""Recordings taken in as what is said in them: heard once, and kept."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from embedsearch.client.stopping import finished
from embedsearch.errors import ReadError
from embedsearch.readers.recording import SILENT, document, is_recording
from embedsearch.store import outbox, transcripts, usage
from embedsearch.store.clock import now
from embedsearch.store.documents import Origin
from embedsearch.store.outbox import Sent
from embedsearch.store.sources import Unread
from embedsearch.store.usage import Use
from embedsearch.sync.reading import Touched, Unheard, prepare
from embedsearch.sync.report import Failure
from embedsearch.transcribers import is_remote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from embedsearch.records import Transcript
    from embedsearch.store.database import Database
    from embedsearch.sync.plan import File
    from embedsearch.sync.reading import Chunking, Outcome
    from embedsearch.sync.spending import Allowance
    from embedsearch.transcribers import RemoteTranscriber, Transcriber


class Amount(NamedTuple):
    """How many recordings, and how many bytes they are."""

    recordings: int
    bytes: int


def check_hearing(allowance: Allowance, transcriber: Transcriber | None) -> None:
    """Raise ValueError for a limit in dollars: a recording's length is not known before."""
    if allowance.cost is not None and transcriber and is_remote(transcriber):
        raise ValueError(
            f"what {transcriber.name} costs is not known before a recording is sent: transcribe "
            "without a limit in dollars first, then embed with it"
        )


def parted(files: Sequence[File], transcriber: Transcriber | None) -> tuple[list[File], list[File]]:
    """Return the files to be read, and those to be heard: none where nobody hears."""
    if transcriber is None:
        return list(files), []
    read: list[File] = []
    heard: list[File] = []
    for file in files:
        (heard if is_recording(file.path) else read).append(file)
    return read, heard


def unheard(database: Database, files: Iterable[File], transcriber: Transcriber) -> Amount:
    """Return how much of the files has to be heard; they are hashed to find out."""
    sizes = [
        file.size
        for file in files
        if (digest := _digest(file)) is not None
        and (file.known is None or file.known.sha256 != digest)
        and transcripts.get(database, digest, transcriber.name) is None
    ]
    return Amount(len(sizes), sum(sizes))


def hear(
    database: Database,
    files: Iterable[File],
    ids: Mapping[File, str],
    chunking: Chunking,
    transcriber: Transcriber,
    *,
    rehearsal: bool = False,
) -> Iterator[tuple[File, Outcome]]:
    """Yield each recording with what hearing it came to.

    A transcript is kept as soon as it is there, so a run that is stopped pays for none twice:
    the first Ctrl-C waits for what was sent to a provider. A rehearsal looks only whether there
    is one.
    """
    for file in files:
        digest = _digest(file)
        if digest is None:
            yield file, Failure(str(file.absolute), "could not be opened")
        elif file.known and file.known.sha256 == digest:
            yield file, Touched()
        elif known := transcripts.get(database, digest, transcriber.name):
            yield file, _outcome(file, ids[file], digest, known, chunking)
        elif rehearsal:
            yield file, Unheard()
        else:
            try:
                new = _transcribed(database, file, ids[file], digest, transcriber)
            except ReadError as error:
                yield file, Failure(str(file.absolute), str(error))
            else:
                yield file, _outcome(file, ids[file], digest, new, chunking)


def _outcome(
    file: File, id: str, digest: bytes, transcript: Transcript, chunking: Chunking
) -> Outcome:
    if not any(segment.text.strip() for segment in transcript.segments):
        # Music, say: left out as any file that holds no text.
        return Unread(file.size, file.changed_ns, binary=True, why=SILENT)
    origin = Origin(file.source, file.path, file.size, file.changed_ns, digest)
    (prepared,) = prepare([document(id, transcript)], chunking, [origin])
    return prepared


def _transcribed(
    database: Database, file: File, id: str, digest: bytes, transcriber: Transcriber
) -> Transcript:
    if not is_remote(transcriber):
        transcript = transcriber.transcribe(file.absolute)
        transcripts.keep(database, digest, transcriber.name, transcript)
        return transcript
    # Noted before it is sent, so that none can be missing.
    entry = Sent(now(), transcriber.host, transcriber.model, id, digest, 0)
    outbox.note(database, [entry])
    with finished():
        transcript = transcriber.transcribe(file.absolute)
        with database.writing(generation=False):
            transcripts.keep(database, digest, transcriber.name, transcript)
            usage.note(database, [_use(transcriber, transcript)])
    return transcript


def _use(transcriber: RemoteTranscriber, transcript: Transcript) -> Use:
    cost = transcriber.cost(transcript.seconds)
    return Use(now(), "transcribe", transcriber.host, transcriber.model, 1, 0, cost)


def _digest(file: File) -> bytes | None:
    try:
        with file.absolute.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").digest()
    except OSError:
        return None

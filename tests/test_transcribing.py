"""Recordings in an index: heard once, found by what is said and when, kept and paid for once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from recording import Recorded, Reply, Server, serving
from servers import speech, whisper

from embedsearch import Client, Index
from embedsearch.cli.main import main
from embedsearch.cli.places import clock
from embedsearch.errors import AuthenticationFailed, EmbedsearchError, IndexDamaged, ReadError
from embedsearch.readers.recording import document
from embedsearch.records import Segment, Transcript
from embedsearch.sync.spending import Allowance
from embedsearch.testing import HashEmbedder
from embedsearch.transcribers import Transcriber, load
from embedsearch.transcribers.api import APITranscriber

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

KEY = "sk-test-0123456789"


def talk(topic: str, segments: int = 40) -> dict[str, Any]:
    """Return a transcript of a segment every 20 seconds, as the API gives it."""
    said = [
        {
            "id": n,
            "start": 20.0 * n,
            "end": 20.0 * n + 18.5,
            "text": f" Part {n} of it is about {topic}, as was said.",
        }
        for n in range(segments)
    ]
    text = " ".join(str(one["text"]).strip() for one in said)
    return {"text": text, "language": "english", "duration": 20.0 * segments, "segments": said}


def hears(seen: Recorded) -> Reply:
    """Hear in a recording what its bytes say; "quiet" is silence, "noise" is refused."""
    (sound,) = (content for name, _, _, content in seen.content if name == "file")
    topic = sound.removeprefix(b"ID3\0").decode()
    if topic == "noise":
        return Reply(b'{"error": {"message": "Invalid file format."}}', status=400)
    answer = talk(topic, 0 if topic == "quiet" else 40)
    return Reply(json.dumps(answer).encode())


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as recorder:
        recorder.reply = hears
        yield recorder


@pytest.fixture
def transcriber(server: Server) -> Iterator[Transcriber]:
    with Client(base_url=server.url, api_key=KEY) as client:
        yield APITranscriber("whisper-1", client=client)


@pytest.fixture
def talks(docs: Path) -> Path:
    """Return a folder with documents and two recordings."""
    (docs / "talk.mp3").write_bytes(b"ID3\0badgers")
    (docs / "guide" / "more.WAV").write_bytes(b"ID3\0otters")
    return docs


def test_a_transcript_is_a_line_a_segment_with_its_time() -> None:
    heard = Transcript((Segment(0, 4.5, " Hello\nthere. "), Segment(4.5, 9, "Bye.")), "en", 9.0)
    made = document("a.mp3", heard)
    assert made.text == "Hello there.\nBye."
    assert made.times == ((0, 0), (13, 4.5))
    assert made.metadata == {"language": "en", "duration": 9.0}


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (751.9, "12:31"), (3600, "1:00:00"), (45_296, "12:34:56")]
)
def test_times_are_shown_as_players_do(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_a_hit_in_a_recording_says_when_it_is_said(
    index: Index, talks: Path, transcriber: Transcriber, server: Server
) -> None:
    report = index.sync(talks, transcriber=transcriber)
    assert (report.added, report.skipped, report.failed) == (5, 0, ())
    assert server.seen[0].path == "/audio/transcriptions"
    sent = {name: content for name, _, _, content in server.seen[0].content if name != "file"}
    assert sent == {
        "model": b"whisper-1",
        "response_format": b"verbose_json",
        "timestamp_granularities[]": b"segment",
    }
    hit = index.search("part 39 badgers", k=1, mode="lexical")[0]
    whole = index.get("talk.mp3").text
    chunks = index.chunks("talk.mp3")
    assert (hit.document_id, hit.seconds) == ("talk.mp3", chunks[-1].seconds)
    assert len(chunks) > 1
    for chunk in chunks:
        assert whole[chunk.start : chunk.end] == chunk.text
        # A line is 20 seconds: the time is that of the line a chunk starts on.
        assert chunk.seconds == 20.0 * (chunk.start_line - 1)
    assert index.search("cats", k=1, mode="lexical")[0].seconds is None


def test_a_recording_is_heard_once_whatever_becomes_of_its_file(
    index: Index, talks: Path, transcriber: Transcriber, server: Server
) -> None:
    index.sync(talks, transcriber=transcriber)
    assert len(server.seen) == 2
    assert index.sync(talks, transcriber=transcriber).unchanged == 5
    os.utime(talks / "talk.mp3", (1, 1))
    assert index.sync(talks, transcriber=transcriber).unchanged == 5
    (talks / "talk.mp3").rename(talks / "other.mp3")
    assert index.sync(talks, transcriber=transcriber).renamed == 1
    shutil.copy(talks / "other.mp3", talks / "copy.mp3")
    assert index.sync(talks, transcriber=transcriber).added == 1
    (talks / "other.mp3").unlink()
    (talks / "copy.mp3").unlink()
    assert index.sync(talks, transcriber=transcriber).removed == 2
    (talks / "back.mp3").write_bytes(b"ID3\0badgers")
    assert index.sync(talks, transcriber=transcriber).added == 1
    assert len(server.seen) == 2
    (talks / "back.mp3").write_bytes(b"ID3\0beavers")
    assert index.sync(talks, transcriber=transcriber).updated == 1
    assert len(server.seen) == 3
    assert index.search("beavers", k=1, mode="lexical")[0].document_id == "back.mp3"


@pytest.mark.parametrize("stored", [b'[[0.0, 18.5, "Part', b"[[1]]"])
def test_a_transcript_that_cannot_be_read_is_named_and_not_paid_for_unasked(
    tmp_path: Path, talks: Path, transcriber: Transcriber, server: Server, stored: bytes
) -> None:
    folder = tmp_path / "heard"
    with Index.open(folder, HashEmbedder()) as index:
        index.sync(talks, transcriber=transcriber)
        index.remove(["guide/more.WAV"])
    with closing(sqlite3.connect(folder / "index.db")) as database, database:
        change = "update transcripts set segments = cast(? as text) where segments like ?"
        database.execute(change, [stored, "%badgers%"])
        database.execute(change, [b'[[0, 1, "\xff"]]', "%otters%"])
    (talks / "copy.mp3").write_bytes((talks / "talk.mp3").read_bytes())
    (talks / "guide" / "more.WAV").unlink()
    name = "the transcript of 'talk.mp3' by openai/whisper-1"
    with Index.open(folder, HashEmbedder()) as index:
        hit = index.search("part 33 badgers", k=1, mode="lexical")[0]
        for call in (
            lambda: index.said_at(hit, hit.end_line),
            lambda: index.sync(talks, transcriber=transcriber),
        ):
            with pytest.raises(IndexDamaged, match=f"is damaged: {name} can't be read") as refused:
                call()
            assert (refused.value.hint or "").startswith("try: embedsearch repair")
        sha256 = hashlib.sha256(b"ID3\0otters").hexdigest()
        other = f"the transcript of a recording with SHA-256 {sha256} by openai/whisper-1"
        lost = "it is lost; documents keep its text, and its recording is heard again if need be"
        assert {(problem.what, problem.remedy) for problem in index.repair()} == {
            (f"{name} can't be read", lost),
            (f"{other} can't be read", lost),
        }
        assert index.verify() == []
        assert (index.get("talk.mp3").text.count("badgers"), len(server.seen)) == (40, 2)
        assert index.said_at(hit, hit.end_line) == hit.seconds
        assert index.sync(talks, transcriber=transcriber).added == 1
        assert len(server.seen) == 3
        assert index.said_at(hit, hit.start_line + 1) == (hit.seconds or 0) + 20


def test_without_a_transcriber_recordings_are_skipped_and_what_was_heard_stays(
    index: Index, talks: Path, transcriber: Transcriber
) -> None:
    assert index.sync(talks).skipped == 2
    assert index.sync(talks, transcriber=transcriber).added == 2
    report = index.sync(talks)
    assert (report.unchanged, report.removed, report.skipped) == (5, 0, 0)


def test_what_is_refused_or_silent_stops_nothing(
    index: Index, talks: Path, transcriber: Transcriber, server: Server
) -> None:
    (talks / "bad.ogg").write_bytes(b"ID3\0noise")
    (talks / "song.flac").write_bytes(b"ID3\0quiet")
    report = index.sync(talks, transcriber=transcriber)
    assert (report.added, report.skipped) == (5, 1)
    ((failure),) = report.failed
    assert failure.path == str(talks / "bad.ogg")
    assert failure.why.startswith(f"was refused by {server.url[7:]}: 400: Invalid file format.")
    asked = len(server.seen)
    again = index.sync(talks, transcriber=transcriber)
    assert (again.skipped, len(again.failed), len(server.seen)) == (1, 1, asked + 1)


def test_a_run_that_dies_keeps_what_was_heard(
    index: Index, talks: Path, transcriber: Transcriber, server: Server
) -> None:
    def dies(seen: Recorded) -> Reply:
        return hears(seen) if len(server.seen) == 1 else Reply(b"{}", status=401)

    server.reply = dies
    with pytest.raises(AuthenticationFailed):
        index.sync(talks, transcriber=transcriber)
    assert len(index) == 4
    server.reply = hears
    assert index.sync(talks, transcriber=transcriber).added == 1
    assert len(server.seen) == 3


def test_what_was_sent_and_what_it_cost_is_noted(
    index: Index, talks: Path, transcriber: Transcriber
) -> None:
    index.sync(talks, transcriber=transcriber)
    (line,) = index.usage(by="command")
    assert (line.key, line.requests) == ("transcribe", 2)
    assert line.cost == pytest.approx(2 * 800 / 60 * 0.006)
    assert [entry.document for entry in index.outbox()] == ["talk.mp3", "guide/more.WAV"]


@pytest.mark.parametrize("lie", ["x", -800, 10**30])
def test_a_length_that_can_t_be_right_loses_no_transcript(
    index: Index, talks: Path, transcriber: Transcriber, server: Server, lie: object
) -> None:
    def lies(_: Recorded) -> Reply:
        return Reply(json.dumps({**talk("money", 40), "duration": lie}).encode())

    server.reply = lies
    assert index.sync(talks, transcriber=transcriber).added == 5
    (line,) = index.usage(by="command")
    assert (line.key, line.requests, line.cost) == ("transcribe", 2, 0.0)


def test_a_limit_in_dollars_can_t_hold_for_recordings(
    index: Index, talks: Path, transcriber: Transcriber, server: Server
) -> None:
    with pytest.raises(ValueError, match="not known before a recording is sent"):
        index.sync(talks, transcriber=transcriber, allowance=Allowance(cost=1.0))
    assert server.seen == []


def test_a_model_that_gives_no_times_is_asked_once(
    index: Index, talks: Path, transcriber: Transcriber, server: Server
) -> None:
    server.says({"text": "Only words."})
    with pytest.raises(EmbedsearchError, match="does not say when"):
        index.sync(talks, transcriber=transcriber)
    assert len(server.seen) == 1


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)


@pytest.fixture
def shell(talks: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work where the recordings are; the environment names the server."""
    monkeypatch.chdir(talks.parent)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    return talks


def test_the_command_line_plans_asks_hears_and_says_when(shell: Path, server: Server) -> None:
    common = ("index", shell, "--transcribe", "openai/whisper-1")
    plan = run(*common, "--dry-run")
    assert "3 added; 2 recordings to transcribe; " in plan.stdout
    assert server.seen == []
    no = run(*common, stdin="n\n")
    assert (no.exit_code, server.seen) == (2, [])
    assert "2 recordings (0.0 MB) to transcribe by 127.0.0.1" in no.stderr
    assert "$0.006 a minute" in no.stderr
    done = run(*common, "-y")
    assert done.exit_code == 0, done.stderr
    assert KEY not in done.output
    assert len(server.seen) == 2
    found = run("search", "part 39 of it is about badgers", "-k", 1, "--mode", "lexical")
    assert found.stdout.startswith(f"1  docs/talk.mp3 at {clock(39 * 20)}  ")
    assert "2 recordings" not in run(*common, "-y").stderr


WAITS = "stopping: waiting for 1 request in flight: what was sent is billed; Ctrl-C drops it\n"


@pytest.mark.parametrize(("interrupts", "kept"), [(1, 1), (2, 0)])
def test_a_recording_that_was_sent_when_a_run_is_interrupted_is_kept(
    interrupts: int, kept: int, shell: Path, server: Server
) -> None:
    heard = threading.Event()

    def holds(seen: Recorded) -> Reply:
        heard.wait(30)
        return hears(seen)

    server.reply = holds
    common = ("index", str(shell), "--transcribe", "openai/whisper-1", "-y")
    command = [sys.executable, "-m", "embedsearch", *common]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            while not server.seen:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            while process.stderr.readline() != WAITS:
                assert process.poll() is None
            if interrupts == 2:
                process.send_signal(signal.SIGINT)
                process.wait(10)
        finally:
            heard.set()
        assert process.wait(20) == 130
    server.reply = hears
    with Index.open(shell.parent / ".embedsearch") as index:
        assert sum(line.requests for line in index.usage(by="command")) == kept
    assert run(*common).exit_code == 0
    assert len(server.seen) == 3 - kept


@pytest.mark.parametrize(
    ("question", "said", "part"),
    [
        ("part 33 badgers", "It is [1].", 33),
        ("who is in it", "Not 9. Badgers are in 34 [1]. Not in 35.", 34),
        ("badgers", "Not in 9. They are in 34. [1]", 34),
    ],
    ids=["by the question", "by the sentence that cites", "cited behind its full stop"],
)
def test_ask_says_when_what_it_cites_is_said(
    shell: Path, server: Server, question: str, said: str, part: int
) -> None:
    assert run("index", shell, "--transcribe", "openai/whisper-1", "-y").exit_code == 0
    chunk = {"choices": [{"index": 0, "delta": {"content": said}}]}
    server.streams(b"data: %s\n\n" % json.dumps(chunk).encode(), b"data: [DONE]\n\n")
    ask = ("ask", question, "--chat-model", "chatty", "--mode", "lexical", "--glob", "*.mp3")
    (cited,) = json.loads(run(*ask, "--json").stdout)["citations"]
    assert (cited["start_line"], cited["seconds"]) == (1, 0), "the passage is the whole talk"
    assert run(*ask).stdout == f"{said}\n\n[1] docs/talk.mp3 at {clock(20 * part)}\n"


def test_a_search_says_when_the_line_that_matched_is_said(shell: Path, server: Server) -> None:
    run("index", shell, "--transcribe", "openai/whisper-1", "-y")
    assert len(server.seen) == 2
    search = ("search", "part 33 badgers", "-k", 1, "--mode", "lexical")
    (hit,) = json.loads(run(*search, "--format", "json").stdout)["hits"]
    line = 34
    assert hit["start_line"] < line <= hit["end_line"]
    assert hit["seconds"] == 20.0 * (hit["start_line"] - 1)
    assert "docs/talk.mp3 at 11:00 " in run(*search).stdout, "33 times 20 seconds"
    assert "`docs/talk.mp3 at 11:00`" in run(*search, "--format", "md").stdout


def test_a_line_of_a_recording_has_the_time_of_the_model_that_the_index_heard(
    index: Index, talks: Path, transcriber: Transcriber
) -> None:
    index.sync(talks, transcriber=transcriber)
    hit = index.search("part 33 badgers", k=1, mode="lexical")[0]
    assert hit.seconds is not None
    assert index.said_at(hit, hit.start_line) == hit.seconds
    assert index.said_at(hit, hit.start_line + 2) == hit.seconds + 40
    assert index.said_at(hit, 99) == hit.seconds, "there is no such line"
    other = replace(hit, seconds=hit.seconds + 1)
    assert index.said_at(other, hit.start_line + 2) == other.seconds, "no transcript tells"
    assert index.said_at(index.search("cats", k=1, mode="lexical")[0], 1) is None


def test_another_server_may_hear_than_the_one_that_embeds(
    shell: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")
    where = ("--transcribe-url", server.url, "--timeout", 60)
    done = run("index", shell, "--transcribe", "openai/whisper-1", *where, "-y")
    assert (done.exit_code, len(server.seen)) == (0, 2)


def test_a_transcriber_that_is_not_there_is_an_error(shell: Path) -> None:
    result = run("index", shell, "--transcribe", "nowhere")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no transcriber is named 'nowhere'" in result.stderr


@pytest.mark.servers
def test_speech_is_heard_on_this_machine(tmp_path: Path) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()
    sound = speech(
        "The heart pumps blood through the body. It never sleeps. "
        "Oxygen was discovered in the eighteenth century by a chemist in Sweden.",
        folder / "talk.wav",
    )
    (folder / "broken.mp3").write_bytes(b"ID3\0this is no sound")
    transcriber = load(str(whisper(tmp_path / "whisper-base")))
    with Index.open(tmp_path / "index", HashEmbedder()) as index:
        report = index.sync(folder, transcriber=transcriber)
        assert report.added == 1
        assert [failure.path for failure in report.failed] == [str(folder / "broken.mp3")]
        hit = index.search("oxygen", k=1, mode="lexical")[0]
        assert hit.document_id == sound.name
        assert hit.seconds is not None
        assert 0 <= hit.seconds < 6
        assert index.get("talk.wav").metadata["language"] == "en"
        assert list(index.outbox()) == []
    with pytest.raises(ReadError, match="no sound"):
        transcriber.transcribe(folder / "broken.mp3")
    transcriber.close()

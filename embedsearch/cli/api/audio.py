"""``embedsearch api transcribe``, ``translate`` and ``speak``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedsearch.cli import options
from embedsearch.cli.api import asking, printing, secrets
from embedsearch.cli.terminal import note, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from embedsearch.client.multipart import File
    from embedsearch.client.types.audio import TranscriptionEvent

LISTENER = "whisper-1"
SPEAKER = "gpt-4o-mini-tts"
SPEECH = ("mp3", "opus", "aac", "flac", "wav", "pcm")

_MAGIC = {
    b"RIFF": "wav",
    b"fLaC": "flac",
    b"OggS": "ogg",
    b"\x1aE\xdf\xa3": "webm",
}
"""How files of sound begin, but for mp4, which says so after four bytes, and mp3."""

of_recordings = options.together(
    click.argument("file", type=secrets.FILE_OR_STDIN),
    asking.of_model(LISTENER),
    click.option("--prompt", type=secrets.TEXT, help="Names and words that occur in it."),
    click.option(
        "--format",
        "format_",
        type=click.Choice(["text", "srt", "vtt", "json", "verbose_json", "diarized_json"]),
        help="The form of the answer; what is json is printed whole.",
    ),
    secrets.allowing,
    asking.extras,
)


@click.command("transcribe")
@of_recordings
@click.option("--language", metavar="CODE", help="What is spoken: en, de, ...")
@click.option("--stream", is_flag=True, help="Print words as they come; not all models can.")
@asking.common
def transcribe_(
    *,
    file: str,
    model: str,
    prompt: str | None,
    format_: str | None,
    language: str | None,
    stream: bool,
    extra: dict[str, Any],
    as_json: bool,
) -> None:
    """Write down what is said in FILE ('-' is stdin): mp3, wav, m4a, flac, ogg, webm, mp4."""
    body = _body(file, model, prompt, _form(format_, model, whole=as_json), extra)
    if language:
        body["language"] = language
    with asking.client() as client:
        create = client.audio.transcriptions.create
        if stream and model == LISTENER:
            note(f"{LISTENER} can't stream: its text comes when all is heard")
        elif stream and not _is_whole(format_, whole=as_json):
            with create(**body, stream=True) as events:
                came = printing.flowing(_heard(events))
            if not came:
                note("no words came: without --stream, --json shows the whole answer")
            return
        answer = create(**body)
    _print(answer, whole=_is_whole(format_, whole=as_json))


@click.command("translate")
@of_recordings
@asking.common
def translate_(
    *,
    file: str,
    model: str,
    prompt: str | None,
    format_: str | None,
    extra: dict[str, Any],
    as_json: bool,
) -> None:
    """Write down in English what is said in FILE ('-' is stdin), whatever language it is."""
    form = _form(format_, model, whole=as_json)
    with asking.client() as client:
        answer = client.audio.translations.create(**_body(file, model, prompt, form, extra))
    _print(answer, whole=_is_whole(format_, whole=as_json))


def _body(
    file: str, model: str, prompt: str | None, form: str, extra: dict[str, Any]
) -> dict[str, Any]:
    sent = _recording(file)
    return asking.said(
        file=sent, model=model, prompt=prompt, response_format=form, extra_body=extra
    )


def _recording(file: str) -> File:
    """Return a recording, with a name that tells the server its format."""
    if file != "-":
        return Path(file)
    data = secrets.checked_bytes(sys.stdin.buffer.read())
    known = "m4a" if data[4:8] == b"ftyp" else "mp3"
    return f"stdin.{_MAGIC.get(data[:4], known)}", data


def _form(format_: str | None, model: str, *, whole: bool) -> str:
    """Return the form to ask for; all models know json, and only whisper tells more in another."""
    if whole and format_ is None:
        return "json" if model.startswith("gpt-") else "verbose_json"
    return "json" if format_ in {None, "text"} else str(format_)


def _is_whole(format_: str | None, *, whole: bool) -> bool:
    return whole or (format_ or "").endswith("json")


def _print(answer: Any, *, whole: bool) -> None:
    if whole:
        printing.whole(answer.to_dict())
    else:
        printing.flowing([answer.text.strip("\n")])


def _heard(events: Iterable[TranscriptionEvent]) -> Iterator[str]:
    """Yield what the events add; some servers tell all at once, at the end."""
    came = False
    for event in events:
        is_whole = event.type == "transcript.text.done" and not came
        added = (event.text if is_whole else event.delta) or ""
        came = came or bool(added)
        yield added


@click.command("speak")
@asking.texts
@asking.of_model(SPEAKER)
@click.option("--voice", metavar="NAME", default="alloy", show_default=True, help="Whose voice.")
@click.option("--instructions", type=secrets.TEXT, help="How to speak: slowly, with joy, ...")
@click.option("--speed", type=options.Number(0.25, 4), help="1 is as people speak.")
@asking.to_file
@asking.extras
@asking.common
def speak_(
    *,
    words: tuple[str, ...],
    files: tuple[str, ...],
    model: str,
    voice: str,
    instructions: str | None,
    speed: float | None,
    output: str | None,
    force: bool,
    extra: dict[str, Any],
    as_json: bool,  # noqa: ARG001 -- sound is no JSON
) -> None:
    """Read TEXT aloud into the file that -o names: mp3, opus, aac, flac, wav or pcm.

    '-' as TEXT is stdin, as FILE stdout.
    """
    text = asking.text(words, files)
    if output is None:
        raise click.UsageError("say where the sound goes: -o speech.mp3, or -o - for stdout")
    printing.claim(output, force=force)
    body = asking.said(
        input=text,
        model=model,
        voice=voice,
        instructions=instructions,
        speed=speed,
        response_format=_sound(output),
    )
    with (
        asking.client() as client,
        client.audio.speech.with_streaming_response.create(**body, extra_body=extra) as answer,
    ):
        if output == "-":
            printing.pour(answer.iter_bytes())
        else:
            answer.stream_to_file(output)
            show(output)


def _sound(output: str) -> str:
    kind = Path(output).suffix.lower().removeprefix(".")
    if output != "-" and kind not in SPEECH:
        raise click.UsageError(f"-o: expected a name in .{', .'.join(SPEECH)}, got {output!r}")
    return kind or "mp3"

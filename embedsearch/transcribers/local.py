"""Transcribing on this machine, by faster-whisper."""

from __future__ import annotations

from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedsearch.errors import MissingDependency, ReadError
from embedsearch.offline import silence_onnxruntime
from embedsearch.records import Segment, Transcript

if TYPE_CHECKING:
    from collections.abc import Iterator


class LocalTranscriber:
    """A Whisper model in a folder, as faster-whisper takes it; nothing is fetched.

    Raises ValueError for what is no folder, MissingDependency without faster-whisper.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder).expanduser().resolve()
        if not (self._folder / "model.bin").is_file():
            raise ValueError(
                f"no transcriber is named {str(folder)!r}: expected openai/MODEL, or a folder with "
                "the model.bin of a faster-whisper model"
            )
        if find_spec("faster_whisper") is None:
            raise MissingDependency(
                "transcribing on this machine needs faster-whisper",
                hint="pip install 'embedsearch[audio]'",
            )

    @property
    def name(self) -> str:
        """``local/whisper-base``, by the folder's name: as good as another of that name."""
        return f"local/{self._folder.name}"

    @cached_property
    def _model(self) -> Any:
        silence_onnxruntime()  # which finds where somebody speaks
        from faster_whisper import WhisperModel

        return WhisperModel(
            str(self._folder), device="cpu", compute_type="int8", local_files_only=True
        )

    def transcribe(self, path: Path) -> Transcript:
        """Return what is said in a recording; silence is passed over.

        Raises ReadError for a file that holds no sound.
        """
        sound = _decoded(path)
        if not len(sound):
            return Transcript((), None, 0.0)
        spoken, about = self._model.transcribe(sound, vad_filter=True)
        return Transcript(tuple(_segments(spoken)), about.language, about.duration)

    def close(self) -> None:
        """Let go of the model."""
        self.__dict__.pop("_model", None)


def _decoded(path: Path) -> Any:
    """Return the samples of a recording, as the model takes them."""
    from av.error import FFmpegError
    from faster_whisper import decode_audio

    try:
        return decode_audio(str(path))
    except FFmpegError as error:
        raise ReadError(f"holds no sound that can be decoded: {error.strerror}") from error
    except (IndexError, ValueError) as error:
        raise ReadError("holds no track of sound") from error


def _segments(spoken: Any) -> Iterator[Segment]:
    for one in spoken:
        yield Segment(round(one.start, 2), round(one.end, 2), one.text)

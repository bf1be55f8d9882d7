"""Transcribers: what turns recordings into text with times, and how a user names one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.transcribers.protocol import (
    RemoteTranscriber,
    Transcriber,
    is_remote,
)

if TYPE_CHECKING:
    from typing import Unpack

    from embedsearch.client.settings import Options

__all__ = ["RemoteTranscriber", "Transcriber", "is_remote", "load"]


def load(name: str, **api: Unpack[Options]) -> Transcriber:
    """Return the transcriber that a name stands for; its model is loaded at the first use.

    ``"openai/MODEL"`` stands for one behind an API that is compatible with OpenAI's, all else for
    the folder of a faster-whisper model. ``api`` is what its
    ``Client`` is made with. Raises ValueError where
    there is no such folder, MissingDependency where faster-whisper is not installed.
    """
    if name.startswith("openai/"):
        from embedsearch.transcribers.api import APITranscriber  # with it comes httpx

        return APITranscriber(name.removeprefix("openai/"), **api)
    from embedsearch.transcribers.local import LocalTranscriber

    return LocalTranscriber(name)

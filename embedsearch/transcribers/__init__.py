"""Transcribers: what turns recordings into text with times, and how a user names one."""

from __future__ import annotations

from embedsearch.transcribers.protocol import (
    RemoteTranscriber,
    Transcriber,
    is_remote,
)

__all__ = ["RemoteTranscriber", "Transcriber", "is_remote", "load"]


def load(name: str, *, base_url: str | None = None) -> Transcriber:
    """Return the transcriber that a name stands for; its model is loaded at the first use.

    ``"openai/MODEL"`` stands for one behind an API that is compatible with OpenAI's, all else for
    the folder of a faster-whisper model. ``base_url`` is where the API is. Raises ValueError where
    there is no such folder, MissingDependency where faster-whisper is not installed.
    """
    if name.startswith("openai/"):
        from embedsearch.transcribers.api import APITranscriber  # with it comes httpx

        return APITranscriber(name.removeprefix("openai/"), base_url=base_url)
    from embedsearch.transcribers.local import LocalTranscriber

    return LocalTranscriber(name)

"""What every transcriber offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeGuard

if TYPE_CHECKING:
    from pathlib import Path

    from embedsearch.records import Transcript


class Transcriber(Protocol):
    """A model that hears: recordings in, text with times out."""

    @property
    def name(self) -> str:
        """What its transcripts are kept under."""

    def transcribe(self, path: Path) -> Transcript:
        """Return what is said in a recording.

        Raises ReadError for a file that it can't make sense of, which stops no other.
        """

    def close(self) -> None:
        """Let go of connections and models."""


class RemoteTranscriber(Transcriber, Protocol):
    """A transcriber that sends recordings to a provider, for money."""

    @property
    def model(self) -> str:
        """The model's name at the provider."""

    @property
    def host(self) -> str:
        """Where recordings are sent."""

    def cost(self, seconds: float | None) -> float | None:
        """Return the price of so much sound in US dollars, ``None`` if it is not known."""


def is_remote(transcriber: Transcriber) -> TypeGuard[RemoteTranscriber]:
    """Say whether a transcriber sends recordings away."""
    return hasattr(transcriber, "host")

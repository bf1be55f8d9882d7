"""Transcribing by an API that is compatible with OpenAI's, through the shared client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from embedsearch.client import Client
from embedsearch.client.settings import OPENAI
from embedsearch.errors import BadRequest, EmbedsearchError, ReadError
from embedsearch.records import Segment, Transcript
from embedsearch.tokens import bills

if TYPE_CHECKING:
    from pathlib import Path

    from embedsearch.client.settings import Options
    from embedsearch.client.types.audio import Transcription

PRICES = {"whisper-1": 0.006}
"""US dollars a minute, by https://developers.openai.com/api/docs/models/whisper-1.

The only model of OpenAI's that says when a passage is spoken and tells no speakers apart.
"""


MOST_BYTES = 25_000_000
"""Of a recording, by https://developers.openai.com/api/docs/guides/speech-to-text."""


class APITranscriber:
    """A model behind ``/audio/transcriptions`` that knows the form ``verbose_json``."""

    def __init__(
        self, model: str, *, client: Client | None = None, **options: Unpack[Options]
    ) -> None:
        self.model = model
        self._own = client is None
        self._client = Client(**options) if client is None else client

    @property
    def name(self) -> str:
        """``openai/whisper-1``."""
        return f"openai/{self.model}"

    @property
    def host(self) -> str:
        """Where recordings are sent."""
        return self._client.driver.settings.host

    def cost(self, seconds: float | None) -> float | None:
        """Return the price of so much sound in US dollars, ``None`` if it is not known."""
        price = PRICES.get(self.model)
        return None if price is None or seconds is None else price * seconds / 60

    def transcribe(self, path: Path) -> Transcript:
        """Return what is said in a recording; it is read while it is sent.

        Raises ReadError for a file that the server refuses, EmbedsearchError for a model that gives
        no times, and what the client raises else.
        """
        if self._client.driver.settings.base_url == OPENAI and path.stat().st_size > MOST_BYTES:
            raise ReadError(
                f"is larger than the {MOST_BYTES / 1e6:.0f} MB that OpenAI takes: cut it, or save "
                "it as mp3"
            )
        try:
            answer = self._client.audio.transcriptions.create(
                file=path,
                model=self.model,
                response_format="verbose_json",
                timestamp_granularities=["segment"],
            )
        except BadRequest as error:
            raise ReadError(f"was refused by {self.host}: {error}") from error
        return Transcript(self._segments(answer), answer.language, bills.amount(answer.duration))

    def _segments(self, answer: Transcription) -> tuple[Segment, ...]:
        if answer.segments is None and answer.text.strip():
            raise EmbedsearchError(
                f"{self.model} does not say when what is said",
                hint="choose a model that answers in verbose_json, as whisper-1",
            )
        return tuple(Segment(one.start, one.end, one.text) for one in answer.segments or ())

    def close(self) -> None:
        """Close the connections of a client that was made here."""
        if self._own:
            self._client.close()

"""``/audio``."""

from collections.abc import Sequence
from typing import Generic, Literal, Required, Unpack

from embedsearch.client.answers import Answer, Sound
from embedsearch.client.calls import (
    Call,
    Either,
    Json,
    Options,
    Paging,
    Reply,
    S,
    Streamed,
    Whole,
    delete,
    get,
    post,
    segment,
)
from embedsearch.client.multipart import File
from embedsearch.client.resource import M, Resource, endpoint, listing, streaming
from embedsearch.client.types.audio import (
    Transcription,
    TranscriptionEvent,
    Voice,
    VoiceConsent,
)
from embedsearch.client.types.models import Deleted


class TranscriptionParams(Options, Generic[S], total=False):
    """The arguments of `Transcriptions.create`."""

    file: Required[File]
    model: Required[str]
    stream: S
    chunking_strategy: Literal["auto"] | Json | None
    include: Sequence[Literal["logprobs"]]
    keywords: Sequence[str]
    known_speaker_names: Sequence[str]
    known_speaker_references: Sequence[str]
    language: str
    languages: Sequence[str]
    prompt: str
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"]
    temperature: float
    timestamp_granularities: Sequence[Literal["word", "segment"]]


class TranslationParams(Options, total=False):
    """The arguments of `Translations.create`."""

    file: Required[File]
    model: Required[str]
    prompt: str
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"]
    temperature: float


class SpeechParams(Options, total=False):
    """The arguments of `Speech.create`."""

    input: Required[str]
    model: Required[str]
    voice: Required[str | Json]
    instructions: str
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
    speed: float
    stream_format: Literal["sse", "audio"]


class ConsentParams(Options, total=False):
    """The arguments of `VoiceConsents.create`."""

    language: Required[str]
    name: Required[str]
    recording: Required[File]


class NameParams(Options, total=False):
    """The arguments of `VoiceConsents.update`."""

    name: Required[str]


class VoiceParams(Options, total=False):
    """The arguments of `Voices.create`: a sample and a consent, or a prompt."""

    name: Required[str]
    audio_sample: File
    consent: str
    model: str
    prompt: str
    script_hint: str
    type: str


class Transcriptions(Resource[M]):
    """Speech to text in its own language."""

    @streaming(TranscriptionEvent, TranscriptionParams[Streamed], TranscriptionParams[Either])
    def create(self, **body: Unpack[TranscriptionParams[Whole]]) -> Call[Transcription]:
        """Transcribe a recording; in the formats text, srt and vtt all of it is ``text``."""
        reply = _reply(body.get("response_format"))
        return post("/audio/transcriptions", reply, body, files=("file",))


class Translations(Resource[M]):
    """Speech to English text."""

    @endpoint
    def create(self, **body: Unpack[TranslationParams]) -> Call[Transcription]:
        """Translate a recording; in the formats text, srt and vtt all of it is ``text``."""
        reply = _reply(body.get("response_format"))
        return post("/audio/translations", reply, body, files=("file",))


class Speech(Resource[M]):
    """Text to speech."""

    @endpoint
    def create(self, **body: Unpack[SpeechParams]) -> Call[Sound]:
        """Speak a text."""
        return post("/audio/speech", Sound, body, headers={"accept": "application/octet-stream"})


class VoiceConsents(Resource[M]):
    """The recorded consents of speakers."""

    @endpoint
    def create(self, **body: Unpack[ConsentParams]) -> Call[VoiceConsent]:
        """Hand in a consent."""
        return post("/audio/voice_consents", VoiceConsent, body, files=("recording",))

    @listing
    def list(self, **query: Unpack[Paging]) -> Call[VoiceConsent]:
        """List them all."""
        return get("/audio/voice_consents", VoiceConsent, query)

    @endpoint
    def retrieve(self, consent_id: str, **options: Unpack[Options]) -> Call[VoiceConsent]:
        """Fetch one."""
        return get(f"/audio/voice_consents/{segment(consent_id)}", VoiceConsent, options)

    @endpoint
    def update(self, consent_id: str, **body: Unpack[NameParams]) -> Call[VoiceConsent]:
        """Rename one."""
        return post(f"/audio/voice_consents/{segment(consent_id)}", VoiceConsent, body)

    @endpoint
    def delete(self, consent_id: str, **options: Unpack[Options]) -> Call[Deleted]:
        """Delete one."""
        return delete(f"/audio/voice_consents/{segment(consent_id)}", Deleted, options)


class Voices(Resource[M]):
    """Voices of one's own."""

    @endpoint
    def create(self, **body: Unpack[VoiceParams]) -> Call[Voice]:
        """Make a voice of a sample or a prompt."""
        return post("/audio/voices", Voice, body, files=("audio_sample",))


class Audio(Resource[M]):
    """Speech to text, and text to speech."""

    def __init__(self, driver: M) -> None:
        super().__init__(driver)
        self.speech: Speech[M] = Speech(driver)
        self.transcriptions: Transcriptions[M] = Transcriptions(driver)
        self.translations: Translations[M] = Translations(driver)
        self.voice_consents: VoiceConsents[M] = VoiceConsents(driver)
        self.voices: Voices[M] = Voices(driver)


def _reply(response_format: str | None) -> Reply[Transcription]:
    return _plain if response_format in {"text", "srt", "vtt"} else Transcription


def _plain(answer: Answer) -> Transcription:
    return Transcription(text=answer.text)

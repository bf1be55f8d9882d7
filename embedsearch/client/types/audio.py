"""Speech to text, and voices."""

from embedsearch.client.types.record import Event, Object, Record


class TranscriptionWord(Record):
    """A word and when it is said, in seconds."""

    word: str
    start: float
    end: float


class TranscriptionSegment(Record):
    """A passage and when it is said, in seconds; ``speaker`` where speakers are told apart."""

    text: str
    start: float
    end: float
    id: int | str | None = None
    type: str | None = None
    speaker: str | None = None
    seek: int | None = None
    tokens: list[int] | None = None
    temperature: float | None = None
    avg_logprob: float | None = None
    compression_ratio: float | None = None
    no_speech_prob: float | None = None


class Logprob(Record):
    """A token and how likely it was."""

    token: str | None = None
    logprob: float | None = None
    bytes: list[int] | None = None


class AudioUsage(Record):
    """What a transcription was billed for: tokens, or seconds."""

    type: str = ""
    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    input_token_details: Object | None = None


class Transcription(Record):
    """What was said; how much is known of it depends on ``response_format``."""

    text: str
    language: str | None = None
    duration: float | None = None
    task: str | None = None
    words: list[TranscriptionWord] | None = None
    segments: list[TranscriptionSegment] | None = None
    logprobs: list[Logprob] | None = None
    usage: AudioUsage | None = None


class TranscriptionEvent(Event):
    """An event of a transcription: its ``type`` tells which fields it has."""

    type: str = ""
    delta: str | None = None
    text: str | None = None
    id: str | None = None
    segment_id: str | None = None
    start: float | None = None
    end: float | None = None
    speaker: str | None = None
    logprobs: list[Logprob] | None = None
    usage: AudioUsage | None = None

    @property
    def ends(self) -> bool:
        """Whether it is no mere piece of text: who sends these says when all is heard, too."""
        return self.type != "transcript.text.delta"


class VoiceConsent(Record):
    """A speaker's recorded consent to a voice made of theirs."""

    id: str
    name: str = ""
    language: str = ""
    created_at: int = 0
    object: str = "audio.voice_consent"


class Voice(Record):
    """A voice made of a sample."""

    id: str
    name: str = ""
    created_at: int = 0
    object: str = "audio.voice"

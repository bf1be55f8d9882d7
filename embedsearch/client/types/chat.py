"""Chat completions and text completions."""

from typing import Generic, TypeVar

from msgspec import field

from embedsearch.client.types.record import Event, Object, Record

F = TypeVar("F")


class PromptTokensDetails(Record):
    """What of the prompt was cached, or sound."""

    cached_tokens: int | None = None
    audio_tokens: int | None = None


class CompletionTokensDetails(Record):
    """What of the completion was thought, or sound."""

    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


class CompletionUsage(Record):
    """What a completion was billed for, in tokens."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_tokens_details: PromptTokensDetails | None = None
    completion_tokens_details: CompletionTokensDetails | None = None


class Function(Record):
    """A function that the model calls; ``arguments`` is JSON text, in a stream a piece of it."""

    name: str | None = None
    arguments: str | None = None


class ToolCall(Record):
    """A tool that the model calls; ``index`` tells pieces of a stream apart."""

    id: str | None = None
    type: str | None = None
    index: int | None = None
    function: Function | None = None
    custom: Object | None = None


class ChatCompletionMessage(Record):
    """What the model says."""

    role: str = "assistant"
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: Function | None = None
    annotations: list[Object] | None = None
    audio: Object | None = None


class TopLogprob(Record):
    """A token that might have stood there."""

    token: str
    logprob: float
    bytes: list[int] | None = None


class TokenLogprob(Record):
    """A token and how likely it was."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[TopLogprob] | None = None


class ChoiceLogprobs(Record):
    """How likely the tokens of a choice were."""

    content: list[TokenLogprob] | None = None
    refusal: list[TokenLogprob] | None = None


class Choice(Record):
    """One of ``n`` answers."""

    message: ChatCompletionMessage
    index: int = 0
    finish_reason: str | None = None
    logprobs: ChoiceLogprobs | None = None


class ChatCompletion(Record):
    """An answer of the model; ``created`` is in Unix seconds."""

    choices: list[Choice]
    id: str = ""
    created: int = 0
    model: str = ""
    object: str = "chat.completion"
    metadata: dict[str, str] | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    usage: CompletionUsage | None = None


class ParsedMessage(ChatCompletionMessage, Generic[F]):
    """What the model says, and its content as a value; None where it refused."""

    parsed: F | None = None


class ParsedChoice(Choice, Generic[F]):
    """One of ``n`` answers."""

    message: ParsedMessage[F]


class ParsedChatCompletion(ChatCompletion, Generic[F]):
    """An answer of the model that is read as values."""

    choices: list[ParsedChoice[F]]  # type: ignore[assignment] # a list that nobody writes to


class ChoiceDelta(Record):
    """What a chunk adds to a message."""

    role: str | None = None
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: Function | None = None


class ChunkChoice(Record):
    """What a chunk adds to one of ``n`` answers."""

    delta: ChoiceDelta = field(default_factory=ChoiceDelta)
    index: int = 0
    finish_reason: str | None = None
    logprobs: ChoiceLogprobs | None = None


class ChatCompletionChunk(Event):
    """A piece of an answer; the last may have no choices and the usage."""

    choices: list[ChunkChoice] = field(default_factory=list)
    id: str = ""
    created: int = 0
    model: str = ""
    object: str = "chat.completion.chunk"
    service_tier: str | None = None
    system_fingerprint: str | None = None
    usage: CompletionUsage | None = None

    @property
    def ends(self) -> bool:
        """Whether it says why an answer ended; Ollama once gave an empty reason to every chunk."""
        return any(choice.finish_reason for choice in self.choices)


class ChatCompletionStoreMessage(ChatCompletionMessage):
    """A message of a stored completion."""

    id: str = ""
    content_parts: list[Object] | None = None


class CompletionLogprobs(Record):
    """How likely the tokens of a text completion were."""

    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    text_offset: list[int] | None = None
    top_logprobs: list[dict[str, float]] | None = None


class CompletionChoice(Record):
    """One of ``n`` texts, or in a stream what is added to it."""

    text: str = ""
    index: int = 0
    finish_reason: str | None = None
    logprobs: CompletionLogprobs | None = None


class Completion(Event):
    """Text that continues a prompt."""

    choices: list[CompletionChoice]
    id: str = ""
    created: int = 0
    model: str = ""
    object: str = "text_completion"
    system_fingerprint: str | None = None
    usage: CompletionUsage | None = None

    @property
    def ends(self) -> bool:
        """Whether it says why a text ended."""
        return any(choice.finish_reason for choice in self.choices)

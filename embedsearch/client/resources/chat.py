"""``/chat/completions``."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Generic, Literal, Required, Unpack

from embedsearch.client.answers import Answer, read, spoiled
from embedsearch.client.calls import (
    Call,
    Either,
    Json,
    Options,
    Paging,
    S,
    Streamed,
    Whole,
    delete,
    get,
    post,
    segment,
)
from embedsearch.client.resource import M, Resource, endpoint, listing, streaming
from embedsearch.client.schemas import F, described, fill
from embedsearch.client.types.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionStoreMessage,
    ParsedChatCompletion,
)
from embedsearch.client.types.models import Deleted
from embedsearch.client.types.record import Record
from embedsearch.errors import InvalidAnswer


class ParseParams(Options, total=False):
    """The arguments of `Completions.parse`, but for the type it parses as."""

    messages: Required[Sequence[Json | Record]]
    model: Required[str]
    audio: Json | None
    frequency_penalty: float | None
    function_call: str | Json
    functions: Sequence[Json]
    logit_bias: Mapping[str, int] | None
    logprobs: bool | None
    max_completion_tokens: int | None
    max_tokens: int | None
    metadata: Mapping[str, str] | None
    modalities: Sequence[Literal["text", "audio"]] | None
    moderation: Json | None
    n: int | None
    parallel_tool_calls: bool
    prediction: Json | None
    presence_penalty: float | None
    prompt_cache_key: str | None
    prompt_cache_options: Json
    prompt_cache_retention: Literal["in_memory", "24h"] | None
    reasoning_effort: str | None
    safety_identifier: str | None
    seed: int | None
    service_tier: str | None
    stop: str | Sequence[str] | None
    store: bool | None
    stream_options: Json | None
    temperature: float | None
    tool_choice: str | Json
    tools: Sequence[Json]
    top_logprobs: int | None
    top_p: float | None
    user: str
    verbosity: Literal["low", "medium", "high"] | None
    web_search_options: Json


class ChatParams(ParseParams, Generic[S], total=False):
    """The arguments of `Completions.create`."""

    response_format: Json
    stream: S


class ChatListParams(Paging, total=False):
    """The arguments of `Completions.list`."""

    metadata: Mapping[str, str] | None
    model: str


class MetadataParams(Options, total=False):
    """The arguments of an update that changes metadata alone."""

    metadata: Required[Mapping[str, Any] | None]


class Messages(Resource[M]):
    """The messages of a stored completion."""

    @listing
    def list(self, completion_id: str, **query: Unpack[Paging]) -> Call[ChatCompletionStoreMessage]:
        """List what was sent."""
        return get(f"{_path(completion_id)}/messages", ChatCompletionStoreMessage, query)


class Completions(Resource[M]):
    """The next message of a conversation."""

    def __init__(self, driver: M) -> None:
        super().__init__(driver)
        self.messages: Messages[M] = Messages(driver)

    @streaming(ChatCompletionChunk, ChatParams[Streamed], ChatParams[Either])
    def create(self, **body: Unpack[ChatParams[Whole]]) -> Call[ChatCompletion]:
        """Ask the model for the next message."""
        _check_messages(body["messages"])
        if isinstance(kind := body.get("response_format"), type):
            raise TypeError(f"parse() takes a class, create() a dict: got {kind.__name__}")
        return post(_PATH, ChatCompletion, body, guard="chat")

    @endpoint
    def parse(
        self, *, response_format: type[F], **body: Unpack[ParseParams]
    ) -> Call[ParsedChatCompletion[F]]:
        """Ask the model for the next message as JSON, and read it as a value of a type.

        That is pydantic's BaseModel, a dataclass, a TypedDict, or a msgspec.Struct.
        """
        _check_messages(body["messages"])
        sent = {"type": "json_schema", "json_schema": described(response_format)}
        reply = partial(_parsed, response_format)
        return post(_PATH, reply, {**body, "response_format": sent}, guard="chat")

    @listing
    def list(self, **query: Unpack[ChatListParams]) -> Call[ChatCompletion]:
        """List the completions that were created with ``store=True``."""
        return get(_PATH, ChatCompletion, query)

    @endpoint
    def retrieve(self, completion_id: str, **options: Unpack[Options]) -> Call[ChatCompletion]:
        """Fetch a stored completion."""
        return get(_path(completion_id), ChatCompletion, options)

    @endpoint
    def update(self, completion_id: str, **body: Unpack[MetadataParams]) -> Call[ChatCompletion]:
        """Change the metadata of a stored completion."""
        return post(_path(completion_id), ChatCompletion, body)

    @endpoint
    def delete(self, completion_id: str, **options: Unpack[Options]) -> Call[Deleted]:
        """Delete a stored completion."""
        return delete(_path(completion_id), Deleted, options)


class Chat(Resource[M]):
    """Conversations."""

    def __init__(self, driver: M) -> None:
        super().__init__(driver)
        self.completions: Completions[M] = Completions(driver)


_PATH = "/chat/completions"


def _parsed(kind: type[F], answer: Answer) -> ParsedChatCompletion[F]:
    """Read an answer whose messages are values; one that ended early is none."""
    completion: ParsedChatCompletion[F] = read(ParsedChatCompletion, answer)
    for choice in completion.choices:
        if (why := choice.finish_reason) in {"length", "content_filter"}:
            raise spoiled(InvalidAnswer, answer, f"it ended early, by {why}")
        if choice.message.content and not choice.message.refusal:
            fill(choice.message, kind, choice.message.content, answer)
    return completion


def _path(completion_id: str) -> str:
    return f"{_PATH}/{segment(completion_id)}"


def _check_messages(messages: object) -> None:
    if isinstance(messages, (str, Mapping, Record)):
        raise TypeError(f"expected a list of messages, got one {type(messages).__name__}")
    for position, message in enumerate(messages if isinstance(messages, (list, tuple)) else ()):
        if not isinstance(message, (Mapping, Record)):
            kind = type(message).__name__
            raise TypeError(f"expected a message, a dict, at position {position}, got {kind}")

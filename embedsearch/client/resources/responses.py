"""``/responses``, and its beta: the same endpoints with ``?beta=true``."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Generic, Literal, Required, Unpack

from embedsearch.client.answers import Answer, nothing, read
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
from embedsearch.client.resources.chat import Chat
from embedsearch.client.schemas import F, described, fill
from embedsearch.client.types.record import Record
from embedsearch.client.types.responses import (
    CompactedResponse,
    InputTokenCount,
    ParsedResponse,
    Response,
    ResponseItem,
    ResponseStreamEvent,
)

_BETA = {"beta": "true"}

Input = str | Sequence[Json | Record]


class Betas(Options, total=False):
    """Names the features of the beta that are meant."""

    betas: Sequence[str]


class ResponseParams(Betas, Generic[S], total=False):
    """The arguments of `Responses.create`."""

    stream: S
    access_programs: Any
    background: bool | None
    background_options: Json
    context_management: Sequence[Json] | None
    conversation: str | Json | None
    image: Json
    include: Sequence[str] | None
    input: Input
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    metadata: Mapping[str, str] | None
    model: str
    moderation: Json | None
    multi_agent: Json | None
    parallel_tool_calls: bool | None
    previous_response_id: str | None
    prompt: Json | None
    prompt_cache_key: str | None
    prompt_cache_options: Json
    prompt_cache_retention: Literal["in_memory", "24h"] | None
    reasoning: Json | None
    safety_identifier: str | None
    service_tier: str | None
    store: bool | None
    stream_options: Json | None
    temperature: float | None
    text: Json
    tool_choice: str | Json
    tools: Sequence[Json]
    top_logprobs: int | None
    top_p: float | None
    truncation: Literal["auto", "disabled"] | None
    user: str


class RetrieveParams(Betas, Generic[S], total=False):
    """The arguments of `Responses.retrieve`."""

    stream: S
    include: Sequence[str]
    include_obfuscation: bool
    starting_after: int


class CompactParams(Betas, total=False):
    """The arguments of `Responses.compact`."""

    model: Required[str | None]
    image: Json
    input: Input | None
    instructions: str | None
    previous_response_id: str | None
    prompt_cache_key: str | None
    prompt_cache_options: Json | None
    prompt_cache_retention: Literal["in_memory", "24h"] | None
    service_tier: str | None


class CountParams(Betas, total=False):
    """The arguments of `InputTokens.count`."""

    conversation: str | Json | None
    input: Input | None
    instructions: str | None
    model: str | None
    parallel_tool_calls: bool | None
    personality: str
    previous_response_id: str | None
    reasoning: Json | None
    text: Json | None
    tool_choice: str | Json | None
    tools: Sequence[Json] | None
    truncation: Literal["auto", "disabled"]


class ItemListParams(Paging, total=False):
    """The arguments of `InputItems.list`."""

    betas: Sequence[str]
    include: Sequence[str]


class Versioned(Resource[M]):
    """Endpoints that there are in a stable version and in a beta."""

    version: ClassVar[Mapping[str, str]] = {}

    def options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Put version and betas where they are sent: into query and header."""
        own = dict(given)
        betas = own.pop("betas", None)
        header = {"openai-beta": ",".join(betas)} if betas else {}
        own["extra_headers"] = {**header, **(own.get("extra_headers") or {})}
        own["extra_query"] = {**self.version, **(own.get("extra_query") or {})}
        return own


class InputItems(Versioned[M]):
    """What a response was told."""

    @listing
    def list(self, response_id: str, **query: Unpack[ItemListParams]) -> Call[ResponseItem]:
        """List it all."""
        return get(f"{_path(response_id)}/input_items", ResponseItem, self.options(query))


class InputTokens(Versioned[M]):
    """The size of a request."""

    @endpoint
    def count(self, **body: Unpack[CountParams]) -> Call[InputTokenCount]:
        """Count the tokens of a request without sending it to a model."""
        return post(f"{_PATH}/input_tokens", InputTokenCount, self.options(body))


class Followed(Generic[S]):
    """What `Responses.retrieve` takes where it may stream."""

    def __init__(self, response_id: str, **query: Unpack[RetrieveParams[S]]) -> None:
        """Type the arguments."""


class Responses(Versioned[M]):
    """What a model says and does, with tools and a memory."""

    def __init__(self, driver: M) -> None:
        super().__init__(driver)
        self.input_items: InputItems[M] = InputItems(driver)
        self.input_tokens: InputTokens[M] = InputTokens(driver)

    @streaming(ResponseStreamEvent, ResponseParams[Streamed], ResponseParams[Either])
    def create(self, **body: Unpack[ResponseParams[Whole]]) -> Call[Response]:
        """Ask the model."""
        return post(_PATH, Response, self.options(body), guard="response")

    @endpoint
    def parse(
        self, *, text_format: type[F], **body: Unpack[ResponseParams[Whole]]
    ) -> Call[ParsedResponse[F]]:
        """Ask the model for JSON, and read it as a value of a type.

        That is pydantic's BaseModel, a dataclass, a TypedDict, or a msgspec.Struct.
        """
        if body.get("stream"):
            raise TypeError("parse() reads a whole answer: leave stream out, or use create()")
        text = {
            **(body.get("text") or {}),
            "format": {"type": "json_schema", **described(text_format)},
        }
        sent = self.options({**body, "text": text})
        return post(_PATH, partial(_parsed, text_format), sent, guard="response")

    @streaming(ResponseStreamEvent, Followed[Streamed], Followed[Either])
    def retrieve(self, response_id: str, **query: Unpack[RetrieveParams[Whole]]) -> Call[Response]:
        """Fetch a response, or go on with its stream after an event."""
        return get(_path(response_id), Response, self.options(query))

    @endpoint
    def delete(self, response_id: str, **options: Unpack[Betas]) -> Call[None]:
        """Delete one."""
        given = self.options(options)
        return delete(_path(response_id), nothing, given, headers={"accept": "*/*"})

    @endpoint
    def cancel(self, response_id: str, **options: Unpack[Betas]) -> Call[Response]:
        """Stop one that runs in the background."""
        return post(f"{_path(response_id)}/cancel", Response, self.options(options))

    @endpoint
    def compact(self, **body: Unpack[CompactParams]) -> Call[CompactedResponse]:
        """Make a conversation shorter, so that it can go on."""
        return post(f"{_PATH}/compact", CompactedResponse, self.options(body))


class BetaInputItems(InputItems[M]):
    """The beta of `InputItems`."""

    version = _BETA


class BetaInputTokens(InputTokens[M]):
    """The beta of `InputTokens`."""

    version = _BETA


class BetaResponses(Responses[M]):
    """The beta of `Responses`."""

    version = _BETA

    def __init__(self, driver: M) -> None:
        super().__init__(driver)
        self.input_items = BetaInputItems(driver)
        self.input_tokens = BetaInputTokens(driver)


class Beta(Resource[M]):
    """What may still change."""

    def __init__(self, driver: M) -> None:
        super().__init__(driver)
        self.responses: BetaResponses[M] = BetaResponses(driver)
        self.chat: Chat[M] = Chat(driver)  # where ``parse`` was once


_PATH = "/responses"


def _parsed(kind: type[F], answer: Answer) -> ParsedResponse[F]:
    """Read an answer whose text is a value, but for what is said on the way to it."""
    response: ParsedResponse[F] = read(ParsedResponse, answer)
    for item in response.output:
        final = item.type == "message" and item.to_dict().get("phase") in {None, "final_answer"}
        for part in (final and item.content) or ():
            if part.type == "output_text":
                fill(part, kind, part.text or "", answer)
    return response


def _path(response_id: str) -> str:
    return f"{_PATH}/{segment(response_id)}"

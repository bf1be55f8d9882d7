"""Responses: what the model did, as a list of items of many types."""

from typing import Any, Generic, TypeVar

from embedsearch.client.types.record import Event, Object, Record

F = TypeVar("F")

BEGINNINGS = {"response.created", "response.queued", "response.in_progress"}
"""The types of events that hold a whole response which has not ended."""


class ResponseContent(Record):
    """A part of a message: text, a refusal, a picture, a file."""

    type: str
    text: str | None = None
    refusal: str | None = None
    annotations: list[Object] | None = None
    logprobs: list[Object] | None = None
    image_url: str | None = None
    file_id: str | None = None


class ResponseItem(Record):
    """What the model said, thought or called, or was told: ``type`` tells which fields it has."""

    type: str = "message"
    id: str | None = None
    status: str | None = None
    role: str | None = None
    content: list[ResponseContent] | None = None
    summary: list[ResponseContent] | None = None
    encrypted_content: str | None = None
    name: str | None = None
    call_id: str | None = None
    arguments: str | None = None
    input: str | None = None
    output: Any = None
    action: Object | None = None
    queries: list[str] | None = None
    results: list[Object] | None = None
    result: str | None = None


class ResponseUsage(Record):
    """What a response was billed for, in tokens."""

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    input_tokens_details: Object | None = None
    output_tokens_details: Object | None = None


class ResponseError(Record):
    """Why a response failed."""

    code: str | None = None
    message: str | None = None


class Response(Record):
    """An answer of the model; times are in Unix seconds."""

    id: str
    output: list[ResponseItem]
    created_at: float = 0
    model: str = ""
    object: str = "response"
    status: str | None = None
    error: ResponseError | None = None
    incomplete_details: Object | None = None
    instructions: Any = None
    metadata: dict[str, str] | None = None
    parallel_tool_calls: bool | None = None
    previous_response_id: str | None = None
    reasoning: Object | None = None
    service_tier: str | None = None
    temperature: float | None = None
    text: Object | None = None
    tool_choice: Any = None
    tools: list[Object] | None = None
    top_p: float | None = None
    truncation: str | None = None
    usage: ResponseUsage | None = None
    background: bool | None = None
    completed_at: float | None = None
    conversation: Object | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    prompt: Object | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    top_logprobs: int | None = None
    user: str | None = None

    @property
    def output_text(self) -> str:
        """All text that the model said, joined."""
        parts = (part for item in self.output for part in item.content or ())
        return "".join(part.text or "" for part in parts if part.type == "output_text")


class ParsedContent(ResponseContent, Generic[F]):
    """A part of a message, and its text as a value."""

    parsed: F | None = None


class ParsedItem(ResponseItem, Generic[F]):
    """What the model said, thought or called."""

    content: list[ParsedContent[F]] | None = None  # type: ignore[assignment] # nobody writes to it


class ParsedResponse(Response, Generic[F]):
    """An answer of the model that is read as a value."""

    output: list[ParsedItem[F]]  # type: ignore[assignment] # nobody writes to it

    @property
    def output_parsed(self) -> F | None:
        """What the model said, as a value; None where it refused, or called a tool."""
        values = (part.parsed for item in self.output for part in item.content or ())
        return next((value for value in values if value is not None), None)


class ResponseStreamEvent(Event):
    """An event of a response: ``type`` tells which fields it has."""

    type: str = ""
    sequence_number: int | None = None
    response: Response | None = None
    item: ResponseItem | None = None
    part: ResponseContent | None = None
    delta: str | None = None
    text: str | None = None
    refusal: str | None = None
    arguments: str | None = None
    input: str | None = None
    name: str | None = None
    annotation: Object | None = None
    annotation_index: int | None = None
    logprobs: list[Object] | None = None
    item_id: str | None = None
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    partial_image_b64: str | None = None
    partial_image_index: int | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None

    @property
    def ends(self) -> bool:
        """Whether it says how the response ended."""
        ended = self.response is not None and self.type not in BEGINNINGS
        return ended or self.type == "error"


class CompactedResponse(Record):
    """A conversation made shorter, to be sent on."""

    id: str
    output: list[ResponseItem]
    created_at: int = 0
    object: str = "response.compaction"
    usage: ResponseUsage | None = None


class InputTokenCount(Record):
    """How many tokens a request would be."""

    input_tokens: int
    object: str = "response.input_tokens"

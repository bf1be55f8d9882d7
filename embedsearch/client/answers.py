"""What came back: an answer read as what was asked for, or as the error that it is."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import msgspec

from embedsearch.client.types.record import Record
from embedsearch.errors import (
    APIError,
    AuthenticationFailed,
    BadRequest,
    InvalidAnswer,
    NotFound,
    RateLimited,
    ServerError,
)
from embedsearch.replacing import replacing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Container, Iterable, Iterator, Mapping
    from os import PathLike

T = TypeVar("T")
E = TypeVar("E", bound=InvalidAnswer)

_ERRORS: dict[int, type[APIError]] = {
    400: BadRequest,
    401: AuthenticationFailed,
    403: AuthenticationFailed,
    404: NotFound,
    413: BadRequest,
    422: BadRequest,
    429: RateLimited,
}
_HINTS = {
    401: "check the key, which is OPENAI_API_KEY's unless another was given",
    404: "check the name, and the base URL, which is OPENAI_BASE_URL's unless another was given",
}
_TOO_LONG = re.compile(
    rb"(?i)too (large|long|big) to process|prompt is too (long|big)|input is too (long|large)"
    rb"|exceeds? [\w ]{0,40}context (size|length|window)|maximum context length"
)
"""How llama.cpp (``input is too large to process. increase the physical batch size``), Ollama
(``the input length exceeds the context length``), vLLM (``This model's maximum context length is``)
and their relatives refuse an input; llama.cpp and some that run it with the status 500."""
_ERROR = re.compile(rb'\s*\{\s*"error"')
"""How an answer begins that is an error: OpenRouter and LM Studio send some with the status 200."""
_TOLD, _SHOWN = 500, 200
"""Characters of a server's own words, and of an answer that makes no sense, in an error."""
_LOOKED_AT = 65_536
"""Bytes of a file that tell whether it is a page."""
_BINARY = bytes(range(9))
"""Bytes that no text has, and nearly all else."""
_FOREIGN = "is the base URL that of an OpenAI-compatible API?"
_LARGE = "a file of any size comes by with_streaming_response"

MOST, MOST_OF_A_FILE = 2**29, 2**31
"""Bytes of an answer that is held in memory. The largest that make sense in JSON are 2,048 vectors
of 8,192 written numbers and ten pictures of 25 MB, both below 400 MB."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; of a stream ``content`` is empty and ``chunks`` yields it as it comes.

    ``host`` is where it came from, for errors, and ``secrets`` gives what none may show.
    """

    status_code: int
    headers: Mapping[str, str]
    host: str
    content: bytes | bytearray = field(default=b"", repr=False)
    chunks: Any = field(default=None, repr=False)
    secrets: Callable[[], Iterable[str]] = field(default=tuple, repr=False)
    method: str = ""
    url: str = field(default="", repr=False)
    retries: int = 0
    """How often it was asked for again."""

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode("utf-8", errors="replace")

    @property
    def request_id(self) -> str | None:
        """The id to quote to the provider's support."""
        return self.headers.get("x-request-id")

    def shown(self, text: str) -> str:
        """Return a text for an error: some servers quote the key."""
        for secret in self.secrets():
            text = text.replace(secret, "[key]")
        return text


class Binary:
    """A file that came; what can be none raises InvalidAnswer."""

    wanted: ClassVar[str] = "a file"
    foreign: ClassVar[Container[str]] = frozenset({"text/html"})
    """Content types that it does not have."""

    def __init__(self, answer: Answer) -> None:
        self.check(answer, answer.content[:_LOOKED_AT])
        self.content = bytes(answer.content)
        self.headers = answer.headers

    @classmethod
    def check(cls, answer: Answer, beginning: bytes | bytearray) -> None:
        """Raise InvalidAnswer where nothing came, or a page: some call a file one, so both tell."""
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_text = beginning.translate(None, _BINARY) == beginning
        if not beginning or (kind in cls.foreign and is_text):
            shown = beginning.decode("utf-8", errors="replace")
            raise garbled(answer, f"expected {cls.wanted}, got {kind or 'no type'}", shown)

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode("utf-8", errors="replace")

    def read(self) -> bytes:
        """Give the content."""
        return self.content

    async def aread(self) -> bytes:
        """Give the content."""
        return self.content

    def json(self) -> Any:
        """Give what it holds as JSON."""
        return msgspec.json.decode(self.content)

    def iter_bytes(self, chunk_size: int = 65_536) -> Iterator[bytes]:
        """Yield the content in pieces."""
        for start in range(0, len(self.content), chunk_size):
            yield self.content[start : start + chunk_size]

    async def aiter_bytes(self, chunk_size: int = 65_536) -> AsyncIterator[bytes]:
        """Yield the same."""
        for piece in self.iter_bytes(chunk_size):
            yield piece

    def iter_lines(self) -> Iterator[str]:
        """Yield the lines of what is text."""
        for line in self.content.splitlines():  # at ends of lines alone, not at U+2028
            yield line.decode("utf-8", errors="replace")

    def write_to_file(self, file: str | PathLike[str]) -> None:
        """Write the content to a path, which has all of it or is left as it was."""
        with replacing(file) as out:
            out.write(self.content)

    stream_to_file = write_to_file
    """The SDK's older name."""

    async def astream_to_file(self, file: str | PathLike[str]) -> None:
        """Write the content to a path in a thread: a slow disk must not hold up the loop."""
        import asyncio

        await asyncio.to_thread(self.write_to_file, file)


class Sound(Binary):
    """Speech that came."""

    wanted = "sound"
    foreign = frozenset({"text/html", "application/json"})


def text(answer: Answer) -> str:
    """Read an answer as text."""
    return answer.text


def nothing(_answer: Answer) -> None:
    """Read an answer that says nothing."""


def read(reply: type[T] | Callable[[Answer], T], answer: Answer) -> T:
    """Read an answer as its call says."""
    made: Any
    if isinstance(reply, type) and issubclass(reply, Record):
        made = record(reply, decode(answer), answer)
    else:
        made = reply(answer)  # type: ignore[call-arg]
    if isinstance(made, Record):
        vars(made)["_request_id"] = answer.request_id
    return cast("T", made)


def record(kind: type[T], came: object, answer: Answer) -> T:
    """Make a record of decoded JSON; raises APIError where a field is missing."""
    try:
        return kind.read(came)  # type: ignore[attr-defined,no-any-return]
    except (TypeError, RecursionError) as error:
        shown = msgspec.json.encode(came).decode()
        raise garbled(answer, f"{kind.__name__}: {error}", shown) from error


def decode(answer: Answer) -> Any:
    """Decode an answer's JSON; raises APIError where it is nothing but an error after all."""
    try:
        came = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise garbled(answer, str(error), answer.text) from error
    # What failed later, as a job may have, has an error too, and an id.
    if isinstance(came, dict) and came.get("error") and came.keys().isdisjoint({"id", "data"}):
        raise failure(answer)
    return came


def garbled(answer: Answer, why: str, came: str) -> InvalidAnswer:
    """Make the error of an answer that is of another kind; ``came`` is shown from its beginning."""
    beginning = answer.shown(came)[:_SHOWN]
    said = f"{why}: {beginning!r}" if beginning.strip() else f"it is empty ({why})"
    error = spoiled(InvalidAnswer, answer, said)
    error.hint = _FOREIGN
    return error


def excessive(answer: Answer, most: int) -> InvalidAnswer:
    """Make the error of an answer that is larger than any can be, as one without an end is."""
    error = spoiled(InvalidAnswer, answer, f"it has more than {most:,} bytes")
    error.hint = _FOREIGN if most == MOST else _LARGE
    return error


def most_of(reply: type[T] | Callable[[Answer], T]) -> int:
    """Return the bytes that an answer may have that is read so."""
    is_file = reply is text or (isinstance(reply, type) and issubclass(reply, Binary))
    return MOST_OF_A_FILE if is_file else MOST


def spoiled(kind: type[E], answer: Answer, why: str) -> E:
    """Make the error of an answer that says it went well and makes no sense."""
    return kind(
        f"the answer of {answer.host} is not what was asked for: {why}",
        status_code=answer.status_code,
        headers=answer.headers,
        body=answer.shown(answer.text),
    )


def blamed(answer: Answer) -> Answer:
    """Give an answer the status that it should have.

    That is 400 where the input is to blame for a 500, and what an error with the status 200 names.
    """
    if answer.status_code == 500 and _TOO_LONG.search(answer.content):
        return replace(answer, status_code=400)
    if answer.status_code == 200 and is_error(answer.content):
        return replace(answer, status_code=failure(answer).status_code or answer.status_code)
    return answer


def is_error(content: bytes | bytearray) -> bool:
    """Tell whether what came with the status 200 begins as an error."""
    return _ERROR.match(content) is not None


def failure(answer: Answer) -> APIError:
    """Make the error that an answer with another status than 2xx is."""
    return refusal(answer, answer.text)


def refusal(answer: Answer, came: str) -> APIError:
    """Make the error that what came describes, in any of the shapes that servers give it."""
    body: Any = answer.shown(came)
    with suppress(msgspec.DecodeError):
        body = msgspec.json.decode(body)
    told = body.get("error", body) if isinstance(body, dict) else body
    facts = told if isinstance(told, dict) else {"message": told}
    code = facts.get("code")
    # An error within a stream comes after the status; some servers say there what it would be.
    named = code if isinstance(code, int) and 400 <= code < 600 else None
    status = named if named and answer.status_code < 400 else answer.status_code
    kind = _ERRORS.get(status, ServerError if status >= 500 else APIError)
    message = str(facts.get("message") or facts.get("detail") or body)[:_TOLD].strip()
    return kind(
        # 200 says nothing of an error that came within a stream, or as if all had gone well.
        f"{'' if status == 200 else f'{status}: '}{message or 'no reason given'}",
        status_code=status,
        code=None if code is None else str(code),
        headers=answer.headers,
        body=told,
        hint=_HINTS.get(status),
    )

"""From a call to the bytes of its request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from embedsearch.client.answers import MOST, most_of
from embedsearch.client.multipart import Multipart
from embedsearch.client.settings import is_absent
from embedsearch.client.types.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embedsearch.client.calls import Call, Guarded
    from embedsearch.client.settings import Settings, Timeout

ANSWERS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
"""What says how long an answer may be."""

SHORT = 4096
"""Tokens that every known model holds, and writes."""

_BYTES_PER_TOKEN = 4
"""Of English text in OpenAI's encodings; an estimate for the limiter is all it is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request without its key: the driver adds that at the last moment."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Multipart | None = field(default=None, repr=False)
    timeout: Timeout = None
    stream: bool = False
    tokens: int = 0
    """What it is worth to the limiter."""
    lane: str = ""
    """What shares its limit."""
    most: int = MOST
    """The bytes that its answer may have."""


def prepare(call: Call[Any], settings: Settings, *, stream: bool = False) -> Request:
    """Make the request of a call."""
    try:
        content, kind = _content(call)
    except UnicodeEncodeError as error:
        odd = error.object[error.start]
        raise ValueError(f"expected text that UTF-8 can hold, got {odd!r} in it") from error
    model = (call.body or {}).get("model")
    if call.guard and not settings.deployments:  # whose names say nothing of a model
        _guard(call.guard, call.body or {}, content)
    query = urlencode(list(pairs({**settings.default_query, **call.query})))
    return Request(
        method=call.method,
        url=settings.url(call.path, model) + (f"?{query}" if query else ""),
        headers=_headers(kind, settings, call),
        content=content,
        timeout=settings.timeout if call.timeout is msgspec.UNSET else call.timeout,
        stream=stream,
        tokens=_weight(content) if call.tokens is None else call.tokens,
        lane=settings.lane(model),
        most=most_of(call.reply),
    )


def _guard(kind: Guarded, body: Mapping[str, Any], content: bytes | Multipart | None) -> None:
    """Raise ContextTooLong for what a known model can't hold; what is short costs no look."""
    asked = [body.get(name) for name in ANSWERS]
    answer = max((most for most in asked if isinstance(most, int)), default=0)
    if isinstance(content, bytes) and len(content) + answer > SHORT:
        from embedsearch.client import context  # What counts tokens takes time to import.

        context.check(kind, body.get("model"), content, answer)


def pairs(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Flatten arguments to the form of a query: ``include[]=a``, ``metadata[key]=value``."""
    for name, value in values.items():
        yield from _pairs(name, value)


def _pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _pairs(f"{name}[{key}]", inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _pairs(f"{name}[]", inner)
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    elif value is not None:
        yield name, str(_finite(value, name))


def _content(call: Call[Any]) -> tuple[bytes | Multipart | None, str | None]:
    if call.files:
        body = dict(call.body or {})
        files = {name: body.pop(name) for name in call.files if name in body}
        form = Multipart.of(list(pairs(body)), files)
        return form, form.content_type
    if call.body is None:
        return None, None
    return msgspec.json.encode(_plain(call.body), enc_hook=_listed), "application/json"


def _weight(content: bytes | Multipart | None) -> int:
    return len(content) // _BYTES_PER_TOKEN if isinstance(content, bytes) else 0


def _headers(kind: str | None, settings: Settings, call: Call[Any]) -> dict[str, str]:
    own = {
        "accept": "application/json",
        "content-type": kind,
        "openai-organization": settings.organization,
        "openai-project": settings.project,
    }
    given = {k.lower(): v for k, v in {**settings.default_headers, **call.headers}.items()}
    present = {n: value for n, value in {**own, **given}.items() if not is_absent(value)}
    headers = {name: value for name, value in present.items() if value is not None}
    for name, value in headers.items():  # A value may be a key: it is not shown.
        if not isinstance(value, str):
            raise TypeError(f"expected the header {name!r} as str, got {type(value).__name__}")
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"the header {name!r} holds a character that can't be sent")
    return headers


_FINITE = frozenset({bool, int, str, type(None)})


def _plain(value: Any, name: str = "the body") -> Any:
    """Put what came into what is sent: an answer's message goes back whole into a request."""
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError("expected what JSON can hold, got bytes: decode them first")
    if isinstance(value, Mapping):
        return {key: _plain(inner, key) for key, inner in value.items()}
    # A list of what needs no look, as 300,000 token ids are, is passed by at once.
    if isinstance(value, (list, tuple)) and not _FINITE.issuperset(map(type, value)):
        return [_plain(inner, name) for inner in value]
    return _finite(value, name)


def _finite(value: Any, name: str) -> Any:
    """Return a value; raises ValueError for NaN, which would be sent as null or as a word."""
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"expected a finite number in {name}, got {value!r}")
    return value


def _listed(value: Any) -> Any:
    """Give as a list what JSON does not know: an array of numpy, a generator, a range."""
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, Iterable):
        return _plain(list(value))
    raise TypeError(f"expected what JSON can hold, got {type(value).__name__}")

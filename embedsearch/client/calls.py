"""What an endpoint asks for, as data: nothing here sends anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypedDict, TypeVar
from urllib.parse import quote

from msgspec import UNSET, UnsetType

from embedsearch.client.answers import Answer

if TYPE_CHECKING:
    from embedsearch.client.settings import Timeout

T = TypeVar("T")

Json = Mapping[str, Any]
"""An object that is sent as JSON; a record that came is one too, by its ``to_dict()``."""

Guarded: TypeAlias = Literal["chat", "inputs", "prompts", "response"]
"""What is looked at before it is sent, whether its model can hold it."""

Reply = type[T] | Callable[[Answer], T]
"""How an answer is read: as a record of that type, or by a function."""


class Options(TypedDict, total=False):
    """What every endpoint takes beside its own arguments."""

    extra_headers: Mapping[str, str]
    extra_query: Mapping[str, Any]
    extra_body: Mapping[str, Any]
    timeout: "Timeout"


S = TypeVar("S")
Whole: TypeAlias = Literal[False] | None
Streamed: TypeAlias = Literal[True]
Either: TypeAlias = bool | None
"""What ``stream`` may be. The arguments ``Params[S]`` of an endpoint that streams are those of an
answer that comes whole, ``Params[Whole]``, of one that comes as events, ``Params[Streamed]``, and
``Params[Either]`` where only the run decides.
"""


class Paging(Options, total=False):
    """What every list takes: at most ``limit`` items a page, those after the id ``after``."""

    after: str
    limit: int
    order: Literal["asc", "desc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One request to an endpoint, and how to read its answer.

    ``tokens`` is what it is worth to the rate limiter; None estimates it from the body.
    """

    method: str
    path: str
    reply: Reply[T]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    files: tuple[str, ...] = ()
    """The fields of the body that are files: it is then sent as multipart form data."""
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: "Timeout | UnsetType" = UNSET
    """Unset is the client's."""
    tokens: int | None = None
    guard: Guarded | None = None


def get(
    path: str,
    reply: Reply[T],
    params: Mapping[str, Any],
    *,
    headers: Mapping[str, str] | None = None,
) -> Call[T]:
    """Make a call that reads; ``params`` are its query and options."""
    return _call("GET", path, reply, params, headers)


def delete(
    path: str,
    reply: Reply[T],
    params: Mapping[str, Any],
    *,
    headers: Mapping[str, str] | None = None,
) -> Call[T]:
    """Make a call that deletes; ``params`` are its query and options."""
    return _call("DELETE", path, reply, params, headers)


def post(
    path: str,
    reply: Reply[T],
    params: Mapping[str, Any],
    *,
    headers: Mapping[str, str] | None = None,
    files: tuple[str, ...] = (),
    guard: Guarded | None = None,
) -> Call[T]:
    """Make a call that sends; ``params`` are its body and options."""
    call = _call("POST", path, reply, params, headers)
    return replace(call, files=files, guard=guard) if files or guard else call


def segment(value: str) -> str:
    """One part of a path, quoted; an empty part or a dot would name another endpoint."""
    if not isinstance(value, str) or value.replace("%2e", ".").replace("%2E", ".") in _NOWHERE:
        raise ValueError(f"expected an id, got {value!r}")
    return quote(value, safe="!$&'()*+,;=:@")


_NOWHERE = {"", ".", ".."}
OPTIONS = Options.__optional_keys__


def _call(
    method: str,
    path: str,
    reply: Reply[T],
    params: Mapping[str, Any],
    headers: Mapping[str, str] | None,
) -> Call[T]:
    """Make a call; the extras go last, so that they win."""
    own = {name: value for name, value in params.items() if name not in OPTIONS}
    body, query = (own, {}) if method == "POST" else ({}, own)
    return Call(
        method=method,
        path=path,
        reply=reply,
        query={**query, **(params.get("extra_query") or {})},
        body={**body, **(params.get("extra_body") or {})} or None,
        headers={**(headers or {}), **(params.get("extra_headers") or {})},
        timeout=params.get("timeout", UNSET),
    )

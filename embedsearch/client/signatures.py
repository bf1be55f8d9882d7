"""What an endpoint takes, read from the types of the method that builds its call."""

from __future__ import annotations

from functools import cache
from inspect import Parameter, Signature, signature
from typing import (
    TYPE_CHECKING,
    Any,
    ForwardRef,
    NamedTuple,
    Required,
    TypeVar,
    Unpack,
    get_args,
    get_origin,
)

from msgspec import UNSET

from embedsearch.client.calls import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    Gives = Callable[[Any, bool], Any]
    """What type comes back, of the type that is read and whether it is awaited."""

_UNPACK: object = Unpack
_REQUIRED: object = Required


class Arguments(NamedTuple):
    """The names that must come, all that may, and those that must not be None."""

    required: frozenset[str]
    known: frozenset[str]
    filled: frozenset[str]


def check(
    build: Callable[..., Any], positional: tuple[Any, ...], arguments: dict[str, Any]
) -> None:
    """Refuse what an endpoint does not take, as Python does for arguments that are spelled out."""
    required, known, filled = _arguments(build)
    if len(positional) >= build.__code__.co_argcount:  # which counts self, too
        said = f"one by position that is given by keyword: {sorted(required or known)}"
    elif missing := sorted(required - arguments.keys()):
        said = f"missing {missing}"
    elif unknown := sorted(arguments.keys() - known):
        said = f"unexpected {unknown}: choose from {sorted(known)}"
    elif empty := sorted(name for name in filled if arguments[name] is None):
        said = f"None for {empty}"
    else:
        return
    raise TypeError(f"{build.__qualname__}() got arguments it can't use: {said}")


@cache
def spelled_out(build: Callable[..., Any], gives: Gives | None, *, awaits: bool) -> Signature:
    """Give the signature of what calls: each argument by its name, for help and completion."""
    own = [p for p in signature(build).parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
    body = _body(build)
    required = body.__required_keys__

    def order(field: tuple[str, Any]) -> tuple[bool, bool]:
        return field[0] not in required, field[0] in OPTIONS

    named = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if name in required else UNSET,
            annotation=_shown(hint),
        )
        for name, hint in sorted(body.__annotations__.items(), key=order)
    ]
    result = get_args(build.__annotations__["return"])
    returned = gives(result[-1], awaits) if gives and result else Signature.empty
    return Signature([*own[1:], *named], return_annotation=returned)


def _shown(hint: Any) -> Any:
    """Give a type as it is written, without what says that it must come."""
    inner = get_args(hint)[0] if get_origin(hint) is _REQUIRED else hint
    if isinstance(inner, ForwardRef):
        return inner.__forward_arg__
    return bool | None if isinstance(inner, TypeVar) else inner


@cache
def _arguments(build: Callable[..., Any]) -> Arguments:
    body = _body(build)
    own = build.__code__.co_varnames[
        1 : build.__code__.co_argcount + build.__code__.co_kwonlyargcount
    ]
    required = body.__required_keys__
    types = {name: get_args(body.__annotations__[name])[0] for name in required}
    filled = frozenset(name for name in required if type(None) not in get_args(types[name]))
    return Arguments(required, required | body.__optional_keys__ | set(own), filled)


def _body(build: Callable[..., Any]) -> Any:
    """Give the TypedDict of the arguments."""
    body = next(get_args(h)[0] for h in build.__annotations__.values() if get_origin(h) is _UNPACK)
    return get_origin(body) or body

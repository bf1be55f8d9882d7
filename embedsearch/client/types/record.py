"""The records that answers are read into: typed where known, nothing lost where not."""

import re
from collections.abc import Callable
from functools import cache
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Self,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

Read = Callable[[Any], Any]


class Object(dict[str, Any]):
    """A JSON object without a record of its own: a dict whose keys are attributes, too.

    Its objects and lists are such as well. A key that is no name has underscores for what is no
    letter in it: ``self-harm`` is ``.self_harm``. One that is a dict's method, as ``items``, is
    had by ``["items"]`` alone.
    """

    @classmethod
    def of(cls, came: Any) -> Any:
        """Give decoded JSON with its objects, however deep, as these."""
        if isinstance(came, dict):
            return cls({key: cls.of(value) for key, value in came.items()})
        return [cls.of(value) for value in came] if isinstance(came, list) else came

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        for key in self:
            if re.sub(r"\W", "_", key) == name:
                return self[key]
        raise AttributeError(f"no {name!r} came: choose from {sorted(self)}", name=name, obj=self)


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Record(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A JSON object that came: what it holds are attributes, whether they are known or not.

    What is known is typed; the rest is in ``extra`` as well, where type checkers find it.

    Values are taken as they came. Compatible servers differ in many small types, and an answer
    that was paid for is not refused for one of them. One that lacks a field without a default is,
    or has something else than records there. Null is the default of what is never None, and what
    is no record is None where that may be.
    """

    _request_id: ClassVar[str | None] = None
    """The id of the request that it answers, to quote to the provider's support."""

    @classmethod
    def read(cls, came: object) -> Self:
        """Make a record of a decoded JSON object; raises TypeError where it is none."""
        if not isinstance(came, dict):
            raise TypeError(f"expected an object, got {type(came).__name__}")
        plan, never_none = _plan(cls), _never_none(cls)
        known = {
            name: plan[name](value)
            for name, value in came.items()
            if name in plan and (value is not None or name not in never_none)
        }
        record = cls(**known)
        vars(record)["came"] = came
        return record

    @property
    def extra(self) -> Object:
        """What came and is not known."""
        known = _plan(type(self))
        came = self.to_dict().items()
        return Object({name: Object.of(value) for name, value in came if name not in known})

    if not TYPE_CHECKING:  # which knows a slip of the pen from a field

        def __getattr__(self, name: str) -> Any:
            came = self.__dict__.get("came", ())
            if name in came:
                return Object.of(came[name])
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __copy__(self) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:  # msgspec's own forgets what is no field
        return _made, (type(self), msgspec.structs.asdict(self), vars(self))

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON object that came, whole."""
        came = vars(self).get("came")
        return dict(came) if came is not None else msgspec.to_builtins(self)

    def to_json(self, *, indent: int | None = 2) -> str:
        """Give it as text, on many lines or one."""
        written = msgspec.json.encode(self.to_dict())
        return msgspec.json.format(written, indent=indent or -1).decode()

    def model_dump(self) -> dict[str, Any]:
        """Do the same as `to_dict`, under pydantic's name."""
        return self.to_dict()

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """Do the same as `to_json`, under pydantic's name."""
        return self.to_json(indent=indent)


def _made(kind: type[Record], fields: dict[str, Any], rest: dict[str, Any]) -> Record:
    """Make a record of the parts that it was taken into, to be copied or sent."""
    record = kind(**fields)
    vars(record).update(rest)
    return record


class Event(Record):
    """A record that comes in a stream."""

    @property
    def ends(self) -> bool:
        """Whether the stream may end with this; those that never tell an end may do so anywhere."""
        return True


@cache
def _plan(kind: type[Record]) -> dict[str, Read]:
    """How the value of each field is read."""
    hints = get_type_hints(kind)
    return {name: _reader(hints[name]) for name in kind.__struct_fields__}


@cache
def _never_none(kind: type[Record]) -> frozenset[str]:
    """Which fields have a default, and are never None."""
    hints = get_type_hints(kind)
    return frozenset(
        field.name
        for field in msgspec.structs.fields(kind)
        if not field.required and not _is_optional(hints[field.name])
    )


def _reader(hint: Any) -> Read:
    if hint in {Any, Object, list[Object]}:
        return Object.of
    if _is_optional(hint):
        inner = next(a for a in get_args(hint) if a is not type(None))
        if (read := _reader(inner)) == Object.of:  # which takes anything
            return read
        wanted = _wanted(inner)
        return lambda value: read(value) if isinstance(value, wanted) else None
    if _wanted(hint) is list:
        (item,) = get_args(hint)
        return lambda value: [item.read(each) for each in _listed(value)]
    if _wanted(hint) is dict:
        read_record: Read = hint.read
        return read_record
    return lambda value: Object.of(value) if isinstance(value, dict) else value


def _listed(value: object) -> list[Any]:
    if value is None:  # Some servers answer null for an empty list.
        return []
    if not isinstance(value, list):
        raise TypeError(f"expected a list, got {type(value).__name__}")
    return value


def _wanted(hint: Any) -> type:
    """Return what has to come: an object for a record, a list for a list of them, else any."""
    if get_origin(hint) is list and _is_record(get_args(hint)[0]):
        return list
    return dict if _is_record(hint) else object


def _is_optional(hint: Any) -> bool:
    return get_origin(hint) in {Union, UnionType} and type(None) in get_args(hint)


def _is_record(hint: Any) -> bool:
    kind = get_origin(hint) or hint  # which is generic where it holds what an answer is parsed as
    return isinstance(kind, type) and issubclass(kind, Record)

"""The records that answers are read into: typed where known, nothing lost where not."""

from collections.abc import Callable
from functools import cache
from types import UnionType
from typing import Any, Self, Union, dataclass_transform, get_args, get_origin, get_type_hints

import msgspec

Read = Callable[[Any], Any]


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Record(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A JSON object that came: its known fields are attributes, the rest is in ``extra``.

    Values are taken as they came. Compatible servers differ in many small types, and an answer
    that was paid for is not refused for one of them. One that lacks a field without a default is.
    """

    @classmethod
    def read(cls, came: object) -> Self:
        """Make a record of a decoded JSON object; raises TypeError where it is none."""
        if not isinstance(came, dict):
            raise TypeError(f"expected an object, got {type(came).__name__}")
        plan = _plan(cls)
        known = plan.keys() & came.keys()
        record = cls(**{name: plan[name](came[name]) for name in known})
        vars(record)["came"] = came
        return record

    @property
    def extra(self) -> dict[str, Any]:
        """What came and has no attribute here."""
        return {
            name: value for name, value in self.to_dict().items() if name not in _plan(type(self))
        }

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON object that came, whole."""
        came = vars(self).get("came")
        return dict(came) if came is not None else msgspec.to_builtins(self)


@cache
def _plan(kind: type[Record]) -> dict[str, Read]:
    """How the value of each field is read."""
    hints = get_type_hints(kind)
    return {name: _reader(hints[name]) for name in kind.__struct_fields__}


def _reader(hint: Any) -> Read:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        inner = next(a for a in arguments if a is not type(None))
        read = _reader(inner)
        return lambda value: None if value is None else read(value)
    if origin is list and _is_record(arguments[0]):
        item = _reader(arguments[0])
        # Some servers answer null for an empty list.
        return lambda value: [item(v) for v in value or ()]
    if _is_record(hint):
        return lambda value: hint.read(value) if isinstance(value, dict) else value
    return lambda value: value


def _is_record(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Record)

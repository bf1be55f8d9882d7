"""Structured outputs: a type as the strict JSON schema of an answer, and the answer as its value.

A type is a pydantic model, or what msgspec knows: a dataclass, a TypedDict, a Struct.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from embedsearch.client.answers import spoiled
from embedsearch.errors import InvalidAnswer

if TYPE_CHECKING:
    from embedsearch.client.answers import Answer
    from embedsearch.client.types.record import Record

F = TypeVar("F")

_EXPECTED = "expected a class of fields (pydantic's BaseModel, a dataclass, a TypedDict, a Struct)"


def described(kind: type[Any]) -> dict[str, Any]:
    """Give a type as APIs want it: its name and its schema; raises TypeError for another one."""
    try:
        own = getattr(kind, "model_json_schema", None)
        schema = own() if own else msgspec.json.schema(kind)
    except TypeError as error:
        raise TypeError(f"{_EXPECTED}, got {kind!r}") from error
    made = _strict(schema, schema)
    if made.get("type") != "object":
        raise TypeError(f"{_EXPECTED}, got {kind!r}")
    return {"name": kind.__name__, "schema": made, "strict": True}


def fill(record: Record, kind: type[F], text: str, answer: Answer) -> None:
    """Set what ``record`` holds ``parsed``; raises InvalidAnswer for a text of another kind."""
    own = getattr(kind, "model_validate_json", None)
    try:
        value = own(text) if own else msgspec.json.decode(text, type=kind)
    except ValueError as error:  # which pydantic's is, too, in many lines
        why = " ".join(str(error).split())
        raise spoiled(
            InvalidAnswer, answer, f"{text[:200]!r} is no {kind.__name__}: {why}"
        ) from error
    msgspec.structs.force_setattr(record, "parsed", value)


def _strict(
    schema: dict[str, Any], root: dict[str, Any], within: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Have an object all of its properties and no others, and nothing stand beside a ``$ref``.

    What stands there is put into a copy of what is referred to; ``within`` that copy, it is left
    out beside the same ``$ref``, which would have no end.
    """
    if "$ref" in schema and len(schema) > 1:
        name = schema["$ref"]
        if name in within:
            return {"$ref": name}
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        inner = within if schema is root else within | {name}
        return _strict({**_referred(name, root), **beside}, root, inner)
    made = {n: value for n, value in schema.items() if n != "default" or value is not None}
    if made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    for name in {"$defs", "definitions"} & made.keys():
        made[name] = {key: _strict(value, root) for key, value in made[name].items()}
    if "properties" in made:
        properties = made["properties"].items()
        made["properties"] = {key: _strict(value, root, within) for key, value in properties}
        made["required"] = list(made["properties"])
    if isinstance(made.get("items"), dict):
        made["items"] = _strict(made["items"], root, within)
    for name in {"anyOf", "allOf"} & made.keys():
        made[name] = [_strict(value, root, within) for value in made[name]]
    if len(made.get("allOf", ())) == 1:
        made.update(made.pop("allOf")[0])
    return made


def _referred(name: str, root: dict[str, Any]) -> dict[str, Any]:
    found = root
    for part in name.removeprefix("#/").split("/"):
        found = found[part]
    return found

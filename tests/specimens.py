"""Values that a schema allows, made up: bodies to send, and answers to read."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from operations import described, resolved, spec

DEPTH = 6
"""How deep optional properties go: some schemas hold themselves."""


@cache
def _validator(pointer: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": pointer, "components": spec()["components"]})


def errors(schema: dict[str, Any], value: Any) -> list[str]:
    """Say what is wrong with a value, by a schema of the specification."""
    if "$ref" in schema:
        validator = _validator(schema["$ref"])
    else:
        validator = Draft202012Validator({**schema, "components": spec()["components"]})
    return [f"{e.json_path}: {e.message[:300]}" for e in validator.iter_errors(value)]


def request_schema(name: str, content_type: str) -> dict[str, Any] | None:
    """Give the schema of an operation's body, None where it has none of that type."""
    content = described(name).get("requestBody", {}).get("content", {})
    found: dict[str, Any] | None = content.get(content_type, {}).get("schema")
    return found


def answer_schema(name: str, content_type: str = "application/json") -> dict[str, Any] | None:
    """Give the schema of an operation's answer, None where it has none of that type."""
    answers = described(name)["responses"]
    content = answers.get("200", {}).get("content", {})
    found: dict[str, Any] | None = content.get(content_type, {}).get("schema")
    return found


def specimen(schema: dict[str, Any], depth: int = 0) -> Any:
    """Make a value that a schema allows, with all properties that it names."""
    schema = resolved(schema)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    variants = schema.get("oneOf") or schema.get("anyOf")
    if variants and "properties" not in schema:
        return _first_valid(schema, variants, depth)
    if "allOf" in schema:
        return _merged(schema, depth)
    return _of_type(schema, depth)


def variants(schema: dict[str, Any]) -> list[Any]:
    """Make a value of each variant of a union."""
    schema = resolved(schema)
    found = schema.get("oneOf") or schema.get("anyOf")
    return [specimen(schema)] if not found else [v for s in found for v in variants(s)]


def _first_valid(schema: dict[str, Any], candidates: list[dict[str, Any]], depth: int) -> Any:
    made = [specimen(candidate, depth) for candidate in candidates]
    useful = [value for value in made if value is not None]
    return next((v for v in useful if not errors(schema, v)), useful[0] if useful else None)


def _merged(schema: dict[str, Any], depth: int) -> Any:
    parts = [specimen(part, depth) for part in schema["allOf"]]
    own = _of_type(schema, depth) if "properties" in schema else {}
    if not all(isinstance(part, dict) for part in parts):
        return parts[0]
    return {name: value for part in [*parts, own] for name, value in part.items()}


def _of_type(schema: dict[str, Any], depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else None)
    kind = next((k for k in kind if k != "null"), "null") if isinstance(kind, list) else kind
    if kind == "object":
        return _object(schema, depth)
    if kind == "array":
        count = max(schema.get("minItems", 1), 1)
        return [specimen(schema.get("items", {}), depth + 1)] * count if depth < DEPTH else []
    if kind in {"integer", "number"}:
        low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        return low if kind == "integer" else float(low) + 0.25 * (low < schema.get("maximum", 9))
    return {"string": _text(schema), "boolean": True, "null": None}.get(str(kind), "anything")


def _object(schema: dict[str, Any], depth: int) -> dict[str, Any]:
    required = set(schema.get("required", ()))
    made = {
        name: specimen(inner, depth + 1)
        for name, inner in schema.get("properties", {}).items()
        if depth < DEPTH or name in required
    }
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict) and not made:
        made["key"] = specimen(extra, depth + 1)
    return made


def _text(schema: dict[str, Any]) -> str:
    if schema.get("format") == "uri":
        return "https://example.com/a"
    pattern: str = schema.get("pattern", "")
    prefix = pattern[1 : pattern.index("[")] if pattern.startswith("^") and "[" in pattern else ""
    text = prefix + "text"
    shortest, longest = int(schema.get("minLength", 1)), int(schema.get("maxLength", 10_000))
    return (text * shortest)[:longest]

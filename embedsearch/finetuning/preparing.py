"""Rows of a table made into examples: checked, without repeats, split for validation."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from embedsearch.finetuning.examining import examine, repeats, reported
from embedsearch.finetuning.faults import Fault, shown
from embedsearch.finetuning.tunable import DEFAULT_MODEL, tunable
from embedsearch.replacing import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from embedsearch.finetuning.examining import Example
    from embedsearch.finetuning.report import Report

    Row = Mapping[str, Any]

SHAPES = (("text", "label"), ("question", "answer"), ("prompt", "completion"), ("input", "output"))
"""The columns of prompts and answers where none are named; a row of a chat has ``messages``."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The lines of a file for training and one for validation, and what was found on the way."""

    training: tuple[str, ...]
    validation: tuple[str, ...]
    report: Report


def prepare(
    rows: Iterable[tuple[int, Row | Fault]],
    *,
    columns: tuple[str, str] | None = None,
    system: str | None = None,
    model: str = DEFAULT_MODEL,
    validation: float = 0.1,
    epochs: int | None = None,
) -> Prepared:
    """Make examples of numbered rows: of texts with labels, questions with answers, or chats.

    ``columns`` are those of the prompt and the answer, ``system`` an instruction before each.
    A row at fault is left out, and so is one that is there already; the report names both.
    ``validation`` is the share held out. Which rows those are depends on their prompts alone, and
    prompts that differ in case or white space only stay together, so that nothing leaks.

    Raises ValueError for a model that can't be fine-tuned, or a share that is none.
    """
    if not 0 <= validation < 1:
        raise ValueError(f"expected a share for validation from 0 to below 1, got {validation}")
    known = tunable(model)
    records = ((number, _record(row, columns, system)) for number, row in rows)
    examples, problems = examine("input", records, known)
    problems += repeats("input", examples)
    twice = {problem.line for problem in problems if problem.kind == "duplicate"}
    examples = [example for example in examples if example.line not in twice]
    held_out = _held_out(examples, validation)
    kept = [example for example in examples if example.loose not in held_out]
    aside = [example for example in examples if example.loose in held_out]
    report = reported(known, kept, aside, problems, epochs)
    return Prepared(_lines(kept), _lines(aside), report)


def write(prepared: Prepared, folder: Path) -> list[Path]:
    """Write ``training.jsonl`` and, where anything is held out, ``validation.jsonl``.

    Returns their paths. A ``validation.jsonl`` of before is removed when nothing is held out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {"training.jsonl": prepared.training, "validation.jsonl": prepared.validation}
    for name, lines in files.items():
        if lines:
            with replacing(folder / name) as file:
                file.write("".join(lines).encode())
        else:
            (folder / name).unlink(missing_ok=True)
    return [folder / name for name, lines in files.items() if lines]


def _record(row: Row | Fault, columns: tuple[str, str] | None, system: str | None) -> Any:
    if isinstance(row, Fault):
        return row
    if columns is None and "messages" in row:
        return {key: row[key] for key in ("messages", "tools") if row.get(key)}
    named = columns or next((shape for shape in SHAPES if row.keys() >= set(shape)), None)
    if named is None or not row.keys() >= set(named):
        expected = f"columns {' and '.join(map(repr, named or SHAPES[0]))}"
        return Fault("messages", expected, f"only {', '.join(map(repr, row))}")
    texts = [_text(row[column]) for column in named]
    for column, text in zip(named, texts, strict=True):
        if text is None or not text.strip():
            return Fault("empty", f"a text as {column!r}", shown(row[column]))
    roles = zip(("user", "assistant"), texts, strict=True)
    messages = [{"role": role, "content": text} for role, text in roles]
    instruction = [{"role": "system", "content": system}] if system else []
    return {"messages": instruction + messages}


def _text(value: Any) -> str | None:
    """Return a cell as text: labels may be numbers."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int, float)) else None


def _held_out(examples: Sequence[Example], share: float) -> set[bytes]:
    """Return the prompts to hold out: in the order of their hashes, until there are enough."""
    wanted = round(len(examples) * share)
    counts: defaultdict[bytes, int] = defaultdict(int)
    for example in examples:
        counts[example.loose] += 1
    chosen: set[bytes] = set()
    for prompt in sorted(counts):
        if counts[prompt] <= wanted:
            chosen.add(prompt)
            wanted -= counts[prompt]
    return chosen


def _lines(examples: Sequence[Example]) -> tuple[str, ...]:
    return tuple(f"{json.dumps(example.record, ensure_ascii=False)}\n" for example in examples)

"""Examples looked at one by one, then against each other."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from embedsearch.finetuning.faults import Fault, faults
from embedsearch.finetuning.report import Problem, Report, Split
from embedsearch.finetuning.tunable import FEWEST, Tunable, default_epochs
from embedsearch.tokens import count_messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    File = Literal["input", "training", "validation"]


@dataclass(frozen=True, slots=True)
class Example:
    """An example without a fault, by what it is compared.

    ``prompt`` is the hash of all messages but the answer, ``loose`` the same without regard to
    case, white space and the forms of characters, ``whole`` that of all messages.
    """

    line: int
    record: dict[str, Any]
    tokens: int
    whole: bytes
    prompt: bytes
    loose: bytes


def examine(
    file: File, numbered: Iterable[tuple[int, Any]], model: Tunable
) -> tuple[list[Example], list[Problem]]:
    """Return the examples without a fault, and what is wrong with the others."""
    good: list[Example] = []
    problems: list[Problem] = []
    for line, record in numbered:
        found = list(faults(record))
        if not found:
            example = _example(line, record, model)
            found = list(_too_long(example, model))
        problems += [Problem(file, line, f.kind, f.expected, f.came) for f in found]
        if not found:
            good.append(example)
    return good, problems


def _example(line: int, record: dict[str, Any], model: Tunable) -> Example:
    messages = record["messages"]
    prompt = json.dumps(messages[:-1], sort_keys=True)
    return Example(
        line,
        record,
        count_messages(messages, model.name, tools=record.get("tools") or ()),
        whole=_hash(json.dumps(messages, sort_keys=True)),
        prompt=_hash(prompt),
        loose=_hash(_loosened(messages[:-1])),
    )


def _loosened(messages: Sequence[dict[str, Any]]) -> str:
    text = json.dumps(messages, sort_keys=True, ensure_ascii=False)
    spaced = text.replace("\\n", " ").replace("\\r", " ").replace("\\t", " ")
    return " ".join(unicodedata.normalize("NFKC", spaced).casefold().split())


def _hash(text: str) -> bytes:
    return sha256(text.encode(errors="surrogatepass")).digest()


def _too_long(example: Example, model: Tunable) -> Iterator[Fault]:
    if example.tokens > model.longest:
        expected = f"at most {model.longest:,} tokens ({model.name} is trained on no more)"
        yield Fault("length", expected, f"{example.tokens:,}")


def repeats(file: File, examples: Sequence[Example]) -> Iterator[Problem]:
    """Yield examples that are there before, or contradict one that is."""
    wholes: dict[bytes, int] = {}
    prompts: dict[bytes, int] = {}
    for example in examples:
        same = wholes.setdefault(example.whole, example.line)
        asked = prompts.setdefault(example.prompt, example.line)
        if same != example.line:
            came = f"that of line {same} again"
            yield Problem(file, example.line, "duplicate", "another example", came)
        elif asked != example.line:
            expected = f"the answer of line {asked}, which asks the same"
            yield Problem(file, example.line, "conflict", expected, "another one")


def leaks(training: Sequence[Example], validation: Sequence[Example]) -> Iterator[Problem]:
    """Yield examples for validation that a model has seen in training."""
    exact = {example.prompt: example.line for example in reversed(training)}
    loose = {example.loose: example.line for example in reversed(training)}
    for example in validation:
        if example.prompt in exact:
            came = f"that of training line {exact[example.prompt]}"
        elif example.loose in loose:
            came = f"that of training line {loose[example.loose]} but for case and white space"
        else:
            continue
        yield Problem("validation", example.line, "leak", "a prompt not trained on", came)


def reported(
    model: Tunable,
    training: Sequence[Example],
    validation: Sequence[Example],
    problems: Sequence[Problem],
    epochs: int | None,
) -> Report:
    """Return the report of examples, whose problems are known so far."""
    came = f"{len(training)}{f', and {len(validation)} held out' if validation else ''}"
    too_few = Problem("training", 0, "few", f"at least {FEWEST} examples for training", came)
    rounds = epochs or default_epochs(len(training))
    split = _split(training)
    return Report(
        model=model.name,
        training=split,
        validation=_split(validation),
        epochs=rounds,
        billed=split.tokens * rounds,
        cost=split.tokens * rounds * model.price / 1_000_000,
        problems=(*problems, *([too_few] if len(training) < FEWEST else [])),
    )


def _split(examples: Sequence[Example]) -> Split:
    counts = [example.tokens for example in examples]
    return Split(len(counts), sum(counts), max(counts, default=0))

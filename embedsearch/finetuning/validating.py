"""The check of files as they would be uploaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedsearch.finetuning.examining import examine, leaks, repeats, reported
from embedsearch.finetuning.faults import parsed
from embedsearch.finetuning.tunable import DEFAULT_MODEL, tunable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from embedsearch.finetuning.report import Report


def validate(
    lines: Iterable[str],
    *,
    validation: Iterable[str] = (),
    model: str = DEFAULT_MODEL,
    epochs: int | None = None,
) -> Report:
    """Check the lines of a JSONL file for training, and of one for validation.

    Every line at fault is named, by what was expected and what came: its JSON, its roles, a last
    message that is no answer, empty contents, more tokens than an example may have; what is there
    twice, or contradicts another line; what is in both files. Of what is good it says how many
    tokens it is, and what training costs.

    Raises ValueError for a model that can't be fine-tuned.
    """
    known = tunable(model)
    training, faulty = examine("training", _numbered(lines), known)
    held_out, faulty_too = examine("validation", _numbered(validation), known)
    problems = [
        *faulty,
        *repeats("training", training),
        *faulty_too,
        *repeats("validation", held_out),
        *leaks(training, held_out),
    ]
    return reported(known, training, held_out, problems, epochs)


def _numbered(lines: Iterable[str]) -> Iterable[tuple[int, object]]:
    return ((number, parsed(line)) for number, line in enumerate(lines, 1))

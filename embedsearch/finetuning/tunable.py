"""Which models can be fine-tuned, how long an example may be, and what training costs."""

from __future__ import annotations

from dataclasses import dataclass

from embedsearch.tokens.models import SNAPSHOT

AS_OF = "2026-11-24"
"""The day on which the table was last gone over.

Limits and prices are those OpenAI published while its platform was open to all; it has since been
closed to new customers, and prices may have changed.
"""

FEWEST = 10
"""The fewest examples that a job accepts, as OpenAI's guide to supervised fine-tuning says."""

DEFAULT_MODEL = "gpt-4.1-mini"


@dataclass(frozen=True, slots=True)
class Tunable:
    """A model's longest example in tokens, and US dollars per million tokens trained on."""

    name: str
    longest: int
    price: float


TUNABLE = {
    row.name: row
    for row in (
        Tunable("gpt-4.1", 65_536, 25.00),
        Tunable("gpt-4.1-mini", 65_536, 5.00),
        Tunable("gpt-4.1-nano", 65_536, 1.50),
        Tunable("gpt-4o", 65_536, 25.00),
        Tunable("gpt-4o-mini", 65_536, 3.00),
        Tunable("gpt-3.5-turbo", 16_385, 8.00),
    )
}


def tunable(name: str) -> Tunable:
    """Return what is known of a model, or of the one it is a dated snapshot of.

    Raises ValueError for a model that can't be fine-tuned, with those that can.
    """
    row = TUNABLE.get(name) or TUNABLE.get(SNAPSHOT.sub("", name))
    if row is None:
        raise ValueError(f"{name!r} can't be fine-tuned: choose from {', '.join(TUNABLE)}")
    return row


def default_epochs(examples: int) -> int:
    """Return how often a job reads its examples unless told otherwise.

    Three times, but so that it reads at least 100 and at most 25,000, and not more often than 25
    times: the rule in OpenAI's cookbook, ``Chat_finetuning_data_prep.ipynb``.
    """
    if examples * 3 < 100:
        return min(25, 100 // max(examples, 1))
    return 3 if examples * 3 <= 25_000 else max(1, 25_000 // examples)

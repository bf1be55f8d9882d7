"""Moderation."""

from embedsearch.client.types.record import Record


class Moderation(Record):
    """What one input was judged to be; scores are from 0 to 1."""

    flagged: bool
    categories: dict[str, bool | None] | None = None
    category_scores: dict[str, float] | None = None
    category_applied_input_types: dict[str, list[str]] | None = None


class ModerationCreateResponse(Record):
    """A judgement for each input."""

    results: list[Moderation]
    id: str = ""
    model: str = ""

"""Moderation."""

from embedsearch.client.types.record import Object, Record


class Moderation(Record):
    """What one input was judged to be; scores are from 0 to 1."""

    flagged: bool
    categories: Object | None = None
    category_scores: Object | None = None
    category_applied_input_types: Object | None = None


class ModerationCreateResponse(Record):
    """A judgement for each input."""

    results: list[Moderation]
    id: str = ""
    model: str = ""

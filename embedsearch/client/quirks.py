"""What a server wants beside what it documents: read off its refusals, remembered by its client."""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMBER = re.compile(r"(?<![\w.-])\d+(?!\w|\.\d)", re.ASCII)
PLACE = re.compile(r"(?i)\b(?:input|item|text|document|entry|element|index|position) #?\d+")
"""What is numbered so is one of the inputs, not how many there may be."""
INPUTS = re.compile(
    r"batch|inputs?\b|array|items?\b|texts?\b|list|documents?\b|sentences|strings|数组|文本",
    re.IGNORECASE,
)
BOUND = re.compile(
    r"max|most|larger|exceed|greater|limit|too (many|long|large)|up to|less|more than|fewer|between"
    r"|[<>≤]|超过|最多|最大",
    re.IGNORECASE,
)
TOKENS = re.compile(r"(?i)token|context|character|bytes")
ENCODING = re.compile(r"(?i)base64|encoding[ _]format")


@dataclass(slots=True)
class Quirks:
    """What is known of one model on one server."""

    most_inputs: int | None = None
    """The inputs a request may have, where it is less than asked for."""

    base64: bool = True
    """Whether base64 may be asked for."""

    proven: bool = False
    """Whether a request has gone well."""

    halved: int | None = None
    """The inputs of the last request that was refused and then taken in halves, None where one as
    large was taken since."""

    too_many: int | None = None
    """The fewest inputs that are above a cap that the server does not name: it lies between
    ``most_inputs`` and these."""

    def took(self, inputs: int) -> None:
        """Note that a request of so many inputs went well."""
        self.proven = True
        if self.halved and inputs >= self.halved:
            self.halved = None
        if self.too_many and self.most_inputs and inputs < self.too_many:
            self.most_inputs = max(self.most_inputs, inputs)

    def took_in_halves(self, refused: int) -> None:
        """Note that a request of so many inputs was refused, and then taken in halves.

        Once is an accident of one batch, as its bytes may be. Twice, if one cap explains both and
        nothing as large was taken in between, it is a cap that the server does not name.
        """
        if self.too_many:
            self.too_many = min(refused, self.too_many)
            return
        before, self.halved = self.halved, refused
        smaller, larger = sorted((before or 0, refused))
        taken = (larger + 1) // 2
        if taken < smaller:
            self.most_inputs = min(taken, self.most_inputs or taken)
            self.too_many = smaller

    @property
    def trial(self) -> int:
        """How many inputs tell next where an unnamed cap lies; it is told where they are most."""
        most = self.most_inputs or 0
        return (most + self.too_many) // 2 if self.too_many else most


def named_cap(message: str, sent: int) -> int | None:
    """Return the cap on the inputs of a request that a refusal of ``sent`` inputs names.

    None where it speaks of something else: a number in it may be a position or a length.
    """
    if TOKENS.search(message) or not (INPUTS.search(message) and BOUND.search(message)):
        return None
    numbers = map(int, NUMBER.findall(PLACE.sub("", message)))
    smaller = [number for number in numbers if 0 < number < sent]
    return max(smaller, default=None)


def about_encoding(message: str) -> bool:
    """Tell whether a refusal is about the encoding that was asked for."""
    return ENCODING.search(message) is not None

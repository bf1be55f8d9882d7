"""What a server wants beside what it documents: read off its refusals, remembered by its client."""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMBER = re.compile(r"(?<![\w.-])\d+(?!\w|\.\d)")
INPUTS = re.compile(
    r"batch|inputs?\b|array|items?\b|texts?\b|list|documents?\b|sentences", re.IGNORECASE
)
BOUND = re.compile(
    r"max|most|larger|exceed|greater|limit|too (many|long|large)|up to|less|>", re.IGNORECASE
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

    def took(self, inputs: int) -> None:
        """Note that a request of so many inputs went well."""
        self.proven = True
        if self.halved and inputs >= self.halved:
            self.halved = None

    def unnamed_cap(self, refused: int) -> int | None:
        """Return the cap that shows where a refused request of so many inputs is taken in halves.

        Once is an accident of one batch, as its bytes may be. Twice, if one cap explains both and
        nothing as large was taken in between, it is a cap that the server does not name.
        """
        before, self.halved = self.halved, refused
        if before is None:
            return None
        smaller, larger = sorted((before, refused))
        taken = (larger + 1) // 2
        return taken if taken < smaller else None


def named_cap(message: str, sent: int) -> int | None:
    """Return the cap on the inputs of a request that a refusal of ``sent`` inputs names.

    None where it speaks of something else: a number in it may be a position or a length.
    """
    if TOKENS.search(message) or not (INPUTS.search(message) and BOUND.search(message)):
        return None
    smaller = [int(found) for found in NUMBER.findall(message) if 0 < int(found) < sent]
    return max(smaller, default=None)


def about_encoding(message: str) -> bool:
    """Tell whether a refusal is about the encoding that was asked for."""
    return ENCODING.search(message) is not None

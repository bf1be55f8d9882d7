"""What a check of examples tells: every line at fault, and what training would take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "json", "messages", "role", "empty", "answer", "length", "few", "duplicate", "conflict", "leak"
]

WARNINGS = {"duplicate", "conflict", "leak"}
"""What a job accepts, and a model learns nothing good from."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that is not as it should be; line 0 is the file as a whole."""

    file: Literal["input", "training", "validation"]
    line: int
    kind: Kind
    expected: str
    came: str

    @property
    def fatal(self) -> bool:
        """Whether a job would refuse the file, or cut the example off."""
        return self.kind not in WARNINGS

    def __str__(self) -> str:
        return f"expected {self.expected}, came {self.came}"


@dataclass(frozen=True, slots=True)
class Split:
    """The good examples of a file: how many, their tokens, and those of the longest."""

    examples: int = 0
    tokens: int = 0
    longest: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in examples, and what training on them takes.

    ``billed`` are the tokens of training times ``epochs``, ``cost`` their price in US dollars.
    """

    model: str
    training: Split
    validation: Split
    epochs: int
    billed: int
    cost: float
    problems: tuple[Problem, ...]

    @property
    def fatal(self) -> tuple[Problem, ...]:
        """The problems that a job would not accept."""
        return tuple(problem for problem in self.problems if problem.fatal)

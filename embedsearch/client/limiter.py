"""One limiter for all requests of a client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(eq=False, slots=True)
class Ticket:
    """A request that waits or flies."""

    tokens: int


class Limiter:
    """Holds requests back until the server will take them."""

    def reserve(self, tokens: int = 0, lane: str = "") -> Ticket:
        """Queue a request of so many tokens, by estimate, and return its ticket."""
        return Ticket(tokens)

    def wait(self, ticket: Ticket) -> float:
        """Return the seconds to sleep before asking again; 0.0 says that it is sent now."""
        return 0.0

    def settle(self, ticket: Ticket, status: int | None, headers: Mapping[str, str]) -> None:
        """Learn from an answer, or from a failure (``status`` None)."""

    def release(self, ticket: Ticket) -> None:
        """Give up a request, sent or not; a ticket that is settled stays as it is."""

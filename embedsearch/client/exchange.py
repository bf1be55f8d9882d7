"""A call's exchange with a server: limits, retries and redirects, without any input or output.

`exchange` is a generator. It yields what is to be done, `Sleep` or `Send`, and is sent the outcome;
the drivers in `blocking.py` and `awaiting.py` do it. Closing the generator cancels.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.parse import urljoin, urlsplit

from embedsearch.client import retries
from embedsearch.client.answers import Answer, blamed, failure
from embedsearch.errors import APIError, ConnectionFailed, ConnectionRefused

if TYPE_CHECKING:
    from embedsearch.client.limiter import Limiter
    from embedsearch.client.requests import Request

logger = logging.getLogger(__name__)

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; the outcome is its answer, or the failure to get one."""

    request: Request


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait; the outcome is None."""

    seconds: float


Outcome: TypeAlias = Answer | ConnectionFailed
Steps: TypeAlias = Generator[Send | Sleep, Outcome | None, Outcome]
Exchange: TypeAlias = Generator[Send | Sleep, Outcome | None, Answer]


def exchange(request: Request, limiter: Limiter, *, max_retries: int) -> Exchange:
    """Send a request until it is answered, or until there is no use in trying again.

    Raises the last failure.
    """
    attempt = 0
    while True:
        outcome = yield from _followed(request, limiter)
        if isinstance(outcome, Answer) and outcome.status_code < 400:
            return replace(outcome, retries=attempt)
        error = failure(outcome) if isinstance(outcome, Answer) else outcome
        seconds = _patience(error, attempt)
        if seconds is None or attempt >= max_retries:
            raise error
        again = "%s; sending again in %.1f s"
        logger.info(again, error, seconds, extra={"seconds": seconds})
        yield Sleep(seconds)
        attempt += 1


def _patience(error: APIError, attempt: int) -> float | None:
    if isinstance(error, ConnectionRefused) and attempt >= retries.UNHEARD:
        return None
    if isinstance(error, ConnectionFailed) and not error.passes:
        return None
    now = time.time()
    asked = retries.asked_for(error.headers, now=now)
    if asked and asked > retries.LONGEST:
        error.hint = error.hint or f"the server asks to wait for {asked:,.0f} seconds"
    return retries.wait(
        error.status_code,
        error.headers,
        attempt,
        now=now,
        luck=random.random(),  # noqa: S311 - jitter
        code=error.code or error.type,
    )


def _followed(request: Request, limiter: Limiter) -> Steps:
    """Send, and follow where the server points, as long as that is still the same server."""
    hops = 0
    while True:
        outcome = yield from _limited(request, limiter)
        if isinstance(outcome, ConnectionFailed) or outcome.status_code not in REDIRECTS:
            return outcome
        if hops == MAX_REDIRECTS:
            raise _astray(outcome, f"more than {MAX_REDIRECTS} times")
        request = _redirected(request, outcome)
        hops += 1


def _redirected(request: Request, answer: Answer) -> Request:
    """Give the request that a redirect asks for; the key and the texts go to no other server."""
    url = urljoin(request.url, answer.headers.get("location", ""))
    if _origin(url) != _origin(request.url):
        where = f"from {_origin(request.url)} to {_origin(url)}"
        raise _astray(answer, f"{where}, which is not sent the key")
    if answer.status_code in {307, 308} or request.method == "GET":
        return replace(request, url=url)
    return replace(request, url=url, method="GET", content=None)


def _astray(answer: Answer, how: str) -> APIError:
    return APIError(
        f"{answer.status_code}: redirected {how}",
        status_code=answer.status_code,
        headers=answer.headers,
        hint="name the server that is meant: --base-url; in Python: base_url=...",
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _limited(request: Request, limiter: Limiter) -> Steps:
    """Send once, as soon as the limiter lets it."""
    ticket = limiter.reserve(request.tokens, request.lane)
    try:
        while (seconds := limiter.wait(ticket)) > 0:
            yield Sleep(seconds)
        outcome = cast("Outcome", (yield Send(request)))
        if isinstance(outcome, Answer):
            outcome = blamed(outcome)
            limiter.settle(ticket, outcome.status_code, outcome.headers)
        else:
            limiter.settle(ticket, None, {})
    finally:
        limiter.release(ticket)
    return outcome

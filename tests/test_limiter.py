"""The limiter against servers of several minds, in a simulated time that costs none."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rate_models import Bucket, Slices, SlidingWindow, Verdict, told

from embedsearch.client import meter, retries
from embedsearch.client.limiter import Limiter
from embedsearch.client.meter import SHARE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embedsearch.client.lane import Ticket

RATE = 50_000
BATCHES = [6250] * 480
IDEAL = 60.0
"""Seconds that the batches take at the rate."""


class Server(Protocol):
    def take(self, now: float, tokens: int) -> Verdict: ...


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Run:
    seconds: float = 0.0
    done: int = 0
    refused: int = 0
    lost: int = 0


def simulate(
    server: Server,
    batches: list[int],
    *,
    workers: int = 16,
    latency: float = 0.15,
    late: float = 0.001,
    max_retries: int = 5,
    clients: int = 1,
) -> Run:
    """Let workers send batches as the drivers do.

    Answers take between half and 1.3 latencies; who sleeps wakes ``late`` seconds late on average.
    """
    clock, luck, run = Clock(), random.Random(0), Run()
    limiters = [Limiter(clock) for _ in range(clients)]
    todo = iter(batches)

    def send(limiter: Limiter, tokens: int) -> Iterator[float]:
        for attempt in itertools.count():
            ticket = limiter.reserve(tokens)
            while seconds := limiter.wait(ticket):
                yield seconds + 2 * late * luck.random()
            yield 0.4 * latency
            passes, headers = server.take(clock.now, tokens)
            yield latency * (0.3 + 0.6 * luck.random()) if passes else 0.01
            limiter.settle(ticket, 200 if passes else 429, headers)
            if passes:
                run.done += 1
                return
            run.refused += 1
            if attempt == max_retries:
                run.lost += 1
                return
            yield retries.wait(429, headers, attempt, now=0.0, luck=luck.random()) or 0.0

    def work(limiter: Limiter) -> Iterator[float]:
        for tokens in todo:
            yield from send(limiter, tokens)

    order = itertools.count()
    events = [(0.0, next(order), work(limiters[n % clients])) for n in range(workers)]
    while events:
        clock.now, _, worker = heapq.heappop(events)
        if (seconds := next(worker, None)) is not None:
            heapq.heappush(events, (clock.now + seconds, next(order), worker))
    run.seconds = clock.now
    return run


@pytest.mark.parametrize(
    "server",
    [Bucket(RATE, RATE), Bucket(RATE, 4 * RATE), Bucket(RATE, RATE, charges_failures=True)],
    ids=["a second's bucket", "four seconds' bucket", "refusals are charged"],
)
def test_a_bucket_is_emptied_without_a_refusal(server: Server) -> None:
    run = simulate(server, BATCHES)
    assert (run.done, run.refused, run.lost) == (480, 0, 0)
    assert run.seconds < IDEAL


def test_a_minutes_bucket_is_spent_at_once() -> None:
    run = simulate(Bucket(RATE, 60 * RATE), BATCHES)
    assert (run.done, run.refused) == (480, 0)
    assert run.seconds < 6


@pytest.mark.parametrize(
    ("server", "refused", "share"),
    [
        (SlidingWindow(10 * RATE, 10), 8, 0.98),
        (SlidingWindow(RATE, 1), 4, 0.96),
        (Slices(RATE), 12, 0.95),
        (Bucket(RATE, RATE, silent=True), 16, 0.97),
        (Bucket(RATE, RATE, silent=True, charges_failures=True), 18, 0.95),
    ],
    ids=["sliding 10 s", "sliding 1 s", "slices", "no headers", "no headers, charged"],
)
def test_a_server_of_another_mind_is_learned(server: Server, refused: int, share: float) -> None:
    run = simulate(server, BATCHES)
    assert (run.done, run.lost) == (480, 0)
    assert run.refused <= refused
    assert share * run.seconds < IDEAL


@pytest.mark.parametrize(
    ("server", "share"),
    [(SlidingWindow(10 * RATE, 10), 0.98), (Slices(RATE), 0.97)],
    ids=["sliding", "slices"],
)
def test_a_sender_that_wakes_late_makes_up_for_it(server: Server, share: float) -> None:
    run = simulate(server, BATCHES, late=0.004)
    assert (run.done, run.lost) == (480, 0)
    assert run.refused <= 12
    assert share * run.seconds < IDEAL


def test_two_clients_of_one_account_share_its_limit() -> None:
    run = simulate(Bucket(RATE, RATE), BATCHES, clients=2)
    assert (run.done, run.lost) == (480, 0)
    assert run.refused <= 30
    assert 0.9 * run.seconds < IDEAL


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=40),
    st.integers(100, 2000),
    st.integers(1, 20),
    st.booleans(),
)
def test_every_request_gets_through_however_small_the_bucket(
    batches: list[int],
    size: int,
    workers: int,
    silent: bool,  # noqa: FBT001
) -> None:
    run = simulate(Bucket(1000, size, silent=silent), batches, workers=workers, max_retries=50)
    assert (run.done, run.lost) == (len(batches), 0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(clock: Clock) -> Limiter:
    return Limiter(clock)


def sent(limiter: Limiter, tokens: int = 0, lane: str = "") -> Ticket:
    ticket = limiter.reserve(tokens, lane)
    assert limiter.wait(ticket) == 0.0
    return ticket


def answered(limiter: Limiter, tokens: int, limit: float, remaining: float, reset: float) -> None:
    limiter.settle(sent(limiter, tokens), 200, told(limit, remaining, reset))


def test_the_first_request_goes_alone_for_a_second_at_most(limiter: Limiter, clock: Clock) -> None:
    first = sent(limiter)
    second = limiter.reserve()
    assert 0 < limiter.wait(second) <= 0.05
    clock.now = 1.0
    assert limiter.wait(second) == 0.0
    limiter.settle(first, 200, {})
    sent(limiter)
    sent(limiter)


def test_waits_until_the_bucket_holds_the_request(limiter: Limiter, clock: Clock) -> None:
    answered(limiter, 100, limit=6000, remaining=200, reset=58.0)
    ticket = limiter.reserve(250)
    assert limiter.wait(ticket) == pytest.approx(0.5 / SHARE)
    clock.now = 0.5 / SHARE
    assert limiter.wait(ticket) == 0.0


def test_requests_go_in_the_order_they_came(limiter: Limiter, clock: Clock) -> None:
    answered(limiter, 100, limit=60_000, remaining=0, reset=60.0)
    first, second = limiter.reserve(200), limiter.reserve(100)
    assert limiter.wait(first) == pytest.approx(0.2 / SHARE)
    assert limiter.wait(second) == pytest.approx(0.3 / SHARE)
    clock.now = 0.25
    assert limiter.wait(second) == pytest.approx(0.3 / SHARE - 0.25)
    assert limiter.wait(first) == 0.0


def test_one_that_gives_up_makes_room(limiter: Limiter) -> None:
    answered(limiter, 100, limit=60_000, remaining=0, reset=60.0)
    first, second = limiter.reserve(500), limiter.reserve(100)
    limiter.release(first)
    limiter.release(first)
    assert limiter.wait(second) == pytest.approx(0.1 / SHARE)


def test_one_that_is_cancelled_in_flight_stays_paid_for(limiter: Limiter) -> None:
    answered(limiter, 100, limit=60_000, remaining=500, reset=59.5)
    limiter.release(sent(limiter, 500))
    assert limiter.wait(limiter.reserve(100)) == pytest.approx(0.1 / SHARE)


def test_what_flies_is_taken_off_what_the_server_says_is_left(limiter: Limiter) -> None:
    answered(limiter, 100, limit=60_000, remaining=59_900, reset=0.1)
    quick, slow = sent(limiter, 1000), sent(limiter, 50_000)
    limiter.settle(quick, 200, told(60_000, 58_900, 1.1))
    # 8,900 are left once the slow one is counted.
    assert limiter.wait(limiter.reserve(8900)) == 0.0
    assert limiter.wait(limiter.reserve(1000)) > 0.9
    limiter.settle(slow, 200, told(60_000, 0, 60))


def test_a_request_larger_than_the_bucket_goes_when_it_is_full(
    limiter: Limiter, clock: Clock
) -> None:
    answered(limiter, 100, limit=1000, remaining=900, reset=0.1)
    ticket = limiter.reserve(5000)
    assert limiter.wait(ticket) == pytest.approx(0.1 / SHARE)
    clock.now = 0.1 / SHARE
    assert limiter.wait(ticket) == 0.0
    limiter.settle(ticket, 200, {})
    assert limiter.wait(limiter.reserve(1)) == 1.0


def test_requests_are_limited_as_tokens_are(limiter: Limiter) -> None:
    headers = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "1",
        "x-ratelimit-reset-requests": "59s",
    }
    limiter.settle(sent(limiter), 200, headers)
    sent(limiter)
    assert limiter.wait(limiter.reserve()) == pytest.approx(1.0)


def test_a_daily_limit_is_waited_for_two_minutes_only(limiter: Limiter, clock: Clock) -> None:
    answered(limiter, 100, limit=100_000, remaining=0, reset=86_400)
    ticket = limiter.reserve(50_000)
    assert limiter.wait(ticket) == 1.0
    clock.now = 119.9
    assert limiter.wait(ticket) == 1.0
    clock.now = 120.0
    assert limiter.wait(ticket) == 0.0


def test_all_pause_while_the_server_asks_to(limiter: Limiter, clock: Clock) -> None:
    limiter.settle(sent(limiter, 10), 429, {"retry-after-ms": "700"})
    ticket = limiter.reserve(10)
    assert limiter.wait(ticket) == pytest.approx(0.7)
    clock.now = 0.7
    assert limiter.wait(ticket) == 0.0


def refused_at_leisure(limiter: Limiter, tokens: int) -> None:
    """Send three requests that pass and two that are refused, one after the other."""
    for status in (200, 200, 200, 429, 429):
        ticket = limiter.reserve(tokens)
        limiter.wait(ticket)
        limiter.settle(ticket, status, {"retry-after-ms": "1"} if status == 429 else {})


def test_what_was_refused_while_little_was_sent_holds_up_no_large_request(
    limiter: Limiter, clock: Clock
) -> None:
    refused_at_leisure(limiter, 4)
    clock.now = 1.0
    limiter.settle(sent(limiter, 6000), 200, {})
    for _ in range(2):
        sent(limiter, 6000)


def test_what_passes_at_the_rate_that_was_refused_keeps_it(limiter: Limiter, clock: Clock) -> None:
    refused_at_leisure(limiter, 4)
    for clock.now in (1.0, 2.0, 3.0):
        limiter.settle(sent(limiter, 8), 200, {})
    assert limiter.wait(limiter.reserve(8)) == pytest.approx(0.66, abs=0.05)


def test_a_long_wait_is_told_every_three_seconds(
    limiter: Limiter, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    answered(limiter, 100, limit=6000, remaining=0, reset=60.0)
    ticket, short = limiter.reserve(1400), limiter.reserve(1)
    for clock.now in range(14):
        limiter.wait(ticket)
    assert limiter.wait(short) < 3
    said = "the server's rate limit lets the next request through in {} s"
    assert [record.getMessage() for record in caplog.records] == [
        said.format(seconds) for seconds in (14, 11, 8, 5)
    ]


def test_a_server_that_breaks_down_gets_half_as_many(limiter: Limiter) -> None:
    limiter.settle(sent(limiter), 200, {})
    flying = [sent(limiter) for _ in range(8)]
    for ticket in flying[:2]:
        limiter.settle(ticket, None, {})
    # The window is half of the eight that flew; six of them still do.
    assert limiter.wait(limiter.reserve()) > 0
    for ticket in flying[2:5]:
        limiter.settle(ticket, 500, {})
    assert limiter.wait(limiter.reserve()) == 0.0


def test_models_do_not_wait_for_each_other(limiter: Limiter) -> None:
    limiter.settle(sent(limiter, 100, "slow"), 200, told(1000, 0, 60))
    limiter.settle(sent(limiter, 100, "fast"), 200, told(1000, 900, 6))
    assert limiter.wait(limiter.reserve(100, "slow")) == 1.0
    assert limiter.wait(limiter.reserve(100, "fast")) == 0.0


def test_headers_without_sense_are_no_limits(limiter: Limiter) -> None:
    for limit, remaining, reset in [("0", "0", ""), ("-1", "-1", "1s"), ("x", "nan", "soon")]:
        headers = {
            "x-ratelimit-limit-tokens": limit,
            "x-ratelimit-remaining-tokens": remaining,
            "x-ratelimit-reset-tokens": reset,
        }
        limiter.settle(sent(limiter, 10), 200, headers)
        sent(limiter, 10**9)


@pytest.mark.parametrize("remaining", ["0", "-1"])
def test_nothing_left_of_nothing_named_is_no_limit(limiter: Limiter, remaining: str) -> None:
    for _ in range(3):
        limiter.settle(sent(limiter, 10), 200, {"x-ratelimit-remaining-requests": remaining})


def test_a_time_of_day_is_no_time_until_a_bucket_is_full(limiter: Limiter, clock: Clock) -> None:
    answered(limiter, 100, limit=1000, remaining=0, reset=1_796_000_000)
    ticket = limiter.reserve(100)
    clock.now += 6.0
    assert limiter.wait(ticket) == pytest.approx(100 / (0.99 * 1000 / 60) - 6)
    clock.now += 0.1
    assert limiter.wait(ticket) == 0.0


def test_serves_many_threads_at_once() -> None:
    limiter = Limiter()
    limiter.settle(sent(limiter, 1), 200, {})

    def work() -> None:
        for _ in range(200):
            limiter.settle(sent(limiter, 1), 200, {})

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lane = limiter.reserve(1).lane
    assert lane._flying["tokens"] == 0
    assert lane._sent["tokens"] == 1601


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1s", 1), ("6m0s", 360), ("12ms", 0.012), ("1h2m3.5s", 3723.5), ("59.70", 59.7)],
)
def test_reads_durations_as_go_writes_them(written: str, seconds: float) -> None:
    assert meter.seconds(written) == pytest.approx(seconds)


@pytest.mark.parametrize("written", ["", "soon", "5 s", "-1s", "2026-01-01T00:00:00Z", "1s2"])
def test_reads_nothing_else_as_a_duration(written: str) -> None:
    assert meter.seconds(written) is None

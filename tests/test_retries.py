"""Which failures are tried again, and after how long."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedsearch.client import retries

NOW = 1_790_000_000.0

statuses = st.integers(400, 599)
attempts = st.integers(0, 10_000)
lucks = st.floats(0, 1)


def wait(
    status: int | None = 429,
    attempt: int = 0,
    luck: float = 0.0,
    code: str | None = None,
    **headers: str,
) -> float | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return retries.wait(status, named, attempt, now=NOW, luck=luck, code=code)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529, 599, None])
def test_tries_again_what_may_pass(status: int | None) -> None:
    assert wait(status) == 0.5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_does_not_repeat_what_was_refused_for_good(status: int) -> None:
    assert wait(status) is None


def test_does_not_wait_for_credit() -> None:
    assert wait(429, code="insufficient_quota") is None


def test_the_server_has_the_last_word_on_trying_again() -> None:
    assert wait(400, x_should_retry="true") == 0.5
    assert wait(500, x_should_retry="false") is None
    assert wait(429, x_should_retry="false", retry_after="1") is None
    assert wait(429, x_should_retry="perhaps") == 0.5


def test_waits_twice_as_long_each_time_up_to_8_seconds() -> None:
    assert [wait(attempt=n) for n in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_luck_takes_off_a_quarter_at_most() -> None:
    assert wait(attempt=1, luck=1.0) == 0.75


def test_waits_as_long_as_the_server_asks() -> None:
    assert wait(retry_after_ms="1500") == 1.5
    assert wait(retry_after="2.5") == 2.5
    assert wait(retry_after="0") == 0.5
    assert wait(retry_after_ms="20", retry_after="1") == 0.02
    assert wait(retry_after_ms="soon", retry_after="1") == 1.0


def test_reads_the_date_until_which_to_wait() -> None:
    assert wait(retry_after=formatdate(NOW + 30, usegmt=True)) == 30.0
    assert wait(retry_after=formatdate(NOW - 30, usegmt=True)) == 0.5
    assert wait(retry_after=formatdate(NOW + 121, usegmt=True)) is None


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows can't change its zone")
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_reads_all_forms_of_a_date_in_every_zone(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    at = datetime.fromtimestamp(NOW + 30, UTC)
    forms = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y")
    waits = [wait(retry_after=at.strftime(form)) for form in forms]
    monkeypatch.undo()
    time.tzset()
    assert waits == [30.0] * 3


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_a_date_is_read_by_the_clock_of_who_names_it(skew: int) -> None:
    said = formatdate(NOW + skew, usegmt=True)
    assert wait(retry_after=formatdate(NOW + skew + 30, usegmt=True), date=said) == 30.0
    assert wait(retry_after=formatdate(NOW + 30, usegmt=True), date="noon") == 30.0


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "soon", "", "Mon, 99 Foo 2026"])
def test_waits_its_own_time_where_the_server_asks_nonsense(value: str) -> None:
    assert wait(retry_after=value) == 0.5


@pytest.mark.parametrize("headers", [{"retry_after": "121"}, {"retry_after_ms": "120001"}])
def test_who_asks_for_more_than_two_minutes_is_not_asked_again(headers: dict[str, Any]) -> None:
    assert wait(**headers) is None
    assert wait(x_should_retry="true", **headers) is None


@given(st.none() | statuses, attempts, lucks, st.text(max_size=30), st.text(max_size=30))
def test_never_waits_less_than_nothing_or_more_than_two_minutes(
    status: int | None, attempt: int, luck: float, after: str, milliseconds: str
) -> None:
    seconds = wait(status, attempt, luck, retry_after=after, retry_after_ms=milliseconds)
    assert seconds is None or 0 <= seconds <= 120


@given(st.floats(0, 120, exclude_min=True), attempts, lucks)
def test_what_the_server_asks_is_kept_whatever_the_luck(
    seconds: float, attempt: int, luck: float
) -> None:
    assert wait(503, attempt, luck, retry_after=repr(seconds)) == seconds

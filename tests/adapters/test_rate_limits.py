"""Tests of local rate limits beyond the contract of `RateLimits`: the sliding window, threads, and unused keys."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from adapters.rate_limits import HITS_BETWEEN_SWEEPS, LocalRateLimits
from unite_core.testing.in_memory import FixedClock


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def limits(clock: FixedClock) -> LocalRateLimits:
    return LocalRateLimits(clock)


def test_concurrent_threads_get_exactly_as_many_hits_as_the_limit(limits: LocalRateLimits) -> None:
    with ThreadPoolExecutor(16) as threads:
        passed = list(threads.map(lambda _: limits.hit("somebody", 50).allowed, range(200)))

    assert sum(passed) == 50


def test_the_allowance_returns_as_hits_leave_the_window(limits: LocalRateLimits, clock: FixedClock) -> None:
    limits.hit("somebody", 2)
    clock.advance(timedelta(seconds=40))
    limits.hit("somebody", 2)

    refused = limits.hit("somebody", 2)
    clock.advance(timedelta(seconds=refused.reset))

    assert (refused.allowed, refused.reset) == (False, 20)
    assert [limits.hit("somebody", 2).allowed for _ in range(2)] == [True, False]


def test_a_clock_that_is_set_back_locks_nobody_out(limits: LocalRateLimits, clock: FixedClock) -> None:
    limits.hit("somebody", 1)

    clock.advance(timedelta(hours=-1))

    assert limits.hit("somebody", 1).allowed


def test_a_key_without_recent_hits_is_removed(limits: LocalRateLimits, clock: FixedClock) -> None:
    limits.hit("long ago", 10)
    clock.advance(timedelta(minutes=1))

    for _ in range(HITS_BETWEEN_SWEEPS):
        limits.hit("somebody", 10)

    assert limits._hits.keys() == {"somebody"}
    assert not limits.peek("somebody", 10).allowed

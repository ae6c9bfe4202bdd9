"""Contract tests of the clock, of ids, jobs and rate limits."""

from abc import abstractmethod
from datetime import timedelta

import pytest

from unite_core.clock import Clock
from unite_core.ids import Ids
from unite_core.jobs import Jobs
from unite_core.rate_limits import RateLimits, RateLimitStatus
from unite_core.testing.builders import an_id
from unite_core.testing.contracts.database import run_concurrently
from unite_core.testing.in_memory.clock_and_ids import FixedClock


class ClockContract:
    """Derive a test class with a fixture `clock`."""

    @pytest.fixture
    @abstractmethod
    def clock(self) -> Clock:
        """Return the clock under test."""

    def test_the_time_is_in_utc_and_does_not_run_backwards(self, clock: Clock) -> None:
        first, second = clock.now(), clock.now()

        assert first.utcoffset() == timedelta()
        assert second >= first


class IdsContract:
    """Derive a test class with a fixture `ids`."""

    @pytest.fixture
    @abstractmethod
    def ids(self) -> Ids:
        """Return the generator of ids under test."""

    def test_ids_are_uuids_of_version_7_that_ascend(self, ids: Ids) -> None:
        made = [ids.new() for _ in range(2000)]

        assert {(each.version, each.variant) for each in made} == {(7, "specified in RFC 4122")}
        assert made == sorted(set(made))

    def test_threads_get_different_ids(self, ids: Ids) -> None:
        made = run_concurrently(4, lambda _: [ids.new() for _ in range(500)])

        assert len({each for some in made for each in some}) == 2000
        assert all(some == sorted(some) for some in made)


class JobsContract:
    """Derive a test class with a fixture `jobs`."""

    @pytest.fixture
    @abstractmethod
    def jobs(self) -> Jobs:
        """Return the job queue under test."""

    def test_waking_workers_never_fails(self, jobs: Jobs) -> None:
        import_id = an_id()

        for _ in range(3):
            jobs.run_import(import_id)
            jobs.undo_import(import_id)
            jobs.deliver_events()
            jobs.deliver_events(["activity", "nobody"])


class RateLimitsContract:
    """Derive a test class with a fixture `limits`, which uses `clock`. Loss of counts in a restart is not tested."""

    @pytest.fixture
    def clock(self) -> FixedClock:
        """Return the clock of `limits`."""
        return FixedClock()

    @pytest.fixture
    @abstractmethod
    def limits(self, clock: FixedClock) -> RateLimits:
        """Return the rate limits under test."""

    def test_hits_within_the_limit_are_allowed_and_counted_down(self, limits: RateLimits) -> None:
        hits = [limits.hit("ann", 3) for _ in range(4)]

        assert [hit.allowed for hit in hits] == [True, True, True, False]
        assert [hit.remaining for hit in hits] == [2, 1, 0, 0]
        assert {hit.limit for hit in hits} == {3}
        assert all(1 <= hit.reset <= 60 for hit in hits)

    def test_keys_are_counted_separately(self, limits: RateLimits) -> None:
        limits.hit("ann", 1)

        assert not limits.hit("ann", 1).allowed
        assert limits.hit("ben", 1).allowed

    def test_peeking_counts_nothing(self, limits: RateLimits) -> None:
        assert limits.peek("ann", 1) == RateLimitStatus(allowed=True, limit=1, remaining=1, reset=0)
        assert limits.hit("ann", 1).allowed
        assert not limits.peek("ann", 1).allowed
        assert limits.peek("ann", 1).remaining == 0

    def test_after_a_minute_everything_is_allowed_again(self, limits: RateLimits, clock: FixedClock) -> None:
        assert limits.hit("ann", 1).allowed
        refused = limits.hit("ann", 1)
        clock.advance(timedelta(seconds=refused.reset))

        assert limits.peek("ann", 1).allowed
        assert limits.hit("ann", 1).allowed

    def test_hits_beyond_the_limit_do_not_prolong_the_wait(self, limits: RateLimits, clock: FixedClock) -> None:
        limits.hit("ann", 1)
        for _ in range(50):
            clock.advance(timedelta(seconds=1))
            limits.hit("ann", 1)
        clock.advance(timedelta(seconds=10))

        assert limits.hit("ann", 1).allowed

    def test_hits_beyond_the_limit_are_not_counted(self, limits: RateLimits) -> None:
        for _ in range(3):
            limits.hit("ann", 1)

        assert limits.peek("ann", 3).remaining == 2

    def test_concurrent_hits_are_all_counted(self, limits: RateLimits) -> None:
        assert sum(hit.allowed for hit in run_concurrently(10, lambda _: limits.hit("ann", 4))) == 4

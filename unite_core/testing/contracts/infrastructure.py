"""Contract tests of the clock, of ids, jobs, links and rate limits."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from unite_core.clock import Clock
from unite_core.ids import Ids
from unite_core.jobs import Jobs
from unite_core.notifications.ports import Links
from unite_core.rate_limits import RateLimits, RateLimitStatus
from unite_core.testing.builders import an_id
from unite_core.testing.contracts.database import run_concurrently
from unite_core.testing.contracts.missing import missing_fixture
from unite_core.testing.in_memory.clock_and_ids import FixedClock


class ClockContract:
    """Derive a test class with a fixture `clock`."""

    @pytest.fixture
    def clock(self) -> Clock:
        """Return the clock under test."""
        raise missing_fixture(self, "clock", "the `Clock` under test")

    def test_the_time_is_in_utc_and_does_not_run_backwards(self, clock: Clock) -> None:
        first, second = clock.now(), clock.now()

        assert first.utcoffset() == timedelta()
        assert second >= first


class IdsContract:
    """Derive a test class with a fixture `ids`."""

    @pytest.fixture
    def ids(self) -> Ids:
        """Return the generator of ids under test."""
        raise missing_fixture(self, "ids", "the `Ids` under test")

    def test_ids_are_uuids_of_version_7_that_ascend(self, ids: Ids) -> None:
        made = [ids.new() for _ in range(2000)]

        assert {(each.version, each.variant) for each in made} == {(7, "specified in RFC 4122")}
        assert made == sorted(set(made))

    def test_threads_get_different_ids(self, ids: Ids) -> None:
        made = run_concurrently(4, lambda _: [ids.new() for _ in range(500)])

        assert len({each for some in made for each in some}) == 2000
        assert all(some == sorted(some) for some in made)


WakeUp = tuple[str, str]
"""The name of what a worker is woken for, and what it is about: `("run_import", "0190…")`, `("relay", "activity")`."""

ALL = "*"
"""What a wake-up is about that is for every import, or for the relays of all destinations."""

ANYTHING: WakeUp = (ALL, ALL)
"""A wake-up without content, after which a worker looks for everything."""


class JobsContract:
    """Derive a test class with fixtures `jobs`, for `DESTINATIONS`, `take` and `outage`."""

    DESTINATIONS: ClassVar = ("activity", "topic", "texts")

    @pytest.fixture
    def jobs(self) -> Jobs:
        """Return the job queue under test."""
        raise missing_fixture(self, "jobs", f"the `Jobs` under test, for the destinations {self.DESTINATIONS}")

    @pytest.fixture
    def take(self, jobs: Jobs) -> Callable[[], Collection[WakeUp]] | None:
        """Return a function that takes the wake-ups since its last call, as workers do; None if no test can.

        What is about all imports or all destinations is about `ALL`, and a wake-up without content is `ANYTHING`.
        """
        what = "a function that takes the wake-ups since its last call, a `Collection[WakeUp]`, or None if no test can"
        raise missing_fixture(self, "take", what)

    @pytest.fixture
    def outage(self) -> AbstractContextManager[object] | None:
        """Return a context manager inside which the server of `jobs` does not respond; None if it has no server."""
        what = "a context manager inside which the server of `jobs` fails at every call, or None if it has no server"
        raise missing_fixture(self, "outage", what)

    def test_waking_workers_never_fails(self, jobs: Jobs) -> None:
        _wake_for_everything(jobs)

    def test_waking_workers_does_not_fail_without_the_server(
        self, jobs: Jobs, outage: AbstractContextManager[object] | None
    ) -> None:
        if outage is None:
            return

        with outage:
            _wake_for_everything(jobs)

    def test_workers_are_woken_for_what_is_named(
        self, jobs: Jobs, take: Callable[[], Collection[WakeUp]] | None
    ) -> None:
        if take is None:
            return
        import_id, other = an_id(), an_id()
        take()

        for function, wake in (("run_import", jobs.run_import), ("undo_import", jobs.undo_import)):
            for about in (import_id, other, import_id):  # a job that was taken can be enqueued again
                wake(about)
                check_wake_ups(take(), [(function, str(about))])

    def test_wake_ups_for_several_imports_are_not_mixed_up(
        self, jobs: Jobs, take: Callable[[], Collection[WakeUp]] | None
    ) -> None:
        if take is None:
            return
        ids = [an_id() for _ in range(5)]
        take()

        for import_id in ids:
            jobs.run_import(import_id)
            jobs.run_import(import_id)
        jobs.undo_import(ids[0])

        check_wake_ups(take(), [*(("run_import", str(it)) for it in ids), ("undo_import", str(ids[0]))])

    @pytest.mark.parametrize("named", [(), ("topic",), ("texts", "activity"), ("activity", "nobody")], ids=str)
    def test_relays_of_the_named_destinations_or_of_all_are_woken(
        self, jobs: Jobs, take: Callable[[], Collection[WakeUp]] | None, named: Collection[str]
    ) -> None:
        if take is None:
            return
        take()
        expected = [("relay", it) for it in self.DESTINATIONS if it in named or not named]

        for _ in range(2):
            jobs.deliver_events(named)
            check_wake_ups(take(), expected, also=[("relay", "nobody")])


def check_wake_ups(taken: Collection[WakeUp], expected: Collection[WakeUp], *, also: Collection[WakeUp] = ()) -> None:
    """Check that the wake-ups are for all that is expected; those for more than that have to be for `ALL`."""
    wide = {ANYTHING, *((function, ALL) for function, _ in expected)}
    woken = {*taken}
    assert [it for it in expected if not woken & {it, (it[0], ALL), ANYTHING}] == []
    assert [it for it in woken if it not in {*expected, *also, *wide}] == []


def _wake_for_everything(jobs: Jobs) -> None:
    import_id = an_id()
    for _ in range(3):
        jobs.run_import(import_id)
        jobs.undo_import(import_id)
        jobs.deliver_events()
        jobs.deliver_events(["activity", "nobody"])


class LinksContract:
    """Derive a test class with a fixture `links`."""

    @pytest.fixture
    def links(self) -> Links:
        """Return the links under test."""
        raise missing_fixture(self, "links", "the `Links` under test")

    def test_a_link_is_an_absolute_address_that_names_its_subject(self, links: Links) -> None:
        task_id, import_id = str(an_id()), str(an_id())

        for link, subject in ((links.of_call_task(task_id), task_id), (links.of_import(import_id), import_id)):
            parts = urlsplit(link)
            assert parts.scheme in ("http", "https")
            assert parts.netloc
            assert subject in link.removeprefix(f"{parts.scheme}://{parts.netloc}")

    def test_different_subjects_have_different_links(self, links: Links) -> None:
        ids = [str(an_id()) for _ in range(2)]

        assert len({link for each in ids for link in (links.of_call_task(each), links.of_import(each))}) == 4
        assert links.of_import(ids[0]) == links.of_import(ids[0])


class RateLimitsContract:
    """Derive a test class with a fixture `limits`, which uses `clock`. Loss of counts in a restart is not tested."""

    @pytest.fixture
    def clock(self) -> FixedClock:
        """Return the clock of `limits`."""
        return FixedClock()

    @pytest.fixture
    def limits(self, clock: FixedClock) -> RateLimits:
        """Return the rate limits under test."""
        raise missing_fixture(self, "limits", "the `RateLimits` under test, which go by `clock`")

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

    def test_keys_are_compared_exactly(self, limits: RateLimits) -> None:
        long = "k" * 100

        for key in ("ann", "Ann", "ánn", f"{long}a", f"{long}b"):
            assert limits.hit(key, 1).allowed

    def test_the_minute_begins_with_a_hit_whatever_the_clock_shows(self, limits: RateLimits, clock: FixedClock) -> None:
        clock.advance(timedelta(seconds=55))
        assert limits.hit("ann", 1).allowed

        clock.advance(timedelta(seconds=10))
        assert not limits.hit("ann", 1).allowed
        clock.advance(timedelta(seconds=50))
        assert limits.hit("ann", 1).allowed

    def test_the_wait_gets_shorter(self, limits: RateLimits, clock: FixedClock) -> None:
        assert limits.hit("ann", 1).reset == 60

        clock.advance(timedelta(seconds=50))

        assert limits.hit("ann", 1).reset == limits.peek("ann", 1).reset == 10

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

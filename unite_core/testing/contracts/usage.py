"""Contract tests of the usage counts."""

from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from unite_core.deadlocks import retry_on_deadlock
from unite_core.testing.builders import an_id
from unite_core.testing.contracts.database import DatabaseContract, Transaction, Units, run_concurrently
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING
from unite_core.usage import HOUR, Usage

_NOW = A_MONDAY_MORNING
_MINUTE = timedelta(minutes=1)
_LIMIT = 3


class UsageUnit(Transaction, Protocol):
    """A unit of work with the port `Usage`."""

    @property
    def usage(self) -> Usage: ...


class UsageContract(DatabaseContract[UsageUnit]):
    """Uses of a subject are counted for an hour, and never exceed the limit within any hour."""

    repositories = "`usage`, a `Usage`"

    def test_uses_are_counted_up_to_the_limit(self, work: Units[UsageUnit]) -> None:
        results = [take(work, "a", at=_NOW + number * _MINUTE) for number in range(_LIMIT + 1)]

        assert results == [None, None, None, _NOW + HOUR]

    def test_a_refused_use_says_when_to_retry(self, work: Units[UsageUnit]) -> None:
        for number in range(_LIMIT):
            take(work, "a", at=_NOW + number * _MINUTE)

        assert take(work, "a", at=_NOW + HOUR - timedelta(microseconds=1)) == _NOW + HOUR
        assert take(work, "a", at=_NOW + HOUR) is None
        assert take(work, "a", at=_NOW + HOUR) == _NOW + HOUR + _MINUTE

    def test_an_hour_is_counted_to_the_microsecond(self, work: Units[UsageUnit]) -> None:
        moment = _NOW + timedelta(microseconds=123457)
        take(work, "a", at=moment, limit=1)

        assert take(work, "a", at=moment + HOUR - timedelta(microseconds=1), limit=1) == moment + HOUR
        assert take(work, "a", at=moment + HOUR, limit=1) is None

    def test_a_lowered_limit_allows_uses_once_enough_are_an_hour_old(self, work: Units[UsageUnit]) -> None:
        for number in range(_LIMIT):
            take(work, "a", at=_NOW + number * _MINUTE)

        assert take(work, "a", at=_NOW + 5 * _MINUTE, limit=1) == _NOW + 2 * _MINUTE + HOUR

    def test_subjects_are_counted_separately(self, work: Units[UsageUnit]) -> None:
        use = an_id()
        assert [take(work, subject, use, limit=1) for subject in ("a", "b", "A")] == [None, None, None]
        assert take(work, "a", limit=1) is not None

        long = "s" * 100
        for subject in ("case", "Case", "cafe", "café", f"{long}a", f"{long}b"):
            assert take(work, subject, limit=1) is None

    def test_a_repeated_use_is_counted_once_from_its_last_moment(self, work: Units[UsageUnit]) -> None:
        use = an_id()
        assert [take(work, "a", use, at=_NOW + number * _MINUTE, limit=1) for number in range(3)] == [None, None, None]

        assert take(work, "a", at=_NOW + HOUR + _MINUTE, limit=1) == _NOW + HOUR + 2 * _MINUTE

    def test_a_use_is_counted_again_after_an_hour(self, work: Units[UsageUnit]) -> None:
        use = an_id()
        take(work, "a", use, limit=1)
        later = _NOW + HOUR
        assert take(work, "a", at=later, limit=1) is None

        assert take(work, "a", use, at=later, limit=1) == later + HOUR
        assert take(work, "a", use, at=later + HOUR, limit=1) is None

    def test_uncommitted_uses_are_not_counted(self, work: Units[UsageUnit]) -> None:
        with work() as unit:
            assert unit.usage.take("a", an_id(), limit=1, now=_NOW) is None

        assert take(work, "a", limit=1) is None

    def test_concurrent_uses_do_not_exceed_the_limit(self, work: Units[UsageUnit]) -> None:
        results = run_concurrently(12, lambda _: retry_on_deadlock(lambda: take(work, "a", limit=_LIMIT)))

        assert results.count(None) == _LIMIT

    def test_concurrent_repeated_uses_are_counted_once(self, work: Units[UsageUnit]) -> None:
        use = an_id()
        results = run_concurrently(6, lambda _: retry_on_deadlock(lambda: take(work, "a", use, limit=2)))

        assert results == [None] * 6
        assert [take(work, "a", limit=2), take(work, "a", limit=2)] == [None, _NOW + HOUR]

    def test_old_uses_are_purged_in_batches(self, work: Units[UsageUnit]) -> None:
        for number in range(_LIMIT):
            take(work, "a", at=_NOW + number * _MINUTE)

        def purge(before: datetime) -> int:
            with work() as unit:
                purged = unit.usage.purge(before=before, limit=2)
                unit.commit()
            return purged

        take(work, "a", at=_NOW + timedelta(seconds=1), limit=100)
        purged = [purge(_NOW + 2 * _MINUTE) for _ in range(4)]
        # A store may count what it keeps beside the uses of a subject, too.
        assert (purged[0], purged[-1]) == (2, 0)
        assert 0 < purged[1] <= 2

        assert [take(work, "a", at=_NOW + 2 * _MINUTE) for _ in range(_LIMIT)] == [
            None,
            None,
            _NOW + HOUR + 2 * _MINUTE,
        ]


def take(
    work: Units[UsageUnit],
    subject: str,
    use: UUID | None = None,
    *,
    at: datetime = _NOW,
    limit: int = _LIMIT,
) -> datetime | None:
    """Count a use in a transaction of its own."""
    with work() as unit:
        free_at = unit.usage.take(subject, use or an_id(), limit=limit, now=at)
        unit.commit()
    return free_at

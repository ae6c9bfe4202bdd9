"""Contract tests of the repository of daily summaries."""

from datetime import date, time, timedelta
from typing import Any, Protocol
from uuid import UUID

from unite_core.deadlocks import retry_on_deadlock
from unite_core.identity.model import Role, User
from unite_core.identity.ports import Users
from unite_core.identity.summary_settings import DailySummary
from unite_core.summaries.model import SummaryTime
from unite_core.summaries.ports import CreatedSummary, DailySummaries
from unite_core.testing.builders import a_user, an_id
from unite_core.testing.contracts.database import DatabaseContract, Transaction, Units, add_all, run_concurrently
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_DAY = date(2026, 3, 2)
_TOMORROW = _DAY + timedelta(days=1)
_SIX = SummaryTime(at=time(18), tz="Europe/Berlin")


def a_manager(time_of_day: SummaryTime | None = _SIX, *, since: date = _DAY, **changes: Any) -> User:
    """Return a manager who gets a summary at that time."""
    summary = None if time_of_day is None else DailySummary(at=time_of_day.at, tz=time_of_day.tz, since=since)
    return a_user(**{"role": Role.MANAGER, "daily_summary": summary, **changes})


class DailySummariesUnit(Transaction, Protocol):
    """A unit of work with the port `DailySummaries` and the port `Users`."""

    @property
    def summaries(self) -> DailySummaries: ...

    @property
    def users(self) -> Users: ...


class DailySummariesContract(DatabaseContract[DailySummariesUnit]):
    """Due summaries are listed, and each is created once."""

    repositories = "`summaries`, a `DailySummaries` and `users`, a `Users`"

    def test_a_summary_request_is_stored_changed_and_ended(
        self, work: Units[DailySummariesUnit], reads: Units[DailySummariesUnit]
    ) -> None:
        mia = a_manager(SummaryTime(at=time(0, 5), tz="America/Argentina/ComodRivadavia"))
        add_all(work, mia)
        assert _read(reads, mia) == mia

        for summary in (DailySummary(at=time(23, 59), tz="UTC", since=_TOMORROW), None):
            mia.set_summary(summary)
            mia.mark_updated(A_MONDAY_MORNING)
            with work() as unit:
                unit.users.save(mia)
                unit.commit()
            assert _read(reads, mia) == mia

    def test_times_are_those_requested_by_active_users_with_the_permission(
        self, work: Units[DailySummariesUnit], reads: Units[DailySummariesUnit]
    ) -> None:
        late, far = SummaryTime(at=time(20), tz="Europe/Berlin"), SummaryTime(at=time(18), tz="Asia/Tokyo")
        add_all(
            work,
            a_manager(),
            a_manager(),
            a_manager(late, role=Role.ADMIN),
            a_manager(far),
            a_manager(None),
            a_manager(SummaryTime(at=time(1), tz="UTC"), active=False),
            a_manager(SummaryTime(at=time(2), tz="UTC"), role=Role.AGENT),
        )

        with reads() as unit:
            times = unit.summaries.times()

        assert len(times) == 3
        assert set(times) == {_SIX, late, far}

    def test_without_summary_requests_there_is_no_time(self, reads: Units[DailySummariesUnit]) -> None:
        with reads() as unit:
            assert [*unit.summaries.times()] == []

    def test_users_are_due_at_their_time_from_their_first_day_on(
        self, work: Units[DailySummariesUnit], reads: Units[DailySummariesUnit]
    ) -> None:
        earlier, today, admin = a_manager(since=_DAY - timedelta(days=9)), a_manager(), a_manager(role=Role.ADMIN)
        add_all(
            work,
            a_manager(since=_TOMORROW),
            earlier,
            a_manager(SummaryTime(at=time(18, 1), tz="Europe/Berlin")),
            a_manager(SummaryTime(at=time(18), tz="Europe/Paris")),
            a_manager(None),
            today,
            a_manager(active=False),
            a_manager(role=Role.AGENT),
            admin,
        )

        assert _waiting(reads) == [earlier.id, today.id, admin.id]

    def test_due_users_are_listed_in_the_order_of_their_ids_up_to_a_limit(
        self, work: Units[DailySummariesUnit], reads: Units[DailySummariesUnit]
    ) -> None:
        managers = [a_manager() for _ in range(5)]
        add_all(work, *reversed(managers))
        ids = [manager.id for manager in managers]

        assert _waiting(reads, limit=2) == ids[:2]
        assert _waiting(reads, after=ids[1], limit=2) == ids[2:4]
        assert _waiting(reads, after=ids[4]) == []

    def test_a_user_with_the_summary_of_a_day_is_due_the_next_day(
        self, work: Units[DailySummariesUnit], reads: Units[DailySummariesUnit]
    ) -> None:
        mia, ada = a_manager(), a_manager()
        add_all(work, mia, ada)

        assert _add(work, mia)

        assert _waiting(reads) == [ada.id]
        assert _waiting(reads, day=_TOMORROW) == [mia.id, ada.id]

    def test_a_user_has_one_summary_per_day(self, work: Units[DailySummariesUnit]) -> None:
        mia, ada = a_manager(), a_manager()
        add_all(work, mia, ada)

        assert [_add(work, mia), _add(work, mia), _add(work, ada), _add(work, mia, _TOMORROW)] == [
            True,
            False,
            True,
            True,
        ]

    def test_an_uncommitted_summary_is_not_stored(
        self, work: Units[DailySummariesUnit], reads: Units[DailySummariesUnit]
    ) -> None:
        mia = a_manager()
        add_all(work, mia)
        with work() as unit:
            assert unit.summaries.add(_made(mia))

        assert _waiting(reads) == [mia.id]
        assert _add(work, mia)

    def test_one_of_many_concurrent_summaries_is_stored(self, work: Units[DailySummariesUnit]) -> None:
        mia = a_manager()
        add_all(work, mia)

        made = run_concurrently(8, lambda _: retry_on_deadlock(lambda: _add(work, mia)))

        assert sorted(made) == [False] * 7 + [True]


def _made(user: User, day: date = _DAY) -> CreatedSummary:
    return CreatedSummary(user_id=user.id, day=day, event_id=an_id(), at=A_MONDAY_MORNING)


def _add(work: Units[DailySummariesUnit], user: User, day: date = _DAY) -> bool:
    with work() as unit:
        added = unit.summaries.add(_made(user, day))
        unit.commit()
    return added


def _waiting(
    reads: Units[DailySummariesUnit], *, day: date = _DAY, after: UUID | None = None, limit: int = 100
) -> list[UUID]:
    with reads() as unit:
        return [*unit.summaries.waiting(_SIX, day, after=after, limit=limit)]


def _read(reads: Units[DailySummariesUnit], user: User) -> User:
    with reads() as unit:
        return unit.users.get(user.id)

"""Contract tests of the counting of calls by agent and day."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

import pytest

from unite_core.application import FullUnitOfWork
from unite_core.cache import NoCache
from unite_core.calls.ledger import LedgerEntry
from unite_core.notifications.ports import ActivityLog
from unite_core.periods import Period, quarter_of
from unite_core.reports.agent_activity import LedgerActivity
from unite_core.reports.call_queries import by_day
from unite_core.reports.documents import CallActivity
from unite_core.reports.ports import Dimension, key_of
from unite_core.reports.tally import Tally
from unite_core.testing.builders import an_event_of
from unite_core.testing.contracts.database import DatabaseContract, add_all
from unite_core.testing.contracts.rollups import History, a_history, fold_entries
from unite_core.unit_of_work import UnitOfWorkFactory

Record = Callable[[Sequence[LedgerEntry]], None]

_ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia")


def deliver_entries(log: ActivityLog, entries: Sequence[LedgerEntry]) -> None:
    """Deliver events of the entries to the log, in batches of its size, the last entries first."""
    for start in range(0, len(entries), log.subscription.batch_size):
        log.deliver([an_event_of(entry) for entry in reversed(entries[start : start + log.subscription.batch_size])])


class CallActivityContract(DatabaseContract[FullUnitOfWork]):
    """By default the ledger is counted; override `activity`, and `record` so that entries reach it.

    `work` stores the tasks of the calls.
    """

    @pytest.fixture
    def activity(self, reads: UnitOfWorkFactory[FullUnitOfWork]) -> CallActivity:
        """Return the implementation under test."""
        return LedgerActivity(reads, NoCache())

    @pytest.fixture
    def record(self, work: UnitOfWorkFactory[FullUnitOfWork]) -> Record:
        """Return a function that makes entries known to `activity`."""
        return lambda entries: add_all(work, *entries)

    @pytest.mark.parametrize("tz", _ZONES)
    def test_each_call_counts_for_its_agent_and_day_by_its_last_entry(
        self, work: UnitOfWorkFactory[FullUnitOfWork], activity: CallActivity, record: Record, tz: str
    ) -> None:
        history = a_history(work, tasks=60, corrections=40)
        record(history.entries[:50])
        fold_entries(work)
        record(history.entries[50:])

        for agent_id in (None, history.agents[0].id):
            for days in (1, 5, 300):
                period = Period(date(2026, 3, 3), date(2026, 3, 3) + timedelta(days=days - 1), tz)
                assert _counted(activity, period, agent_id) == _expected(history, period, agent_id)

    def test_without_calls_nothing_is_counted(self, activity: CallActivity) -> None:
        assert _counted(activity, Period(date(2026, 3, 2), date(2026, 3, 9), "UTC"), None) == {}

    def test_a_day_that_a_zone_skipped_has_no_call(self, activity: CallActivity) -> None:
        skipped = Period(date(2011, 12, 30), date(2011, 12, 30), "Pacific/Apia")
        assert _counted(activity, skipped, None) == {}


def _counted(activity: CallActivity, period: Period, agent_id: UUID | None) -> Mapping[tuple[str, int], object]:
    return _plain(activity.by_agent(by_day(period, agent_id)))


def _expected(history: History, period: Period, agent_id: UUID | None) -> Mapping[tuple[str, int], object]:
    answer: dict[tuple[str, int], Tally] = {}
    for entry in {entry.task_id: entry for entry in history.entries}.values():
        for number, day in enumerate(period.days):
            of_day = day.first <= quarter_of(entry.called_at) < day.end
            if of_day and agent_id in (None, entry.agent_id):
                answer.setdefault((key_of(Dimension.AGENT, entry), number), Tally()).add(entry)
    return _plain(answer)


def _plain(answer: Mapping[tuple[str, int], Tally]) -> Mapping[tuple[str, int], object]:
    """Return the counts without those that were counted and uncounted again."""
    return {
        key: ({result: number for result, number in tally.calls.items() if number}, tally.seconds)
        for key, tally in answer.items()
        if not tally.empty
    }

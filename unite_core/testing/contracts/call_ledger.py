"""Contract tests of the repository of the call ledger."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Protocol
from uuid import UUID

import pytest

from unite_core.calls.ledger import EntryKind, LedgerEntry, hash_of
from unite_core.calls.model import CallOutcome, CallResult, CallTask
from unite_core.calls.ports import CallLedger, ClockFilter, LedgerFilter
from unite_core.errors import Deadlock, NotFound
from unite_core.paging import Page, PageRequest, Position
from unite_core.testing.builders import a_lead, a_task, a_user, an_entry, an_id
from unite_core.testing.contracts.database import (
    DatabaseContract,
    Transaction,
    Units,
    add_all,
    require_repositories,
    run_concurrently,
)
from unite_core.testing.contracts.pages import check_pages
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_NOW = A_MONDAY_MORNING
_MICROSECOND = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)
_EXACT = datetime(2026, 10, 25, 0, 59, 59, 999_999, tzinfo=UTC)
_ELSEWHERE = _EXACT.astimezone(timezone(timedelta(hours=5, minutes=45)))

ENTRIES: dict[str, dict[str, Any]] = {
    "a call": {
        "outcome": CallOutcome.CALLBACK_REQUESTED,
        "duration_seconds": 86_400,
        "at": _EXACT,
        "started_at": _ELSEWHERE,
        "follow_up_at": _EXACT + 2 * _MICROSECOND,
        "note": "Zoë 王小明 👩🏽‍💻 𠜎\n\tshe said: “call back”, 100 %\u2028'; -- ﬁ Å Å e\u0301",
    },
    "a call of few words": {"outcome": CallOutcome.NO_ANSWER, "duration_seconds": 0, "at": _ELSEWHERE},
    "a call of many words": {"note": "👩" * 2000, "source": "👩" * 64, "attempt": 1000},
    "a call at exact moments": {
        "at": _EXACT,
        "called_at": _EXACT - _MICROSECOND,
        "started_at": _EXACT - 2 * _MICROSECOND,
    },
    "a call that was not made": {
        "kind": EntryKind.MISSED,
        "agent_id": None,
        "actor_id": None,
        "outcome": None,
        "duration_seconds": None,
    },
    "a call that need not be made": {
        "kind": EntryKind.CANCELLED,
        "outcome": None,
        "duration_seconds": None,
        "reason": "王" * 500,
    },
    "a correction": {
        "kind": EntryKind.CORRECTION,
        "duration_seconds": 7,
        "reason": "It was shorter.",
        "corrects": UUID(int=7),
    },
}
"""Entries of every kind."""


class CallLedgerUnit(Transaction, Protocol):
    """A unit of work with the port `CallLedger`."""

    @property
    def ledger(self) -> CallLedger: ...


class CallLedgerContract(DatabaseContract[CallLedgerUnit]):
    """The entries of every chain cannot be changed or deleted."""

    repositories = "`ledger`, a `CallLedger`"

    @pytest.fixture
    def task(self, work: Units[CallLedgerUnit]) -> CallTask:
        """Return a task that is stored already, assigned to a user."""
        return _a_stored_task(work)

    @pytest.mark.parametrize("kind", ENTRIES)
    def test_an_entry_comes_back_as_it_was_and_its_hash_is_right(
        self,
        work: Units[CallLedgerUnit],
        reads: Units[CallLedgerUnit],
        task: CallTask,
        kind: str,
    ) -> None:
        entry, other = an_entry(task, **ENTRIES[kind]), an_entry(_a_stored_task(work))

        add_all(work, other, entry)

        with reads() as unit:
            stored = [
                unit.ledger.get(entry.id),
                unit.ledger.chains([task.id])[task.id][0],
                unit.ledger.chains_as_stored([task.id])[task.id][0],
                *unit.ledger.page(LedgerFilter(task_id=task.id), PageRequest()).items,
            ]
            assert unit.ledger.get(other.id) == other
        assert stored == [entry] * 4
        assert {hash_of(each) for each in stored if isinstance(each, LedgerEntry)} == {entry.hash}

    def test_an_unknown_entry_is_not_found(self, reads: Units[CallLedgerUnit]) -> None:
        with reads() as unit, pytest.raises(NotFound):
            unit.ledger.get(an_id())

    def test_an_entry_of_a_unit_that_is_rolled_back_is_not_there(
        self, work: Units[CallLedgerUnit], reads: Units[CallLedgerUnit], task: CallTask
    ) -> None:
        entry = an_entry(task)

        with work() as unit:
            unit.ledger.append(entry)

        with reads() as unit, pytest.raises(NotFound):
            unit.ledger.get(entry.id)

    def test_a_position_in_a_chain_is_used_once_and_the_unit_of_work_can_go_on(
        self, work: Units[CallLedgerUnit], reads: Units[CallLedgerUnit], task: CallTask
    ) -> None:
        first = an_entry(task)
        add_all(work, first)

        with work() as unit:
            with pytest.raises(Deadlock):
                unit.ledger.append(an_entry(task))
            second = an_entry(task, [first])
            unit.ledger.append(second)
            unit.commit()

        assert _chains(reads, task) == {task.id: [first, second]}

    def test_one_of_several_concurrent_appends_to_a_chain_succeeds(
        self, work: Units[CallLedgerUnit], reads: Units[CallLedgerUnit], task: CallTask
    ) -> None:
        first = an_entry(task)
        add_all(work, first)

        def append(number: int) -> bool:
            with work() as unit:
                try:
                    unit.ledger.append(an_entry(task, [first], duration_seconds=number))
                except Deadlock:
                    return False
                unit.commit()
            return True

        assert sorted(run_concurrently(4, append)) == [False, False, False, True]
        assert [entry.number for entry in _chains(reads, task)[task.id]] == [1, 2]

    def test_chains_begin_with_their_first_entry(
        self, work: Units[CallLedgerUnit], reads: Units[CallLedgerUnit]
    ) -> None:
        tasks = [_a_stored_task(work) for _ in range(3)]
        chains: dict[UUID, list[LedgerEntry]] = {task.id: [] for task in tasks[:2]}
        ids = [an_id() for _ in range(8)]
        for number in range(4):
            for task in tasks[:2]:
                # Neither the times nor the ids of entries say which one is next.
                chain = chains[task.id]
                chain.append(an_entry(task, chain, at=_NOW - number * _HOUR, id=ids.pop()))
        for each in chains.values():
            add_all(work, *each)

        chains_read = _chains(reads, *tasks)

        assert chains_read == chains
        assert _chains(reads, tasks[1]) == {tasks[1].id: chains[tasks[1].id]}
        assert _chains(reads) == {}

    def test_thousands_of_chains_are_read_at_once(
        self, work: Units[CallLedgerUnit], reads: Units[CallLedgerUnit], task: CallTask
    ) -> None:
        entry = an_entry(task)
        add_all(work, entry)

        with reads() as unit:
            chains_read = unit.ledger.chains(
                [*(an_id() for _ in range(2500)), task.id, *(an_id() for _ in range(2499))]
            )

        assert {task_id: [*chain] for task_id, chain in chains_read.items()} == {task.id: [entry]}

    def test_intact_chains_have_no_orphans(
        self, work: Units[CallLedgerUnit], reads: Units[CallLedgerUnit], task: CallTask
    ) -> None:
        require_repositories(self, work, "tasks")
        first = an_entry(task)
        chain = [first, an_entry(task, [first])]
        add_all(work, *chain)

        with reads() as unit:
            assert {key: [*it] for key, it in unit.ledger.chains_as_stored([task.id, an_id()]).items()} == {
                task.id: chain
            }
            assert unit.ledger.first_orphan(None, None) is None
            assert unit.ledger.first_orphan(task.id, None) is None
            assert unit.ledger.first_orphan(None, task.id) is None

    def test_pages_go_from_the_newest_to_the_oldest(
        self, work: Units[CallLedgerUnit], reads: Units[CallLedgerUnit], task: CallTask
    ) -> None:
        moments = [_NOW, _NOW - _HOUR, _NOW, _NOW + _MICROSECOND, _NOW + _HOUR]
        chain: list[LedgerEntry] = []
        for at in moments:
            chain.append(an_entry(task, chain, at=at))
        add_all(work, *chain)

        with reads() as unit:
            first = unit.ledger.page(LedgerFilter(), PageRequest(limit=2))
            second = unit.ledger.page(LedgerFilter(), PageRequest(limit=2, after=first.next))
            third = unit.ledger.page(LedgerFilter(), PageRequest(limit=2, after=second.next))

        assert [*first.items, *second.items, *third.items] == [chain[it] for it in (4, 3, 2, 0, 1)]
        assert third.next is None

    @pytest.mark.parametrize("by_call_time", [False, True])
    def test_pages_of_every_size_neither_skip_nor_repeat(
        self, work: Units[CallLedgerUnit], reads: Units[CallLedgerUnit], task: CallTask, by_call_time: bool
    ) -> None:
        moments = [_NOW, _NOW - _HOUR, _NOW, _NOW + _MICROSECOND, _NOW, _NOW + _HOUR, _NOW]
        chain: list[LedgerEntry] = []
        for place, moment in enumerate(moments):
            elsewhere = _NOW - place * _HOUR
            at, called_at = (elsewhere, moment) if by_call_time else (moment, elsewhere)
            chain.append(an_entry(task, chain, at=at, called_at=called_at))
        add_all(work, *chain)
        filters = LedgerFilter(task_id=task.id, called_from=_NOW - _HOUR if by_call_time else None)

        def page(request: PageRequest) -> Page[LedgerEntry]:
            with reads() as unit:
                return unit.ledger.page(filters, request)

        def position(entry: LedgerEntry) -> Position:
            return Position(entry.called_at if by_call_time else entry.at, entry.id)

        check_pages(page, sorted(chain, key=lambda it: (position(it).at, it.id), reverse=True), position)

    def test_pages_contain_what_matches_the_filter(
        self, work: Units[CallLedgerUnit], reads: Units[CallLedgerUnit]
    ) -> None:
        mine, other = _a_stored_task(work), _a_stored_task(work)
        ann, ben = an_id(), an_id()
        entries = {
            "first": an_entry(mine, at=_NOW - _HOUR, agent_id=ann),
            "others": an_entry(other, at=_NOW, agent_id=ben, lead_id=mine.lead_id),
            "nobodys": an_entry(_a_stored_task(work), at=_NOW + _MICROSECOND, agent_id=None),
        }
        entries["second"] = an_entry(mine, [entries["first"]], at=_NOW + _HOUR, agent_id=ann)
        add_all(work, *entries.values())
        names = {entry.id: name for name, entry in entries.items()}

        def matching(**filters: Any) -> list[str]:
            with reads() as unit:
                return [names[it.id] for it in unit.ledger.page(LedgerFilter(**filters), PageRequest()).items]

        assert matching() == ["second", "nobodys", "others", "first"]
        assert matching(agent_id=ann) == ["second", "first"]
        assert matching(lead_id=mine.lead_id) == ["second", "others", "first"]
        assert matching(task_id=mine.id) == ["second", "first"]
        assert matching(at_from=_NOW) == ["second", "nobodys", "others"]
        assert matching(at_to=_NOW) == ["first"]
        assert matching(at_from=_NOW, at_to=_NOW + _MICROSECOND) == ["others"]
        assert matching(lead_id=mine.lead_id, agent_id=ben) == ["others"]
        assert matching(task_id=other.id, lead_id=mine.lead_id, agent_id=ann) == []
        assert matching(agent_id=ann, at_from=_NOW) == ["second"]
        assert matching(visible_to=ben) == ["others"]
        assert matching(visible_to=ben, agent_id=ben, lead_id=mine.lead_id) == ["others"]
        assert matching(visible_to=ben, agent_id=ann) == []
        assert matching(visible_to=ben, task_id=mine.id) == []

    def test_pages_by_call_time_go_from_the_newest_to_the_oldest(
        self, work: Units[CallLedgerUnit], reads: Units[CallLedgerUnit], task: CallTask
    ) -> None:
        moments = [_NOW, _NOW - _HOUR, _NOW, _NOW + _MICROSECOND, _NOW + _HOUR]
        chain: list[LedgerEntry] = []
        for place, called_at in enumerate(moments):
            chain.append(an_entry(task, chain, called_at=called_at, at=_NOW + place * _HOUR))
        add_all(work, *chain)
        filters = LedgerFilter(called_from=_NOW - _HOUR)

        with reads() as unit:
            first = unit.ledger.page(filters, PageRequest(limit=2))
            second = unit.ledger.page(filters, PageRequest(limit=2, after=first.next))
            third = unit.ledger.page(filters, PageRequest(limit=2, after=second.next))

        assert [*first.items, *second.items, *third.items] == [chain[it] for it in (4, 3, 2, 0, 1)]
        assert third.next is None

    def test_pages_contain_the_calls_that_match_the_filter(
        self, work: Units[CallLedgerUnit], reads: Units[CallLedgerUnit]
    ) -> None:
        mine, other = _a_stored_task(work), _a_stored_task(work)
        no_call: dict[str, Any] = {"outcome": None, "duration_seconds": None}
        entries = {
            "missed": an_entry(mine, kind=EntryKind.MISSED, called_at=_NOW + 2 * _HOUR, source="web", **no_call),
            "fifth": an_entry(other, called_at=_NOW, agent_id=None, source=None, attempt=5, outcome=CallOutcome.BUSY),
        }
        entries["made"] = an_entry(mine, [entries["missed"]], called_at=_NOW + _HOUR, source="web", attempt=6)
        gone = _a_stored_task(work)
        entries["gone"] = an_entry(
            gone, kind=EntryKind.CANCELLED, called_at=_NOW + 3 * _HOUR, at=_NOW - _HOUR, source="fair", **no_call
        )
        add_all(work, *entries.values())
        names = {entry.id: name for name, entry in entries.items()}

        def matching(**conditions: Any) -> list[str]:
            with reads() as unit:
                page = unit.ledger.page(LedgerFilter(called_from=_NOW, **conditions), PageRequest())
            return [names[it.id] for it in page.items]

        assert matching() == ["gone", "missed", "made", "fifth"]
        assert matching(called_to=_NOW + 2 * _HOUR) == ["made", "fifth"]
        assert matching(at_from=_NOW) == ["missed", "made", "fifth"]
        assert matching(at_to=_NOW) == ["gone"]
        assert matching(results=frozenset({CallResult.MISSED, CallResult.BUSY})) == ["missed", "fifth"]
        assert matching(results=frozenset({CallResult.CANCELLED, CallResult.CONNECTED})) == ["gone", "made"]
        assert matching(sources=frozenset({"web"})) == ["missed", "made"]
        assert matching(sources=frozenset({"fair", None})) == ["gone", "fifth"]
        assert matching(attempts=frozenset({5})) == ["made", "fifth"]
        assert matching(attempts=frozenset({1, 4})) == []
        assert matching(without_agent=True) == ["fifth"]
        assert matching(without_agent=True, agent_id=mine.assigned_to) == []
        assert matching(without_agent=True, visible_to=mine.assigned_to) == []
        assert matching(counted=True) == ["gone", "made", "fifth"]
        assert matching(counted=False) == ["missed"]
        assert matching(counted=True, agent_id=mine.assigned_to) == ["made"]
        assert matching(counted=True, task_id=mine.id) == ["made"]
        assert matching(counted=True, lead_id=mine.lead_id, results=frozenset({CallResult.MISSED})) == []

    def test_calls_are_filtered_by_the_hours_and_weekdays_of_a_clock(
        self, work: Units[CallLedgerUnit], reads: Units[CallLedgerUnit]
    ) -> None:
        # Monday, 2 March 2026, 9:00 in Kathmandu (UTC+5:45) is 3:15 in UTC; Sunday is still Sunday in New York.
        nine = datetime(2026, 3, 2, 3, 15, tzinfo=UTC)
        moments = {"before": nine - _MICROSECOND, "nine": nine, "later": nine + 50 * _HOUR / 60, "ten": nine + _HOUR}
        entries = {
            name: an_entry(_a_stored_task(work), called_at=moment, at=nine + 2 * _HOUR)
            for name, moment in moments.items()
        }
        add_all(work, *entries.values())
        names = {entry.id: name for name, entry in entries.items()}

        def matching(tz: str, **clock: Any) -> list[str]:
            span: dict[str, Any] = {"called_from": nine - _HOUR, "called_to": nine + 2 * _HOUR}
            with reads() as unit:
                page = unit.ledger.page(LedgerFilter(**span, clock=ClockFilter(tz=tz, **clock)), PageRequest())
            return [names[it.id] for it in page.items]

        assert matching("Asia/Kathmandu") == ["ten", "later", "nine", "before"]
        assert matching("Asia/Kathmandu", hours=frozenset({9})) == ["later", "nine"]
        assert matching("Asia/Kathmandu", hours=frozenset({8, 10})) == ["ten", "before"]
        assert matching("Asia/Kathmandu", weekdays=frozenset({1}), hours=frozenset({9})) == ["later", "nine"]
        assert matching("Asia/Kathmandu", weekdays=frozenset({7})) == []
        assert matching("America/New_York", weekdays=frozenset({7})) == ["ten", "later", "nine", "before"]
        assert matching("UTC", hours=frozenset({3})) == ["nine", "before"]


def _a_stored_task(work: Units[CallLedgerUnit]) -> CallTask:
    ann, lead = a_user(), a_lead()
    task = a_task(lead, ann, assigned_to=ann.id)
    add_all(work, ann, lead, task)
    return task


def _chains(reads: Units[CallLedgerUnit], *tasks: CallTask) -> dict[UUID, list[LedgerEntry]]:
    with reads() as unit:
        chains_read = unit.ledger.chains([task.id for task in tasks])
    return {task_id: [*chain] for task_id, chain in chains_read.items()}

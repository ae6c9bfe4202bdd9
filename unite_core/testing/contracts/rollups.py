"""Contract tests of rollups: every call is counted by its last entry, whether its entries are folded or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest

from unite_core.application import FullUnitOfWork
from unite_core.calls.ledger import EntryKind, LedgerEntry, link_to_chain
from unite_core.calls.model import CallOutcome, CallTask
from unite_core.identity.model import User
from unite_core.periods import QUARTERS_PER_DAY, Period, quarter_of
from unite_core.reports.call_queries import by_day
from unite_core.reports.ports import Dimension, Question, Timeline, Totals, key_of
from unite_core.reports.rollup_counts import run_queries
from unite_core.reports.tally import Tally
from unite_core.reports.use_cases import FoldEntries, RebuildReports
from unite_core.testing.builders import a_lead, a_task, a_user, an_entry, an_id
from unite_core.testing.contracts.database import DatabaseContract, add_all, run_concurrently
from unite_core.testing.contracts.pseudo_random import Choices
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING
from unite_core.unit_of_work import UnitOfWorkFactory

K = TypeVar("K")

_DAYS = 4

MAX_BATCHES = 100
"""Batches of entries that a test folds: more than there are."""

_SOURCES = ("api", "fair, spring", "none", None)
_ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe")


@dataclass(frozen=True)
class History:
    """Entries in the order in which they are written, of stored tasks, and the agents of the calls."""

    agents: Sequence[User]
    entries: Sequence[LedgerEntry]


def a_history(
    work: UnitOfWorkFactory[FullUnitOfWork], *, seed: int = 1, tasks: int = 40, corrections: int = 30
) -> History:
    """Store users, a lead and tasks, and return entries that are not stored yet; the same for the same seed."""
    choices = Choices(seed)
    agents, lead = [a_user() for _ in range(3)], a_lead()
    made = [
        a_task(lead, agents[0], assigned_to=choices.of([*(agent.id for agent in agents), None])) for _ in range(tasks)
    ]
    add_all(work, *agents, lead, *made)
    chains: dict[UUID, list[LedgerEntry]] = {task.id: [_closing(task, choices)] for task in made}
    written = [chain[0] for chain in chains.values()]
    for _ in range(corrections):
        chain = chains[choices.of(made).id]
        chain.append(_correction(chain, choices))
        written.append(chain[-1])
    return History(agents, written)


def fold_entries(work: UnitOfWorkFactory[FullUnitOfWork], *, limit: int = 500) -> int:
    """Fold all entries, and return how many that were; a store that never marks them as folded does not hang a test."""
    batches = iter(range(MAX_BATCHES))
    folded = FoldEntries(work)(limit=limit, should_stop=lambda: next(batches, None) is None)
    assert next(batches, None) is not None, "Entries that were folded are claimed again and again."
    return folded


class RollupsContract(DatabaseContract[FullUnitOfWork]):
    """Questions are answered from rollups, and from the entries that are not folded yet."""

    def test_an_entry_is_counted_from_when_it_is_committed(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        history = a_history(work, tasks=1, corrections=0)
        entry = history.entries[0]
        assert _counted(reads, _everything(Dimension.ALL)) == {}

        add_all(work, entry)

        for _ in ("as it was written", "as it was folded"):
            period = Period(date(2026, 2, 1), date(2026, 4, 30), "UTC")
            [in_all, by_days] = _expected_results(reads, _everything(Dimension.ALL), by_day(period, None))
            [(_, tally), (_, of_day)] = [*in_all.items(), *by_days.items()]
            assert tally.calls == of_day.calls == {entry.result: 1}
            assert of_day.recorded_at == entry.at
            assert tally.recorded_at is None
            fold_entries(work)

    @pytest.mark.parametrize("folded", [0, 1, 25, 70])
    def test_results_do_not_depend_on_how_many_entries_are_folded(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork], folded: int
    ) -> None:
        history = a_history(work)
        add_all(work, *history.entries[:folded])
        assert fold_entries(work, limit=7) == folded
        add_all(work, *history.entries[folded:])

        check_all_results(reads, history)

    def test_entries_may_be_folded_in_any_order(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        history = a_history(work)
        add_all(work, *history.entries)
        with work() as unit:
            steps = unit.rollups.claim(limit=100)
        assert len(steps) == len(history.entries)
        assert {step.entry.id for step in steps} == {entry.id for entry in history.entries}
        assert all((step.before is None) == (step.entry.number == 1) for step in steps)
        assert all(step.before.number == step.entry.number - 1 for step in steps if step.before is not None)

        fold_entries(work, limit=3)

        check_all_results(reads, history)
        with reads() as unit:
            assert unit.rollups.unfolded() == []

    def test_uncommitted_folds_are_repeated(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        history = a_history(work, tasks=3, corrections=2)
        add_all(work, *history.entries)
        with work() as unit:
            steps = unit.rollups.claim(limit=2)
            unit.rollups.fold(steps, {})

        assert fold_entries(work) == len(history.entries)
        assert fold_entries(work) == 0
        check_all_results(reads, history)

    def test_concurrent_folds_fold_each_entry_once(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        history = a_history(work)
        add_all(work, *history.entries)

        folded = run_concurrently(3, lambda _: fold_entries(work, limit=5))

        assert sum(folded) == len(history.entries)
        check_all_results(reads, history)

    @pytest.mark.parametrize("folded", [0, 33, 70])
    def test_a_rebuild_changes_no_result(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork], folded: int
    ) -> None:
        history = a_history(work)
        add_all(work, *history.entries[:folded])
        fold_entries(work)
        add_all(work, *history.entries[folded:])

        rebuilt = RebuildReports(work)()

        assert rebuilt.days == rebuilt.of_days > 0 or folded == 0
        check_all_results(reads, history)
        fold_entries(work)
        check_all_results(reads, history)

    def test_a_rebuild_corrects_wrong_counts(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        history = a_history(work)
        add_all(work, *history.entries)
        fold_entries(work)
        with work() as unit:
            days = unit.rollups.days()
            unit.rollups.replace_day(days[0], {})
            unit.commit()
        called = {quarter_of(entry.called_at) // QUARTERS_PER_DAY for entry in history.entries}
        assert called <= {*days}
        assert [*days] == sorted(days)
        assert _counted(reads, _everything(Dimension.ALL)) != _expected(history, _everything(Dimension.ALL))

        RebuildReports(work)()

        check_all_results(reads, history)

    def test_several_queries_at_once_have_the_results_of_each(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        history = a_history(work)
        add_all(work, *history.entries[:50])
        fold_entries(work)
        add_all(work, *history.entries[50:])
        period = Period(date(2026, 1, 1), date(2026, 3, 31), "Asia/Kathmandu")
        agent_id = history.agents[0].id
        questions: list[Question] = [
            *(_everything(dimension) for dimension in Dimension),
            *(replace(_everything(dimension), agent_id=agent_id) for dimension in Dimension),
            by_day(period, None),
            Timeline(segments=period.by_hour_of_week(), agent_id=agent_id),
        ]

        together = _expected_results(reads, *questions)

        assert together == [_expected_results(reads, question)[0] for question in questions]
        assert all(together)
        assert _expected_results(reads) == []

    def test_without_a_call_there_is_nothing_to_rebuild(self, work: UnitOfWorkFactory[FullUnitOfWork]) -> None:
        assert RebuildReports(work)().of_days == 0


def check_all_results(
    reads: UnitOfWorkFactory[FullUnitOfWork], history: History, written: Sequence[LedgerEntry] = ()
) -> None:
    """Check that every question has the answer of counting the entries one by one: all, or those in `written`."""
    history = replace(history, entries=written or history.entries)
    one_day = date(2026, 3, 3)
    for agent_id in (None, history.agents[0].id):
        for tz in _ZONES:
            period = Period(one_day, one_day + timedelta(days=1), tz)
            for dimension in Dimension:
                question = Totals(start=period.start, end=period.end, by=dimension, agent_id=agent_id)
                assert _counted(reads, question) == _expected(history, question)
            for lines in (by_day(period, agent_id), Timeline(segments=period.by_hour_of_week(), agent_id=agent_id)):
                assert _lines(reads, lines) == _expected_lines(history, lines)
        for dimension in Dimension:
            everything = replace(_everything(dimension), agent_id=agent_id)
            assert _counted(reads, everything) == _expected(history, everything)


def _everything(by: Dimension) -> Totals:
    return Totals(start=0, end=quarter_of(A_MONDAY_MORNING + timedelta(days=30)), by=by)


def _counted(reads: UnitOfWorkFactory[FullUnitOfWork], question: Totals) -> dict[str, Tally]:
    return _without_empty(_expected_results(reads, question)[0])


def _lines(reads: UnitOfWorkFactory[FullUnitOfWork], question: Timeline) -> dict[int, Tally]:
    return {int(label): tally for label, tally in _without_empty(_expected_results(reads, question)[0]).items()}


def _expected_results(reads: UnitOfWorkFactory[FullUnitOfWork], *questions: Question) -> list[dict[str, Tally]]:
    with reads() as unit:
        return run_queries(unit.rollups, unit.rollups.unfolded(), questions)


def _expected(history: History, question: Totals) -> dict[str, Tally]:
    answer: dict[str, Tally] = {}
    for entry in _last_of_each(history):
        within = question.start <= quarter_of(entry.called_at) < question.end
        if within and question.agent_id in (None, entry.agent_id):
            answer.setdefault(key_of(question.by, entry), Tally()).add(entry)
    for tally in answer.values():
        tally.recorded_at = None
    return _without_empty(answer)


def _expected_lines(history: History, question: Timeline) -> dict[int, Tally]:
    answer: dict[int, Tally] = {}
    for entry in _last_of_each(history):
        quarter = quarter_of(entry.called_at)
        for segment in question.segments:
            if segment.first <= quarter < segment.end and question.agent_id in (None, entry.agent_id):
                answer.setdefault(segment.label(quarter), Tally()).add(entry)
    return _without_empty(answer)


def _last_of_each(history: History) -> Sequence[LedgerEntry]:
    return list({entry.task_id: entry for entry in history.entries}.values())


def _without_empty(answer: Mapping[K, Tally]) -> dict[K, Tally]:
    """Return the tallies that count anything, without `recorded_at`, which also covers uncounted calls."""
    return {
        key: Tally({result: number for result, number in tally.calls.items() if number}, tally.seconds)
        for key, tally in answer.items()
        if not tally.empty
    }


def _closing(task: CallTask, choices: Choices) -> LedgerEntry:
    at = A_MONDAY_MORNING + timedelta(minutes=choices.below(_DAYS * 24 * 60))
    facts: dict[str, Any] = {"source": choices.of(_SOURCES), "at": at + timedelta(hours=1), "called_at": at}
    if choices.below(10) < 3:
        kind = choices.of([EntryKind.MISSED, EntryKind.CANCELLED])
        return an_entry(task, kind=kind, outcome=None, duration_seconds=None, **facts)
    outcome = choices.of(list(CallOutcome))
    return an_entry(task, outcome=outcome, duration_seconds=choices.below(900), attempt=1 + choices.below(7), **facts)


def _correction(chain: Sequence[LedgerEntry], choices: Choices) -> LedgerEntry:
    latest = chain[-1]
    right = replace(
        latest,
        id=an_id(),
        kind=EntryKind.CORRECTION,
        corrects=latest.id,
        reason="It was otherwise.",
        outcome=choices.of(list(CallOutcome)),
        duration_seconds=choices.below(900),
        attempt=latest.attempt or 1,
        called_at=latest.called_at + timedelta(minutes=choices.of([0, 0, 0, -200, 35, 1440])),
        at=latest.at + timedelta(days=2),
    )
    return link_to_chain(right, chain)

"""Contract tests of live figures: leads, calls and tasks are counted as they are at the moment."""

from datetime import timedelta
from typing import Any

from unite_core.application import FullUnitOfWork
from unite_core.calls.ledger import EntryKind
from unite_core.calls.model import CallOutcome, TaskStatus
from unite_core.identity.model import User
from unite_core.leads.model import Lead
from unite_core.reports.ports import Cohort, FirstCalls, FunnelCounts
from unite_core.testing.builders import a_lead, a_task, a_user, an_entry, an_id
from unite_core.testing.contracts.database import DatabaseContract, add_all, delete_lead
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING
from unite_core.unit_of_work import UnitOfWorkFactory

_NOW = A_MONDAY_MORNING
_MINUTE = timedelta(minutes=1)
_ALL = Cohort(created_from=_NOW, created_to=_NOW + timedelta(hours=1))


class LiveFiguresContract(DatabaseContract[FullUnitOfWork]):
    """The figures are the same as those of the lists."""

    def test_the_funnel_counts_leads_by_source_and_stage(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        ann = a_user()
        new, called, reached, won = (a_lead(source="web", created_at=_NOW) for _ in range(4))
        other = a_lead(source="fair, spring", created_at=_NOW)
        add_all(work, ann, new, called, reached, won, other)
        _call(work, ann, called, CallOutcome.VOICEMAIL)
        _call(work, ann, reached, CallOutcome.NO_ANSWER)
        _call(work, ann, reached, CallOutcome.NOT_INTERESTED)
        _call(work, ann, won, CallOutcome.CONVERTED)
        _call(work, ann, won, CallOutcome.CONVERTED)

        with reads() as unit:
            funnel = unit.figures.funnel(_ALL)

        assert funnel == {
            "web": FunnelCounts(leads=4, called=3, contacted=2, converted=1),
            "fair, spring": FunnelCounts(leads=1),
        }

    def test_leads_of_another_time_and_deleted_ones_are_left_out(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        early, late = a_lead(created_at=_NOW - _MINUTE), a_lead(created_at=_NOW + timedelta(hours=1))
        gone = a_lead(created_at=_NOW)
        add_all(work, early, late, gone)
        delete_lead(work, gone)

        with reads() as unit:
            assert unit.figures.funnel(_ALL) == {}
            assert unit.figures.first_calls(_ALL, within=300) == FirstCalls()

    def test_a_filter_by_user_counts_the_calls_of_that_user(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        ann, ben = a_user(), a_user()
        mine, others = (a_lead(source="web", created_at=_NOW, assigned_to=user.id) for user in (ann, ben))
        add_all(work, ann, ben, mine, others)
        _call(work, ben, mine, CallOutcome.CONVERTED, after=_MINUTE)
        _call(work, ann, mine, CallOutcome.CONNECTED, after=7 * _MINUTE)
        _call(work, ann, others, CallOutcome.CONNECTED)

        with reads() as unit:
            own = Cohort(created_from=_ALL.created_from, created_to=_ALL.created_to, assigned_to=ann.id)
            assert unit.figures.funnel(own) == {"web": FunnelCounts(leads=1, called=1, contacted=1)}
            assert unit.figures.first_calls(own, within=300) == FirstCalls(leads=1, called=1, p50=420, p90=420)

    def test_percentiles_of_first_calls_use_the_nearest_rank(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        ann = a_user()
        waits = [timedelta(seconds=seconds) for seconds in (-60, 30, 299.5, 300.1, 3_999.000001)]
        leads = [a_lead(created_at=_NOW + number * _MINUTE) for number in range(len(waits))]
        never = a_lead(created_at=_NOW)
        add_all(work, ann, never, *leads)
        for lead, wait in zip(leads, waits, strict=True):
            _call(work, ann, lead, CallOutcome.BUSY, after=wait)

        with reads() as unit:
            first_calls = unit.figures.first_calls(_ALL, within=300)

        assert first_calls == FirstCalls(leads=6, called=5, within=3, p50=300, p90=4_000)

    def test_a_call_before_the_creation_of_its_lead_has_no_response_time(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        ann, lead = a_user(), a_lead(created_at=_NOW)
        add_all(work, ann, lead)
        _call(work, ann, lead, CallOutcome.BUSY, after=-_MINUTE)

        with reads() as unit:
            assert unit.figures.first_calls(_ALL, within=0) == FirstCalls(leads=1, called=1, within=1, p50=0, p90=0)

    def test_pending_tasks_that_were_due_before_are_overdue(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        ann, ben, lead = a_user(), a_user(), a_lead()
        due: dict[str, Any] = {"due_at": _NOW - _MINUTE}
        add_all(
            work,
            ann,
            ben,
            lead,
            a_task(lead, ann, assigned_to=ann.id, **due),
            a_task(lead, ann, assigned_to=ben.id, **due),
            a_task(lead, ann, **due),
            a_task(lead, ann, assigned_to=ann.id, due_at=_NOW),
            a_task(lead, ann, assigned_to=ann.id, status=TaskStatus.CANCELLED, closed_at=_NOW, **due),
        )

        with reads() as unit:
            assert unit.figures.overdue(before=_NOW) == 3
            assert unit.figures.overdue(before=_NOW, assigned_to=ann.id) == 1
            assert unit.figures.overdue(before=_NOW - _MINUTE) == 0

    def test_overdue_calls_are_ordered_by_due_time_with_agent_and_lead(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        ann, ben = a_user(name="Ann"), a_user(name="Ben")
        lead, gone = a_lead(name="Grace"), a_lead(name="Gone")
        late = a_task(lead, ann, assigned_to=ben.id, due_at=_NOW - _MINUTE)
        later = a_task(lead, ann, due_at=_NOW - 2 * _MINUTE)
        latest = a_task(gone, ann, assigned_to=ann.id, due_at=_NOW - 3 * _MINUTE)
        others = (
            a_task(lead, ann, assigned_to=ben.id, due_at=_NOW),
            a_task(lead, ann, due_at=_NOW - _MINUTE, status=TaskStatus.CANCELLED, closed_at=_NOW),
        )
        add_all(work, ann, ben, lead, gone, late, later, latest, *others)
        delete_lead(work, gone)

        with reads() as unit:
            all_of_them = unit.figures.overdue_calls(before=_NOW, limit=10)
            of_ben = unit.figures.overdue_calls(before=_NOW, limit=10, assigned_to=ben.id)
            two = unit.figures.overdue_calls(before=_NOW, limit=2)

        assert [(each.task_id, each.due_at) for each in all_of_them] == [
            (task.id, task.due_at) for task in (latest, later, late)
        ]
        assert [(each.lead_name, each.assignee_name) for each in all_of_them] == [
            (None, "Ann"),
            ("Grace", None),
            ("Grace", "Ben"),
        ]
        assert of_ben == all_of_them[2:]
        assert two == all_of_them[:2]

    def test_users_are_named_whether_they_are_active_or_not(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        ann, gone = a_user(name="Ann"), a_user(name="Gone", active=False)
        add_all(work, ann, gone)

        with reads() as unit:
            assert unit.figures.names([ann.id, gone.id, an_id()]) == {ann.id: "Ann", gone.id: "Gone"}
            assert unit.figures.names([]) == {}


def _call(
    work: UnitOfWorkFactory[FullUnitOfWork],
    agent: User,
    lead: Lead,
    outcome: CallOutcome,
    *,
    after: timedelta = _MINUTE,
) -> None:
    """Store a call to the lead, that long after the lead was created."""
    task = a_task(lead, agent, assigned_to=agent.id)
    called_at = lead.created_at + after
    entry = an_entry(task, kind=EntryKind.COMPLETED, outcome=outcome, called_at=called_at, at=called_at + _MINUTE)
    add_all(work, task, entry)
    with work() as unit:
        unit.lead_calls.add(lead.id, outcome, called_at)
        unit.commit()

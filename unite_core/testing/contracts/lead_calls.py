"""Contract tests of the repository of the calls per lead."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from unite_core.application import FullUnitOfWork
from unite_core.calls.ledger import EntryKind, LedgerEntry
from unite_core.calls.model import CallOutcome
from unite_core.calls.ports import CallCounts
from unite_core.identity.model import User
from unite_core.leads.model import Lead
from unite_core.leads.ports import LeadFilter
from unite_core.testing.builders import a_lead, a_task, a_user, an_entry, an_id
from unite_core.testing.contracts.database import DatabaseContract, add_all, listed_leads, run_concurrently
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING
from unite_core.unit_of_work import UnitOfWorkFactory

_NOW = A_MONDAY_MORNING
_HOUR = timedelta(hours=1)
_BUSY = frozenset({CallOutcome.BUSY.value})


class LeadCallsContract(DatabaseContract[FullUnitOfWork]):
    """Calls are counted per lead, and leads are found by their calls."""

    def test_calls_are_numbered_and_counted_by_their_outcome(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        lead, other, nobody = a_lead(), a_lead(), a_lead()
        calls = [
            (lead, CallOutcome.BUSY, 3),
            (lead, CallOutcome.CONVERTED, 1),
            (other, CallOutcome.BUSY, 2),
            (lead, CallOutcome.BUSY, 2),
        ]

        attempts = []
        for to, outcome, hours in calls:
            with work() as unit:
                attempts.append(unit.lead_calls.add(to.id, outcome, _NOW + hours * _HOUR))
                unit.commit()

        assert attempts == [1, 2, 1, 3]
        assert _counts(reads, lead, other, nobody) == {
            lead.id: CallCounts(outcomes={CallOutcome.BUSY: 2, CallOutcome.CONVERTED: 1}, first_called_at=_NOW + _HOUR),
            other.id: CallCounts(outcomes={CallOutcome.BUSY: 1}, first_called_at=_NOW + 2 * _HOUR),
        }
        assert _counts(reads, lead)[lead.id].calls == 3

    def test_calls_of_every_outcome_are_counted(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        lead = a_lead()
        with work() as unit:
            for outcome in CallOutcome:
                unit.lead_calls.add(lead.id, outcome, _NOW)
            unit.commit()

        assert _counts(reads, lead)[lead.id].outcomes == dict.fromkeys(CallOutcome, 1)

    def test_a_call_of_a_unit_that_is_rolled_back_is_not_counted(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        lead = a_lead()

        with work() as unit:
            unit.lead_calls.add(lead.id, CallOutcome.BUSY, _NOW)

        assert _counts(reads, lead) == {}

    def test_calls_that_are_counted_at_the_same_time_have_different_numbers(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        lead = a_lead()

        def count(number: int) -> int:
            with work() as unit:
                attempt = unit.lead_calls.add(lead.id, CallOutcome.BUSY, _NOW + number * _HOUR)
                unit.commit()
            return attempt

        assert sorted(run_concurrently(6, count)) == [1, 2, 3, 4, 5, 6]
        assert _counts(reads, lead)[lead.id] == CallCounts(outcomes={CallOutcome.BUSY: 6}, first_called_at=_NOW)

    def test_a_correction_counts_the_call_as_what_it_was(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        ann, lead = a_user(), a_lead()
        first, second = _call(work, lead, ann), _call(work, lead, ann, called_at=_NOW + _HOUR)

        corrected = _correct(work, first, outcome=CallOutcome.BUSY, called_at=_NOW + 2 * _HOUR)
        assert _counts(reads, lead)[lead.id] == CallCounts(
            outcomes={CallOutcome.BUSY: 1, CallOutcome.CONNECTED: 1}, first_called_at=second.called_at
        )
        _correct(work, corrected, outcome=CallOutcome.BUSY, called_at=_NOW - _HOUR)
        assert _counts(reads, lead)[lead.id] == CallCounts(
            outcomes={CallOutcome.BUSY: 1, CallOutcome.CONNECTED: 1}, first_called_at=_NOW - _HOUR
        )

    def test_a_correction_that_leaves_the_time_as_it_was_leaves_the_first_call(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        ann, lead = a_user(), a_lead()
        call = _call(work, lead, ann)

        _correct(work, call, outcome=CallOutcome.VOICEMAIL, called_at=call.called_at)

        counts = CallCounts(outcomes={CallOutcome.VOICEMAIL: 1}, first_called_at=call.called_at)
        assert _counts(reads, lead) == {lead.id: counts}

    def test_thousands_of_leads_are_looked_up_at_once(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        lead = a_lead()
        with work() as unit:
            unit.lead_calls.add(lead.id, CallOutcome.BUSY, _NOW)
            unit.commit()

        with reads() as unit:
            found = unit.lead_calls.get([*(an_id() for _ in range(2500)), lead.id, *(an_id() for _ in range(2499))])

        assert [*found] == [lead.id]

    def test_leads_are_filtered_by_their_calls(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        ann = a_user()
        busy, converted, missed, never = (a_lead(created_at=_NOW + number * _HOUR) for number in range(4))
        add_all(work, ann, busy, converted, missed, never)
        _call(work, busy, ann, outcome=CallOutcome.BUSY, called_at=_NOW + 2 * _HOUR)
        _correct(work, _call(work, converted, ann, outcome=CallOutcome.BUSY), outcome=CallOutcome.CONVERTED)
        add_all(
            work,
            task := a_task(missed, ann),
            an_entry(task, kind=EntryKind.MISSED, outcome=None, duration_seconds=None),
        )

        def matching(**conditions: Any) -> list[UUID]:
            return listed_leads(reads, LeadFilter(**conditions))

        assert matching(called=True) == [converted.id, busy.id]
        assert matching(called=False) == [never.id, missed.id]
        assert matching(call_outcomes=_BUSY) == [busy.id]
        assert matching(call_outcomes=_BUSY | {"converted", "voicemail"}) == [converted.id, busy.id]
        assert matching(call_outcomes=_BUSY, called=False) == []
        assert matching(called=True, created_from=_NOW + _HOUR, sources=frozenset({"api"})) == [converted.id]
        assert matching(called=True, q="grace") == [converted.id, busy.id]

    def test_leads_are_filtered_by_the_time_to_their_first_call(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        ann = a_user()
        soon, late, before, never = (a_lead(created_at=_NOW + number * _HOUR) for number in range(4))
        add_all(work, ann, soon, late, before, never)
        _call(work, soon, ann, called_at=soon.created_at + timedelta(seconds=300))
        _call(work, soon, ann, called_at=soon.created_at + 5 * _HOUR)
        _call(work, late, ann, called_at=late.created_at + timedelta(seconds=300, microseconds=1))
        _call(work, before, ann, called_at=before.created_at - _HOUR)

        def matching(seconds: int) -> list[UUID]:
            return listed_leads(reads, LeadFilter(called_within=timedelta(seconds=seconds)))

        assert matching(0) == [before.id]
        assert matching(300) == [before.id, soon.id]
        assert matching(301) == [before.id, late.id, soon.id]

    def test_an_agent_finds_leads_by_their_own_calls_alone(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork]
    ) -> None:
        ann, ben = a_user(), a_user()
        add_all(work, ann, ben)
        own, of_both, of_other = (a_lead(assigned_to=ann.id, created_at=_NOW + number * _HOUR) for number in range(3))
        add_all(work, own, of_both, of_other)
        _call(work, own, ann, outcome=CallOutcome.BUSY, called_at=own.created_at)
        _call(work, of_both, ben, outcome=CallOutcome.CONVERTED, called_at=of_both.created_at)
        _correct(work, _call(work, of_both, ann, outcome=CallOutcome.BUSY), outcome=CallOutcome.NO_ANSWER)
        _call(work, of_other, ben, outcome=CallOutcome.BUSY, called_at=of_other.created_at)

        def matching(**conditions: Any) -> list[UUID]:
            return listed_leads(reads, LeadFilter(visible_to=ann.id, **conditions))

        assert matching(called=True) == [of_both.id, own.id]
        assert matching(called=False) == [of_other.id]
        assert matching(call_outcomes=_BUSY) == [own.id]
        assert matching(call_outcomes=frozenset({"no_answer", "converted"})) == [of_both.id]
        assert matching(called_within=timedelta(minutes=5)) == [of_both.id, own.id]
        assert matching(called_within=timedelta(minutes=5), created_from=_NOW + 2 * _HOUR) == []


def _counts(reads: UnitOfWorkFactory[FullUnitOfWork], *leads: Lead) -> dict[UUID, CallCounts]:
    with reads() as unit:
        return dict(unit.lead_calls.get([lead.id for lead in leads]))


def _call(work: UnitOfWorkFactory[FullUnitOfWork], lead: Lead, agent: User, **changes: Any) -> LedgerEntry:
    """Store a call of the agent to the lead, and count it."""
    task = a_task(lead, agent, assigned_to=agent.id)
    entry = an_entry(task, **{"called_at": _NOW, **changes})
    assert entry.outcome is not None
    with work() as unit:
        if not unit.users.find_by_email(agent.email):
            unit.users.add(agent)
        if not unit.leads.find([lead.id]):
            unit.leads.add(lead)
        unit.tasks.add(task)
        unit.ledger.append(entry)
        unit.lead_calls.add(lead.id, entry.outcome, entry.called_at)
        unit.commit()
    return entry


def _correct(work: UnitOfWorkFactory[FullUnitOfWork], wrong: LedgerEntry, **changes: Any) -> LedgerEntry:
    """Store a correction of the last entry of a chain, and count it."""
    with work() as unit:
        chain = unit.ledger.chains([wrong.task_id])[wrong.task_id]
        right = an_entry(unit.tasks.get(wrong.task_id), chain, **{"called_at": wrong.called_at, **changes})
        unit.ledger.append(right)
        unit.lead_calls.correct(wrong, right)
        unit.commit()
    return right

"""Queries for tests of query plans: every list with its expected index, and other queries."""

from collections.abc import Callable
from datetime import time, timedelta

import pytest

from unite_core.application import FullUnitOfWork
from unite_core.calls.model import CallResult, TaskStatus
from unite_core.calls.ports import LedgerFilter, TaskFilter
from unite_core.identity.model import Role
from unite_core.identity.ports import UserFilter
from unite_core.imports.model import ImportStatus, RowKind
from unite_core.imports.ports import ImportFilter
from unite_core.leads.details import LeadStatus
from unite_core.leads.ports import LeadFilter
from unite_core.notifications.model import ACTIVITY, TEXTS, DeliveryStatus
from unite_core.notifications.ports import ActivityLog, DeliveryFilter, EventFilter
from unite_core.paging import PageRequest, Position
from unite_core.summaries.model import SummaryTime
from unite_core.testing.builders import a_lead, a_task, a_user, an_id, an_import
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING as NOW

ANN = a_user(role=Role.ADMIN)
BEN = a_user()
COMING = an_import(ANN)
LEAD = a_lead()
TASK = a_task(LEAD, ANN, assigned_to=BEN.id)
EVENT_ID = an_id()
SIX = SummaryTime(at=time(18), tz="UTC")
MANY = frozenset(an_id() for _ in range(30))

PAGE = PageRequest(limit=50)
NEXT = PageRequest(limit=50, after=Position(NOW + timedelta(minutes=50), an_id()))
"""A page in the midst of the list."""

PENDING = frozenset({TaskStatus.PENDING})
OVER = frozenset({TaskStatus.MISSED, TaskStatus.CANCELLED})

Question = Callable[[FullUnitOfWork], object]

LEAD_LISTS = [
    pytest.param(LeadFilter(), "ix_leads_listed", id="all"),
    pytest.param(LeadFilter(created_from=NOW, created_to=NOW + timedelta(hours=1)), "ix_leads_listed", id="of an hour"),
    pytest.param(LeadFilter(statuses=frozenset({LeadStatus.LOST})), "ix_leads_status_listed", id="one status"),
    pytest.param(
        LeadFilter(statuses=frozenset({LeadStatus.LOST, LeadStatus.NEW})), "ix_leads_status_listed", id="two statuses"
    ),
    pytest.param(LeadFilter(sources=frozenset({"fair"})), "ix_leads_source_listed", id="one source"),
    pytest.param(LeadFilter(companies=frozenset({"acme"})), "ix_leads_company_listed", id="one company"),
    pytest.param(LeadFilter(companies=frozenset({"acme", "fo"})), "ix_leads_company_listed", id="two companies"),
    pytest.param(LeadFilter(assigned_to=frozenset({BEN.id})), "ix_leads_assigned_listed", id="one agent"),
    pytest.param(LeadFilter(unassigned=True), "ix_leads_assigned_listed", id="nobody"),
    pytest.param(
        LeadFilter(assigned_to=frozenset({BEN.id, ANN.id}), unassigned=True),
        "ix_leads_assigned_listed",
        id="two agents or nobody",
    ),
    pytest.param(LeadFilter(visible_to=BEN.id), "ix_leads_assigned_listed", id="visible to an agent"),
    pytest.param(
        LeadFilter(visible_to=BEN.id, assigned_to=frozenset({BEN.id, ANN.id})),
        "ix_leads_assigned_listed",
        id="of two agents, visible to one",
    ),
    pytest.param(
        LeadFilter(sources=frozenset({"none"}), statuses=frozenset({LeadStatus.LOST})),
        "ix_leads_source_listed",
        id="rare source and status",
    ),
    pytest.param(LeadFilter(sources=frozenset(map(str, range(30)))), "ix_leads_listed", id="thirty sources"),
    pytest.param(
        LeadFilter(called=True, call_outcomes=frozenset({"busy", "connected"}), called_within=timedelta(minutes=5)),
        "ix_leads_listed",
        id="called",
    ),
    pytest.param(
        LeadFilter(called=False, sources=frozenset({"fair"}), created_from=NOW),
        "ix_leads_source_listed",
        id="of a source, not called",
    ),
    pytest.param(
        LeadFilter(called_within=timedelta(minutes=5), call_outcomes=frozenset({"busy"}), visible_to=BEN.id),
        "ix_leads_assigned_listed",
        id="called by an agent",
    ),
]
"""A filter of leads, and the index that the list has to use."""

TASK_LISTS = [
    pytest.param(TaskFilter(), "ix_call_tasks_due", id="all"),
    pytest.param(TaskFilter(due_from=NOW, due_to=NOW + timedelta(hours=1)), "ix_call_tasks_due", id="of an hour"),
    pytest.param(TaskFilter(statuses=frozenset(TaskStatus)), "ix_call_tasks_due", id="every status"),
    pytest.param(TaskFilter(statuses=PENDING), "ix_call_tasks_status_due", id="one status"),
    pytest.param(TaskFilter(statuses=OVER), "ix_call_tasks_status_due", id="two statuses"),
    pytest.param(
        TaskFilter(statuses=PENDING, due_to=NOW + timedelta(hours=2)), "ix_call_tasks_status_due", id="one status until"
    ),
    pytest.param(TaskFilter(assigned_to=frozenset({BEN.id})), "ix_call_tasks_assigned_due", id="one agent"),
    pytest.param(TaskFilter(unassigned=True), "ix_call_tasks_assigned_due", id="nobody"),
    pytest.param(
        TaskFilter(assigned_to=frozenset({BEN.id, ANN.id}), unassigned=True),
        "ix_call_tasks_assigned_due",
        id="two agents or nobody",
    ),
    pytest.param(TaskFilter(visible_to=BEN.id), "ix_call_tasks_assigned_due", id="visible to an agent"),
    pytest.param(
        TaskFilter(visible_to=BEN.id, due_from=NOW), "ix_call_tasks_assigned_due", id="visible to an agent from"
    ),
    pytest.param(
        TaskFilter(visible_to=BEN.id, statuses=PENDING),
        "ix_call_tasks_assigned_status_due",
        id="visible to an agent, one status",
    ),
    pytest.param(
        TaskFilter(assigned_to=frozenset({BEN.id}), unassigned=True, statuses=OVER),
        "ix_call_tasks_assigned_status_due",
        id="an agent or nobody, two statuses",
    ),
    pytest.param(TaskFilter(assigned_to=MANY, statuses=PENDING), "ix_call_tasks_status_due", id="many and a status"),
    pytest.param(TaskFilter(assigned_to=MANY), "ix_call_tasks_due", id="many agents"),
    pytest.param(TaskFilter(lead_id=LEAD.id), "ix_call_tasks_lead_due", id="of a lead"),
    pytest.param(
        TaskFilter(lead_id=LEAD.id, visible_to=BEN.id, statuses=PENDING),
        "ix_call_tasks_lead_due",
        id="of a lead, visible to an agent, one status",
    ),
]
"""A filter of call tasks, and the index that the list has to use."""

LEDGER_LISTS = [
    pytest.param(LedgerFilter(), "ix_call_ledger_at", id="all"),
    pytest.param(LedgerFilter(at_from=NOW, at_to=NOW + timedelta(hours=1)), "ix_call_ledger_at", id="of an hour"),
    pytest.param(
        LedgerFilter(called_from=NOW, called_to=NOW + timedelta(hours=1)),
        "ix_call_ledger_called",
        id="called in an hour",
    ),
    pytest.param(
        LedgerFilter(called_from=NOW, at_from=NOW, counted=True),
        "ix_call_ledger_called",
        id="called since, written since, that count",
    ),
    pytest.param(
        LedgerFilter(
            counted=True,
            results=frozenset({CallResult.BUSY, CallResult.MISSED}),
            sources=frozenset({"fair", None}),
            attempts=frozenset({1, 5}),
        ),
        "ix_call_ledger_called",
        id="that count, by result, source and attempt",
    ),
    pytest.param(
        LedgerFilter(agent_id=BEN.id, called_from=NOW, counted=True),
        "ix_call_ledger_agent_called",
        id="of an agent that count",
    ),
    pytest.param(LedgerFilter(without_agent=True, called_from=NOW), "ix_call_ledger_agent_called", id="nobodys"),
    pytest.param(LedgerFilter(without_agent=True), "ix_call_ledger_agent_at", id="nobodys as they were written"),
    pytest.param(
        LedgerFilter(lead_id=LEAD.id, visible_to=BEN.id, counted=False),
        "ix_call_ledger_lead_called",
        id="of a lead that do not count",
    ),
    pytest.param(LedgerFilter(task_id=TASK.id, counted=True), "uq_call_ledger_chain", id="of a task that counts"),
    pytest.param(LedgerFilter(agent_id=BEN.id), "ix_call_ledger_agent_at", id="of an agent"),
    pytest.param(LedgerFilter(visible_to=BEN.id, at_from=NOW), "ix_call_ledger_agent_at", id="visible to an agent"),
    pytest.param(LedgerFilter(lead_id=LEAD.id), "ix_call_ledger_lead_at", id="of a lead"),
    pytest.param(LedgerFilter(lead_id=LEAD.id, agent_id=BEN.id), "ix_call_ledger_lead_at", id="of a lead and an agent"),
    pytest.param(LedgerFilter(task_id=TASK.id), "uq_call_ledger_chain", id="of a task"),
    pytest.param(
        LedgerFilter(task_id=TASK.id, lead_id=LEAD.id, visible_to=BEN.id),
        "uq_call_ledger_chain",
        id="of a task, a lead and an agent",
    ),
]
"""A filter of the ledger, and the index that the list has to use."""

QUESTIONS: list[Question] = [
    lambda unit: unit.leads.get(LEAD.id),
    lambda unit: unit.leads.find([LEAD.id, an_id()]),
    lambda unit: unit.leads.matches(["+12125550100"] * 3, ["a@example.com"]),
    lambda unit: unit.leads.untouched_of_import(COMING.id, after_row=3, limit=10),
    lambda unit: unit.images.get(LEAD.id, an_id()),
    lambda unit: unit.images.page(LEAD.id, PAGE),
    lambda unit: unit.images.page(LEAD.id, NEXT),
    lambda unit: unit.images.leads_with_images([LEAD.id]),
    lambda unit: unit.images.abandoned(before=NOW, limit=10),
    lambda unit: unit.images.count_of_lead(LEAD.id),
    lambda unit: unit.images.count_announced(ANN.id),
    lambda unit: unit.users.get(ANN.id),
    lambda unit: unit.users.find_by_email(ANN.email),
    lambda unit: unit.users.page(UserFilter(role=Role.AGENT), NEXT),
    lambda unit: unit.users.page(UserFilter(role=Role.AGENT, active=True), PAGE),
    lambda unit: unit.users.page(UserFilter(role=Role.AGENT, active=True), NEXT),
    lambda unit: unit.users.page(UserFilter(active=False), PAGE),
    lambda unit: unit.users.count_active_admins(),
    lambda unit: unit.sessions.get(an_id()),
    lambda unit: unit.sessions.get_with_user(an_id()),
    lambda unit: unit.figures.overdue_calls(before=NOW, limit=10),
    lambda unit: unit.figures.overdue_calls(before=NOW, limit=10, assigned_to=ANN.id),
    lambda unit: unit.sessions.find_by_refresh("a" * 64),
    lambda unit: unit.imports.get(COMING.id),
    lambda unit: unit.imports.page(ImportFilter(statuses=frozenset({ImportStatus.FAILED})), NEXT),
    lambda unit: unit.imports.page(ImportFilter(statuses=frozenset(ImportStatus)), PAGE),
    lambda unit: unit.imports.find_same_file("a" * 64),
    lambda unit: unit.imports.unfinished(now=NOW, limit=10),
    lambda unit: unit.imports.abandoned(before=NOW, limit=10),
    lambda unit: unit.imports.count_open(ANN.id),
    lambda unit: unit.rows.rejections(COMING.id, kind=None, after_row=5, limit=10),
    lambda unit: unit.rows.rejections(COMING.id, kind=RowKind.REJECTED, after_row=5, limit=10),
    lambda unit: unit.rows.snapshots_of(COMING.id, limit=10),
    lambda unit: unit.rows.snapshots_of(COMING.id, limit=10, lead_ids=[LEAD.id]),
    lambda unit: unit.rehearsal.matches(COMING.id, ["+12125550100"], ["a@example.com"]),
    lambda unit: unit.deliveries.page(DeliveryFilter(status=DeliveryStatus.DEAD), NEXT),
    lambda unit: unit.deliveries.page(DeliveryFilter(destination=ACTIVITY), PAGE),
    lambda unit: unit.deliveries.page(DeliveryFilter(destination="topic", status=DeliveryStatus.DEAD), PAGE),
    lambda unit: unit.deliveries.page(DeliveryFilter(event_id=EVENT_ID), PAGE),
    lambda unit: unit.deliveries.get(an_id()),
    lambda unit: unit.deliveries.dead(limit=10),
    lambda unit: unit.deliveries.pending_events(ACTIVITY, ["lead.created"], since=NOW, until=NOW, limit=1),
    lambda unit: unit.deliveries.pending_events(ACTIVITY, ["lead.created"], limit=1),
    lambda unit: unit.consents.opted_out("+12125550100"),
    lambda unit: unit.tasks.get(TASK.id),
    lambda unit: unit.tasks.lock_pending_of_lead(LEAD.id),
    lambda unit: unit.tasks.count_pending(LEAD.id, limit=10),
    lambda unit: unit.tasks.leads_with_tasks([LEAD.id]),
    lambda unit: unit.tasks.iterate_by_id(TASK.id, limit=10),
    lambda unit: unit.ledger.get(an_id()),
    lambda unit: unit.ledger.chains([TASK.id, *MANY]),
    lambda unit: unit.ledger.chains_as_stored([TASK.id, *MANY]),
    lambda unit: unit.ledger.first_orphan(TASK.id, TASK.id),
    lambda unit: unit.lead_calls.get([LEAD.id, an_id()]),
]
"""Questions that are answered out of an index, wherever in it the answer is."""

WHOLE_LISTS: list[Question] = [
    lambda unit: unit.users.page(UserFilter(), PAGE),
    lambda unit: unit.users.page(UserFilter(), NEXT),
    lambda unit: unit.imports.page(ImportFilter(), PAGE),
    lambda unit: unit.imports.page(ImportFilter(), NEXT),
    lambda unit: unit.deliveries.page(DeliveryFilter(), PAGE),
    lambda unit: unit.deliveries.page(DeliveryFilter(), NEXT),
    lambda unit: unit.tasks.iterate_by_id(None, limit=10),
]
"""Unfiltered lists, which read their index from its end."""


def ask_log(log: ActivityLog, request: PageRequest) -> None:
    """Query all lists of the activity log."""
    log.of_lead(LEAD.id, request)
    log.of_lead(LEAD.id, request, EventFilter(types=frozenset({"lead.created", "lead.changed"}), assigned_to=ANN.id))
    log.of_import(COMING.id, request)
    log.of_delivery(EVENT_ID, request)


def work_off(unit: FullUnitOfWork) -> None:
    """Query as scheduled jobs and the relay do, with locks."""
    unit.sessions.purge(before=NOW, limit=10)
    unit.idempotency_keys.purge(before=NOW, limit=10)
    unit.deliveries.purge(before=NOW, limit=10)
    unit.deliveries.make_due(ACTIVITY, now=NOW, limit=10)
    unit.deliveries.due_for_status_check(TEXTS, now=NOW, limit=10)
    unit.deliveries.claim(ACTIVITY, now=NOW, until=NOW + timedelta(minutes=1), limit=10)
    unit.tasks.overdue(before=NOW + timedelta(hours=1), limit=10)
    unit.tasks.lock_pending_of_deleted_leads(limit=10)
    unit.tasks.lock_pending_of_lead(LEAD.id)
    unit.consents.opted_out("+12125550100")
    unit.sessions.revoke_oldest(ANN.id, keep=10, now=NOW)
    unit.usage.purge(before=NOW + timedelta(minutes=5), limit=10)
    unit.usage.take("0", an_id(), limit=10, now=NOW + timedelta(minutes=5))
    unit.summaries.times()
    unit.summaries.waiting(SIX, NOW.date(), after=None, limit=10)
    unit.summaries.waiting(SIX, NOW.date(), after=ANN.id, limit=10)
    unit.users.lock(ANN.id)

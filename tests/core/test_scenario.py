"""Tests of the scenario that the library ships: each method acts as a user who has the permission."""

from datetime import timedelta

import pytest

from unite_core import CallOutcome, EntryKind, LeadStatus, NotFound, Role, Rules, TaskStatus
from unite_core.errors import Unauthenticated
from unite_core.identity.use_cases import Credentials
from unite_core.imports.model import ImportStatus
from unite_core.testing.in_memory import FixedClock, in_memory_ports
from unite_core.testing.scenario import HEADER, HOUR, PASSWORD, Scenario


def test_a_call_is_created_and_completed_in_three_lines() -> None:
    scenario = Scenario()
    task = scenario.create_call_task()
    done = scenario.complete(task)

    assert (task.assigned_to, task.created_by) == (scenario.ann.user_id, scenario.manager.user_id)
    assert task.due_at == scenario.now + HOUR
    assert done.status is TaskStatus.COMPLETED
    assert done == scenario.stored(task)
    assert [entry.actor_id for entry in scenario.ledger(task)] == [scenario.ann.user_id]


def test_users_of_each_role_can_log_in(scenario: Scenario) -> None:
    users = [scenario.user(actor) for actor in (scenario.admin, scenario.manager, scenario.ann, scenario.ben)]
    assert [(user.name, user.role) for user in users] == [
        ("admin", Role.ADMIN),
        ("manager", Role.MANAGER),
        ("ann", Role.AGENT),
        ("ben", Role.AGENT),
    ]
    for user in users:
        assert user.phone
        scenario.unite.identity.log_in(Credentials(email=user.email, password=PASSWORD, address="192.0.2.1"))


def test_users_are_added_updated_and_deactivated(scenario: Scenario) -> None:
    cleo = scenario.add_user("Cleo", email="cleo.two@unite.example")
    assert (cleo.role, scenario.user(cleo).email) == (Role.AGENT, "cleo.two@unite.example")

    assert scenario.update_user(cleo, name="Cleopatra").name == "Cleopatra"
    scenario.deactivate(cleo)

    assert not scenario.user(cleo).active
    with pytest.raises(Unauthenticated):
        scenario.unite.identity.log_in(
            Credentials(email="cleo.two@unite.example", password=PASSWORD, address="192.0.2.1")
        )


def test_the_given_ports_and_rules_are_used() -> None:
    ports = in_memory_ports(clock=FixedClock())
    scenario = Scenario(ports, Rules(missed_after=timedelta(minutes=1)))

    assert scenario.ports is ports
    assert scenario.unite.upkeep.mark_missed.missed_after == timedelta(minutes=1)


def test_the_clock_stands_still_until_it_is_advanced(scenario: Scenario) -> None:
    before = scenario.now

    assert scenario.advance() == before + HOUR
    assert scenario.advance(timedelta(minutes=1)) == scenario.now == before + HOUR + timedelta(minutes=1)


def test_leads_are_assigned_to_ann_by_default(scenario: Scenario) -> None:
    leads = [
        scenario.create_lead(),
        scenario.create_lead(assigned_to=None),
        scenario.create_lead(scenario.ben, email="grace@example.com"),
    ]

    assert scenario.leads() == leads
    assert [lead.assigned_to for lead in leads] == [scenario.ann.user_id, None, scenario.ben.user_id]
    assert [lead.created_by for lead in leads] == [
        scenario.admin.user_id,
        scenario.admin.user_id,
        scenario.ben.user_id,
    ]
    assert leads[0].phone != leads[1].phone
    assert leads[2].phone is None


def test_leads_are_updated(scenario: Scenario) -> None:
    lead = scenario.create_lead()

    assert scenario.update_lead(lead, status=LeadStatus.LOST).status is LeadStatus.LOST
    assert scenario.update_lead(lead, scenario.ann, name="Ada").name == "Ada"


def test_a_list_of_leads_beyond_one_page_is_complete(scenario: Scenario) -> None:
    for _ in range(201):
        scenario.create_lead()

    with pytest.raises(ValueError, match="200"):
        scenario.leads()


def test_call_tasks_are_assigned_noted_and_cancelled(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    task = scenario.create_call_task(lead)

    assert scenario.assign(task, scenario.ben).assigned_to == scenario.ben.user_id
    [note] = scenario.add_note(task, "Ask for Grace.", scenario.ben).notes
    assert (note.text, note.author) == ("Ask for Grace.", scenario.ben.user_id)
    assert scenario.cancel(task, "They called us.").status is TaskStatus.CANCELLED
    [entry] = scenario.ledger(task)
    assert (entry.kind, entry.reason) == (EntryKind.CANCELLED, "They called us.")
    assert scenario.lead_of(task) == lead


def test_a_completed_call_is_corrected(scenario: Scenario) -> None:
    task = scenario.complete(scenario.create_call_task(), outcome=CallOutcome.BUSY, duration_seconds=0)

    scenario.correct(task, CallOutcome.CONNECTED, duration_seconds=60)
    scenario.correct(task)

    first, second, third = scenario.ledger(task)
    assert (second.corrects, third.corrects, third.actor_id) == (first.id, second.id, scenario.manager.user_id)
    assert [(entry.outcome, entry.duration_seconds) for entry in (first, second, third)] == [
        (CallOutcome.BUSY, 0),
        (CallOutcome.CONNECTED, 60),
        (CallOutcome.CONVERTED, 60),
    ]


def test_calls_are_missed_after_the_grace_period(scenario: Scenario) -> None:
    overdue, later = scenario.create_call_task(due_at=scenario.now - HOUR), scenario.create_call_task()

    scenario.miss(overdue, later)

    assert {scenario.stored(task).status for task in (overdue, later)} == {TaskStatus.MISSED}


def test_events_can_be_listed_for_all_or_for_one_task(scenario: Scenario) -> None:
    task = scenario.create_call_task()
    scenario.create_lead()

    assert [event.type for event in scenario.events_of(task)] == ["call_task.created", "call_task.assigned"]
    assert [event.type for event in scenario.events()] == [
        "lead.created",
        "call_task.created",
        "call_task.assigned",
        "lead.created",
    ]


@pytest.mark.parametrize(
    "content",
    [
        "Name,Email\nAda,ada@example.com\nEve,\n",
        b"Name,Email\nAda,ada@example.com\nEve,\n",
        [("Ada", "", "ada@example.com"), ("Eve",)],
    ],
    ids=["text", "bytes", "rows"],
)
def test_a_file_is_imported(scenario: Scenario, content: str | bytes | list[tuple[str, ...]]) -> None:
    done = scenario.import_file(content, default_source="fair")

    assert (done.status, done.created_by) == (ImportStatus.COMPLETED, scenario.admin.user_id)
    assert done == scenario.get_import(done.id)
    [lead] = scenario.leads()
    assert (lead.name, lead.email, lead.source) == ("Ada", "ada@example.com", "fair")
    assert [(it.row, it.problems[0].code) for it in scenario.rejections(done.id)] == [(3, "contact_required")]


def test_rows_have_the_columns_of_the_header(scenario: Scenario) -> None:
    row = ("Ada", "+12125550199", "ada@example.com", "qualified", "fair", "ann@unite.example")
    assert len(row) == len(HEADER)

    scenario.import_file([row])

    [lead] = scenario.leads()
    assert (lead.status, lead.source, lead.assigned_to) == (LeadStatus.QUALIFIED, "fair", scenario.ann.user_id)


def test_an_uploaded_import_is_processed_in_chunks_by_a_worker() -> None:
    scenario = Scenario(chunk_rows=2)
    waiting = scenario.upload([("Ada", "+12125550110"), ("Eve", "+12125550111"), ("Zoe", "+12125550112")])
    assert waiting.status is ImportStatus.QUEUED

    scenario.continue_import(waiting.id, holder="worker", should_stop=lambda: True)
    assert scenario.get_import(waiting.id).counts.created == 2

    assert scenario.run_import(waiting.id).counts.created == 3


def test_jobs_run_imports_and_deliver_events(scenario: Scenario) -> None:
    waiting = scenario.upload([("Ada", "+12125550110")], scenario.manager)
    scenario.create_call_task()

    scenario.run_jobs()

    done = scenario.get_import(waiting.id)
    assert (done.status, done.created_by) == (ImportStatus.COMPLETED, scenario.manager.user_id)
    assert [message.to for message in scenario.ports.texts.sent] == [scenario.user(scenario.ann).phone]


def test_a_manager_enables_the_daily_summary(scenario: Scenario) -> None:
    summary = scenario.update_daily_summary(scenario.manager, at="18:00", tz="Europe/Berlin")

    assert summary is not None
    assert summary == scenario.user(scenario.manager).daily_summary


def test_scenarios_are_independent() -> None:
    one, other = Scenario(), Scenario()
    task = one.create_call_task()

    assert other.leads() == []
    with pytest.raises(NotFound):
        other.unite.calls.get(other.manager, task.id)

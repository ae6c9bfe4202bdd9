"""Tests of the events of an import and of the leads that it changes: each is recorded once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError, RacingWork
from unite_core import LeadChanges, LeadImport, NewImport, NewLead, OnDuplicate
from unite_core.events import Event
from unite_core.imports.model import LEASE
from unite_core.testing.scenario import Scenario

UPDATE = OnDuplicate.UPDATE


def rows(*names: str) -> list[tuple[str, str, str]]:
    return [(name, "", f"{name.lower()}@example.com") for name in names]


def events_about(scenario: Scenario, about: LeadImport | None = None) -> list[Event]:
    """The events about an import, in the order in which they were recorded."""
    for destination in scenario.unite.notifications.destinations:
        scenario.unite.notifications.relay(destination)
    events = sorted(scenario.ports.activity.events.values(), key=lambda event: event.id)
    return [event for event in events if about is None or event.import_id == about.id]


def summary(events: list[Event]) -> list[tuple[str, int]]:
    return [(event.type, len(event.lead_ids)) for event in events]


def test_an_import_records_its_start_each_chunk_of_leads_and_its_end(scenario: Scenario) -> None:
    coming = scenario.upload(rows("Ada", "Ben", "Cleo"))
    scenario.ports.clock.advance(timedelta(seconds=5))

    done = scenario.run_import(coming.id)

    events = events_about(scenario, done)
    assert summary(events) == [
        ("import.started", 0),
        ("lead.imported", 2),
        ("lead.imported", 1),
        ("import.finished", 0),
    ]
    started, first, second, finished = events
    assert [*first.lead_ids, *second.lead_ids] == [lead.id for lead in scenario.leads()]
    assert first.data == {"filename": "leads.csv"}
    assert started.data == {"filename": "leads.csv", "size": done.size}
    assert (started.at, finished.at) == (done.started_at, done.finished_at)
    assert {event.actor_id for event in events} == {scenario.admin.user_id}
    assert finished.data == {
        "filename": "leads.csv",
        "status": "completed",
        "dry_run": False,
        "counts": {"rows": 3, "created": 3, "updated": 0, "duplicate": 0, "rejected": 0},
        "failure": None,
        "seconds_worked": 0.0,
    }


def test_events_of_an_import_have_the_correlation_id_of_its_request(scenario: Scenario) -> None:
    scenario.admin = replace(scenario.admin, correlation_id="c0ffee-1234")

    done = scenario.import_file(rows("Ada"))

    assert {event.correlation_id for event in events_about(scenario, done)} == {"c0ffee-1234"}


def test_updated_leads_have_another_event_type_than_created_ones(scenario: Scenario) -> None:
    known = scenario.unite.leads.add(scenario.admin, NewLead(name="Ada", email="ada@example.com"))

    done = scenario.import_file([*rows("Ben"), ("Countess", "", "ada@example.com")], on_duplicate=UPDATE)

    events = events_about(scenario, done)
    assert summary(events)[1:-1] == [("lead.imported", 1), ("lead.updated_by_import", 1)]
    assert events[2].lead_ids == (known.id,)


def test_rejected_rows_record_no_event_of_leads(scenario: Scenario) -> None:
    done = scenario.import_file([("", "", "nobody@example.com"), ("Ada", "", "no address")])

    events = events_about(scenario, done)
    assert summary(events) == [("import.started", 0), ("import.finished", 0)]
    assert events[-1].data["counts"]["rejected"] == 2


def test_a_dry_run_records_no_event_of_leads(scenario: Scenario) -> None:
    scenario.unite.leads.add(scenario.admin, NewLead(name="Ada", email="ada@example.com"))

    dry = scenario.import_file([*rows("Ben"), ("Countess", "", "ada@example.com")], on_duplicate=UPDATE, dry_run=True)

    events = events_about(scenario, dry)
    assert summary(events) == [("import.started", 0), ("import.finished", 0)]
    assert (events[-1].data["dry_run"], events[-1].data["counts"]["created"]) == (True, 1)


def test_a_failed_import_records_its_reason(scenario: Scenario) -> None:
    failed = scenario.import_file("no,header,that,anybody,knows\n1,2,3,4,5\n")

    finished = events_about(scenario, failed)[-1]
    assert failed.failure is not None
    assert finished.data["status"] == "failed"
    assert finished.data["failure"] == {"code": failed.failure.code, "detail": failed.failure.detail}


def test_an_import_that_is_cancelled_before_its_start_records_its_end_once(scenario: Scenario) -> None:
    coming = scenario.upload(rows("Ada"))

    for _ in range(2):
        scenario.unite.imports.cancel(scenario.admin, coming.id)

    (event,) = events_about(scenario, coming)
    assert (event.type, event.data["status"]) == ("import.finished", "cancelled")


def test_an_import_that_is_cancelled_while_it_runs_records_its_end_once(scenario: Scenario) -> None:
    coming = scenario.upload(rows("Ada", "Ben", "Cleo"))
    scenario.continue_import(coming.id, holder="worker", should_stop=lambda: True)

    scenario.unite.imports.cancel(scenario.admin, coming.id)
    scenario.run_import(coming.id)

    events = events_about(scenario, coming)
    assert summary(events) == [("import.started", 0), ("lead.imported", 2), ("import.finished", 0)]
    assert events[-1].data["status"] == "cancelled"


def test_an_abandoned_import_records_its_end(scenario: Scenario) -> None:
    announced = scenario.unite.imports.announce(scenario.admin, NewImport(filename="never.csv", size=1)).lead_import
    scenario.ports.clock.advance(timedelta(days=2))

    scenario.unite.upkeep.remove_abandoned_imports()

    (event,) = events_about(scenario, announced)
    assert (event.type, event.data["status"]) == ("import.finished", "cancelled")


@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("at", range(5))
def test_a_crash_of_the_worker_records_no_event_twice(scenario: Scenario, at: int, *, after: bool) -> None:
    coming = scenario.upload(rows("Ada", "Ben", "Cleo"))
    dying = FailingWork(scenario.ports.work, PowerCutError(), at=at, after=after)
    with pytest.raises(PowerCutError):
        replace(scenario.continue_import, work=dying)(coming.id, holder="dying")
    scenario.ports.clock.advance(LEASE)

    done = scenario.run_import(coming.id)

    assert summary(events_about(scenario, done)) == [
        ("import.started", 0),
        ("lead.imported", 2),
        ("lead.imported", 1),
        ("import.finished", 0),
    ]


def test_a_chunk_that_is_retried_is_recorded_once(scenario: Scenario) -> None:
    coming = scenario.upload(rows("Ada", "Ben"))

    replace(scenario.continue_import, work=RacingWork(scenario.ports.work, times=2))(coming.id, holder="worker")

    assert summary(events_about(scenario, coming))[1:-1] == [("lead.imported", 2)]


def test_an_undo_records_removed_and_restored_leads(scenario: Scenario) -> None:
    restored = scenario.unite.leads.add(scenario.admin, NewLead(name="Ada", email="ada@example.com"))
    table = [("Countess", "", "ada@example.com"), *rows("Ben", "Cleo")]
    done = scenario.import_file(table, on_duplicate=UPDATE)
    _, ben, cleo = scenario.leads()
    scenario.unite.leads.change(scenario.admin, LeadChanges(lead_id=cleo.id, source="fair"))
    before = len(events_about(scenario, done))

    for _ in range(2):
        scenario.unite.imports.undo(scenario.admin, done.id)

    events = events_about(scenario, done)[before:]
    assert [(event.type, event.lead_ids) for event in events] == [
        ("lead.removed_by_undo", (ben.id,)),
        ("lead.restored_by_undo", (restored.id,)),
        ("import.undone", ()),
    ]
    undone = scenario.get_import(done.id).undone
    assert undone is not None
    assert events[-1].data == {"filename": "leads.csv", "removed": 1, "restored": 1, "kept": undone.kept}

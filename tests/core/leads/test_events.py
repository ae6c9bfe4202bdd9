"""Tests of the events of leads and their pictures, and of their data."""

from dataclasses import replace
from typing import Any

import pytest

from tests.core.imports.accidents import TroubledFiles
from tests.core.replay import SHOW_AGAIN
from tests.pictures import PNG
from unite_core import (
    Claim,
    DuplicateLead,
    Forbidden,
    ImageUpload,
    Lead,
    LeadStatus,
    LeadToDelete,
    NewImage,
    NewLead,
    PreconditionFailed,
)
from unite_core.events import Event
from unite_core.files import upload_key
from unite_core.testing.in_memory import FixedClock, in_memory_ports
from unite_core.testing.scenario import Scenario


def events(scenario: Scenario) -> list[Event]:
    """The events so far, in the order in which they were recorded."""
    scenario.ports.jobs.run_all(scenario.unite)
    return sorted(scenario.ports.activity.events.values(), key=lambda event: event.id)


def types(scenario: Scenario) -> list[str]:
    return [event.type for event in events(scenario)]


def upload(scenario: Scenario, lead: Lead) -> ImageUpload:
    """A picture of the lead whose bytes have arrived."""
    new = NewImage(lead_id=lead.id, content_type="image/png", size=len(PNG), filename="ada.png")
    announced = scenario.unite.leads.create_image(scenario.admin, new)
    with scenario.ports.files.write(upload_key(announced.image.key), content_type="image/png") as stream:
        stream.write(PNG)
    return announced


def test_creating_a_lead_records_its_details(scenario: Scenario) -> None:
    lead = scenario.create_lead(
        scenario.admin, phone="(212) 555-0123 x7", email="g@example.com", assigned_to=scenario.ann.user_id
    )

    (event,) = events(scenario)

    assert (event.type, event.at, event.actor_id) == ("lead.created", lead.created_at, scenario.admin.user_id)
    assert (event.lead_ids, event.import_id, event.correlation_id) == ((lead.id,), None, "of-admin")
    assert event.data == {
        "name": "Grace Hopper",
        "phone": "+12125550123",
        "phone_extension": "7",
        "email": "g@example.com",
        "status": "new",
        "source": "api",
        "assigned_to": str(scenario.ann.user_id),
        "company": None,
    }


def test_an_event_has_the_correlation_id_of_its_request(scenario: Scenario) -> None:
    actor = replace(scenario.admin, correlation_id="c0ffee-1234")
    scenario.create_lead(actor)

    (event,) = events(scenario)

    assert event.correlation_id == "c0ffee-1234"


@pytest.mark.parametrize(
    ("changes", "data"),
    [
        ({"name": "Ada"}, {"name": {"from": "Grace Hopper", "to": "Ada"}}),
        ({"status": LeadStatus.LOST}, {"status": {"from": "new", "to": "lost"}}),
        (
            {"phone": None, "email": "g@example.com"},
            {"phone": {"from": "+12125550123", "to": None}, "email": {"from": None, "to": "g@example.com"}},
        ),
    ],
)
def test_an_update_records_the_changed_fields(
    scenario: Scenario, changes: dict[str, Any], data: dict[str, Any]
) -> None:
    lead = scenario.create_lead(phone="(212) 555-0123")

    changed = scenario.update_lead(lead, **changes)

    _, event = events(scenario)
    assert (event.type, event.at, event.actor_id) == ("lead.changed", changed.updated_at, scenario.admin.user_id)
    assert (event.lead_ids, event.data) == ((lead.id,), data)


def test_an_update_without_changes_records_no_event(scenario: Scenario) -> None:
    lead = scenario.create_lead()

    scenario.update_lead(lead, name=lead.name)

    assert types(scenario) == ["lead.created"]


def test_deleting_a_lead_records_none_of_its_details(scenario: Scenario) -> None:
    lead = scenario.create_lead()

    scenario.unite.leads.delete(scenario.admin, LeadToDelete(lead_id=lead.id))

    _, event = events(scenario)
    assert (event.type, event.lead_ids, event.data) == ("lead.deleted", (lead.id,), {})
    assert event.actor_id == scenario.admin.user_id


def test_a_picture_records_events_when_it_is_completed_and_deleted(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    image = upload(scenario, lead).image
    assert types(scenario) == ["lead.created"]

    scenario.unite.leads.complete_image(scenario.admin, lead.id, image.id)
    scenario.unite.leads.delete_image(scenario.admin, lead.id, image.id)

    _, added, deleted = events(scenario)
    assert [added.type, deleted.type] == ["lead.image_added", "lead.image_deleted"]
    of = {"image_id": str(image.id), "filename": "ada.png", "content_type": "image/png"}
    assert added.data == deleted.data == of
    assert {added.lead_ids, deleted.lead_ids} == {(lead.id,)}


def test_completing_a_picture_twice_records_one_event(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    image = upload(scenario, lead).image

    for _ in range(2):
        scenario.unite.leads.complete_image(scenario.admin, lead.id, image.id)

    assert types(scenario) == ["lead.created", "lead.image_added"]


def test_completing_a_picture_twice_concurrently_records_one_event() -> None:
    clock = FixedClock()
    files = TroubledFiles(clock)
    scenario = Scenario(in_memory_ports(clock=clock, files=files))
    lead = scenario.create_lead()
    image = upload(scenario, lead).image

    def be_overtaken() -> None:
        files.trouble = lambda: None
        scenario.unite.leads.complete_image(scenario.admin, lead.id, image.id)

    files.trouble = be_overtaken
    completed = scenario.unite.leads.complete_image(scenario.admin, lead.id, image.id)

    assert completed.version == 2
    assert types(scenario) == ["lead.created", "lead.image_added"]


def test_refused_requests_record_no_event(scenario: Scenario) -> None:
    ann, ben = (scenario.create_lead(email=f"{name}@example.com") for name in ("ann", "ben"))

    with pytest.raises(DuplicateLead):
        scenario.create_lead(email="ann@example.com")
    with pytest.raises(DuplicateLead):
        scenario.update_lead(ben, email="ann@example.com")
    with pytest.raises(PreconditionFailed):
        scenario.unite.leads.delete(scenario.admin, LeadToDelete(lead_id=ann.id, expected_version=7))
    with pytest.raises(Forbidden):
        scenario.unite.leads.delete(
            scenario.ann, LeadToDelete(lead_id=scenario.create_lead(assigned_to=scenario.ann.user_id).id)
        )

    assert types(scenario) == ["lead.created"] * 3


def test_a_replayed_request_records_one_event(scenario: Scenario) -> None:
    claims = [Claim(scope="a" * 64, fingerprint="b" * 64, holder=holder) for holder in ("first", "second")]
    new = NewLead(name="Grace", email="grace@example.com")

    outcomes = [
        scenario.unite.once(
            claim, scenario.unite.leads.add, lambda lead: lead.id.bytes, SHOW_AGAIN, scenario.admin, new
        )
        for claim in claims
    ]

    assert [outcome.replayed for outcome in outcomes] == [False, True]
    assert types(scenario) == ["lead.created"]


def test_a_use_case_whose_response_cannot_be_stored_records_no_event(scenario: Scenario) -> None:
    def fail(_: Lead) -> bytes:
        raise ZeroDivisionError

    claim = Claim(scope="a" * 64, fingerprint="b" * 64, holder="first")

    with pytest.raises(ZeroDivisionError):
        scenario.unite.once(
            claim,
            scenario.unite.leads.add,
            fail,
            SHOW_AGAIN,
            scenario.admin,
            NewLead(name="Grace", email="grace@example.com"),
        )

    assert types(scenario) == []

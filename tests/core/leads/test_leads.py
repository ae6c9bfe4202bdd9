"""Tests of leads: create, update, delete, get and list them, by role."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from unite_core import (
    Actor,
    Duplicate,
    DuplicateLead,
    Forbidden,
    Invalid,
    Lead,
    LeadFilter,
    LeadStatus,
    LeadToDelete,
    NewLead,
    NotFound,
    PageRequest,
    Phone,
    PhonePolicy,
    PhoneRule,
    PreconditionFailed,
    Rules,
    build,
)
from unite_core.testing.builders import an_id
from unite_core.testing.contracts.database import run_concurrently
from unite_core.testing.scenario import Scenario


def everybody(scenario: Scenario) -> dict[str, Actor]:
    return {"admin": scenario.admin, "manager": scenario.manager, "ann": scenario.ann, "ben": scenario.ben}


def listed(scenario: Scenario, actor: Actor, **filters: Any) -> list[UUID]:
    return [lead.id for lead in scenario.unite.leads.list(actor, LeadFilter(**filters), PageRequest()).items]


def delete(scenario: Scenario, actor: Actor, lead: Lead, expected_version: int | None = None) -> None:
    scenario.unite.leads.delete(actor, LeadToDelete(lead_id=lead.id, expected_version=expected_version))


def test_a_lead_is_created_with_all_of_its_values(scenario: Scenario) -> None:
    lead = scenario.create_lead(
        name="  Grace  ",
        phone="(212) 555-0123 x7",
        email="Grace@Example.COM",
        status=LeadStatus.CONTACTED,
        source=" Fair ",
        assigned_to=scenario.ann.user_id,
    )

    assert (lead.name, lead.phone, lead.email) == ("Grace", Phone("+12125550123", "7"), "grace@example.com")
    assert (lead.status, lead.source, lead.assigned_to) == (LeadStatus.CONTACTED, "fair", scenario.ann.user_id)
    assert (lead.created_by, lead.created_at, lead.version) == (scenario.admin.user_id, scenario.ports.clock.now(), 1)
    assert scenario.unite.leads.get(scenario.manager, lead.id) == lead


def test_a_lead_without_further_values_is_new_unassigned_and_from_the_api(scenario: Scenario) -> None:
    new = NewLead(name="Grace", email="grace@example.com")

    lead = scenario.unite.leads.add(scenario.admin, new)

    assert (lead.phone, lead.status, lead.source, lead.assigned_to) == (None, LeadStatus.NEW, "api", None)


def test_a_phone_extension_may_be_given_separately(scenario: Scenario) -> None:
    assert scenario.create_lead(phone="212-555-0123", phone_extension=" 9 ").phone == Phone("+12125550123", "9")


@pytest.mark.parametrize(
    ("new", "field", "code"),
    [
        ({"name": " "}, "name", "required"),
        ({"name": "a" * 201}, "name", "too_long"),
        ({"name": "a\nb"}, "name", "control_character"),
        ({"phone": "12"}, "phone", "invalid_phone"),
        ({"name": "\u200b\u3164"}, "name", "required"),
        ({"phone": "212-555-0123", "phone_extension": "x"}, "phone_extension", "invalid_extension"),
        ({"phone": "212-555-0123", "phone_extension": ""}, "phone_extension", "invalid_extension"),
        ({"phone": "212-555-0123", "phone_extension": " "}, "phone_extension", "invalid_extension"),
        ({"phone": "212-555-0123 x5", "phone_extension": "6"}, "phone_extension", "invalid_extension"),
        ({"email": "grace@example.com", "phone_extension": "7"}, "phone_extension", "phone_required"),
        ({"email": "no address"}, "email", "invalid_email"),
        ({"source": ""}, "source", "required"),
        ({"source": "a" * 65}, "source", "too_long"),
        ({"phone": None, "email": None}, "", "contact_required"),
        ({"assigned_to": an_id()}, "assigned_to", "unknown_user"),
    ],
)
def test_an_invalid_lead_is_refused(scenario: Scenario, new: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        scenario.create_lead(**new)

    assert [(problem.field, problem.code) for problem in refused.value.problems] == [(field, code)]
    assert listed(scenario, scenario.admin) == []


def test_all_field_errors_are_reported_together(scenario: Scenario) -> None:
    with pytest.raises(Invalid) as refused:
        scenario.create_lead(name="", phone="12", email="no address", source="")

    assert [problem.field for problem in refused.value.problems] == ["name", "phone", "email", "source"]


def test_phones_are_validated_by_the_configured_rule(scenario: Scenario) -> None:
    unused = "+1 212 155 0123"  # no American number has a 1 there
    strict = build(scenario.ports, Rules(phones=PhonePolicy(rule=PhoneRule.VALID)))

    with pytest.raises(Invalid):
        strict.leads.add(scenario.admin, NewLead(name="Grace", phone=unused))
    assert scenario.create_lead(phone=unused).phone == Phone("+12121550123")


def test_leads_cannot_be_assigned_to_a_deactivated_user(scenario: Scenario) -> None:
    scenario.deactivate(scenario.ann)
    lead = scenario.create_lead(assigned_to=None)
    with pytest.raises(Invalid):
        scenario.create_lead(assigned_to=scenario.ann.user_id)
    with pytest.raises(Invalid):
        scenario.update_lead(lead, assigned_to=scenario.ann.user_id)


def test_a_lead_that_an_agent_creates_is_assigned_to_them(scenario: Scenario) -> None:
    assert scenario.create_lead(scenario.ann).assigned_to == scenario.ann.user_id
    assert scenario.create_lead(scenario.ann, assigned_to=scenario.ann.user_id).assigned_to == scenario.ann.user_id
    with pytest.raises(Forbidden):
        scenario.create_lead(scenario.ann, assigned_to=scenario.ben.user_id)


def test_a_duplicate_is_refused_in_any_notation_of_the_phone(scenario: Scenario) -> None:
    lead = scenario.create_lead(phone="+1 212 555 0123", email="grace@example.com")

    with pytest.raises(DuplicateLead) as refused:
        scenario.create_lead(phone="(212) 555-0123", email="GRACE@example.com")

    assert refused.value.duplicates == (Duplicate("phone", lead.id), Duplicate("email", lead.id))
    assert refused.value.detail == (
        "Another lead has this phone number and e-mail address already; open that one, or correct this one."
    )
    assert refused.value.code == "duplicate_lead"


def test_a_duplicate_is_identified_only_to_users_who_may_see_it(scenario: Scenario) -> None:
    anns = scenario.create_lead(scenario.ann, phone="+12125550123")
    bens = scenario.create_lead(scenario.ben, email="grace@example.com")
    third = scenario.create_lead(scenario.ben, phone="+12125550124")
    duplicates = {}
    for name, actor in everybody(scenario).items():
        with pytest.raises(DuplicateLead) as refused:
            scenario.create_lead(actor, phone="+12125550123", email="grace@example.com")
        duplicates[name] = [duplicate.id for duplicate in refused.value.duplicates]

    assert duplicates == {
        "admin": [anns.id, bens.id],
        "manager": [anns.id, bens.id],
        "ann": [anns.id, None],
        "ben": [None, bens.id],
    }
    with pytest.raises(DuplicateLead) as changing:
        scenario.update_lead(third, scenario.ben, phone="+12125550123")
    assert changing.value.duplicates == (Duplicate("phone", None),)


def test_of_fifty_concurrent_requests_to_create_a_lead_one_succeeds(scenario: Scenario) -> None:
    new = NewLead(name="Grace", phone="+12125550123")

    def add(_: int) -> bool:
        try:
            scenario.unite.leads.add(scenario.admin, new)
        except DuplicateLead:
            return False
        return True

    assert run_concurrently(50, add).count(True) == 1
    assert len(listed(scenario, scenario.admin)) == 1


def test_agents_see_and_change_only_leads_assigned_to_them(scenario: Scenario) -> None:
    lead = scenario.create_lead(assigned_to=scenario.ann.user_id)

    for actor in (scenario.admin, scenario.manager, scenario.ann):
        assert scenario.unite.leads.get(actor, lead.id).id == lead.id
        assert listed(scenario, actor) == [lead.id]
        scenario.update_lead(lead, actor, name="Changed")
    assert listed(scenario, scenario.ben) == []
    assert listed(scenario, scenario.ben, assigned_to=frozenset({scenario.ann.user_id})) == []
    with pytest.raises(NotFound):
        scenario.unite.leads.get(scenario.ben, lead.id)
    with pytest.raises(NotFound):
        scenario.update_lead(lead, scenario.ben, name="Changed")
    with pytest.raises(NotFound):
        delete(scenario, scenario.ben, lead)


def test_agents_do_not_see_unassigned_leads(scenario: Scenario) -> None:
    lead = scenario.create_lead(assigned_to=None)

    assert listed(scenario, scenario.ann, unassigned=True) == []
    with pytest.raises(NotFound):
        scenario.unite.leads.get(scenario.ann, lead.id)


def test_an_update_changes_only_the_given_fields(scenario: Scenario) -> None:
    lead = scenario.create_lead(phone="+12125550123", phone_extension="7", email="grace@example.com", source="fair")
    scenario.ports.clock.advance(timedelta(minutes=1))

    changed = scenario.update_lead(lead, scenario.manager, status=LeadStatus.LOST)

    now = scenario.ports.clock.now()
    assert changed == replace(
        lead,
        details=replace(lead.details, status=LeadStatus.LOST),
        status_chosen_at=now,
        version=2,
        updated_at=now,
    )
    assert scenario.unite.leads.get(scenario.admin, lead.id) == changed


@pytest.mark.parametrize(
    ("changes", "phone", "email"),
    [
        ({"phone": "(212) 555-0124"}, Phone("+12125550124"), "grace@example.com"),
        ({"phone": "(212) 555-0123"}, Phone("+12125550123", "7"), "grace@example.com"),
        ({"phone": "(212) 555-0124", "phone_extension": None}, Phone("+12125550124"), "grace@example.com"),
        ({"phone": "212 555 0124 ext 8"}, Phone("+12125550124", "8"), "grace@example.com"),
        ({"phone": "212 555 0124", "phone_extension": "8"}, Phone("+12125550124", "8"), "grace@example.com"),
        ({"phone_extension": "8"}, Phone("+12125550123", "8"), "grace@example.com"),
        ({"phone_extension": None}, Phone("+12125550123"), "grace@example.com"),
        ({"phone": None}, None, "grace@example.com"),
        ({"email": None}, Phone("+12125550123", "7"), None),
        ({"email": "Ada@Example.com"}, Phone("+12125550123", "7"), "ada@example.com"),
    ],
)
def test_phone_extension_and_email_can_be_changed_separately(
    scenario: Scenario, changes: dict[str, Any], phone: Phone | None, email: str | None
) -> None:
    lead = scenario.create_lead(phone="+12125550123", phone_extension="7", email="grace@example.com")

    changed = scenario.update_lead(lead, **changes)

    assert (changed.phone, changed.email) == (phone, email)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"name": ""}, "name", "required"),
        ({"source": " "}, "source", "required"),
        ({"phone": "12"}, "phone", "invalid_phone"),
        ({"email": "no address"}, "email", "invalid_email"),
        ({"phone": None, "email": None}, "", "contact_required"),
        ({"phone": None, "phone_extension": "8"}, "phone_extension", "phone_required"),
        ({"phone_extension": ""}, "phone_extension", "invalid_extension"),
        ({"phone_extension": "x8"}, "phone_extension", "invalid_extension"),
        ({"phone": "212 555 0124 ext 8", "phone_extension": "9"}, "phone_extension", "invalid_extension"),
        ({"assigned_to": an_id()}, "assigned_to", "unknown_user"),
    ],
)
def test_an_invalid_update_is_refused(scenario: Scenario, changes: dict[str, Any], field: str, code: str) -> None:
    lead = scenario.create_lead(phone="+12125550123", email="grace@example.com")

    with pytest.raises(Invalid) as refused:
        scenario.update_lead(lead, **changes)

    assert [(problem.field, problem.code) for problem in refused.value.problems] == [(field, code)]
    assert scenario.unite.leads.get(scenario.admin, lead.id) == lead


def test_removing_a_phone_removes_its_extension(scenario: Scenario) -> None:
    lead = scenario.create_lead(phone="+12125550123", phone_extension="7", email="grace@example.com")
    scenario.update_lead(lead, phone=None)

    assert scenario.update_lead(lead, phone="+12125550124").phone == Phone("+12125550124")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": " Grace Hopper ", "status": LeadStatus.NEW, "source": "API", "assigned_to": None},
        {"phone": "(212) 555-0123", "email": "GRACE@example.com"},
        {"phone_extension": "7"},
    ],
)
def test_an_update_without_changes_keeps_the_version(scenario: Scenario, changes: dict[str, Any]) -> None:
    lead = scenario.create_lead(phone="+12125550123", phone_extension="7", email="grace@example.com", assigned_to=None)
    scenario.ports.clock.advance(timedelta(minutes=1))

    assert scenario.update_lead(lead, **changes, expected_version=1) == lead
    assert scenario.unite.leads.get(scenario.admin, lead.id) == lead
    with pytest.raises(PreconditionFailed):
        scenario.update_lead(lead, **changes, expected_version=2)


def test_an_extension_without_a_phone_is_refused(scenario: Scenario) -> None:
    lead = scenario.create_lead(email="grace@example.com")

    with pytest.raises(Invalid):
        scenario.update_lead(lead, phone_extension="7")
    assert scenario.update_lead(lead, phone_extension=None).phone is None


def test_a_lead_cannot_take_the_phone_of_another(scenario: Scenario) -> None:
    other = scenario.create_lead(phone="+12125550123")
    lead = scenario.create_lead(phone="+12125550124")

    with pytest.raises(DuplicateLead) as refused:
        scenario.update_lead(lead, scenario.manager, phone="+12125550123")

    assert refused.value.duplicates == (Duplicate("phone", other.id),)


def test_managers_can_reassign_leads_and_agents_cannot(scenario: Scenario) -> None:
    lead = scenario.create_lead(assigned_to=scenario.ann.user_id)
    for nobody_or_ben in (None, scenario.ben.user_id):
        with pytest.raises(Forbidden):
            scenario.update_lead(lead, scenario.ann, assigned_to=nobody_or_ben)
    assert (
        scenario.update_lead(lead, scenario.ann, assigned_to=scenario.ann.user_id).assigned_to == scenario.ann.user_id
    )

    assert (
        scenario.update_lead(lead, scenario.manager, assigned_to=scenario.ben.user_id).assigned_to
        == scenario.ben.user_id
    )
    assert scenario.update_lead(lead, assigned_to=None).assigned_to is None


def test_updating_and_deleting_may_require_a_version(scenario: Scenario) -> None:
    lead = scenario.create_lead()
    scenario.update_lead(lead, name="Changed", expected_version=1)
    with pytest.raises(PreconditionFailed):
        scenario.update_lead(lead, name="Changed again", expected_version=1)
    with pytest.raises(PreconditionFailed):
        delete(scenario, scenario.admin, lead, expected_version=1)

    delete(scenario, scenario.admin, lead, expected_version=2)

    with pytest.raises(NotFound):
        scenario.update_lead(lead, name="Changed")


def test_managers_can_delete_leads_and_agents_cannot(scenario: Scenario) -> None:
    lead = scenario.create_lead(assigned_to=scenario.ann.user_id, phone="+12125550123")
    with pytest.raises(Forbidden):
        delete(scenario, scenario.ann, lead)

    delete(scenario, scenario.manager, lead)

    assert listed(scenario, scenario.admin) == []
    with pytest.raises(NotFound):
        scenario.unite.leads.get(scenario.admin, lead.id)
    assert scenario.create_lead(phone="+12125550123").id != lead.id
    with scenario.ports.work() as work, pytest.raises(NotFound):
        work.leads.get(lead.id)


def test_an_unknown_lead_is_not_found(scenario: Scenario) -> None:
    with pytest.raises(NotFound):
        scenario.unite.leads.get(scenario.admin, an_id())

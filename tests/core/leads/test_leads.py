"""Adding leads, changing, deleting and finding them, by everybody who may and nobody else."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.core.leads.conftest import Floor
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
from unite_core.testing.contracts.database import at_once


def everybody(floor: Floor) -> dict[str, Actor]:
    return {"admin": floor.admin, "manager": floor.manager, "ann": floor.ann, "ben": floor.ben}


def listed(floor: Floor, actor: Actor, **wanted: Any) -> list[UUID]:
    return [lead.id for lead in floor.unite.leads.list(actor, LeadFilter(**wanted), PageRequest()).items]


def delete(floor: Floor, actor: Actor, lead: Lead, expected_version: int | None = None) -> None:
    floor.unite.leads.delete(actor, LeadToDelete(lead_id=lead.id, expected_version=expected_version))


def test_a_lead_is_added_as_it_was_meant(floor: Floor) -> None:
    lead = floor.add(
        name="  Grace  ",
        phone="(212) 555-0123 x7",
        email="Grace@Example.COM",
        status=LeadStatus.CONTACTED,
        source=" Fair ",
        assigned_to=floor.ann.user_id,
    )

    assert (lead.name, lead.phone, lead.email) == ("Grace", Phone("+12125550123", "7"), "grace@example.com")
    assert (lead.status, lead.source, lead.assigned_to) == (LeadStatus.CONTACTED, "fair", floor.ann.user_id)
    assert (lead.created_by, lead.created_at, lead.version) == (floor.admin.user_id, floor.ports.clock.now(), 1)
    assert floor.unite.leads.get(floor.manager, lead.id) == lead


def test_a_lead_is_new_comes_from_the_api_and_is_nobodys(floor: Floor) -> None:
    lead = floor.add(name="Grace", email="grace@example.com")

    assert (lead.phone, lead.status, lead.source, lead.assigned_to) == (None, LeadStatus.NEW, "api", None)


def test_an_extension_may_be_told_apart(floor: Floor) -> None:
    assert floor.add(phone="212-555-0123", phone_extension=" 9 ").phone == Phone("+12125550123", "9")


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
def test_a_lead_that_breaks_a_rule_is_refused(floor: Floor, new: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        floor.add(**new)

    assert [(problem.field, problem.code) for problem in refused.value.problems] == [(field, code)]
    assert listed(floor, floor.admin) == []


def test_all_that_is_wrong_is_told_at_once(floor: Floor) -> None:
    with pytest.raises(Invalid) as refused:
        floor.add(name="", phone="12", email="no address", source="")

    assert [problem.field for problem in refused.value.problems] == ["name", "phone", "email", "source"]


def test_how_strictly_a_phone_is_judged_is_the_owners_rule(floor: Floor) -> None:
    unused = "+1 212 155 0123"  # no American number has a 1 there
    strict = build(floor.ports, Rules(phones=PhonePolicy(rule=PhoneRule.VALID)))

    with pytest.raises(Invalid):
        strict.leads.add(floor.admin, NewLead(name="Grace", phone=unused))
    assert floor.add(phone=unused).phone == Phone("+12121550123")


def test_leads_are_not_given_to_somebody_who_has_left(floor: Floor) -> None:
    floor.dismiss(floor.ann)
    lead = floor.add()
    with pytest.raises(Invalid):
        floor.add(assigned_to=floor.ann.user_id)
    with pytest.raises(Invalid):
        floor.change(floor.admin, lead, assigned_to=floor.ann.user_id)


def test_what_an_agent_adds_is_that_agents(floor: Floor) -> None:
    assert floor.add(floor.ann).assigned_to == floor.ann.user_id
    assert floor.add(floor.ann, assigned_to=floor.ann.user_id).assigned_to == floor.ann.user_id
    with pytest.raises(Forbidden):
        floor.add(floor.ann, assigned_to=floor.ben.user_id)


def test_a_duplicate_is_refused_however_the_phone_is_written(floor: Floor) -> None:
    lead = floor.add(phone="+1 212 555 0123", email="grace@example.com")

    with pytest.raises(DuplicateLead) as refused:
        floor.add(phone="(212) 555-0123", email="GRACE@example.com")

    assert refused.value.duplicates == (Duplicate("phone", lead.id), Duplicate("email", lead.id))
    assert refused.value.detail == (
        "Another lead has this phone number and e-mail address already; open that one, or correct this one."
    )
    assert refused.value.code == "duplicate_lead"


def test_a_duplicate_is_named_to_those_who_may_see_it(floor: Floor) -> None:
    anns = floor.add(floor.ann, phone="+12125550123")
    bens = floor.add(floor.ben, email="grace@example.com")
    third = floor.add(floor.ben, phone="+12125550124")
    told = {}
    for name, actor in everybody(floor).items():
        with pytest.raises(DuplicateLead) as refused:
            floor.add(actor, phone="+12125550123", email="grace@example.com")
        told[name] = [duplicate.id for duplicate in refused.value.duplicates]

    assert told == {
        "admin": [anns.id, bens.id],
        "manager": [anns.id, bens.id],
        "ann": [anns.id, None],
        "ben": [None, bens.id],
    }
    with pytest.raises(DuplicateLead) as changing:
        floor.change(floor.ben, third, phone="+12125550123")
    assert changing.value.duplicates == (Duplicate("phone", None),)


def test_of_fifty_that_add_one_lead_at_once_one_succeeds(floor: Floor) -> None:
    new = NewLead(name="Grace", phone="+12125550123")

    def add(_: int) -> bool:
        try:
            floor.unite.leads.add(floor.admin, new)
        except DuplicateLead:
            return False
        return True

    assert at_once(50, add).count(True) == 1
    assert len(listed(floor, floor.admin)) == 1


def test_agents_see_and_change_what_is_assigned_to_them(floor: Floor) -> None:
    lead = floor.add(assigned_to=floor.ann.user_id)

    for actor in (floor.admin, floor.manager, floor.ann):
        assert floor.unite.leads.get(actor, lead.id).id == lead.id
        assert listed(floor, actor) == [lead.id]
        floor.change(actor, lead, name="Changed")
    assert listed(floor, floor.ben) == []
    assert listed(floor, floor.ben, assigned_to=frozenset({floor.ann.user_id})) == []
    with pytest.raises(NotFound):
        floor.unite.leads.get(floor.ben, lead.id)
    with pytest.raises(NotFound):
        floor.change(floor.ben, lead, name="Changed")
    with pytest.raises(NotFound):
        delete(floor, floor.ben, lead)


def test_what_is_nobodys_is_not_an_agents(floor: Floor) -> None:
    lead = floor.add()

    assert listed(floor, floor.ann, unassigned=True) == []
    with pytest.raises(NotFound):
        floor.unite.leads.get(floor.ann, lead.id)


def test_a_lead_is_changed_and_what_is_not_mentioned_stays(floor: Floor) -> None:
    lead = floor.add(phone="+12125550123", phone_extension="7", email="grace@example.com", source="fair")
    floor.ports.clock.advance(timedelta(minutes=1))

    changed = floor.change(floor.manager, lead, status=LeadStatus.LOST)

    now = floor.ports.clock.now()
    assert changed == replace(lead, status=LeadStatus.LOST, status_chosen_at=now, version=2, updated_at=now)
    assert floor.unite.leads.get(floor.admin, lead.id) == changed


@pytest.mark.parametrize(
    ("changes", "phone", "email"),
    [
        ({"phone": "(212) 555-0124"}, Phone("+12125550124", "7"), "grace@example.com"),
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
def test_phone_extension_and_email_are_changed_each_by_itself(
    floor: Floor, changes: dict[str, Any], phone: Phone | None, email: str | None
) -> None:
    lead = floor.add(phone="+12125550123", phone_extension="7", email="grace@example.com")

    changed = floor.change(floor.admin, lead, **changes)

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
        ({"phone": "212 555 0124 ext 8", "phone_extension": "9"}, "phone_extension", "invalid_extension"),
        ({"assigned_to": an_id()}, "assigned_to", "unknown_user"),
    ],
)
def test_a_change_that_breaks_a_rule_is_refused(floor: Floor, changes: dict[str, Any], field: str, code: str) -> None:
    lead = floor.add(phone="+12125550123", email="grace@example.com")

    with pytest.raises(Invalid) as refused:
        floor.change(floor.admin, lead, **changes)

    assert [(problem.field, problem.code) for problem in refused.value.problems] == [(field, code)]
    assert floor.unite.leads.get(floor.admin, lead.id) == lead


def test_an_extension_goes_with_its_phone_and_a_first_phone_has_none(floor: Floor) -> None:
    lead = floor.add(phone="+12125550123", phone_extension="7", email="grace@example.com")
    floor.change(floor.admin, lead, phone=None)

    assert floor.change(floor.admin, lead, phone="+12125550124").phone == Phone("+12125550124")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": " Grace ", "status": LeadStatus.NEW, "source": "API", "assigned_to": None},
        {"phone": "(212) 555-0123", "email": "GRACE@example.com"},
        {"phone_extension": "7"},
    ],
)
def test_a_change_that_changes_nothing_leaves_the_lead_at_its_version(floor: Floor, changes: dict[str, Any]) -> None:
    lead = floor.add(phone="+12125550123", phone_extension="7", email="grace@example.com")
    floor.ports.clock.advance(timedelta(minutes=1))

    assert floor.change(floor.admin, lead, **changes, expected_version=1) == lead
    assert floor.unite.leads.get(floor.admin, lead.id) == lead
    with pytest.raises(PreconditionFailed):
        floor.change(floor.admin, lead, **changes, expected_version=2)


def test_an_extension_needs_a_phone_to_go_with(floor: Floor) -> None:
    lead = floor.add(email="grace@example.com")

    with pytest.raises(Invalid):
        floor.change(floor.admin, lead, phone_extension="7")
    assert floor.change(floor.admin, lead, phone_extension=None).phone is None


def test_a_lead_cannot_take_the_phone_of_another(floor: Floor) -> None:
    other = floor.add(phone="+12125550123")
    lead = floor.add(phone="+12125550124")

    with pytest.raises(DuplicateLead) as refused:
        floor.change(floor.manager, lead, phone="+12125550123")

    assert refused.value.duplicates == (Duplicate("phone", other.id),)


def test_managers_reassign_leads_and_agents_do_not_give_them_away(floor: Floor) -> None:
    lead = floor.add(assigned_to=floor.ann.user_id)
    for nobody_or_ben in (None, floor.ben.user_id):
        with pytest.raises(Forbidden):
            floor.change(floor.ann, lead, assigned_to=nobody_or_ben)
    assert floor.change(floor.ann, lead, assigned_to=floor.ann.user_id).assigned_to == floor.ann.user_id

    assert floor.change(floor.manager, lead, assigned_to=floor.ben.user_id).assigned_to == floor.ben.user_id
    assert floor.change(floor.admin, lead, assigned_to=None).assigned_to is None


def test_changes_and_deletions_may_name_the_version_that_they_are_for(floor: Floor) -> None:
    lead = floor.add()
    floor.change(floor.admin, lead, name="Changed", expected_version=1)
    with pytest.raises(PreconditionFailed):
        floor.change(floor.admin, lead, name="Changed again", expected_version=1)
    with pytest.raises(PreconditionFailed):
        delete(floor, floor.admin, lead, expected_version=1)

    delete(floor, floor.admin, lead, expected_version=2)

    with pytest.raises(NotFound):
        floor.change(floor.admin, lead, name="Changed")


def test_managers_delete_leads_and_agents_do_not(floor: Floor) -> None:
    lead = floor.add(assigned_to=floor.ann.user_id, phone="+12125550123")
    with pytest.raises(Forbidden):
        delete(floor, floor.ann, lead)

    delete(floor, floor.manager, lead)

    assert listed(floor, floor.admin) == []
    with pytest.raises(NotFound):
        floor.unite.leads.get(floor.admin, lead.id)
    assert floor.add(phone="+12125550123").id != lead.id
    with floor.ports.work() as work, pytest.raises(NotFound):
        work.leads.get(lead.id)


def test_a_lead_that_does_not_exist_is_not_found(floor: Floor) -> None:
    with pytest.raises(NotFound):
        floor.unite.leads.get(floor.admin, an_id())

"""Tests of the quotas of pictures per lead, and of announced pictures per user."""

from datetime import timedelta

import pytest

from tests.core.leads.test_images import announce, upload
from tests.pictures import PNG
from unite_core import Actor, Conflict, Invalid, Lead, NewImage, Quotas, Rules
from unite_core.leads.use_cases.images import ABANDONED_AFTER
from unite_core.testing.scenario import Scenario


@pytest.fixture
def scenario() -> Scenario:
    return Scenario(rules=Rules(quotas=Quotas(images_per_lead=4, open_images=3)))


@pytest.fixture
def lead(scenario: Scenario) -> Lead:
    return scenario.create_lead(assigned_to=scenario.ann.user_id)


def code_of(scenario: Scenario, lead: Lead, actor: Actor | None = None) -> str:
    """Announce a picture; the code of the refusal, or an empty text."""
    try:
        announce(scenario, lead, actor)
    except Conflict as refused:
        return refused.code
    return ""


def add_ready(scenario: Scenario, lead: Lead, actor: Actor | None = None) -> None:
    announced = announce(scenario, lead, actor)
    upload(scenario, announced)
    scenario.unite.leads.complete_image(actor or scenario.ann, lead.id, announced.image.id)


def test_pictures_of_a_lead_beyond_the_quota_are_refused_for_every_user(scenario: Scenario, lead: Lead) -> None:
    for actor in (scenario.ann, scenario.ann, scenario.manager):
        add_ready(scenario, lead, actor)
    assert code_of(scenario, lead, scenario.admin) == ""

    assert [code_of(scenario, lead, actor) for actor in (scenario.ann, scenario.admin)] == ["too_many_images"] * 2
    assert code_of(scenario, scenario.create_lead(), scenario.admin) == ""


def test_a_deleted_picture_does_not_count(scenario: Scenario, lead: Lead) -> None:
    for _ in range(3):
        add_ready(scenario, lead)
    announced = announce(scenario, lead)
    assert code_of(scenario, lead) == "too_many_images"

    scenario.unite.leads.delete_image(scenario.ann, lead.id, announced.image.id)

    assert code_of(scenario, lead) == ""


def test_announced_pictures_of_a_user_beyond_the_quota_are_refused(scenario: Scenario, lead: Lead) -> None:
    leads = [scenario.create_lead(assigned_to=scenario.ann.user_id) for _ in range(4)]

    assert [code_of(scenario, each) for each in leads] == ["", "", "", "too_many_announced_images"]
    assert code_of(scenario, lead, scenario.manager) == ""


def test_completed_and_abandoned_pictures_do_not_count_as_announced(scenario: Scenario, lead: Lead) -> None:
    announced = announce(scenario, lead)
    assert [code_of(scenario, lead) for _ in range(3)] == ["", "", "too_many_announced_images"]
    upload(scenario, announced)
    scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id)
    assert code_of(scenario, lead) == ""

    scenario.ports.clock.advance(ABANDONED_AFTER + timedelta(seconds=1))
    assert scenario.unite.upkeep.remove_abandoned_images() == 3
    assert code_of(scenario, lead) == ""


def test_invalid_pictures_get_field_errors_before_the_quota_is_checked(scenario: Scenario, lead: Lead) -> None:
    for _ in range(3):
        announce(scenario, lead)

    with pytest.raises(Invalid):
        scenario.unite.leads.create_image(
            scenario.ann, NewImage(lead_id=lead.id, content_type="text/html", size=len(PNG))
        )

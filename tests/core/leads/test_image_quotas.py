"""How many pictures a lead may have, and how many a user may announce without uploading them."""

from datetime import timedelta

import pytest

from tests.core.leads.conftest import Floor
from tests.core.leads.test_images import announce, upload
from tests.pictures import PNG
from unite_core import Actor, Conflict, Invalid, Lead, NewImage, PhonePolicy, Quotas, Rules, build
from unite_core.leads.use_cases.images import ABANDONED_AFTER


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    quotas = Quotas(images_per_lead=4, open_images=3)
    floor.unite = build(floor.ports, Rules(phones=PhonePolicy(default_country="US"), quotas=quotas))
    return floor


@pytest.fixture
def lead(floor: Floor) -> Lead:
    return floor.add(assigned_to=floor.ann.user_id)


def code_of(floor: Floor, lead: Lead, actor: Actor | None = None) -> str:
    """Announce a picture; the code of the refusal, or an empty text."""
    try:
        announce(floor, lead, actor)
    except Conflict as refused:
        return refused.code
    return ""


def add_ready(floor: Floor, lead: Lead, actor: Actor | None = None) -> None:
    announced = announce(floor, lead, actor)
    upload(floor, announced)
    floor.unite.leads.complete_image(actor or floor.ann, lead.id, announced.image.id)


def test_a_lead_has_no_more_pictures_than_the_quota_whoever_adds_them(floor: Floor, lead: Lead) -> None:
    for actor in (floor.ann, floor.ann, floor.manager):
        add_ready(floor, lead, actor)
    assert code_of(floor, lead, floor.admin) == ""

    assert [code_of(floor, lead, actor) for actor in (floor.ann, floor.admin)] == ["too_many_images"] * 2
    assert code_of(floor, floor.add(), floor.admin) == ""


def test_a_picture_that_is_deleted_makes_room(floor: Floor, lead: Lead) -> None:
    for _ in range(3):
        add_ready(floor, lead)
    announced = announce(floor, lead)
    assert code_of(floor, lead) == "too_many_images"

    floor.unite.leads.delete_image(floor.ann, lead.id, announced.image.id)

    assert code_of(floor, lead) == ""


def test_a_user_announces_no_more_pictures_than_they_upload(floor: Floor, lead: Lead) -> None:
    leads = [floor.add(assigned_to=floor.ann.user_id) for _ in range(4)]

    assert [code_of(floor, each) for each in leads] == ["", "", "", "too_many_announced_images"]
    assert code_of(floor, lead, floor.manager) == ""


def test_an_upload_and_a_day_make_room_for_others(floor: Floor, lead: Lead) -> None:
    announced = announce(floor, lead)
    assert [code_of(floor, lead) for _ in range(3)] == ["", "", "too_many_announced_images"]
    upload(floor, announced)
    floor.unite.leads.complete_image(floor.ann, lead.id, announced.image.id)
    assert code_of(floor, lead) == ""

    floor.ports.clock.advance(ABANDONED_AFTER + timedelta(seconds=1))
    assert floor.unite.upkeep.remove_abandoned_images() == 3
    assert code_of(floor, lead) == ""


def test_what_breaks_a_rule_is_told_as_before(floor: Floor, lead: Lead) -> None:
    for _ in range(3):
        announce(floor, lead)

    with pytest.raises(Invalid):
        floor.unite.leads.create_image(floor.ann, NewImage(lead_id=lead.id, content_type="text/html", size=len(PNG)))

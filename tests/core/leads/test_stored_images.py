"""Tests of what is stored of an uploaded picture: the cleaned one, also after interruptions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import BinaryIO, cast

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError
from tests.core.leads.test_images import announce, upload
from tests.pictures import PNG, a_png, png_chunk
from unite_core import Conflict, ImageStatus, Invalid, Lead, NotFound
from unite_core.errors import Unavailable
from unite_core.files import upload_key
from unite_core.leads.use_cases.images import PictureSlots
from unite_core.testing.in_memory import FixedClock, InMemoryFiles, in_memory_ports
from unite_core.testing.scenario import Scenario


@pytest.fixture
def lead(scenario: Scenario) -> Lead:
    return scenario.create_lead(assigned_to=scenario.ann.user_id)


COMMENT = png_chunk(b"tEXt", b"Comment\0taken at home")


def test_metadata_is_removed_and_the_size_is_that_of_the_stored_picture(scenario: Scenario, lead: Lead) -> None:
    uploaded = a_png(before=COMMENT) + b"and more"
    announced = announce(scenario, lead, content=uploaded)
    upload(scenario, announced, uploaded)

    image = scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id)

    assert announced.image.size == len(uploaded)
    assert image.size == len(PNG)
    assert scenario.unite.leads.get_image(scenario.ann, lead.id, image.id) == image
    assert scenario.ports.files._contents == {image.key: PNG}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (PNG[:-1], "unreadable_image"),
        (PNG[:-20], "unreadable_image"),
        (PNG.replace((4).to_bytes(4) + (3).to_bytes(4), b"\0\0\xff\xff" * 2), "unreadable_image"),
        (a_png(64_000_001, 1), "too_many_pixels"),
    ],
)
def test_an_unsafe_picture_is_removed(scenario: Scenario, lead: Lead, content: bytes, code: str) -> None:
    announced = announce(scenario, lead, content=content)
    upload(scenario, announced, content)

    with pytest.raises(Invalid) as refused:
        scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id)

    assert refused.value.code == code
    assert scenario.ports.files._contents == {}
    with pytest.raises(NotFound):
        scenario.unite.leads.get_image(scenario.ann, lead.id, announced.image.id)


@pytest.mark.parametrize("after", [False, True])
def test_an_interrupted_cleaning_can_be_repeated(scenario: Scenario, lead: Lead, *, after: bool) -> None:
    uploaded = a_png(before=COMMENT)
    announced = announce(scenario, lead, content=uploaded)
    upload(scenario, announced, uploaded)
    complete = scenario.unite.leads.complete_image
    cut_short = replace(complete, work=FailingWork(scenario.ports.work, PowerCutError(), at=0, after=after))
    with pytest.raises(PowerCutError):
        cut_short(scenario.ann, lead.id, announced.image.id)

    assert complete(scenario.ann, lead.id, announced.image.id).size == len(PNG)

    assert scenario.ports.files._contents == {announced.image.key: PNG}


def test_an_unchecked_picture_of_an_earlier_version_is_checked(scenario: Scenario, lead: Lead) -> None:
    uploaded = a_png(before=COMMENT)
    announced = announce(scenario, lead, content=uploaded)
    upload(scenario, announced, uploaded)
    scenario.ports.files.move(upload_key(announced.image.key), announced.image.key)

    image = scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id)

    assert (image.status, image.size) == (ImageStatus.READY, len(PNG))
    assert scenario.ports.files._contents == {image.key: PNG}


class MeanwhileFiles(InMemoryFiles):
    """Something happens once, just before a file is read."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    @contextmanager
    def read(self, key: str) -> Iterator[BinaryIO]:
        happens, self.meanwhile = self.meanwhile, lambda: None
        happens()
        with super().read(key) as stream:
            yield stream


@pytest.fixture
def busy() -> Scenario:
    """Return a scenario in which other requests interrupt the file storage."""
    clock = FixedClock()
    return Scenario(in_memory_ports(clock=clock, files=MeanwhileFiles(clock)))


def test_a_picture_that_two_requests_complete_concurrently_is_completed_once(busy: Scenario) -> None:
    lead = busy.create_lead()
    announced = announce(busy, lead, busy.admin)
    upload(busy, announced)
    ids = (lead.id, announced.image.id)
    files = cast("MeanwhileFiles", busy.ports.files)
    files.meanwhile = lambda: busy.unite.leads.complete_image(busy.admin, *ids)

    assert busy.unite.leads.complete_image(busy.admin, *ids).version == 2

    assert files._contents == {announced.image.key: PNG}


def test_a_picture_that_is_lost_during_its_check_counts_as_not_uploaded(busy: Scenario) -> None:
    lead = busy.create_lead()
    announced = announce(busy, lead, busy.admin)
    upload(busy, announced)
    files = cast("MeanwhileFiles", busy.ports.files)
    files.meanwhile = files._contents.clear

    with pytest.raises(Conflict) as refused:
        busy.unite.leads.complete_image(busy.admin, lead.id, announced.image.id)

    assert refused.value.code == "not_uploaded"
    upload(busy, announced)
    assert busy.unite.leads.complete_image(busy.admin, lead.id, announced.image.id).version == 2


@pytest.mark.parametrize("max_waiting", [0, 1])
def test_the_number_of_concurrently_checked_pictures_is_limited(busy: Scenario, max_waiting: int) -> None:
    lead = busy.create_lead()
    one, other = announce(busy, lead, busy.admin), announce(busy, lead, busy.admin)
    for announced in (one, other):
        upload(busy, announced)
    complete = replace(busy.unite.leads.complete_image, slots=PictureSlots(1, max_waiting, timedelta()))

    def complete_another() -> None:
        with pytest.raises(Unavailable):
            complete(busy.admin, lead.id, other.image.id)

    cast("MeanwhileFiles", busy.ports.files).meanwhile = complete_another

    assert complete(busy.admin, lead.id, one.image.id).version == 2
    assert complete(busy.admin, lead.id, other.image.id).version == 2

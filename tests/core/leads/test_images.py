"""Tests of pictures of leads: announce, upload, complete, list and delete them."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import BinaryIO
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError
from tests.pictures import PNG
from unite_core import (
    Actor,
    Conflict,
    ImageStatus,
    ImageUpload,
    Invalid,
    Lead,
    NewImage,
    NotFound,
    PageRequest,
)
from unite_core.errors import PreconditionFailed
from unite_core.files import upload_key
from unite_core.leads.model import MAX_IMAGE_BYTES, real_image_type
from unite_core.testing.builders import an_id
from unite_core.testing.in_memory import FixedClock, InMemoryFiles, in_memory_ports
from unite_core.testing.scenario import Scenario

JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 16
WEBP = b"RIFF\x0c\x00\x00\x00WEBP" + b"\x00" * 8


def announce(scenario: Scenario, lead: Lead, actor: Actor | None = None, content: bytes = PNG) -> ImageUpload:
    new = NewImage(lead_id=lead.id, content_type="image/png", size=len(content), filename=" Grace.png ")
    return scenario.unite.leads.create_image(actor or scenario.ann, new)


def upload(scenario: Scenario, announced: ImageUpload, content: bytes = PNG) -> None:
    with scenario.ports.files.write(upload_key(announced.image.key), content_type="image/png") as stream:
        stream.write(content)


def picture(scenario: Scenario, announced: ImageUpload) -> bytes:
    with scenario.ports.files.read(announced.image.key) as stream:
        return stream.read()


@pytest.fixture
def lead(scenario: Scenario) -> Lead:
    return scenario.create_lead(assigned_to=scenario.ann.user_id)


def test_a_picture_is_announced_uploaded_completed_and_listed(scenario: Scenario, lead: Lead) -> None:
    announced = announce(scenario, lead)
    assert announced.upload.expires_at == scenario.ports.clock.now() + timedelta(minutes=15)
    assert (announced.image.filename, announced.image.status) == ("Grace.png", ImageStatus.AWAITING_UPLOAD)
    assert scenario.unite.leads.list_images(scenario.ann, lead.id, PageRequest()).items == []
    upload(scenario, announced)

    image = scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id)

    assert image.status is ImageStatus.READY
    (shown,) = scenario.unite.leads.list_images(scenario.ann, lead.id, PageRequest()).items
    assert shown.image == image
    assert shown.download.expires_at == scenario.ports.clock.now() + timedelta(minutes=5)
    served = scenario.ports.files.serve(image.key, dict(parse_qsl(urlsplit(shown.download.url).query)))
    assert (served.filename, served.content_type, served.body.read()) == ("Grace.png", "image/png", PNG)


def test_a_picture_without_a_filename_is_downloaded_under_its_id(scenario: Scenario, lead: Lead) -> None:
    new = NewImage(lead_id=lead.id, content_type="image/png", size=len(PNG))
    announced = scenario.unite.leads.create_image(scenario.ann, new)
    upload(scenario, announced)
    scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id)

    (shown,) = scenario.unite.leads.list_images(scenario.ann, lead.id, PageRequest()).items

    assert f"filename={announced.image.id}" in shown.download.url


def test_completing_a_picture_again_returns_it(scenario: Scenario, lead: Lead) -> None:
    announced = announce(scenario, lead)
    upload(scenario, announced)
    first = scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id)

    assert scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id) == first


def test_a_picture_without_an_upload_cannot_be_completed(scenario: Scenario, lead: Lead) -> None:
    announced = announce(scenario, lead)

    with pytest.raises(Conflict) as refused:
        scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id)

    assert refused.value.code == "not_uploaded"
    upload(scenario, announced)
    assert scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id).status is ImageStatus.READY


@pytest.mark.parametrize(
    ("content", "field", "code", "detail"),
    [
        (PNG + b"\x00", "size", "wrong_size", f"{len(PNG) + 1} bytes were uploaded, and {len(PNG)} announced."),
        (
            JPEG.ljust(len(PNG)),
            "content_type",
            "wrong_type",
            "The uploaded bytes are image/jpeg, and image/png was announced.",
        ),
        (b"<script>alert(1)</s>".ljust(len(PNG)), "content_type", "wrong_type", "no image of a type that is taken"),
    ],
)
def test_a_picture_that_differs_from_its_announcement_is_removed(
    scenario: Scenario, lead: Lead, content: bytes, field: str, code: str, detail: str
) -> None:
    announced = announce(scenario, lead)
    upload(scenario, announced, content)

    with pytest.raises(Invalid) as refused:
        scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id)

    assert [(problem.field, problem.code) for problem in refused.value.problems] == [(field, code)]
    assert refused.value.code == code
    assert detail in refused.value.detail
    assert scenario.ports.files._contents == {}
    with pytest.raises(NotFound):
        scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id)


def test_the_upload_link_has_another_key_than_the_picture(scenario: Scenario, lead: Lead) -> None:
    announced = announce(scenario, lead)

    assert f"/{upload_key(announced.image.key)}?" in announced.upload.url


def test_an_upload_after_the_check_does_not_replace_the_picture(scenario: Scenario, lead: Lead) -> None:
    announced = announce(scenario, lead)
    upload(scenario, announced)
    image = scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id)
    upload(scenario, announced, b"<script>alert(1)</s>")

    assert scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id) == image

    assert picture(scenario, announced) == PNG


def test_an_interrupted_completion_can_be_repeated(scenario: Scenario, lead: Lead) -> None:
    announced = announce(scenario, lead)
    upload(scenario, announced)
    complete = scenario.unite.leads.complete_image
    cut_short = replace(complete, work=FailingWork(scenario.ports.work, PowerCutError(), at=0))
    with pytest.raises(PowerCutError):
        cut_short(scenario.ann, lead.id, announced.image.id)
    upload(scenario, announced, JPEG.ljust(len(PNG)))  # what was taken stays, whatever comes now

    assert complete(scenario.ann, lead.id, announced.image.id).status is ImageStatus.READY

    assert picture(scenario, announced) == PNG


def test_an_interrupted_removal_of_an_invalid_picture_can_be_repeated(scenario: Scenario, lead: Lead) -> None:
    announced = announce(scenario, lead)
    upload(scenario, announced, JPEG.ljust(len(PNG)))
    complete = scenario.unite.leads.complete_image
    with pytest.raises(PowerCutError):
        replace(complete, work=FailingWork(scenario.ports.work, PowerCutError(), at=0))(
            scenario.ann, lead.id, announced.image.id
        )

    with pytest.raises(Invalid):
        complete(scenario.ann, lead.id, announced.image.id)

    assert scenario.ports.files._contents == {}


def test_completing_and_deleting_a_picture_may_require_a_version(scenario: Scenario, lead: Lead) -> None:
    leads = scenario.unite.leads
    announced = announce(scenario, lead)
    upload(scenario, announced)
    ids = (lead.id, announced.image.id)
    assert announced.image.version == 1

    with pytest.raises(PreconditionFailed):
        leads.complete_image(scenario.ann, *ids, expected_version=2)
    assert scenario.ports.files.size(announced.image.key) is None
    assert leads.complete_image(scenario.ann, *ids, expected_version=1).version == 2
    for stale in (leads.complete_image, leads.delete_image):
        with pytest.raises(PreconditionFailed):
            stale(scenario.ann, *ids, expected_version=1)
    assert leads.get_image(scenario.ann, *ids).version == 2
    assert leads.complete_image(scenario.ann, *ids, expected_version=2).version == 2
    leads.delete_image(scenario.ann, *ids, expected_version=2)
    with pytest.raises(NotFound):
        leads.get_image(scenario.ann, *ids)


class SlowFiles(InMemoryFiles):
    """Something happens while a file is being read."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock)
        self.scenario: Scenario | None = None
        self.announced: ImageUpload | None = None

    @contextmanager
    def read(self, key: str) -> Iterator[BinaryIO]:
        if self.scenario and self.announced:
            image = self.announced.image
            self.scenario.unite.leads.delete_image(self.scenario.admin, image.lead_id, image.id)
            self.announced = None
            yield io.BytesIO(PNG)
            return
        with super().read(key) as stream:
            yield stream


def test_a_picture_that_is_deleted_during_its_check_stays_deleted() -> None:
    clock = FixedClock()
    files = SlowFiles(clock)
    scenario = Scenario(in_memory_ports(clock=clock, files=files))
    lead = scenario.create_lead()
    announced = announce(scenario, lead, scenario.admin)
    upload(scenario, announced)
    files.scenario, files.announced = scenario, announced

    with pytest.raises(NotFound):
        scenario.unite.leads.complete_image(scenario.admin, lead.id, announced.image.id)

    assert scenario.unite.leads.list_images(scenario.admin, lead.id, PageRequest()).items == []
    assert files._contents == {}


@pytest.mark.parametrize(
    ("content_type", "size", "filename", "field", "code"),
    [
        ("image/gif", 100, None, "content_type", "unsupported_type"),
        ("image/svg+xml", 100, None, "content_type", "unsupported_type"),
        ("image/png", 0, None, "size", "wrong_size"),
        ("image/png", MAX_IMAGE_BYTES + 1, None, "size", "wrong_size"),
        ("image/png", 100, "a\x00.png", "filename", "control_character"),
        ("image/png", 100, "a" * 256, "filename", "too_long"),
    ],
)
def test_an_invalid_announcement_is_refused(
    scenario: Scenario, lead: Lead, content_type: str, size: int, filename: str | None, field: str, code: str
) -> None:
    new = NewImage(lead_id=lead.id, content_type=content_type, size=size, filename=filename)

    with pytest.raises(Invalid) as refused:
        scenario.unite.leads.create_image(scenario.ann, new)

    assert [(problem.field, problem.code) for problem in refused.value.problems] == [(field, code)]


@pytest.mark.parametrize("completed", [True, False])
def test_a_picture_is_deleted_with_its_bytes(scenario: Scenario, lead: Lead, *, completed: bool) -> None:
    announced = announce(scenario, lead)
    upload(scenario, announced)
    if completed:
        scenario.unite.leads.complete_image(scenario.ann, lead.id, announced.image.id)
        upload(scenario, announced)

    scenario.unite.leads.delete_image(scenario.ann, lead.id, announced.image.id)

    assert scenario.ports.files._contents == {}
    with pytest.raises(NotFound):
        scenario.unite.leads.delete_image(scenario.ann, lead.id, announced.image.id)


def test_users_who_may_not_see_the_lead_cannot_access_its_pictures(scenario: Scenario, lead: Lead) -> None:
    announced = announce(scenario, lead)
    upload(scenario, announced)
    leads = scenario.unite.leads
    with pytest.raises(NotFound):
        announce(scenario, lead, scenario.ben)
    with pytest.raises(NotFound):
        leads.complete_image(scenario.ben, lead.id, announced.image.id)
    with pytest.raises(NotFound):
        leads.list_images(scenario.ben, lead.id, PageRequest())
    with pytest.raises(NotFound):
        leads.get_image(scenario.ben, lead.id, announced.image.id)
    with pytest.raises(NotFound):
        leads.delete_image(scenario.ben, lead.id, announced.image.id)
    with pytest.raises(NotFound):
        announce(scenario, lead, scenario.ben, content=b"")  # not told what else is wrong
    assert leads.complete_image(scenario.manager, lead.id, announced.image.id).status is ImageStatus.READY


def test_a_picture_of_another_lead_is_not_found(scenario: Scenario, lead: Lead) -> None:
    announced = announce(scenario, lead)
    other = scenario.create_lead()

    with pytest.raises(NotFound):
        scenario.unite.leads.complete_image(scenario.admin, other.id, announced.image.id)
    with pytest.raises(NotFound):
        scenario.unite.leads.delete_image(scenario.admin, lead.id, an_id())


def test_announced_pictures_without_an_upload_are_removed_after_a_day(scenario: Scenario, lead: Lead) -> None:
    announced = [announce(scenario, lead) for _ in range(2)]
    upload(scenario, announced[0])  # it came, and nobody said so
    upload(scenario, announced[1])  # this one was taken, and then the power went
    scenario.ports.files.move(upload_key(announced[1].image.key), announced[1].image.key)
    scenario.ports.clock.advance(timedelta(hours=24))
    assert scenario.unite.upkeep.remove_abandoned_images() == 0
    scenario.ports.clock.advance(timedelta(seconds=1))

    assert scenario.unite.upkeep.remove_abandoned_images() == 2

    assert scenario.ports.files._contents == {}
    with pytest.raises(NotFound):
        scenario.unite.leads.delete_image(scenario.ann, lead.id, announced[0].image.id)


@pytest.mark.parametrize(
    ("first_bytes", "content_type"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (WEBP, "image/webp"),
        (b"RIFX" + WEBP[4:], None),
        (b"GIF89a" + b"\x00" * 10, None),
        (PNG[:7], None),
        (b"", None),
    ],
)
def test_the_type_of_a_picture_is_detected_by_its_first_bytes(first_bytes: bytes, content_type: str | None) -> None:
    assert real_image_type(first_bytes[:16]) == content_type


class FilesReadMeanwhile(InMemoryFiles):
    """Files that do `meanwhile` when one is read next, and show that reader other bytes."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock)
        self.meanwhile: Callable[[], object] | None = None

    @contextmanager
    def read(self, key: str) -> Iterator[BinaryIO]:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is None:
            with super().read(key) as stream:
                yield stream
        else:
            meanwhile()
            yield io.BytesIO(b"other bytes")


def test_a_picture_that_another_request_completes_meanwhile_is_not_removed() -> None:
    clock = FixedClock()
    files = FilesReadMeanwhile(clock)
    scenario = Scenario(in_memory_ports(clock=clock, files=files))
    lead = scenario.create_lead(assigned_to=scenario.ann.user_id)
    announced = announce(scenario, lead)
    upload(scenario, announced)
    complete = scenario.unite.leads.complete_image
    files.meanwhile = lambda: complete(scenario.ann, lead.id, announced.image.id)

    assert complete(scenario.ann, lead.id, announced.image.id).status is ImageStatus.READY

    assert picture(scenario, announced) == PNG

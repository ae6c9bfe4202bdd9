"""Contract tests of the repository of lead images."""

from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import pytest

from unite_core.errors import NotFound
from unite_core.leads.model import ImageStatus, LeadImage
from unite_core.leads.ports import LeadImages
from unite_core.paging import Page, PageRequest, Position
from unite_core.testing.builders import a_lead, a_user, an_id, an_image
from unite_core.testing.contracts.database import DatabaseContract, Transaction, Units, add_all
from unite_core.testing.contracts.pages import check_pages
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_NOW = A_MONDAY_MORNING
_HOUR = timedelta(hours=1)


class LeadImagesUnit(Transaction, Protocol):
    """A unit of work with the port `LeadImages`."""

    @property
    def images(self) -> LeadImages: ...


class LeadImagesContract(DatabaseContract[LeadImagesUnit]):
    """Images are stored, listed and deleted by lead."""

    repositories = "`images`, a `LeadImages`"

    def test_images_are_counted_per_lead_and_announced_ones_per_user(
        self, work: Units[LeadImagesUnit], reads: Units[LeadImagesUnit]
    ) -> None:
        ann, ben, lead, other = a_user(), a_user(), a_lead(), a_lead()
        ready = an_image(lead, ann, status=ImageStatus.READY)
        add_all(work, ann, ben, lead, other, ready, an_image(lead, ann), an_image(lead, ben), an_image(other, ann))

        with reads() as unit:
            assert [unit.images.count_of_lead(lead_id) for lead_id in (lead.id, other.id, an_id())] == [3, 1, 0]
            assert [unit.images.count_announced(user_id) for user_id in (ann.id, ben.id, an_id())] == [2, 1, 0]

    def test_an_image_comes_back_as_stored_and_changed(
        self, work: Units[LeadImagesUnit], reads: Units[LeadImagesUnit]
    ) -> None:
        ann, lead = a_user(), a_lead()
        image = an_image(lead, ann, filename=None, size=10 * 1024 * 1024)
        named = an_image(lead, ann, filename=f"{'👩' * 196}.png", created_at=_NOW + timedelta(microseconds=1))
        add_all(work, ann, lead, replace(image), named)
        with work() as unit:
            stored = unit.images.get(lead.id, image.id)
            assert stored == image
            stored.receive(size=5)
            assert unit.images.get(lead.id, image.id) == image
            unit.images.save(stored)
            unit.commit()

        with reads() as unit:
            assert unit.images.get(lead.id, named.id) == named
            assert unit.images.get(lead.id, image.id) == replace(image, status=ImageStatus.READY, size=5)

    def test_an_image_belongs_to_one_lead(self, work: Units[LeadImagesUnit], reads: Units[LeadImagesUnit]) -> None:
        ann, lead, other = a_user(), a_lead(), a_lead()
        image = an_image(lead, ann)
        add_all(work, ann, lead, other, image)

        with reads() as unit:
            for lead_id, image_id in ((other.id, image.id), (lead.id, an_id())):
                with pytest.raises(NotFound):
                    unit.images.get(lead_id, image_id)

    def test_removing_an_image_twice_is_no_error(
        self, work: Units[LeadImagesUnit], reads: Units[LeadImagesUnit]
    ) -> None:
        ann, lead = a_user(), a_lead()
        image = an_image(lead, ann)
        add_all(work, ann, lead, image)
        for _ in range(2):
            with work() as unit:
                unit.images.remove(image.id)
                unit.commit()

        with reads() as unit, pytest.raises(NotFound):
            unit.images.get(lead.id, image.id)

    def test_pages_contain_the_ready_images_of_the_lead(
        self, work: Units[LeadImagesUnit], reads: Units[LeadImagesUnit]
    ) -> None:
        ann, lead, other = a_user(), a_lead(), a_lead()
        ready = [an_image(lead, ann, status=ImageStatus.READY) for _ in range(3)]
        add_all(work, ann, lead, other, *ready, an_image(lead, ann), an_image(other, ann, status=ImageStatus.READY))

        with reads() as unit:
            first = unit.images.page(lead.id, PageRequest(limit=2))
            second = unit.images.page(lead.id, PageRequest(limit=2, after=first.next))

        assert [*first.items, *second.items] == ready[::-1]
        assert second.next is None

    def test_pages_of_every_size_neither_skip_nor_repeat(
        self, work: Units[LeadImagesUnit], reads: Units[LeadImagesUnit]
    ) -> None:
        ann, lead = a_user(), a_lead()
        moments = [_NOW, _NOW - _HOUR, _NOW, _NOW + timedelta(microseconds=1), _NOW]
        images = [an_image(lead, ann, status=ImageStatus.READY, created_at=at) for at in moments]
        add_all(work, ann, lead, *images)

        def page(request: PageRequest) -> Page[LeadImage]:
            with reads() as unit:
                return unit.images.page(lead.id, request)

        ordered = sorted(images, key=lambda image: (image.created_at, image.id), reverse=True)
        check_pages(page, ordered, lambda image: Position(image.created_at, image.id))

    def test_leads_with_images_are_listed_whatever_their_status(
        self, work: Units[LeadImagesUnit], reads: Units[LeadImagesUnit]
    ) -> None:
        ann = a_user()
        waiting, ready, unasked, none = a_lead(), a_lead(), a_lead(), a_lead()
        pictures = [an_image(waiting, ann), an_image(ready, ann, status=ImageStatus.READY), an_image(unasked, ann)]
        add_all(work, ann, waiting, ready, unasked, none, *pictures)

        with reads() as unit:
            assert unit.images.leads_with_images([waiting.id, ready.id, none.id]) == {waiting.id, ready.id}
            assert unit.images.leads_with_images([]) == set()
            assert unit.images.leads_with_images([*(an_id() for _ in range(2500)), ready.id]) == {ready.id}

    def test_images_without_an_uploaded_file_are_abandoned(
        self, work: Units[LeadImagesUnit], reads: Units[LeadImagesUnit]
    ) -> None:
        ann, lead = a_user(), a_lead()
        old = [an_image(lead, ann, created_at=_NOW - _HOUR) for _ in range(2)]
        arrived = an_image(lead, ann, created_at=_NOW - _HOUR, status=ImageStatus.READY)
        add_all(work, ann, lead, *old, arrived, an_image(lead, ann, created_at=_NOW))

        with reads() as unit:
            abandoned = unit.images.abandoned(before=_NOW, limit=5)
            assert sorted(image.id for image in abandoned) == [image.id for image in old]
            assert len(unit.images.abandoned(before=_NOW, limit=1)) == 1

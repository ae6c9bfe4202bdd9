"""What the ports of leads promise."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from unite_core.errors import NotFound, PreconditionFailed
from unite_core.imports.ports import ImportsWork
from unite_core.leads.model import Duplicate, DuplicateLead, ImageStatus, Lead, LeadStatus
from unite_core.leads.ports import LeadFilter
from unite_core.leads.search import question_words
from unite_core.paging import PageRequest, Position
from unite_core.phone import Phone
from unite_core.testing.builders import a_lead, a_user, an_id, an_image, an_import
from unite_core.testing.contracts.database import DatabaseContract, at_once, put
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING
from unite_core.unit_of_work import Work

_NOW = A_MONDAY_MORNING
_HOUR = timedelta(hours=1)
_PHONE = Phone("+12125550123")


class LeadsContract(DatabaseContract):
    """All leads: none shares a phone or e-mail with another that is not deleted."""

    def test_a_lead_comes_back_as_stored(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        coming = an_import(ann)
        lead = a_lead(
            name="Ñandú \u202e\u05e2\u05d1\u202c 👩🏽‍💻",
            phone=Phone("+12125550123", "0042"),
            email="grace@example.com",
            status=LeadStatus.QUALIFIED,
            source="fair",
            assigned_to=ann.id,
            created_by=ann.id,
            import_id=coming.id,
            import_row=7,
            created_at=_NOW.replace(microsecond=123456),
        )
        put(work, ann, coming, lead)

        with reads() as unit:
            assert unit.leads.get(lead.id) == lead

    def test_an_unknown_lead_is_not_found(self, reads: Work[ImportsWork]) -> None:
        with reads() as unit, pytest.raises(NotFound):
            unit.leads.get(an_id())

    def test_a_lead_that_is_changed_and_not_saved_stays_as_it_was(self, work: Work[ImportsWork]) -> None:
        lead = a_lead(name="Grace", phone=_PHONE)
        with work() as unit:
            unit.leads.add(lead)
            lead.rename("Changed after adding")
            for found in (unit.leads.get(lead.id), unit.leads.matches([_PHONE.key], []).by_phone[_PHONE.key]):
                assert found.name == "Grace"
                found.rename("Changed after finding")
            assert unit.leads.get(lead.id).name == "Grace"

    def test_a_duplicate_names_every_lead_that_has_the_phone_or_the_email(self, work: Work[ImportsWork]) -> None:
        by_phone = a_lead(phone=_PHONE)
        by_email = a_lead(email="grace@example.com")
        put(work, by_phone, by_email)

        with pytest.raises(DuplicateLead) as refused:
            put(work, a_lead(phone=_PHONE, email="grace@example.com"))

        assert set(refused.value.duplicates) == {Duplicate("phone", by_phone.id), Duplicate("email", by_email.id)}

    def test_a_unit_goes_on_after_a_duplicate_was_refused(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        first, other = a_lead(phone=_PHONE), a_lead()
        with work() as unit:
            unit.leads.add(first)
            with pytest.raises(DuplicateLead):
                unit.leads.add(a_lead(phone=_PHONE))
            assert unit.leads.get(first.id) == first
            unit.leads.add(other)
            unit.commit()

        assert set(_listed(reads)) == {first.id, other.id}

    def test_one_number_with_two_extensions_reaches_two_leads(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        leads = [a_lead(phone=_PHONE), *(a_lead(phone=Phone(_PHONE.number, extension)) for extension in ("1", "2"))]
        put(work, *leads)

        with reads() as unit:
            found = unit.leads.matches([f"{_PHONE.number};ext=2"], [])
        assert found.by_phone == {f"{_PHONE.number};ext=2": leads[2]}

    def test_of_many_that_add_one_lead_at_once_one_succeeds(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        leads = [a_lead(phone=_PHONE) for _ in range(10)]

        def add(number: int) -> UUID | None:
            try:
                put(work, leads[number])
            except DuplicateLead as refused:
                return refused.duplicates[0].id
            return None

        found = at_once(10, add)

        assert found.count(None) == 1
        assert {lead_id for lead_id in found if lead_id} == set(_listed(reads))

    def test_many_are_added_together(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        leads = [a_lead(email=f"lead{number}@example.com") for number in range(300)]
        with work() as unit:
            unit.leads.add_many(leads)
            unit.leads.add_many([])
            unit.commit()

        with reads() as unit:
            found = unit.leads.matches([], [lead.email for lead in leads if lead.email])
        assert found.by_email == {lead.email: lead for lead in leads}

    def test_none_of_many_is_added_where_one_is_a_duplicate(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        known = a_lead(phone=_PHONE)
        put(work, known)

        with work() as unit:
            with pytest.raises(DuplicateLead) as refused:
                unit.leads.add_many([a_lead(), a_lead(phone=_PHONE), a_lead()])
            unit.commit()

        assert Duplicate("phone", known.id) in refused.value.duplicates
        assert _listed(reads) == [known.id]

    def test_a_changed_lead_is_stored(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        lead = a_lead(phone=_PHONE)
        put(work, ann, lead)
        lead.rename("Grace Brewster Hopper")
        lead.reach_under(Phone("+12125550124", "5"), "grace@example.com")
        lead.move_to(LeadStatus.CONVERTED)
        lead.come_from("fair")
        lead.assign(ann.id)
        lead.touched(_NOW + _HOUR)

        _save(work, lead)

        with reads() as unit:
            assert unit.leads.get(lead.id) == lead
            assert unit.leads.matches([_PHONE.key], []).by_phone == {}
            assert unit.leads.matches(["+12125550124;ext=5"], ["grace@example.com"]).by_phone

    def test_a_lead_is_not_saved_over_a_version_that_was_not_seen(self, work: Work[ImportsWork]) -> None:
        lead = a_lead()
        put(work, lead)
        with pytest.raises(PreconditionFailed):
            _save(work, lead)
        lead.touched(_NOW)
        _save(work, lead)

        with pytest.raises(PreconditionFailed):
            _save(work, lead)
        with pytest.raises(PreconditionFailed):
            _save(work, a_lead(version=2))

    def test_a_lead_cannot_take_the_phone_of_another(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        first = a_lead(phone=_PHONE, email="first@example.com")
        second = a_lead()
        before = replace(second)
        put(work, first, second)
        second.reach_under(_PHONE, "first@example.com")
        second.touched(_NOW)

        with pytest.raises(DuplicateLead) as refused:
            _save(work, second)

        assert set(refused.value.duplicates) == {Duplicate("phone", first.id), Duplicate("email", first.id)}
        with reads() as unit:
            assert unit.leads.get(second.id) == before

    def test_a_deleted_lead_is_found_by_nothing(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        coming = an_import(ann)
        lead = a_lead(phone=_PHONE, email="grace@example.com", import_id=coming.id, import_row=2)
        put(work, ann, coming, lead)

        _delete(work, lead)

        with reads() as unit:
            with pytest.raises(NotFound):
                unit.leads.get(lead.id)
            found = unit.leads.matches([_PHONE.key], ["grace@example.com"])
            assert (found.by_phone, found.by_email) == ({}, {})
            assert [*unit.leads.page(LeadFilter(question=("grace",)), PageRequest()).items] == []
            assert [*unit.leads.untouched_of_import(coming.id, after_row=0, limit=5)] == []
        assert _listed(reads) == []

    def test_a_deleted_lead_frees_its_phone_and_email(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        old = [a_lead(phone=_PHONE, email="grace@example.com") for _ in range(2)]
        for lead in old:  # two deleted ones may have had the same
            put(work, lead)
            _delete(work, lead)
        new = a_lead(phone=_PHONE, email="grace@example.com")

        put(work, new)

        assert _listed(reads) == [new.id]

    def test_a_deleted_lead_returns_unless_its_phone_has_gone(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        lead = a_lead(phone=_PHONE)
        put(work, lead)
        _delete(work, lead)
        lead.deleted_at = None
        lead.touched(_NOW)
        _save(work, lead)
        with reads() as unit:
            assert unit.leads.get(lead.id) == lead
        with pytest.raises(DuplicateLead):
            put(work, a_lead(phone=_PHONE))
        _delete(work, lead)
        put(work, a_lead(phone=_PHONE))

        lead.deleted_at = None
        lead.touched(_NOW)
        with pytest.raises(DuplicateLead):
            _save(work, lead)

    def test_a_lead_that_matches_by_phone_and_email_is_one_object(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        both = a_lead(phone=_PHONE, email="grace@example.com")
        other = a_lead(phone=Phone("+12125550124"), email="ada@example.com")
        put(work, both, other, a_lead(email="unasked@example.com"))

        with reads() as unit:
            found = unit.leads.matches([_PHONE.key, "+12125550199"], ["grace@example.com", "ada@example.com", "x@y.zz"])

        assert found.by_phone == {_PHONE.key: both}
        assert found.by_email == {"grace@example.com": both, "ada@example.com": other}
        assert found.by_phone[_PHONE.key] is found.by_email["grace@example.com"]

    def test_thousands_are_matched_at_a_time(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        lead = a_lead(phone=Phone("+12125554999"), email="lead4999@example.com")
        put(work, lead)

        with reads() as unit:
            found = unit.leads.matches(
                [f"+1212555{number:04}" for number in range(5000)], {f"lead{n}@example.com" for n in range(5000)}
            )

        assert found.by_phone == {"+12125554999": lead}
        assert found.by_email == {"lead4999@example.com": lead}

    def test_nobody_adds_what_did_not_match_before_the_unit_ends(self, work: Work[ImportsWork]) -> None:
        def add(number: int) -> bool:
            with suppress(DuplicateLead), work() as unit:
                if not unit.leads.matches([_PHONE.key], []).by_phone:
                    unit.leads.add_many([a_lead(name=f"Lead {number}", phone=_PHONE)])
                    unit.commit()
                    return True
            return False

        assert at_once(5, add).count(True) == 1

    def test_leads_of_an_import_that_nobody_touched_come_in_the_order_of_rows(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        ann = a_user()
        coming, other = an_import(ann), an_import(ann)
        made = [a_lead(import_id=coming.id, import_row=row) for row in (9, 3, 2, 30)]
        touched = a_lead(import_id=coming.id, import_row=4, version=2)
        put(work, ann, coming, other, *made, touched, a_lead(import_id=other.id, import_row=5), a_lead())

        def rows(after_row: int, limit: int) -> list[int | None]:
            with reads() as unit:
                found = unit.leads.untouched_of_import(coming.id, after_row=after_row, limit=limit)
            return [lead.import_row for lead in found]

        assert rows(0, 10) == [2, 3, 9, 30]
        assert rows(2, 2) == [3, 9]
        assert rows(30, 2) == []


class LeadListContract(DatabaseContract):
    """Pages of leads and what filters them."""

    def test_pages_go_from_the_newest_to_the_oldest(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        oldest = a_lead(created_at=_NOW - _HOUR)
        twins = [a_lead(), a_lead()]
        newest = a_lead(created_at=_NOW + timedelta(microseconds=1))
        put(work, twins[0], newest, oldest, twins[1])

        with reads() as unit:
            first = unit.leads.page(LeadFilter(), PageRequest(limit=2))
            second = unit.leads.page(LeadFilter(), PageRequest(limit=2, after=first.next))

        assert [*first.items] == [newest, twins[1]]
        assert first.next == Position(twins[1].created_at, twins[1].id)
        assert [*second.items] == [twins[0], oldest]
        assert second.next is None

    def test_a_walk_through_the_pages_skips_and_repeats_nothing_while_others_add_and_delete(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        old = [a_lead(created_at=_NOW + _HOUR * (number // 2)) for number in range(7)]
        put(work, *old)
        walked: list[UUID] = []
        request = PageRequest(limit=2)

        while True:
            with reads() as unit:
                page = unit.leads.page(LeadFilter(), request)
            walked += [lead.id for lead in page.items]
            put(work, a_lead(created_at=_NOW + 9 * _HOUR))
            if len(walked) == 4:
                _delete(work, old[-1])  # it has been walked past already
            if page.next is None:
                break
            request = PageRequest(limit=2, after=page.next)

        assert walked == [lead.id for lead in reversed(old)]

    def test_conditions_hold_together(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        wanted = a_lead(status=LeadStatus.NEW, source="fair")
        put(work, wanted, a_lead(status=LeadStatus.LOST, source="fair"), a_lead(status=LeadStatus.NEW, source="web"))

        both = LeadFilter(statuses=frozenset({LeadStatus.NEW}), sources=frozenset({"fair"}))

        assert _listed(reads, both) == [wanted.id]

    def test_one_of_several_values_is_enough(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        leads = [a_lead(status=status, source=status.value) for status in LeadStatus]
        put(work, *leads)

        statuses = LeadFilter(statuses=frozenset({LeadStatus.NEW, LeadStatus.LOST}))
        sources = LeadFilter(sources=frozenset({"new", "lost", "none of them"}))

        assert _listed(reads, statuses) == [leads[4].id, leads[0].id]
        assert _listed(reads, sources) == [leads[4].id, leads[0].id]

    def test_leads_are_found_by_whom_they_are_assigned_to(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        ann, ben = a_user(), a_user()
        hers, his, nobodys = a_lead(assigned_to=ann.id), a_lead(assigned_to=ben.id), a_lead()
        put(work, ann, ben, hers, his, nobodys)

        assert _listed(reads, LeadFilter(assigned_to=frozenset({ann.id}))) == [hers.id]
        assert _listed(reads, LeadFilter(assigned_to=frozenset({ann.id, ben.id}))) == [his.id, hers.id]
        assert _listed(reads, LeadFilter(unassigned=True)) == [nobodys.id]
        assert _listed(reads, LeadFilter(assigned_to=frozenset({ann.id}), unassigned=True)) == [nobodys.id, hers.id]
        assert _listed(reads, LeadFilter(visible_to=ann.id)) == [hers.id]
        assert _listed(reads, LeadFilter(visible_to=ann.id, unassigned=True)) == []
        assert _listed(reads, LeadFilter(visible_to=ann.id, assigned_to=frozenset({ben.id}))) == []

    def test_the_beginning_of_a_time_span_is_in_it_and_its_end_is_not(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        leads = [a_lead(created_at=_NOW + number * _HOUR) for number in range(4)]
        put(work, *leads)

        span = LeadFilter(created_from=_NOW + _HOUR, created_to=_NOW + 3 * _HOUR)

        assert _listed(reads, span) == [leads[2].id, leads[1].id]

    @pytest.mark.parametrize(
        ("question", "found"),
        [
            ("grace", [0]),
            ("GRA hop", [0]),
            ("hop gra", [0]),
            ("race", []),
            ("grace lovelace", []),
            ("l", [1]),
            ("zoe", [2]),
            ("Zoë", [2]),
            ("小明", [3]),
            ("ada@example.com", [1]),
            ("example", [1, 0]),
            ("+1 (212) 555-01", [0]),
            ("212555", [0]),
            ("5550123", [0]),
            ("550123", []),
            ("", []),
            ("%", []),
            ("_", []),
            ("gr%", [0]),
            ("g*", [0]),
            ('"grace" OR ada', []),
        ],
    )
    def test_a_question_finds_the_beginnings_of_words(
        self, work: Work[ImportsWork], reads: Work[ImportsWork], question: str, found: Sequence[int]
    ) -> None:
        leads = [
            a_lead(name="Grace Hopper", phone=_PHONE, email="rear.admiral@example.com"),
            a_lead(name="Ada Lovelace", phone=None, email="ada@example.com"),
            a_lead(name="Zoë", phone=Phone("+447911123456")),
            a_lead(name="王小明", phone=Phone("+8613912345678")),
        ]
        put(work, *leads)

        listed = _listed(reads, LeadFilter(question=tuple(question_words(question))))

        assert listed == [leads[number].id for number in found]

    def test_a_question_follows_a_lead_through_its_changes(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        lead = a_lead(name="Grace Murray")
        put(work, lead, a_lead(name="Somebody Else"))
        lead.rename("Grace Hopper")
        lead.touched(_NOW)
        _save(work, lead)

        assert _listed(reads, LeadFilter(question=("hopper",))) == [lead.id]
        assert _listed(reads, LeadFilter(question=("murray",))) == []

    def test_a_question_is_answered_page_by_page(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        leads = [a_lead(name=f"Grace {number}", created_at=_NOW + number * _HOUR) for number in range(5)]
        put(work, *leads)
        wanted = LeadFilter(question=("gra",), statuses=frozenset({LeadStatus.NEW}))

        with reads() as unit:
            first = unit.leads.page(wanted, PageRequest(limit=3))
            second = unit.leads.page(wanted, PageRequest(limit=3, after=first.next))

        assert [*first.items, *second.items] == leads[::-1]
        assert second.next is None


class LeadImagesContract(DatabaseContract):
    """The pictures of leads."""

    def test_an_image_comes_back_as_stored_and_changed(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann, lead = a_user(), a_lead()
        image = an_image(lead, ann, filename=None, size=10 * 1024 * 1024)
        put(work, ann, lead, image)
        with work() as unit:
            found = unit.images.get(lead.id, image.id)
            assert found == image
            found.receive()
            assert unit.images.get(lead.id, image.id) == image
            unit.images.save(found)
            unit.commit()

        with reads() as unit:
            assert unit.images.get(lead.id, image.id) == replace(image, status=ImageStatus.READY)

    def test_an_image_is_found_under_its_own_lead_alone(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        ann, lead, other = a_user(), a_lead(), a_lead()
        image = an_image(lead, ann)
        put(work, ann, lead, other, image)

        with reads() as unit:
            for lead_id, image_id in ((other.id, image.id), (lead.id, an_id())):
                with pytest.raises(NotFound):
                    unit.images.get(lead_id, image_id)

    def test_an_image_is_removed_and_removed_again_without_complaint(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        ann, lead = a_user(), a_lead()
        image = an_image(lead, ann)
        put(work, ann, lead, image)
        for _ in range(2):
            with work() as unit:
                unit.images.remove(image.id)
                unit.commit()

        with reads() as unit, pytest.raises(NotFound):
            unit.images.get(lead.id, image.id)

    def test_pages_hold_the_ready_images_of_the_lead(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann, lead, other = a_user(), a_lead(), a_lead()
        ready = [an_image(lead, ann, status=ImageStatus.READY) for _ in range(3)]
        put(work, ann, lead, other, *ready, an_image(lead, ann), an_image(other, ann, status=ImageStatus.READY))

        with reads() as unit:
            first = unit.images.page(lead.id, PageRequest(limit=2))
            second = unit.images.page(lead.id, PageRequest(limit=2, after=first.next))

        assert [*first.items, *second.items] == ready[::-1]
        assert second.next is None

    def test_leads_with_images_are_told_ready_or_not(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        waiting, ready, unasked, none = a_lead(), a_lead(), a_lead(), a_lead()
        pictures = [an_image(waiting, ann), an_image(ready, ann, status=ImageStatus.READY), an_image(unasked, ann)]
        put(work, ann, waiting, ready, unasked, none, *pictures)

        with reads() as unit:
            assert unit.images.leads_with_images([waiting.id, ready.id, none.id]) == {waiting.id, ready.id}
            assert unit.images.leads_with_images([]) == set()

    def test_images_that_never_arrived_are_abandoned(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann, lead = a_user(), a_lead()
        old = [an_image(lead, ann, created_at=_NOW - _HOUR) for _ in range(2)]
        arrived = an_image(lead, ann, created_at=_NOW - _HOUR, status=ImageStatus.READY)
        put(work, ann, lead, *old, arrived, an_image(lead, ann, created_at=_NOW))

        with reads() as unit:
            found = unit.images.abandoned(before=_NOW, limit=5)
            assert sorted(image.id for image in found) == [image.id for image in old]
            assert len(unit.images.abandoned(before=_NOW, limit=1)) == 1


def _listed(reads: Work[ImportsWork], wanted: LeadFilter | None = None) -> list[UUID]:
    with reads() as unit:
        return [lead.id for lead in unit.leads.page(wanted or LeadFilter(), PageRequest(limit=200)).items]


def _save(work: Work[ImportsWork], lead: Lead) -> None:
    with work() as unit:
        unit.leads.save(lead)
        unit.commit()


def _delete(work: Work[ImportsWork], lead: Lead) -> None:
    lead.hide(_NOW)
    lead.touched(_NOW)
    _save(work, lead)

"""Contract tests of the repository of leads, except its pages."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from unite_core.errors import NotFound, PreconditionFailed
from unite_core.leads.details import LeadStatus
from unite_core.leads.model import Duplicate, DuplicateLead
from unite_core.leads.ports import LeadFilter
from unite_core.paging import PageRequest
from unite_core.phone import Phone
from unite_core.testing.builders import a_lead, a_user, an_id, an_import, revise
from unite_core.testing.contracts.database import (
    DatabaseContract,
    LeadsUnit,
    Units,
    add_all,
    delete_lead,
    listed_leads,
    run_concurrently,
    save_lead,
)
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_NOW = A_MONDAY_MORNING
_HOUR = timedelta(hours=1)
_PHONE = Phone("+12125550123")


class LeadsContract(DatabaseContract[LeadsUnit]):
    """The store of leads: no two leads that are not deleted share a phone or e-mail."""

    repositories = "`leads`, a `Leads`"

    def test_a_lead_comes_back_as_stored(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
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
            status_chosen_at=_NOW.replace(microsecond=654321),
        )
        add_all(work, ann, coming, lead)

        with reads() as unit:
            assert unit.leads.get(lead.id) == lead

    def test_an_unknown_lead_is_not_found(self, reads: Units[LeadsUnit]) -> None:
        with reads() as unit, pytest.raises(NotFound):
            unit.leads.get(an_id())

    def test_a_lead_that_is_changed_and_not_saved_is_unchanged_in_the_store(self, work: Units[LeadsUnit]) -> None:
        lead = a_lead(name="Grace", phone=_PHONE)
        with work() as unit:
            unit.leads.add(lead)
            revise(lead, name="Changed after adding")
            for found in (unit.leads.get(lead.id), unit.leads.matches([_PHONE.key], []).by_phone[_PHONE.key]):
                assert found.name == "Grace"
                revise(found, name="Changed after finding")
            assert unit.leads.get(lead.id).name == "Grace"

    def test_leads_are_read_by_their_ids(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        ann, ben, deleted, other = a_lead(email="ann@example.com"), a_lead(status_chosen_at=_NOW), a_lead(), a_lead()
        add_all(work, ann, ben, deleted, other)
        delete_lead(work, deleted)

        with reads() as unit:
            asked = [ben.id, an_id(), deleted.id, *(an_id() for _ in range(1200)), ann.id]
            assert unit.leads.find(asked) == {ann.id: ann, ben.id: ben}
            assert unit.leads.find([]) == {}

    def test_the_time_of_a_status_choice_is_read_with_each_lead(
        self, work: Units[LeadsUnit], reads: Units[LeadsUnit]
    ) -> None:
        ann = a_user()
        coming = an_import(ann)
        add_all(work, ann, coming)
        chosen = [_NOW.replace(microsecond=number) if number % 2 else None for number in range(4)]
        leads = [
            a_lead(status_chosen_at=at, import_id=coming.id, import_row=row, created_at=_NOW + row * _HOUR)
            for row, at in enumerate(chosen)
        ]
        with work() as unit:
            unit.leads.add_many(leads)
            unit.commit()

        for units in (work, reads):
            with units() as unit:
                keys = {lead.phone.key: lead for lead in leads if lead.phone}
                assert unit.leads.matches(list(keys), []).by_phone == keys
                assert [*unit.leads.untouched_of_import(coming.id, after_row=-1, limit=9)] == leads
                assert [*unit.leads.page(LeadFilter(), PageRequest()).items] == leads[::-1]

    def test_the_time_of_a_status_choice_is_stored(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        lead = a_lead()
        add_all(work, lead)

        for status in (LeadStatus.CONTACTED, LeadStatus.LOST):
            with work() as unit:
                lead = unit.leads.get(lead.id)
                lead.revise(replace(lead.details, status=status), lead.updated_at + _HOUR)
                lead.mark_updated(lead.updated_at + _HOUR)
                unit.leads.save(lead)
                unit.commit()
            # This change is made on a copy that was read before, and leaves the status alone.
            revise(lead, name=f"Grace {status}")
            lead.mark_updated(lead.updated_at)
            save_lead(work, lead)

        with reads() as unit:
            found = unit.leads.get(lead.id)
        assert found == lead
        assert (found.status, found.status_chosen_at, found.version) == (LeadStatus.LOST, _NOW + 2 * _HOUR, 5)

    def test_a_duplicate_names_every_lead_that_has_the_phone_or_the_email(self, work: Units[LeadsUnit]) -> None:
        by_phone = a_lead(phone=_PHONE)
        by_email = a_lead(email="grace@example.com")
        add_all(work, by_phone, by_email)

        with pytest.raises(DuplicateLead) as refused:
            add_all(work, a_lead(phone=_PHONE, email="grace@example.com"))

        assert set(refused.value.duplicates) == {Duplicate("phone", by_phone.id), Duplicate("email", by_email.id)}

    def test_a_unit_of_work_goes_on_after_a_refused_duplicate(
        self, work: Units[LeadsUnit], reads: Units[LeadsUnit]
    ) -> None:
        first, other = a_lead(phone=_PHONE), a_lead()
        with work() as unit:
            unit.leads.add(first)
            with pytest.raises(DuplicateLead):
                unit.leads.add(a_lead(phone=_PHONE))
            assert unit.leads.get(first.id) == first
            unit.leads.add(other)
            unit.commit()

        assert set(listed_leads(reads)) == {first.id, other.id}

    def test_a_number_with_two_extensions_belongs_to_two_leads(
        self, work: Units[LeadsUnit], reads: Units[LeadsUnit]
    ) -> None:
        leads = [a_lead(phone=_PHONE), *(a_lead(phone=Phone(_PHONE.number, extension)) for extension in ("1", "2"))]
        add_all(work, *leads)

        with reads() as unit:
            found = unit.leads.matches([f"{_PHONE.number};ext=2"], [])
        assert found.by_phone == {f"{_PHONE.number};ext=2": leads[2]}

    def test_one_of_many_concurrent_inserts_of_a_lead_succeeds(
        self, work: Units[LeadsUnit], reads: Units[LeadsUnit]
    ) -> None:
        leads = [a_lead(phone=_PHONE) for _ in range(10)]

        def add(number: int) -> UUID | None:
            try:
                add_all(work, leads[number])
            except DuplicateLead as refused:
                return refused.duplicates[0].id
            return None

        found = run_concurrently(10, add)

        assert found.count(None) == 1
        assert {lead_id for lead_id in found if lead_id} == set(listed_leads(reads))

    def test_many_are_added_together(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        leads = [a_lead(email=f"lead{number}@example.com") for number in range(300)]
        with work() as unit:
            unit.leads.add_many(leads)
            unit.leads.add_many([])
            unit.commit()

        with reads() as unit:
            found = unit.leads.matches([], [lead.email for lead in leads if lead.email])
        assert found.by_email == {lead.email: lead for lead in leads}

    def test_a_duplicate_prevents_the_whole_batch(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        known = a_lead(phone=_PHONE)
        add_all(work, known)

        with work() as unit:
            with pytest.raises(DuplicateLead) as refused:
                unit.leads.add_many([a_lead(), a_lead(phone=_PHONE), a_lead()])
            unit.commit()

        assert Duplicate("phone", known.id) in refused.value.duplicates
        assert listed_leads(reads) == [known.id]

    def test_a_changed_lead_is_stored(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        ann = a_user()
        lead = a_lead(phone=_PHONE)
        add_all(work, ann, lead)
        phone = Phone("+12125550124", "5")
        revise(lead, name="Grace Brewster Hopper", phone=phone, email="grace@example.com", source="fair")
        revise(lead, company="Eckert-Mauchly")
        lead.move_to(LeadStatus.CONVERTED)
        lead.assign(ann.id)
        lead.mark_updated(_NOW + _HOUR)

        save_lead(work, lead)

        with reads() as unit:
            assert unit.leads.get(lead.id) == lead
            assert unit.leads.matches([_PHONE.key], []).by_phone == {}
            assert unit.leads.matches(["+12125550124;ext=5"], ["grace@example.com"]).by_phone

    def test_saving_a_lead_of_an_outdated_version_is_refused(self, work: Units[LeadsUnit]) -> None:
        lead = a_lead()
        add_all(work, lead)
        with pytest.raises(PreconditionFailed):
            save_lead(work, lead)
        lead.mark_updated(_NOW)
        save_lead(work, lead)

        with pytest.raises(PreconditionFailed):
            save_lead(work, lead)
        with pytest.raises(PreconditionFailed):
            save_lead(work, a_lead(version=2))

    def test_a_lead_cannot_take_the_phone_of_another(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        first = a_lead(phone=_PHONE, email="first@example.com")
        second = a_lead()
        before = replace(second)
        add_all(work, first, second)
        revise(second, phone=_PHONE, email="first@example.com")
        second.mark_updated(_NOW)

        with pytest.raises(DuplicateLead) as refused:
            save_lead(work, second)

        assert set(refused.value.duplicates) == {Duplicate("phone", first.id), Duplicate("email", first.id)}
        with reads() as unit:
            assert unit.leads.get(second.id) == before

    def test_a_deleted_lead_matches_no_query(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        ann = a_user()
        coming = an_import(ann)
        lead = a_lead(phone=_PHONE, email="grace@example.com", import_id=coming.id, import_row=2)
        add_all(work, ann, coming, lead)

        delete_lead(work, lead)

        with reads() as unit:
            with pytest.raises(NotFound):
                unit.leads.get(lead.id)
            found = unit.leads.matches([_PHONE.key], ["grace@example.com"])
            assert (found.by_phone, found.by_email) == ({}, {})
            assert [*unit.leads.page(LeadFilter(question=("grace",)), PageRequest()).items] == []
            assert [*unit.leads.untouched_of_import(coming.id, after_row=0, limit=5)] == []
        assert listed_leads(reads) == []

    def test_a_deleted_lead_frees_its_phone_and_email(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        old = [a_lead(phone=_PHONE, email="grace@example.com") for _ in range(2)]
        for lead in old:  # two deleted leads may have had the same phone and e-mail
            add_all(work, lead)
            delete_lead(work, lead)
        new = a_lead(phone=_PHONE, email="grace@example.com")

        add_all(work, new)

        assert listed_leads(reads) == [new.id]

    def test_a_deleted_lead_returns_unless_its_phone_has_gone(
        self, work: Units[LeadsUnit], reads: Units[LeadsUnit]
    ) -> None:
        lead = a_lead(phone=_PHONE)
        add_all(work, lead)
        delete_lead(work, lead)
        lead.deleted_at = None
        lead.mark_updated(_NOW)
        save_lead(work, lead)
        with reads() as unit:
            assert unit.leads.get(lead.id) == lead
        with pytest.raises(DuplicateLead):
            add_all(work, a_lead(phone=_PHONE))
        delete_lead(work, lead)
        add_all(work, a_lead(phone=_PHONE))

        lead.deleted_at = None
        lead.mark_updated(_NOW)
        with pytest.raises(DuplicateLead):
            save_lead(work, lead)

    def test_a_lead_that_matches_by_phone_and_email_is_one_object(
        self, work: Units[LeadsUnit], reads: Units[LeadsUnit]
    ) -> None:
        both = a_lead(phone=_PHONE, email="grace@example.com")
        other = a_lead(phone=Phone("+12125550124"), email="ada@example.com")
        add_all(work, both, other, a_lead(email="unasked@example.com"))

        with reads() as unit:
            found = unit.leads.matches([_PHONE.key, "+12125550199"], ["grace@example.com", "ada@example.com", "x@y.zz"])

        assert found.by_phone == {_PHONE.key: both}
        assert found.by_email == {"grace@example.com": both, "ada@example.com": other}
        assert found.by_phone[_PHONE.key] is found.by_email["grace@example.com"]

    def test_thousands_of_leads_are_matched_at_once(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        lead = a_lead(phone=Phone("+12125554999"), email="lead4999@example.com")
        add_all(work, lead)

        with reads() as unit:
            found = unit.leads.matches(
                [f"+1212555{number:04}" for number in range(5000)], {f"lead{n}@example.com" for n in range(5000)}
            )

        assert found.by_phone == {"+12125554999": lead}
        assert found.by_email == {"lead4999@example.com": lead}

    def test_a_missing_key_is_locked_until_the_unit_of_work_ends(self, work: Units[LeadsUnit]) -> None:
        def add(number: int) -> bool:
            with suppress(DuplicateLead), work() as unit:
                if not unit.leads.matches([_PHONE.key], []).by_phone:
                    unit.leads.add_many([a_lead(name=f"Lead {number}", phone=_PHONE)])
                    unit.commit()
                    return True
            return False

        assert run_concurrently(5, add).count(True) == 1

    def test_untouched_leads_of_an_import_come_in_the_order_of_rows(
        self, work: Units[LeadsUnit], reads: Units[LeadsUnit]
    ) -> None:
        ann = a_user()
        coming, other = an_import(ann), an_import(ann)
        made = [a_lead(import_id=coming.id, import_row=row) for row in (9, 3, 2, 30)]
        touched = a_lead(import_id=coming.id, import_row=4, version=2)
        add_all(work, ann, coming, other, *made, touched, a_lead(import_id=other.id, import_row=5), a_lead())

        def rows(after_row: int, limit: int) -> list[int | None]:
            with reads() as unit:
                found = unit.leads.untouched_of_import(coming.id, after_row=after_row, limit=limit)
            return [lead.import_row for lead in found]

        assert rows(0, 10) == [2, 3, 9, 30]
        assert rows(2, 2) == [3, 9]
        assert rows(30, 2) == []

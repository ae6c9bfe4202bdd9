"""Contract tests of the repository of leads, except its pages."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from unite_core.errors import NotFound, PreconditionFailed
from unite_core.leads.details import MAX_COMPANY_LENGTH, MAX_NAME_LENGTH, MAX_SOURCE_LENGTH, LeadStatus
from unite_core.leads.model import Duplicate, DuplicateLead, Lead
from unite_core.leads.ports import LeadFilter
from unite_core.paging import PageRequest
from unite_core.phone import MAX_EXTENSION_LENGTH, Phone
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
_EXACT = datetime(2026, 10, 25, 0, 59, 59, 999_999, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

LEADS: dict[str, dict[str, Any]] = {
    "a name in several scripts": {
        "name": "Ñandú \u202e\u05e2\u05d1\u202c 👩🏽‍💻",
        "phone": Phone("+12125550123", "0042"),
        "email": "grace@example.com",
        "status": LeadStatus.QUALIFIED,
        "source": "fair",
    },
    "long texts": {
        "name": "👩" * MAX_NAME_LENGTH,
        "phone": Phone("+123456789012345", "1" * MAX_EXTENSION_LENGTH),
        "email": f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.com",
        "source": "王" * MAX_SOURCE_LENGTH,
        "company": "İ" * MAX_COMPANY_LENGTH,
    },
    "exact moments": {
        "created_at": _EXACT,
        "updated_at": _EXACT - _MICROSECOND,
        "status_chosen_at": _EXACT - 2 * _MICROSECOND,
        "version": 1000,
    },
    "only an e-mail address": {"phone": None, "email": "only@example.com", "status": LeadStatus.LOST},
    "a company in lower and upper case": {"company": "ACME, inc. 小明"},
}
"""Leads whose values are as different, as long and as exact as they can be."""


class LeadsContract(DatabaseContract[LeadsUnit]):
    """The store of leads: no two leads that are not deleted share a phone or e-mail."""

    repositories = "`leads`, a `Leads`"

    @pytest.mark.parametrize("kind", LEADS)
    def test_a_lead_comes_back_as_stored(self, work: Units[LeadsUnit], reads: Units[LeadsUnit], kind: str) -> None:
        ann = a_user()
        coming = an_import(ann)
        made = {"assigned_to": ann.id, "created_by": ann.id, "import_id": coming.id, "import_row": 7}
        lead, others = a_lead(**made, **LEADS[kind]), [a_lead(), a_lead(email="other@example.com")]
        add_all(work, ann, coming, others[0], lead, others[1])

        for units in (work, reads):
            with units() as unit:
                for each in (lead, *others):
                    assert unit.leads.get(each.id) == each
                assert unit.leads.find([lead.id]) == {lead.id: lead}
                assert lead in unit.leads.page(LeadFilter(), PageRequest()).items
                _check_matches(unit, lead)

    @pytest.mark.parametrize("kind", LEADS)
    def test_a_lead_is_changed_in_every_value(self, work: Units[LeadsUnit], reads: Units[LeadsUnit], kind: str) -> None:
        ann = a_user()
        coming = an_import(ann)
        made = {"created_by": ann.id, "import_id": coming.id, "import_row": 7}
        before, other = a_lead(**made), a_lead(**{**made, "import_row": 8})
        changes = {**LEADS[kind], "assigned_to": ann.id, "version": 2, "created_at": before.created_at}
        after = a_lead(id=before.id, **{**made, **changes})
        add_all(work, ann, coming, before, other)

        save_lead(work, after)

        with reads() as unit:
            assert unit.leads.get(after.id) == after
            assert unit.leads.get(other.id) == other
            _check_matches(unit, after)

    def test_an_unknown_lead_is_not_found(self, reads: Units[LeadsUnit]) -> None:
        with reads() as unit, pytest.raises(NotFound):
            unit.leads.get(an_id())

    def test_a_lead_that_is_changed_and_not_saved_is_unchanged_in_the_store(self, work: Units[LeadsUnit]) -> None:
        ann = a_user()
        coming = an_import(ann)
        lead = a_lead(name="Grace", phone=_PHONE, email="grace@example.com", import_id=coming.id, import_row=1)
        add_all(work, ann, coming)
        with work() as unit:
            unit.leads.add(lead)
            revise(lead, name="Changed after adding")
            reads: list[Callable[[], Lead]] = [
                lambda: unit.leads.get(lead.id),
                lambda: unit.leads.find([lead.id])[lead.id],
                lambda: unit.leads.matches([_PHONE.key], []).by_phone[_PHONE.key],
                lambda: unit.leads.matches([], ["grace@example.com"]).by_email["grace@example.com"],
                lambda: unit.leads.page(LeadFilter(), PageRequest()).items[0],
                lambda: unit.leads.untouched_of_import(coming.id, after_row=0, limit=1)[0],
            ]
            for read in reads:
                found = read()
                assert found.name == "Grace"
                revise(found, name="Changed after finding")
            changed = unit.leads.get(lead.id)
            assert changed.name == "Grace"
            revise(changed, name="Changed")
            changed.mark_updated(_NOW)
            unit.leads.save(changed)
            revise(changed, name="Changed after saving")
            assert unit.leads.get(lead.id).name == "Changed"

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

    @pytest.mark.parametrize("field", ["phone", "email"])
    def test_the_phone_or_the_email_alone_makes_a_duplicate(
        self, work: Units[LeadsUnit], reads: Units[LeadsUnit], field: str
    ) -> None:
        contact: dict[str, Any] = {"phone": _PHONE} if field == "phone" else {"email": "grace@example.com"}
        known, other = a_lead(**contact), a_lead(email="other@example.com")
        _add_many(work, known, other)
        added, changed = a_lead(**contact), replace(other, details=replace(other.details, **contact), version=2)

        refused_calls: list[Callable[[], None]] = [
            lambda: add_all(work, added),
            lambda: save_lead(work, changed),
            lambda: _add_many(work, added),
        ]
        for call in refused_calls:
            with pytest.raises(DuplicateLead) as refused:
                call()
            assert set(refused.value.duplicates) == {Duplicate(field, known.id)}

        with reads() as unit:
            assert unit.leads.find([known.id, other.id, added.id]) == {known.id: known, other.id: other}

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

    def test_saving_a_lead_of_another_version_is_refused(self, work: Units[LeadsUnit], reads: Units[LeadsUnit]) -> None:
        lead = a_lead()
        add_all(work, lead)
        for _ in range(2):
            lead.mark_updated(_NOW)
            save_lead(work, lead)

        for version in (1, 2, 3, 5, 6):
            with pytest.raises(PreconditionFailed):
                save_lead(work, replace(lead, updated_at=_NOW + _HOUR, version=version))
        for version in (1, 2, 7):
            with pytest.raises(PreconditionFailed):
                save_lead(work, a_lead(version=version))

        with reads() as unit:
            assert [*unit.leads.page(LeadFilter(), PageRequest()).items] == [lead]

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
            assert [*unit.leads.page(LeadFilter(q="grace"), PageRequest()).items] == []
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


def _add_many(work: Units[LeadsUnit], *leads: Lead) -> None:
    with work() as unit:
        unit.leads.add_many(leads)
        unit.commit()


def _check_matches(unit: LeadsUnit, lead: Lead) -> None:
    """Check that the lead is found by its phone and its e-mail address."""
    found = unit.leads.matches([lead.phone.key] if lead.phone else [], [lead.email] if lead.email else [])
    assert found.by_phone == ({lead.phone.key: lead} if lead.phone else {})
    assert found.by_email == ({lead.email: lead} if lead.email else {})

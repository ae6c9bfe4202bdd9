"""What a rehearsal promises."""

from dataclasses import replace

from unite_core.imports.model import (
    LeadImport,
)
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.leads.model import Lead
from unite_core.leads.ports import ContactMatches
from unite_core.phone import Phone
from unite_core.testing.builders import a_lead, a_user, an_import
from unite_core.testing.contracts.database import DatabaseContract, add_all
from unite_core.unit_of_work import UnitOfWorkFactory

_PHONE = Phone("+12125550123")


class DryRunLeadsContract(DatabaseContract):
    """The leads as a dry run has them."""

    def test_what_is_pretended_is_found_by_its_own_import_alone(
        self, work: UnitOfWorkFactory[ImportsUnitOfWork], reads: UnitOfWorkFactory[ImportsUnitOfWork]
    ) -> None:
        ann = a_user()
        coming, other = an_import(ann), an_import(ann)
        add_all(work, ann, coming, other)
        lead = a_lead(phone=_PHONE, email="grace@example.com", import_id=coming.id, import_row=2, assigned_to=ann.id)

        _pretend(work, coming, lead)

        found = _matches(reads, coming)
        assert found.by_phone == {_PHONE.key: lead}
        assert found.by_email == {"grace@example.com": lead}
        assert found.by_phone[_PHONE.key] is found.by_email["grace@example.com"]
        assert _matches(reads, other) == ContactMatches()
        with reads() as unit:
            assert unit.leads.matches([_PHONE.key], ["grace@example.com"]) == ContactMatches()

    def test_real_leads_are_found_too(
        self, work: UnitOfWorkFactory[ImportsUnitOfWork], reads: UnitOfWorkFactory[ImportsUnitOfWork]
    ) -> None:
        ann = a_user()
        coming = an_import(ann)
        real = a_lead(phone=_PHONE)
        pretended = a_lead(email="grace@example.com", import_id=coming.id, import_row=2)
        add_all(work, ann, coming, real)

        _pretend(work, coming, pretended)

        assert _matches(reads, coming) == ContactMatches({_PHONE.key: real}, {"grace@example.com": pretended})

    def test_a_pretended_lead_stands_in_for_the_real_one(
        self, work: UnitOfWorkFactory[ImportsUnitOfWork], reads: UnitOfWorkFactory[ImportsUnitOfWork]
    ) -> None:
        ann = a_user()
        coming = an_import(ann)
        real = a_lead(phone=_PHONE, email="grace@example.com")
        add_all(work, ann, coming, real)
        changed = replace(real, phone=Phone("+12125550124"), name="Grace the Second", version=2)

        _pretend(work, coming, changed)

        found = _matches(reads, coming, "+12125550124")
        assert found.by_phone == {"+12125550124": changed}
        assert found.by_email == {"grace@example.com": changed}
        with reads() as unit:
            assert unit.leads.get(real.id) == real

    def test_a_pretended_lead_is_replaced_by_its_next_form(
        self, work: UnitOfWorkFactory[ImportsUnitOfWork], reads: UnitOfWorkFactory[ImportsUnitOfWork]
    ) -> None:
        ann = a_user()
        coming = an_import(ann)
        add_all(work, ann, coming)
        first = a_lead(phone=_PHONE, email="grace@example.com")
        second = replace(first, phone=None, name="Grace the Second")

        _pretend(work, coming, first)
        first.rename("Changed after putting")
        assert _matches(reads, coming).by_email["grace@example.com"].name != "Changed after putting"
        _pretend(work, coming, second)

        assert _matches(reads, coming) == ContactMatches({}, {"grace@example.com": second})

    def test_pretended_leads_may_pass_a_phone_on(
        self, work: UnitOfWorkFactory[ImportsUnitOfWork], reads: UnitOfWorkFactory[ImportsUnitOfWork]
    ) -> None:
        ann = a_user()
        coming = an_import(ann)
        first = a_lead(phone=_PHONE, email="first@example.com")
        add_all(work, ann, coming, first)
        second = a_lead(phone=_PHONE, email="second@example.com")

        _pretend(work, coming, replace(first, phone=Phone("+12125550124")))
        _pretend(work, coming, second)

        assert _matches(reads, coming).by_phone == {_PHONE.key: second}

    def test_what_is_cleared_is_forgotten(
        self, work: UnitOfWorkFactory[ImportsUnitOfWork], reads: UnitOfWorkFactory[ImportsUnitOfWork]
    ) -> None:
        ann = a_user()
        coming, other = an_import(ann), an_import(ann)
        add_all(work, ann, coming, other)
        lead, others = a_lead(phone=_PHONE), a_lead(phone=_PHONE)
        _pretend(work, coming, lead)
        _pretend(work, other, others)

        with work() as unit:
            unit.rehearsal.clear(coming.id)
            unit.commit()

        assert _matches(reads, coming) == ContactMatches()
        assert _matches(reads, other).by_phone == {_PHONE.key: others}


def _pretend(work: UnitOfWorkFactory[ImportsUnitOfWork], coming: LeadImport, lead: Lead) -> None:
    with work() as unit:
        unit.rehearsal.put(coming.id, [lead])
        unit.rehearsal.put(coming.id, [])
        unit.commit()


def _matches(
    reads: UnitOfWorkFactory[ImportsUnitOfWork], coming: LeadImport, phone: str = _PHONE.key
) -> ContactMatches:
    with reads() as unit:
        return unit.rehearsal.matches(coming.id, {phone}, {"grace@example.com"})

"""Contract tests of the repository of dry runs."""

from dataclasses import replace
from typing import Protocol

from unite_core.imports.model import (
    LeadImport,
)
from unite_core.imports.ports import DryRunLeads
from unite_core.leads.model import Lead
from unite_core.leads.ports import ContactMatches, Leads
from unite_core.phone import Phone
from unite_core.testing.builders import a_lead, a_user, an_import, revise
from unite_core.testing.contracts.database import DatabaseContract, Transaction, Units, add_all

_PHONE = Phone("+12125550123")


class DryRunLeadsUnit(Transaction, Protocol):
    """A unit of work with the port `DryRunLeads` and the port `Leads`."""

    @property
    def rehearsal(self) -> DryRunLeads: ...

    @property
    def leads(self) -> Leads: ...


class DryRunLeadsContract(DatabaseContract[DryRunLeadsUnit]):
    """The leads of a dry run are visible to its own import only."""

    repositories = "`rehearsal`, a `DryRunLeads` and `leads`, a `Leads`"

    def test_dry_run_leads_are_visible_to_their_import_alone(
        self, work: Units[DryRunLeadsUnit], reads: Units[DryRunLeadsUnit]
    ) -> None:
        ann = a_user()
        lead_import, other = an_import(ann), an_import(ann)
        add_all(work, ann, lead_import, other)
        lead = a_lead(
            phone=_PHONE, email="grace@example.com", import_id=lead_import.id, import_row=2, assigned_to=ann.id
        )

        _pretend(work, lead_import, lead)

        matches = _matches(reads, lead_import)
        assert matches.by_phone == {_PHONE.key: lead}
        assert matches.by_email == {"grace@example.com": lead}
        assert matches.by_phone[_PHONE.key] is matches.by_email["grace@example.com"]
        assert _matches(reads, other) == ContactMatches()
        with reads() as unit:
            assert unit.leads.matches([_PHONE.key], ["grace@example.com"]) == ContactMatches()

    def test_real_leads_are_matched_too(self, work: Units[DryRunLeadsUnit], reads: Units[DryRunLeadsUnit]) -> None:
        ann = a_user()
        lead_import = an_import(ann)
        real = a_lead(phone=_PHONE)
        pretended = a_lead(email="grace@example.com", import_id=lead_import.id, import_row=2)
        add_all(work, ann, lead_import, real)

        _pretend(work, lead_import, pretended)

        assert _matches(reads, lead_import) == ContactMatches({_PHONE.key: real}, {"grace@example.com": pretended})

    def test_a_dry_run_lead_replaces_the_real_one(
        self, work: Units[DryRunLeadsUnit], reads: Units[DryRunLeadsUnit]
    ) -> None:
        ann = a_user()
        lead_import = an_import(ann)
        real = a_lead(phone=_PHONE, email="grace@example.com")
        add_all(work, ann, lead_import, real)
        changed = replace(real, version=2)
        revise(changed, phone=Phone("+12125550124"), name="Grace the Second")

        _pretend(work, lead_import, changed)

        matches = _matches(reads, lead_import, "+12125550124")
        assert matches.by_phone == {"+12125550124": changed}
        assert matches.by_email == {"grace@example.com": changed}
        with reads() as unit:
            assert unit.leads.get(real.id) == real

    def test_a_dry_run_lead_is_replaced_by_its_next_version(
        self, work: Units[DryRunLeadsUnit], reads: Units[DryRunLeadsUnit]
    ) -> None:
        ann = a_user()
        lead_import = an_import(ann)
        add_all(work, ann, lead_import)
        first = a_lead(phone=_PHONE, email="grace@example.com")
        second = replace(first)
        revise(second, phone=None, name="Grace the Second")

        _pretend(work, lead_import, first)
        revise(first, name="Changed after putting")
        assert _matches(reads, lead_import).by_email["grace@example.com"].name != "Changed after putting"
        _pretend(work, lead_import, second)

        assert _matches(reads, lead_import) == ContactMatches({}, {"grace@example.com": second})

    def test_a_phone_can_move_between_dry_run_leads(
        self, work: Units[DryRunLeadsUnit], reads: Units[DryRunLeadsUnit]
    ) -> None:
        ann = a_user()
        lead_import = an_import(ann)
        first = a_lead(phone=_PHONE, email="first@example.com")
        add_all(work, ann, lead_import, first)
        second = a_lead(phone=_PHONE, email="second@example.com")
        moved = replace(first)
        revise(moved, phone=Phone("+12125550124"))

        _pretend(work, lead_import, moved)
        assert _matches(reads, lead_import).by_phone == {}
        _pretend(work, lead_import, second)

        assert _matches(reads, lead_import).by_phone == {_PHONE.key: second}

    def test_cleared_dry_run_leads_are_absent(
        self, work: Units[DryRunLeadsUnit], reads: Units[DryRunLeadsUnit]
    ) -> None:
        ann = a_user()
        lead_import, other = an_import(ann), an_import(ann)
        add_all(work, ann, lead_import, other)
        lead, others = a_lead(phone=_PHONE), a_lead(phone=_PHONE)
        _pretend(work, lead_import, lead)
        _pretend(work, other, others)
        assert _matches(reads, lead_import).by_phone == {_PHONE.key: lead}

        with work() as unit:
            unit.rehearsal.clear(lead_import.id)
            unit.commit()

        assert _matches(reads, lead_import) == ContactMatches()
        assert _matches(reads, other).by_phone == {_PHONE.key: others}


def _pretend(work: Units[DryRunLeadsUnit], lead_import: LeadImport, lead: Lead) -> None:
    with work() as unit:
        unit.rehearsal.put(lead_import.id, [lead])
        unit.rehearsal.put(lead_import.id, [])
        unit.commit()


def _matches(reads: Units[DryRunLeadsUnit], lead_import: LeadImport, phone: str = _PHONE.key) -> ContactMatches:
    with reads() as unit:
        return unit.rehearsal.matches(lead_import.id, {phone}, {"grace@example.com"})

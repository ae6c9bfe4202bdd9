"""What the ports of imports promise."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from unite_core.errors import Conflict, NotFound, PreconditionFailed, Problem
from unite_core.imports.model import (
    Counts,
    Failure,
    ImportOptions,
    ImportStatus,
    LeadImport,
    OnDuplicate,
    Rejection,
    RowKind,
    Undone,
)
from unite_core.imports.ports import ImportFilter, ImportsWork
from unite_core.leads.model import Lead
from unite_core.leads.ports import ContactMatches
from unite_core.paging import PageRequest, Position
from unite_core.phone import Phone
from unite_core.testing.builders import a_lead, a_rejection, a_snapshot, a_user, an_id, an_import
from unite_core.testing.contracts.database import DatabaseContract, at_once, put
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING
from unite_core.unit_of_work import Work

_NOW = A_MONDAY_MORNING
_HOUR = timedelta(hours=1)
_PHONE = Phone("+12125550123")


class ImportsContract(DatabaseContract):
    """All imports."""

    def test_an_import_comes_back_as_stored(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        plain = an_import(ann)
        full = _full_import(an_import(ann, id=an_id()))
        put(work, ann, plain, full)

        with reads() as unit:
            assert unit.imports.get(plain.id) == plain
            assert unit.imports.get(full.id) == full

    def test_an_unknown_import_is_not_found(self, reads: Work[ImportsWork]) -> None:
        with reads() as unit, pytest.raises(NotFound):
            unit.imports.get(an_id())

    def test_an_import_that_is_changed_and_not_saved_stays_as_it_was(self, work: Work[ImportsWork]) -> None:
        ann = a_user()
        coming = an_import(ann, dialect={"delimiter": ",", "header": ["Name"]})
        put(work, ann)
        with work() as unit:
            unit.imports.add(coming)
            coming.dialect["header"].append("Phone")
            found = unit.imports.get(coming.id)
            assert found.dialect["header"] == ["Name"]
            found.dialect["header"].append("Email")
            assert unit.imports.get(coming.id).dialect["header"] == ["Name"]

    def test_a_changed_import_is_stored(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        coming = an_import(ann)
        put(work, ann, coming)
        changed = replace(_full_import(coming), version=2)

        _save(work, changed)

        with reads() as unit:
            assert unit.imports.get(coming.id) == changed

    def test_an_import_is_not_saved_over_a_version_that_was_not_seen(self, work: Work[ImportsWork]) -> None:
        ann = a_user()
        coming = an_import(ann)
        put(work, ann, coming)

        for version in (1, 3):
            with pytest.raises(PreconditionFailed):
                _save(work, replace(coming, version=version))
        with pytest.raises(PreconditionFailed):
            _save(work, an_import(ann, version=2))

    def test_until_a_writing_unit_ends_nobody_else_changes_the_import_that_it_read(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        ann = a_user()
        coming = an_import(ann)
        put(work, ann, coming)

        def attempt(_: int) -> None:
            with work() as unit:
                found = unit.imports.get(coming.id)
                found.attempts += 1
                found.touched()
                unit.imports.save(found)
                unit.commit()

        at_once(5, attempt)

        with reads() as unit:
            assert unit.imports.get(coming.id).attempts == 5

    def test_pages_go_from_the_newest_to_the_oldest(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        oldest = an_import(ann, created_at=_NOW - _HOUR)
        twins = [an_import(ann), an_import(ann)]
        newest = an_import(ann, created_at=_NOW + _HOUR)
        put(work, ann, twins[0], newest, oldest, twins[1])

        with reads() as unit:
            first = unit.imports.page(ImportFilter(), PageRequest(limit=2))
            second = unit.imports.page(ImportFilter(), PageRequest(limit=2, after=first.next))

        assert [*first.items] == [newest, twins[1]]
        assert first.next == Position(twins[1].created_at, twins[1].id)
        assert [*second.items] == [twins[0], oldest]
        assert second.next is None

    def test_pages_hold_the_statuses_that_are_wanted(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        known = {status: an_import(ann, status=status) for status in ImportStatus}
        put(work, ann, *known.values())
        wanted = frozenset({ImportStatus.FAILED, ImportStatus.QUEUED})

        with reads() as unit:
            page = unit.imports.page(ImportFilter(statuses=wanted), PageRequest())

        assert [*page.items] == [known[ImportStatus.FAILED], known[ImportStatus.QUEUED]]

    def test_a_file_is_known_by_its_key_and_has_one_import(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        ann = a_user()
        first, keyless = an_import(ann, same_file_key="5a" * 32), an_import(ann)
        put(work, ann, first, keyless, an_import(ann))

        with pytest.raises(Conflict) as added:
            put(work, an_import(ann, same_file_key="5a" * 32))
        with pytest.raises(Conflict) as saved:
            _save(work, replace(keyless, same_file_key="5a" * 32, version=2))

        assert (added.value.code, saved.value.code) == ("same_file", "same_file")
        with reads() as unit:
            assert unit.imports.find_same_file("5a" * 32) == first
            assert unit.imports.find_same_file("5b" * 32) is None

    def test_a_key_that_is_given_up_is_free(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        first = an_import(ann, same_file_key="5a" * 32)
        second = an_import(ann, same_file_key="5a" * 32)
        put(work, ann, first)
        _save(work, replace(first, same_file_key=None, version=2))

        put(work, second)

        with reads() as unit:
            assert unit.imports.find_same_file("5a" * 32) == second

    def test_unfinished_are_those_that_nobody_works_on(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        newer = an_import(ann, created_at=_NOW)
        crashed = an_import(ann, status=ImportStatus.RUNNING, holder="w", held_until=_NOW, created_at=_NOW - _HOUR)
        undoing = an_import(ann, status=ImportStatus.COMPLETED, undone=Undone(1, 0, 0), created_at=_NOW - 2 * _HOUR)
        held = an_import(ann, status=ImportStatus.RUNNING, holder="w", held_until=_NOW + timedelta(microseconds=1))
        undone = an_import(ann, status=ImportStatus.COMPLETED, undone=Undone(1, 0, 0, _NOW))
        rest = [
            an_import(ann, status=status)
            for status in (
                ImportStatus.AWAITING_UPLOAD,
                ImportStatus.COMPLETED,
                ImportStatus.FAILED,
                ImportStatus.CANCELLED,
            )
        ]
        put(work, ann, newer, crashed, undoing, held, undone, *rest)

        with reads() as unit:
            assert [*unit.imports.unfinished(now=_NOW, limit=10)] == [undoing, crashed, newer]
            assert [*unit.imports.unfinished(now=_NOW, limit=2)] == [undoing, crashed]

    def test_abandoned_are_those_whose_file_never_came(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        waiting = ImportStatus.AWAITING_UPLOAD
        old = [an_import(ann, status=waiting, created_at=_NOW - _HOUR) for _ in range(2)]
        put(work, ann, *old, an_import(ann, status=waiting), an_import(ann, created_at=_NOW - _HOUR))

        with reads() as unit:
            found = unit.imports.abandoned(before=_NOW, limit=5)
            assert sorted(it.id for it in found) == [it.id for it in old]
            assert len(unit.imports.abandoned(before=_NOW, limit=1)) == 1


class ImportRowsContract(DatabaseContract):
    """What became of single rows, and what leads were before an update."""

    def test_rejections_come_back_in_the_order_of_rows(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann, lead = a_user(), a_lead()
        coming, other = an_import(ann), an_import(ann)
        put(work, ann, lead, coming, other)
        problem = Problem(field="phone", code="invalid_phone", detail="Too short.", suggestion="+12125550123")
        rejected = a_rejection(3, problems=(problem, problem), cells=("=1+1", 'a "quote"\r\n', "", "👩🏽‍💻"))
        repeated = a_rejection(20, kind=RowKind.DUPLICATE, duplicate_of=lead.id, duplicate_row=4)
        with work() as unit:
            unit.rows.reject(coming.id, [repeated, a_rejection(7)])
            unit.rows.reject(coming.id, [rejected])
            unit.rows.reject(coming.id, [])
            unit.rows.reject(other.id, [a_rejection(3)])
            unit.commit()

        def found(kind: RowKind | None = None, after_row: int = 0, limit: int = 10) -> list[Rejection]:
            with reads() as unit:
                return [*unit.rows.rejections(coming.id, kind=kind, after_row=after_row, limit=limit)]

        assert found() == [rejected, a_rejection(7), repeated]
        assert found(limit=2) == [rejected, a_rejection(7)]
        assert found(after_row=7) == [repeated]
        assert found(kind=RowKind.REJECTED) == [rejected, a_rejection(7)]
        assert found(kind=RowKind.DUPLICATE) == [repeated]
        assert found(kind=RowKind.DUPLICATE, after_row=20) == []

    def test_of_a_lead_the_first_snapshot_stays_with_the_last_version(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        ann, lead = a_user(), a_lead()
        coming, other = an_import(ann), an_import(ann)
        put(work, ann, lead, coming, other)
        first = a_snapshot(coming, lead, before={"name": "Grace", "phone": None}, version_after=2)
        with work() as unit:
            unit.rows.remember([first])
            unit.rows.remember([replace(first, before={"name": "Changed"}, made_by_import=True, version_after=5)])
            unit.rows.remember([replace(first, import_id=other.id, version_after=9)])
            unit.rows.remember([])
            unit.commit()

        with reads() as unit:
            assert [*unit.rows.remembered(coming.id, limit=5)] == [replace(first, version_after=5)]

    def test_snapshots_of_leads_that_the_import_made_come_first(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        ann = a_user()
        leads = [a_lead() for _ in range(4)]
        coming = an_import(ann)
        put(work, ann, coming, *leads)
        snapshots = [a_snapshot(coming, lead, made_by_import=bool(number % 2)) for number, lead in enumerate(leads)]
        with work() as unit:
            unit.rows.remember(snapshots)
            unit.commit()

        with reads() as unit:
            found = unit.rows.remembered(coming.id, limit=3)
            chosen = unit.rows.remembered(coming.id, limit=3, lead_ids=[leads[0].id, leads[3].id, an_id()])
            none = unit.rows.remembered(coming.id, limit=3, lead_ids=[])

        assert [it.made_by_import for it in found] == [True, True, False]
        assert [*chosen] == [snapshots[3], snapshots[0]]
        assert [*none] == []

    def test_forgotten_snapshots_are_gone(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        leads = [a_lead(), a_lead()]
        coming, other = an_import(ann), an_import(ann)
        put(work, ann, coming, other, *leads)
        with work() as unit:
            unit.rows.remember([a_snapshot(it, lead) for it in (coming, other) for lead in leads])
            unit.commit()

        with work() as unit:
            unit.rows.forget(coming.id, [leads[0].id, an_id()])
            unit.rows.forget(coming.id, [])
            unit.commit()

        with reads() as unit:
            assert [it.lead_id for it in unit.rows.remembered(coming.id, limit=5)] == [leads[1].id]
            assert len(unit.rows.remembered(other.id, limit=5)) == 2


class RehearsalContract(DatabaseContract):
    """The leads as a dry run has them."""

    def test_what_is_pretended_is_found_by_its_own_import_alone(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        ann = a_user()
        coming, other = an_import(ann), an_import(ann)
        put(work, ann, coming, other)
        lead = a_lead(phone=_PHONE, email="grace@example.com", import_id=coming.id, import_row=2, assigned_to=ann.id)

        _pretend(work, coming, lead)

        found = _matches(reads, coming)
        assert found.by_phone == {_PHONE.key: lead}
        assert found.by_email == {"grace@example.com": lead}
        assert found.by_phone[_PHONE.key] is found.by_email["grace@example.com"]
        assert _matches(reads, other) == ContactMatches()
        with reads() as unit:
            assert unit.leads.matches([_PHONE.key], ["grace@example.com"]) == ContactMatches()

    def test_real_leads_are_found_too(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        coming = an_import(ann)
        real = a_lead(phone=_PHONE)
        pretended = a_lead(email="grace@example.com", import_id=coming.id, import_row=2)
        put(work, ann, coming, real)

        _pretend(work, coming, pretended)

        assert _matches(reads, coming) == ContactMatches({_PHONE.key: real}, {"grace@example.com": pretended})

    def test_a_pretended_lead_stands_in_for_the_real_one(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        ann = a_user()
        coming = an_import(ann)
        real = a_lead(phone=_PHONE, email="grace@example.com")
        put(work, ann, coming, real)
        changed = replace(real, phone=Phone("+12125550124"), name="Grace the Second", version=2)

        _pretend(work, coming, changed)

        found = _matches(reads, coming, "+12125550124")
        assert found.by_phone == {"+12125550124": changed}
        assert found.by_email == {"grace@example.com": changed}
        with reads() as unit:
            assert unit.leads.get(real.id) == real

    def test_a_pretended_lead_is_replaced_by_its_next_form(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        ann = a_user()
        coming = an_import(ann)
        put(work, ann, coming)
        first = a_lead(phone=_PHONE, email="grace@example.com")
        second = replace(first, phone=None, name="Grace the Second")

        _pretend(work, coming, first)
        first.rename("Changed after putting")
        assert _matches(reads, coming).by_email["grace@example.com"].name != "Changed after putting"
        _pretend(work, coming, second)

        assert _matches(reads, coming) == ContactMatches({}, {"grace@example.com": second})

    def test_pretended_leads_may_pass_a_phone_on(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        coming = an_import(ann)
        first = a_lead(phone=_PHONE, email="first@example.com")
        put(work, ann, coming, first)
        second = a_lead(phone=_PHONE, email="second@example.com")

        _pretend(work, coming, replace(first, phone=Phone("+12125550124")))
        _pretend(work, coming, second)

        assert _matches(reads, coming).by_phone == {_PHONE.key: second}

    def test_what_is_cleared_is_forgotten(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        coming, other = an_import(ann), an_import(ann)
        put(work, ann, coming, other)
        lead, others = a_lead(phone=_PHONE), a_lead(phone=_PHONE)
        _pretend(work, coming, lead)
        _pretend(work, other, others)

        with work() as unit:
            unit.rehearsal.clear(coming.id)
            unit.commit()

        assert _matches(reads, coming) == ContactMatches()
        assert _matches(reads, other).by_phone == {_PHONE.key: others}


def _pretend(work: Work[ImportsWork], coming: LeadImport, lead: Lead) -> None:
    with work() as unit:
        unit.rehearsal.put(coming.id, [lead])
        unit.rehearsal.put(coming.id, [])
        unit.commit()


def _matches(reads: Work[ImportsWork], coming: LeadImport, phone: str = _PHONE.key) -> ContactMatches:
    with reads() as unit:
        return unit.rehearsal.matches(coming.id, {phone}, {"grace@example.com"})


def _full_import(of: LeadImport) -> LeadImport:
    """The same import with everything in it that an import can have."""
    assigned_to: UUID = of.created_by
    return replace(
        of,
        filename="Żółć 👩🏽‍💻.csv",
        size=512 * 1024 * 1024,
        status=ImportStatus.FAILED,
        options=ImportOptions(
            on_duplicate=OnDuplicate.UPDATE,
            default_country="DE",
            default_source="fair",
            default_assigned_to=assigned_to,
            columns={"Nom": "name", "Rien": None},
            dry_run=True,
        ),
        dialect={"encoding": "utf-8", "bom": 3, "header": ["Nom", "Rien"]},
        columns=[{"header": "Nom", "field": "name", "reason": None}],
        counts=Counts(1, 2, 3, 4),
        last_row=11,
        bytes_done=2**33,
        seconds_worked=1.5,
        started_at=_NOW + timedelta(microseconds=1),
        finished_at=_NOW + _HOUR,
        failure=Failure("file_missing", "It is gone."),
        report_key="reports/1.csv",
        same_file_key="5f" * 32,
        cancel_requested=True,
        undone=Undone(5, 6, 7, _NOW),
        undo_row=9,
        holder="worker 1",
        held_until=_NOW + _HOUR,
        attempts=3,
    )


def _save(work: Work[ImportsWork], changed: LeadImport) -> None:
    with work() as unit:
        unit.imports.save(changed)
        unit.commit()

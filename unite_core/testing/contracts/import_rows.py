"""Contract tests of the repository of rows of imports."""

from dataclasses import replace
from typing import Protocol

from unite_core.errors import FieldError
from unite_core.imports.model import (
    Rejection,
    RowKind,
)
from unite_core.imports.ports import ImportRows
from unite_core.testing.builders import a_lead, a_rejection, a_snapshot, a_user, an_id, an_import
from unite_core.testing.contracts.database import DatabaseContract, Transaction, Units, add_all


class ImportRowsUnit(Transaction, Protocol):
    """A unit of work with the port `ImportRows`."""

    @property
    def rows(self) -> ImportRows: ...


class ImportRowsContract(DatabaseContract[ImportRowsUnit]):
    """Rejections and snapshots are stored, listed and deleted."""

    repositories = "`rows`, a `ImportRows`"

    def test_rejections_come_back_in_the_order_of_rows(
        self, work: Units[ImportRowsUnit], reads: Units[ImportRowsUnit]
    ) -> None:
        ann, lead = a_user(), a_lead()
        lead_import, other = an_import(ann), an_import(ann)
        add_all(work, ann, lead, lead_import, other)
        problem = FieldError(field="phone", code="invalid_phone", detail="Too short.", suggestion="+12125550123")
        rejected = a_rejection(
            3, problems=(problem, problem), cells=("=1+1", 'a "quote"\r\n', "", "👩🏽‍💻 Zoe\u0308", "x" * 100_000)
        )
        repeated = a_rejection(20, kind=RowKind.DUPLICATE, duplicate_of=lead.id, duplicate_row=4)
        with work() as unit:
            unit.rows.reject(lead_import.id, [repeated, a_rejection(7)])
            unit.rows.reject(lead_import.id, [rejected])
            unit.rows.reject(lead_import.id, [])
            unit.rows.reject(other.id, [a_rejection(3)])
            unit.commit()

        def matching(kind: RowKind | None = None, after_row: int = 0, limit: int = 10) -> list[Rejection]:
            with reads() as unit:
                return [*unit.rows.rejections(lead_import.id, kind=kind, after_row=after_row, limit=limit)]

        assert matching() == [rejected, a_rejection(7), repeated]
        assert matching(limit=2) == [rejected, a_rejection(7)]
        assert matching(after_row=7) == [repeated]
        assert matching(kind=RowKind.REJECTED) == [rejected, a_rejection(7)]
        assert matching(kind=RowKind.DUPLICATE) == matching(kind=RowKind.DUPLICATE, limit=1) == [repeated]
        assert matching(kind=RowKind.DUPLICATE, after_row=20) == []

    def test_the_first_snapshot_of_a_lead_is_kept_with_its_last_version(
        self, work: Units[ImportRowsUnit], reads: Units[ImportRowsUnit]
    ) -> None:
        ann, lead = a_user(), a_lead()
        lead_import, other = an_import(ann), an_import(ann)
        add_all(work, ann, lead, lead_import, other)
        first = a_snapshot(lead_import, lead, before={"name": "Grace", "phone": None}, version_after=2)
        with work() as unit:
            unit.rows.add_snapshots([first])
            unit.rows.add_snapshots([replace(first, before={"name": "Changed"}, made_by_import=True, version_after=5)])
            unit.rows.add_snapshots([replace(first, import_id=other.id, version_after=9)])
            unit.rows.add_snapshots([])
            unit.commit()

        with reads() as unit:
            assert [*unit.rows.snapshots_of(lead_import.id, limit=5)] == [replace(first, version_after=5)]

    def test_snapshots_of_created_leads_come_first(
        self, work: Units[ImportRowsUnit], reads: Units[ImportRowsUnit]
    ) -> None:
        ann = a_user()
        leads = [a_lead() for _ in range(4)]
        lead_import = an_import(ann)
        add_all(work, ann, lead_import, *leads)
        snapshots = [
            a_snapshot(lead_import, lead, made_by_import=bool(number % 2)) for number, lead in enumerate(leads)
        ]
        with work() as unit:
            unit.rows.add_snapshots(snapshots)
            unit.commit()

        with reads() as unit:
            found = unit.rows.snapshots_of(lead_import.id, limit=3)
            chosen = unit.rows.snapshots_of(lead_import.id, limit=3, lead_ids=[leads[0].id, leads[3].id, an_id()])
            none = unit.rows.snapshots_of(lead_import.id, limit=3, lead_ids=[])
            many = [*(an_id() for _ in range(2500)), leads[0].id]
            last_of_many = unit.rows.snapshots_of(lead_import.id, limit=3, lead_ids=many)

        assert [it.made_by_import for it in found] == [True, True, False]
        assert [*chosen] == [snapshots[3], snapshots[0]]
        assert [*none] == []
        assert [*last_of_many] == [snapshots[0]]

    def test_deleted_snapshots_are_absent(self, work: Units[ImportRowsUnit], reads: Units[ImportRowsUnit]) -> None:
        ann = a_user()
        leads = [a_lead(), a_lead()]
        lead_import, other = an_import(ann), an_import(ann)
        add_all(work, ann, lead_import, other, *leads)
        with work() as unit:
            unit.rows.add_snapshots([a_snapshot(it, lead) for it in (lead_import, other) for lead in leads])
            unit.commit()

        with work() as unit:
            unit.rows.delete_snapshots(lead_import.id, [leads[0].id, an_id()])
            unit.rows.delete_snapshots(lead_import.id, [])
            unit.commit()

        with reads() as unit:
            assert [it.lead_id for it in unit.rows.snapshots_of(lead_import.id, limit=5)] == [leads[1].id]
            assert len(unit.rows.snapshots_of(other.id, limit=5)) == 2

    def test_a_purge_deletes_rejections_and_snapshots_of_one_import_up_to_a_limit(
        self, work: Units[ImportRowsUnit], reads: Units[ImportRowsUnit]
    ) -> None:
        ann = a_user()
        leads = [a_lead(), a_lead()]
        lead_import, other = an_import(ann), an_import(ann)
        add_all(work, ann, lead_import, other, *leads)
        with work() as unit:
            for each in (lead_import, other):
                unit.rows.reject(each.id, [a_rejection(1), a_rejection(2), a_rejection(3)])
                unit.rows.add_snapshots([a_snapshot(each, lead) for lead in leads])
            unit.commit()

        def purge() -> int:
            with work() as unit:
                purged = unit.rows.purge(lead_import.id, limit=2)
                unit.commit()
            return purged

        assert [purge() for _ in range(4)] == [2, 2, 1, 0]
        with reads() as unit:
            for each, left in ((lead_import, (0, 0)), (other, (3, 2))):
                rejections = unit.rows.rejections(each.id, kind=None, after_row=0, limit=9)
                assert (len(rejections), len(unit.rows.snapshots_of(each.id, limit=9))) == left

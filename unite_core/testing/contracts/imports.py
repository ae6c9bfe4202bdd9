"""Contract tests of the repository of imports."""

from dataclasses import replace
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import pytest

from unite_core.errors import Conflict, NotFound, PreconditionFailed
from unite_core.imports.model import (
    Counts,
    Failure,
    ImportOptions,
    ImportStatus,
    LeadImport,
    OnDuplicate,
    Undone,
)
from unite_core.imports.ports import ImportFilter, ImportRows, Imports, OpenImports
from unite_core.paging import Page, PageRequest, Position
from unite_core.testing.builders import a_lead, a_rejection, a_snapshot, a_user, an_id, an_import
from unite_core.testing.contracts.database import DatabaseContract, Transaction, Units, add_all, run_concurrently
from unite_core.testing.contracts.pages import check_pages
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_NOW = A_MONDAY_MORNING
_HOUR = timedelta(hours=1)


class ImportsUnit(Transaction, Protocol):
    """A unit of work with the port `Imports`."""

    @property
    def imports(self) -> Imports: ...

    @property
    def rows(self) -> ImportRows: ...


class ImportsContract(DatabaseContract[ImportsUnit]):
    """Imports are stored, listed, and locked for changes."""

    repositories = "`imports`, a `Imports`"

    def test_the_open_imports_of_a_user_are_counted(self, work: Units[ImportsUnit], reads: Units[ImportsUnit]) -> None:
        ann, ben = a_user(), a_user()
        large = 5 * 1024**3
        add_all(work, ann, ben, *(an_import(ann, status=status, size=large) for status in ImportStatus), an_import(ben))

        with reads() as unit:
            assert unit.imports.count_open(ann.id) == OpenImports(3, 3 * large)
            assert unit.imports.count_open(ben.id) == OpenImports(1, 1000)
            assert unit.imports.count_open(an_id()) == OpenImports(0, 0)

    def test_an_import_comes_back_as_stored(self, work: Units[ImportsUnit], reads: Units[ImportsUnit]) -> None:
        ann = a_user()
        plain = an_import(ann)
        full = _full_import(an_import(ann, id=an_id()))
        add_all(work, ann, plain, full)

        with reads() as unit:
            assert unit.imports.get(plain.id) == plain
            assert unit.imports.get(full.id) == full

    def test_an_unknown_import_is_not_found(self, reads: Units[ImportsUnit]) -> None:
        with reads() as unit, pytest.raises(NotFound):
            unit.imports.get(an_id())

    def test_an_import_that_is_changed_and_not_saved_is_unchanged_in_the_store(self, work: Units[ImportsUnit]) -> None:
        ann = a_user()
        coming = an_import(ann, dialect={"delimiter": ",", "header": ["Name"]})
        add_all(work, ann)
        with work() as unit:
            unit.imports.add(coming)
            coming.dialect["header"].append("Phone")
            stored = unit.imports.get(coming.id)
            assert stored.dialect["header"] == ["Name"]
            stored.dialect["header"].append("Email")
            assert unit.imports.get(coming.id).dialect["header"] == ["Name"]

    def test_a_changed_import_is_stored(self, work: Units[ImportsUnit], reads: Units[ImportsUnit]) -> None:
        ann = a_user()
        coming = an_import(ann)
        add_all(work, ann, coming)
        changed = replace(_full_import(coming), version=2)

        _save(work, changed)

        with reads() as unit:
            assert unit.imports.get(coming.id) == changed

    def test_saving_an_import_of_an_outdated_version_is_refused(self, work: Units[ImportsUnit]) -> None:
        ann = a_user()
        coming = an_import(ann)
        add_all(work, ann, coming)

        for version in (1, 3):
            with pytest.raises(PreconditionFailed):
                _save(work, replace(coming, version=version))
        with pytest.raises(PreconditionFailed):
            _save(work, an_import(ann, version=2))

    def test_an_import_that_was_read_to_change_it_is_locked(
        self, work: Units[ImportsUnit], reads: Units[ImportsUnit]
    ) -> None:
        ann = a_user()
        coming = an_import(ann)
        add_all(work, ann, coming)

        def attempt(_: int) -> None:
            with work() as unit:
                lead_import = unit.imports.get(coming.id)
                lead_import.attempts += 1
                lead_import.mark_updated()
                unit.imports.save(lead_import)
                unit.commit()

        run_concurrently(5, attempt)

        with reads() as unit:
            assert unit.imports.get(coming.id).attempts == 5

    def test_pages_go_from_the_newest_to_the_oldest(self, work: Units[ImportsUnit], reads: Units[ImportsUnit]) -> None:
        ann = a_user()
        oldest = an_import(ann, created_at=_NOW - _HOUR)
        twins = [an_import(ann), an_import(ann)]
        newest = an_import(ann, created_at=_NOW + _HOUR)
        add_all(work, ann, twins[0], newest, oldest, twins[1])

        with reads() as unit:
            first = unit.imports.page(ImportFilter(), PageRequest(limit=2))
            second = unit.imports.page(ImportFilter(), PageRequest(limit=2, after=first.next))

        assert [*first.items] == [newest, twins[1]]
        assert first.next == Position(twins[1].created_at, twins[1].id)
        assert [*second.items] == [twins[0], oldest]
        assert second.next is None

    def test_pages_of_every_size_neither_skip_nor_repeat(
        self, work: Units[ImportsUnit], reads: Units[ImportsUnit]
    ) -> None:
        ann = a_user()
        moments = [_NOW, _NOW - _HOUR, _NOW, _NOW + timedelta(microseconds=1), _NOW]
        imports = [an_import(ann, created_at=at) for at in moments]
        add_all(work, ann, *imports)

        def page(request: PageRequest) -> Page[LeadImport]:
            with reads() as unit:
                return unit.imports.page(ImportFilter(), request)

        ordered = sorted(imports, key=lambda it: (it.created_at, it.id), reverse=True)
        check_pages(page, ordered, lambda it: Position(it.created_at, it.id))

    def test_pages_contain_the_requested_statuses(self, work: Units[ImportsUnit], reads: Units[ImportsUnit]) -> None:
        ann = a_user()
        imports = {status: an_import(ann, status=status) for status in ImportStatus}
        add_all(work, ann, *imports.values())
        matching = frozenset({ImportStatus.FAILED, ImportStatus.QUEUED})

        with reads() as unit:
            page = unit.imports.page(ImportFilter(statuses=matching), PageRequest())

        assert [*page.items] == [imports[ImportStatus.FAILED], imports[ImportStatus.QUEUED]]

    def test_a_file_is_known_by_its_key_and_has_one_import(
        self, work: Units[ImportsUnit], reads: Units[ImportsUnit]
    ) -> None:
        ann = a_user()
        first, keyless = an_import(ann, same_file_key="5a" * 32, status=ImportStatus.COMPLETED), an_import(ann)
        add_all(work, ann, first, keyless, an_import(ann))

        with pytest.raises(Conflict) as added:
            add_all(work, an_import(ann, same_file_key="5a" * 32))
        with pytest.raises(Conflict) as saved:
            _save(work, replace(keyless, same_file_key="5a" * 32, version=2))

        assert (added.value.code, saved.value.code) == ("same_file", "same_file")
        with reads() as unit:
            assert unit.imports.find_same_file("5a" * 32) == first
            assert unit.imports.find_same_file("5b" * 32) is None

    def test_a_released_key_is_free(self, work: Units[ImportsUnit], reads: Units[ImportsUnit]) -> None:
        ann = a_user()
        first = an_import(ann, same_file_key="5a" * 32)
        second = an_import(ann, same_file_key="5a" * 32)
        add_all(work, ann, first)
        _save(work, replace(first, same_file_key=None, version=2))

        add_all(work, second)

        with reads() as unit:
            assert unit.imports.find_same_file("5a" * 32) == second

    def test_unfinished_imports_have_no_current_holder(
        self, work: Units[ImportsUnit], reads: Units[ImportsUnit]
    ) -> None:
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
        add_all(work, ann, newer, crashed, undoing, held, undone, *rest)

        with reads() as unit:
            assert [*unit.imports.unfinished(now=_NOW, limit=10)] == [undoing, crashed, newer]
            assert [*unit.imports.unfinished(now=_NOW, limit=2)] == [undoing, crashed]

    def test_imports_without_an_uploaded_file_are_abandoned(
        self, work: Units[ImportsUnit], reads: Units[ImportsUnit]
    ) -> None:
        ann = a_user()
        waiting = ImportStatus.AWAITING_UPLOAD
        old = [an_import(ann, status=waiting, created_at=_NOW - _HOUR) for _ in range(2)]
        add_all(work, ann, *old, an_import(ann, status=waiting), an_import(ann, created_at=_NOW - _HOUR))

        with reads() as unit:
            found = unit.imports.abandoned(before=_NOW, limit=5)
            assert sorted(it.id for it in found) == [it.id for it in old]
            assert len(unit.imports.abandoned(before=_NOW, limit=1)) == 1

    def test_the_oldest_ended_import_with_data_left_expires_first(
        self, work: Units[ImportsUnit], reads: Units[ImportsUnit]
    ) -> None:
        ann, lead = a_user(), a_lead()
        old = {"status": ImportStatus.COMPLETED, "created_at": _NOW - 3 * _HOUR, "finished_at": _NOW - _HOUR}
        ended = {"undone": Undone(finished_at=_NOW)}
        rejected, updated = an_import(ann, **old), an_import(ann, **old | ended | {"created_at": _NOW - 2 * _HOUR})
        reported = an_import(ann, **old | {"created_at": _NOW - _HOUR, "report_key": "reports/1"})
        young = an_import(ann, **old | {"finished_at": _NOW})
        undoing = an_import(ann, **old | {"undone": Undone()})
        add_all(work, ann, lead, rejected, updated, reported, young, undoing, an_import(ann, **old), an_import(ann))
        with work() as unit:
            for each in (rejected, young, undoing):
                unit.rows.reject(each.id, [a_rejection(1), a_rejection(2)])
            unit.rows.add_snapshots([a_snapshot(each, lead) for each in (updated, young)])
            unit.commit()

        def expired() -> UUID | None:
            with reads() as unit:
                return unit.imports.expired(before=_NOW)

        def purge(lead_import: LeadImport, limit: int) -> int:
            with work() as unit:
                purged = unit.rows.purge(lead_import.id, limit=limit)
                unit.commit()
                return purged

        assert expired() == rejected.id
        assert purge(rejected, 1) == 1
        assert expired() == rejected.id
        assert purge(rejected, 10) == 1
        assert expired() == updated.id
        assert purge(updated, 10) == 1
        assert expired() == reported.id
        assert purge(reported, 10) == 0
        with reads() as unit:
            assert len(unit.rows.rejections(young.id, kind=None, after_row=0, limit=5)) == 2
            assert len(unit.rows.snapshots_of(young.id, limit=5)) == 1
            assert unit.imports.expired(before=_NOW - 2 * _HOUR) is None


def _full_import(lead_import: LeadImport) -> LeadImport:
    """Return the import with a value in every field."""
    assigned_to: UUID = lead_import.created_by
    return replace(
        lead_import,
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
        correlation_id="c0ffee-1234",
        traceparent=f"00-{'4b' * 16}-{'f0' * 8}-01",
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


def _save(work: Units[ImportsUnit], changed: LeadImport) -> None:
    with work() as unit:
        unit.imports.save(changed)
        unit.commit()

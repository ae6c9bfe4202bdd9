"""Imports that ended long ago: what they have left behind is deleted, and they cannot be undone any more."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.core.imports.floor import Floor
from unite_core import Conflict, LeadImport, NotFound, OnDuplicate, Rules, build

DAYS = timedelta(days=1)
ROWS: Sequence[Sequence[str]] = [("Ada", "+12125550101"), ("", "+12125550102"), ("", "+12125550103")]


def a_floor(kept_for: timedelta | None) -> Floor:
    floor = Floor()
    floor.unite = build(floor.ports, Rules(imports_kept_for=kept_for))
    return floor


@pytest.fixture
def floor() -> Floor:
    return a_floor(30 * DAYS)


def snapshots(floor: Floor, done: LeadImport) -> int:
    with floor.ports.reads() as reads:
        return len(reads.rows.remembered(done.id, limit=10))


def test_after_its_time_the_rows_and_the_report_of_an_import_are_deleted(floor: Floor) -> None:
    floor.import_file(ROWS[:1])
    done = floor.import_file(ROWS, on_duplicate=OnDuplicate.UPDATE)
    floor.import_file([("Ada Lovelace", "+12125550101")], on_duplicate=OnDuplicate.UPDATE)
    assert done.report_key is not None

    floor.ports.clock.advance(30 * DAYS)
    assert floor.unite.upkeep.purge_imports() == 0
    floor.ports.clock.advance(timedelta(seconds=1))

    assert floor.unite.upkeep.purge_imports() == 3
    assert floor.unite.upkeep.purge_imports() == 0
    assert floor.rejections(done.id) == []
    assert floor.ports.files.size(done.report_key) is None
    with pytest.raises(NotFound, match="it was deleted after its time"):
        floor.unite.imports.get_error_report(floor.ann, done.id)
    assert floor.get(done.id).counts == done.counts


def test_rows_are_deleted_in_portions_of_any_number_of_imports(floor: Floor) -> None:
    first, second = floor.import_file(ROWS), floor.import_file(ROWS, default_source="fair")
    floor.ports.clock.advance(31 * DAYS)

    assert floor.unite.upkeep.purge_imports(limit=1, should_stop=lambda: True) == 1
    assert [len(floor.rejections(it.id)) for it in (first, second)] == [1, 3]
    assert floor.unite.upkeep.purge_imports(limit=3) == 4
    assert [floor.get(it.id).report_key for it in (first, second)] == [None, None]


def test_after_its_time_an_import_cannot_be_undone(floor: Floor) -> None:
    done, undone = floor.import_file(ROWS[:1]), floor.import_file([("Bo", "+12125550109")])
    floor.unite.imports.undo(floor.ann, undone.id)
    floor.ports.clock.advance(31 * DAYS)

    with pytest.raises(Conflict) as late:
        floor.unite.imports.undo(floor.ann, done.id)

    assert late.value.code == "import_expired"
    assert floor.get(done.id).undone is None
    assert floor.unite.imports.undo(floor.ann, undone.id).undone is not None


def test_without_a_limit_everything_stays() -> None:
    floor = a_floor(None)
    done = floor.import_file(ROWS)
    floor.ports.clock.advance(10_000 * DAYS)

    assert floor.unite.upkeep.purge_imports() == 0
    assert len(floor.rejections(done.id)) == 2
    assert floor.unite.imports.undo(floor.ann, done.id).undone is not None

"""Tests of old imports: their rows and reports are deleted, and they can no longer be undone."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from unite_core import Conflict, LeadImport, NotFound, OnDuplicate, Rules
from unite_core.testing.scenario import Scenario

DAYS = timedelta(days=1)
ROWS: Sequence[Sequence[str]] = [("Ada", "+12125550101"), ("", "+12125550102"), ("", "+12125550103")]


def scenario_with_retention(retention: timedelta | None) -> Scenario:
    return Scenario(rules=Rules(import_retention=retention), chunk_rows=2)


@pytest.fixture
def scenario() -> Scenario:
    return scenario_with_retention(30 * DAYS)


def snapshots(scenario: Scenario, done: LeadImport) -> int:
    with scenario.ports.reads() as reads:
        return len(reads.rows.snapshots_of(done.id, limit=10))


def test_rows_and_report_of_an_import_are_deleted_after_the_retention(scenario: Scenario) -> None:
    scenario.import_file(ROWS[:1])
    done = scenario.import_file(ROWS, on_duplicate=OnDuplicate.UPDATE)
    scenario.import_file([("Ada Lovelace", "+12125550101")], on_duplicate=OnDuplicate.UPDATE)
    assert done.report_key is not None

    scenario.ports.clock.advance(30 * DAYS)
    assert scenario.unite.upkeep.purge_imports() == 0
    scenario.ports.clock.advance(timedelta(seconds=1))

    assert scenario.unite.upkeep.purge_imports() == 3
    assert scenario.unite.upkeep.purge_imports() == 0
    assert scenario.rejections(done.id) == []
    assert scenario.ports.files.size(done.report_key) is None
    with pytest.raises(NotFound, match="it was deleted after its time"):
        scenario.unite.imports.get_error_report(scenario.admin, done.id)
    assert scenario.get_import(done.id).counts == done.counts


def test_rows_of_several_imports_are_deleted_in_batches(scenario: Scenario) -> None:
    first, second = scenario.import_file(ROWS), scenario.import_file(ROWS, default_source="fair")
    scenario.ports.clock.advance(31 * DAYS)

    assert scenario.unite.upkeep.purge_imports(limit=1, should_stop=lambda: True) == 1
    assert [len(scenario.rejections(it.id)) for it in (first, second)] == [1, 3]
    assert scenario.unite.upkeep.purge_imports(limit=3) == 4
    assert [scenario.get_import(it.id).report_key for it in (first, second)] == [None, None]


def test_an_import_cannot_be_undone_after_the_retention(scenario: Scenario) -> None:
    done, undone = scenario.import_file(ROWS[:1]), scenario.import_file([("Bo", "+12125550109")])
    scenario.unite.imports.undo(scenario.admin, undone.id)
    scenario.ports.clock.advance(31 * DAYS)

    with pytest.raises(Conflict) as late:
        scenario.unite.imports.undo(scenario.admin, done.id)

    assert late.value.code == "import_expired"
    assert scenario.get_import(done.id).undone is None
    assert scenario.unite.imports.undo(scenario.admin, undone.id).undone is not None


def test_without_a_retention_no_import_is_purged() -> None:
    scenario = scenario_with_retention(None)
    done = scenario.import_file(ROWS)
    scenario.ports.clock.advance(10_000 * DAYS)

    assert scenario.unite.upkeep.purge_imports() == 0
    assert len(scenario.rejections(done.id)) == 2
    assert scenario.unite.imports.undo(scenario.admin, done.id).undone is not None

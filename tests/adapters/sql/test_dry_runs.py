"""Tests of the stored leads of dry runs in SQL: deletion in batches, and rows of older versions."""

import pytest
from sqlalchemy import Engine, event, func, select, update

from adapters.sql.imports import dry_runs as adapter
from adapters.sql.imports.tables import import_rehearsal
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from unite_core.leads.serialization import to_plain
from unite_core.testing.builders import a_lead, a_user, an_import
from unite_core.testing.contracts.database import add_all


@pytest.mark.parametrize("which", ["engine", "mysql_engine"])
@pytest.mark.parametrize("leads", [0, 1, 4, 5, 9])
def test_the_leads_of_a_dry_run_are_deleted_in_batches_and_others_are_kept(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, which: str, leads: int
) -> None:
    monkeypatch.setattr(adapter, "DELETE_BATCH_SIZE", 4)
    engine: Engine = request.getfixturevalue(which)
    work = SqlUnitOfWorkFactory(engine)
    owner = a_user()
    cleared, kept = an_import(owner), an_import(owner)
    add_all(work, owner, cleared, kept)
    with work() as unit:
        unit.rehearsal.put(cleared.id, [a_lead() for _ in range(leads)])
        unit.rehearsal.put(kept.id, [a_lead() for _ in range(5)])
        unit.commit()
    deleted: list[int] = []

    def note(_connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("DELETE"):
            deleted.append(cursor.rowcount)  # type: ignore[attr-defined]  # whatever the driver's cursor is

    event.listen(engine, "after_cursor_execute", note)
    with work() as unit:
        unit.rehearsal.clear(cleared.id)
        unit.commit()
    event.remove(engine, "after_cursor_execute", note)

    assert sum(deleted) == leads
    assert max(deleted) <= 4
    with engine.connect() as connection:
        left = connection.execute(select(import_rehearsal.c.import_id, func.count()).group_by("import_id")).all()
    assert [tuple(row) for row in left] == [(kept.id, 5)]


def test_leads_of_a_dry_run_of_an_older_version_are_read_without_newer_fields(
    work: SqlUnitOfWorkFactory,
) -> None:
    owner = a_user()
    coming, lead = an_import(owner), a_lead(email="grace@example.com")
    add_all(work, owner, coming)
    with work() as unit:
        unit.rehearsal.put(coming.id, [lead])
        assert unit._connection is not None
        known = {name: value for name, value in to_plain(lead).items() if name != "company"}
        unit._connection.execute(update(import_rehearsal).values(pretended=known))

        assert unit.rehearsal.matches(coming.id, [], ["grace@example.com"]).by_email == {"grace@example.com": lead}

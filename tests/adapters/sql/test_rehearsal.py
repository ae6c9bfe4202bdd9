"""Rehearsals of any size are cleared, and only they."""

import pytest
from sqlalchemy import Engine, event, func, select

from adapters.sql import dry_runs as adapter
from adapters.sql.tables import import_rehearsal
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from unite_core.testing.builders import a_lead, a_user, an_import
from unite_core.testing.contracts.database import add_all


@pytest.mark.parametrize("which", ["engine", "mysql_engine"])
@pytest.mark.parametrize("leads", [0, 1, 4, 5, 9])
def test_a_rehearsal_is_cleared_in_portions_and_another_one_stays(
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

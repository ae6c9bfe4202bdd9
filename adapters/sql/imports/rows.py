"""SQL repository of the rejected rows of an import, and of the snapshots for undoing it."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.engine import Row

from adapters.sql.engine import dump_json
from adapters.sql.imports.tables import import_rejections, import_snapshots
from adapters.sql.statements import batches, insert_rows, merge_sorted
from unite_core.errors import FieldError
from unite_core.imports.model import LeadSnapshot, Rejection, RowKind
from unite_core.imports.ports import ImportRows


class SqlImportRows(ImportRows):
    """Rejections and snapshots in the relational database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def reject(self, import_id: UUID, rejections: Sequence[Rejection]) -> None:
        rows = [
            (
                import_id.bytes,
                rejection.row,
                rejection.kind.value,
                dump_json([_problem_to_json(problem) for problem in rejection.problems]),
                dump_json(rejection.cells),
                rejection.duplicate_of.bytes if rejection.duplicate_of else None,
                rejection.duplicate_row,
            )
            for rejection in rejections
        ]
        insert_rows(self._connection, import_rejections, rows)

    def rejections(self, import_id: UUID, *, kind: RowKind | None, after_row: int, limit: int) -> Sequence[Rejection]:
        statement = (
            select(import_rejections)
            .where(import_rejections.c.import_id == import_id, import_rejections.c.row_no > after_row)
            .order_by(import_rejections.c.row_no)
            .limit(limit)
        )
        if kind is not None:
            statement = statement.where(import_rejections.c.kind == kind.value)
        return [_to_rejection(row) for row in self._connection.execute(statement)]

    def add_snapshots(self, snapshots: Sequence[LeadSnapshot]) -> None:
        known = self._known(snapshots)
        first = [snapshot for snapshot in snapshots if (snapshot.import_id, snapshot.lead_id) not in known]
        later = [snapshot for snapshot in snapshots if (snapshot.import_id, snapshot.lead_id) in known]
        insert_rows(
            self._connection,
            import_snapshots,
            [
                (
                    snapshot.import_id.bytes,
                    snapshot.lead_id.bytes,
                    dump_json(snapshot.before),
                    snapshot.made_by_import,
                    snapshot.version_after,
                )
                for snapshot in first
            ],
        )
        if later:
            self._connection.execute(
                update(import_snapshots)
                .where(
                    import_snapshots.c.import_id == bindparam("of_import"),
                    import_snapshots.c.lead_id == bindparam("of_lead"),
                )
                .values(version_after=bindparam("version")),
                [
                    {"of_import": stored.import_id, "of_lead": stored.lead_id, "version": stored.version_after}
                    for stored in later
                ],
            )

    def snapshots_of(
        self, import_id: UUID, *, limit: int, lead_ids: Collection[UUID] | None = None
    ) -> Sequence[LeadSnapshot]:
        made, lead = import_snapshots.c.made_by_import, import_snapshots.c.lead_id
        statement = select(import_snapshots).where(import_snapshots.c.import_id == import_id)
        if lead_ids is None:
            rows = self._connection.execute(statement.order_by(made.desc(), lead.desc()).limit(limit)).all()
        else:
            portions = [
                self._connection.execute(statement.where(lead.in_(portion))).all()
                for portion in batches(list(lead_ids))
            ]
            rows = merge_sorted(portions, lambda row: (row.made_by_import, row.lead_id), limit)
        return [_to_snapshot(row) for row in rows]

    def delete_snapshots(self, import_id: UUID, lead_ids: Collection[UUID]) -> None:
        for portion in batches(list(lead_ids)):
            self._connection.execute(
                delete(import_snapshots).where(
                    import_snapshots.c.import_id == import_id, import_snapshots.c.lead_id.in_(portion)
                )
            )

    def purge(self, import_id: UUID, *, limit: int) -> int:
        purged = 0
        for table, key in (
            (import_snapshots, import_snapshots.c.lead_id),
            (import_rejections, import_rejections.c.row_no),
        ):
            of_import = table.c.import_id == import_id
            keys = self._connection.scalars(select(key).where(of_import).limit(limit - purged)).all()
            for portion in batches(keys):
                self._connection.execute(delete(table).where(of_import, key.in_(portion)))
            purged += len(keys)
        return purged

    def _known(self, snapshots: Sequence[LeadSnapshot]) -> set[tuple[UUID, UUID]]:
        """Return the pairs of import id and lead id for which a snapshot is stored."""
        known: set[tuple[UUID, UUID]] = set()
        pair = (import_snapshots.c.import_id, import_snapshots.c.lead_id)
        for portion in batches(snapshots):
            lead_ids = [snapshot.lead_id for snapshot in portion]
            for import_id in {snapshot.import_id for snapshot in portion}:
                statement = select(*pair).where(pair[0] == import_id, pair[1].in_(lead_ids))
                known.update((row.import_id, row.lead_id) for row in self._connection.execute(statement))
        return known


def _problem_to_json(problem: FieldError) -> dict[str, Any]:
    return {
        "field": problem.field,
        "code": problem.code,
        "detail": problem.detail,
        "suggestion": problem.suggestion,
    }


def _to_rejection(row: Row[Any]) -> Rejection:
    return Rejection(
        row=row.row_no,
        kind=RowKind(row.kind),
        problems=tuple(FieldError(**problem) for problem in row.problems),
        cells=tuple(row.cells),
        duplicate_of=row.duplicate_of,
        duplicate_row=row.duplicate_row,
    )


def _to_snapshot(row: Row[Any]) -> LeadSnapshot:
    return LeadSnapshot(
        import_id=row.import_id,
        lead_id=row.lead_id,
        before=row.lead_before,
        made_by_import=row.made_by_import,
        version_after=row.version_after,
    )

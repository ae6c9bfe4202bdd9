"""Use case: purge the rejected rows, snapshots and error reports of old imports."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from unite_core.batches import in_batches
from unite_core.checks import BatchSize, UseCase
from unite_core.clock import Clock
from unite_core.files import Files, delete_quietly
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.unit_of_work import UnitOfWorkFactory

RETENTION = timedelta(days=90)
"""The default of how long an import can be undone and its rejected rows be read."""


@dataclass(frozen=True)
class PurgeImports(UseCase):
    """Delete snapshots, rejections and error reports of imports that ended longer ago than `retention`.

    Returns how many rows were deleted; run by a schedule. The imports themselves stay, with their counts. If
    `retention` is None nothing is deleted. Rows are deleted in batches of `limit`, up to a hundred batches.
    """

    work: UnitOfWorkFactory[ImportsUnitOfWork]
    files: Files
    clock: Clock
    retention: timedelta | None

    def __call__(self, *, limit: BatchSize = 500, should_stop: Callable[[], bool] = lambda: False) -> int:
        if self.retention is None:
            return 0
        before = self.clock.now() - self.retention
        return in_batches(lambda: self._purge(before, limit), limit=limit, should_stop=should_stop)

    def _purge(self, before: datetime, limit: int) -> int:
        purged = 0
        with self.work() as work:
            while purged < limit and (import_id := work.imports.expired(before=before)) is not None:
                expired = work.imports.get(import_id)
                purged += work.rows.purge(import_id, limit=limit - purged)
                if purged < limit and expired.report_key is not None:
                    work.after_commit(partial(delete_quietly, self.files, expired.report_key))
                    expired.report_key = None
                    expired.mark_updated()
                    work.imports.save(expired)
            work.commit()
        return purged

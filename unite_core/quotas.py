"""Quotas: limits on how much one user, one telephone number and the whole installation may use."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Annotated
from uuid import UUID

from unite_core.batches import in_batches
from unite_core.checks import BatchSize, Checked, UseCase, not_negative, positive
from unite_core.clock import Clock
from unite_core.errors import TooManyRequests
from unite_core.unit_of_work import UnitOfWork, UnitOfWorkFactory
from unite_core.usage import HOUR, Usage

GIB = 1024**3

NO_LIMIT = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas(Checked):
    """All quotas of an installation: more than normal work needs, and too little to do harm with.

    Per user: `open_imports` await their upload, are queued or running, and have up to `open_bytes` together;
    `excess_files_per_hour` is how many files are read though these two are used up: they may be repeated uploads;
    `open_images` is how many images are announced and not uploaded; `sessions` is how many sessions are alive at one
    time; `notes_per_hour` is how many notes the user adds to call tasks.

    Per lead: `images_per_lead`, uploaded or announced, and `pending_tasks_per_lead`. Per call:
    `corrections_per_call`. Per telephone number `texts_per_number`, and per installation `texts`, both within
    any 60 minutes; for these two `NO_LIMIT` means that there is no limit.
    """

    open_imports: Annotated[int, not_negative] = 50
    open_bytes: Annotated[int, not_negative] = 4 * GIB
    excess_files_per_hour: Annotated[int, not_negative] = 60
    open_images: Annotated[int, not_negative] = 50
    images_per_lead: Annotated[int, not_negative] = 50
    pending_tasks_per_lead: Annotated[int, not_negative] = 1000
    corrections_per_call: Annotated[int, not_negative] = 100
    sessions: Annotated[int, positive] = 100
    notes_per_hour: Annotated[int, not_negative] = 600
    texts_per_number: Annotated[int, not_negative] = 20
    texts: Annotated[int, not_negative] = NO_LIMIT


def enforce_quota(uses: Usage, subject: str, use_id: UUID, *, limit: int, now: datetime, what: str) -> None:
    """Count a use; raise `TooManyRequests` (`quota_exceeded`) if `limit` uses were counted within the last hour.

    `what` is the plural of what is counted, with the subject that it is counted for.
    """
    free_at = uses.take(subject, use_id, limit=limit, now=now)
    if free_at is not None:
        retry_after = max(1, ceil((free_at - now).total_seconds()))
        raise TooManyRequests(
            f"At most {limit} {what} are allowed within an hour; try again in {retry_after} seconds.",
            code="quota_exceeded",
            retry_after=retry_after,
        )


@dataclass(frozen=True)
class PurgeUsage(UseCase):
    """Delete counted uses that are more than an hour old. Returns how many were deleted; run by a schedule.

    They are deleted in transactions of `limit` each, up to a hundred transactions.
    """

    work: UnitOfWorkFactory[UnitOfWork]
    clock: Clock

    def __call__(self, *, limit: BatchSize = 500, should_stop: Callable[[], bool] = lambda: False) -> int:
        before = self.clock.now() - HOUR
        return in_batches(lambda: self._purge(before, limit), limit=limit, should_stop=should_stop)

    def _purge(self, before: datetime, limit: int) -> int:
        with self.work() as work:
            purged = work.usage.purge(before=before, limit=limit)
            work.commit()
        return purged

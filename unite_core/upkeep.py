"""Clearing away what has had its time."""

from dataclasses import dataclass
from datetime import timedelta

from unite_core.clock import Clock
from unite_core.idempotency import KEPT_FOR
from unite_core.identity.ports import IdentityWork
from unite_core.unit_of_work import UnitOfWork, Work

SESSIONS_KEPT_FOR = timedelta(days=7)
"""An ended session stays known for a while, so that a stolen token that comes late is still told from a made-up one."""


@dataclass(frozen=True)
class PurgeAnswers:
    """Delete idempotency keys older than 24 hours. Returns how many there were."""

    work: Work[UnitOfWork]
    clock: Clock

    def __call__(self, *, limit: int = 500) -> int:
        with self.work() as work:
            purged = work.answers.purge(before=self.clock.now() - KEPT_FOR, limit=limit)
            work.commit(purged)
        return purged


@dataclass(frozen=True)
class PurgeSessions:
    """Delete sessions that expired a week ago or more. Returns how many there were."""

    work: Work[IdentityWork]
    clock: Clock

    def __call__(self, *, limit: int = 500) -> int:
        with self.work() as work:
            purged = work.sessions.purge(before=self.clock.now() - SESSIONS_KEPT_FOR, limit=limit)
            work.commit(purged)
        return purged

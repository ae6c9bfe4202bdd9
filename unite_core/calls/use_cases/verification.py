"""Verifying the call ledger: every chain, from its first entry to its last."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from unite_core.calls.ledger import ChainFault, find_fault
from unite_core.calls.ports import CallsUnitOfWork
from unite_core.unit_of_work import UnitOfWorkFactory

VERIFICATION_BATCH_SIZE = 500
"""Tasks whose chains are read together, as they all are at one moment."""


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """How many tasks and entries were looked at, and the first fault; `find_fault` is None where there is none."""

    tasks: int = 0
    entries: int = 0
    broken: ChainFault | None = None


def _nobody_waits(so_far: VerificationResult) -> None:
    pass


@dataclass(frozen=True)
class VerifyLedger:
    """Verify the chains of all tasks in the order of their ids, and stop at the first that is broken.

    A chain whose task is not there is broken too.

    `progress` hears every few hundred tasks how far it has come.
    """

    reads: UnitOfWorkFactory[CallsUnitOfWork]
    at_once: int = VERIFICATION_BATCH_SIZE

    def __call__(self, progress: Callable[[VerificationResult], None] = _nobody_waits) -> VerificationResult:
        after = None
        so_far = VerificationResult()
        while True:
            with self.reads() as reads:
                tasks = reads.tasks.walk(after, limit=self.at_once)
                chains = reads.ledger.chains_as_stored([task.id for task in tasks if task.id is not None])
                last = tasks[-1].id if len(tasks) == self.at_once else None
                orphan = reads.ledger.orphan(after, last)
            for task in tasks:
                if orphan is not None and _before(orphan, task.id):
                    break
                chain = () if task.id is None else chains.get(task.id, ())
                so_far = VerificationResult(so_far.tasks + 1, so_far.entries + len(chain), find_fault(task, chain))
                if so_far.broken is not None:
                    return so_far
            if orphan is not None:
                return replace(so_far, broken=orphan)
            progress(so_far)
            if last is None:
                return so_far
            after = last


def _before(orphan: ChainFault, task_id: UUID | None) -> bool:
    return orphan.task_id is None or (task_id is not None and orphan.task_id < task_id)

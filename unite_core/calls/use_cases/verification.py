"""Verification of the call ledger: every chain, from its first entry to its last."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from unite_core.calls.ledger import ChainFault, find_fault
from unite_core.calls.ports import CallsUnitOfWork
from unite_core.checks import UseCase
from unite_core.unit_of_work import UnitOfWorkFactory

VERIFICATION_BATCH_SIZE = 500
"""Number of tasks whose chains are read together, in one snapshot."""


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """How many tasks and entries were verified, and the first fault; `broken` is None where there is none."""

    tasks: int = 0
    entries: int = 0
    broken: ChainFault | None = None


def _ignore(so_far: VerificationResult) -> None:
    pass


@dataclass(frozen=True)
class VerifyLedger(UseCase):
    """Verify the chains of all tasks in the order of their ids, and stop at the first fault.

    A chain whose task is missing is a fault too.

    `progress` is called every few hundred tasks with the result so far.
    """

    reads: UnitOfWorkFactory[CallsUnitOfWork]
    at_once: int = VERIFICATION_BATCH_SIZE

    def __call__(self, progress: Callable[[VerificationResult], None] = _ignore) -> VerificationResult:
        after = None
        so_far = VerificationResult()
        while True:
            with self.reads() as reads:
                tasks = reads.tasks.iterate_by_id(after, limit=self.at_once)
                chains = reads.ledger.chains_as_stored([task.id for task in tasks if task.id is not None])
                last = tasks[-1].id if len(tasks) == self.at_once else None
                orphan = reads.ledger.first_orphan(after, last)
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

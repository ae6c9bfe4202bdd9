"""Verifying the call ledger: every chain, from its first entry to its last."""

from collections.abc import Callable
from dataclasses import dataclass

from unite_core.calls.ledger import BrokenChain, broken
from unite_core.calls.ports import CallsWork
from unite_core.unit_of_work import Work

VERIFIED_AT_ONCE = 500
"""Tasks whose chains are read together, as they all are at one moment."""


@dataclass(frozen=True, slots=True)
class Verified:
    """How many tasks and entries were looked at, and the first fault; `broken` is None where there is none."""

    tasks: int = 0
    entries: int = 0
    broken: BrokenChain | None = None


def _nobody_waits(so_far: Verified) -> None:
    pass


@dataclass(frozen=True)
class VerifyLedger:
    """Verify the chains of all tasks in the order of their ids, and stop at the first that is broken.

    `progress` hears every few hundred tasks how far it has come.
    """

    reads: Work[CallsWork]
    at_once: int = VERIFIED_AT_ONCE

    def __call__(self, progress: Callable[[Verified], None] = _nobody_waits) -> Verified:
        after = None
        so_far = Verified()
        while True:
            with self.reads() as reads:
                tasks = reads.tasks.walk(after, limit=self.at_once)
                chains = reads.ledger.chains([task.id for task in tasks])
            for task in tasks:
                chain = chains.get(task.id, ())
                so_far = Verified(so_far.tasks + 1, so_far.entries + len(chain), broken(task, chain))
                if so_far.broken is not None:
                    return so_far
            progress(so_far)
            if len(tasks) < self.at_once:
                return so_far
            after = tasks[-1].id

"""Report of overdue call tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from unite_core.checks import BatchSize, UseCase
from unite_core.clock import Clock
from unite_core.identity.model import Actor, Permission
from unite_core.reports.call_queries import agent_filter
from unite_core.reports.model import Count, TaskItems
from unite_core.reports.ports import OverdueCall, ReportsUnitOfWork
from unite_core.unit_of_work import UnitOfWorkFactory


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueCalls:
    """The call tasks that are overdue the longest, whether there are more, and the list of all."""

    calls: Sequence[OverdueCall]
    more: bool
    items: TaskItems


@dataclass(frozen=True)
class ListOverdueCalls(UseCase):
    """List the pending call tasks that are overdue, the longest overdue first.

    Agents get those assigned to them, admins and managers all.
    """

    permission: ClassVar[Permission | None] = None
    reads: UnitOfWorkFactory[ReportsUnitOfWork]
    clock: Clock

    def __call__(self, actor: Actor, *, limit: BatchSize) -> OverdueCalls:
        now = self.clock.now()
        with self.reads() as reads:
            calls = reads.figures.overdue_calls(before=now, limit=limit + 1, assigned_to=agent_filter(actor))
        return OverdueCalls(calls=calls[:limit], more=len(calls) > limit, items=TaskItems(due_before=now))


@dataclass(frozen=True)
class CountOverdueCalls(UseCase):
    """Count the pending call tasks that are overdue; agents count those assigned to them."""

    reads: UnitOfWorkFactory[ReportsUnitOfWork]
    clock: Clock

    def __call__(self, actor: Actor) -> Count:
        now = self.clock.now()
        with self.reads() as reads:
            overdue = reads.figures.overdue(before=now, assigned_to=agent_filter(actor))
        return Count(overdue, TaskItems(due_before=now))

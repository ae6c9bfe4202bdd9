"""Reconciliation of a day: compare rollups, call ledger and call documents, and repair the documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from unite_core.calls.ledger import LedgerEntry
from unite_core.checks import UseCase
from unite_core.identity.model import Actor, Permission
from unite_core.periods import Period
from unite_core.reports import rollup_counts
from unite_core.reports.agent_activity import DocumentsCompleteThrough
from unite_core.reports.call_queries import by_day, report_meta
from unite_core.reports.differences import CallState, CompareDocuments, Difference, counted_entries
from unite_core.reports.documents import CallDocuments, DocumentsUnitOfWork
from unite_core.reports.model import ReportMeta
from unite_core.reports.tally import Tally, total
from unite_core.unit_of_work import UnitOfWorkFactory

MAX_DIFFERENCES = 1000
"""Maximum number of differences in the list; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The calls of a day in the rollups, the ledger and the documents; `documents` is None if there are none.

    `pending` is the number of calls whose last event has not reached the documents yet: that is no difference. The
    first `MAX_DIFFERENCES` of the `number_of_differences` are listed.
    """

    about: ReportMeta
    rollups: Tally
    ledger: Tally
    documents: Tally | None
    pending: int
    differences: Sequence[Difference]
    number_of_differences: int

    @property
    def equal(self) -> bool:
        """Whether they are equal, except for pending events."""
        return not self.number_of_differences and self.rollups_equal

    @property
    def rollups_equal(self) -> bool:
        """Whether the rollups have the same calls as the ledger."""
        return _figures(self.rollups) == _figures(self.ledger)


@dataclass(frozen=True, slots=True)
class _Ledger:
    """The contents of the relational database for a period, from one snapshot."""

    entries: Sequence[LedgerEntry]
    rollups: Tally
    days: dict[int, Tally]


@dataclass(frozen=True)
class ReconcileReports(UseCase):
    """Reconcile a day: its calls from the rollups, from the ledger itself, and from the call documents.

    Every document that is missing, doubled, altered or unexpected is named. Admins and managers only.
    """

    permission: ClassVar[Permission | None] = Permission.SEE_ALL_CALLS
    reads: UnitOfWorkFactory[DocumentsUnitOfWork]
    documents: CallDocuments | None
    complete_through: DocumentsCompleteThrough

    def __call__(self, actor: Actor, period: Period) -> Reconciliation:
        actor.must(Permission.SEE_ALL_CALLS)
        complete_through, now = self.complete_through()
        ledger = _read(self.reads, period)
        states: Sequence[CallState] = ()
        documents = None
        if self.documents is not None:
            states = CompareDocuments(self.reads, self.documents)(ledger.entries, period)
            documents = total(self.documents.by_agent(by_day(period, None)).values())
        differences = [difference for state in states for difference in state.differences()]
        return Reconciliation(
            about=report_meta(period, now, ledger.days, complete_through=complete_through),
            rollups=ledger.rollups,
            ledger=_counted(ledger.entries),
            documents=documents,
            pending=sum(state.pending for state in states),
            differences=differences[:MAX_DIFFERENCES],
            number_of_differences=len(differences),
        )


@dataclass(frozen=True, slots=True)
class Repaired:
    """The number of documents that were written, restored and removed."""

    written: int = 0
    restored: int = 0
    removed: int = 0


@dataclass(frozen=True)
class RepairDocuments(UseCase):
    """Repair the call documents of a period by the ledger; the ledger itself is never changed.

    What is missing is written, what was altered is restored, what is doubled or unexpected is removed. A document that
    changes meanwhile is left as it is. Admins and managers only; without call documents nothing is done.
    """

    permission: ClassVar[Permission | None] = Permission.SEE_ALL_CALLS
    reads: UnitOfWorkFactory[DocumentsUnitOfWork]
    documents: CallDocuments | None

    def __call__(self, actor: Actor, period: Period) -> Repaired:
        actor.must(Permission.SEE_ALL_CALLS)
        if self.documents is None:
            return Repaired()
        states = CompareDocuments(self.reads, self.documents)(_read(self.reads, period).entries, period)
        removed = [other for state in states for other in state.others]
        restored = [(state.own, state.expected) for state in states if state.altered and state.own and state.expected]
        written = [state.expected for state in states if state.missing and state.expected]
        self.documents.store(written)
        self.documents.replace(restored)
        # Last, because an account that writes documents need not have the right to remove any.
        self.documents.remove(removed)
        return Repaired(len(written), len(restored), len(removed))


def _read(reads: UnitOfWorkFactory[DocumentsUnitOfWork], period: Period) -> _Ledger:
    with reads() as unit:
        [labelled] = rollup_counts.run_queries(unit.rollups, unit.rollups.unfolded(), [by_day(period, None)])
        days = {int(label): tally for label, tally in labelled.items()}
        return _Ledger(list(counted_entries(unit, period)), total(days.values()), days)


def _counted(entries: Sequence[LedgerEntry]) -> Tally:
    tally = Tally()
    for entry in entries:
        tally.add(entry)
    return tally


def _figures(tally: Tally) -> tuple[object, int]:
    return {result: number for result, number in tally.calls.items() if number}, tally.seconds

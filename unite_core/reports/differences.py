"""Comparison of call documents with the call ledger."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.ports import LedgerFilter
from unite_core.clock import rfc3339
from unite_core.notifications.model import ACTIVITY
from unite_core.paging import MAX_LIMIT, PageRequest
from unite_core.periods import QUARTERS_PER_HOUR, Period, moment_of
from unite_core.reports.documents import (
    CALL_EVENTS,
    ID,
    CallDocument,
    CallDocuments,
    DocumentsUnitOfWork,
    StoredDocument,
    document_of,
)
from unite_core.unit_of_work import UnitOfWorkFactory

TASK_BATCH_SIZE = 500
MAX_SHOWN = 200
"""Maximum number of characters of a value in a difference."""


class DifferenceKind(StrEnum):
    """The kind of a difference between call documents and the ledger."""

    MISSING = "missing"
    DOUBLED = "doubled"
    ALTERED = "altered"
    UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference between the documents and the ledger, with the values of both as text.

    `MISSING`: a call has no document. `DOUBLED`: a call has a second document with another id, which is `found`.
    `ALTERED`: a field differs from the last entry of the call. `UNEXPECTED`: a document belongs to a call that is not
    in the ledger. `task_id` is None if the document names no task.
    """

    kind: DifferenceKind
    task_id: UUID | None
    entry_id: UUID | None
    field: str | None = None
    expected: str | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class CallState:
    """A call as the ledger has it, and all its documents.

    `expected` is None if the ledger has no such call. While the event of its last entry is pending, a document that is
    missing or of an earlier entry is no difference.
    """

    task_id: UUID | None
    expected: CallDocument | None
    found: Sequence[StoredDocument]
    pending: bool = False

    @property
    def own(self) -> StoredDocument | None:
        """The document with the id of the task, if the ledger has the call."""
        return next((stored for stored in self.found if stored.id == self.task_id), None) if self.expected else None

    @property
    def others(self) -> Sequence[StoredDocument]:
        """The documents that should not exist."""
        return [stored for stored in self.found if self.expected is None or stored.id != self.task_id]

    @property
    def missing(self) -> bool:
        """Whether the call has no document, and no event for one is pending."""
        return self.expected is not None and self.own is None and not self.pending

    @property
    def altered(self) -> Mapping[str, tuple[Any, Any]]:
        """The fields that differ, with the expected and the stored value."""
        if self.expected is None or self.own is None or self.pending:
            return {}
        expected, stored = self.expected.content(), self.own.content
        names = [*expected, *sorted(stored.keys() - expected.keys())]
        return {
            name: (expected.get(name), stored.get(name)) for name in names if expected.get(name) != stored.get(name)
        }

    def differences(self) -> Iterator[Difference]:
        """Yield every difference of the call."""
        entry_id = self.expected.entry_id if self.expected else None
        if self.missing:
            yield Difference(kind=DifferenceKind.MISSING, task_id=self.task_id, entry_id=entry_id)
        for name, (expected, found) in self.altered.items():
            yield Difference(
                kind=DifferenceKind.ALTERED,
                task_id=self.task_id,
                entry_id=entry_id,
                field=name,
                expected=_display(expected),
                found=_display(found),
            )
        for other in self.others:
            yield Difference(
                kind=DifferenceKind.UNEXPECTED if self.expected is None else DifferenceKind.DOUBLED,
                task_id=self.task_id,
                entry_id=entry_id or _id(other.content.get("entry_id")),
                field=ID,
                found=_display(other.id),
            )


def counted_entries(work: DocumentsUnitOfWork, period: Period) -> Iterator[LedgerEntry]:
    """Yield the counted entries of the calls of the period."""
    calls = LedgerFilter(called_from=moment_of(period.start), called_to=moment_of(period.end), counted=True)
    request: PageRequest | None = PageRequest(limit=MAX_LIMIT)
    while request is not None:
        page = work.ledger.page(calls, request)
        yield from page.items
        request = None if page.next is None else PageRequest(limit=MAX_LIMIT, after=page.next)


@dataclass(frozen=True)
class CompareDocuments:
    """Find the calls of a period whose documents differ from the ledger, and those with a pending event.

    Every difference is checked twice, because calls go on meanwhile: only what differs in the same way both times
    counts.
    """

    reads: UnitOfWorkFactory[DocumentsUnitOfWork]
    documents: CallDocuments

    def __call__(self, entries: Sequence[LedgerEntry], period: Period) -> list[CallState]:
        """Return the calls that differ or have a pending event; `entries` are the counted ones of the period."""
        expected = {entry.task_id: document_of(entry) for entry in entries}
        suspects = self._differing(expected)
        unassigned = []
        for stored in self._documents_of(period):
            suspects |= stored.tasks - expected.keys()
            if not stored.tasks:
                unassigned.append(CallState(None, None, [stored]))
        return [*(state for batch in _batches(suspects) for state in self._confirmed(batch)), *unassigned]

    def _differing(self, expected: Mapping[UUID, CallDocument]) -> set[UUID]:
        return {
            state.task_id
            for batch in _batches(expected)
            for state in _states(batch, expected, self.documents.of_tasks(batch))
            if state.task_id is not None and any(state.differences())
        }

    def _documents_of(self, period: Period) -> Iterator[StoredDocument]:
        for quarter in range(period.start, period.end, QUARTERS_PER_HOUR):
            end = min(quarter + QUARTERS_PER_HOUR, period.end)
            yield from self.documents.between(moment_of(quarter), moment_of(end))

    def _confirmed(self, task_ids: Collection[UUID]) -> Iterator[CallState]:
        first = {state.task_id: list(state.differences()) for state in self._look_up(task_ids)}
        for state in self._look_up(task_ids):
            differences = list(state.differences())
            if state.pending or (differences and differences == first[state.task_id]):
                yield state

    def _look_up(self, task_ids: Collection[UUID]) -> list[CallState]:
        """Read the current state of these calls from both stores."""
        stored_documents = self.documents.of_tasks(task_ids)
        named = set(task_ids).union(*(stored.tasks for stored in stored_documents))
        with self.reads() as reads:
            chains: dict[UUID, Sequence[LedgerEntry]] = {}
            for batch in _batches(named):
                chains.update(reads.ledger.chains(batch))
            expected = {task_id: document_of(chain[-1]) for task_id, chain in chains.items()}
            pending = _pending(reads, [expected[task_id] for task_id in task_ids if task_id in expected])
        return _states(task_ids, expected, stored_documents, pending)


def _pending(work: DocumentsUnitOfWork, expected: Sequence[CallDocument]) -> frozenset[UUID]:
    """Return the entries of these documents whose events are pending."""
    if not expected:
        return frozenset()
    # An event has the time of its entry; the times here are rounded down to the millisecond.
    since = min(document.at for document in expected)
    until = max(document.at for document in expected) + timedelta(milliseconds=1)
    events = work.deliveries.pending_events(ACTIVITY, CALL_EVENTS, since=since, until=until)
    return frozenset(UUID(event.data["entry_id"]) for event in events)


def _states(
    task_ids: Collection[UUID],
    expected: Mapping[UUID, CallDocument],
    stored_documents: Sequence[StoredDocument],
    pending: frozenset[UUID] = frozenset(),
) -> list[CallState]:
    of_task: dict[UUID, list[StoredDocument]] = {task_id: [] for task_id in task_ids}
    for stored in stored_documents:
        task_id = _call_of(stored, expected)
        if task_id is not None and task_id in of_task:
            of_task[task_id].append(stored)
    return [
        CallState(task_id, document, of_task[task_id], document is not None and document.entry_id in pending)
        for task_id, document in ((task_id, expected.get(task_id)) for task_id in of_task)
    ]


def _call_of(stored: StoredDocument, expected: Mapping[UUID, CallDocument]) -> UUID | None:
    """Return the task with the document's id, else the one that it names; tasks in the ledger come first."""
    own, named = _id(stored.id), _id(stored.content.get("task_id"))
    in_ledger = [task_id for task_id in (own, named) if task_id in expected]
    return in_ledger[0] if in_ledger else own or named


def _batches(task_ids: Collection[UUID]) -> Iterator[Sequence[UUID]]:
    ordered = sorted(task_ids)
    for start in range(0, len(ordered), TASK_BATCH_SIZE):
        yield ordered[start : start + TASK_BATCH_SIZE]


def _id(value: object) -> UUID | None:
    return value if isinstance(value, UUID) else None


def _display(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return rfc3339(value, timespec="milliseconds")
    return str(value)[:MAX_SHOWN]

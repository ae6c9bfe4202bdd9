"""Where call documents differ from the call ledger."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.ports import LedgerFilter
from unite_core.days import QUARTERS_PER_HOUR, Period, moment_of
from unite_core.notifications.model import ACTIVITY
from unite_core.paging import MAX_LIMIT, PageRequest
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
"""Characters of a value that a difference shows."""


class DifferenceKind(StrEnum):
    """How documents differ from the ledger."""

    MISSING = "missing"
    DOUBLED = "doubled"
    ALTERED = "altered"
    UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference between the documents and the ledger, with the values of both as text.

    `MISSING`: a call has no document. `DOUBLED`: a call has another document beside its own, by another id, which is
    what was found. `ALTERED`: a field says something else than the last entry of the call. `UNEXPECTED`: a document is
    of a call that is not in the ledger. `task_id` is None where the document names no task.
    """

    kind: DifferenceKind
    task_id: UUID | None
    entry_id: UUID | None
    field: str | None = None
    expected: str | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class CallState:
    """A call as the ledger has it, and every document of it.

    `expected` is None where the ledger has no such call. While the event of its last entry is on its way, nothing is
    wrong with a document that is missing or of an earlier entry.
    """

    task_id: UUID | None
    expected: CallDocument | None
    found: Sequence[StoredDocument]
    pending: bool = False

    @property
    def own(self) -> StoredDocument | None:
        """The document by the id of the task, where the ledger has the call."""
        return next((it for it in self.found if it.id == self.task_id), None) if self.expected else None

    @property
    def others(self) -> Sequence[StoredDocument]:
        """The documents that should not be there."""
        return [it for it in self.found if self.expected is None or it.id != self.task_id]

    @property
    def missing(self) -> bool:
        """Whether the call has no document, and none is on its way."""
        return self.expected is not None and self.own is None and not self.pending

    @property
    def altered(self) -> Mapping[str, tuple[Any, Any]]:
        """The fields that say something else, with what is expected and what was found."""
        if self.expected is None or self.own is None or self.pending:
            return {}
        expected, found = self.expected.content(), self.own.content
        names = [*expected, *sorted(found.keys() - expected.keys())]
        return {name: (expected.get(name), found.get(name)) for name in names if expected.get(name) != found.get(name)}

    def differences(self) -> Iterator[Difference]:
        """Every difference by its name."""
        entry_id = self.expected.entry_id if self.expected else None
        if self.missing:
            yield Difference(kind=DifferenceKind.MISSING, task_id=self.task_id, entry_id=entry_id)
        for name, (expected, found) in self.altered.items():
            yield Difference(
                kind=DifferenceKind.ALTERED,
                task_id=self.task_id,
                entry_id=entry_id,
                field=name,
                expected=_shown(expected),
                found=_shown(found),
            )
        for other in self.others:
            yield Difference(
                kind=DifferenceKind.UNEXPECTED if self.expected is None else DifferenceKind.DOUBLED,
                task_id=self.task_id,
                entry_id=entry_id or _id(other.content.get("entry_id")),
                field=ID,
                found=_shown(other.id),
            )


def counted_entries(work: DocumentsUnitOfWork, period: Period) -> Iterator[LedgerEntry]:
    """The entries that count, of the calls of the period."""
    calls = LedgerFilter(called_from=moment_of(period.start), called_to=moment_of(period.end), counted=True)
    request: PageRequest | None = PageRequest(limit=MAX_LIMIT)
    while request is not None:
        page = work.ledger.page(calls, request)
        yield from page.items
        request = None if page.next is None else PageRequest(limit=MAX_LIMIT, after=page.next)


@dataclass(frozen=True)
class CompareDocuments:
    """Find the calls of a period whose documents differ from the ledger, and those whose event is on its way.

    Whatever differs is looked at twice, as calls go on meanwhile: only what differs in the same way both times counts.
    """

    reads: UnitOfWorkFactory[DocumentsUnitOfWork]
    documents: CallDocuments

    def __call__(self, entries: Sequence[LedgerEntry], period: Period) -> list[CallState]:
        """What differs or is on its way; `entries` are the counted ones of the period, read a moment ago."""
        expected = {entry.task_id: document_of(entry) for entry in entries}
        suspects = self._differing(expected)
        strays = []
        for stored in self._documents_of(period):
            suspects |= stored.tasks - expected.keys()
            if not stored.tasks:
                strays.append(CallState(None, None, [stored]))
        return [*(state for some in _portions(suspects) for state in self._confirmed(some)), *strays]

    def _differing(self, expected: Mapping[UUID, CallDocument]) -> set[UUID]:
        return {
            state.task_id
            for some in _portions(expected)
            for state in _states(some, expected, self.documents.of_tasks(some))
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
        """Everything about these calls, as it is now."""
        found = self.documents.of_tasks(task_ids)
        named = set(task_ids).union(*(stored.tasks for stored in found))
        with self.reads() as reads:
            chains: dict[UUID, Sequence[LedgerEntry]] = {}
            for some in _portions(named):
                chains.update(reads.ledger.chains(some))
            expected = {task_id: document_of(chain[-1]) for task_id, chain in chains.items()}
            pending = _pending(reads, [expected[task_id] for task_id in task_ids if task_id in expected])
        return _states(task_ids, expected, found, pending)


def _pending(work: DocumentsUnitOfWork, expected: Sequence[CallDocument]) -> frozenset[UUID]:
    """Those of these entries whose events are on their way."""
    if not expected:
        return frozenset()
    # An event is as old as its entry; here the moments end at the millisecond.
    since, until = min(it.at for it in expected), max(it.at for it in expected) + timedelta(milliseconds=1)
    events = work.deliveries.pending_events(ACTIVITY, CALL_EVENTS, since=since, until=until)
    return frozenset(UUID(event.data["entry_id"]) for event in events)


def _states(
    task_ids: Collection[UUID],
    expected: Mapping[UUID, CallDocument],
    found: Sequence[StoredDocument],
    pending: frozenset[UUID] = frozenset(),
) -> list[CallState]:
    of_task: dict[UUID, list[StoredDocument]] = {task_id: [] for task_id in task_ids}
    for stored in found:
        task_id = _call_of(stored, expected)
        if task_id is not None and task_id in of_task:
            of_task[task_id].append(stored)
    return [
        CallState(task_id, known, of_task[task_id], known is not None and known.entry_id in pending)
        for task_id, known in ((task_id, expected.get(task_id)) for task_id in of_task)
    ]


def _call_of(stored: StoredDocument, expected: Mapping[UUID, CallDocument]) -> UUID | None:
    """The call that a document is of: the one with its id, else the one that it names, as far as there are such."""
    own, named = _id(stored.id), _id(stored.content.get("task_id"))
    known = [task_id for task_id in (own, named) if task_id in expected]
    return known[0] if known else own or named


def _portions(task_ids: Collection[UUID]) -> Iterator[Sequence[UUID]]:
    ordered = sorted(task_ids)
    for start in range(0, len(ordered), TASK_BATCH_SIZE):
        yield ordered[start : start + TASK_BATCH_SIZE]


def _id(value: object) -> UUID | None:
    return value if isinstance(value, UUID) else None


def _shown(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value)[:MAX_SHOWN]

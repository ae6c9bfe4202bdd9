"""Call documents: a copy of every call by its last ledger entry, in a store that only reports read.

The call ledger is authoritative. The documents are updated by the events of its entries, and can be rebuilt
from it at any time.
"""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from unite_core.calls.ledger import LedgerEntry
from unite_core.events import Event
from unite_core.notifications.audience import CALL_CORRECTED, TASK_CANCELLED, TASK_COMPLETED, TASK_MISSED
from unite_core.notifications.ports import RelayUnitOfWork
from unite_core.reports.ports import ReportsUnitOfWork, Timeline
from unite_core.reports.tally import Tally

CALL_EVENTS = frozenset({TASK_COMPLETED, TASK_MISSED, TASK_CANCELLED, CALL_CORRECTED})
"""The types of events that carry an entry of the call ledger."""

ID = "_id"
"""The field with the unique id of a stored document: the id of the call's task."""

AgentKey = str
"""The id of an agent; empty for calls of nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDocument:
    """The state of a call after the `number`-th entry of its chain.

    `at` is when that entry was written. Both times are rounded down to the millisecond: a call stays in its quarter
    hour.
    """

    task_id: UUID
    entry_id: UUID
    number: int
    kind: str
    result: str
    outcome: str | None
    agent_id: UUID | None
    duration_seconds: int | None
    called_at: datetime
    at: datetime
    source: str | None
    attempt: int | None
    hash: str

    def content(self) -> dict[str, Any]:
        """Return every field by its name, and the id of the document."""
        return {ID: self.task_id, **{field.name: getattr(self, field.name) for field in fields(self)}}


def document_of(entry: LedgerEntry) -> CallDocument:
    """Return the document of a call with this last entry."""
    return CallDocument(
        task_id=entry.task_id,
        entry_id=entry.id,
        number=entry.number,
        kind=entry.kind.value,
        result=entry.result.value,
        outcome=entry.outcome.value if entry.outcome else None,
        agent_id=entry.agent_id,
        duration_seconds=entry.duration_seconds,
        called_at=to_millisecond(entry.called_at),
        at=to_millisecond(entry.at),
        source=entry.source,
        attempt=entry.attempt,
        hash=entry.hash,
    )


def document_of_event(event: Event) -> CallDocument | None:
    """Return the document of the entry in the event.

    Return None if it has no entry, or not all facts of it, as in events of older versions. Reconciliation finds those
    calls.
    """
    facts = event.data.get("entry")
    if event.type not in CALL_EVENTS or not isinstance(facts, Mapping):
        return None
    try:
        return CallDocument(
            task_id=UUID(facts["task_id"]),
            entry_id=UUID(facts["id"]),
            number=facts["number"],
            kind=facts["kind"],
            result=facts["result"],
            outcome=facts["outcome"],
            agent_id=None if facts["agent_id"] is None else UUID(facts["agent_id"]),
            duration_seconds=facts["duration_seconds"],
            called_at=to_millisecond(datetime.fromisoformat(facts["called_at"])),
            at=to_millisecond(datetime.fromisoformat(facts["at"])),
            source=facts["source"],
            attempt=facts["attempt"],
            hash=facts["hash"],
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def documents_of(events: Sequence[Event]) -> Sequence[CallDocument]:
    """Return the documents of the events: for each call the one with the highest number."""
    latest: dict[UUID, CallDocument] = {}
    for event in events:
        document = document_of_event(event)
        if document is not None:
            latest_so_far = latest.get(document.task_id)
            if latest_so_far is None or latest_so_far.number < document.number:
                latest[document.task_id] = document
    return list(latest.values())


def to_millisecond(moment: datetime) -> datetime:
    """Round the time down to the millisecond."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as it is in the store: its fields by name, with its id as `_id`."""

    content: Mapping[str, Any]

    @property
    def id(self) -> Any:
        """Its id: that of its task, unless somebody stored it under another one."""
        return self.content[ID]

    @property
    def tasks(self) -> frozenset[UUID]:
        """The tasks to which it may belong: by its id and by its field."""
        candidates = (self.id, self.content.get("task_id"))
        return frozenset(candidate for candidate in candidates if isinstance(candidate, UUID))


class CallActivity(Protocol):
    """Counts calls by agent and by label."""

    @abstractmethod
    def by_agent(self, question: Timeline) -> Mapping[tuple[AgentKey, int], Tally]:
        """Return the calls by agent and label; pairs without calls may be missing. Raise `Unavailable`."""


class CallDocuments(CallActivity, Protocol):
    """Stores call documents: one for each call, under the id of its task. Every method raises `Unavailable`."""

    @abstractmethod
    def store(self, documents: Sequence[CallDocument]) -> None:
        """Store the documents, except those of calls that have a document with the same or a higher number.

        So neither their order nor repetition has an effect.
        """

    @abstractmethod
    def of_tasks(self, task_ids: Collection[UUID]) -> Sequence[StoredDocument]:
        """Return the documents whose id or `task_id` is one of these (up to 1,000)."""

    @abstractmethod
    def between(self, start: datetime, end: datetime) -> Sequence[StoredDocument]:
        """Return the documents whose `called_at` is from `start` to before `end`."""

    @abstractmethod
    def replace(self, replacements: Sequence[tuple[StoredDocument, CallDocument]]) -> None:
        """Replace stored documents by others with the same id, unless they have changed since they were read."""

    @abstractmethod
    def remove(self, documents: Sequence[StoredDocument]) -> None:
        """Delete these documents, unless they have changed since they were read."""


class DocumentsUnitOfWork(ReportsUnitOfWork, RelayUnitOfWork, Protocol):
    """A unit of work with the ledger, the rollups, and the pending events."""

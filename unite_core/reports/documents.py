"""Call documents: every call once more, by its last entry, in a store that is read for reports alone.

The call ledger is what is right. The documents follow it by the events that tell of its entries, and can be made anew
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
"""The events that tell of an entry of the call ledger."""

ID = "_id"
"""The field of a stored document that no other document has: the id of the call's task."""

AgentKey = str
"""The id of an agent; empty for calls of nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDocument:
    """A call as the `number`-th entry of its chain says it was.

    `at` is when that entry was written. Both moments end at the millisecond, rounded down: a call stays in its quarter
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
        """Every field by its name, and the id of the document."""
        return {ID: self.task_id, **{each.name: getattr(self, each.name) for each in fields(self)}}


def document_of(entry: LedgerEntry) -> CallDocument:
    """The document of a call whose last entry is this one."""
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
    """The document of the entry that the event tells of.

    None where it tells of none, or not of all its facts: events of before did not. Reconciling finds those calls.
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
    """The documents that follow from the events: of each call the one with the highest number."""
    latest: dict[UUID, CallDocument] = {}
    for event in events:
        document = document_of_event(event)
        if document is not None:
            known = latest.get(document.task_id)
            if known is None or known.number < document.number:
                latest[document.task_id] = document
    return list(latest.values())


def to_millisecond(moment: datetime) -> datetime:
    """The moment without what is less than a millisecond."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as it is in the store: its fields by name, with its id as `_id`."""

    content: Mapping[str, Any]

    @property
    def id(self) -> Any:
        """Its id: that of its task, where nobody put it there by another."""
        return self.content[ID]

    @property
    def tasks(self) -> frozenset[UUID]:
        """The tasks that it may be about: by its id and by what it says."""
        named = (self.id, self.content.get("task_id"))
        return frozenset(each for each in named if isinstance(each, UUID))


class CallActivity(Protocol):
    """Calls counted by agent and by label."""

    @abstractmethod
    def by_agent(self, question: Timeline) -> Mapping[tuple[AgentKey, int], Tally]:
        """The calls by agent and label; what there is none of may be left out. Raises `Unavailable`."""


class CallDocuments(CallActivity, Protocol):
    """The store of call documents: one of each call, by the id of its task. Every method raises `Unavailable`."""

    @abstractmethod
    def store(self, documents: Sequence[CallDocument]) -> None:
        """Put the documents there, but those of calls that have a document with the same or a higher number.

        So the order in which they come has no effect, nor has it how often.
        """

    @abstractmethod
    def of_tasks(self, task_ids: Collection[UUID]) -> Sequence[StoredDocument]:
        """The documents whose id or `task_id` is one of these (up to 1,000)."""

    @abstractmethod
    def between(self, start: datetime, end: datetime) -> Sequence[StoredDocument]:
        """The documents whose `called_at` is a moment from `start` to before `end`."""

    @abstractmethod
    def replace(self, replacements: Sequence[tuple[StoredDocument, CallDocument]]) -> None:
        """Put documents in the place of stored ones with the same id, those that are still as they were found."""

    @abstractmethod
    def remove(self, found: Sequence[StoredDocument]) -> None:
        """Remove these documents, those that are still as they were found."""


class DocumentsUnitOfWork(ReportsUnitOfWork, RelayUnitOfWork, Protocol):
    """A unit of work that reaches the ledger, the rollups, and the events that are on their way."""

"""The call ledger: the entries of every call task, chained by hashes so that changes can be detected.

Each entry carries the hash of the previous one in the chain of its task, and its own, which covers everything else
in it (SHA-256, FIPS 180-4, over JSON with sorted names and no blanks); in format 1 the hash does not cover what is new
in format 2. The chain breaks if somebody changes an entry, deletes one that others follow, or inserts one before
others; if somebody deletes the entry that closed a task, changes the task so that it contradicts that entry, or
deletes the task and leaves its entries.

The chain does not break if somebody deletes the last corrections, rewrites the end of a chain with matching hashes, or
deletes a task with all its entries. The hashes that have left the database with the events show that.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from unite_core.calls.model import CallOutcome, CallResult, CallTask, TaskStatus
from unite_core.checks import Checked

NO_HASH = "0" * 64
"""The previous hash in the first entry of a chain."""

FORMAT = 2
"""The format of entries that are written now."""

_NEW_IN_FORMAT_2 = frozenset({"called_at", "source", "attempt", "format"})
"""The fields that the hash of an entry of format 1 does not cover."""

_FIELDS_OF_CLOSED_TASK = (
    "lead_id",
    "agent_id",
    "at",
    "outcome",
    "duration_seconds",
    "started_at",
    "follow_up_at",
    "note",
    "reason",
    "corrects",
    "called_at",
)
"""The fields that a closed task and the entry that closed it have in common."""


class EntryKind(StrEnum):
    """The kind of an entry: how it closed the task, or that it corrects an earlier entry."""

    COMPLETED = "completed"
    MISSED = "missed"
    CANCELLED = "cancelled"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry(Checked):
    """One entry, the `number`-th (from 1) in the chain of its task.

    `agent_id` is the user to whose calls it belongs, None if nobody; `actor_id` is the user who wrote it, None for the
    sweep. Outcome, duration (seconds), `started_at`, `note` and `follow_up_at` are those of a completed call, and in a
    correction the correct values. `corrects` is the entry that a correction replaces; `reason` says why, and for a
    cancelled task why there is no call. `hash` and `previous_hash` are 64 hexadecimal digits.

    An entry holds the whole state of its call, so that reports need nothing that can change later. `called_at` is the
    beginning of the call: its `started_at`, else its duration before the task was completed; without a call it is when
    the call was due. `source` is the lead's source when the task was closed, None if it is unknown. `attempt` is the
    number of this call among those made to the lead, from 1; None without a call. `format` is 1 for entries that were
    written before these fields existed, 2 for all others.
    """

    id: UUID
    task_id: UUID
    number: int
    kind: EntryKind
    lead_id: UUID
    agent_id: UUID | None
    actor_id: UUID | None
    at: datetime
    called_at: datetime
    outcome: CallOutcome | None = None
    duration_seconds: int | None = None
    started_at: datetime | None = None
    follow_up_at: datetime | None = None
    note: str | None = None
    reason: str | None = None
    corrects: UUID | None = None
    source: str | None = None
    attempt: int | None = None
    format: int = FORMAT
    previous_hash: str = NO_HASH
    hash: str = ""

    @property
    def result(self) -> CallResult:
        """The outcome of the call, or why there was none.

        Raises `ValueError` if the entry has no outcome, and is of a kind that needs one.
        """
        return CallResult((self.outcome or self.kind).value)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A task or an entry with a value that Unite never writes; its id is None if that is the unreadable value."""

    id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFault(Checked):
    """The first fault in the chain of a task.

    `entry_id` is None if an entry is missing; an id that cannot be read is None too.
    """

    task_id: UUID | None
    entry_id: UUID | None
    number: int
    reason: str


def closing_entry(entry_id: UUID, task: CallTask, actor_id: UUID | None, *, source: str | None = None) -> LedgerEntry:
    """Return the ledger entry, not chained yet, of a task that was closed by that actor, None for the sweep.

    The call belongs to the user to whom the task was assigned. If it was assigned to nobody, it belongs to the actor
    who made it.
    """
    completion = task.completion
    at = task.closed_at or task.updated_at
    return LedgerEntry(
        id=entry_id,
        task_id=task.id,
        number=1,
        kind=EntryKind(task.status),
        lead_id=task.lead_id,
        agent_id=task.assigned_to or (actor_id if completion else None),
        actor_id=actor_id,
        at=at,
        called_at=_call_start(completion.started_at, completion.duration_seconds, at) if completion else task.due_at,
        outcome=completion.outcome if completion else None,
        duration_seconds=completion.duration_seconds if completion else None,
        started_at=completion.started_at if completion else None,
        follow_up_at=completion.follow_up_at if completion else None,
        note=completion.note if completion else None,
        reason=task.cancel_reason,
        source=source,
    )


def corrected_call_time(closing: LedgerEntry, right: LedgerEntry) -> datetime:
    """Return when a call began, by a correction `right` in a chain that begins with the entry `closing`.

    The moment of the correction does not matter. A call that was recorded as missed or cancelled counts at the time it
    was due, unless the correction gives its start.
    """
    if right.started_at is None and closing.outcome is None:
        return closing.called_at
    return _call_start(right.started_at, right.duration_seconds, closing.at)


def link_to_chain(entry: LedgerEntry, chain: Sequence[LedgerEntry]) -> LedgerEntry:
    """Return the entry as it is appended to the chain so far: with its number and both hashes."""
    previous = chain[-1] if chain else None
    linked = replace(
        entry,
        number=len(chain) + 1,
        previous_hash=previous.hash if previous else NO_HASH,
    )
    return replace(linked, hash=hash_of(linked))


def hash_of(entry: LedgerEntry) -> str:
    """Return the hash of all fields of the entry but its own hash; in format 1 of the fields that format has."""
    left_out = {"hash"} | (_NEW_IN_FORMAT_2 if entry.format == 1 else frozenset())
    content = {field.name: _plain(getattr(entry, field.name)) for field in fields(entry) if field.name not in left_out}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def find_fault(task: CallTask | Unreadable, chain: Sequence[LedgerEntry | Unreadable]) -> ChainFault | None:
    """Return the first fault in the chain of the task; None if it is intact.

    A pending task has no entry. A closed one begins with the entry that closed it, which agrees with the task;
    all later entries are corrections.
    """
    if isinstance(task, Unreadable):
        first = chain[0].id if chain else None
        return ChainFault(task_id=task.id, entry_id=first, number=1, reason="Its task cannot be read.")
    so_far: list[LedgerEntry] = []
    for number, entry in enumerate(chain, start=1):
        if isinstance(entry, Unreadable):
            return ChainFault(task_id=task.id, entry_id=entry.id, number=number, reason="It cannot be read.")
        reason = _fault(entry, so_far, task)
        if reason is not None:
            return ChainFault(task_id=task.id, entry_id=entry.id, number=number, reason=reason)
        so_far.append(entry)
    if task.status is not TaskStatus.PENDING and not chain:
        return ChainFault(
            task_id=task.id,
            entry_id=None,
            number=1,
            reason=f"The task is {task.status}, and the entry that closed it is missing.",
        )
    return None


def orphan_fault(task_id: UUID | None, entry_id: UUID | None, number: int) -> ChainFault:
    """Return the fault of a chain whose task is missing; the arguments are those of its first entry."""
    return ChainFault(task_id=task_id, entry_id=entry_id, number=number, reason="Its task is missing.")


def _fault(entry: LedgerEntry, before: Sequence[LedgerEntry], task: CallTask) -> str | None:
    if hash_of(entry) != entry.hash:
        return "Its content is not what its hash was made of."
    previous_hash = before[-1].hash if before else NO_HASH
    if entry.number != len(before) + 1 or entry.previous_hash != previous_hash:
        return "It does not follow from the entry before it."
    if not before:
        return _contradiction(entry, task)
    if entry.kind is not EntryKind.CORRECTION:
        return "It closes a task that was closed already."
    return _not_copied(entry, before)


def _not_copied(entry: LedgerEntry, before: Sequence[LedgerEntry]) -> str | None:
    """Return how a correction contradicts the entries before it in what it copies from them; None if it does not."""
    if entry.called_at != corrected_call_time(before[0], entry):
        return "It says that the call was at another time than its chain does."
    latest = before[-1]
    if entry.source != latest.source or latest.attempt not in (None, entry.attempt):
        return "It says another source or attempt than the entry before it."
    return None


def _contradiction(entry: LedgerEntry, task: CallTask) -> str | None:
    """Return how the entry that closed the task contradicts the task; None if it does not."""
    if entry.kind.value != task.status.value:
        return f"The task is {task.status}, and the entry says {entry.kind}."
    expected = closing_entry(entry.id, task, entry.actor_id)
    different = [name for name in _FIELDS_OF_CLOSED_TASK if getattr(entry, name) != getattr(expected, name)]
    return f"The task says something else of {', '.join(different)}." if different else None


def _call_start(started_at: datetime | None, duration_seconds: int | None, ended_at: datetime) -> datetime:
    """Return when a call began, at the latest when it ended."""
    try:
        return started_at or ended_at - timedelta(seconds=duration_seconds or 0)
    except (OverflowError, TypeError):  # report a task or an entry that was tampered with, instead of failing
        return ended_at


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, UUID) else value

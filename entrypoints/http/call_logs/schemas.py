"""Schemas and JSON of call log entries, corrections and ledgers."""

from typing import Any

from entrypoints.http.call_tasks.schemas import CALL_TASK_EXAMPLE, DURATION, NOTE, REASON
from entrypoints.http.framework.fields import (
    Body,
    Choice,
    CommaSeparated,
    Flag,
    Id,
    ListOf,
    ObjectOf,
    Text,
    Timestamp,
    WholeNumber,
)
from entrypoints.http.framework.paging import PageQuery
from entrypoints.http.leads.schemas import Assignee
from unite_core.calls.ledger import FORMAT, NO_HASH, ChainFault, EntryKind, LedgerEntry
from unite_core.calls.model import CallOutcome, CallResult
from unite_core.calls.ports import MAX_ATTEMPT
from unite_core.calls.queries import TaskLedger
from unite_core.leads.details import MAX_SOURCE_LENGTH
from unite_core.zones import DEFAULT_ZONE

_HASH = {"pattern": "^[0-9a-f]{64}$"}

ENTRY_EXAMPLE: dict[str, Any] = {
    "id": "01990f41-4d5e-7f60-9172-8d9e0f1a2b3c",
    "task_id": CALL_TASK_EXAMPLE["id"],
    "lead_id": CALL_TASK_EXAMPLE["lead_id"],
    "number": 1,
    "kind": "completed",
    "agent_id": CALL_TASK_EXAMPLE["assigned_to"],
    "actor_id": CALL_TASK_EXAMPLE["assigned_to"],
    "at": "2026-02-02T15:06:40.5Z",
    "called_at": "2026-02-02T15:01:00Z",
    "result": "connected",
    "outcome": "connected",
    "duration_seconds": 312,
    "started_at": "2026-02-02T15:01:00Z",
    "follow_up_at": None,
    "note": "Wants an offer.",
    "reason": None,
    "corrects": None,
    "source": "web",
    "attempt": 1,
    "format": 2,
    "previous_hash": NO_HASH,
    "hash": "5f0c1f6a7d3b9e8c2a4d6f8b0e1c3a5d7f9b1d3e5a7c9e0f2b4d6a8c0e2f4b6d",
}
CORRECTION_BODY_EXAMPLE = {
    "reason": "The agent had set a wrong outcome.",
    "outcome": "voicemail",
    "duration_seconds": 20,
}
CORRECTION_EXAMPLE = ENTRY_EXAMPLE | {
    "id": "01990f41-5e6f-7071-8283-9e0f1a2b3c4d",
    "number": 2,
    "kind": "correction",
    "actor_id": CALL_TASK_EXAMPLE["created_by"],
    "at": "2026-02-03T10:00:00Z",
    "result": "voicemail",
    "outcome": "voicemail",
    "duration_seconds": 20,
    "reason": CORRECTION_BODY_EXAMPLE["reason"],
    "corrects": ENTRY_EXAMPLE["id"],
    "previous_hash": ENTRY_EXAMPLE["hash"],
    "hash": "0b8e4c9d1f3a5b7c6d8e0f2a4b6c8d0e1f3a5b7c9d1e3f5a7b9c1d3e5f7a9b1c",
}
LEDGER_EXAMPLE = {
    "task_id": CALL_TASK_EXAMPLE["id"],
    "entries": [ENTRY_EXAMPLE, CORRECTION_EXAMPLE],
    "verified": True,
    "broken": None,
}


class CallLogSchema(Body):
    """An entry of the call ledger. It is never changed; a correction is an entry of its own."""

    id = Id(required=True)
    task_id = Id(required=True)
    lead_id = Id(required=True)
    number = WholeNumber(
        required=True, minimum=1, metadata={"description": "The position of the entry in the chain of its task."}
    )
    kind = Choice(
        EntryKind,
        required=True,
        metadata={"description": "How the task was closed; a `correction` replaces the values of an earlier entry."},
    )
    agent_id = Id(
        required=True, allow_none=True, metadata={"description": "The user who was to call; null if there was none."}
    )
    actor_id = Id(required=True, allow_none=True, metadata={"description": "The user who wrote it; null: the service."})
    at = Timestamp(required=True, metadata={"description": "When the entry was written."})
    called_at = Timestamp(
        required=True, metadata={"description": "When the call was made; if there was no call, when it was due."}
    )
    result = Choice(
        CallResult, required=True, metadata={"description": "The outcome of the call, or why there was none."}
    )
    outcome = Choice(CallOutcome, required=True, allow_none=True)
    duration_seconds = WholeNumber(required=True, allow_none=True, metadata=DURATION)
    started_at = Timestamp(required=True, allow_none=True)
    follow_up_at = Timestamp(required=True, allow_none=True)
    note = Text(required=True, allow_none=True, metadata=NOTE)
    reason = Text(
        required=True,
        allow_none=True,
        metadata={**REASON, "description": "Why it is corrected, or why there was no call."},
    )
    corrects = Id(required=True, allow_none=True, metadata={"description": "The entry that a correction corrects."})
    source = Text(
        required=True,
        allow_none=True,
        metadata={
            "maxLength": MAX_SOURCE_LENGTH,
            "description": "The lead's source when the task was closed; null where it is unknown.",
        },
    )
    attempt = WholeNumber(
        required=True,
        allow_none=True,
        minimum=1,
        metadata={"description": "The number of this call among the calls to the lead; null if there was no call."},
    )
    format = WholeNumber(
        required=True,
        minimum=1,
        maximum=FORMAT,
        metadata={
            "description": "1: entries from before `called_at`, `source`, `attempt` and `format` existed; their hash "
            "covers only the other members. 2: all other entries."
        },
    )
    previous_hash = Text(
        required=True, metadata={**_HASH, "description": "The hash of the previous entry; 64 zeros in the first one."}
    )
    hash = Text(
        required=True,
        metadata={**_HASH, "description": "SHA-256 of everything else in the entry but `result`, in hexadecimal."},
    )


def call_log_json(entry: LedgerEntry) -> dict[str, Any]:
    """Return an entry as `CallLogSchema` shows it."""
    return {
        "id": entry.id,
        "task_id": entry.task_id,
        "lead_id": entry.lead_id,
        "number": entry.number,
        "kind": entry.kind,
        "agent_id": entry.agent_id,
        "actor_id": entry.actor_id,
        "at": entry.at,
        "called_at": entry.called_at,
        "result": entry.result,
        "outcome": entry.outcome,
        "duration_seconds": entry.duration_seconds,
        "started_at": entry.started_at,
        "follow_up_at": entry.follow_up_at,
        "note": entry.note,
        "reason": entry.reason,
        "corrects": entry.corrects,
        "source": entry.source,
        "attempt": entry.attempt,
        "format": entry.format,
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }


class CallLogPageSchema(Body):
    """A page of the call log."""

    items = ListOf(CallLogSchema, required=True)
    next_cursor = Text(required=True, allow_none=True)


class CallLogQuery(PageQuery):
    """The filters of the call log; an entry must match all of them."""

    agent = Assignee(metadata={"description": "The user who was to call: an id, or `none` for calls of no user."})
    lead_id = Id()
    task_id = Id()
    from_ = Timestamp(
        data_key="from",
        metadata={"description": "Calls at or after this time, by `called_at`; RFC 3339 with an offset."},
    )
    to = Timestamp(metadata={"description": "Calls before this time, by `called_at`."})
    recorded_from = Timestamp(metadata={"description": "Entries written at or after this time, by `at`."})
    recorded_to = Timestamp(metadata={"description": "Entries written before this time, by `at`."})
    result = CommaSeparated(Choice(CallResult), metadata={"description": "One or several, separated by commas."})
    source = CommaSeparated(
        Text(),
        metadata={
            "description": "One or several, separated by commas, as in the list of leads. An empty value, as in "
            "`source=` and `source=web,`, means an unknown source."
        },
    )
    attempt = CommaSeparated(
        WholeNumber(minimum=1, maximum=MAX_ATTEMPT),
        metadata={
            "description": f"One or several, separated by commas; {MAX_ATTEMPT} means that attempt and all later ones."
        },
    )
    hour = CommaSeparated(
        WholeNumber(minimum=0, maximum=23),
        metadata={
            "description": "Calls in these hours of the day in the time zone `tz`, one or several, separated by "
            "commas; requires `from` and `to`."
        },
    )
    weekday = CommaSeparated(
        WholeNumber(minimum=1, maximum=7),
        metadata={"description": "Calls on these weekdays, given like `hour`; 1 is Monday."},
    )
    tz = Text(metadata={"default": DEFAULT_ZONE, "description": "The time zone of `hour` and `weekday`, an IANA name."})
    counted = Flag(
        metadata={
            "description": "true: only the entries that count, which are the last ones of each call; false: only the "
            "entries that were corrected."
        }
    )


class CorrectionSchema(Body):
    """The correction of an entry: the reason and the right values. Values that are left out stay as they were."""

    reason = Text(required=True, metadata={**REASON, "minLength": 1, "description": "In one line."})
    outcome = Choice(CallOutcome)
    duration_seconds = WholeNumber(metadata=DURATION)
    started_at = Timestamp(allow_none=True)
    note = Text(allow_none=True, metadata=NOTE)


class BrokenChainSchema(Body):
    """The first entry of a chain that fails verification, and why."""

    entry_id = Id(required=True, allow_none=True, metadata={"description": "null if an entry is missing or has no id."})
    number = WholeNumber(required=True, minimum=1, metadata={"description": "The position of the entry in the chain."})
    reason = Text(required=True)


class LedgerSchema(Body):
    """The chain of a call task, first entry first, and whether it is intact."""

    task_id = Id(required=True)
    entries = ListOf(CallLogSchema, required=True)
    verified = Flag(required=True, metadata={"description": "Whether every hash is correct."})
    broken = ObjectOf(BrokenChainSchema, required=True, allow_none=True)


def ledger_json(ledger: TaskLedger) -> dict[str, Any]:
    """Return a chain as `LedgerSchema` shows it."""
    return {
        "task_id": ledger.task.id,
        "entries": list(map(call_log_json, ledger.entries)),
        "verified": ledger.broken is None,
        "broken": None if ledger.broken is None else _broken_json(ledger.broken),
    }


def _broken_json(broken: ChainFault) -> dict[str, Any]:
    return {"entry_id": broken.entry_id, "number": broken.number, "reason": broken.reason}

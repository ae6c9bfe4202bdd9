"""Call tasks: their states, notes and completions, and the rules for them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from unite_core.checks import Checked, Input
from unite_core.errors import Conflict, FieldError
from unite_core.text import text_error

MAX_NOTE_LENGTH = 2000
MAX_NOTES = 200
MAX_REASON_LENGTH = 500
MAX_CALL_SECONDS = 24 * 60 * 60
"""Seconds: a longer call was recorded wrongly."""

MISSED_AFTER = timedelta(minutes=30)
"""The default of how long after `due_at` a call is late and not yet missed."""

MAX_CLOCK_SKEW = timedelta(minutes=1)
"""How far a client's clock may be ahead before a call counts as one in the future."""


class TaskStatus(StrEnum):
    """The status of a call task. Every status except pending is closed and final."""

    PENDING = "pending"
    COMPLETED = "completed"
    MISSED = "missed"
    CANCELLED = "cancelled"


class CallOutcome(StrEnum):
    """The outcome of a call."""

    CONNECTED = "connected"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    WRONG_NUMBER = "wrong_number"
    CALLBACK_REQUESTED = "callback_requested"
    NOT_INTERESTED = "not_interested"
    CONVERTED = "converted"


class CallResult(StrEnum):
    """The result of a call task: the outcome of its call, or why there was no call."""

    CONNECTED = "connected"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    WRONG_NUMBER = "wrong_number"
    CALLBACK_REQUESTED = "callback_requested"
    NOT_INTERESTED = "not_interested"
    CONVERTED = "converted"
    MISSED = "missed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Checked):
    """A note about a call task. It is never changed."""

    id: UUID
    author: UUID
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion(Input):
    """The report of a call: two equal ones are the same completion, sent twice.

    `duration_seconds` is 0 if nobody answered. `started_at` is None if it was not given.
    """

    outcome: CallOutcome
    duration_seconds: int
    note: str | None = None
    started_at: datetime | None = None
    follow_up_at: datetime | None = None

    def began(self, now: datetime) -> datetime:
        """Return when the call began: as given, or its duration before `now`."""
        return self.started_at or now - timedelta(seconds=self.duration_seconds)


@dataclass(slots=True, kw_only=True)
class CallTask(Checked):
    """A call to a lead that is due at `due_at`, assigned to the user `assigned_to`, or to nobody if that is None.

    `completion` is set once the call was made, `closed_at` once the task is closed in any way. `follow_up_of` is the
    task whose call requested this one, `follow_up_id` the task that this call requested. `notes` are in the order in
    which they were written, and are only added to.
    """

    id: UUID
    lead_id: UUID
    assigned_to: UUID | None
    due_at: datetime
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    status: TaskStatus = TaskStatus.PENDING
    notes: list[Note] = field(default_factory=list)
    completion: Completion | None = None
    closed_at: datetime | None = None
    cancel_reason: str | None = None
    follow_up_of: UUID | None = None
    follow_up_id: UUID | None = None
    version: int = 1

    def assign(self, user_id: UUID) -> None:
        """Assign the task to that user. Raise `Conflict` (`task_closed`)."""
        self.require_pending()
        self.assigned_to = user_id

    def note(self, note: Note) -> None:
        """Add a note, also to a closed task. Raise `Conflict` (`too_many_notes`)."""
        if len(self.notes) >= MAX_NOTES:
            raise Conflict(f"A call task has at most {MAX_NOTES} notes.", code="too_many_notes")
        self.notes.append(note)

    def complete(self, completion: Completion, now: datetime, *, follow_up_id: UUID | None = None) -> None:
        """Complete the task: the call was made. Raise `Conflict` (`task_closed`)."""
        self.require_pending()
        self.completion = completion
        self.follow_up_id = follow_up_id
        self._close(TaskStatus.COMPLETED, now)

    def cancel(self, reason: str | None, now: datetime) -> None:
        """Cancel the task: no call is needed any more. Raise `Conflict` (`task_closed`)."""
        self.require_pending()
        self.cancel_reason = reason
        self._close(TaskStatus.CANCELLED, now)

    def miss(self, now: datetime) -> None:
        """Mark the task as missed: the call was not made in time. Raise `Conflict` (`task_closed`)."""
        self.require_pending()
        self._close(TaskStatus.MISSED, now)

    def require_pending(self) -> None:
        """Raise `Conflict` (`task_closed`) if the task is closed."""
        if self.status is not TaskStatus.PENDING:
            raise Conflict(f"The call task is {self.status} already.", code="task_closed")

    def mark_updated(self, now: datetime) -> None:
        """Count one change, made at `now`."""
        self.version += 1
        self.updated_at = now

    def _close(self, status: TaskStatus, now: datetime) -> None:
        self.status = status
        self.closed_at = now


def note_error(field_name: str, text: str) -> FieldError | None:
    """Validate the text of a note, cleaned already: 1 to 2,000 characters, line breaks allowed; None if it is valid."""
    if not text:
        return FieldError(field=field_name, code="required", detail="A note needs a text.")
    return text_error(field_name, text, max_length=MAX_NOTE_LENGTH, paragraphs=True)


def reason_error(text: str) -> FieldError | None:
    """Validate a reason, cleaned already: at most 500 characters on one line; None if it is valid."""
    return text_error("reason", text, max_length=MAX_REASON_LENGTH)


def completion_errors(completion: Completion, now: datetime) -> list[FieldError]:
    """Validate a completion, its note cleaned already; return its errors.

    In addition to the rules of every call: a requested callback needs a time, which is later than now; any other call
    may have a follow-up too.
    """
    problems = call_errors(completion, now)
    if completion.follow_up_at is None:
        if completion.outcome is CallOutcome.CALLBACK_REQUESTED:
            problems.append(
                FieldError(
                    field="follow_up_at",
                    code="follow_up_required",
                    detail="A callback was requested: say when it is due.",
                )
            )
    elif completion.follow_up_at <= now:
        problems.append(
            FieldError(
                field="follow_up_at", code="in_past", detail="The next call is due in the future, not in the past."
            )
        )
    return problems


def call_errors(completion: Completion, now: datetime) -> list[FieldError]:
    """Validate the call itself; return its errors: it began in the past and lasts up to a day."""
    problems: list[FieldError] = []
    if not 0 <= completion.duration_seconds <= MAX_CALL_SECONDS:
        problems.append(
            FieldError(
                field="duration_seconds",
                code="out_of_range",
                detail=f"A call lasts from 0 to {MAX_CALL_SECONDS} seconds.",
            )
        )
    if completion.started_at is not None and completion.started_at > now + MAX_CLOCK_SKEW:
        problems.append(FieldError(field="started_at", code="in_future", detail="The call has not begun yet."))
    if completion.note is not None:
        error = note_error("note", completion.note)
        if error is not None:
            problems.append(error)
    return problems

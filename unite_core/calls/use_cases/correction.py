"""Use case: correct an entry of the call log by appending another one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, TypeVar
from uuid import UUID

from unite_core.calls.closing import append_to_chain, count_call
from unite_core.calls.events import call_corrected
from unite_core.calls.ledger import FORMAT, EntryKind, LedgerEntry, corrected_call_time
from unite_core.calls.model import CallOutcome, Completion, call_errors, reason_error
from unite_core.calls.ports import CallsUnitOfWork
from unite_core.calls.queries import lead_of, visible_entry
from unite_core.checks import Input, UseCase
from unite_core.clock import Clock
from unite_core.errors import Conflict, FieldError, Invalid
from unite_core.identity.model import Actor, Permission
from unite_core.ids import Ids
from unite_core.quotas import Quotas
from unite_core.text import clean
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.unset import UNSET, Unset

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Correction(Input):
    """The correct values for an entry, and the reason; an UNSET value stays as in the latest entry."""

    entry_id: UUID
    reason: str
    outcome: CallOutcome | Unset = UNSET
    duration_seconds: int | Unset = UNSET
    started_at: datetime | None | Unset = UNSET
    note: str | None | Unset = UNSET


@dataclass(frozen=True)
class CorrectCallLog(UseCase):
    """Correct an entry of the call log by another one. Admins and managers only.

    The entry stays as it is; the new one refers to it, has the correct values, and a reason of up to 500 characters.
    A value that is left out stays as in the latest entry of this call. A call that was recorded as missed or
    cancelled but was made needs an outcome and a duration. The task and the lead stay as they are. Correcting
    twice with the same content has one effect. The number of corrections per call is limited.

    Raises `NotFound`, `Forbidden`, `Invalid` (`nothing_to_correct`) and `Conflict` (`too_many_corrections`).
    """

    permission: ClassVar[Permission] = Permission.CORRECT_CALLS
    work: UnitOfWorkFactory[CallsUnitOfWork]
    clock: Clock
    ids: Ids
    quotas: Quotas = field(default_factory=Quotas)

    def __call__(self, actor: Actor, correction: Correction) -> LedgerEntry:
        return self.work.run(lambda work: self._correct(work, actor, correction))

    def _correct(self, work: CallsUnitOfWork, actor: Actor, correction: Correction) -> LedgerEntry:
        wrong = visible_entry(work, actor, correction.entry_id)
        actor.must(self.permission)
        # Locked, so that corrections of one call come one after the other.
        task = work.tasks.get(wrong.task_id)
        chain = work.ledger.chains([task.id])[task.id]
        latest = chain[-1]
        now = self.clock.now()
        right = replace(
            _merged(latest, correction),
            id=self.ids.new(),
            kind=EntryKind.CORRECTION,
            actor_id=actor.stored_id,
            at=now,
            reason=clean(correction.reason),
            corrects=wrong.id,
            format=FORMAT,
        )
        if _content(right) == _content(latest):
            if (latest.corrects, latest.reason) == (right.corrects, right.reason):
                return latest
            raise Invalid("The correction changes nothing.", code="nothing_to_correct")
        problems = _field_errors(right, now)
        if problems:
            raise Invalid("The correction breaks a rule.", problems=problems)
        if sum(entry.kind is EntryKind.CORRECTION for entry in chain) >= self.quotas.corrections_per_call:
            raise Conflict(
                f"A call is corrected at most {self.quotas.corrections_per_call} times.",
                code="too_many_corrections",
            )
        entry = _store(work, chain, right)
        work.record(call_corrected(self.ids.new(), actor, task, lead_of(work, task), entry))
        return entry


def _store(work: CallsUnitOfWork, chain: Sequence[LedgerEntry], right: LedgerEntry) -> LedgerEntry:
    """Append the correction, and count the lead's calls accordingly."""
    latest = chain[-1]
    right = replace(right, called_at=corrected_call_time(chain[0], right))
    if latest.outcome is None:
        return append_to_chain(work, count_call(work, right))
    entry = append_to_chain(work, right)
    work.lead_calls.correct(latest, entry)
    return entry


def _merged(latest: LedgerEntry, correction: Correction) -> LedgerEntry:
    """Return the latest entry with the values of the correction."""
    note = correction.note if isinstance(correction.note, Unset) else clean(correction.note or "") or None
    return replace(
        latest,
        outcome=_either(correction.outcome, latest.outcome),
        duration_seconds=_either(correction.duration_seconds, latest.duration_seconds),
        started_at=_either(correction.started_at, latest.started_at),
        note=_either(note, latest.note),
    )


def _either(value: T | Unset, before: T) -> T:
    return before if isinstance(value, Unset) else value


def _content(entry: LedgerEntry) -> tuple[object, ...]:
    return entry.outcome, entry.duration_seconds, entry.started_at, entry.note


def _field_errors(right: LedgerEntry, now: datetime) -> list[FieldError]:
    problems: list[FieldError] = []
    if not right.reason:
        problems.append(FieldError(field="reason", code="required", detail="A correction says why."))
    else:
        error = reason_error(right.reason)
        problems += [error] if error is not None else []
    if right.outcome is None or right.duration_seconds is None:
        required = {"outcome": right.outcome, "duration_seconds": right.duration_seconds}
        problems += [
            FieldError(
                field=name, code="required", detail="A call that was made after all has an outcome and a duration."
            )
            for name, value in required.items()
            if value is None
        ]
        return problems
    completion = Completion(
        outcome=right.outcome, duration_seconds=right.duration_seconds, note=right.note, started_at=right.started_at
    )
    return [*problems, *call_errors(completion, now)]

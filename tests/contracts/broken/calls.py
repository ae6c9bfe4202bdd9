"""Broken stores of call tasks and call ledgers."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unicodedata import normalize

import pytest

from tests.contracts.broken.making import (
    Port,
    cut,
    doing_nothing,
    in_the_basic_plane,
    keeping,
    pages_of,
    raising,
    returning,
    storing,
    uncopied,
    with_methods,
    with_value,
    without_microseconds,
)
from tests.contracts.broken.small_units import SmallUnit
from unite_core.calls.ledger import orphan_fault
from unite_core.calls.model import TaskStatus
from unite_core.errors import Conflict
from unite_core.paging import Position
from unite_core.testing.contracts import CallLedgerContract, CallTasksContract
from unite_core.testing.in_memory.calls import InMemoryCallLedger, InMemoryCallTasks
from unite_core.testing.in_memory.leads import InMemoryLeads
from unite_core.testing.in_memory.tables import Store, newest_first

_MICROSECOND = timedelta(microseconds=1)


def suite_of_tasks(make: Callable[..., Any]) -> type:
    class Suite(CallTasksContract):
        one_writer = True

        @pytest.fixture
        def work(self) -> Any:
            store = Store()
            # What belongs to deleted leads is a question about leads too.
            return lambda: SmallUnit(store, tasks=make, leads=lambda tables: InMemoryLeads(tables, set()))

    return Suite


def suite_of_ledger(make: Callable[..., Any]) -> type:
    class Suite(CallLedgerContract):
        @pytest.fixture
        def work(self) -> Any:
            store = Store()
            # An entry without its task is a fault.
            return lambda: SmallUnit(store, ledger=lambda tables: make(tables, set()), tasks=InMemoryCallTasks)

    return Suite


def _of_completion(field: str, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def changed(task: Any) -> Any:
        if task.completion is not None:
            task.completion = replace(task.completion, **{field: change(getattr(task.completion, field))})
        return task

    return changed


def _notes(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda task: with_value(task, "notes", lambda notes: [change(note) for note in notes])


def _tasks(**methods: Any) -> Any:
    return with_methods(InMemoryCallTasks, **methods)


def _tasks_filtered(change: Callable[[Any], Any]) -> Any:
    return _tasks(page=lambda self, filters, request: InMemoryCallTasks.page(self, change(filters), request))


def _with_all_notes(self: Any, filters: Any, request: Any) -> Any:
    page = InMemoryCallTasks.page(self, filters, request)
    return replace(page, items=[self.get(task.id) for task in page.items])


def _with_first_notes(self: Any, filters: Any, request: Any) -> Any:
    page = _with_all_notes(self, filters, request)
    return replace(page, items=[with_value(task, "notes", lambda notes: notes[:10]) for task in page.items])


def _save_replacing(self: Any, task: Any) -> None:
    InMemoryCallTasks.save(self, task)
    self._tasks[task.id].notes = [*deepcopy(task.notes)]


def _save_changing(self: Any, task: Any) -> None:
    InMemoryCallTasks.save(self, task)
    given = {note.id: note for note in task.notes}
    self._tasks[task.id].notes = [deepcopy(given.get(note.id, note)) for note in self._tasks[task.id].notes]


def _save_any(self: Any, task: Any) -> None:
    stored = self._tasks.get(task.id)
    (InMemoryCallTasks.save if stored and stored.version == task.version - 1 else InMemoryCallTasks.add)(self, task)


def _save_unknown(self: Any, task: Any) -> None:
    (InMemoryCallTasks.save if task.id in self._tasks else InMemoryCallTasks.add)(self, task)


def _save_unknown_silently(self: Any, task: Any) -> None:
    if task.id in self._tasks:
        InMemoryCallTasks.save(self, task)


def _save_refused_notes(self: Any, task: Any) -> None:
    """Add the notes of a task even if its version is refused."""
    stored = self._tasks.get(task.id)
    if stored is not None:
        known = {note.id for note in stored.notes}
        stored.notes += [deepcopy(note) for note in task.notes if note.id not in known]
    InMemoryCallTasks.save(self, task)


def _overdue(**changes: Callable[[Any], Any]) -> Any:
    return _tasks(
        overdue=lambda self, **given: InMemoryCallTasks.overdue(
            self, **{name: changes.get(name, lambda it: it)(value) for name, value in given.items()}
        )
    )


def _overdue_of_any_status(self: Any, *, before: Any, limit: int) -> Any:
    due = [it for it in self._tasks.values() if it.due_at < before]
    return [replace(deepcopy(it), notes=[]) for it in sorted(due, key=lambda it: (it.due_at, it.id))[:limit]]


def _of_deleted(self: Any, *, limit: int) -> Any:
    deleted = {lead.id for lead in self._leads.values() if lead.deleted_at is not None}
    found = [task for task in self._tasks.values() if task.lead_id in deleted]
    return [replace(deepcopy(it), notes=[]) for it in sorted(found, key=lambda it: (it.due_at, it.id))[:limit]]


def _save_all(self: Any, task: Any) -> None:
    InMemoryCallTasks.save(self, task)
    saved = self._tasks[task.id]
    self._tasks.update({it: replace(deepcopy(saved), id=it) for it in self._tasks})


TASKS = Port(
    name="CallTasks",
    suite=suite_of_tasks,
    right=InMemoryCallTasks,
    broken={
        "add does nothing": doing_nothing(InMemoryCallTasks, "add"),
        "save does nothing": doing_nothing(InMemoryCallTasks, "save"),
        "nothing is overdue": doing_nothing(InMemoryCallTasks, "overdue", result=()),
        "an unknown task is None": _tasks(get=lambda self, task_id: deepcopy(self._tasks.get(task_id))),
        "an unknown task is a KeyError": _tasks(get=lambda self, task_id: deepcopy(self._tasks[task_id])),
        "an unknown task is added by saving": _tasks(save=_save_unknown),
        "an unknown task is saved silently": _tasks(save=_save_unknown_silently),
        "the version is not compared": _tasks(save=_save_any),
        "notes of a refused change are stored": _tasks(save=_save_refused_notes),
        "saving replaces the notes": _tasks(save=_save_replacing),
        "saving changes stored notes": _tasks(save=_save_changing),
        "saving adds no notes": storing(InMemoryCallTasks, lambda it: with_value(it, "notes", lambda _: []), "save"),
        "adding stores no notes": storing(InMemoryCallTasks, lambda it: with_value(it, "notes", lambda _: []), "add"),
        "notes are sorted by their times": returning(
            InMemoryCallTasks,
            "get",
            lambda it: with_value(it, "notes", lambda notes: sorted(notes, key=lambda n: n.at)),
        ),
        "notes come newest first": returning(
            InMemoryCallTasks, "get", lambda it: with_value(it, "notes", lambda notes: notes[::-1])
        ),
        "notes have no characters beyond the basic plane": storing(
            InMemoryCallTasks, _notes(lambda it: with_value(it, "text", in_the_basic_plane)), "add", "save"
        ),
        "notes are cut": storing(InMemoryCallTasks, _notes(cut("text", 1000)), "add", "save"),
        "moments of notes are cut to seconds": storing(InMemoryCallTasks, _notes(without_microseconds), "add", "save"),
        "lists have all notes": _tasks(page=_with_all_notes),
        "lists have the first notes": _tasks(page=_with_first_notes),
        "lists have no notes": returning(
            InMemoryCallTasks, "page", lambda page: replace(page, items=[replace(it, notes=[]) for it in page.items])
        ),
        "moments are cut to seconds": storing(InMemoryCallTasks, without_microseconds, "add", "save"),
        "moments are cut to milliseconds": storing(
            InMemoryCallTasks,
            lambda it: with_value(it, "due_at", lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)),
            "add",
            "save",
        ),
        "moments of changes are cut to seconds": storing(InMemoryCallTasks, without_microseconds, "save"),
        "notes of completions are cut": storing(
            InMemoryCallTasks, _of_completion("note", lambda note: note and note[:1000]), "add", "save"
        ),
        "the beginning of a call is not stored": storing(
            InMemoryCallTasks, _of_completion("started_at", lambda _: None), "add", "save"
        ),
        "the time of a follow-up is cut to seconds": storing(
            InMemoryCallTasks,
            _of_completion("follow_up_at", lambda at: at and at.replace(microsecond=0)),
            "add",
            "save",
        ),
        "completions are not stored by saving": keeping(InMemoryCallTasks, "completion", "save"),
        "reasons are cut": storing(InMemoryCallTasks, cut("cancel_reason", 255), "add", "save"),
        "reasons are not stored by saving": keeping(InMemoryCallTasks, "cancel_reason", "save"),
        "the follow-up is not stored": keeping(InMemoryCallTasks, "follow_up_id", "add", "save"),
        "the task before is not stored by saving": keeping(InMemoryCallTasks, "follow_up_of", "save"),
        "the agent is not stored by saving": keeping(InMemoryCallTasks, "assigned_to", "save"),
        "the due time is not changed by saving": _tasks(
            save=lambda self, task: InMemoryCallTasks.save(
                self, replace(task, due_at=self._tasks[task.id].due_at) if task.id in self._tasks else task
            )
        ),
        "saving one task saves all": _tasks(save=_save_all),
        "what is due now is overdue": _overdue(before=lambda before: before + _MICROSECOND),
        "what was just due is not overdue": _overdue(before=lambda before: before - _MICROSECOND),
        "overdue tasks have no limit": _overdue(limit=lambda limit: limit + 1000),
        "closed tasks are overdue": _tasks(overdue=_overdue_of_any_status),
        "overdue tasks come in no order": returning(InMemoryCallTasks, "overdue", lambda it: [*it][::-1]),
        "overdue tasks have their notes": _tasks(
            overdue=lambda self, **given: [self.get(it.id) for it in InMemoryCallTasks.overdue(self, **given)]
        ),
        "pending tasks of all leads are listed": _tasks(
            lock_pending_of_lead=lambda self, _: [
                deepcopy(it) for it in self._tasks.values() if it.status is TaskStatus.PENDING
            ]
        ),
        "closed tasks of a lead are listed as pending": _tasks(
            lock_pending_of_lead=lambda self, lead_id: [
                deepcopy(it) for it in self._tasks.values() if it.lead_id == lead_id
            ]
        ),
        "pending tasks of a lead have no notes": returning(
            InMemoryCallTasks, "lock_pending_of_lead", lambda tasks: [replace(it, notes=[]) for it in tasks]
        ),
        "closed tasks of deleted leads are listed": _tasks(lock_pending_of_deleted_leads=_of_deleted),
        "tasks of living leads are listed as those of deleted ones": _tasks(
            lock_pending_of_deleted_leads=lambda self, *, limit: InMemoryCallTasks.overdue(
                self, before=max(it.due_at for it in self._tasks.values()) + _MICROSECOND, limit=limit
            )
        ),
        "tasks are counted without a limit": _tasks(
            count_pending=lambda self, lead_id, *, limit: InMemoryCallTasks.count_pending(
                self, lead_id, limit=limit + 99
            )
        ),
        "closed tasks are counted": _tasks(
            count_pending=lambda self, lead_id, *, limit: min(
                limit, sum(it.lead_id == lead_id for it in self._tasks.values())
            )
        ),
        "leads with pending tasks alone have tasks": _tasks(
            leads_with_tasks=lambda self, ids: {
                it.lead_id for it in self._tasks.values() if it.lead_id in ids and it.status is TaskStatus.PENDING
            }
        ),
        "all leads with tasks are listed": _tasks(
            leads_with_tasks=lambda self, _: {it.lead_id for it in self._tasks.values()}
        ),
        "at most a thousand leads are looked up": _tasks(
            leads_with_tasks=lambda self, ids: InMemoryCallTasks.leads_with_tasks(self, [*ids][:1000])
        ),
        "a walk begins with the given id": _tasks(
            iterate_by_id=lambda self, after, *, limit: InMemoryCallTasks.iterate_by_id(
                self, after and type(after)(int=after.int - 1), limit=limit
            )
        ),
        "a walk is sorted by due time": _tasks(
            iterate_by_id=lambda self, after, *, limit: [
                replace(deepcopy(it), notes=[])
                for it in sorted(self._tasks.values(), key=lambda it: it.due_at)
                if after is None or it.id > after
            ][:limit]
        ),
        "a walk has no limit": _tasks(
            iterate_by_id=lambda self, after, *, limit: InMemoryCallTasks.iterate_by_id(self, after, limit=limit + 99)
        ),
        "the filter by status is ignored": _tasks_filtered(lambda it: replace(it, statuses=frozenset())),
        "the filter by agent is ignored": _tasks_filtered(lambda it: replace(it, assigned_to=frozenset())),
        "the filter by lead is ignored": _tasks_filtered(lambda it: replace(it, lead_id=None)),
        "the filter by visibility is ignored": _tasks_filtered(lambda it: replace(it, visible_to=None)),
        "the filter by visibility replaces that by agent": _tasks_filtered(
            lambda it: replace(it, assigned_to=frozenset(), unassigned=False) if it.visible_to else it
        ),
        "tasks of nobody are not listed": _tasks_filtered(lambda it: replace(it, unassigned=False)),
        "the agent and nobody exclude each other": _tasks_filtered(
            lambda it: replace(it, assigned_to=frozenset() if it.unassigned else it.assigned_to)
        ),
        "the beginning of a time span is not in it": _tasks_filtered(
            lambda it: replace(it, due_from=it.due_from and it.due_from + _MICROSECOND)
        ),
        "the end of a time span is in it": _tasks_filtered(
            lambda it: replace(it, due_to=it.due_to and it.due_to + _MICROSECOND)
        ),
        "the end of a time span is ignored": _tasks_filtered(lambda it: replace(it, due_to=None)),
        "a read task is the stored one": uncopied(InMemoryCallTasks, "get"),
        "pending tasks are the stored ones": uncopied(InMemoryCallTasks, "lock_pending_of_lead"),
        "an added task is the stored one": uncopied(InMemoryCallTasks, "add"),
        "a saved task is the stored one": uncopied(InMemoryCallTasks, "save"),
        **pages_of(InMemoryCallTasks),
    },
)


def _ledger(**methods: Any) -> Any:
    return with_methods(InMemoryCallLedger, **methods)


def _ledger_filtered(change: Callable[[Any], Any]) -> Any:
    return _ledger(page=lambda self, filters, request: InMemoryCallLedger.page(self, change(filters), request))


def _stored(change: Callable[[Any], Any]) -> Any:
    return storing(InMemoryCallLedger, change, "append")


def _replacing(self: Any, entry: Any) -> None:
    for stored in [*self._entries.values()]:
        if (stored.task_id, stored.number) == (entry.task_id, entry.number):
            del self._entries[stored.id]
    InMemoryCallLedger.append(self, entry)


def _ignored(self: Any, entry: Any) -> None:
    if all((it.task_id, it.number) != (entry.task_id, entry.number) for it in self._entries.values()):
        InMemoryCallLedger.append(self, entry)


def _conflicting(self: Any, entry: Any) -> None:
    if any((it.task_id, it.number) == (entry.task_id, entry.number) for it in self._entries.values()):
        raise Conflict("There is such an entry.")
    InMemoryCallLedger.append(self, entry)


def _chains(sort: Callable[[Any], Any]) -> Any:
    return returning(
        InMemoryCallLedger, "chains", lambda chains: {task: sorted(chain, key=sort) for task, chain in chains.items()}
    )


def _sorted_by(position: Callable[[Any], Position]) -> Any:
    """Return a ledger whose pages are always sorted by the same time."""

    def page(self: Any, filters: Any, request: Any) -> Any:
        every = InMemoryCallLedger.page(self, filters, replace(request, limit=10_000, after=None))
        return newest_first(every.items, request, position)

    return _ledger(page=page)


LEDGER = Port(
    name="CallLedger",
    suite=suite_of_ledger,
    right=InMemoryCallLedger,
    broken={
        "append does nothing": doing_nothing(InMemoryCallLedger, "append"),
        "there are no chains": doing_nothing(InMemoryCallLedger, "chains", result={}),
        "stored chains are empty": doing_nothing(InMemoryCallLedger, "chains_as_stored", result={}),
        "an entry replaces another one in its place": _ledger(append=_replacing),
        "an entry in a used place is ignored": _ledger(append=_ignored),
        "an entry in a used place is stored too": _ledger(
            append=lambda self, entry: self._entries.__setitem__(entry.id, entry)
        ),
        "an entry in a used place is a conflict": _ledger(append=_conflicting),
        "an unknown entry is None": _ledger(get=lambda self, entry_id: self._entries.get(entry_id)),
        "an unknown entry is a KeyError": _ledger(get=lambda self, entry_id: self._entries[entry_id]),
        "moments are cut to seconds": _stored(without_microseconds),
        "moments are cut to milliseconds": _stored(
            lambda it: with_value(it, "at", lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))
        ),
        "the time of a call is cut to seconds": _stored(
            lambda it: with_value(it, "called_at", lambda at: at.replace(microsecond=0))
        ),
        "notes are cut": _stored(cut("note", 1000)),
        "notes have no characters beyond the basic plane": _stored(
            lambda it: with_value(it, "note", lambda note: note and in_the_basic_plane(note))
        ),
        "sources have no characters beyond the basic plane": _stored(
            lambda it: with_value(it, "source", lambda source: source and in_the_basic_plane(source))
        ),
        "notes are stripped": _stored(lambda it: with_value(it, "note", lambda note: note and " ".join(note.split()))),
        "notes are normalized": _stored(
            lambda it: with_value(it, "note", lambda note: note and normalize("NFC", note))
        ),
        "reasons are cut": _stored(cut("reason", 255)),
        "sources are cut": _stored(cut("source", 32)),
        "the beginning of a call is not stored": _stored(lambda it: with_value(it, "started_at", lambda _: None)),
        "the follow-up is not stored": _stored(lambda it: with_value(it, "follow_up_at", lambda _: None)),
        "the corrected entry is not stored": _stored(lambda it: with_value(it, "corrects", lambda _: None)),
        "the actor is not stored": _stored(lambda it: with_value(it, "actor_id", lambda _: None)),
        "attempts are counted up to five": _stored(
            lambda it: with_value(it, "attempt", lambda attempt: attempt and min(attempt, 5))
        ),
        "a duration of no time is not stored": _stored(
            lambda it: with_value(it, "duration_seconds", lambda s: s or None)
        ),
        "the hash is not stored": _stored(lambda it: with_value(it, "hash", lambda _: "")),
        "chains are sorted by time": _chains(lambda it: it.at),
        "chains are sorted by id": _chains(lambda it: it.id),
        "chains begin with their last entry": _chains(lambda it: -it.number),
        "chains have their first two entries": returning(
            InMemoryCallLedger, "chains", lambda chains: {task: chain[:2] for task, chain in chains.items()}
        ),
        "chains of all tasks are returned": _ledger(
            chains=lambda self, _: InMemoryCallLedger.chains(self, {it.task_id for it in self._entries.values()})
        ),
        "chains of at most a thousand tasks are returned": _ledger(
            chains=lambda self, ids: InMemoryCallLedger.chains(self, [*ids][:1000])
        ),
        "every chain is an orphan": _ledger(
            first_orphan=lambda self, *_: next(
                (orphan_fault(it.task_id, it.id, it.number) for it in self._entries.values()), None
            )
        ),
        "pages are always sorted by the time of writing": _sorted_by(lambda it: Position(it.at, it.id)),
        "pages are always sorted by the time of the call": _sorted_by(lambda it: Position(it.called_at, it.id)),
        "the filter by agent is ignored": _ledger_filtered(lambda it: replace(it, agent_id=None)),
        "calls of no agent are not filtered": _ledger_filtered(lambda it: replace(it, without_agent=False)),
        "the filter by lead is ignored": _ledger_filtered(lambda it: replace(it, lead_id=None)),
        "the filter by task is ignored": _ledger_filtered(lambda it: replace(it, task_id=None)),
        "the filter by visibility is ignored": _ledger_filtered(lambda it: replace(it, visible_to=None)),
        "the filter by visibility replaces that by agent": _ledger_filtered(
            lambda it: replace(it, agent_id=None) if it.visible_to else it
        ),
        "the filter by result is ignored": _ledger_filtered(lambda it: replace(it, results=frozenset())),
        "the filter by source is ignored": _ledger_filtered(lambda it: replace(it, sources=frozenset())),
        "an unknown source matches nothing": _ledger_filtered(
            lambda it: replace(it, sources=it.sources - {None}) if None in it.sources else it
        ),
        "the filter by attempt is ignored": _ledger_filtered(lambda it: replace(it, attempts=frozenset())),
        "later attempts than the last are not listed": _ledger(
            page=lambda self, filters, request: newest_first(
                [
                    it
                    for it in InMemoryCallLedger.page(self, filters, replace(request, limit=10_000, after=None)).items
                    if not filters.attempts or it.attempt in filters.attempts
                ],
                request,
                filters.position,
            )
        ),
        "the filter by what counts is ignored": _ledger_filtered(
            lambda it: replace(it, counted=None, called_from=it.called_from)
        ),
        "what does not count is not filtered": _ledger_filtered(lambda it: replace(it, counted=it.counted or None)),
        "the filter by the clock is ignored": _ledger_filtered(lambda it: replace(it, clock=None)),
        "the clock is that of UTC": _ledger_filtered(
            lambda it: replace(it, clock=it.clock and replace(it.clock, tz="UTC"))
        ),
        "the hours of the clock are ignored": _ledger_filtered(
            lambda it: replace(it, clock=it.clock and replace(it.clock, hours=frozenset()))
        ),
        "the weekdays of the clock are ignored": _ledger_filtered(
            lambda it: replace(it, clock=it.clock and replace(it.clock, weekdays=frozenset()))
        ),
        "the beginning of the calls is not in the span": _ledger_filtered(
            lambda it: replace(it, called_from=it.called_from and it.called_from + _MICROSECOND)
        ),
        "the end of the calls is in the span": _ledger_filtered(
            lambda it: replace(it, called_to=it.called_to and it.called_to + _MICROSECOND)
        ),
        "the beginning of the entries is not in the span": _ledger_filtered(
            lambda it: replace(it, at_from=it.at_from and it.at_from + _MICROSECOND)
        ),
        "the end of the entries is in the span": _ledger_filtered(
            lambda it: replace(it, at_to=it.at_to and it.at_to + _MICROSECOND)
        ),
        "the end of the entries is ignored": _ledger_filtered(lambda it: replace(it, at_to=None)),
        "the lead of an entry is that of its task": _ledger(
            append=lambda self, entry: InMemoryCallLedger.append(
                self,
                replace(entry, lead_id=self._tasks[entry.task_id].lead_id)
                if entry.task_id in self._tasks
                else raising(Conflict("There is no such task.")),
            )
        ),
        **pages_of(InMemoryCallLedger),
    },
)

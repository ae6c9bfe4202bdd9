"""Rollups, live figures, calls of leads, daily summaries, the activity log and call documents that are broken."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.contracts.broken.making import (
    Port,
    doing_nothing,
    pages_of,
    returning,
    with_methods,
    without_microseconds,
)
from tests.contracts.broken.small_units import units_suite
from unite_core.notifications.ports import EventFilter
from unite_core.reports.ports import FirstCalls, Grain
from unite_core.testing.contracts import (
    ActivityLogContract,
    CallDocumentsContract,
    DailySummariesContract,
    LeadCallsContract,
    LiveFiguresContract,
    RollupsContract,
)
from unite_core.testing.in_memory import InMemoryActivityLog, InMemoryCallDocuments
from unite_core.testing.in_memory.calls import InMemoryLeadCalls
from unite_core.testing.in_memory.reports import InMemoryLiveFigures, InMemoryRollups
from unite_core.testing.in_memory.summaries import InMemoryDailySummaries

MICROSECOND = timedelta(microseconds=1)


def _fold_counting_twice(self: Any, steps: Any, counted: Any) -> None:
    self._add(counted)
    InMemoryRollups.fold(self, steps, counted)


def _fold_first_alone(self: Any, steps: Any, counted: Any) -> None:
    InMemoryRollups.fold(self, steps[:1], counted)


def _add_replacing(self: Any, counted: Any) -> None:
    self._tables.rollups.update(counted)


def _replace_day_alone(self: Any, day: int, counted: Any) -> None:
    for cell in [cell for cell in self._tables.rollups if cell.grain is Grain.DAY and cell.period == day]:
        del self._tables.rollups[cell]
    self._add(counted)


ROLLUPS = Port(
    name="Rollups",
    suite=units_suite(RollupsContract, "rollups", of_changes=False),
    right=InMemoryRollups,
    broken={
        "nothing is folded": doing_nothing(InMemoryRollups, "fold"),
        "nothing is claimed": doing_nothing(InMemoryRollups, "claim", result=[]),
        "entries are counted twice": with_methods(InMemoryRollups, fold=_fold_counting_twice),
        "the first entry alone is marked as folded": with_methods(InMemoryRollups, fold=_fold_first_alone),
        "a count replaces the former one": with_methods(InMemoryRollups, _add=_add_replacing),
        "the results of several questions are mixed up": returning(
            InMemoryRollups, "results", lambda found: [*found][::-1]
        ),
        "the filter by agent is ignored": with_methods(
            InMemoryRollups,
            results=lambda self, questions: InMemoryRollups.results(
                self, [replace(question, agent_id=None) for question in questions]
            ),
        ),
        "days alone are counted anew": with_methods(InMemoryRollups, replace_day=_replace_day_alone),
        "days without rollups are not counted anew": returning(InMemoryRollups, "days", lambda days: days[1:]),
        "what was corrected is counted anew too": returning(
            InMemoryRollups, "recount", lambda rows: [replace(row, calls=max(1, row.calls)) for row in rows]
        ),
        "seconds are not counted": returning(
            InMemoryRollups, "recount", lambda rows: [replace(row, seconds=0) for row in rows]
        ),
        "what is not folded is not known": doing_nothing(InMemoryRollups, "unfolded", result=[]),
    },
)


def _cohort(change: Callable[[Any], Any]) -> Any:
    """Return figures that answer another question."""
    return with_methods(
        InMemoryLiveFigures,
        funnel=lambda self, question: InMemoryLiveFigures.funnel(self, change(question)),
        first_calls=lambda self, question, *, within: InMemoryLiveFigures.first_calls(
            self, change(question), within=within
        ),
    )


def _first_calls(change: Callable[[FirstCalls], FirstCalls]) -> Any:
    return returning(InMemoryLiveFigures, "first_calls", change)


def _overdue(**changes: Any) -> Any:
    return with_methods(InMemoryLiveFigures, **changes)


FIGURES = Port(
    name="LiveFigures",
    suite=units_suite(LiveFiguresContract, "figures", of_changes=False),
    right=InMemoryLiveFigures,
    broken={
        "leads of the end of the cohort are counted": _cohort(
            lambda it: replace(it, created_to=it.created_to + MICROSECOND)
        ),
        "leads of the beginning of the cohort are not counted": _cohort(
            lambda it: replace(it, created_from=it.created_from + MICROSECOND)
        ),
        "the filter by agent is ignored": _cohort(lambda it: replace(it, assigned_to=None)),
        "calls within are those of less than the time": with_methods(
            InMemoryLiveFigures,
            first_calls=lambda self, question, *, within: InMemoryLiveFigures.first_calls(
                self, question, within=within - 1
            ),
        ),
        "waits are rounded down": _first_calls(lambda it: replace(it, p50=it.p50 and it.p50 - 1)),
        "percentiles are means": _first_calls(lambda it: replace(it, p90=it.p50)),
        "leads that were not called are left out": _first_calls(lambda it: replace(it, leads=it.called)),
        "sources are compared without case": returning(
            InMemoryLiveFigures, "funnel", lambda found: {source.upper(): it for source, it in found.items()}
        ),
        "what is due now is overdue": _overdue(
            overdue=lambda self, *, before, assigned_to=None: InMemoryLiveFigures.overdue(
                self, before=before + MICROSECOND, assigned_to=assigned_to
            )
        ),
        "overdue calls of all agents are counted": _overdue(
            overdue=lambda self, *, before, **_: InMemoryLiveFigures.overdue(self, before=before)
        ),
        "closed calls are overdue": _overdue(
            _overdue=lambda self, before, assigned_to: sorted(
                (
                    task
                    for task in self._tables.tasks.values()
                    if task.due_at < before and assigned_to in (None, task.assigned_to)
                ),
                key=lambda task: (task.due_at, task.id),
            )
        ),
        "overdue calls have no limit": _overdue(
            overdue_calls=lambda self, **named: InMemoryLiveFigures.overdue_calls(self, **{**named, "limit": 1000})
        ),
        "deleted leads are named": _overdue(
            _overdue_call=lambda self, task: replace(
                InMemoryLiveFigures._overdue_call(self, task), lead_name=self._tables.leads[task.lead_id].name
            )
        ),
        "inactive users have no name": with_methods(
            InMemoryLiveFigures,
            names=lambda self, ids: {
                it: self._tables.users[it].name
                for it in ids
                if it in self._tables.users and self._tables.users[it].active
            },
        ),
        "unknown users have a name": with_methods(
            InMemoryLiveFigures,
            names=lambda self, ids: {it: self._tables.users[it].name if it in self._tables.users else "" for it in ids},
        ),
    },
)


def _lead_calls_add(change: Callable[..., Any]) -> Any:
    return with_methods(InMemoryLeadCalls, add=change)


def _add_as_first(self: Any, lead_id: Any, outcome: Any, called_at: Any) -> int:
    number: int = InMemoryLeadCalls.add(self, lead_id, outcome, called_at)
    self._counts[lead_id] = replace(self._counts[lead_id], first_called_at=called_at)
    return number


def _correct_outcome_alone(self: Any, wrong: Any, right: Any) -> None:
    first = self._counts[right.lead_id].first_called_at
    InMemoryLeadCalls.correct(self, wrong, right)
    self._counts[right.lead_id] = replace(self._counts[right.lead_id], first_called_at=first)


LEAD_CALLS = Port(
    name="LeadCalls",
    suite=units_suite(LeadCallsContract, "lead_calls"),
    right=InMemoryLeadCalls,
    broken={
        "add does nothing": doing_nothing(InMemoryLeadCalls, "add", result=1),
        "correct does nothing": doing_nothing(InMemoryLeadCalls, "correct"),
        "every call is the first": returning(InMemoryLeadCalls, "add", lambda _: 1),
        "calls are numbered from zero": returning(InMemoryLeadCalls, "add", lambda number: number - 1),
        "the last call counts as the first": _lead_calls_add(_add_as_first),
        "moments are cut to seconds": _lead_calls_add(
            lambda self, lead_id, outcome, called_at: InMemoryLeadCalls.add(
                self, lead_id, outcome, called_at.replace(microsecond=0)
            )
        ),
        "a correction does not change the first call": with_methods(InMemoryLeadCalls, correct=_correct_outcome_alone),
        "a correction counts beside what it corrects": with_methods(
            InMemoryLeadCalls,
            correct=lambda self, _wrong, right: InMemoryLeadCalls.add(
                self, right.lead_id, right.outcome, right.called_at
            ),
        ),
        "calls of at most a thousand leads are looked up": with_methods(
            InMemoryLeadCalls, get=lambda self, ids: InMemoryLeadCalls.get(self, [*ids][:1000])
        ),
    },
)


def _waiting(change: Callable[..., Any]) -> Any:
    return with_methods(InMemoryDailySummaries, waiting=change)


SUMMARIES = Port(
    name="DailySummaries",
    suite=units_suite(DailySummariesContract, "summaries", of_changes=False),
    right=InMemoryDailySummaries,
    broken={
        "nobody waits": doing_nothing(InMemoryDailySummaries, "waiting", result=[]),
        "add does nothing": doing_nothing(InMemoryDailySummaries, "add", result=True),
        "add says that nothing was there": returning(InMemoryDailySummaries, "add", lambda _: True),
        "times are of all users": returning(InMemoryDailySummaries, "times", lambda times: [*times, *times]),
        "zones are ignored": _waiting(
            lambda self, time, day, *, after, limit: sorted(
                user_id
                for user_id, settings in self._settings()
                if settings.at == time.at and settings.since <= day and (user_id, day) not in self._made
                if after is None or user_id > after
            )[:limit]
        ),
        "summaries begin on the day after": _waiting(
            lambda self, time, day, *, after, limit: InMemoryDailySummaries.waiting(
                self, time, day - timedelta(days=1), after=after, limit=limit
            )
        ),
        "the list begins with the given user": _waiting(
            lambda self, time, day, *, after, limit: InMemoryDailySummaries.waiting(
                self, time, day, after=after and type(after)(int=after.int - 1), limit=limit
            )
        ),
        "the list has no limit": _waiting(
            lambda self, time, day, *, after, limit: InMemoryDailySummaries.waiting(
                self, time, day, after=after, limit=limit + 100
            )
        ),
        "a user has one summary for ever": with_methods(
            InMemoryDailySummaries,
            add=lambda self, made: (
                not any(user_id == made.user_id for user_id, _ in self._made) and InMemoryDailySummaries.add(self, made)
            ),
        ),
        "all users have one summary a day": with_methods(
            InMemoryDailySummaries,
            add=lambda self, made: (
                not any(day == made.day for _, day in self._made) and InMemoryDailySummaries.add(self, made)
            ),
        ),
    },
)


def _log_suite(adapter: Any) -> type:
    class Suite(ActivityLogContract):
        @pytest.fixture
        def log(self) -> Any:
            return adapter()

        @pytest.fixture
        def outage(self) -> None:
            return None

        has_ping = False

    return Suite


def _delivering(change: Callable[[Any], Any]) -> Any:
    return with_methods(
        InMemoryActivityLog,
        deliver=lambda self, events, again=(): InMemoryActivityLog.deliver(self, [change(it) for it in events], again),
    )


def _log_pages() -> dict[str, Any]:
    """Return the logs whose lists of an import are broken in the ways in which pages are."""
    base = with_methods(InMemoryActivityLog, page=InMemoryActivityLog.of_import)
    return {what: with_methods(broken, of_import=broken.page) for what, broken in pages_of(base).items()}


def _page_with_all_leads(self: Any, matches: Any, request: Any, lead_ids: Any) -> Any:
    page = InMemoryActivityLog._page(self, matches, request, lead_ids)
    return replace(page, items=[self.events[it.id] for it in page.items])


def _filter_cut_page(self: Any, lead_id: Any, request: Any, visible: Any = None) -> Any:
    everything = InMemoryActivityLog.of_lead(self, lead_id, replace(request, limit=200, after=None), visible)
    page = InMemoryActivityLog.of_lead(self, lead_id, request)
    kept = {it.id for it in everything.items}
    return replace(page, items=[it for it in page.items if it.id in kept])


LOG = Port(
    name="ActivityLog",
    suite=_log_suite,
    right=InMemoryActivityLog,
    broken={
        "moments are cut to milliseconds": _delivering(
            lambda it: replace(it, at=it.at.replace(microsecond=it.at.microsecond // 1000 * 1000))
        ),
        "moments are cut to seconds": _delivering(lambda it: without_microseconds(replace(it))),
        "the actor is not stored": _delivering(lambda it: replace(it, actor_id=None)),
        "the first hundred leads alone are stored": _delivering(lambda it: replace(it, lead_ids=it.lead_ids[:100])),
        "data has sorted names": _delivering(lambda it: replace(it, data=dict(sorted(it.data.items())))),
        "empty data is left out": _delivering(
            lambda it: replace(it, data={name: value for name, value in it.data.items() if value not in ({}, [])})
        ),
        "a repeated event replaces the first": with_methods(
            InMemoryActivityLog,
            deliver=lambda self, events, again=(): (
                [self.events.pop(event.id, None) for event in events],
                InMemoryActivityLog.deliver(self, events, again),
            )[1],
        ),
        "the other leads of an event are returned too": with_methods(InMemoryActivityLog, _page=_page_with_all_leads),
        "the activity of an import has that of its leads": with_methods(
            InMemoryActivityLog,
            of_import=lambda self, import_id, request: self._page(lambda it: it.import_id == import_id, request, ()),
        ),
        "the filter by types is ignored": with_methods(
            InMemoryActivityLog,
            of_lead=lambda self, lead_id, request, visible=None: InMemoryActivityLog.of_lead(
                self, lead_id, request, visible and EventFilter(types=frozenset(), assigned_to=visible.assigned_to)
            ),
        ),
        "pages are filtered after they were cut": with_methods(InMemoryActivityLog, of_lead=_filter_cut_page),
        "a purge has no limit": with_methods(
            InMemoryActivityLog,
            purge=lambda self, *, before, limit: InMemoryActivityLog.purge(self, before=before, limit=limit + 1000),
        ),
        "events of the moment are purged": with_methods(
            InMemoryActivityLog,
            purge=lambda self, *, before, limit: InMemoryActivityLog.purge(
                self, before=before + MICROSECOND, limit=limit
            ),
        ),
        **_log_pages(),
    },
)


def _documents_suite(adapter: Any) -> type:
    class Suite(CallDocumentsContract):
        @pytest.fixture
        def documents(self) -> Any:
            return adapter()

        @pytest.fixture
        def log(self, documents: Any) -> Any:
            return InMemoryActivityLog(documents)

    return Suite


def _store_last(self: Any, documents: Any) -> None:
    for document in documents:
        self.contents[document.task_id] = document.content()


def _replace_always(self: Any, replacements: Any) -> None:
    for stored, replacement in replacements:
        self.contents[stored.id] = replacement.content()


def _remove_always(self: Any, documents: Any) -> None:
    for document in documents:
        self.contents.pop(document.id, None)


DOCUMENTS = Port(
    name="CallDocuments",
    suite=_documents_suite,
    right=InMemoryCallDocuments,
    broken={
        "store does nothing": doing_nothing(InMemoryCallDocuments, "store"),
        "the document that comes last counts": with_methods(InMemoryCallDocuments, store=_store_last),
        "a changed document is replaced": with_methods(InMemoryCallDocuments, replace=_replace_always),
        "a changed document is removed": with_methods(InMemoryCallDocuments, remove=_remove_always),
        "replace does nothing": doing_nothing(InMemoryCallDocuments, "replace"),
        "remove does nothing": doing_nothing(InMemoryCallDocuments, "remove"),
        "calls of the end of the time span are listed": with_methods(
            InMemoryCallDocuments,
            between=lambda self, start, end: InMemoryCallDocuments.between(self, start, end + MICROSECOND),
        ),
        "calls of the beginning of the time span are not listed": with_methods(
            InMemoryCallDocuments,
            between=lambda self, start, end: InMemoryCallDocuments.between(self, start + MICROSECOND, end),
        ),
        "documents of at most a thousand tasks are found": with_methods(
            InMemoryCallDocuments, of_tasks=lambda self, ids: InMemoryCallDocuments.of_tasks(self, [*ids][:1000])
        ),
    },
)

PORTS = (ROLLUPS, FIGURES, LEAD_CALLS, SUMMARIES, LOG, DOCUMENTS)

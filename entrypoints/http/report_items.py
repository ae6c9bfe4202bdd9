"""Where the counts of reports lead: the lists of the API that hold what was counted."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

from entrypoints.http.rendering import moment
from unite_core.calls.model import CallResult, TaskStatus
from unite_core.reports.model import CallItems, Items, LeadItems, TaskItems
from unite_core.unset import UNSET, Unset

CALL_LOGS = "/v1/call-logs"
LEADS = "/v1/leads"
CALL_TASKS = "/v1/call-tasks"
NONE = "none"
"""What a filter says for nobody."""

CACHED_SCOPES = 4096
"""A report has thousands of lists, but several of each scope, which differ in their results alone."""


def items_url(items: Items) -> str:
    """The list, as a path with its query: each entry on its pages was counted, and no other."""
    if isinstance(items, CallItems):
        of_scope = _calls_of_scope(
            items.start, items.end, items.agent_id, items.source, items.attempt, items.hours, items.weekdays, items.tz
        )
        return f"{of_scope}{_of_results(items.results)}"
    if isinstance(items, LeadItems):
        return _address(LEADS, _leads(items))
    return _address(CALL_TASKS, _tasks(items))


def _address(path: str, query: Mapping[str, str | None]) -> str:
    given = [f"{name}={quote_plus(value)}" for name, value in query.items() if value is not None]
    return f"{path}?{'&'.join(given)}"


@lru_cache(maxsize=CACHED_SCOPES)
def _calls_of_scope(
    start: datetime,
    end: datetime,
    agent_id: UUID | None | Unset,
    source: str | None | Unset,
    attempt: int | None | Unset,
    hours: frozenset[int],
    weekdays: frozenset[int],
    tz: str,
) -> str:
    """The list of all calls of a scope, whatever their results."""
    query = {
        "counted": "true",
        "from": moment(start),
        "to": moment(end),
        "agent": _one(agent_id),
        "source": None if isinstance(source, Unset) else _source(source),
        "attempt": _one(attempt),
        "hour": _listed(hours),
        "weekday": _listed(weekdays),
        "tz": tz if hours or weekdays else None,
    }
    return _address(CALL_LOGS, query)


@lru_cache(maxsize=CACHED_SCOPES)
def _of_results(results: frozenset[CallResult]) -> str:
    return f"&result={quote_plus(','.join(sorted(results)))}" if results else ""


def _leads(items: LeadItems) -> Mapping[str, str | None]:
    return {
        "created_from": moment(items.start),
        "created_to": moment(items.end),
        "source": None if isinstance(items.source, Unset) else _quoted(items.source),
        "called": "true" if items.called else None,
        "call_result": _listed(items.results),
        "called_within": None if items.within is None else str(items.within),
    }


def _tasks(items: TaskItems) -> Mapping[str, str | None]:
    return {"status": TaskStatus.PENDING.value, "due_to": moment(items.due_before)}


def _one(value: object) -> str | None:
    if value is UNSET:
        return None
    return NONE if value is None else str(value)


def _source(source: str | None) -> str:
    """The source as a list of one value; an empty one is no known source."""
    return "" if source is None else _quoted(source)


def _quoted(source: str) -> str:
    return '"' + source.replace('"', '""') + '"'


def _listed(values: frozenset[Any]) -> str | None:
    return ",".join(str(value) for value in sorted(values)) or None

"""URLs of the API lists with the items that a report has counted."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

from unite_core.calls.model import CallResult, TaskStatus
from unite_core.clock import rfc3339
from unite_core.reports.model import CallItems, Items, LeadItems, TaskItems
from unite_core.unset import UNSET, Unset

CALL_LOGS = "/v1/call-logs"
LEADS = "/v1/leads"
CALL_TASKS = "/v1/call-tasks"
NONE = "none"
"""The filter value for items without a user."""

CACHED_SCOPES = 4096
"""The size of the cache: a report has thousands of lists, but many have the same scope and differ only in results."""


def items_url(items: Items) -> str:
    """Return the path and query of the list that contains exactly the counted items."""
    if isinstance(items, CallItems):
        scope = _calls_of_scope(
            items.start, items.end, items.agent_id, items.source, items.attempt, items.hours, items.weekdays, items.tz
        )
        return f"{scope}{_of_results(items.results)}"
    if isinstance(items, LeadItems):
        return _url(LEADS, _leads(items))
    return _url(CALL_TASKS, _tasks(items))


def _url(path: str, query: Mapping[str, str | None]) -> str:
    parameters = [f"{name}={quote_plus(value)}" for name, value in query.items() if value is not None]
    return f"{path}?{'&'.join(parameters)}"


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
    """Return the URL of all calls of a scope, with any result."""
    query = {
        "counted": "true",
        "from": rfc3339(start),
        "to": rfc3339(end),
        "agent": _value_or_none(agent_id),
        "source": None if isinstance(source, Unset) else _source(source),
        "attempt": _value_or_none(attempt),
        "hour": _listed(hours),
        "weekday": _listed(weekdays),
        "tz": tz if hours or weekdays else None,
    }
    return _url(CALL_LOGS, query)


@lru_cache(maxsize=CACHED_SCOPES)
def _of_results(results: frozenset[CallResult]) -> str:
    return f"&result={quote_plus(','.join(sorted(results)))}" if results else ""


def _leads(items: LeadItems) -> Mapping[str, str | None]:
    return {
        "created_from": rfc3339(items.start),
        "created_to": rfc3339(items.end),
        "source": None if isinstance(items.source, Unset) else _quoted(items.source),
        "called": "true" if items.called else None,
        "call_result": _listed(items.results),
        "called_within": None if items.within is None else str(items.within),
    }


def _tasks(items: TaskItems) -> Mapping[str, str | None]:
    return {"status": TaskStatus.PENDING.value, "due_to": rfc3339(items.due_before)}


def _value_or_none(value: object) -> str | None:
    if value is UNSET:
        return None
    return NONE if value is None else str(value)


def _source(source: str | None) -> str:
    """Return the source as a filter value; an empty one means an unknown source."""
    return "" if source is None else _quoted(source)


def _quoted(source: str) -> str:
    return '"' + source.replace('"', '""') + '"'


def _listed(values: frozenset[Any]) -> str | None:
    return ",".join(str(value) for value in sorted(values)) or None

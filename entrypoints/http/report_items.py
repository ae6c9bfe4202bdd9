"""Where the counts of reports lead: the lists of the API that hold what was counted."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

from entrypoints.http.rendering import moment
from unite_core.calls.model import TaskStatus
from unite_core.reports.model import CallItems, Items, LeadItems, TaskItems
from unite_core.unset import UNSET, Unset

CALL_LOGS = "/v1/call-logs"
LEADS = "/v1/leads"
CALL_TASKS = "/v1/call-tasks"
NONE = "none"
"""What a filter says for nobody."""

CACHED_VALUES = 4096
"""A report has thousands of lists, and few values in their queries: each is encoded once."""


def items_url(items: Items) -> str:
    """The list, as a path with its query: each entry on its pages was counted, and no other."""
    path, query = _list_of(items)
    given = [f"{name}={_encoded(value)}" for name, value in query.items() if value is not None]
    return f"{path}?{'&'.join(given)}"


def _list_of(items: Items) -> tuple[str, Mapping[str, str | None]]:
    if isinstance(items, CallItems):
        return CALL_LOGS, _calls(items)
    if isinstance(items, LeadItems):
        return LEADS, _leads(items)
    return CALL_TASKS, _tasks(items)


def _calls(items: CallItems) -> Mapping[str, str | None]:
    on_clocks = bool(items.hours or items.weekdays)
    return {
        "counted": "true",
        "from": _moment(items.start),
        "to": _moment(items.end),
        "result": _listed(items.results),
        "agent": _one(items.agent_id),
        "source": None if isinstance(items.source, Unset) else _source(items.source),
        "attempt": _one(items.attempt),
        "hour": _listed(items.hours),
        "weekday": _listed(items.weekdays),
        "tz": items.tz if on_clocks else None,
    }


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


@lru_cache(maxsize=CACHED_VALUES)
def _encoded(value: str) -> str:
    return quote_plus(value)


@lru_cache(maxsize=CACHED_VALUES)
def _moment(at: datetime) -> str:
    return moment(at)


def _one(value: object) -> str | None:
    if value is UNSET:
        return None
    return NONE if value is None else str(value)


def _source(source: str | None) -> str:
    """The source as a list of one value; an empty one is no known source."""
    return "" if source is None else _quoted(source)


def _quoted(source: str) -> str:
    return '"' + source.replace('"', '""') + '"'


@lru_cache(maxsize=CACHED_VALUES)
def _listed(values: frozenset[Any]) -> str | None:
    return ",".join(str(value) for value in sorted(values)) or None

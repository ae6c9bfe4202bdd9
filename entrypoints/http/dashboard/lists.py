"""Pages of the lists of calls, call tasks and leads, with the queries and cursors of the API."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, request

from entrypoints.http.call_logs.routes import ledger_filter
from entrypoints.http.call_logs.schemas import CallLogQuery
from entrypoints.http.call_tasks.routes import task_filter
from entrypoints.http.call_tasks.schemas import CallTaskQuery
from entrypoints.http.dashboard.day import zone_or_default
from entrypoints.http.dashboard.list_descriptions import ListDescription
from entrypoints.http.dashboard.pages import page, signed_in_page
from entrypoints.http.dashboard.sections import user_names
from entrypoints.http.framework.context import actor, unite
from entrypoints.http.framework.paging import page_request, write_cursor
from entrypoints.http.leads.routes import lead_filter
from entrypoints.http.leads.schemas import LeadQuery
from unite_core.paging import Page


@page("/dashboard/calls", query=CallLogQuery)
def calls_page(query: dict[str, Any]) -> Response:
    """Show the call log."""
    entries = unite().calls.list_logs(actor(), ledger_filter(query), page_request(query))
    return _list_page("calls.html", entries, query, (entry.agent_id for entry in entries.items))


@page("/dashboard/tasks", query=CallTaskQuery)
def tasks_page(query: dict[str, Any]) -> Response:
    """Show call tasks."""
    tasks = unite().calls.list(actor(), task_filter(query), page_request(query))
    return _list_page("tasks.html", tasks, query, (view.task.assigned_to for view in tasks.items))


@page("/dashboard/leads", query=LeadQuery)
def leads_page(query: dict[str, Any]) -> Response:
    """Show leads."""
    leads = unite().leads.list(actor(), lead_filter(query), page_request(query))
    return _list_page("leads.html", leads, query, (lead.assigned_to for lead in leads.items))


def _list_page(
    template: str, page_of_items: Page[Any], query: dict[str, Any], users: Iterable[UUID | None]
) -> Response:
    zone = ZoneInfo(zone_or_default())
    names = user_names({user for user in (*users, *_users_in(query)) if user is not None})
    description = ListDescription(query, names, zone)
    return signed_in_page(
        template,
        items=page_of_items.items,
        names=names,
        zone=zone,
        tz=zone.key,
        back=description.back(),
        conditions=description.conditions(),
        filters=[(name, value) for name, value in request.args.items() if name not in ("cursor", "limit")],
        next=None if page_of_items.next is None else _next_page(write_cursor(page_of_items.next)),
        is_first="cursor" not in request.args,
    )


def _users_in(query: dict[str, Any]) -> list[UUID | None]:
    """Return the users that the query names."""
    assigned: list[UUID | None] = query.get("assigned_to") or []
    return [*assigned, query.get("agent")]


def _next_page(cursor: str) -> str:
    filters = [(name, value) for name, value in request.args.items() if name != "cursor"]
    return f"{request.path}?{urlencode([*filters, ('cursor', cursor)])}"

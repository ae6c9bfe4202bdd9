"""Routes for the call log: entries, corrections and verified ledgers."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response

from entrypoints.http.call_logs.schemas import (
    CORRECTION_BODY_EXAMPLE,
    CORRECTION_EXAMPLE,
    ENTRY_EXAMPLE,
    LEDGER_EXAMPLE,
    CallLogPageSchema,
    CallLogQuery,
    CallLogSchema,
    CorrectionSchema,
    LedgerSchema,
    call_log_json,
    ledger_json,
)
from entrypoints.http.call_tasks.routes import ONE as ONE_TASK
from entrypoints.http.framework.context import actor, unite
from entrypoints.http.framework.idempotency import ResponseContent, ResponsePlan, check_readable, run_use_case
from entrypoints.http.framework.json_responses import json_response
from entrypoints.http.framework.operation_docs import ResponseDoc
from entrypoints.http.framework.operations import OperationGroup
from entrypoints.http.framework.paging import page_request, page_response
from entrypoints.http.framework.query_string import query_error
from entrypoints.http.leads.routes import source_filter
from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.ports import ClockFilter, LedgerFilter
from unite_core.calls.queries import GetLedger, ListCallLogs
from unite_core.calls.use_cases import CorrectCallLog, Correction
from unite_core.errors import FieldError
from unite_core.periods import MAX_DAYS, UNKNOWN_ZONE_DETAIL
from unite_core.zones import DEFAULT_ZONE, UNKNOWN_ZONE, zone_names

PATH = "/v1/call-logs"

operations = OperationGroup("call log", "The immutable log of calls and its corrections.")


@operations.operation(
    "GET",
    PATH,
    use_case=ListCallLogs,
    query=CallLogQuery,
    responses=[
        ResponseDoc(
            status=200,
            schema=CallLogPageSchema,
            example={"items": [ENTRY_EXAMPLE], "next_cursor": None},
            headers=("Link",),
        )
    ],
)
def list_call_logs(query: dict[str, Any]) -> Response:
    """List call log entries."""
    page = unite().calls.list_logs(actor(), ledger_filter(query), page_request(query))
    return page_response(map(call_log_json, page.items), page.next)


def _clock(query: Mapping[str, Any]) -> ClockFilter | None:
    """Return the filter for hours and weekdays, or None; raise `MalformedParameter` if the days are missing."""
    tz = query.get("tz", DEFAULT_ZONE)
    if tz not in zone_names():
        raise query_error([FieldError(field="tz", code=UNKNOWN_ZONE, detail=UNKNOWN_ZONE_DETAIL)])
    clock_parameters = [name for name in ("hour", "weekday") if query.get(name)]
    if not clock_parameters:
        return None
    missing = [name for name, key in (("from", "from_"), ("to", "to")) if key not in query]
    if missing:
        detail = f"{clock_parameters[0]} requires from and to: give both."
        raise query_error([FieldError(field=name, code="required", detail=detail) for name in missing])
    if query["to"] - query["from_"] > timedelta(days=MAX_DAYS + 1):
        detail = f"With {clock_parameters[0]} the time from `from` to `to` is at most {MAX_DAYS} days."
        raise query_error([FieldError(field="to", code="span_too_long", detail=detail)])
    hours, weekdays = (frozenset(query.get(name, ())) for name in ("hour", "weekday"))
    return ClockFilter(tz=tz, hours=hours, weekdays=weekdays)


def _sources(names: Sequence[str]) -> frozenset[str | None]:
    unknown: frozenset[str | None] = frozenset({None} if "" in names else ())
    return unknown | source_filter(source for source in names if source)


@operations.operation(
    "POST",
    f"{PATH}/<uuid:entry_id>/corrections",
    use_case=CorrectCallLog,
    body=CorrectionSchema,
    body_example=CORRECTION_BODY_EXAMPLE,
    responses=[
        ResponseDoc(status=200, schema=CallLogSchema, example=CORRECTION_EXAMPLE, description="The correction.")
    ],
    problems=["forbidden", "nothing_to_correct", "too_many_corrections"],
)
def correct_call_log(entry_id: UUID, body: dict[str, Any]) -> Response:
    """Correct a call log entry."""
    answering = ResponsePlan(_corrected, check_readable(unite().calls.get_log_entry))
    return run_use_case(unite().calls.correct, answering, Correction(entry_id=entry_id, **body))


def _corrected(entry: LedgerEntry) -> ResponseContent:
    return ResponseContent(200, call_log_json(entry))


@operations.operation(
    "GET",
    f"{ONE_TASK}/ledger",
    use_case=GetLedger,
    responses=[ResponseDoc(status=200, schema=LedgerSchema, example=LEDGER_EXAMPLE)],
)
def get_ledger(task_id: UUID) -> Response:
    """Get a call task's ledger."""
    return json_response(ledger_json(unite().calls.get_ledger(actor(), task_id)))


def ledger_filter(query: Mapping[str, Any]) -> LedgerFilter:
    """Return the filter for a query of `CallLogQuery`."""
    return LedgerFilter(
        agent_id=query.get("agent"),
        without_agent="agent" in query and query["agent"] is None,
        lead_id=query.get("lead_id"),
        task_id=query.get("task_id"),
        called_from=query.get("from_"),
        called_to=query.get("to"),
        at_from=query.get("recorded_from"),
        at_to=query.get("recorded_to"),
        results=frozenset(query.get("result", ())),
        sources=_sources(query.get("source", ())),
        attempts=frozenset(query.get("attempt", ())),
        counted=query.get("counted"),
        clock=_clock(query),
    )

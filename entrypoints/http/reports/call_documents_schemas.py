"""Schemas of the reports from call documents: activity and reconciliation."""

from marshmallow import fields

from entrypoints.http.framework.fields import Body, Choice, Id, ListOf, ObjectOf, Text, WholeNumber
from entrypoints.http.reports.schemas import CountSchema, ReportSchema, SpanSchema
from unite_core.calls.model import CallResult
from unite_core.reports.differences import DifferenceKind
from unite_core.reports.reconciliation import MAX_DIFFERENCES


class ActivityFiguresSchema(Body):
    """The calls of an agent."""

    calls = ObjectOf(CountSchema, required=True, metadata={"description": "Calls that were made or missed."})
    completed = ObjectOf(CountSchema, required=True)
    missed = ObjectOf(CountSchema, required=True)
    contacts = ObjectOf(CountSchema, required=True)
    conversions = ObjectOf(CountSchema, required=True)
    duration_seconds = WholeNumber(
        required=True, minimum=0, metadata={"description": "The total duration of the calls."}
    )


class ActivityDaySchema(ActivityFiguresSchema):
    """The calls of an agent on one day."""

    date = fields.Date(required=True)


class AgentActivitySchema(ActivityFiguresSchema):
    """The calls of one agent, in total and for each day with calls."""

    agent_id = Id(required=True, allow_none=True, metadata={"description": "null: the calls of no agent."})
    name = Text(required=True, allow_none=True)
    by_day = ListOf(ActivityDaySchema, required=True)


class ActivityReportSchema(SpanSchema):
    """The calls of each agent by day. With MongoDB a call is included after its event has reached MongoDB."""

    agents = ListOf(AgentActivitySchema, required=True)


_RESULT_FIELDS = {it.value: WholeNumber(required=True) for it in CallResult}


class ResultNumbersSchema(Body.from_dict(_RESULT_FIELDS, name="ResultsBody")):  # type: ignore[misc]  # marshmallow's
    """The number of calls by result."""


class StoreFiguresSchema(Body):
    """The calls of the day in one store."""

    total_calls = WholeNumber(required=True)
    completed = WholeNumber(required=True)
    missed = WholeNumber(required=True)
    cancelled = WholeNumber(required=True)
    duration_seconds = WholeNumber(required=True)
    by_result = ObjectOf(ResultNumbersSchema, required=True)


class DifferenceSchema(Body):
    """One difference between the call documents and the call ledger."""

    kind = Choice(DifferenceKind, required=True)
    task_id = Id(required=True, allow_none=True, metadata={"description": "null if the document has no task."})
    entry_id = Id(required=True, allow_none=True)
    field = Text(required=True, allow_none=True, metadata={"description": "The field of the document that differs."})
    expected = Text(required=True, allow_none=True, metadata={"description": "The value in the ledger, as text."})
    found = Text(required=True, allow_none=True, metadata={"description": "The value in the document, as text."})


class ReconciliationSchema(ReportSchema):
    """The same day from the rollups, from the call ledger and from the call documents."""

    date = fields.Date(required=True)
    equal = fields.Boolean(
        required=True, metadata={"description": "Whether all stores are equal, except for the `pending` calls."}
    )
    rollups = ObjectOf(StoreFiguresSchema, required=True)
    ledger = ObjectOf(StoreFiguresSchema, required=True)
    documents = ObjectOf(
        StoreFiguresSchema, required=True, allow_none=True, metadata={"description": "null without MongoDB."}
    )
    pending = WholeNumber(
        required=True, minimum=0, metadata={"description": "Calls whose last event has not reached the documents yet."}
    )
    number_of_differences = WholeNumber(required=True, minimum=0)
    differences = ListOf(
        DifferenceSchema, required=True, metadata={"description": f"The first {MAX_DIFFERENCES} differences."}
    )

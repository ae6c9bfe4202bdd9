"""Schemas of the reports on calls and leads, and of their queries."""

from marshmallow import fields

from entrypoints.http.framework.fields import Body, Choice, Id, ListOf, ObjectOf, Query, Text, Timestamp, WholeNumber
from unite_core.calls.model import CallResult
from unite_core.periods import MAX_DAYS
from unite_core.reports.daily import OUTCOMES
from unite_core.reports.leaderboard import DEFAULT_METRIC, LEADERBOARD_METRICS

_ZONE = {"description": "The time zone of days and hours, an IANA name.", "default": "UTC"}
_DATE = {"type": "string", "format": "date"}


class ZonedQuery(Query):
    """The query of a report in a time zone."""

    tz = Text(metadata=_ZONE)


class DayQuery(ZonedQuery):
    """The query of a report on one day."""

    date = Text(metadata={**_DATE, "description": "The day, YYYY-MM-DD; today in `tz` by default."})


class PeriodQuery(ZonedQuery):
    """The query of a report on a period."""

    from_ = Text(data_key="from", metadata={**_DATE, "description": "The first day, YYYY-MM-DD; `to` by default."})
    to = Text(
        metadata={**_DATE, "description": f"The last day, which is included; up to {MAX_DAYS} days. Today by default."}
    )


class LeaderboardQuery(PeriodQuery):
    """The query of the leaderboard: a period and a metric."""

    metric = Text(
        metadata={
            "enum": list(LEADERBOARD_METRICS),
            "default": DEFAULT_METRIC,
            "description": "The metric for the ranking; `GET /v1/reports/metrics` defines it.",
        }
    )


class CountSchema(Body):
    """A count with a link to the counted items."""

    value = WholeNumber(required=True, minimum=0)
    items_url = Text(
        required=True,
        metadata={"format": "uri-reference", "description": "The list of the counted entries."},
    )


class RateSchema(Body):
    """A rate: a numerator over a denominator."""

    value = fields.Float(
        required=True, allow_none=True, metadata={"description": "The quotient; null if the denominator is 0."}
    )
    numerator = WholeNumber(required=True, minimum=0)
    denominator = WholeNumber(required=True, minimum=0)


def _count(description: str | None = None) -> ObjectOf:
    return ObjectOf(CountSchema, required=True, metadata={"description": description} if description else {})


def _rate() -> ObjectOf:
    return ObjectOf(RateSchema, required=True)


class ReportSchema(Body):
    """The time zone, freshness and version of a report."""

    tz = Text(required=True, metadata={"description": "The time zone of days and hours."})
    complete_through = Timestamp(
        required=True, metadata={"description": "The report contains every call that was completed until then."}
    )
    generated_at = Timestamp(required=True)
    version = Text(required=True, metadata={"description": "Changes only with the content of the report."})
    restated_at = Timestamp(
        required=True,
        allow_none=True,
        metadata={"description": "The last change of a day of the report after its end; null if there was none."},
    )


class SpanSchema(ReportSchema):
    """The days that a report is about, both included."""

    from_ = fields.Date(required=True, data_key="from")
    to = fields.Date(required=True)


class FiguresSchema(Body):
    """The figures of some calls, without their total."""

    completed = _count("Calls that were made.")
    missed = _count("Calls that nobody made in time.")
    contacts = _count("Calls in which the agent spoke with the lead.")
    conversions = _count("Calls in which the lead was converted.")
    completion_rate = _rate()
    contact_rate = _rate()
    average_duration_seconds = _rate()


class AgentFiguresSchema(FiguresSchema):
    """The figures of one agent."""

    agent_id = Id(required=True, allow_none=True, metadata={"description": "null: the calls of no agent."})
    name = Text(required=True, allow_none=True)
    total = _count("Calls that were made or missed.")


class OutcomesSchema(Body.from_dict({result.value: _count() for result in OUTCOMES}, name="OutcomesBody")):  # type: ignore[misc]  # marshmallow makes the class
    """The number of calls by outcome."""


class HourSchema(Body):
    """The calls of one hour of the day."""

    starts_at = Timestamp(
        required=True, metadata={"description": "The start of the hour; when clocks go back, an hour occurs twice."}
    )
    hour = WholeNumber(required=True, minimum=0, maximum=23)
    attempts = _count()
    contacts = _count()


class DailySchema(ReportSchema, FiguresSchema):
    """The report of one day. A call belongs to the day on which it began, a missed call to the day it was due."""

    date = fields.Date(required=True)
    total_calls = _count("Calls that were made or missed.")
    cancelled = _count("Calls that were cancelled; no total includes them.")
    by_agent = ListOf(AgentFiguresSchema, required=True)
    by_outcome = ObjectOf(OutcomesSchema, required=True)
    by_hour = ListOf(HourSchema, required=True)


class BusyAgentSchema(Body):
    """An agent who made the most calls."""

    agent_id = Id(required=True)
    name = Text(required=True, allow_none=True)
    calls = _count()


class ClockTimeSchema(Body):
    """The calls made in one hour of the day, on one weekday, or in one hour of one weekday."""

    weekday = WholeNumber(minimum=1, maximum=7, metadata={"description": "1 is Monday."})
    hour = WholeNumber(minimum=0, maximum=23)
    attempts = _count()
    contacts = _count()
    contact_rate = _rate()


class TrendDaySchema(FiguresSchema):
    """The figures of one day."""

    date = fields.Date(required=True)
    total_calls = _count()


class SourceConversionSchema(Body):
    """The calls made to leads of one source."""

    source = Text(required=True, allow_none=True, metadata={"description": "null: unknown."})
    attempts = _count()
    conversions = _count()
    conversion_rate = _rate()


class InsightsSchema(SpanSchema, FiguresSchema):
    """The insights of a period. If several agents or hours share the first place, all of them are listed."""

    total_calls = _count()
    busiest_agents = ListOf(BusyAgentSchema, required=True)
    busiest_hours = ListOf(ClockTimeSchema, required=True)
    busiest_weekdays = ListOf(ClockTimeSchema, required=True)
    best_hours_to_connect = ListOf(ClockTimeSchema, required=True)
    trend = ListOf(TrendDaySchema, required=True)
    conversion_by_source = ListOf(SourceConversionSchema, required=True)
    overdue_now = _count("Pending call tasks whose due time has passed.")


class StagesSchema(Body):
    """The number of leads, and of those that were called, contacted and converted."""

    leads = _count()
    called = _count()
    contacted = _count()
    converted = _count()
    contact_rate = _rate()
    conversion_rate = _rate()


class SourceStagesSchema(StagesSchema):
    """The leads of one source."""

    source = Text(required=True)


class FunnelSchema(SpanSchema):
    """The stages of the leads that were created in the period."""

    total = ObjectOf(StagesSchema, required=True)
    by_source = ListOf(SourceStagesSchema, required=True)


class AttemptSchema(Body):
    """The calls with the same attempt number."""

    attempt = WholeNumber(
        required=True, minimum=1, maximum=5, metadata={"description": "5 includes all later attempts."}
    )
    attempts = _count()
    contacts = _count()
    conversions = _count()
    contact_rate = _rate()
    conversion_rate = _rate()


class AttemptsReportSchema(SpanSchema):
    """The results of the first, second … fifth and later calls to a lead."""

    attempts = ListOf(AttemptSchema, required=True)


class SpeedToLeadSchema(SpanSchema):
    """The time until the first call of the leads that were created in the period."""

    leads = _count()
    called = _count()
    within_5_minutes = _count()
    share_within_5_minutes = _rate()
    p50_seconds = WholeNumber(
        required=True, allow_none=True, metadata={"description": "Half of the called leads waited no longer."}
    )
    p90_seconds = WholeNumber(
        required=True, allow_none=True, metadata={"description": "Nine in ten called leads waited no longer."}
    )


class HeatmapSchema(SpanSchema):
    """The calls of each hour of the week, starting on Monday at 0:00."""

    cells = ListOf(ClockTimeSchema, required=True)
    best_hours = ListOf(ClockTimeSchema, required=True)


class PlaceSchema(Body):
    """An agent's rank by a metric."""

    rank = WholeNumber(
        required=True, allow_none=True, minimum=1, metadata={"description": "Agents with the same value share it."}
    )
    agent_id = Id(required=True)
    name = Text(required=True, allow_none=True)
    value = fields.Raw(
        required=True,
        metadata={
            "type": "object",
            "description": "Depending on the metric, a count with its `items_url`, or a rate with numerator and "
            "denominator.",
        },
    )
    completed = _count()


class LeaderboardSchema(SpanSchema):
    """The agents with calls in the period, highest value first."""

    metric = Text(required=True)
    agents = ListOf(PlaceSchema, required=True)


class FlagSchema(Body):
    """A property of calls that follows from their result."""

    name = Text(required=True)
    meaning = Text(required=True)


class ResultDefinitionSchema(Body):
    """A result of a call, and the flags of calls with this result."""

    result = Choice(CallResult, required=True)
    flags = fields.List(Text(), required=True)


class MeasureSchema(Body):
    """The calls that have at least one of the flags."""

    meaning = Text(required=True)
    flags = fields.List(Text(), required=True)


class CountMetricSchema(MeasureSchema):
    """A metric that counts calls."""

    name = Text(required=True)


class RateMetricSchema(Body):
    """A metric that is a numerator over a denominator."""

    name = Text(required=True)
    numerator = ObjectOf(MeasureSchema, required=True)
    denominator = ObjectOf(MeasureSchema, required=True)
    unit = Text(required=True, metadata={"enum": ["share", "seconds"]})


class MetricsSchema(Body):
    """The definitions of all metrics."""

    flags = ListOf(FlagSchema, required=True)
    results = ListOf(ResultDefinitionSchema, required=True)
    counts = ListOf(CountMetricSchema, required=True)
    rates = ListOf(RateMetricSchema, required=True)

"""Reports as the API describes them."""

from marshmallow import fields

from entrypoints.http.fields import Body, Choice, Id, ListOf, ObjectOf, Query, Text, Timestamp, WholeNumber
from unite_core.calls.model import CallResult
from unite_core.days import MAX_DAYS
from unite_core.reports.daily import OUTCOMES
from unite_core.reports.leaderboard import DEFAULT_METRIC, LEADERBOARD_METRICS

_ZONE = {"description": "The time zone that days and hours follow, by its IANA name.", "default": "UTC"}
_DATE = {"type": "string", "format": "date"}


class ZonedQuery(Query):
    """A report of some days of a time zone."""

    tz = Text(metadata=_ZONE)


class DayQuery(ZonedQuery):
    """Which day a report is about."""

    date = Text(metadata={**_DATE, "description": "The day, YYYY-MM-DD; today there where it is left out."})


class PeriodQuery(ZonedQuery):
    """Which days a report is about."""

    from_ = Text(data_key="from", metadata={**_DATE, "description": "The first day, YYYY-MM-DD; that in `to` alone."})
    to = Text(
        metadata={**_DATE, "description": f"The last day, which is included; up to {MAX_DAYS} days. Today by default."}
    )


class LeaderboardQuery(PeriodQuery):
    """Which days and which metric a leaderboard is about."""

    metric = Text(
        metadata={
            "enum": list(LEADERBOARD_METRICS),
            "default": DEFAULT_METRIC,
            "description": "What agents are ranked by, as `GET /v1/reports/metrics` defines it.",
        }
    )


class CountSchema(Body):
    """A number, and where what it has counted is listed."""

    value = WholeNumber(required=True, minimum=0)
    items_url = Text(
        required=True,
        metadata={"format": "uri-reference", "description": "A list of exactly so many entries."},
    )


class RateSchema(Body):
    """A numerator over a denominator."""

    value = fields.Float(
        required=True, allow_none=True, metadata={"description": "The quotient; null where the denominator is 0."}
    )
    numerator = WholeNumber(required=True, minimum=0)
    denominator = WholeNumber(required=True, minimum=0)


def _count(description: str | None = None) -> ObjectOf:
    return ObjectOf(CountSchema, required=True, metadata={"description": description} if description else {})


def _rate() -> ObjectOf:
    return ObjectOf(RateSchema, required=True)


class ReportSchema(Body):
    """How fresh a report is."""

    tz = Text(required=True, metadata={"description": "The time zone that days and hours follow."})
    complete_through = Timestamp(
        required=True, metadata={"description": "Every call that was answered until then is in the report."}
    )
    generated_at = Timestamp(required=True)
    version = Text(required=True, metadata={"description": "Changes with what the report says, and only then."})
    restated_at = Timestamp(
        required=True,
        allow_none=True,
        metadata={"description": "When a day of the report was last changed after it had ended; null: never."},
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

    agent_id = Id(required=True, allow_none=True, metadata={"description": "null: the calls that were nobody's."})
    name = Text(required=True, allow_none=True)
    total = _count("Calls that were made or missed.")


class OutcomesSchema(Body.from_dict({result.value: _count() for result in OUTCOMES}, name="OutcomesBody")):  # type: ignore[misc]  # marshmallow makes the class
    """How many calls had each outcome."""


class HourSchema(Body):
    """The calls of one hour on the clocks."""

    starts_at = Timestamp(
        required=True, metadata={"description": "When it began; an hour comes twice when clocks go back."}
    )
    hour = WholeNumber(required=True, minimum=0, maximum=23)
    attempts = _count()
    contacts = _count()


class DailySchema(ReportSchema, FiguresSchema):
    """The report of one day. A call belongs to the day on which it began, a missed one to that when it was due."""

    date = fields.Date(required=True)
    total_calls = _count("Calls that were made or missed.")
    cancelled = _count("Calls that were cancelled, which are in no total.")
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

    source = Text(required=True, allow_none=True, metadata={"description": "null where none is known."})
    attempts = _count()
    conversions = _count()
    conversion_rate = _rate()


class InsightsSchema(SpanSchema, FiguresSchema):
    """What stands out in a period. Where several share the first place all of them are named."""

    total_calls = _count()
    busiest_agents = ListOf(BusyAgentSchema, required=True)
    busiest_hours = ListOf(ClockTimeSchema, required=True)
    busiest_weekdays = ListOf(ClockTimeSchema, required=True)
    best_hours_to_connect = ListOf(ClockTimeSchema, required=True)
    trend = ListOf(TrendDaySchema, required=True)
    conversion_by_source = ListOf(SourceConversionSchema, required=True)
    overdue_now = _count("Pending call tasks that are past their time now.")


class StagesSchema(Body):
    """How many leads there are, and how many of them were called, contacted and converted."""

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
    """How far the leads came that were created in the period."""

    total = ObjectOf(StagesSchema, required=True)
    by_source = ListOf(SourceStagesSchema, required=True)


class AttemptSchema(Body):
    """The calls that were the so-many-th one to their lead."""

    attempt = WholeNumber(
        required=True, minimum=1, maximum=5, metadata={"description": "5 stands for all later calls, too."}
    )
    attempts = _count()
    contacts = _count()
    conversions = _count()
    contact_rate = _rate()
    conversion_rate = _rate()


class AttemptsReportSchema(SpanSchema):
    """What the first, second … fifth and later call to a lead achieves."""

    attempts = ListOf(AttemptSchema, required=True)


class SpeedToLeadSchema(SpanSchema):
    """How soon the leads created in the period were called first."""

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
    """The calls of each hour of the week, from Monday 0:00 on."""

    cells = ListOf(ClockTimeSchema, required=True)
    best_hours = ListOf(ClockTimeSchema, required=True)


class PlaceSchema(Body):
    """An agent's place in the order of a metric."""

    rank = WholeNumber(
        required=True, allow_none=True, minimum=1, metadata={"description": "Agents with the same value share it."}
    )
    agent_id = Id(required=True)
    name = Text(required=True, allow_none=True)
    value = fields.Raw(
        required=True,
        metadata={
            "type": "object",
            "description": "A count with its `items_url`, or a rate with numerator and denominator, as the metric is.",
        },
    )
    completed = _count()


class LeaderboardSchema(SpanSchema):
    """The agents with calls in the period, the highest value first."""

    metric = Text(required=True)
    agents = ListOf(PlaceSchema, required=True)


class FlagSchema(Body):
    """Something that is true of calls with certain results."""

    name = Text(required=True)
    meaning = Text(required=True)


class ResultDefinitionSchema(Body):
    """A result of a call, and what is true of calls that have it."""

    result = Choice(CallResult, required=True)
    flags = fields.List(Text(), required=True)


class MeasureSchema(Body):
    """The calls that have one of the flags."""

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
    """The definitions of all figures."""

    flags = ListOf(FlagSchema, required=True)
    results = ListOf(ResultDefinitionSchema, required=True)
    counts = ListOf(CountMetricSchema, required=True)
    rates = ListOf(RateMetricSchema, required=True)

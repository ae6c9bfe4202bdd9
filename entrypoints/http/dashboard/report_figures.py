"""Figures of the dashboard, read from the daily and funnel reports."""

from dataclasses import dataclass
from datetime import date

from entrypoints.http.dashboard.views import (
    AgentFigures,
    DayFigures,
    Figures,
    HourFigures,
    LinkedCount,
    SourceFigures,
    Totals,
)
from entrypoints.http.reports.item_links import items_url
from unite_core.application import Reports
from unite_core.identity.model import Actor
from unite_core.periods import Period
from unite_core.reports.daily import AgentDay, CallFigures, Hour
from unite_core.reports.funnel import Stages
from unite_core.reports.model import Count as Counted

NOBODY = "Nobody"
"""The name that is shown for calls of no agent."""


@dataclass(frozen=True)
class ReportFigures(Figures):
    """The figures from the daily report, and from the funnel of the leads that were created on the day."""

    reports: Reports

    def __call__(self, actor: Actor, day: date, tz: str, /) -> DayFigures:
        overview = self.reports.day_overview(actor, Period(day, day, tz))
        report, funnel = overview.day, overview.funnel
        return DayFigures(
            totals=_totals(report.figures),
            agents=tuple(map(_agent, report.by_agent)),
            hours=tuple(map(_hour, report.by_hour)),
            sources=tuple(map(_source, funnel.by_source)),
            complete_through=report.about.complete_through,
        )


def _count(count: Counted) -> LinkedCount:
    return LinkedCount(count.value, items_url(count.items))


def _totals(figures: CallFigures) -> Totals:
    return Totals(
        total_calls=_count(figures.total_calls),
        completed=_count(figures.completed),
        missed=_count(figures.missed),
        contact_rate=figures.contact_rate,
        completion_rate=figures.completion_rate,
        average_duration_seconds=figures.average_duration_seconds.value,
    )


def _agent(row: AgentDay) -> AgentFigures:
    return AgentFigures(
        agent_id=row.agent.id,
        name=row.agent.name or NOBODY,
        total=_count(row.figures.total_calls),
        completed=_count(row.figures.completed),
        missed=_count(row.figures.missed),
        completion_rate=row.figures.completion_rate,
        average_duration_seconds=row.figures.average_duration_seconds.value,
    )


def _hour(hour: Hour) -> HourFigures:
    return HourFigures(label=f"{hour.starts_at:%H:%M}", calls=_count(hour.attempts), contacts=_count(hour.contacts))


def _source(stages: Stages) -> SourceFigures:
    return SourceFigures(
        source=stages.source,
        leads=_count(stages.leads),
        called=_count(stages.called),
        contacted=_count(stages.contacted),
        converted=_count(stages.converted),
    )

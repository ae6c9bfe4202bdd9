"""Invented figures of reports for the dashboard: a day with three agents and two sources."""

from datetime import UTC, date, datetime
from urllib.parse import urlencode
from uuid import UUID

from entrypoints.http.dashboard.views import (
    AgentFigures,
    DayFigures,
    Figures,
    HourFigures,
    LinkedCount,
    SourceFigures,
    Totals,
)
from unite_core.identity.model import Actor
from unite_core.reports.tally import Rate

CALLS_OF_HOURS = (0, 0, 0, 0, 0, 0, 0, 1, 4, 9, 12, 7, 3, 6, 8, 10, 5, 2, 0, 0, 0, 0, 0, 0)
NAMES = ("Ann Archer", "Ben <b>Bold</b>", "Chloë Çelik-Østergaard")


def calls(value: int, **query: str) -> LinkedCount:
    return LinkedCount(value, f"/v1/call-logs?{urlencode(query)}" if query else "/v1/call-logs")


def leads(value: int, **query: str) -> LinkedCount:
    return LinkedCount(value, f"/v1/leads?{urlencode(query)}")


class ExampleFigures(Figures):
    """A `Figures` that returns the same figures for every day, and records the calls."""

    def __init__(self, example: DayFigures | None = None) -> None:
        self.asked: list[tuple[Actor, date, str]] = []
        self._example = example or a_day()

    def __call__(self, actor: Actor, day: date, tz: str, /) -> DayFigures:
        self.asked.append((actor, day, tz))
        return self._example


def a_day() -> DayFigures:
    return DayFigures(
        totals=Totals(
            total_calls=calls(1067),
            completed=calls(1000),
            missed=calls(67),
            contact_rate=Rate(250, 1000),
            completion_rate=Rate(1000, 1067),
            average_duration_seconds=125.4,
        ),
        agents=tuple(an_agent(number, name) for number, name in enumerate(NAMES)),
        hours=tuple(
            HourFigures(label=f"{hour:02}:00", calls=calls(number), contacts=calls(number // 3))
            for hour, number in enumerate(CALLS_OF_HOURS)
        ),
        sources=(
            SourceFigures(
                source="web", leads=leads(40, source="web"), called=leads(30), contacted=leads(12), converted=leads(3)
            ),
            SourceFigures(source=None, leads=leads(5), called=leads(0), contacted=leads(0), converted=leads(0)),
        ),
        complete_through=datetime(2026, 3, 2, 9, tzinfo=UTC),
    )


def an_empty_day() -> DayFigures:
    return DayFigures(
        totals=Totals(
            total_calls=calls(0),
            completed=calls(0),
            missed=calls(0),
            contact_rate=Rate(0, 0),
            completion_rate=Rate(0, 0),
            average_duration_seconds=None,
        ),
        agents=(),
        hours=tuple(HourFigures(label=f"{hour:02}:00", calls=calls(0), contacts=calls(0)) for hour in range(24)),
        sources=(),
        complete_through=datetime(2026, 3, 2, 9, tzinfo=UTC),
    )


def an_agent(number: int, name: str) -> AgentFigures:
    agent_id = UUID(int=number)
    completed, missed = 10 + number, number
    return AgentFigures(
        agent_id=agent_id,
        name=name,
        total=calls(completed + missed, agent=str(agent_id)),
        completed=calls(completed),
        missed=calls(missed),
        completion_rate=Rate(completed, completed + missed),
        average_duration_seconds=60.0 * number,
    )

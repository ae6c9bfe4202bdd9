"""The figures of one day, counted from the call ledger.

A stand-in for the reports: a call counts on the day on which its task was closed, with what its last entry says.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func, select

from adapters.sql.call_tables import call_ledger as ledger
from unite_core.calls.ledger import EntryKind
from unite_core.calls.model import Outcome
from unite_core.summaries.model import DayFigure
from unite_core.zones import moment_of

CONTACTS = frozenset(
    {Outcome.CONNECTED, Outcome.CALLBACK_REQUESTED, Outcome.NOT_INTERESTED, Outcome.CONVERTED},
)
"""Outcomes of calls that reached the lead."""


@dataclass(frozen=True)
class SqlDayFigures:
    """Counts the calls of a local date; one query, which reads the entries of that date alone."""

    engine: Engine

    def __call__(self, day: date, tz: str) -> DayFigure:
        first, last = ledger.alias("first"), ledger.alias("last")
        later = ledger.alias("later")
        zone = ZoneInfo(tz)
        counted = (
            select(last.c.kind, last.c.outcome, func.count())
            .join_from(first, last, last.c.task_id == first.c.task_id)
            .where(
                first.c.number == 1,
                first.c.at >= _beginning(day, zone),
                first.c.at < _beginning(day + timedelta(days=1), zone),
                ~select(later.c.id)
                .where(later.c.task_id == last.c.task_id, later.c.number == last.c.number + 1)
                .exists(),
            )
            .group_by(last.c.kind, last.c.outcome)
        )
        with self.engine.connect() as connection:
            rows = connection.execute(counted).all()
        outcomes = Counter[Outcome]()
        for _, outcome, calls in rows:
            if outcome is not None:
                outcomes[Outcome(outcome)] += calls
        missed = sum(calls for kind, outcome, calls in rows if outcome is None and kind == EntryKind.MISSED)
        return DayFigure(
            total_calls=outcomes.total() + missed,
            completed=outcomes.total(),
            missed=missed,
            contacts=sum(calls for outcome, calls in outcomes.items() if outcome in CONTACTS),
            conversions=outcomes[Outcome.CONVERTED],
        )


def _beginning(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of the day; of one that the zone leaves out, the first one of the next day."""
    moment = moment_of(day, time(), zone)
    return moment if moment is not None else _beginning(day + timedelta(days=1), zone)

"""Figures of a day for its daily summary."""

from dataclasses import dataclass
from datetime import date

from unite_core.periods import Period
from unite_core.reports import metrics
from unite_core.reports.call_queries import CountCalls
from unite_core.reports.ports import Totals
from unite_core.reports.tally import total
from unite_core.summaries.model import DayFigure


@dataclass(frozen=True)
class CountDay:
    """Count the calls of a local date over all agents, in the same way as the report of that day."""

    count: CountCalls

    def __call__(self, day: date, tz: str) -> DayFigure:
        period = Period(day, day, tz)
        results = self.count([Totals(start=period.start, end=period.end)])
        tally = total(results.totals(0).values())
        return DayFigure(
            total_calls=tally.count(metrics.TOTAL_CALLS),
            completed=tally.count(metrics.COMPLETED),
            missed=tally.count(metrics.MISSED),
            contacts=tally.count(metrics.CONTACTS),
            conversions=tally.count(metrics.CONVERSIONS),
        )

"""Event of a created daily summary."""

from unite_core.events import Event
from unite_core.notifications.audience import DAILY_SUMMARY
from unite_core.summaries.model import DayFigure, SummaryTime
from unite_core.summaries.ports import CreatedSummary


def summary_created(made: CreatedSummary, time: SummaryTime, figure: DayFigure) -> Event:
    """Return the event that a user's daily summary was created."""
    return Event(
        id=made.event_id,
        type=DAILY_SUMMARY,
        at=made.at,
        data={
            "user_id": str(made.user_id),
            "date": made.day.isoformat(),
            "time": f"{time.at:%H:%M}",
            "tz": time.tz,
            "total_calls": figure.total_calls,
            "completed": figure.completed,
            "missed": figure.missed,
            "contacts": figure.contacts,
            "conversions": figure.conversions,
        },
    )

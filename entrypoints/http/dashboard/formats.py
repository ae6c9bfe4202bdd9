"""Figures, moments and codes as people read them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from entrypoints.http.dashboard.views import Rate

NOTHING = "\N{EN DASH}"


def percent(rate: Rate) -> str:
    """A rate in percent, `87.5 %`; a dash where there is nothing to have a share of."""
    return NOTHING if rate.value is None else f"{rate.value * 100:.1f} %"


def duration(seconds: float | None) -> str:
    """A duration as minutes and seconds, `5:12`; a dash where there is none."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def whole(number: int) -> str:
    """A whole number with its thousands apart, `12,345`."""
    return f"{number:,}"


def words(code: str) -> str:
    """A code in words, `no answer` for `no_answer`."""
    return code.replace("_", " ")


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A moment in local time, `2026-02-02 15:04`."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

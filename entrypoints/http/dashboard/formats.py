"""Format numbers, times and codes for people."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from unite_core.reports.tally import Rate

NOTHING = "\N{EN DASH}"
MINUTES_PER_HOUR = 60
HOURS_PER_DAY = 24

# strftime is not used because its words depend on the locale of the process.
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def percent(rate: Rate) -> str:
    """Return a rate in percent, `87.5 %`; a dash if the denominator is 0."""
    return NOTHING if rate.value is None else f"{rate.value * 100:.1f} %"


def duration(seconds: float | None) -> str:
    """Return a duration as minutes and seconds, `5:12`; a dash if there is none."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def thousands(number: int) -> str:
    """Return a whole number with thousands separators, `12,345`."""
    return f"{number:,}"


def words(code: str) -> str:
    """Return a code in words, `no answer` for `no_answer`."""
    return code.replace("_", " ")


def age(seconds: float) -> str:
    """Return a length of time in its largest units, `11 min`, `3 h 20 min`, `2 days`."""
    minutes = int(seconds // 60)
    if minutes < MINUTES_PER_HOUR:
        return f"{minutes} min"
    hours, rest = divmod(minutes, MINUTES_PER_HOUR)
    if hours < HOURS_PER_DAY:
        return f"{hours} h {rest} min"
    days = hours // HOURS_PER_DAY
    return "1 day" if days == 1 else f"{days:,} days"


def day_in_words(day: date) -> str:
    """Return a day with its weekday, `Monday, 2 March 2026`."""
    return f"{_WEEKDAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"


def weekday(number: int) -> str:
    """Return the name of a weekday; 1 is Monday."""
    return _WEEKDAYS[number - 1]


def clock(at: datetime, zone: ZoneInfo) -> str:
    """Return the time of day in a time zone, `15:04`."""
    return f"{at.astimezone(zone):%H:%M}"


def first_capital(text: str) -> str:
    """Return the text with its first letter in upper case, and nothing else changed."""
    return text[:1].upper() + text[1:]


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Return a time in local time, `2026-02-02 15:04`."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"

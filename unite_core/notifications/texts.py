"""The content of text messages, and the number of segments that they are charged as."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID
from zlib import crc32

from unite_core.events import Event
from unite_core.notifications.audience import DAILY_SUMMARY, TASK_ASSIGNED, TASK_COMPLETED
from unite_core.notifications.links import link_of
from unite_core.notifications.names import name_in_text
from unite_core.notifications.ports import Links

# The default alphabet of 3GPP TS 23.038 (once GSM 03.38), 6.2.1, without its escape; and the extension of 6.2.1.1,
# whose characters are written as two.
_ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")

GSM_7 = "GSM-7"
UCS_2 = "UCS-2"

# Units that fit into a message of one segment, and into each segment of a longer one, which has a header of six bytes
# (3GPP TS 23.040, 9.2.3.24.1).
_ONE = {GSM_7: 160, UCS_2: 70}
_OF_SEVERAL = {GSM_7: 153, UCS_2: 67}

SHORTENED = "..."
MIN_SHORTENED_NAME_LENGTH = 12
"""In characters: if less than this of a lead's name would remain, the link is left out instead."""

SOMEBODY = "a lead"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Segments:
    """How a text is sent: its encoding, its length in units of that encoding, and its segments, each of which costs."""

    encoding: str
    units: int
    count: int


def segments(text: str) -> Segments:
    """Return the encoding and the number of segments of the text.

    If every character is in the default alphabet of GSM, a single segment has 160 units (septets), and each segment of
    a longer text has 153; a character of the extension counts as two. Otherwise the text is in UCS-2, with 70 or 67
    units of 16 bits; a character beyond the basic plane, such as an emoji, counts as two. No character is divided
    between segments.
    """
    encoding = GSM_7 if _ALPHABET.union(_EXTENSION).issuperset(text) else UCS_2
    sizes = [_size(character, encoding) for character in text]
    units = sum(sizes)
    if units <= _ONE[encoding]:
        return Segments(encoding, units, 1)
    count, left = 0, 0
    for size in sizes:
        if size > left:
            count, left = count + 1, _OF_SEVERAL[encoding]
        left -= size
    return Segments(encoding, units, count)


def compose(event: Event, links: Links) -> str:
    """Return the text message about an event, with a link to its subject.

    The message takes one segment if possible: typographic signs become plain ones, the lead's name is shortened, and
    then a short reference replaces the link. Nothing in the name becomes another link or a phone number
    (`name_in_text`). The same event always has the same text, so that its message can be looked up. Events with
    different links never have the same text, so that the lookup does not return the message of another event.
    """
    say = TEXTS_OF[event.type]
    name = name_in_text(event.data.get("lead_name") or "") or SOMEBODY
    link = link_of(event, links)
    reference = f" #{_reference(event.id)}"
    linked = f" {link}" if link else reference
    for end, min_length in [(linked, MIN_SHORTENED_NAME_LENGTH), (reference, 0)]:
        for kept in range(len(name), min(min_length, len(name)) - 1, -1):
            text = say(event, _shortened(name, kept)) + end
            if len(text) <= _ONE[GSM_7] and segments(text).count == 1:
                return text
    return say(event, name) + linked


def _assigned(event: Event, name: str) -> str:
    return f"Unite: call {name}, due {_moment(event.data['due_at'], event.at)}."


def _completed(event: Event, name: str) -> str:
    outcome = str(event.data["outcome"]).replace("_", " ")
    seconds = event.data.get("duration_seconds") or 0
    return f"Unite: your call to {name} is done: {outcome}{f', {_duration(seconds)}' if seconds else ''}."


def _day_summary(event: Event, _name: str) -> str:
    day = date.fromisoformat(event.data["date"])
    title = f"Unite, {DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"
    total, completed = event.data["total_calls"], event.data["completed"]
    if not total:
        return f"{title}: no calls."
    reached = f"{event.data['contacts']} reached"
    if completed:
        reached += f" ({round(100 * event.data['contacts'] / completed)} %)"
    calls = f"{total} {'call' if total == 1 else 'calls'}"
    missed, converted = event.data["missed"], event.data["conversions"]
    return f"{title}: {calls}, {completed} completed, {missed} missed, {reached}, {converted} converted."


TEXTS_OF: Mapping[str, Callable[[Event, str], str]] = {
    TASK_ASSIGNED: _assigned,
    TASK_COMPLETED: _completed,
    DAILY_SUMMARY: _day_summary,
}
"""Event type -> function that returns its text, given the event and the lead's name."""


def _size(character: str, encoding: str) -> int:
    return 2 if (character in _EXTENSION if encoding == GSM_7 else character > "\uffff") else 1


def _reference(event_id: UUID) -> str:
    """Return six hexadecimal digits that distinguish the event from others with the same text."""
    return f"{crc32(event_id.bytes) & 0xFFFFFF:06x}"


def _shortened(name: str, kept: int) -> str:
    return name if kept >= len(name) else name[:kept].rstrip() + SHORTENED


def _moment(text: str, now: datetime) -> str:
    at = datetime.fromisoformat(text).astimezone(UTC)
    year = f" {at.year}" if at.year != now.year else ""
    return f"{at.day} {MONTHS[at.month - 1]}{year} {at:%H:%M} UTC"


def _duration(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"

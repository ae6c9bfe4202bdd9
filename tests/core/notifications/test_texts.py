"""Tests of the content of text messages, and of their number of segments."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zlib import crc32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unite_core.events import Event
from unite_core.notifications.audience import AUDIENCES, TASK_ASSIGNED, TASK_COMPLETED
from unite_core.notifications.names import MASK
from unite_core.notifications.texts import TEXTS_OF, Segments, compose, segments
from unite_core.testing.builders import an_event
from unite_core.testing.in_memory import InMemoryLinks

URL = "https://unite.example"
LINKS = InMemoryLinks(f"{URL}/v1")
TASK = "0195568a-ed40-7000-8000-000000000000"
LINK = f"{URL}/v1/call-tasks/{TASK}"


def assigned(name: str | None = "Grace Hopper", due_at: str = "2026-03-02T09:30:00Z") -> Event:
    return an_event(type=TASK_ASSIGNED, data={"task_id": TASK, "lead_name": name, "due_at": due_at})


def completed(seconds: int, outcome: str = "connected", name: str = "Grace Hopper") -> Event:
    data: dict[str, Any] = {"task_id": TASK, "lead_name": name, "outcome": outcome, "duration_seconds": seconds}
    return an_event(type=TASK_COMPLETED, data=data)


def test_every_event_type_with_text_recipients_has_a_text() -> None:
    assert set(TEXTS_OF) == {kind for kind, audience in AUDIENCES.items() if audience.text_to}


def test_the_assignee_is_told_whom_to_call_when_and_where_to_find_the_task() -> None:
    assert compose(assigned(), LINKS) == f"Unite: call Grace Hopper, due 2 Mar 09:30 UTC. {LINK}"


@pytest.mark.parametrize(
    ("due_at", "expected"),
    [
        ("2026-03-02T09:30:59.999999Z", "2 Mar 09:30 UTC"),
        ("2026-12-31T23:59:00-01:00", "1 Jan 2027 00:59 UTC"),
        ("2027-03-02T09:30:00Z", "2 Mar 2027 09:30 UTC"),
    ],
)
def test_the_year_is_named_if_it_is_another_one(due_at: str, expected: str) -> None:
    assert f", due {expected}. " in compose(assigned(due_at=due_at), LINKS)


@pytest.mark.parametrize(
    ("seconds", "outcome", "expected"),
    [
        (300, "connected", "connected, 5 min"),
        (0, "no_answer", "no answer"),
        (45, "voicemail", "voicemail, 45 s"),
        (59, "busy", "busy, 59 s"),
        (60, "connected", "connected, 1 min"),
        (89, "connected", "connected, 1 min"),
        (91, "connected", "connected, 2 min"),
        (3599, "connected", "connected, 1 h 0 min"),
        (86_400, "callback_requested", "callback requested, 24 h 0 min"),
    ],
)
def test_the_creator_of_a_call_is_texted_its_outcome(seconds: int, outcome: str, expected: str) -> None:
    assert (
        compose(completed(seconds, outcome), LINKS) == f"Unite: your call to Grace Hopper is done: {expected}. {LINK}"
    )


def test_a_deleted_lead_is_called_a_lead() -> None:
    assert compose(assigned(None), LINKS).startswith("Unite: call a lead, due ")


def test_an_event_without_a_link_has_a_reference_instead() -> None:
    event = an_event(type=TASK_ASSIGNED, data={"lead_name": "Ada", "due_at": "2026-03-02T09:30:00Z"})

    assert compose(event, LINKS) == f"Unite: call Ada, due 2 Mar 09:30 UTC. {reference(event)}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Conan O’Brien", "Conan O'Brien"),  # noqa: RUF001 - the sign that is folded
        ("“Ada” – King…", '"Ada" - King...'),  # noqa: RUF001 - the sign that is folded
        ("Ada\u00a0King\n Noel", "Ada King Noel"),
        ("Ma\ud800ry", "Mary"),
    ],
)
def test_a_name_is_on_one_line_in_plain_characters(name: str, expected: str) -> None:
    assert compose(assigned(name), LINKS) == f"Unite: call {expected}, due 2 Mar 09:30 UTC. {LINK}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("+12125550123", MASK),
        ("Ada (212) 555-0123", f"Ada ({MASK}"),
        ("Ada 2_1_2_5_5_5_0", f"Ada {MASK}"),
        ("٠١٢٣٤٥٦٧ Ada", f"{MASK} Ada"),
        ("Studio 54, 1977", "Studio 54, 1977"),
        ("555012 x 3", f"{MASK} x 3"),
        ("5550 x 12", "5550 x 12"),
    ],
)
def test_a_possible_phone_number_in_a_name_is_masked(name: str, expected: str) -> None:
    assert f"call {expected}, due" in compose(assigned(name), LINKS)


def test_a_long_name_is_shortened_to_fit_one_segment() -> None:
    text = compose(assigned("Wolfeschlegelsteinhausenbergerdorff " * 4), LINKS)

    assert text.startswith("Unite: call Wolfeschlegelsteinhausenbergerdorff")
    assert text.endswith(f"..., due 2 Mar 09:30 UTC. {LINK}")
    assert segments(text) == Segments("GSM-7", 160, 1)


def test_the_link_is_left_out_if_it_would_leave_too_little_of_the_name() -> None:
    links = InMemoryLinks(f"https://{'unite.' * 8}example/v1")

    event = assigned("Grace Hopper")

    assert compose(event, links) == f"Unite: call Grace Hopper, due 2 Mar 09:30 UTC. {reference(event)}"


@pytest.mark.parametrize("name", ["山田太郎", "Zoë", "Łukasz"])
def test_the_link_is_left_out_for_a_name_outside_gsm_7(name: str) -> None:
    event = assigned(name)
    text = compose(event, LINKS)

    assert text == f"Unite: call {name}, due 2 Mar 09:30 UTC. {reference(event)}"
    assert segments(text).encoding == "UCS-2"


def test_a_symbol_at_the_end_of_a_name_is_dropped_for_the_link() -> None:
    assert compose(assigned("Grace Hopper 😀"), LINKS) == f"Unite: call Grace Hopper..., due 2 Mar 09:30 UTC. {LINK}"


def test_names_that_are_shortened_to_the_same_text_are_distinguished_by_a_reference() -> None:
    calls = [completed(86_400, "callback_requested", name=f"Александр {name}") for name in ("Иванов", "Петров")]

    texts = [compose(event, LINKS) for event in calls]

    assert [text.endswith(f". {reference(event)}") for text, event in zip(texts, calls, strict=True)] == [True, True]
    assert len(set(texts)) == 2


def test_a_text_that_cannot_fit_one_segment_is_sent_completely() -> None:
    text = compose(completed(0, "x" * 200), LINKS)

    assert text.endswith(LINK)
    assert segments(text).count == 3


names = st.one_of(
    st.text(max_size=220),
    st.text(st.sampled_from("0123456789٣ -().+_a"), max_size=220),
    st.lists(st.sampled_from(["Ada ", "é", "ë", "😀", "e\u0301", "👩\u200d💻", "{", "€", "555 01"]), max_size=60).map(
        "".join
    ),
    st.text(st.characters(), max_size=80),
)


@given(name=names, url=st.sampled_from([URL, "http://127.0.0.1:8000", f"https://{'long.' * 40}example"]))
@example(name="{" * 200, url=URL)
@example(name="😀" * 200, url=URL)
def test_a_text_has_one_segment_and_no_number_for_any_name(name: str, url: str) -> None:
    for event in (assigned(name), completed(300, name=name)):
        text = compose(event, InMemoryLinks(f"{url}/v1"))

        assert segments(text).count == 1
        text.encode()
        assert "\n" not in text
        match = re.fullmatch(r"Unite: (?:call|your call to) (.*)(?:, due|is done:) .*", text)
        assert match is not None
        assert longest_number(match[1]) < 7
        assert compose(event, InMemoryLinks(f"{url}/v1")) == text


@given(name=names, other=names, long=st.booleans())
@example(name="Александр Иванов", other="Александр Петров", long=False)
@example(name="Ada", other="Ada", long=True)
def test_two_events_have_the_same_text_only_with_the_same_link(name: str, other: str, *, long: bool) -> None:
    url = f"https://{'long.' * 40}example" if long else URL
    links = InMemoryLinks(f"{url}/v1")
    for first, second in (
        (assigned(name), assigned(other)),
        (completed(300, name=name), completed(300, name=other)),
        (completed(86_400, "callback_requested", name), completed(86_400, "callback_requested", other)),
    ):
        same = compose(first, links) == compose(second, links)

        assert not same or compose(first, links).endswith(f" {url}/v1/call-tasks/{TASK}")


def reference(event: Event) -> str:
    return f"#{crc32(event.id.bytes) & 0xFFFFFF:06x}"


def longest_number(text: str) -> int:
    """The most digits in a row with no letter between them."""
    max_length = count = 0
    for character in text:
        count = count + 1 if character.isdecimal() else 0 if character.isalnum() else count
        max_length = max(max_length, count)
    return max_length


# As 3GPP TS 23.038 lists it, from 0x00 to 0x7F, in code points; the escape at 0x1B is no character.
ALPHABET = [
    *(0x40, 0xA3, 0x24, 0xA5, 0xE8, 0xE9, 0xF9, 0xEC, 0xF2, 0xC7, 0x0A, 0xD8, 0xF8, 0x0D, 0xC5, 0xE5),
    *(0x394, 0x5F, 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8, 0x3A3, 0x398, 0x39E, 0xC6, 0xE6, 0xDF, 0xC9),
    *(*range(0x20, 0x24), 0xA4, *range(0x25, 0x40)),
    *(0xA1, *range(0x41, 0x5B), 0xC4, 0xD6, 0xD1, 0xDC, 0xA7),
    *(0xBF, *range(0x61, 0x7B), 0xE4, 0xF6, 0xF1, 0xFC, 0xE0),
]
EXTENSION = [0x0C, 0x5E, 0x7B, 0x7D, 0x5C, 0x5B, 0x7E, 0x5D, 0x7C, 0x20AC]


def counted(text: str) -> Segments:
    """The same count, done otherwise: each segment takes what fits of the rest."""
    points = [ord(character) for character in text]
    if set(points) <= {*ALPHABET, *EXTENSION}:
        encoding, one, several = "GSM-7", 160, 153
        written = [("." if point in ALPHABET else "\x1b.") for point in points]
    else:
        encoding, one, several = "UCS-2", 70, 67
        written = [character.encode("utf-16-be", "surrogatepass")[::2].decode("latin-1") for character in text]
    units = len("".join(written))
    if units <= one:
        return Segments(encoding, units, 1)
    parts = 0
    while written:
        fits = max(count for count in range(len(written) + 1) if len("".join(written[:count])) <= several)
        written = written[fits:]
        parts += 1
    return Segments(encoding, units, parts)


@given(
    st.one_of(
        st.text(max_size=340),
        st.text(st.sampled_from("a{€é\n"), min_size=140, max_size=500),
        st.text(st.sampled_from("aë😀"), min_size=60, max_size=220),
    )
)
@example("")
def test_the_segments_of_any_text_are_those_of_a_simple_implementation(text: str) -> None:
    assert segments(text) == counted(text)


def test_the_alphabet_is_that_of_gsm_7() -> None:
    assert len(ALPHABET) == 127
    of_one_unit = {point for point in range(0x3000) if segments(chr(point)) == Segments("GSM-7", 1, 1)}
    of_two_units = {point for point in range(0x3000) if segments(chr(point)) == Segments("GSM-7", 2, 1)}

    assert (of_one_unit, of_two_units) == (set(ALPHABET), set(EXTENSION))


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("a" * 159 + "€", "GSM-7", 161, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("ë" * 70, "UCS-2", 70, 1),
        ("ë" * 71, "UCS-2", 71, 2),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 67, "UCS-2", 134, 3),
    ],
)
def test_the_number_of_segments_is_computed(text: str, encoding: str, units: int, count: int) -> None:
    assert segments(text) == Segments(encoding, units, count)


def test_the_text_of_an_event_does_not_depend_on_the_current_time() -> None:
    event = assigned()
    later = replace(event, at=event.at + timedelta(days=2))

    assert compose(later, LINKS) == compose(event, LINKS)

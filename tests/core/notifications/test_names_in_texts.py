"""Tests of names of leads in text messages: no links, no numbers, and no imitation of another message."""

import re
from unicodedata import category, normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import Leniency, PhoneNumberMatcher

from unite_core.events import Event
from unite_core.notifications.audience import TASK_ASSIGNED, TASK_COMPLETED
from unite_core.notifications.names import MASK, MAX_MARKS, name_in_text
from unite_core.notifications.texts import compose, segments
from unite_core.testing.builders import an_event
from unite_core.testing.in_memory import InMemoryLinks

TO_CALLS = InMemoryLinks("https://unite.example/v1")
TASK = "0195568a-ed40-7000-8000-000000000000"

DOTS = ".\u3002\uff0e\uff61\u2024\ufe52\ua4f8\u06d4\u0701\U0001d16d"
LABEL = rf"[^\W_{DOTS}]"

# What programs take for a link, and more: two labels with a dot of any kind between, of which the last one has two
# characters, a scheme, an address of e-mail, a path, a hashtag, and the numbers of an IPv4 address.
LINKS = re.compile(rf"{LABEL}[{DOTS}]{LABEL}{{2,}}|\d[{DOTS}]\d|[:@/\\#?=_]|www[{DOTS}]{LABEL}", re.IGNORECASE)

REGIONS = (None, "US", "GB", "DE", "IN", "SG", "JP", "AO")


def assigned(name: str) -> Event:
    return an_event(type=TASK_ASSIGNED, data={"task_id": TASK, "lead_name": name, "due_at": "2026-03-02T09:30:00Z"})


def completed(name: str) -> Event:
    data = {"task_id": TASK, "lead_name": name, "outcome": "connected", "duration_seconds": 300}
    return an_event(type=TASK_COMPLETED, data=data)


def numbers(text: str) -> list[str]:
    """What a phone makes a number to dial of it: five digits or more, as Android does, without an extension (x)."""
    number_texts = (
        match.raw_string
        for region in REGIONS
        for match in PhoneNumberMatcher(text, region, leniency=Leniency.POSSIBLE, max_tries=100)
    )
    return [number for number in number_texts if sum(map(str.isdecimal, re.split(r"[^\W\d]", number)[0])) >= 5]


def part_of_the_name(text: str) -> str:
    match = re.fullmatch(r"Unite: (?:call|your call to) (.*)(?:, due| is done:) .*", text)
    assert match is not None
    return match[1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("http://evil.example/x", "evil example x"),
        ("HTTPS://user:pass@evil.example:8080/x?y=z#f", "user pass evil example 8080 x y z f"),
        ("see evil.example", "see evil example"),
        ("t.co", "t co"),
        ("a.b.co", "a.b co"),
        ("www.evil.com www.x", "www evil com www x"),
        ("evil\u3002com evil\uff0ecom evil\uff61com", "evil com evil com evil com"),
        ("evil\u2024com evil\ufe52com evil\ua4f8com evil\U0001d16dcom", "evil com evil com evil com evil com"),
        ("ev\u200bil\u200d.com", "evil com"),
        ("пример.рф 例え.みんな उदाहरण.भारत", "пример рф 例え みんな उदाहरण भारत"),
        ("xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd xn--p1ai"),
        ("evil\u2026com", "evil.. com"),
        ("evil\u2488com evil.c.om", "evil1 com evil c om"),
        ("evil\u33c2com", "evila m com"),
        ("bob@evil.com", "bob evil com"),
        ("mailto:bob tel:911 javascript:x", "mailto bob tel 911 javascript x"),
        ("1.2.3.4", "1 2 3 4"),
        ("evil.com.", "evil com."),
        ("#sale @bob", "sale bob"),
        ("C:\\evil.exe", "C evil exe"),
    ],
)
def test_a_link_in_a_name_becomes_plain_words(name: str, expected: str) -> None:
    assert name_in_text(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Call +1 900 555 0123", f"Call {MASK}"),
        ("Call 1-900-555-0123 now", f"Call {MASK} now"),
        ("tel:+19005550123", f"tel {MASK}"),
        ("\u2460\u2461\u2462\u2463\u2464\u2465\u2466", MASK),
        ("1\ufe0f\u20e39\ufe0f\u20e30\ufe0f\u20e30\ufe0f\u20e35\ufe0f\u20e3", MASK),
        ("\uff19\uff10\uff10\uff15\uff15", MASK),
        ("Text 80085", f"Text {MASK}"),
        ("Text 8008", "Text 8008"),
        ("Studio 54, 1977", "Studio 54, 1977"),
    ],
)
def test_a_phone_number_in_a_name_is_masked(name: str, expected: str) -> None:
    assert name_in_text(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ada\r\nUnite: your account is locked", "Ada Unite your account is locked"),
        ("Ada\u2028\u2029\u0085Lovelace", "Ada Lovelace"),
        ("\u202eecaL\u202c \u2066x\u2069", "ecaL x"),
        ("Ada\x00\x1b[31m", "Ada 31m"),
        ("Z" + "\u0301" * 50 + "oe", "Z" + "\u0301" * MAX_MARKS + "oe"),
        ("\u0301\u0336Ada", "Ada"),
        ("Ada *** {}[]|~^€", "Ada"),
    ],
)
def test_a_name_cannot_imitate_another_message(name: str, expected: str) -> None:
    assert name_in_text(name) == expected


@pytest.mark.parametrize("name", ["", " ", "://", "https://", "{{{", "\u200b\u202e", "...", "\u0301"])
def test_a_name_of_symbols_becomes_empty(name: str) -> None:
    assert name_in_text(name) == ""
    assert compose(assigned(name), TO_CALLS).startswith("Unite: call a lead, due ")


@pytest.mark.parametrize(
    "name",
    [
        "Dr. O'Neil-Smith Jr.",
        "J.R.R. Tolkien",
        "J.-P. Sartre",
        "Ph.D. Ann",
        "U.S. Bank",
        "Acme Co., Ltd.",
        "AT&T (Dallas)",
        "Yahoo!",
        "Łukasz Żółć",
        "Nguyễn Thị Hồng Nhung",
        "Paral·lel Gal·la",
        "グレース・ホッパー",
        "山田太郎",
        "محمد علي",
        "יצחק בן־צבי ז״ל",
        "क्षत्रिय ज्ञानेश्वर",
        "Ада Лавлейс",
        "Grace 😀",
        "Unit 42",
        "Ann 3rd",
    ],
)
def test_an_ordinary_name_is_unchanged(name: str) -> None:
    assert name_in_text(name) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Henry Ⅷ", "Henry VIII"), ("㈱日立", "(株)日立"), ("St.Petersburg", "St Petersburg"), ("A/S Nor", "A S Nor")],
)
def test_a_name_stays_readable_without_the_removed_characters(name: str, expected: str) -> None:
    assert name_in_text(name) == expected


pieces = st.sampled_from(
    [
        *(
            "http://",
            "HTTPS://",
            "www.",
            "evil",
            "example",
            "co",
            "com",
            "рф",
            "みんな",
            "भारत",
            "xn--p1ai",
            "t",
            "J",
            "É",
        ),
        *DOTS,
        *(
            "/",
            ":",
            "@",
            "#",
            "?",
            "=",
            "\\",
            "_",
            "-",
            "'",
            ",",
            "&",
            "·",
            "\u2026",
            "\u2488",
            "\u33c2",
            "!",
            "(",
            ")",
        ),
        *("0", "1", "900", "555", "٣", "\uff15", "\u2460", "+", "*", " ", "\n", "\r", "\u2028", "\u00a0"),
        *("\u200b", "\u200d", "\u202e", "\u2066", "\u0301", "\u20e3", "\ufe0f", "\u0338", "\ud800", "😀", "x", "ext."),
    ]
)
names = st.one_of(st.text(max_size=220), *(st.lists(pieces, max_size=maximum).map("".join) for maximum in (8, 40)))


@given(name=names)
@example(name="J.R.R.T.co")
@example(name="a.b\u0301c")
@example(name="\u00bc\u2488\u2488com")
def test_a_phone_finds_no_other_link_or_number_for_any_name(name: str) -> None:
    for event in (assigned(name), completed(name)):
        text = compose(event, TO_CALLS)
        name_part = part_of_the_name(text)

        for shown in (name_part, normalize("NFKC", name_part)):
            assert not LINKS.search(shown)
            assert not numbers(shown)
        assert not LINKS.search(f"call {name_part}, due 2 Mar")
        assert not [character for character in text if category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]
        assert segments(text).count == 1

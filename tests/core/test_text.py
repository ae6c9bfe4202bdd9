import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unite_core.text import clean, text_problem


@given(st.text())
def test_clean_text_stays_as_it_is(text: str) -> None:
    cleaned = clean(text)

    assert clean(cleaned) == cleaned
    assert cleaned == cleaned.strip()
    assert unicodedata.is_normalized("NFC", cleaned)


def test_one_spelling_is_kept_of_what_looks_the_same() -> None:
    assert clean("\u00a0Zoe\u0308 \n") == "Zoë"
    assert clean(" Ann ") == "Ann"


@pytest.mark.parametrize(
    "text", ["\u200b", "\u200d\u00a0\ufeff", "\u115f", "\u1160", "\u3164", "\uffa0", "\u2028", "\u00ad\u3000\u200f"]
)
def test_text_in_which_nothing_can_be_seen_is_empty(text: str) -> None:
    assert clean(text) == ""


@pytest.mark.parametrize("text", ["\u200fنورة", "\u3164A", "👩\u200d👧", "\u200bé\u200b", "\u200b\x07"])
def test_what_cannot_be_seen_stays_beside_what_can(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("text", ["Ann", "王小明", "محمد", "👩‍👩‍👧", "می‌خواهم", "\u200fنورة", ""])
def test_a_line_may_be_in_any_script(text: str) -> None:
    assert text_problem("name", text, longest=20) is None


@pytest.mark.parametrize(
    "character", ["\0", "\t", "\n", "\r", "\x1f", "\x7f", "\x85", "\x9f", "\u2028", "\u2029", "\ud800", "\uffff"]
)
def test_a_line_has_no_control_characters(character: str) -> None:
    problem = text_problem("name", f"A{character}n", longest=20)

    assert problem is not None
    assert (problem.field, problem.code) == ("name", "control_character")
    assert f"U+{ord(character):04X}" in problem.detail


@pytest.mark.parametrize("text", ["one\ntwo", "one\r\ntwo", "one\u2028two", "one\u2029two", "a\tb"])
def test_paragraphs_have_line_breaks_and_tabs(text: str) -> None:
    assert text_problem("note", text, longest=20, paragraphs=True) is None


@pytest.mark.parametrize("character", ["\0", "\x0b", "\x0c", "\x85", "\udfff", "\ufffe"])
def test_paragraphs_have_no_other_control_characters(character: str) -> None:
    problem = text_problem("note", f"a{character}", longest=20, paragraphs=True)

    assert problem is not None
    assert problem.code == "control_character"


def test_text_is_as_long_as_it_may_be_and_no_longer() -> None:
    assert text_problem("name", "é" * 5, longest=5) is None
    problem = text_problem("name", "é" * 6, longest=5)
    assert problem is not None
    assert problem.code == "too_long"
    assert "6 characters" in problem.detail
    assert "at most 5" in problem.detail

"""Tests of the normalisation and validation of text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unite_core.text import MAX_MARKS, MAX_TEXT_LENGTH, clean, normalize, text_error


@given(st.text())
def test_clean_text_is_unchanged(text: str) -> None:
    cleaned = clean(text)

    assert clean(cleaned) == cleaned
    assert cleaned == cleaned.strip()
    assert unicodedata.is_normalized("NFC", cleaned)


def test_text_is_trimmed_and_normalized() -> None:
    assert clean("\u00a0Zoe\u0308 \n") == "Zoë"
    assert clean(" Ann ") == "Ann"


@pytest.mark.parametrize(
    "text", ["\u200b", "\u200d\u00a0\ufeff", "\u115f", "\u1160", "\u3164", "\uffa0", "\u2028", "\u00ad\u3000\u200f"]
)
def test_text_of_invisible_characters_is_empty(text: str) -> None:
    assert clean(text) == ""


@pytest.mark.parametrize("text", ["\u200fنورة", "\u3164A", "👩\u200d👧", "\u200bé\u200b", "\u200b\x07"])
def test_invisible_characters_beside_visible_ones_are_kept(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("text", ["Ann", "王小明", "محمد", "👩‍👩‍👧", "می‌خواهم", "\u200fنورة", ""])
def test_a_line_may_be_in_any_script(text: str) -> None:
    assert text_error("name", text, max_length=20) is None


@pytest.mark.parametrize(
    "character", ["\0", "\t", "\n", "\r", "\x1f", "\x7f", "\x85", "\x9f", "\u2028", "\u2029", "\ud800", "\uffff"]
)
def test_a_line_with_control_characters_is_refused(character: str) -> None:
    problem = text_error("name", f"A{character}n", max_length=20)

    assert problem is not None
    assert (problem.field, problem.code) == ("name", "control_character")
    assert f"U+{ord(character):04X}" in problem.detail


@pytest.mark.parametrize("text", ["one\ntwo", "one\r\ntwo", "one\u2028two", "one\u2029two", "a\tb"])
def test_paragraphs_may_have_line_breaks_and_tabs(text: str) -> None:
    assert text_error("note", text, max_length=20, paragraphs=True) is None


@pytest.mark.parametrize("character", ["\0", "\x0b", "\x0c", "\x85", "\udfff", "\ufffe"])
def test_paragraphs_with_other_control_characters_are_refused(character: str) -> None:
    problem = text_error("note", f"a{character}", max_length=20, paragraphs=True)

    assert problem is not None
    assert problem.code == "control_character"


def test_text_over_its_maximum_length_is_refused() -> None:
    assert text_error("name", "é" * 5, max_length=5) is None
    problem = text_error("name", "é" * 6, max_length=5)
    assert problem is not None
    assert problem.code == "too_long"
    assert "6 characters" in problem.detail
    assert "at most 5" in problem.detail


def test_a_very_long_text_is_refused_without_processing() -> None:
    text = " \u0007" + "e\u0301" * MAX_TEXT_LENGTH

    problem = text_error("note", clean(text), max_length=2000)

    assert clean(text) is text
    assert problem is not None
    assert problem.code == "too_long"


@pytest.mark.parametrize("mark", ["\u0301", "\uff9e", "\u0323\u0301"])
def test_the_number_of_marks_on_a_character_is_limited(mark: str) -> None:
    maximum = "a" + mark * (MAX_MARKS // len(mark))

    assert text_error("note", clean(f"{maximum}b{maximum}"), max_length=2000) is None
    problem = text_error("note", clean(f"b{maximum}{mark}"), max_length=2000)
    assert problem is not None
    assert (problem.field, problem.code) == ("note", "too_many_marks")


def test_marks_that_decompose_into_several_are_counted_as_several() -> None:
    problem = text_error("note", clean("a" + "\u0f73" * (MAX_MARKS + 1)), max_length=2000)

    assert problem is not None
    assert problem.code == "too_many_marks"


@given(st.text())
def test_text_within_the_limits_is_normalized_as_unicode_specifies(text: str) -> None:
    assert normalize("NFC", text) == unicodedata.normalize("NFC", text)
    assert normalize("NFKC", text) == unicodedata.normalize("NFKC", text)
    assert normalize("NFKD", text) == unicodedata.normalize("NFKD", text)


def test_text_beyond_the_limits_is_not_normalized() -> None:
    disordered = "a" + "\u0301" * MAX_MARKS + "\u0323"

    assert normalize("NFC", disordered) == disordered
    assert normalize("NFC", "e\u0301" * MAX_TEXT_LENGTH) == "e\u0301" * MAX_TEXT_LENGTH

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


@pytest.mark.parametrize("text", ["Ann", "王小明", "محمد", "👩‍👩‍👧", "می‌خواهم", "\u200fنورة", ""])
def test_a_line_may_be_in_any_script(text: str) -> None:
    assert text_problem("name", text, longest=20) is None


@pytest.mark.parametrize("character", ["\0", "\t", "\n", "\r", "\x1f", "\x7f", "\x85", "\x9f", "\ud800", "\uffff"])
def test_a_line_has_no_control_characters(character: str) -> None:
    problem = text_problem("name", f"A{character}n", longest=20)

    assert problem is not None
    assert (problem.field, problem.code) == ("name", "control_character")
    assert f"U+{ord(character):04X}" in problem.detail


@pytest.mark.parametrize("text", ["one\ntwo", "one\r\ntwo", "a\tb"])
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

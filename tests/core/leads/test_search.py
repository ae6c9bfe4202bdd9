"""Tests of the search of leads by words and phone numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unite_core.leads.search import matches, query_words, search_text, words

FULL_WIDTH = "8158908301".translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
ARABIC = "815890".translate({ord("0") + digit: 0x0660 + digit for digit in range(10)})


def finds(question: str, name: str = "", phone: str | None = None, email: str | None = None) -> bool:
    return matches(search_text([name, email or ""], phone), query_words(question))


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("jos", "José Ángel"),
        ("JOSÉ", "jose"),
        ("ange jo", "José Ángel"),
        ("strasse", "Straße"),
        ("neil", "O'Neil-Ström"),
        ("小明", "王小明"),
        ("王", "王小明"),
        ("たろう", "やまだたろう"),
        ("علي", "محمد علي"),
        ("smith", "👩 Smith"),
    ],
)
def test_every_word_of_the_query_matches_the_beginning_of_a_word(question: str, name: str) -> None:
    assert finds(question, name)


@pytest.mark.parametrize("question", ["ose", "jose maria", "joseph"])
def test_a_lead_that_lacks_one_of_the_words_does_not_match(question: str) -> None:
    assert not finds(question, "José Ángel")


@pytest.mark.parametrize(
    "question", ["+1 815 890 8301", "(815) 890-8301", "1815", "815", "158908301", "58908301", "890-8301", "8301"]
)
def test_a_number_matches_in_any_notation_with_and_without_its_calling_code(question: str) -> None:
    assert finds(question, "Ann", "+18158908301")


@pytest.mark.parametrize("question", [FULL_WIDTH, f"\uff0b{FULL_WIDTH[:5]}", ARABIC])
def test_a_number_matches_in_the_digits_of_any_script(question: str) -> None:
    assert finds(question, "Ann", "+18158908301")


def test_digits_in_the_middle_of_a_number_do_not_match() -> None:
    assert not finds("9083", "Ann", "+18158908301")


@pytest.mark.parametrize("question", ["ann.lee@example.com", "example", "lee"])
def test_an_email_address_matches_by_its_words(question: str) -> None:
    assert finds(question, "Somebody", None, "ann.lee@example.com")


def test_a_query_of_punctuation_is_an_empty_query() -> None:
    assert query_words("+-") == []
    assert query_words("( )") == []
    assert query_words("?!") == []
    assert finds("--", "anybody")


def test_the_index_has_the_endings_of_the_number() -> None:
    words = "ann lee a b c de 18158908301 8158908301 158908301 58908301 8908301 8301"
    assert search_text(["Ann Lee", "a_b@c.de"], "+18158908301") == words


@given(st.text())
def test_a_name_matches_itself(name: str) -> None:
    assert matches(search_text([name], None), words(name))


def test_a_long_query_is_reduced_to_its_ten_longest_words() -> None:
    assert query_words(" ".join("abcdefghijklmnop")) == [*"abcdefghij"]
    assert query_words("to be or not to be, Hamlet asked: that is the question") == [
        "question",
        "hamlet",
        "asked",
        "that",
        "not",
        "the",
        "be",
        "is",
        "or",
        "to",
    ]


def test_a_query_word_that_is_a_prefix_of_another_is_dropped() -> None:
    assert query_words("ann Anna ANNA an") == ["anna"]

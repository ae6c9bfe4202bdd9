"""Tests of the tokens by which InnoDB indexes the words of leads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sql.mysql.lead_words import MARK, MAX_TOKEN_LENGTH, stored
from unite_core.leads.search import search_text

TEXTS = st.text(max_size=120)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", ""),
        ("grace hopper 12125550123", "zzgrace zzhopper zz12125550123"),
        ("an a", "zzan zza"),
        ("王", "zz_0mtn"),
        ("müller", "zzm_0070ller"),
    ],
)
def test_each_word_becomes_an_ascii_token_with_a_mark(text: str, tokens: str) -> None:
    assert stored(text) == tokens


@given(st.text(alphabet=st.characters(categories=["Ll", "Lo", "Nd"]), min_size=1, max_size=40), st.integers(1, 40))
def test_the_token_of_a_prefix_is_a_prefix_of_the_token_of_the_word(word: str, length: int) -> None:
    assert stored(word).split()[-1].startswith(stored(word[:length]).split()[-1])


@given(TEXTS)
def test_tokens_are_ascii_and_each_word_has_one_that_is_short_enough_to_be_indexed(name: str) -> None:
    indexed = search_text([name, "grace@example.com"], "+12125550123")

    tokens = stored(indexed).split(" ")

    assert all(token.isascii() and token.startswith(MARK) for token in tokens)
    for word in indexed.split(" "):
        assert any(stored(word).split(" ")[-1].startswith(token) for token in tokens if len(token) <= MAX_TOKEN_LENGTH)

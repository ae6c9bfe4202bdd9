"""The words by which recipients opt out of text messages, and in again."""

import pytest

from adapters.twilio.opt_outs import START_WORDS, STOP_WORDS, opts_out
from tests.conftest import CHECKOUT

STOP = [word for words in STOP_WORDS.values() for word in sorted(words)]


@pytest.mark.parametrize("word", STOP)
def test_a_word_of_any_language_opts_out_in_any_case_and_with_punctuation(word: str) -> None:
    for body in (word, word.lower(), f"  {word.title()}.\n", f"«{word}»!!", f"{word} 🛑", f"{word} {word}"):
        assert opts_out(body, None) is True, body


@pytest.mark.parametrize(
    "body", ["Arrêt", "désabonner", "İptal", "opreşte", "\uff33\uff34\uff2f\uff30", "st\u00adop", "Opt-Out", "stop all"]
)
def test_accents_widths_and_hyphens_do_not_matter(body: str) -> None:
    assert opts_out(body, None) is True


@pytest.mark.parametrize("word", sorted(START_WORDS))
def test_few_words_opt_in_again(word: str) -> None:
    assert opts_out(f"{word.lower()}!", None) is False


@pytest.mark.parametrize(
    "body",
    [
        "",
        "...",
        "🛑",
        "Stop it",
        "please stop",
        "no stop",
        "STOP START",
        "stopover",
        "Unsubscribe me?",
        "6",
        "ok",
        "HELP",
    ],
)
def test_a_sentence_and_other_words_say_neither(body: str) -> None:
    assert opts_out(body, None) is None


@pytest.mark.parametrize(("opt_out_type", "said"), [("STOP", True), ("START", False), ("HELP", None), ("stop", True)])
def test_what_twilio_made_of_a_message_counts(opt_out_type: str, said: bool | None) -> None:
    for body in ("STOP", "START", "ya basta", ""):
        assert opts_out(body, opt_out_type) is said


def test_the_page_about_messages_names_every_word() -> None:
    page = (CHECKOUT / "docs" / "reference" / "messages.md").read_text("utf-8")

    assert [word for word in STOP if word not in page] == []

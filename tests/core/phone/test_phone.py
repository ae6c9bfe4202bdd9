import pytest
from hypothesis import given
from hypothesis import strategies as st

from unite_core.errors import FieldError
from unite_core.phone import (
    MAX_EXTENSION_LENGTH,
    MAX_PHONE_INPUT_LENGTH,
    MAX_PHONE_LENGTH,
    Phone,
    PhoneRule,
    is_country,
    parse_phone,
)
from unite_core.phone.parsing import _read


def refused(text: str, country: str | None = "US", rule: PhoneRule = PhoneRule.POSSIBLE) -> FieldError:
    read = parse_phone(text, country=country, rule=rule)
    assert isinstance(read, FieldError)
    return read


@pytest.mark.parametrize(
    "text",
    [
        "8158908301",
        "815-890-8301",
        "(815) 890.8301",
        "1 815 890 8301",
        "+1-815-890-8301",
        "+1 (815) 890 8301",
        "tel:+1-815-890-8301",
        "８１５ ８９０ ８３０１",  # noqa: RUF001 - full width is what some keyboards write
    ],
)
def test_numbers_that_differ_only_in_punctuation_are_one(text: str) -> None:
    assert parse_phone(text, country="US") == Phone("+18158908301")


@pytest.mark.parametrize("text", ["962.952.7601x89555", "962-952-7601 ext. 89555", "+1 962 952 7601;ext=89555"])
def test_an_extension_is_kept_apart_from_the_number(text: str) -> None:
    read = parse_phone(text, country="US")

    assert read == Phone("+19629527601", "89555")
    assert isinstance(read, Phone)
    assert read.key == "+19629527601;ext=89555"


def test_a_number_without_extension_is_its_own_key() -> None:
    assert Phone("+19629527601").key == "+19629527601"


def test_an_extension_may_be_given_apart_and_may_be_repeated() -> None:
    assert parse_phone("8158908301", country="US", extension="12") == Phone("+18158908301", "12")
    assert parse_phone("8158908301x12", country="US", extension="12") == Phone("+18158908301", "12")


def test_two_extensions_that_differ_are_refused() -> None:
    read = parse_phone("8158908301x7", country="US", extension="12")

    assert isinstance(read, FieldError)
    assert (read.field, read.code) == ("phone_extension", "invalid_extension")
    assert "extension 7" in read.detail


@pytest.mark.parametrize("extension", ["", "1a", "٣", "1" * (MAX_EXTENSION_LENGTH + 1), "1 2"])
def test_an_extension_is_digits_and_not_too_many(extension: str) -> None:
    read = parse_phone("8158908301", country="US", extension=extension)

    assert isinstance(read, FieldError)
    assert (read.field, read.code) == ("phone_extension", "invalid_extension")
    assert parse_phone("8158908301", country="US", extension="1" * MAX_EXTENSION_LENGTH) == Phone(
        "+18158908301", "1" * MAX_EXTENSION_LENGTH
    )


@pytest.mark.parametrize(
    ("text", "country", "said"),
    [
        ("81589083011234", "US", "too many digits for US"),
        ("81589", "US", "too few digits for US"),
        ("5551234", "US", "lacks its area code for US"),
        ("+800 1234", "US", "too few digits."),
        ("+999 123 456", "US", "country calling code that does not exist"),
        ("+999 123 456", None, "country calling code that does not exist"),
        ("8158908301", None, "start it with +"),
        ("call me", "US", "not a telephone number"),
        ("1.81589E+10", "US", "not a telephone number"),
    ],
)
def test_a_number_that_is_none_is_told_why(text: str, country: str | None, said: str) -> None:
    problem = refused(text, country)

    assert (problem.field, problem.code) == ("phone", "invalid_phone")
    assert said in problem.detail


def test_a_number_has_at_most_fifteen_digits_whatever_its_country_allows() -> None:
    assert parse_phone("+49 1234567890123", country=None) == Phone("+491234567890123")
    assert len("+491234567890123") == MAX_PHONE_LENGTH
    assert "15 digits" in refused("+49 12345678901234", None).detail
    assert "15 digits" in refused("+81 12345678901234567", None).detail


@pytest.mark.parametrize(
    ("text", "country"),
    [("0005000000191", "IN"), ("+91 00 5000000191", None), ("0000051284", "KH"), ("+59500198255025", "PY")],
)
def test_a_number_that_would_be_another_one_when_it_is_read_again_is_refused(text: str, country: str | None) -> None:
    assert "zeros or a prefix" in refused(text, country).detail


def test_the_zero_of_an_italian_number_belongs_to_it() -> None:
    assert parse_phone("06 1234 5678", country="IT") == Phone("+390612345678")
    assert parse_phone("+390612345678", country=None) == Phone("+390612345678")


def test_an_endless_number_is_not_looked_at() -> None:
    assert refused("1" * (MAX_PHONE_INPUT_LENGTH + 1)).code == "too_long"


def test_a_number_that_is_possible_need_not_be_in_use() -> None:
    assert parse_phone("962-952-7601", country="US") == Phone("+19629527601")
    assert "in use" in refused("962-952-7601", rule=PhoneRule.VALID).detail
    assert parse_phone("815-890-8301", country="US", rule=PhoneRule.VALID) == Phone("+18158908301")


def test_two_zeros_are_taken_for_a_plus_in_a_suggestion() -> None:
    assert refused("00 44 20 7946 0958").suggestion == "+442079460958"
    assert refused("(0044) 20 7946 0958 x12").suggestion == "+442079460958 ext. 12"
    assert refused("00 999 123").suggestion is None
    assert refused("123").suggestion is None


def test_a_country_is_known_by_its_two_capitals() -> None:
    assert is_country("US")
    assert not is_country("us")
    assert not is_country("ZZ")


@given(st.text(max_size=80), st.sampled_from([None, "US", "DE", "JP", "ID"]), st.none() | st.text(max_size=22))
def test_any_text_is_a_number_or_a_problem(text: str, country: str | None, extension: str | None) -> None:
    read = parse_phone(text, country=country, extension=extension)

    assert isinstance(read, FieldError) or len(read.number) <= MAX_PHONE_LENGTH


@given(
    st.text("0123456789", min_size=7, max_size=18),
    st.sampled_from(["+", "+1", "+49", "+81", "+62", "+234", "", "0", "00"]),
    st.sampled_from([None, "US", "DE", "JP", "ID"]),
)
def test_a_number_that_is_in_use_reads_as_itself(digits: str, start: str, country: str | None) -> None:
    read = parse_phone(start + digits, country=country, rule=PhoneRule.VALID)

    if isinstance(read, Phone):
        assert parse_phone(read.number, country=None, rule=PhoneRule.VALID) == read
        assert 2 <= len(read.number) <= MAX_PHONE_LENGTH
        assert parse_phone(read.number, country=None, rule=PhoneRule.VALID) == read


def written(digits: str, prefix: str, brackets: bool, signs: tuple[str, str], extension: str) -> str:
    area = f"({digits[:3]})" if brackets else digits[:3]
    return f"{prefix}{area}{signs[0]}{digits[3:6]}{signs[1]}{digits[6:]}{extension}"


SIGN = st.sampled_from(["", "-", ".", " ", "/", "--"])
EXTENSION = st.sampled_from(["", "x12", " x 7", " ext. 12", "ext12", " ext.", " X1", "x12345678"])


@given(
    st.builds(
        written,
        st.text("0123456789", min_size=10, max_size=10),
        st.sampled_from(["", "+1", "+1-", "+1 ", "1", "+44 "]),
        st.booleans(),
        st.tuples(SIGN, SIGN),
        EXTENSION,
    ),
    st.sampled_from(["US", "CA", "JM", "PR", "DE", None]),
)
def test_plain_numbers_are_read_as_the_library_reads_them(text: str, country: str | None) -> None:
    assert parse_phone(text, country=country) == _read(text, country, PhoneRule.POSSIBLE, None)


def test_plain_numbers_are_read_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("phonenumbers.parse", slow)

    assert parse_phone("(212) 555-0123", country="US") == Phone("+12125550123")
    assert parse_phone("+1-212-555-0123", country=None) == Phone("+12125550123")

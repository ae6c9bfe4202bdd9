import pytest
from phonenumbers import SUPPORTED_REGIONS

from unite_core.errors import FieldError
from unite_core.phone import Phone, parse_phone

COUNTRIES = ("US", "DE", "FR", "GB", "IN", "AT", "DK", "JP", "BR")


def refusal(text: str, country: str | None = "DE") -> FieldError:
    read = parse_phone(text, country=country)
    assert isinstance(read, FieldError), (text, country)
    assert (read.field, read.code) == ("phone", "invalid_phone")
    return read


@pytest.mark.parametrize(
    ("what", "texts"),
    [
        ("a date", ("2026-11-29", "29.11.2026", "11/29/2026", "29 11 2026", "29.11.26", "11/29/26")),
        ("a date and a time", ("2026-11-29 09:30", "2026-11-29T09:30:00Z", "29.11.2026, 09:30")),
        ("a time", ("09:30", "9:30 pm", "23:59:59")),
        ("a span of time", ("14.30-16.00", "09:00 - 17:00")),
        ("a span of years", ("2010-2020", "2025/26")),
        ("a decimal number", ("1.234,56", "1,234.56", "1234.56", "12.50", "1234,5", "1'234.50", "1,234", "-1,5")),
        ("an amount of money", ("$1,200", "49,90 €", "1200 EUR", "USD 1200", "1.200,00 kr", "12 %")),
        ("a number in scientific notation", ("1.81589E+10", "4e9")),
        ("a negative number", ("-4155550101", "- 5")),
        ("an IP address", ("192.168.1.1", "10.0.0.1", "255.255.255.0", "192.168.178.20:8080", "10.0.0.0/8")),
        ("an IBAN", ("DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19")),
        ("a postcode", ("12345-6789", "01310-100", "00-950")),
        ("an e-mail address", ("ada@example.com",)),
        ("the address of a page", ("https://example.com/4155550101", "www.example.com")),
        ("a number of an order or a document", ("#4155550101", "2026-000123", "No. 123456", "Nr 20261")),
        ("a number of an identity card", ("123-45-6789",)),
        ("a placeholder", ("0000000000", "000 0000")),
    ],
)
def test_what_looks_like_something_else_is_refused_in_every_country_and_named(
    what: str, texts: tuple[str, ...]
) -> None:
    for index, text in enumerate(texts):
        for country in (COUNTRIES[index % len(COUNTRIES)], COUNTRIES[(index + 4) % len(COUNTRIES)]):
            assert refusal(text, country).detail == f"This is not a telephone number: it looks like {what}."


@pytest.mark.parametrize("text", ["10115", "80331", "01067", "04109", "30159", "12345", "00184", "114 55"])
def test_a_postcode_is_no_number_of_a_large_country(text: str) -> None:
    for country in COUNTRIES:
        refusal(text, country)


@pytest.mark.parametrize("text", ["ORD-10023", "A1B2C3", "room 101", "R2D2", "SW1A 1AA", "v1.2.3", "0x1F4", "ext. 12"])
def test_words_with_digits_are_no_number_and_are_suggested_none(text: str) -> None:
    for country in COUNTRIES:
        assert refusal(text, country).suggestion is None


def test_no_region_takes_the_usual_look_alikes_for_numbers() -> None:
    texts = ("2026-11-29", "1.234,56", "192.168.1.1", "$1,200", "09:30", "SW1A 1AA", "DE89370400440532013000")
    taken = [
        (region, text)
        for index, region in enumerate(sorted(SUPPORTED_REGIONS))
        for text in (texts[index % len(texts)],)
        if isinstance(parse_phone(text, country=region), Phone)
    ]

    assert taken == []


def test_digits_that_may_be_something_else_are_a_number_where_one_in_use_has_exactly_them() -> None:
    assert parse_phone("20261129", country="DK") == Phone("+4520261129")
    assert "a date" in refusal("20261129", "DE").detail
    assert parse_phone("20.26.11.29", country="DK") == Phone("+4520261129")
    assert "an IP address" in refusal("20.26.11.29", "DE").detail
    assert parse_phone("912.345.678", country="ES") == Phone("+34912345678")
    assert "thousands" in refusal("912.345.678", "DE").detail
    assert "a placeholder" in refusal("7777777", "US").detail


def test_the_number_of_a_spreadsheet_without_its_decimals_is_suggested() -> None:
    assert refusal("4155550101.0", "US").suggestion == "+14155550101"
    assert refusal("1234.0", "US").suggestion is None
    assert refusal("4155550101.05", "US").suggestion is None

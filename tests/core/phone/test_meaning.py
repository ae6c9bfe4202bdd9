"""Which number digits are: examples of every rule by which one reading of them wins, or none."""

import pytest

from unite_core.errors import FieldError
from unite_core.phone import Phone, PhoneRule, parse_phone


def number(text: str, country: str | None) -> str:
    read = parse_phone(text, country=country)
    assert isinstance(read, Phone), read
    assert read.extension is None
    return read.number


def refusal(text: str, country: str | None) -> FieldError:
    read = parse_phone(text, country=country)
    assert isinstance(read, FieldError), read
    return read


@pytest.mark.parametrize(
    ("text", "country", "meant"),
    [
        ("4915112345601", "DE", "+4915112345601"),
        ("493023125101", "DE", "+493023125101"),
        ("492211234567", "DE", "+492211234567"),
        ("6281234567890", "ID", "+6281234567890"),
        ("447700900102", "GB", "+447700900102"),
        ("14155550101", "US", "+14155550101"),
        ("5511955500102", "BR", "+5511955500102"),
        ("919876500101", "IN", "+919876500101"),
        ("390612345678", "IT", "+390612345678"),
    ],
)
def test_digits_that_begin_with_the_calling_code_of_their_country_are_read_with_it(
    text: str, country: str, meant: str
) -> None:
    assert number(text, country) == meant


@pytest.mark.parametrize(
    ("text", "country", "suggested"),
    [
        ("49221123456", "DE", "+49221123456"),  # Cologne, or Borkum without its zero
        ("442079460958", "DE", "+442079460958"),
        ("33612345678", "DE", "+33612345678"),
        ("447911123456", "US", None),
        ("447911123456", "FR", "+447911123456"),
        ("1 800-212-3456", "IN", "+18002123456"),
        ("49 30 123456", "BR", "+4930123456"),
    ],
)
def test_digits_that_may_be_of_another_country_are_refused(text: str, country: str, suggested: str | None) -> None:
    wanted = suggested or f"+{text}"

    assert refusal(text, country).suggestion == wanted
    assert number(wanted, country) == wanted


@pytest.mark.parametrize(
    ("text", "country", "meant"),
    [
        ("7700 900102", "GB", "+447700900102"),
        ("2034567890", "GB", "+442034567890"),
        ("15112345601", "DE", "+4915112345601"),
        ("1800 123 456", "IE", "+3531800123456"),
        ("98765 00101", "IN", "+919876500101"),
        ("600 555 101", "PL", "+48600555101"),
        ("(11) 5550-0101", "BR", "+551155500101"),
        ("06 39 98 01 03", "FR", "+33639980103"),
        ("03-0000-0102", "JP", "+81300000102"),
        ("090-0000-0101", "JP", "+819000000101"),
        ("0171/1234502", "DE", "+491711234502"),
        ("050 555 0101", "AE", "+971505550101"),
        ("31234", "FK", "+50031234"),
    ],
)
def test_national_numbers_are_read_with_and_where_it_is_clear_without_their_prefix(
    text: str, country: str, meant: str
) -> None:
    assert number(text, country) == meant


@pytest.mark.parametrize(
    ("text", "country", "said"),
    [
        ("01 99 00 01 02", "US", "begins with these digits"),
        ("111-111-1111", "US", "begins with these digits"),
        ("+1 199 000 0102", None, "begins with these digits"),
        ("1000456789", "GB", "begins with these digits"),
        ("10115", "DE", "too few digits"),
        ("+49 30 12", None, "too few digits"),
        ("234567", "DE", "lacks the prefix"),
        ("415-555-0101", "DE", "lacks the prefix"),
        ("9999999998", "DE", "lacks the prefix"),
        ("2345678901234", "DE", "longer than"),
        ("2026 000123", "US", "not grouped"),
        ("98 76 54 32 10", "US", "not grouped"),
        ("+352 (0)27 12 34 56", None, None),
    ],
)
def test_what_is_hardly_a_number_of_the_country_is_refused(text: str, country: str | None, said: str | None) -> None:
    if said is None:
        assert number(text, country) == "+35227123456"
    else:
        assert said in refusal(text, country).detail


def test_a_zero_that_belongs_to_the_number_is_suggested_where_a_spreadsheet_lost_it() -> None:
    assert refusal("612345678", "IT").suggestion == "+390612345678"


def test_a_plus_before_a_national_number_is_refused_with_the_national_number() -> None:
    assert refusal("+4155550101", "US").suggestion == "+14155550101"
    assert refusal("+0049 30 901820", "US").suggestion == "+4930901820"


def test_a_zero_in_brackets_is_left_out_unless_the_number_exists_with_it_alone() -> None:
    assert number("+44 (0)20 7946 0102", None) == "+442079460102"
    assert number("0044 (0) 20 7946 0102", "FR") == "+442079460102"
    assert number("(0)30 901820", "DE") == "+4930901820"
    assert number("+39 (0)6 1234 5678", None) == "+390612345678"
    both = refusal("+39 (0)312 345 6789", None)
    assert ("(0)" in both.detail, both.suggestion) == (True, "+393123456789")


@pytest.mark.parametrize(
    ("text", "country", "meant"),
    [
        ("0044 20 7946 0958", "DE", "+442079460958"),
        ("011 44 20 7946 0958", "US", "+442079460958"),
        ("010 44 20 7946 0958", "JP", "+442079460958"),
        ("0011 44 20 7946 0958", "AU", "+442079460958"),
        ("011 2345 6789", "IN", "+911123456789"),
        ("01167740123", "IN", "+911167740123"),
        ("011 4555-0101", "AR", "+541145550101"),
    ],
)
def test_the_prefix_for_calls_abroad_is_that_of_the_country(text: str, country: str, meant: str) -> None:
    assert number(text, country) == meant


@pytest.mark.parametrize(
    ("text", "country", "suggested"),
    [
        ("0044 20 7946 0958", "US", "+442079460958"),
        ("001-962-952-7601", "US", "+19629527601"),
        ("0041 55 555 01 01", "BR", "+41555550101"),
        ("00376 312345", "JP", "+376312345"),
        ("011 44 20 7946 0958", "DE", "+442079460958"),
        ("011 238 221 12 34", "CV", "+2382211234"),
        ("011 677 40123", "IN", "+67740123"),
        ("011 31 14020", "NL", "+3114020"),
    ],
)
def test_the_prefix_of_another_country_is_refused_with_a_plus_in_its_place(
    text: str, country: str, suggested: str
) -> None:
    assert refusal(text, country).suggestion == suggested


def test_without_a_country_the_same_digits_with_a_plus_are_suggested() -> None:
    assert refusal("442079460958", None).suggestion == "+442079460958"
    assert refusal("0044 20 7946 0958", None).suggestion == "+442079460958"
    assert refusal("4155550101", None).suggestion is None


@pytest.mark.parametrize(
    ("text", "country", "first"),
    [
        ("415-555-0103, 415-555-0153", "US", "+14155550103"),
        ("415-555-0101 / 415-555-0151", "US", "+14155550101"),
        ("415-555-0104 or 415-555-0154", "US", "+14155550104"),
        ("415-555-0106 ::: 415-555-0156", "US", "+14155550106"),
        ("415-555-0108  415-555-0158", "US", "+14155550108"),
        ("+14155550114;+14155550164", "US", "+14155550114"),
        ("415-555-0101 x 415-555-0151", "US", "+14155550101"),
        ("415-555-0101 ext. 415-555-0151", "US", "+14155550101"),
        ("415-555-0101\n415-555-0151", "US", "+14155550101"),
        ("030 901820/21", "DE", "+4930901820"),
        ("030 901820 - 030 901821", "DE", "+4930901820"),
        ("030 12345 030 12346", "DE", "+493012345"),
        ("20123456 30123456", "DK", "+4520123456"),
    ],
)
def test_two_numbers_are_refused_and_the_first_is_suggested(text: str, country: str, first: str) -> None:
    problem = refusal(text, country)

    assert problem.detail == "There is more than one number here; leave one."
    assert problem.suggestion == first


@pytest.mark.parametrize(
    ("text", "country", "suggested"),
    [
        ("030 901820 home", "DE", "+4930901820"),
        ("+49 30 901820 (mobile)", "US", "+4930901820"),
        ("order 415 555 0101", "US", "+14155550101"),
        ("415-555-0101 ext", "US", "+14155550101"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("++49 30 901820", "US", "+4930901820"),
        ("(030) 901820)", "DE", None),
        ("030 ((90) 1820)", "DE", None),
        ("call 5 pm", "US", None),
        ("*67 555", "US", None),
    ],
)
def test_words_and_signs_beside_a_number_are_refused_and_the_number_is_suggested(
    text: str, country: str, suggested: str | None
) -> None:
    problem = refusal(text, country)

    assert "Leave out all other words and signs." in problem.detail
    assert problem.suggestion == suggested


@pytest.mark.parametrize(
    ("text", "extension"),
    [
        ("030 901820 ext. 12", "12"),
        ("030 901820;ext=12", "12"),
        ("030 901820 Durchwahl 12", "12"),
        ("030 901820 доб. 12", "12"),
        ("030 901820 (x12)", "12"),
        ("030 901820 × 12", "12"),  # noqa: RUF001 - the multiplication sign is meant
        ("030 901820#123456", "123456"),
        ("030 901820, ext 12345678901234567890", "12345678901234567890"),
    ],
)
def test_extensions_are_read_behind_their_words_and_signs(text: str, extension: str) -> None:
    assert parse_phone(text, country="DE") == Phone("+4930901820", extension)


@pytest.mark.parametrize(
    "text",
    [
        "\u202a+49 30 901820\u202c",
        "+49\u00a030\u00a0901820",
        "+49\u201130\u2011901820",
        "+49 30 90\u00ad1820",
        "+49\u30fb30\u30fb901820",
        "＋４９（３０）９０１８２０",  # noqa: RUF001 - full width is meant
        "+٤٩٣٠٩٠١٨٢٠",
        "+४९ ३० ९०१८२०",
        "[+49] 30 901820",
        "Tel: +49 30 901820",
        "=+4930901820",
        "+49 30 901820.",
    ],
)
def test_signs_of_every_script_are_read_as_the_plain_ones(text: str) -> None:
    assert number(text, "US") == "+4930901820"


def test_a_suggestion_carries_the_extension() -> None:
    assert refusal("0044 20 7946 0958 x12", "US").suggestion == "+442079460958 ext. 12"
    assert parse_phone("+442079460958 ext. 12", country="US") == Phone("+442079460958", "12")


def test_by_the_strict_rule_a_number_is_in_use() -> None:
    assert parse_phone("4915112345601", country="DE", rule=PhoneRule.VALID) == Phone("+4915112345601")
    assert isinstance(parse_phone("7700900102", country="GB", rule=PhoneRule.VALID), FieldError)

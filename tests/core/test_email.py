"""Tests of the validation and normalisation of e-mail addresses."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from unite_core.email import _PLAIN, MAX_EMAIL_LENGTH, PRIVATE_DOMAINS, parse_email
from unite_core.errors import FieldError


def by_the_library(text: str) -> str | None:
    """Return the address as the library normalizes it, in lower case; None if it refuses it."""
    try:
        return validate_email(text, check_deliverability=False, strict=True).normalized.lower()
    except EmailNotValidError:
        return None


def address_or_none(text: str) -> str | None:
    read = parse_email(text)
    return None if isinstance(read, FieldError) else read


def refused(text: str) -> FieldError:
    read = parse_email(text)
    assert isinstance(read, FieldError)
    return read


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Ann@Example.com", "ann@example.com"),
        ("ann.lee+leads@mail.example.co.uk", "ann.lee+leads@mail.example.co.uk"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("ann@xn--mller-kva.example", "ann@müller.example"),
        ("Zoë@MÜLLER.example", "zoë@müller.example"),
        ("x" * 60 + "@example.com", "x" * 60 + "@example.com"),
    ],
)
def test_an_address_is_stored_in_lower_case_and_normalized(text: str, address: str) -> None:
    assert parse_email(text) == address


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("ann @example.com", "ann@example.com"),
        ("<ann@example.com>", "ann@example.com"),
        ("ann@@example.com", "ann@example.com"),
        ("ann@example,com", "ann@example.com"),
        ("ann@example..com", "ann@example.com"),
        ("ann(at)example(dot)com", "ann@example.com"),
        ("ann@gmail.con;", "ann@gmail.com"),
        ("nobody", None),
        ("ann and bob@", None),
        ("@example.com", None),
    ],
)
def test_an_invalid_address_gets_a_suggestion(text: str, suggestion: str | None) -> None:
    problem = refused(text)

    assert (problem.field, problem.code) == ("email", "invalid_email")
    assert problem.suggestion == suggestion
    assert problem.detail


def test_an_address_has_at_most_254_characters() -> None:
    max_length = "x" * 64 + "@" + ".".join(["y" * 61] * 3) + ".com"

    assert len(max_length) == MAX_EMAIL_LENGTH
    assert parse_email(max_length) == max_length
    assert refused("x" + max_length).code == "too_long"


@pytest.mark.parametrize(
    ("local", "longer"),
    [("x" * 64, "x" * 65), ("é" * 32, "é" * 32 + "x"), ("x" * 62 + "é", "x" * 62 + "e\u0301é")],
)
def test_the_part_before_the_at_sign_has_at_most_64_octets(local: str, longer: str) -> None:
    assert parse_email(f"{local}@example.com") == f"{local}@example.com"
    problem = refused(f"{longer}@example.com")
    assert (problem.code, problem.suggestion) == ("invalid_email", None)
    assert refused(f"{longer}@example..com").suggestion is None


def joined(marks: str, alphabet: str, maximum: int) -> st.SearchStrategy[str]:
    """Words of an alphabet with single marks between them."""
    word = st.text(alphabet, min_size=1, max_size=4)
    return st.builds(
        lambda first, others: first + "".join(mark + other for mark, other in others),
        word,
        st.lists(st.tuples(st.sampled_from(marks), word), max_size=maximum),
    )


@given(joined(".-", "aZ09_+", 3), joined(".-", "xN09", 6), st.sampled_from(["com", "NET", "io", "co", "uk", "biz"]))
@example("a", "b" * 58, "com")
@example("a", "b." * 28 + "b", "com")
@example("\N{KELVIN SIGN}elvin", "\N{KELVIN SIGN}", "com")
@example("www", "test.local", "com")
@example("postmaster", "localhost", "io")
def test_plain_addresses_are_parsed_like_the_library_does(local: str, host: str, top: str) -> None:
    text = f"{local}@{host}.{top}"

    assert _PLAIN.fullmatch(text.lower())
    assert address_or_none(text) == by_the_library(text) == text.lower()


pieces = st.lists(
    st.sampled_from(
        ["a", "Z", "9", ".", "-", "--", "_", "+", "@", "xn--", "ab--", ".com", ".co.uk", ".test", " ", "é"]
    ),
    max_size=12,
).map("".join)


@given(
    pieces | st.builds("{}@{}{}".format, pieces, pieces, st.sampled_from([".com", ".CO.UK", ".io", ""])) | st.emails()
)
@example("a@ab--c.com")
@example("a@ab-.com")
@example("a@-b.com")
@example("a@xn--a.com")
@example("a@b_c.com")
@example("a@.com")
@example(".a@b.com")
def test_any_text_is_parsed_like_the_library_does(text: str) -> None:
    assert address_or_none(text) == by_the_library(text)


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_has_an_error(text: str) -> None:
    read = parse_email(text)

    assert isinstance(read, FieldError) or len(read) <= MAX_EMAIL_LENGTH


@given(pieces | st.text(max_size=20))
def test_a_suggestion_is_a_valid_address(text: str) -> None:
    read = parse_email(text)

    if isinstance(read, FieldError) and read.suggestion is not None:
        assert parse_email(read.suggestion) == read.suggestion


def test_an_address_has_at_most_254_bytes() -> None:
    domain = ".".join(["é" * 48] * 2) + ".ee"

    assert parse_email("é" * 28 + "@" + domain) == "é" * 28 + "@" + domain
    assert refused("é" * 29 + "@" + domain).code == "too_long"


@pytest.mark.parametrize("domain", PRIVATE_DOMAINS)
def test_an_address_of_a_private_network_is_read_only_where_that_is_allowed(domain: str) -> None:
    assert parse_email(f"Ann@Office.{domain.upper()}", private=True) == f"ann@office.{domain}"
    assert refused(f"ann@office.{domain}").code == "invalid_email"
    assert f".{domain}" in refused(f"ann@office.{domain}").detail
    assert parse_email("ann@unite.example.com", private=True) == "ann@unite.example.com"


@pytest.mark.parametrize(
    "text", ["ann@local", "@office.local", "a b@office.local", "ann@-.internal", "é" * 40 + "@x.test"]
)
def test_an_address_of_a_private_network_follows_all_other_rules(text: str) -> None:
    assert isinstance(parse_email(text, private=True), FieldError)

"""No secret, no token and no full number or address is left in what is logged, wherever it stands."""

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from entrypoints.logs import JsonLinesFormatter, TextFormatter
from entrypoints.redaction import REDACTED, redacted, redacted_value
from tests.log_leaks import Detector, check_lines, check_log, leaks_in

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkwIn0.c2lnbmF0dXJl"

SECRETS = {
    "mysql+pymysql://unite:s3cret-word@db:3306/unite": "s3cret-word",
    "redis://:s3cret-word@cache": "s3cret-word",
    "https://bucket.example.com/a?X-Amz-Algorithm=A&X-Amz-Signature=0123abcdef&x=1": "0123abcdef",
    "https://bucket.example.com/a?X-Amz-Security-Token=0123abcdef": "0123abcdef",
    "/v1/files/a/b?expires=9&signature=0123abcdef": "0123abcdef",
    "access_token=0123abcdef; next": "0123abcdef",
    "Authorization: Bearer 0123abcdef456": "0123abcdef456",
    "Authorization: Basic dXNlcjpzM2NyZXQ=": "dXNlcjpzM2NyZXQ=",
    "Cookie: __Host-unite_session=0123abcdef; theme=dark": "0123abcdef",
    f"the token {TOKEN} has ended": TOKEN,
    "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA": "aGFzaA",
    "the key AKIAIOSFODNN7EXAMPLE is unknown": "AKIAIOSFODNN7EXAMPLE",
    "no such number: +12125550123": "12125550123",
    "no such number: +49 (30) 1234-5678": "1234",
    "no such user: ann.lee+x@example.com": "ann.lee",
}

HARMLESS = (
    "The import is completed.",
    "2026-11-30T22:24:04.080786+00:00",
    "http://127.0.0.1:8000/docs",
    "/v1/lead-imports/<uuid:import_id>/rows",
    "UTC+05:45, +1, + 2 = 3",
    "call_task.completed",
    "0190a6e2-0000-7000-8000-000000000001",
    "key=12 code=invalid",
)


@pytest.mark.parametrize(("text", "secret"), SECRETS.items())
@pytest.mark.parametrize("around", ["{}", "GET {} HTTP/1.1", '{{"a": "{}"}}'])
def test_a_secret_is_taken_out_of_any_text(text: str, secret: str, around: str) -> None:
    assert secret not in redacted(around.format(text))


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert redacted(text) == text


def test_a_number_and_an_address_are_still_told_apart() -> None:
    assert redacted("+12125550123 and ann@example.com") == "+…23 and a…@example.com"


@given(st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True), st.text("0 ()-x", max_size=3))
@example("+12125550123", "0")
def test_no_number_of_eight_digits_and_more_is_left(number: str, after: str) -> None:
    assert number[1:] not in redacted(f"to {number} {after}")


@pytest.mark.parametrize(
    "name", ["password", "new_password", "refresh_token", "Authorization", "cookie", "phone", "api_key"]
)
def test_the_value_of_an_attribute_whose_name_says_so_is_taken_out(name: str) -> None:
    assert redacted_value(name, "plain") == REDACTED
    assert redacted_value("body", {"deep": [{name: "plain"}]}) == {"deep": [{name: REDACTED}]}
    assert redacted_value(name, None) is None


@pytest.mark.parametrize("formatter", [JsonLinesFormatter(), TextFormatter()], ids=["for machines", "for people"])
@pytest.mark.parametrize(("text", "secret"), SECRETS.items())
def test_no_part_of_a_line_has_a_secret(formatter: logging.Formatter, text: str, secret: str) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.getLogger("tests.redaction")
    logger.propagate = False
    logger.handlers[:] = [handler]

    logger.error("It broke: %s", text, exc_info=ValueError(text), extra={"detail": text, "body": {"more": [text]}})

    assert stream.getvalue().count("It broke") == 1
    assert secret not in stream.getvalue()
    assert leaks_in(stream.getvalue().splitlines()) == []


def test_each_line_says_of_which_kind_service_and_version_it_is() -> None:
    def line(message: str, *values: Any, **extra: Any) -> dict[str, Any]:
        record = logging.LogRecord("tests", logging.INFO, __file__, 1, message, values, None)
        vars(record).update(extra)
        found: dict[str, Any] = json.loads(JsonLinesFormatter().format(record))
        return found

    first, second = line("The import is %s.", "completed"), line("The import is %s.", "undone")

    assert (first["event"], first["service"], first["version"]) == ("the_import_is", "unite", "0.1.0")
    assert (second["event"], second["message"]) == ("the_import_is", "The import is undone.")
    assert line("request")["event"] == "request"
    assert line("%d of %d", 1, 2, event="counted")["event"] == "counted"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{} correct horse battery", "a password"),
        ('{"to": "+12125550123"}', "a phone number"),
        (TOKEN, "a token"),
        ("$argon2id$v=19", "the hash of a password"),
        ("the lead Grace Hopper", "a name"),
    ],
)
def test_the_detector_finds_what_was_planted(line: str, what: str) -> None:
    assert leaks_in(["nothing", line]) == [f"{what}: {line}"]


def test_a_record_is_read_as_it_would_be_written() -> None:
    detector = Detector()

    for name in ("Grace Hopper", "ann@example.com", "+12125550123"):
        detector.read(logging.LogRecord("unite", logging.INFO, __file__, 1, "The lead is %s.", (name,), None))

    assert [leak.partition(":")[0] for leak in detector.taken()] == ["a name"]
    assert detector.taken() == []


def test_the_log_of_a_service_goes_through_the_detector(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    check_log(log)
    log.write_text("{}\n", "utf-8")
    check_log(log)
    log.write_text(f"{{}}\n{TOKEN}\n", "utf-8")

    with pytest.raises(AssertionError, match="a token: eyJ"):
        check_log(log)


def test_the_secrets_of_an_installation_are_in_none_of_its_lines() -> None:
    check_lines("all is well\n", {"0123456789abcdef"})

    with pytest.raises(AssertionError, match="0123456789abcdef"):
        check_lines("all is well\nthe key 0123456789abcdef is unknown\n", {"0123456789abcdef"})

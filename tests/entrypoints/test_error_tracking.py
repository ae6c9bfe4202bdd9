"""Tests of events for Sentry: each error once, with ids and code but no data, and only after retries failed."""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pymysql
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, OperationalError

from entrypoints import error_tracking
from entrypoints.correlation import correlation_scope
from entrypoints.dead_letters import log_dead_letter
from entrypoints.error_tracking.exceptions import MAX_CHAIN, chain_of, text_of
from entrypoints.error_tracking.handler import ErrorHandler
from entrypoints.error_tracking.retries import ATTEMPTS, MAX_SUBJECTS, REPEAT_SECONDS
from entrypoints.error_tracking.throttle import MAX_KEYS, Throttle
from entrypoints.error_tracking.tracker import THROTTLE_SECONDS, ErrorTracker
from entrypoints.worker.failures import log_failures
from tests.http.service import Service
from unite_core.errors import Conflict, Deadlock, Invalid, Unavailable
from unite_core.notifications.model import TEXTS, delivery_of
from unite_core.testing.builders import an_event

PLANTED = (
    "Hedy Lamarr",
    "+12125550123",
    "correct horse battery",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkwIn0.c2lnbmF0dXJl",
)
"""Data that may be in any input but in no event."""

OUTAGE = "The database does not answer; try again in a moment."


@dataclass
class Sent:
    """A client that remembers the events, or fails."""

    events: list[dict[str, Any]] = field(default_factory=list)
    error: Exception | None = None
    flushed: float | None = None

    def send(self, event: dict[str, Any]) -> None:
        if self.error is not None:
            raise self.error
        self.events.append(event)

    def flush(self, seconds: float) -> None:
        self.flushed = seconds

    @property
    def messages(self) -> list[str]:
        return [event["logentry"]["formatted"] for event in self.events]


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


class Broken:
    """Rate limits whose every use fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def hit(self, *_: object) -> object:
        raise self._error

    peek = hit


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tracker(sent: Sent, clock: Clock) -> ErrorTracker:
    return ErrorTracker(sent, "http", clock=clock)


@pytest.fixture(autouse=True)
def _tracked(tracker: ErrorTracker) -> Iterator[None]:
    """The events of this process go to the tracker."""
    root, handler = logging.getLogger(), ErrorHandler(tracker)
    root.addHandler(handler)
    yield
    root.removeHandler(handler)


@pytest.fixture
def log() -> logging.Logger:
    return logging.getLogger("unite.tests")


def raised(fail: Callable[[], object]) -> Exception:
    """Return the error that the function raises, with its traceback."""
    try:
        fail()
    except Exception as error:  # noqa: BLE001 - whatever it raises
        return error
    raise AssertionError("It raised nothing.")


def fail_with(error: Exception) -> None:
    """Raise the error."""
    raise error


def planted_in(*values: object) -> list[str]:
    """Return the planted data that is in the values."""
    return [secret for secret in PLANTED if secret.strip("+") in json.dumps(values, default=str)]


def test_a_logged_error_is_an_event_with_ids_and_code_but_no_data(log: logging.Logger, sent: Sent) -> None:
    name = "Hedy Lamarr"

    def fail() -> None:
        secret = f"{name} +12125550123"
        raise ValueError(f"{secret} is no number")

    with correlation_scope("c0ffee-0001"):
        extra = {"method": "POST", "route": "/v1/leads", "path": f"/v1/leads/{name}", "user_id": "0190", "code": "gone"}
        log.error("It broke at %s.", "the end", exc_info=raised(fail), extra=extra)

    (event,) = sent.events
    assert (event["level"], event["logger"], event["transaction"]) == ("error", "unite.tests", "POST /v1/leads")
    assert event["logentry"] == {"formatted": "It broke at the end."}
    assert event["tags"] == {"component": "http", "correlation_id": "c0ffee-0001", "event": "it_broke_at"}
    assert event["extra"] == {"code": "gone", "method": "POST", "route": "/v1/leads"}
    ((exception,),) = (event["exception"]["values"],)
    assert (exception["type"], exception["value"]) == ("ValueError", "")
    frame = exception["stacktrace"]["frames"][-1]
    assert (frame["function"], frame["filename"]) == ("fail", "tests/entrypoints/test_error_tracking.py")
    assert 'raise ValueError(f"{secret} is no number")' in frame["context_line"]
    assert not {"vars", "abs_path"} & {name for each in exception["stacktrace"]["frames"] for name in each}


@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING])
def test_a_log_line_below_the_level_error_is_no_event(log: logging.Logger, sent: Sent, level: int) -> None:
    log.log(level, "request", extra={"status": 404})

    assert sent.events == []


def test_an_exception_that_is_logged_raised_and_logged_again_is_one_event(log: logging.Logger, sent: Sent) -> None:
    def inner() -> None:
        try:
            fail_with(KeyError("x"))
        except KeyError:
            log.exception("First.")
            raise

    def outer() -> None:
        try:
            inner()
        except KeyError as error:
            log.exception("Second.")
            raise RuntimeError("because") from error

    with correlation_scope("c0ffee-0001"):
        error = raised(outer)
        log.error("Third.", exc_info=error)
        error_tracking.capture_unlogged(error)

    assert sent.messages == ["First."]


def test_two_exceptions_are_two_events(log: logging.Logger, sent: Sent) -> None:
    with correlation_scope("c0ffee-0001"):
        for _ in range(2):
            log.error("It broke.", exc_info=raised(lambda: 1 / 0))

    assert len(sent.events) == 2


def test_one_exception_of_two_requests_and_two_jobs_is_an_event_of_each(log: logging.Logger, sent: Sent) -> None:
    error = raised(lambda: 1 / 0)

    for number in range(2):
        with correlation_scope(f"c0ffee-{number}"):
            log.error("It broke.", exc_info=error)
        attempt(error, "run_import", str(number))
    error_tracking.flush()

    assert sent.messages == ["It broke.", "It broke.", "A job failed: run_import", "A job failed: run_import"]


def test_equal_errors_outside_requests_are_one_event_per_minute(log: logging.Logger, sent: Sent, clock: Clock) -> None:
    def loop() -> None:
        log.error("The queue broke.", exc_info=raised(lambda: 1 / 0))
        log.error("There is no topic.")

    loop()
    loop()
    assert sent.messages == ["The queue broke.", "There is no topic."]

    log.error("There is no topic.", extra={"destination": "topic"})
    clock.now += THROTTLE_SECONDS
    loop()
    assert sent.messages[2:] == ["There is no topic.", "The queue broke.", "There is no topic."]


def test_log_messages_of_libraries_are_sent_without_their_values(sent: Sent) -> None:
    logging.getLogger("asyncio").error("future: <Task exception=ValueError('Hedy Lamarr')>")
    logging.getLogger("somebody").error("The value %s is wrong.", "Hedy Lamarr")

    assert sent.messages == ["asyncio", "The value %s is wrong."]


@pytest.mark.parametrize("name", ["sentry_sdk.errors", "urllib3.connectionpool"])
def test_errors_logged_by_sentry_sdk_and_urllib3_are_no_events(sent: Sent, name: str) -> None:
    logging.getLogger(name).error("It cannot be sent.")

    assert sent.events == []


def test_a_log_record_that_cannot_be_formatted_is_no_event_and_raises_nothing(
    tracker: ErrorTracker, sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    ErrorHandler(tracker).handle(logging.LogRecord("unite.tests", logging.ERROR, __file__, 1, "%d broke", ("x",), None))

    assert sent.events == []
    assert caplog.messages == ["An error cannot be sent to Sentry: TypeError."]


def test_a_failing_client_is_logged_and_raises_nothing(
    log: logging.Logger, sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    sent.error = RuntimeError("Hedy Lamarr")

    log.error("It broke.")
    error_tracking.capture_outage(Unavailable(OUTAGE))
    with suppress(KeyError), error_tracking.retried("sweep"):
        raise KeyError
    error_tracking.flush()

    assert caplog.messages.count("An error cannot be sent to Sentry: RuntimeError.") == 3


def test_an_unexpected_error_of_a_request_is_an_error_event_and_an_outage_a_warning_event(sent: Sent) -> None:
    broken = Service(requests_per_minute=9, limits=Broken(ZeroDivisionError("division by zero")))
    away = Service(requests_per_minute=9, limits=Broken(Unavailable(OUTAGE)))

    statuses = [service.stranger.get("/v1/me").status_code for service in (broken, broken, away, away)]

    assert statuses == [500, 500, 503, 503]
    assert [(event["level"], event["logentry"]["formatted"]) for event in sent.events] == [
        ("error", "unexpected error"),
        ("error", "unexpected error"),
        ("warning", OUTAGE),
    ]
    assert [event.get("transaction") for event in sent.events] == ["GET /v1/me", "GET /v1/me", None]
    assert all("correlation_id" in event["tags"] for event in sent.events)


@pytest.mark.parametrize("method", ["get", "post", "patch"])
def test_a_refused_request_is_no_event(sent: Sent, method: str) -> None:
    stranger = Service().stranger

    statuses = {getattr(stranger, method)(path).status_code for path in ("/v1/leads", "/v1/nothing", "/v1/me")}

    assert statuses <= {401, 404, 405}
    assert sent.events == []


def test_a_dead_letter_is_an_event_with_the_ids_of_its_delivery(sent: Sent) -> None:
    delivery = delivery_of(an_event(correlation_id="c0ffee-0001"), TEXTS)
    delivery.refuse({"error_code": 30003, "error": "Hedy Lamarr"})

    log_dead_letter(delivery)

    (event,) = sent.events
    assert event["tags"]["correlation_id"] == "c0ffee-0001"
    assert event["extra"] == {
        "code": 30003,
        "delivery_id": str(delivery.id),
        "destination": "texts",
        "event_id": str(delivery.event_id),
    }
    assert planted_in(event) == []


def test_an_outage_is_one_warning_event_per_minute(sent: Sent, clock: Clock) -> None:
    for error in (Unavailable(OUTAGE), Unavailable(OUTAGE), Unavailable("Redis does not answer.")):
        error_tracking.capture_outage(error)
    clock.now += THROTTLE_SECONDS
    error_tracking.capture_outage(Unavailable(OUTAGE))

    assert sent.messages == [OUTAGE, "Redis does not answer.", OUTAGE]
    assert {event["level"] for event in sent.events} == {"warning"}


@pytest.mark.parametrize(
    "error", [Deadlock(OUTAGE), Unavailable("Too many uploads.", code="too_many_transfers")], ids=["deadlock", "full"]
)
def test_deadlocks_and_full_queues_are_no_outages(sent: Sent, error: Unavailable) -> None:
    error_tracking.capture_outage(error)
    with suppress(Unavailable), error_tracking.retried("sweep"):
        raise error
    error_tracking.flush()

    assert sent.events == []


def attempt(error: Exception | None, *subject: str) -> None:
    with suppress(Exception), error_tracking.retried(*subject):
        if error is not None:
            raise error


def test_an_error_followed_by_a_successful_retry_is_no_event(sent: Sent) -> None:
    for _ in range(3):
        for _ in range(ATTEMPTS - 1):
            attempt(KeyError("x"), "run_import", "1")
        attempt(None, "run_import", "1")

    error_tracking.flush()
    assert sent.events == []


def test_a_job_that_keeps_failing_is_one_event_per_hour(sent: Sent, clock: Clock) -> None:
    for _ in range(3 * ATTEMPTS):
        attempt(KeyError("Hedy Lamarr"), "run_import", "1")
        clock.now += 1

    (event,) = sent.events
    assert event["logentry"] == {"formatted": "A job failed: run_import"}
    assert (event["transaction"], event["extra"]) == ("run_import 1", {"job": "run_import 1"})
    assert planted_in(event) == []
    clock.now += REPEAT_SECONDS
    attempt(KeyError("x"), "run_import", "1")
    attempt(KeyError("x"), "run_import", "1")
    error_tracking.flush()
    assert len(sent.events) == 2


def test_failed_jobs_are_sent_by_the_flush_before_their_process_ends(sent: Sent) -> None:
    for number in range(20):
        for _ in range(1 + number % (2 * ATTEMPTS)):
            with correlation_scope(f"c0ffee-{number}"):
                attempt(KeyError("x"), "run_import", str(number))

    error_tracking.flush()
    error_tracking.flush()

    assert len(sent.events) == 20
    assert {event["tags"]["correlation_id"] for event in sent.events} == {f"c0ffee-{it}" for it in range(20)}
    assert sent.flushed == error_tracking.FLUSH_SECONDS


def test_an_error_that_a_job_has_logged_is_not_sent_again(log: logging.Logger, sent: Sent) -> None:
    def fail() -> None:
        try:
            fail_with(KeyError("x"))
        except KeyError:
            log.exception("The job broke.")
            raise

    with correlation_scope("c0ffee-0001"), suppress(KeyError), error_tracking.retried("sweep"):
        fail()
    error_tracking.flush()

    assert sent.messages == ["The job broke."]


def test_the_log_line_of_a_queue_about_a_failed_job_is_no_second_event(log: logging.Logger, sent: Sent) -> None:
    for _ in range(ATTEMPTS):
        try:
            with error_tracking.retried("sweep"):
                fail_with(KeyError("x"))
        except KeyError:
            log.exception("Something unexpected happened in the job sweep.", extra={"retried": True})

    assert sent.messages == ["A job failed: sweep"]


def test_repeated_errors_of_a_worker_loop_are_sent_like_those_of_retried_jobs(sent: Sent) -> None:
    for _ in range(ATTEMPTS):
        with log_failures("starting what was uploaded", lambda: None):
            fail_with(KeyError("x"))

    assert sent.messages == ["A job failed: starting what was uploaded"]


def test_jobs_that_fail_in_an_outage_are_one_warning_event(sent: Sent) -> None:
    for _ in range(ATTEMPTS):
        attempt(Unavailable(OUTAGE), "sweep")
        attempt(Unavailable(OUTAGE), "fold_entries")

    error_tracking.flush()
    assert [(event["level"], event["logentry"]["formatted"]) for event in sent.events] == [("warning", OUTAGE)]


def test_beyond_the_maximum_of_failing_jobs_the_oldest_are_sent_at_once(sent: Sent) -> None:
    for number in range(MAX_SUBJECTS + 2):
        attempt(KeyError("x"), "run_import", str(number))

    assert [event["extra"]["job"] for event in sent.events] == ["run_import 0", "run_import 1"]


def test_a_throttle_forgets_all_keys_at_its_maximum() -> None:
    throttle = Throttle(seconds=60, clock=Clock())

    assert all(throttle.passes(key) for key in range(MAX_KEYS + 1))
    assert throttle.passes(0)
    assert not throttle.passes(MAX_KEYS)


def test_without_a_tracker_nothing_is_sent_and_nothing_raised() -> None:
    logging.getLogger().handlers[:] = [it for it in logging.getLogger().handlers if not isinstance(it, ErrorHandler)]

    error_tracking.capture_unlogged(KeyError("x"))
    error_tracking.capture_outage(Unavailable(OUTAGE))
    attempt(KeyError("x"), "sweep")
    error_tracking.flush()


SHOWN = (
    (ZeroDivisionError("division by zero"), "division by zero"),
    (AttributeError("'NoneType' object has no attribute 'name'"), "'NoneType' object has no attribute 'name'"),
    (sqlite3.OperationalError("no such table: leads"), "no such table: leads"),
    (sqlite3.OperationalError('near "Hedy Lamarr\'s": syntax error'), "near '…': syntax error"),
    (pymysql.err.IntegrityError(1062, "Duplicate entry 'Hedy Lamarr' for key 'uq'"), "1062"),
    (FileNotFoundError(2, "Hedy Lamarr", "hedy.csv"), "[Errno 2] No such file or directory"),
    (Unavailable(OUTAGE), OUTAGE),
    (Conflict("Hedy Lamarr is there already.", code="duplicate_user"), "duplicate_user"),
)


@pytest.mark.parametrize(("error", "shown"), SHOWN, ids=[type(error).__name__ + shown for error, shown in SHOWN])
def test_error_codes_and_names_in_code_are_kept_in_the_text_of_an_exception(error: Exception, shown: str) -> None:
    assert text_of(error) == shown


class OfAws(Exception):
    """An error like those of botocore."""

    def __init__(self, message: str, code: object) -> None:
        super().__init__(message)
        self.response = {"Error": {"Code": code, "Message": message}}


def test_the_error_code_of_aws_is_kept() -> None:
    assert text_of(OfAws("Hedy Lamarr", "AccessDenied")) == "AccessDenied"
    assert text_of(OfAws("Hedy Lamarr", "Hedy Lamarr")) == ""


QUOTING = (
    ValueError,
    KeyError,
    LookupError,
    RuntimeError,
    Exception,
    OSError,
    UnicodeError,
    AssertionError,
    Conflict,
    Invalid,
    sqlite3.IntegrityError,
)


@given(st.sampled_from(QUOTING), st.text("abcxyzÄ '\"+0123456789", min_size=12, max_size=40))
def test_text_that_a_user_entered_is_never_in_the_text_of_an_exception(kind: type[Exception], entered: str) -> None:
    quoted = f'"{entered}"' if kind is sqlite3.IntegrityError else entered

    assert entered.strip() not in text_of(kind(quoted)) or not entered.strip()


def test_the_parameters_of_an_sql_statement_are_in_no_event(log: logging.Logger, sent: Sent) -> None:
    engine = create_engine("sqlite://", hide_parameters=False)
    with engine.connect() as connection:
        for statement, kind in (
            ("INSERT INTO leads VALUES (:name)", OperationalError),
            ("SELECT name FROM (SELECT 1) WHERE name = :name", OperationalError),
        ):
            with pytest.raises(kind) as failed:
                connection.execute(text(statement), {"name": "Hedy Lamarr"})
            log.error("It broke.", exc_info=failed.value)
        connection.execute(text("CREATE TABLE leads (name TEXT UNIQUE)"))
        with pytest.raises(IntegrityError) as doubled:
            connection.execute(text("INSERT INTO leads VALUES (:name), (:name)"), {"name": "Hedy Lamarr"})
        log.error("It broke twice.", exc_info=doubled.value)
    engine.dispose()

    # The lines of code of this file have the name in them.
    for exception in (it for event in sent.events for it in event["exception"]["values"]):
        for frame in exception["stacktrace"]["frames"]:
            for name in ("pre_context", "context_line", "post_context"):
                frame.pop(name)
    assert [len(event["exception"]["values"]) for event in sent.events] == [2, 2, 2]
    assert [event["exception"]["values"][0]["value"] for event in sent.events] == [
        "no such table: leads",
        "no such column: name",
        "UNIQUE constraint failed: leads.name",
    ]
    assert planted_in(sent.events) == []


def test_the_causes_of_an_exception_are_those_that_a_traceback_shows() -> None:
    def caused() -> None:
        try:
            fail_with(KeyError("first"))
        except KeyError as error:
            raise ValueError("second") from error

    def in_handling() -> None:
        try:
            fail_with(KeyError("first"))
        finally:
            fail_with(ValueError("second"))

    def instead() -> None:
        try:
            fail_with(KeyError("first"))
        except KeyError:
            raise ValueError("second") from None

    def grouped() -> None:
        raise ExceptionGroup("several", [KeyError("first"), KeyError("other")])

    names = [[type(it).__name__ for it in chain_of(raised(fail))] for fail in (caused, in_handling, instead, grouped)]

    assert names == [["ValueError", "KeyError"]] * 2 + [["ValueError"], ["ExceptionGroup", "KeyError"]]


def test_a_chain_of_causes_ends_at_a_cycle_and_at_its_maximum() -> None:
    one, other = KeyError(), ValueError()
    one.__cause__, other.__cause__ = other, one
    long = KeyError()
    for _ in range(2 * MAX_CHAIN):
        further = KeyError()
        further.__cause__ = long
        long = further

    assert [*chain_of(one)] == [one, other]
    assert len([*chain_of(long)]) == MAX_CHAIN

"""Tests of the library's public dataclasses: values of a wrong type and naive times are refused."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.core.boundary.values import NOON, checked_dataclasses, example, hints_of, refused
from unite_core import (
    Actor,
    CallOutcome,
    Claim,
    ClockFilter,
    CompletedCall,
    Completion,
    Correction,
    Credentials,
    DeliveryFilter,
    Event,
    Invalid,
    LeadFilter,
    LedgerFilter,
    NewCallTask,
    NewConsent,
    PageRequest,
    Period,
    PhonePolicy,
    Position,
    Quotas,
    Receipt,
    RejectionFilter,
    RetryPolicy,
    Rules,
    Subscription,
    TaskFilter,
)
from unite_core.checks import Input
from unite_core.testing.builders import a_lead, an_id

KINDS = checked_dataclasses()


def places() -> list[Any]:
    return [
        pytest.param(kind, each.name, id=f"{kind.__name__}.{each.name}")
        for kind in KINDS
        for each in fields(kind)
        if each.init
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_valid_values_are_accepted(kind: Any) -> None:
    made = example(kind)

    assert isinstance(made, kind)


@pytest.mark.parametrize(("kind", "name"), places())
def test_a_value_of_a_wrong_type_is_refused_with_the_name_of_its_field(kind: Any, name: str) -> None:
    for value in refused(hints_of(kind)[name]):
        with pytest.raises((TypeError, ValueError, Invalid)) as caught:
            example(kind, **{name: value})

        assert name in str(caught.value), value
        assert isinstance(caught.value, Invalid | TypeError) or not issubclass(kind, Input)


def test_the_dataclasses_that_callers_create_are_covered() -> None:
    walked = {kind.__name__ for kind in KINDS}

    assert walked >= {"NewLead", "LeadFilter", "Completion", "PageRequest", "Actor", "Rules", "Ports", "Event", "Lead"}


@pytest.mark.parametrize("limit", [0, -1, 201, 10**9])
def test_a_page_has_1_to_200_items(limit: int) -> None:
    with pytest.raises(Invalid) as caught:
        PageRequest(limit=limit)

    assert [(each.field, each.code) for each in caught.value.problems] == [("limit", "out_of_range")]


@pytest.mark.parametrize(
    ("make", "field", "code"),
    [
        (lambda: RejectionFilter(import_id=an_id(), limit=0), "limit", "out_of_range"),
        (lambda: RejectionFilter(import_id=an_id(), limit=501), "limit", "out_of_range"),
        (lambda: RejectionFilter(import_id=an_id(), limit=1, after_row=-1), "after_row", "out_of_range"),
        (lambda: RejectionFilter(import_id=an_id(), limit=1, after_row=10**30), "after_row", "out_of_range"),
        (lambda: LeadFilter(q="x" * 201), "q", "too_long"),
        (lambda: LeadFilter(q="Grace\0"), "q", "control_character"),
        (lambda: LeadFilter(sources=frozenset({"fair", "x" * 65})), "sources", "too_long"),
        (lambda: LeadFilter(sources=frozenset({" "})), "sources", "required"),
        (lambda: LeadFilter(companies=frozenset({""})), "companies", "required"),
        (lambda: LeadFilter(called_within=timedelta(seconds=-1)), "called_within", "out_of_range"),
        (lambda: LeadFilter(called_within=timedelta.max), "called_within", "out_of_range"),
        (lambda: LedgerFilter(attempts=frozenset({0})), "attempts", "out_of_range"),
        (lambda: LedgerFilter(sources=frozenset({None, "a\nb"})), "sources", "control_character"),
        (lambda: LedgerFilter(clock=ClockFilter(tz="UTC")), "clock", "period_required"),
        (lambda: LedgerFilter(clock=ClockFilter(tz="UTC"), called_from=NOON), "clock", "period_required"),
        (lambda: ClockFilter(tz="UTC", hours=frozenset({24})), "hours", "out_of_range"),
        (lambda: ClockFilter(tz="UTC", weekdays=frozenset({0})), "weekdays", "out_of_range"),
        (lambda: ClockFilter(tz="Mars/Phobos"), "tz", "unknown_time_zone"),
        (lambda: Period(date(2026, 3, 2), date(2026, 3, 1), "UTC"), "first", "after_end"),
        (lambda: Period(date(2025, 1, 1), date(2026, 3, 1), "UTC"), "last", "span_too_long"),
        (lambda: Period(date(1, 1, 1), date(1, 1, 1), "UTC"), "first", "out_of_range"),
        (lambda: Period(date(2026, 3, 2), date(2026, 3, 2), "utc"), "tz", "unknown_time_zone"),
        (lambda: NewConsent(source="SM1", phone="12125550123", opted_out=True), "phone", "invalid_phone"),
        (lambda: NewConsent(source="x" * 65, phone="+12125550123", opted_out=True), "source", "too_long"),
        (lambda: DeliveryFilter(destination="a\0b"), "destination", "control_character"),
        (lambda: Claim(scope="x" * 129, fingerprint="f", holder="h"), "scope", "too_long"),
        (lambda: Credentials(email="a", password="b", address="\n"), "address", "control_character"),
        (lambda: Actor.system(correlation_id="a\nb"), "correlation_id", "control_character"),
        (lambda: Actor.system(correlation_id="x" * 129), "correlation_id", "too_long"),
    ],
)
def test_a_value_outside_its_range_is_invalid(make: Any, field: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        make()

    assert [(each.field, each.code) for each in caught.value.problems][:1] == [(field, code)]


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: PhonePolicy(default_country="us"), "default_country"),
        (lambda: PhonePolicy(default_country="XX"), "default_country"),
        (lambda: Rules(logins_per_minute=-1), "logins_per_minute"),
        (lambda: Rules(missed_after=timedelta(seconds=-1)), "missed_after"),
        (lambda: Rules(import_retention=timedelta()), "import_retention"),
        (lambda: Quotas(open_imports=-1), "open_imports"),
        (lambda: Quotas(sessions=0), "sessions"),
        (lambda: Subscription(name=""), "name"),
        (lambda: Subscription(name="with spaces"), "name"),
        (lambda: Subscription(name="crm", batch_size=0), "batch_size"),
        (lambda: RetryPolicy(first_pause=timedelta()), "first_pause"),
        (lambda: Receipt(accepted=True, refused=True), "accepted"),
    ],
)
def test_rules_and_receipts_outside_their_range_are_refused(make: Any, name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name}: "):
        make()


def test_times_of_input_are_converted_to_utc() -> None:
    in_kathmandu = NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))

    task = NewCallTask(lead_id=an_id(), due_at=in_kathmandu)

    assert (task.due_at, task.due_at.tzinfo) == (NOON, UTC)


@pytest.mark.parametrize(
    "beyond",
    [
        datetime(9999, 12, 31, 20, tzinfo=timezone(timedelta(hours=-14))),
        datetime(1, 1, 1, 4, tzinfo=timezone(timedelta(hours=14))),
    ],
)
def test_a_time_outside_the_years_of_utc_is_invalid(beyond: datetime) -> None:

    with pytest.raises(Invalid) as caught:
        TaskFilter(due_from=beyond)

    assert [each.code for each in caught.value.problems] == ["invalid_moment"]


def test_times_from_adapters_keep_their_time_zone() -> None:
    in_kathmandu = NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))

    assert Event(id=an_id(), type="lead.created", at=in_kathmandu).at.tzinfo == in_kathmandu.tzinfo


def test_all_errors_are_reported_together() -> None:
    with pytest.raises(Invalid) as caught:
        Position(at=datetime(2026, 3, 2, 9), id=an_id())  # noqa: DTZ001 - it is to be refused
    with pytest.raises(Invalid) as both:
        LeadFilter(q="x" * 201, called_within=timedelta(days=401))

    assert [each.field for each in caught.value.problems] == ["at"]
    assert {each.field for each in both.value.problems} == {"q", "called_within"}


def test_filters_normalize_plain_text() -> None:
    filters = LeadFilter(q="  Hopper, Grace ", sources=frozenset({" Fair "}), companies=frozenset({"ACME, Inc."}))
    ledger = LedgerFilter(sources=frozenset({None, "Fair"}))

    assert filters.words == ("hopper", "grace")
    assert filters.texts == {"source": frozenset({"fair"}), "company": frozenset({"acme, inc."})}
    assert ledger.sources == {None, "fair"}
    assert (LeadFilter(q=" ").words, LeadFilter(q="?!").words) == (None, ())


def test_a_copy_with_changes_is_checked_too() -> None:
    call = CompletedCall(task_id=an_id(), completion=Completion(outcome=CallOutcome.BUSY, duration_seconds=0))

    with pytest.raises(TypeError, match=r"CompletedCall: task_id has to be UUID, not str"):
        replace(call, task_id="1")  # type: ignore[arg-type]  # it is to be refused


def test_no_error_message_contains_the_value() -> None:
    with pytest.raises(TypeError) as caught:
        Correction(entry_id="s3cr3t", reason="It was otherwise.")  # type: ignore[arg-type]  # it is to be refused

    assert "s3cr3t" not in str(caught.value)


def test_a_lead_with_a_field_of_a_wrong_type_is_refused() -> None:
    with pytest.raises(TypeError, match="version"):
        a_lead(version=1.5)

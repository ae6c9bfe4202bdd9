"""Tests of the definitions of results, flags and metrics."""

from datetime import UTC, datetime
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unite_core.calls.model import CallResult
from unite_core.reports.metrics import (
    AVERAGE_DURATION,
    COUNTS,
    FLAGS,
    MEANINGS,
    RATES,
    CountMetric,
    Flag,
    RateMetric,
    results_with,
)
from unite_core.reports.tally import Rate, Tally, later_of, tally_from_plain, tally_to_plain, total

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
TALLIES = st.builds(
    Tally,
    st.dictionaries(st.sampled_from(CallResult), st.integers(-5, 1000)),
    st.integers(0, 10**6),
    st.none() | st.datetimes(timezones=st.just(UTC)),
)

MADE = {
    "connected",
    "voicemail",
    "no_answer",
    "busy",
    "wrong_number",
    "callback_requested",
    "not_interested",
    "converted",
}
SPOKEN_WITH = {"connected", "callback_requested", "not_interested", "converted"}

COUNTED = {
    "total_calls": MADE | {"missed"},
    "completed": MADE,
    "missed": {"missed"},
    "cancelled": {"cancelled"},
    "answered": SPOKEN_WITH | {"wrong_number"},
    "contacts": SPOKEN_WITH,
    "conversions": {"converted"},
    "callbacks": {"callback_requested"},
    "refusals": {"not_interested"},
    "unworkable": {"wrong_number"},
}
DIVIDED = {
    "completion_rate": ("completed", "total_calls"),
    "answer_rate": ("answered", "completed"),
    "contact_rate": ("contacts", "completed"),
    "conversion_rate": ("conversions", "completed"),
    "conversion_per_contact": ("conversions", "contacts"),
    "callback_rate": ("callbacks", "contacts"),
    "unworkable_rate": ("unworkable", "completed"),
    "average_duration_seconds": ("completed", "completed"),
}


def test_every_result_has_flags_and_every_flag_has_a_meaning_and_a_result() -> None:
    assert set(FLAGS) == set(CallResult)
    assert all(FLAGS.values())
    assert set(MEANINGS) == set(Flag) == set(chain.from_iterable(FLAGS.values()))


@pytest.mark.parametrize("result", CallResult)
def test_every_call_is_completed_missed_or_cancelled(result: CallResult) -> None:
    [_] = FLAGS[result] & {Flag.ATTEMPT, Flag.MISSED, Flag.CANCELLED}


def test_every_contact_is_answered_and_every_answered_call_is_an_attempt() -> None:
    assert results_with(Flag.CONTACT) < results_with(Flag.HUMAN_ANSWERED) < results_with(Flag.ATTEMPT)
    assert results_with(Flag.CONVERSION, Flag.CALLBACK, Flag.REFUSAL) < results_with(Flag.CONTACT)


def test_results_with_any_of_several_flags_are_returned() -> None:
    assert results_with(Flag.MISSED, Flag.CONVERSION) == {CallResult.MISSED, CallResult.CONVERTED}
    assert results_with() == frozenset()


@pytest.mark.parametrize("metric", COUNTS.values(), ids=lambda metric: metric.name)
def test_a_count_metric_counts_the_results_with_its_flags(metric: CountMetric) -> None:
    assert metric.results == COUNTED[metric.name]
    for result in CallResult:
        assert Tally({result: 3}).count(metric) == (3 if result in COUNTED[metric.name] else 0)


@pytest.mark.parametrize("metric", RATES.values(), ids=lambda metric: metric.name)
def test_a_rate_metric_divides_one_count_by_another(metric: RateMetric) -> None:
    numerator, denominator = DIVIDED[metric.name]

    assert metric.numerator_results == COUNTED[numerator]
    assert metric.denominator_results == COUNTED[denominator]
    assert metric.of_seconds == (metric is AVERAGE_DURATION)


def test_every_metric_has_its_name_and_a_description() -> None:
    assert set(COUNTS) == set(COUNTED)
    assert set(RATES) == set(DIVIDED)
    assert all(name == metric.name and metric.words.endswith(".") for name, metric in COUNTS.items())
    assert all(name == metric.name and metric.numerator and metric.denominator for name, metric in RATES.items())


def test_a_rate_has_its_numerator_and_denominator() -> None:
    tally = Tally({CallResult.CONNECTED: 2, CallResult.CONVERTED: 1, CallResult.BUSY: 3, CallResult.MISSED: 6}, 90)

    rates = {name: tally.rate(metric) for name, metric in RATES.items()}

    assert rates["completion_rate"] == Rate(6, 12)
    assert rates["contact_rate"] == Rate(3, 6)
    assert rates["conversion_per_contact"] == Rate(1, 3)
    assert rates["average_duration_seconds"] == Rate(90, 6)
    assert rates["contact_rate"].value == 0.5
    assert rates["average_duration_seconds"].value == 15


@pytest.mark.parametrize("metric", RATES.values(), ids=lambda metric: metric.name)
def test_a_rate_with_a_denominator_of_zero_has_no_value(metric: RateMetric) -> None:
    assert Tally({CallResult.CANCELLED: 5}).rate(metric).denominator == 0
    assert Tally({CallResult.CANCELLED: 5}).rate(metric).value is None


def test_a_rate_with_a_numerator_of_zero_is_zero() -> None:
    assert Rate(0, 7).value == 0


@given(st.lists(TALLIES, max_size=5))
def test_tallies_are_added_up(tallies: list[Tally]) -> None:
    whole = total(tallies)

    for result in CallResult:
        assert whole.of({result}) == sum(tally.of({result}) for tally in tallies)
    assert whole.seconds == sum(tally.seconds for tally in tallies)
    moments = [tally.recorded_at for tally in tallies if tally.recorded_at is not None]
    assert whole.recorded_at == (max(moments) if moments else None)


def test_a_tally_of_zeros_is_empty() -> None:
    assert Tally().empty
    assert Tally({CallResult.BUSY: 0}, 0, AT).empty
    assert not Tally({CallResult.BUSY: 1}).empty
    assert not Tally({CallResult.BUSY: 0}, 1).empty


def test_the_later_of_two_missing_times_is_none() -> None:
    later = AT.replace(hour=10)

    assert later_of(AT, later) == later_of(later, AT) == later
    assert later_of(None, AT) == later_of(AT, None) == AT
    assert later_of(None, None) is None


@given(TALLIES)
def test_a_tally_is_converted_to_plain_values_and_back(tally: Tally) -> None:
    plain = tally_to_plain(tally)

    assert isinstance(plain, list)
    assert tally_from_plain(plain) == tally


@pytest.mark.parametrize("plain", [[[], 0, None], [{}, "0", None], [{"sung": 1}, 0, None], [{}, 0], [{}, 0, "now"]])
def test_an_invalid_plain_tally_is_refused(plain: list[object]) -> None:
    with pytest.raises((TypeError, ValueError, LookupError)):
        tally_from_plain(plain)

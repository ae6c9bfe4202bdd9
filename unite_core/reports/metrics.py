"""Definitions of all metrics: the meaning of each call result, and the formula of each metric.

`FLAGS` is the one table from result to flags; `COUNTS` and `RATES` are defined by flags. Reports, the definitions that
the API serves and docs/reference/metrics.md all read them from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from unite_core.calls.model import CallResult


class Flag(StrEnum):
    """A property of calls with certain results."""

    ATTEMPT = "attempt"
    HUMAN_ANSWERED = "human_answered"
    CONTACT = "contact"
    CONVERSION = "conversion"
    CALLBACK = "callback"
    REFUSAL = "refusal"
    UNWORKABLE = "unworkable"
    MISSED = "missed"
    CANCELLED = "cancelled"


MEANINGS: Mapping[Flag, str] = {
    Flag.ATTEMPT: "A call was made.",
    Flag.HUMAN_ANSWERED: "A person answered, the right one or not.",
    Flag.CONTACT: "The agent spoke with the lead.",
    Flag.CONVERSION: "The lead was converted in this call.",
    Flag.CALLBACK: "The lead asked to be called again.",
    Flag.REFUSAL: "The lead is not interested.",
    Flag.UNWORKABLE: "The number leads to nobody who knows the lead.",
    Flag.MISSED: "The call was due and nobody made it in time.",
    Flag.CANCELLED: "The call was cancelled before anybody made it.",
}

_ATTEMPT = frozenset({Flag.ATTEMPT})
_ANSWERED = frozenset({Flag.ATTEMPT, Flag.HUMAN_ANSWERED})
_CONTACT = frozenset({Flag.ATTEMPT, Flag.HUMAN_ANSWERED, Flag.CONTACT})

FLAGS: Mapping[CallResult, frozenset[Flag]] = {
    CallResult.CONNECTED: _CONTACT,
    CallResult.VOICEMAIL: _ATTEMPT,
    CallResult.NO_ANSWER: _ATTEMPT,
    CallResult.BUSY: _ATTEMPT,
    CallResult.WRONG_NUMBER: _ANSWERED | {Flag.UNWORKABLE},
    CallResult.CALLBACK_REQUESTED: _CONTACT | {Flag.CALLBACK},
    CallResult.NOT_INTERESTED: _CONTACT | {Flag.REFUSAL},
    CallResult.CONVERTED: _CONTACT | {Flag.CONVERSION},
    CallResult.MISSED: frozenset({Flag.MISSED}),
    CallResult.CANCELLED: frozenset({Flag.CANCELLED}),
}
"""The properties of a call with that result."""


@cache
def results_with(*flags: Flag) -> frozenset[CallResult]:
    """Return the results that have at least one of the flags."""
    return frozenset(result for result, result_flags in FLAGS.items() if result_flags & set(flags))


@dataclass(frozen=True, slots=True, kw_only=True)
class CountMetric:
    """A metric that is the number of calls with at least one of the flags."""

    name: str
    words: str
    flags: tuple[Flag, ...]

    @property
    def results(self) -> frozenset[CallResult]:
        """The results whose calls are counted."""
        return results_with(*self.flags)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateMetric:
    """A metric with a numerator, the number of calls with one of its flags or their seconds, and a denominator.

    Its value is null if the denominator is 0.
    """

    name: str
    numerator: str
    denominator: str
    numerator_flags: tuple[Flag, ...]
    denominator_flags: tuple[Flag, ...]
    of_seconds: bool = False

    @property
    def numerator_results(self) -> frozenset[CallResult]:
        """The results whose calls, or seconds, are the numerator."""
        return results_with(*self.numerator_flags)

    @property
    def denominator_results(self) -> frozenset[CallResult]:
        """The results whose calls are the denominator."""
        return results_with(*self.denominator_flags)


TOTAL_CALLS = CountMetric(
    name="total_calls",
    words="Calls that were made or missed. Cancelled ones are in no total.",
    flags=(Flag.ATTEMPT, Flag.MISSED),
)
COMPLETED = CountMetric(name="completed", words="Calls that were made.", flags=(Flag.ATTEMPT,))
MISSED = CountMetric(name="missed", words="Calls that nobody made in time.", flags=(Flag.MISSED,))
CANCELLED = CountMetric(name="cancelled", words="Calls that were cancelled.", flags=(Flag.CANCELLED,))
ANSWERED = CountMetric(name="answered", words="Calls that a person answered.", flags=(Flag.HUMAN_ANSWERED,))
CONTACTS = CountMetric(name="contacts", words="Calls in which the agent spoke with the lead.", flags=(Flag.CONTACT,))
CONVERSIONS = CountMetric(name="conversions", words="Calls in which the lead was converted.", flags=(Flag.CONVERSION,))
CALLBACKS = CountMetric(
    name="callbacks", words="Calls in which the lead asked to be called again.", flags=(Flag.CALLBACK,)
)
REFUSALS = CountMetric(name="refusals", words="Calls in which the lead was not interested.", flags=(Flag.REFUSAL,))
UNWORKABLE = CountMetric(name="unworkable", words="Calls to a wrong number.", flags=(Flag.UNWORKABLE,))

COUNTS: Mapping[str, CountMetric] = {
    metric.name: metric
    for metric in (
        TOTAL_CALLS,
        COMPLETED,
        MISSED,
        CANCELLED,
        ANSWERED,
        CONTACTS,
        CONVERSIONS,
        CALLBACKS,
        REFUSALS,
        UNWORKABLE,
    )
}

COMPLETION_RATE = RateMetric(
    name="completion_rate",
    numerator="Calls that were made",
    denominator="calls that were made or missed",
    numerator_flags=(Flag.ATTEMPT,),
    denominator_flags=(Flag.ATTEMPT, Flag.MISSED),
)
ANSWER_RATE = RateMetric(
    name="answer_rate",
    numerator="Calls that a person answered",
    denominator="calls that were made",
    numerator_flags=(Flag.HUMAN_ANSWERED,),
    denominator_flags=(Flag.ATTEMPT,),
)
CONTACT_RATE = RateMetric(
    name="contact_rate",
    numerator="Calls in which the agent spoke with the lead",
    denominator="calls that were made",
    numerator_flags=(Flag.CONTACT,),
    denominator_flags=(Flag.ATTEMPT,),
)
CONVERSION_RATE = RateMetric(
    name="conversion_rate",
    numerator="Calls in which the lead was converted",
    denominator="calls that were made",
    numerator_flags=(Flag.CONVERSION,),
    denominator_flags=(Flag.ATTEMPT,),
)
CONVERSION_PER_CONTACT = RateMetric(
    name="conversion_per_contact",
    numerator="Calls in which the lead was converted",
    denominator="calls in which the agent spoke with the lead",
    numerator_flags=(Flag.CONVERSION,),
    denominator_flags=(Flag.CONTACT,),
)
CALLBACK_RATE = RateMetric(
    name="callback_rate",
    numerator="Calls in which the lead asked to be called again",
    denominator="calls in which the agent spoke with the lead",
    numerator_flags=(Flag.CALLBACK,),
    denominator_flags=(Flag.CONTACT,),
)
UNWORKABLE_RATE = RateMetric(
    name="unworkable_rate",
    numerator="Calls to a wrong number",
    denominator="calls that were made",
    numerator_flags=(Flag.UNWORKABLE,),
    denominator_flags=(Flag.ATTEMPT,),
)
AVERAGE_DURATION = RateMetric(
    name="average_duration_seconds",
    numerator="Seconds that the calls lasted that were made",
    denominator="calls that were made",
    numerator_flags=(Flag.ATTEMPT,),
    denominator_flags=(Flag.ATTEMPT,),
    of_seconds=True,
)

RATES: Mapping[str, RateMetric] = {
    metric.name: metric
    for metric in (
        COMPLETION_RATE,
        ANSWER_RATE,
        CONTACT_RATE,
        CONVERSION_RATE,
        CONVERSION_PER_CONTACT,
        CALLBACK_RATE,
        UNWORKABLE_RATE,
        AVERAGE_DURATION,
    )
}

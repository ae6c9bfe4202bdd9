"""Tests of the retry of transactions that lost against a concurrent one."""

import pytest

from unite_core.deadlocks import MAX_TRANSACTION_ATTEMPTS, retry_on_deadlock
from unite_core.errors import Deadlock, PreconditionFailed, Unavailable
from unite_core.leads.model import DuplicateLead


class Race:
    """An attempt that is lost as often as there are losses, and then won."""

    def __init__(self, *losses: Exception) -> None:
        self.losses = [*losses]
        self.begun = 0

    def __call__(self) -> str:
        self.begun += 1
        if self.losses:
            raise self.losses.pop(0)
        return "won"


def test_a_successful_attempt_is_made_once() -> None:
    race = Race()

    assert retry_on_deadlock(race) == "won"
    assert race.begun == 1


def test_an_attempt_is_repeated_after_each_of_the_given_errors() -> None:
    race = Race(Deadlock("c"), PreconditionFailed("p"), DuplicateLead(()))

    assert retry_on_deadlock(race, DuplicateLead, PreconditionFailed) == "won"
    assert race.begun == 4


def test_after_five_failed_attempts_unavailable_is_raised() -> None:
    race = Race(*(Deadlock("again") for _ in range(MAX_TRANSACTION_ATTEMPTS)))

    with pytest.raises(Unavailable) as given_up:
        retry_on_deadlock(race)

    assert not isinstance(given_up.value, Deadlock)
    assert race.begun == MAX_TRANSACTION_ATTEMPTS == 5


@pytest.mark.parametrize(
    "error", [Unavailable("Gone."), PreconditionFailed("Old."), DuplicateLead(()), ZeroDivisionError()]
)
def test_any_other_error_is_raised_at_once(error: Exception) -> None:
    race = Race(error)

    with pytest.raises(type(error)) as raised:
        retry_on_deadlock(race)

    assert raised.value is error
    assert race.begun == 1

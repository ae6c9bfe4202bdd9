"""A day and its funnel as both were at one moment: a call that comes between the questions is in both or in neither."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from tests.core.reports.team import Team, a_period
from unite_core.cache import CacheLookup
from unite_core.leads.ports import CALLED_LEADS_NAMESPACE
from unite_core.testing.in_memory import (
    FixedClock,
    InMemoryCache,
    InMemoryUnitOfWork,
    InMemoryUnitOfWorkFactory,
    in_memory_ports,
)


class Interrupted:
    """Does something before the second of what is counted."""

    def __init__(self) -> None:
        self.then: Callable[[], object] | None = None
        self.count = 0

    def __call__(self) -> None:
        if self.then is not None:
            self.count += 1
            if self.count == 2:
                self.then()


class InterruptedReads(InMemoryUnitOfWorkFactory):
    """Units of work that read, before the second of which something happens."""

    interrupt: Callable[[], None]

    def __call__(self) -> InMemoryUnitOfWork:
        self.interrupt()
        return super().__call__()


class InterruptedCache(InMemoryCache):
    """Something happens before what was counted of leads is looked for."""

    then: Callable[[], object] | None = None

    def get(self, namespace: str, key: str) -> CacheLookup:
        if namespace == CALLED_LEADS_NAMESPACE and self.then is not None:
            then, self.then = self.then, None
            then()
        return super().get(namespace, key)


def glance(team: Team) -> tuple[int, int]:
    """How many calls the day had, and how many of its leads were called."""
    found = team.unite.reports.glance(team.manager, a_period())
    assert found.day.about.generated_at == found.funnel.about.generated_at
    return found.day.figures.completed.value, found.funnel.total.called.value


def test_it_says_what_the_two_reports_say(team: Team) -> None:
    team.call(source="fair")
    team.missed_call()

    found = team.unite.reports.glance(team.manager, a_period())

    assert found.day == team.unite.reports.daily(team.manager, a_period())
    assert found.funnel == team.unite.reports.funnel(team.manager, a_period())


def test_a_call_between_the_questions_is_in_neither() -> None:
    ports, interrupt = in_memory_ports(), Interrupted()
    reads = InterruptedReads(ports.reads._store, writes=False)
    reads.interrupt = interrupt
    team = Team(ports=replace(ports, reads=reads))
    team.call()
    interrupt.then = team.call

    assert glance(team) == (1, 1)
    assert interrupt.count >= 2, "the names of the agents are read apart"


def test_what_is_remembered_of_the_one_is_read_anew_with_the_other() -> None:
    clock = FixedClock()
    cache = InterruptedCache(clock)
    team = Team(ports=in_memory_ports(clock=clock, cache=cache))
    team.call()
    team.unite.reports.daily(team.manager, a_period())
    cache.then = team.call

    assert glance(team) == (2, 2)


def test_it_is_remembered_until_a_call_or_a_lead_changes_it(team: Team) -> None:
    team.call()
    assert glance(team) == (1, 1)
    first = team.unite.reports.glance(team.manager, a_period())

    team.advance(timedelta(seconds=20))
    assert team.unite.reports.glance(team.manager, a_period()) == first

    team.lead()
    assert team.unite.reports.glance(team.manager, a_period()).day.about.generated_at == team.now
    team.call()
    assert glance(team) == (2, 2)

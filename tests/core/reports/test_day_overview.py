"""Tests of the report of a day together with its funnel, both from one snapshot."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from tests.core.reports.scenario import ReportScenario, a_period
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
    """Read-only units of work; `interrupt` is called before each of them."""

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


def glance(scenario: ReportScenario) -> tuple[int, int]:
    """How many calls the day had, and how many of its leads were called."""
    result = scenario.unite.reports.day_overview(scenario.manager, a_period())
    assert result.day.about.generated_at == result.funnel.about.generated_at
    return result.day.figures.completed.value, result.funnel.total.called.value


def test_it_equals_the_daily_report_and_the_funnel(scenario: ReportScenario) -> None:
    scenario.call(source="fair")
    scenario.missed_call()

    result = scenario.unite.reports.day_overview(scenario.manager, a_period())

    assert result.day == scenario.unite.reports.daily(scenario.manager, a_period())
    assert result.funnel == scenario.unite.reports.funnel(scenario.manager, a_period())


def test_a_call_during_the_report_is_in_neither_part() -> None:
    ports, interrupt = in_memory_ports(), Interrupted()
    reads = InterruptedReads(ports.reads._store, writes=False)
    reads.interrupt = interrupt
    scenario = ReportScenario(ports=replace(ports, reads=reads))
    scenario.call()
    interrupt.then = scenario.call

    assert glance(scenario) == (1, 1)
    assert interrupt.count >= 2, "the names of the agents are read apart"


def test_a_cached_daily_report_is_read_again_if_the_funnel_is_newer() -> None:
    clock = FixedClock()
    cache = InterruptedCache(clock)
    scenario = ReportScenario(ports=in_memory_ports(clock=clock, cache=cache))
    scenario.call()
    scenario.unite.reports.daily(scenario.manager, a_period())
    cache.then = scenario.call

    assert glance(scenario) == (2, 2)


def test_it_is_cached_until_a_call_or_a_lead_changes(scenario: ReportScenario) -> None:
    scenario.call()
    assert glance(scenario) == (1, 1)
    first = scenario.unite.reports.day_overview(scenario.manager, a_period())

    scenario.advance(timedelta(seconds=20))
    assert scenario.unite.reports.day_overview(scenario.manager, a_period()) == first

    scenario.create_lead()
    assert scenario.unite.reports.day_overview(scenario.manager, a_period()).day.about.generated_at == scenario.now
    scenario.call()
    assert glance(scenario) == (2, 2)

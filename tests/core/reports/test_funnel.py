"""Tests of the lead funnel by source, and of the speed of first calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.core.reports.scenario import MONDAY, ReportScenario, a_period, moment, values
from unite_core import Actor, CallOutcome, Lead, LeadToDelete
from unite_core.leads.use_cases import LeadChanges
from unite_core.reports.funnel import Funnel, SpeedToLead
from unite_core.reports.metrics import CONTACTS, CONVERSIONS
from unite_core.reports.model import LeadItems
from unite_core.reports.ports import ReportsUnitOfWork


def funnel(scenario: ReportScenario, first: Any = MONDAY, tz: str = "UTC", actor: Actor | None = None) -> Funnel:
    return scenario.unite.reports.funnel(actor or scenario.manager, a_period(first, tz=tz))


def speed(scenario: ReportScenario, first: Any = MONDAY, tz: str = "UTC", actor: Actor | None = None) -> SpeedToLead:
    return scenario.unite.reports.speed_to_lead(actor or scenario.manager, a_period(first, tz=tz))


def stages(result: Funnel) -> tuple[int, int, int, int]:
    total = result.total
    return total.leads.value, total.called.value, total.contacted.value, total.converted.value


def call_after(scenario: ReportScenario, seconds: float, lead: Lead | None = None) -> None:
    """Call a lead, by default a new one, that many seconds after its creation; the clock is not advanced."""
    lead = lead or scenario.create_lead()
    scenario.call(lead=lead, at=(lead.created_at + timedelta(seconds=seconds)).isoformat())


def test_leads_are_counted_by_stage(scenario: ReportScenario) -> None:
    scenario.create_lead(source="web")
    scenario.call(CallOutcome.NO_ANSWER, source="web")
    scenario.call(CallOutcome.NOT_INTERESTED, source="web")
    scenario.call(CallOutcome.CONVERTED, source="fair, spring")

    result = funnel(scenario)

    assert [(row.source, values(row)) for row in (result.total, *result.by_source)] == [
        (
            None,
            {
                "leads": 4,
                "called": 3,
                "contacted": 2,
                "converted": 1,
                "contact_rate": (2, 4),
                "conversion_rate": (1, 4),
            },
        ),
        (
            "fair, spring",
            {
                "leads": 1,
                "called": 1,
                "contacted": 1,
                "converted": 1,
                "contact_rate": (1, 1),
                "conversion_rate": (1, 1),
            },
        ),
        (
            "web",
            {
                "leads": 3,
                "called": 2,
                "contacted": 1,
                "converted": 0,
                "contact_rate": (1, 3),
                "conversion_rate": (0, 3),
            },
        ),
    ]


def test_a_lead_that_was_called_several_times_counts_once(scenario: ReportScenario) -> None:
    lead = scenario.create_lead()
    for outcome in (CallOutcome.CONVERTED, CallOutcome.CONNECTED, CallOutcome.BUSY):
        scenario.call(outcome, lead=lead)

    assert stages(funnel(scenario)) == (1, 1, 1, 1)


def test_a_missed_call_counts_for_no_stage_until_it_is_corrected(scenario: ReportScenario) -> None:
    missed = scenario.missed_call()
    scenario.cancelled_call()
    assert stages(funnel(scenario)) == (2, 0, 0, 0)

    scenario.correct(missed, CallOutcome.CONVERTED, duration_seconds=60)

    assert stages(funnel(scenario)) == (2, 1, 1, 1)
    scenario.correct(missed, CallOutcome.BUSY)
    assert stages(funnel(scenario)) == (2, 1, 0, 0)


def test_deleted_leads_are_not_counted(scenario: ReportScenario) -> None:
    lead = scenario.create_lead()
    call_after(scenario, 10, lead)
    call_after(scenario, 60)

    scenario.unite.leads.delete(scenario.manager, LeadToDelete(lead_id=lead.id))

    assert stages(funnel(scenario)) == (1, 1, 1, 0)
    assert (speed(scenario).leads.value, speed(scenario).called.value, speed(scenario).p50_seconds) == (1, 1, 60)


def test_a_lead_belongs_to_the_day_of_its_creation(scenario: ReportScenario) -> None:
    scenario.go_to("2026-03-03T00:00")
    scenario.call(at="2026-03-02T10:00")
    scenario.go_to("2026-03-03T23:59")
    scenario.create_lead()
    scenario.go_to("2026-03-04T00:00")
    scenario.create_lead()

    assert [stages(funnel(scenario, day))[:2] for day in ("2026-03-02", "2026-03-03", "2026-03-04")] == [
        (0, 0),
        (2, 1),
        (1, 0),
    ]
    assert [speed(scenario, day).leads.value for day in ("2026-03-02", "2026-03-03", "2026-03-04")] == [0, 2, 1]
    assert stages(funnel(scenario, "2026-03-02", "America/New_York"))[0] == 1
    assert speed(scenario, "2026-03-02", "America/New_York").leads.value == 1


def test_agents_see_the_figures_of_leads_assigned_to_them(scenario: ReportScenario) -> None:
    lead = scenario.create_lead()
    call_after(scenario, 30, lead)
    scenario.create_lead(assigned_to=scenario.ben.user_id)
    scenario.create_lead(assigned_to=None)

    assert stages(funnel(scenario, actor=scenario.ann)) == (1, 1, 1, 0)
    assert stages(funnel(scenario, actor=scenario.ben)) == (1, 0, 0, 0)
    assert (speed(scenario, actor=scenario.ann).called.value, speed(scenario, actor=scenario.ben).called.value) == (
        1,
        0,
    )
    assert funnel(scenario, actor=scenario.admin) == funnel(scenario)
    assert speed(scenario, actor=scenario.admin) == speed(scenario)

    scenario.unite.leads.change(scenario.manager, LeadChanges(lead_id=lead.id, assigned_to=scenario.ben.user_id))
    # Of what is theirs now, their own calls.
    assert stages(funnel(scenario, actor=scenario.ben)) == (2, 0, 0, 0)


def test_each_count_has_the_filter_of_its_leads(scenario: ReportScenario) -> None:
    scenario.call(source="web")

    [row] = funnel(scenario).by_source
    result = speed(scenario)

    cohort: dict[str, Any] = {"start": moment("2026-03-02"), "end": moment("2026-03-03")}
    assert row.leads.items == LeadItems(**cohort, source="web")
    assert row.called.items == LeadItems(**cohort, source="web", called=True)
    assert row.contacted.items == LeadItems(**cohort, source="web", results=CONTACTS.results)
    assert row.converted.items == LeadItems(**cohort, source="web", results=CONVERSIONS.results)
    assert result.leads.items == LeadItems(**cohort)
    assert result.called.items == LeadItems(**cohort, called=True)
    assert result.within_5_minutes.items == LeadItems(**cohort, within=300)


@pytest.mark.parametrize(
    ("waits", "p50", "p90"),
    [
        ([7], 7, 7),
        ([1, 2], 1, 2),
        ([10, 30, 20], 20, 30),
        ([*range(10, 110, 10)], 50, 90),
        ([*range(10, 120, 10)], 60, 100),
        ([5, 5, 5, 1000], 5, 1000),
    ],
)
def test_the_median_and_the_90th_percentile_are_those_of_called_leads(
    scenario: ReportScenario, waits: list[int], p50: int, p90: int
) -> None:
    leads = [scenario.create_lead() for _ in waits]
    scenario.create_lead()
    scenario.ports.clock.advance(timedelta(hours=1))
    for lead, wait in zip(leads, waits, strict=True):
        call_after(scenario, wait, lead)

    result = speed(scenario)

    assert (result.p50_seconds, result.p90_seconds) == (p50, p90)
    assert (result.leads.value, result.called.value) == (len(waits) + 1, len(waits))


def test_the_first_call_is_the_one_that_began_first(scenario: ReportScenario) -> None:
    lead = scenario.create_lead()
    scenario.ports.clock.advance(timedelta(hours=1))
    for wait in (900, 100, 500):
        call_after(scenario, wait, lead)

    assert speed(scenario).p50_seconds == 100


def test_a_call_before_the_creation_of_its_lead_counts_as_zero_seconds(scenario: ReportScenario) -> None:
    call_after(scenario, -3600)

    result = speed(scenario)

    assert (result.p50_seconds, result.p90_seconds, result.within_5_minutes.value) == (0, 0, 1)


def test_the_share_within_five_minutes_is_that_of_called_leads(scenario: ReportScenario) -> None:
    leads = [scenario.create_lead() for _ in range(3)]
    scenario.create_lead()
    scenario.ports.clock.advance(timedelta(hours=1))
    for lead, wait in zip(leads, (10, 300, 300.001), strict=True):
        call_after(scenario, wait, lead)

    result = speed(scenario)

    assert result.within_5_minutes.value == 2
    assert values(result)["share_within_5_minutes"] == (2, 3)


def test_without_called_leads_there_are_no_percentiles(scenario: ReportScenario) -> None:
    scenario.create_lead()

    result = speed(scenario)

    assert (result.p50_seconds, result.p90_seconds, result.share_within_5_minutes.value) == (None, None, None)
    assert values(result) == {"leads": 1, "called": 0, "within_5_minutes": 0, "share_within_5_minutes": (0, 0)}


def test_complete_through_is_not_later_than_the_snapshot(scenario: ReportScenario) -> None:
    @contextmanager
    def slow() -> Iterator[ReportsUnitOfWork]:
        with scenario.ports.reads() as unit:
            yield unit
        scenario.advance()

    read_at = scenario.now
    reads: Any = slow
    reports = scenario.unite.reports

    result = replace(reports.funnel, reads=reads)(scenario.manager, a_period())
    assert (result.about.complete_through, result.about.generated_at) == (read_at, read_at)

    read_at = scenario.now
    soon = replace(reports.speed_to_lead, reads=reads)(scenario.manager, a_period())
    assert soon.about.complete_through == read_at

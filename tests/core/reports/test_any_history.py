"""Property-based tests of all reports against a count of the last entries of all chains."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from entrypoints.http.reports import report_json
from tests.core.reports.naive import Plainly
from tests.core.reports.scenario import ReportScenario, a_period, nonzero, values
from unite_core import Actor, CallOutcome
from unite_core.calls.model import TaskStatus
from unite_core.leads.use_cases import LeadChanges, LeadToDelete
from unite_core.periods import Period

MINUTE = timedelta(minutes=1)
FIRST = "2026-03-07T20:00"
"""The clocks of New York go forward in the night after."""

REPORTS = ("daily", "insights", "attempts", "heatmap", "leaderboard", "funnel", "speed_to_lead")
STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "what": st.sampled_from(
                [*["call"] * 6, "miss", "cancel", "plan", "correct", "correct", "reassign", "source", "delete"]
            ),
            "then": st.sampled_from(["nothing", "nothing", "fold", "rebuild", "claim"]),
            "later": st.sampled_from([0, 7, 60, 200, 900]),
            "began": st.sampled_from([0, 0, 30, 1500]),
            "agent": st.sampled_from(["ann", "ben"]),
            "owner": st.sampled_from(["ann", "ben", None]),
            "outcome": st.sampled_from(CallOutcome),
            "seconds": st.sampled_from([0, 60, 600]),
            "source": st.sampled_from(["web", "fair, spring", "other"]),
            "which": st.integers(0, 5),
        }
    ),
    max_size=14,
)


def happen(scenario: ReportScenario, step: dict[str, Any]) -> None:
    """One thing happens to a lead or a call of before, or to a new one."""
    scenario.ports.clock.advance(step["later"] * MINUTE)
    leads = [lead for lead in scenario.tables.leads.values() if lead.deleted_at is None]
    lead = leads[step["which"]] if step["which"] < len(leads) else None
    closed = [task for task in scenario.tables.tasks.values() if task.status is not TaskStatus.PENDING]
    owner = None if step["owner"] is None else getattr(scenario, step["owner"]).user_id
    what, agent = step["what"], getattr(scenario, step["agent"])
    if what == "call":
        at = (scenario.now - step["began"] * MINUTE).isoformat()
        lead = lead or scenario.create_lead(source=step["source"], assigned_to=owner)
        scenario.call(step["outcome"], at=at, agent=agent, seconds=step["seconds"], lead=lead)
    elif what == "miss":
        scenario.missed_call(agent, lead)
    elif what == "cancel":
        scenario.cancelled_call(agent)
    elif what == "plan":
        scenario.create_call_task(lead or scenario.create_lead(assigned_to=owner))
    elif what == "correct" and closed:
        task = closed[step["which"] % len(closed)]
        seconds = step["seconds"] + len(scenario.ledger(task))
        began = scenario.now - step["began"] * MINUTE if step["began"] else None
        scenario.correct(task, step["outcome"], duration_seconds=seconds, started_at=began)
    elif what == "reassign" and lead:
        scenario.unite.leads.change(scenario.manager, LeadChanges(lead_id=lead.id, assigned_to=owner))
    elif what == "source" and lead:
        scenario.unite.leads.change(scenario.manager, LeadChanges(lead_id=lead.id, source=step["source"]))
    elif what == "delete" and lead:
        scenario.unite.leads.delete(scenario.manager, LeadToDelete(lead_id=lead.id))
    then(scenario, step["then"])


def then(scenario: ReportScenario, what: str) -> None:
    if what == "fold":
        scenario.unite.reports.fold(limit=2)
    elif what == "rebuild":
        scenario.unite.reports.rebuild()
    elif what == "claim":
        for _ in range(3):
            with scenario.ports.work() as unit:
                unit.rollups.fold(unit.rollups.claim(limit=5), {})


def shown(scenario: ReportScenario, report: str, period: Period, actor: Actor) -> Any:
    """What the report says, in the form in which `Plainly` says it."""
    result: Any = getattr(scenario.unite.reports, report)(actor, period)
    shapes: dict[str, Callable[[], Any]] = {
        "daily": lambda: (
            values(result.figures),
            result.cancelled.value,
            {row.agent.id: values(row.figures) for row in result.by_agent},
            nonzero(result.by_outcome),
            {hour.starts_at.isoformat(): hour.attempts.value for hour in result.by_hour if hour.attempts.value},
        ),
        "insights": lambda: (
            values(result.figures),
            {busy.agent.id: busy.calls.value for busy in result.busiest_agents},
            {time.hour: time.attempts.value for time in result.busiest_hours},
            {time.weekday: time.attempts.value for time in result.busiest_weekdays},
            [values(day.figures) for day in result.trend],
            {row.source: (row.attempts.value, row.conversions.value) for row in result.conversion_by_source},
            result.overdue_now.value,
        ),
        "attempts": lambda: [
            (row.attempts.value, row.contacts.value, row.conversions.value) for row in result.attempts
        ],
        "heatmap": lambda: {
            (cell.weekday, cell.hour): cell.attempts.value for cell in result.cells if cell.attempts.value
        },
        "leaderboard": lambda: {place.agent.id: (place.rank, place.value.value) for place in result.places},
        "funnel": lambda: {
            row.source: (row.leads.value, row.called.value, row.contacted.value, row.converted.value)
            for row in result.by_source
        },
        "speed_to_lead": lambda: (
            result.leads.value,
            result.called.value,
            result.within_5_minutes.value,
            result.p50_seconds,
            result.p90_seconds,
        ),
    }
    return shapes[report]()


def versions(scenario: ReportScenario, period: Period) -> list[str]:
    """The versions of all reports, which change as soon as anything changes that they say."""
    result = []
    for report in REPORTS:
        answer = getattr(scenario.unite.reports, report)(scenario.manager, period)
        result.append(getattr(report_json, report)(answer).version)
    return result


@settings(max_examples=80)
@given(
    steps=STEPS,
    first=st.integers(-1, 3),
    days=st.integers(0, 3),
    tz=st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"]),
    who=st.sampled_from(["manager", "ann", "ben"]),
)
def test_every_report_equals_a_count_of_the_last_entries(
    steps: list[dict[str, Any]], first: int, days: int, tz: str, who: str
) -> None:
    scenario = ReportScenario()
    scenario.go_to(FIRST)
    for step in steps:
        happen(scenario, step)
    begin = date(2026, 3, 7) + timedelta(days=first)
    actor: Actor = getattr(scenario, who)
    agent_id = None if who == "manager" else actor.user_id

    for report in REPORTS:
        period = a_period(begin, begin + timedelta(days=0 if report == "daily" else days), tz)
        assert shown(scenario, report, period, actor) == getattr(Plainly(scenario, period, agent_id), report)(), report


@settings(max_examples=10)
@given(steps=STEPS)
def test_folding_and_rebuilding_change_no_report(steps: list[dict[str, Any]]) -> None:
    scenario = ReportScenario()
    scenario.go_to(FIRST)
    for step in steps:
        happen(scenario, step)
    period = a_period("2026-03-06", "2026-03-12", "America/New_York")
    before = versions(scenario, period)

    for what in (scenario.unite.reports.rebuild, scenario.unite.reports.fold, scenario.unite.reports.rebuild):
        what()
        scenario.ports.cache.invalidate({"call counts"})
        assert versions(scenario, period) == before


def test_reassignments_do_not_change_counted_calls() -> None:
    scenario = ReportScenario()
    lead = scenario.create_lead(source="web")
    for agent, outcome in ((scenario.ann, CallOutcome.BUSY), (scenario.ben, CallOutcome.CONVERTED)):
        scenario.call(outcome, lead=lead, agent=agent)
    scenario.unite.reports.fold()
    scenario.call(CallOutcome.CONNECTED, lead=lead)
    before = versions(scenario, a_period())
    own = [scenario.unite.reports.daily(actor, a_period()).figures for actor in (scenario.ann, scenario.ben)]

    for number in range(1000):
        to = (scenario.ben, scenario.ann)[number % 2]
        scenario.unite.leads.change(scenario.manager, LeadChanges(lead_id=lead.id, assigned_to=to.user_id))

    scenario.unite.reports.rebuild()
    scenario.ports.cache.invalidate({"call counts"})
    assert versions(scenario, a_period()) == before
    assert [scenario.unite.reports.daily(actor, a_period()).figures for actor in (scenario.ann, scenario.ben)] == own


def test_a_call_is_counted_by_the_source_at_the_time_of_its_entry() -> None:
    scenario = ReportScenario()
    lead = scenario.create_lead(source="web")
    task = scenario.call(CallOutcome.CONVERTED, lead=lead)

    scenario.unite.leads.change(scenario.manager, LeadChanges(lead_id=lead.id, source="fair"))
    scenario.correct(task, CallOutcome.CONNECTED)

    rows = scenario.unite.reports.insights(scenario.manager, a_period()).conversion_by_source
    assert [(row.source, row.attempts.value) for row in rows] == [("web", 1)]

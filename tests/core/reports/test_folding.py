"""Tests of folding entries into rollups, and of rebuilding rollups, beside concurrent changes."""

from collections import Counter
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.reports.scenario import ReportScenario, a_period
from unite_core import CallOutcome
from unite_core.errors import Deadlock, Unavailable
from unite_core.periods import QUARTERS_PER_DAY
from unite_core.reports.ports import Grain
from unite_core.reports.rollup_counts import RollupRange, cells_of, merged, rollup_ranges
from unite_core.reports.tally import Tally
from unite_core.reports.use_cases import FoldEntries, RebuildReports, Rebuilt


def conversions(scenario: ReportScenario) -> int:
    """What the report of a manager says, not out of the cache."""
    scenario.ports.cache.invalidate({"call counts"})
    return scenario.unite.reports.insights(
        scenario.manager, a_period("2026-03-01", "2026-03-31")
    ).figures.conversions.value


def unfolded(scenario: ReportScenario) -> int:
    return len(scenario.tables.unfolded)


def losing(scenario: ReportScenario, *lost: int) -> Any:
    """Return units of work of which those with these numbers (from 1) lose a deadlock."""
    begun = count(1)

    def work() -> Any:
        if next(begun) in lost:
            raise Deadlock("Somebody else was quicker.")
        return scenario.ports.work()

    return work


def test_every_entry_is_folded_once_in_batches(scenario: ReportScenario) -> None:
    task = scenario.call(CallOutcome.BUSY)
    scenario.correct(task, CallOutcome.CONVERTED)
    scenario.calls(3, CallOutcome.CONVERTED)

    assert scenario.unite.reports.fold(limit=2) == 5
    assert (unfolded(scenario), scenario.unite.reports.fold(), conversions(scenario)) == (0, 0, 4)


def test_folding_can_be_stopped_between_two_transactions(scenario: ReportScenario) -> None:
    scenario.calls(5, CallOutcome.CONVERTED)
    stops = iter([False, False, True])

    assert scenario.unite.reports.fold(limit=2, should_stop=lambda: next(stops)) == 4
    assert (unfolded(scenario), conversions(scenario)) == (1, 5)
    assert scenario.unite.reports.fold(should_stop=lambda: True) == 0


def test_uncommitted_folds_are_repeated(scenario: ReportScenario) -> None:
    scenario.calls(3, CallOutcome.CONVERTED)
    for _ in range(3):
        with scenario.ports.work() as unit:
            steps = unit.rollups.claim(limit=2)
            unit.rollups.fold(steps, cells_of(steps))
        assert (len(steps), unfolded(scenario)) == (2, 3)

    assert scenario.unite.reports.fold() == 3
    assert conversions(scenario) == 3


def test_a_fold_that_loses_to_another_worker_is_retried(scenario: ReportScenario) -> None:
    scenario.calls(3, CallOutcome.CONVERTED)

    assert FoldEntries(losing(scenario, 1, 2, 3, 4))() == 3
    with pytest.raises(Unavailable):
        FoldEntries(losing(scenario, 1, 2, 3, 4, 5))()
    assert RebuildReports(losing(scenario, 2, 3))() == Rebuilt(days=1, of_days=1, calls=3)
    assert conversions(scenario) == 3


def test_a_rebuild_reports_its_progress_and_every_report_is_correct_at_any_time(scenario: ReportScenario) -> None:
    scenario.call(CallOutcome.CONVERTED)
    scenario.go_to("2026-03-04T10:00")
    late = scenario.call(CallOutcome.CONVERTED)
    scenario.unite.reports.fold()
    scenario.correct(late, CallOutcome.CONVERTED, started_at=scenario.now.replace(day=2))
    scenario.call(CallOutcome.CONVERTED)
    heard: list[tuple[Rebuilt, int]] = []

    rebuilt = scenario.unite.reports.rebuild(lambda so_far: heard.append((so_far, conversions(scenario))))

    assert [so_far.days for so_far, _ in heard] == [1, 2]
    assert {so_far.of_days for so_far, _ in heard} == {2}
    assert {right for _, right in heard} == {3}
    assert rebuilt == heard[-1][0]
    assert (rebuilt.calls, unfolded(scenario)) == (2, 2)


def test_a_rebuild_corrects_wrong_counts(scenario: ReportScenario) -> None:
    scenario.calls(2, CallOutcome.CONVERTED)
    scenario.unite.reports.fold()
    with scenario.ports.work() as unit:
        [day] = unit.rollups.days()
        unit.rollups.replace_day(day, {})
        unit.commit()
    assert conversions(scenario) == 0

    assert scenario.unite.reports.rebuild() == Rebuilt(days=1, of_days=1, calls=2)

    assert conversions(scenario) == 2


def test_a_rebuild_removes_rollups_of_days_without_calls(scenario: ReportScenario) -> None:
    task = scenario.call(CallOutcome.CONVERTED, at="2026-03-01T10:00")
    scenario.unite.reports.fold()
    scenario.correct(task, CallOutcome.CONVERTED, started_at=scenario.now.replace(day=2))
    scenario.unite.reports.fold()

    assert scenario.unite.reports.rebuild().of_days == 2

    day = scenario.unite.reports.daily
    figures = [day(scenario.manager, a_period(date)).figures.conversions.value for date in ("2026-03-01", "2026-03-02")]
    assert figures == [0, 1]


def test_without_calls_there_is_nothing_to_fold_or_rebuild(scenario: ReportScenario) -> None:
    assert scenario.unite.reports.fold() == 0
    assert scenario.unite.reports.rebuild() == Rebuilt()


DAY, QUARTER = partial(RollupRange, Grain.DAY), partial(RollupRange, Grain.QUARTER)


@pytest.mark.parametrize(
    ("start", "end", "parts"),
    [
        (0, 0, []),
        (5, 5, []),
        (96, 192, [DAY(1, 2)]),
        (95, 193, [DAY(1, 2), QUARTER(95, 96), QUARTER(192, 193)]),
        (97, 192, [DAY(1, 2), QUARTER(96, 97, -1)]),
        (96, 191, [DAY(1, 2), QUARTER(191, 192, -1)]),
        (90, 100, [QUARTER(90, 100)]),
        (60, 100, [QUARTER(60, 100)]),
        (96, 390, [DAY(1, 4), QUARTER(384, 390)]),
        (16, 112, [DAY(0, 1), QUARTER(0, 16, -1), QUARTER(96, 112)]),
        (80, 176, [DAY(1, 2), QUARTER(80, 96), QUARTER(176, 192, -1)]),
    ],
)
def test_a_range_is_split_into_whole_days_and_quarter_hours(start: int, end: int, parts: Any) -> None:
    assert rollup_ranges(start, end) == parts


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_parts_of_a_range_cover_every_quarter_hour_once(start: int, length: int) -> None:
    counted: Counter[int] = Counter()
    for each in rollup_ranges(start, start + length):
        per = QUARTERS_PER_DAY if each.grain is Grain.DAY else 1
        counted.update(dict.fromkeys(range(each.first * per, each.end * per), each.times))

    assert {quarter: times for quarter, times in counted.items() if times} == dict.fromkeys(
        range(start, start + length), 1
    )


def test_results_of_several_parts_are_added_up(scenario: ReportScenario) -> None:
    one = {"web": Tally({}, 5, scenario.now), "fair": Tally({}, 1)}

    whole = merged([one, {"web": Tally({}, 7)}])

    assert whole == {"web": Tally({}, 12, scenario.now), "fair": Tally({}, 1)}
    assert one["web"].seconds == 5

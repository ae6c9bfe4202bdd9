"""Tests of the geometry of charts."""

import pytest

from entrypoints.http.dashboard.chart_geometry import (
    COLUMN_AREA,
    MAX_BAR_WIDTH,
    MAX_NAME_LENGTH,
    TEXT_HEIGHT,
    Anchor,
    Bar,
    Chart,
    Group,
    bars_of,
    columns_of,
)
from entrypoints.http.dashboard.charts import chart_of_agents, chart_of_hours, chart_of_sources
from tests.http.dashboard.examples import a_day

WHOLE = 100


def texts(chart: Chart) -> list[str]:
    return [label.text for label in chart.labels]


def test_the_longest_bar_fills_the_width_beside_its_text_and_its_parts_follow_each_other() -> None:
    chart = bars_of([Group("Ann", [Bar([(0, 30), (1, 10)], "30 + 10")]), Group("Ben", [Bar([(0, 10), (1, 0)], "10")])])

    max_length, quarter = MAX_BAR_WIDTH, MAX_BAR_WIDTH / 4
    assert [(rect.x, rect.width, rect.series) for rect in chart.rects] == [
        (0, max_length - quarter, 0),
        (max_length - quarter, quarter, 1),
        (0, quarter, 0),
    ]
    assert texts(chart) == ["Ann", "30 + 10", "Ben", "10"]


def test_the_text_of_a_bar_is_after_its_end() -> None:
    chart = bars_of([Group("web", [Bar([(0, 4)], "4 leads"), Bar([(1, 0)], "0 called")])])

    assert [label.x for label in chart.labels[1:]] == [MAX_BAR_WIDTH + 1, 1]


def test_the_highest_column_leaves_space_for_its_number() -> None:
    chart = columns_of([("00:00", (4, 1)), ("01:00", (2, 0)), ("02:00", (0, 0))], label_every=2)

    highest = COLUMN_AREA - TEXT_HEIGHT
    assert [(rect.height, rect.y + rect.height) for rect in chart.rects] == [
        (highest, COLUMN_AREA),
        (highest / 4, COLUMN_AREA),
        (highest / 2, COLUMN_AREA),
    ]
    assert [label.text for label in chart.labels if label.anchor is Anchor.MIDDLE] == ["4", "2"]
    assert [label.text for label in chart.labels if label.anchor is Anchor.START] == ["00:00", "02:00"]


def test_a_number_wider_than_its_column_is_only_in_the_table() -> None:
    assert texts(columns_of([("00:00", (100,)), ("01:00", (99,))])) == ["00:00", "99", "01:00"]


def test_a_long_name_is_shortened() -> None:
    [name, _] = texts(bars_of([Group("x" * (MAX_NAME_LENGTH + 1), [Bar([(0, 1)], "1")])]))

    assert len(name) == MAX_NAME_LENGTH
    assert name.endswith("\N{HORIZONTAL ELLIPSIS}")


def test_each_agent_has_a_bar_with_name_and_numbers() -> None:
    assert texts(chart_of_agents(a_day().agents)) == [
        "Ann Archer",
        "10",
        "Ben <b>Bold</b>",
        "11 + 1 missed",
        "Chloë Çelik-Østergaard",
        "12 + 2 missed",
    ]


def test_each_source_has_a_bar_for_each_stage() -> None:
    chart = chart_of_sources(a_day().sources)

    assert texts(chart)[:6] == ["web", "40 leads", "30 called", "12 contacted", "3 converted", "unknown"]
    assert [rect.series for rect in chart.rects] == [0, 1, 2, 3, 0]
    assert len({rect.y for rect in chart.rects}) == len(chart.rects)


@pytest.mark.parametrize(
    "chart",
    [
        bars_of([]),
        columns_of([]),
        bars_of([Group("Ann", [Bar([(0, 0)], "0")])]),
        columns_of([("00:00", (0,))]),
    ],
)
def test_without_data_a_chart_has_no_bars(chart: Chart) -> None:
    assert chart.rects == ()


def test_nothing_is_drawn_outside_the_chart() -> None:
    day = a_day()

    for chart in (chart_of_agents(day.agents), chart_of_hours(day.hours), chart_of_sources(day.sources)):
        assert chart.rects
        for rect in chart.rects:
            assert min(rect.x, rect.y) >= 0
            assert rect.x + rect.width <= WHOLE
            assert rect.y + rect.height <= chart.height
        assert all(0 < label.y <= chart.height for label in chart.labels)

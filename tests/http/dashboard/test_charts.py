"""The geometry of charts."""

import pytest

from entrypoints.http.dashboard.charts import COLUMN_AREA, WIDTH, Chart, columns_of, funnel_of, stacked_bars_of


def test_the_longest_bar_is_as_wide_as_the_chart_and_its_parts_follow_one_another() -> None:
    chart = stacked_bars_of([("Ann", (30, 10)), ("Ben", (10, 0))])

    assert [(rect.x, rect.width, rect.series) for rect in chart.rects] == [(0, 240, 0), (240, 80, 1), (0, 80, 0)]
    assert [label.text for label in chart.labels] == ["Ann", "Ben"]


def test_the_highest_column_is_as_high_as_the_chart_and_stands_on_its_bottom() -> None:
    chart = columns_of([("00:00", (4, 1)), ("01:00", (2, 0)), ("02:00", (0, 0))], label_every=2)

    assert [(rect.height, rect.y + rect.height) for rect in chart.rects] == [(120, 120), (30, 120), (60, 120)]
    assert [label.text for label in chart.labels] == ["00:00", "02:00"]
    assert COLUMN_AREA == 120


def test_what_a_funnel_leaves_lies_in_front_of_what_came_in() -> None:
    chart = funnel_of([("web", (40, 30, 12, 3))])

    assert [rect.width for rect in chart.rects] == [320, 240, 96, 24]
    assert all(rect.height > 0 for rect in chart.rects)
    assert [rect.y for rect in chart.rects] == sorted(rect.y for rect in chart.rects)


@pytest.mark.parametrize(
    "chart",
    [
        stacked_bars_of([]),
        columns_of([]),
        funnel_of([]),
        stacked_bars_of([("Ann", (0, 0))]),
        columns_of([("00:00", (0,))]),
        funnel_of([("web", (0, 0, 0, 0))]),
    ],
)
def test_nothing_to_show_is_a_chart_without_bars(chart: Chart) -> None:
    assert chart.rects == ()


def test_nothing_is_drawn_outside_of_the_chart() -> None:
    numbers = [7, 1, 0, 13, 5, 8, 2]
    rows = [(str(number), (number, number // 2)) for number in numbers]

    for chart in (stacked_bars_of(rows), columns_of(rows), funnel_of(rows)):
        assert chart.rects
        for rect in chart.rects:
            assert min(rect.x, rect.y) >= 0
            assert rect.x + rect.width <= WIDTH + 0.01
            assert rect.y + rect.height <= chart.height

"""Tests of the order of the test modules: each module stays together."""

from dataclasses import dataclass
from typing import Any, cast

from tests.order import spread


@dataclass
class Item:
    nodeid: str


def in_order(*nodeids: str) -> list[str]:
    return [test.nodeid for test in spread(cast("Any", [Item(nodeid) for nodeid in nodeids]))]


def test_waiting_modules_are_spread_between_the_others() -> None:
    order = in_order(
        "tests/core/test_a.py::test_1",
        "tests/core/test_a.py::TestB::test_2",
        "tests/core/test_b.py::test_1",
        "tests/core/test_c.py::test_1",
        "tests/core/test_d.py::test_1",
        "tests/entrypoints/test_slow.py::test_1",
        "tests/faults/test_slowest.py::test_1",
        "tests/faults/test_slowest.py::test_2",
    )

    assert order == [
        "tests/faults/test_slowest.py::test_1",
        "tests/faults/test_slowest.py::test_2",
        "tests/core/test_a.py::test_1",
        "tests/core/test_a.py::TestB::test_2",
        "tests/core/test_b.py::test_1",
        "tests/entrypoints/test_slow.py::test_1",
        "tests/core/test_c.py::test_1",
        "tests/core/test_d.py::test_1",
    ]


def test_no_test_is_lost_if_all_modules_are_of_one_kind() -> None:
    assert in_order("tests/faults/test_a.py::test_1") == ["tests/faults/test_a.py::test_1"]
    assert in_order("tests/core/test_a.py::test_1") == ["tests/core/test_a.py::test_1"]
    assert in_order() == []

"""Order of the test modules: those that wait for servers are spread evenly between those that calculate.

Several test processes take modules one after the other, in this order (`make test`). If all waiting modules ran at the
same time, the processors would be idle; if they ran last, they would delay the end.
"""

from collections.abc import Sequence
from itertools import groupby

import pytest

WAITING = (
    "tests/faults/",
    "tests/cli/",
    "tests/servers/",
    "tests/entrypoints/",
    "tests/adapters/sql/",
    "tests/adapters/mongo/",
    "tests/http/dashboard/browser/",
    "tests/contracts/",
)
"""Folders whose tests start, stop and use servers, the slowest first."""


def spread(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Sort the tests: modules stay whole and in their own order, and waiting ones are spread between the others."""
    modules = [list(tests) for _, tests in groupby(items, lambda item: item.nodeid.partition("::")[0])]
    ranks = [_rank(tests[0].nodeid) for tests in modules]
    waiting = [tests for _, tests in sorted(enumerate(modules), key=lambda one: (ranks[one[0]], one[0]))]
    count = sum(rank < len(WAITING) for rank in ranks)
    first, others = waiting[:count], waiting[count:]
    places = [(number / max(1, len(first)), 0, tests) for number, tests in enumerate(first)]
    places += [(number / max(1, len(others)), 1, tests) for number, tests in enumerate(others)]
    return [test for _, _, tests in sorted(places, key=lambda place: place[:2]) for test in tests]


def _rank(nodeid: str) -> int:
    return next((rank for rank, folder in enumerate(WAITING) if nodeid.startswith(folder)), len(WAITING))

"""Tests of the page about costs against the templates."""

import runpy
from typing import Any

import pytest

from tests.conftest import CHECKOUT


@pytest.fixture
def cost() -> dict[str, Any]:
    return runpy.run_path(str(CHECKOUT / "docs" / "tables" / "cost.py"))


def test_the_page_is_up_to_date(cost: dict[str, Any]) -> None:
    assert cost["page"]() == cost["PAGE"].read_text("utf-8"), "run `make diagrams`"


def test_every_unit_of_every_size_has_a_price(cost: dict[str, Any]) -> None:
    for size in cost["SIZES"]:
        assert set(cost["units"](size)) <= set(cost["PRICES"])


def test_hourly_prices_are_multiplied_by_the_hours_of_a_month(cost: dict[str, Any]) -> None:
    assert cost["monthly"]("t3.small", 2) == pytest.approx(2 * 730 * cost["PRICES"]["t3.small"])
    assert cost["monthly"]("key of KMS, a month", 2) == pytest.approx(2 * cost["PRICES"]["key of KMS, a month"])

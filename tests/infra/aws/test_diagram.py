"""Tests of the diagram of the AWS stacks."""

import runpy
from typing import Any

import pytest

from tests.conftest import CHECKOUT
from tests.infra.aws.rules import DATA

SCRIPT = CHECKOUT / "docs" / "diagrams" / "aws.py"


@pytest.fixture
def diagram() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def test_the_pictures_are_up_to_date(diagram: dict[str, Any]) -> None:
    drawn = diagram["fingerprint"]()

    assert list(diagram["differences"]()) == []
    assert diagram["shown_fingerprints"]() == [drawn, drawn], "run `make diagram-aws`"


def test_every_store_of_data_and_every_group_is_drawn(diagram: dict[str, Any]) -> None:
    assert {*DATA, "AWS::AutoScaling::AutoScalingGroup"} <= set(diagram["SHOWN"])


def test_undrawn_resources_and_drawn_ones_that_do_not_exist_are_reported(diagram: dict[str, Any]) -> None:
    parts, part = diagram["PARTS"], diagram["Part"]
    blue = parts["blue"]
    parts["blue"] = part(icon=blue.icon, label=blue.label, of=("app/PurpleGroup",))

    assert sorted(diagram["differences"]()) == [
        "app/BlueGroup is not drawn",
        "app/PurpleGroup is drawn, and is not there",
    ]


def test_the_drawing_embeds_its_icons_and_contains_no_local_path(diagram: dict[str, Any]) -> None:
    svg = diagram["SVG"].read_text("utf-8")

    assert svg.count('href="data:image/png;base64,') == len(diagram["PARTS"])
    assert svg.count("<image ") == len(diagram["PARTS"])

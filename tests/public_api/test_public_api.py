"""Tests of the list of public names: it is up to date, and breaking changes are announced."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.conftest import CHECKOUT
from tests.public_api.files import CURRENT, RELEASED
from tests.public_api.listing import public_names


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def name_of(line: str) -> str:
    """The last part of a public name, without its signature."""
    found = re.match(r"[\w.]+", line)
    assert found, line
    return found[0].rpartition(".")[2]


def unannounced(released: Sequence[str], today: Sequence[str], changelog: str) -> list[str]:
    """What users of the last release may miss, and no line of the changelog names in backticks."""
    unreleased = re.split(r"^## \[", changelog, flags=re.MULTILINE)[1]
    named = {part for code in re.findall(r"`([^`]+)`", unreleased) for part in re.findall(r"\w+", code)}
    return [line for line in released if line not in set(today) and name_of(line) not in named]


def test_the_list_of_public_names_is_up_to_date() -> None:
    assert lines(CURRENT.read_text("utf-8")) == public_names(), "run `make public-api`, and announce what changes"


def test_no_breaking_change_since_the_last_release_is_unannounced() -> None:
    changelog = (CHECKOUT / "CHANGELOG.md").read_text("utf-8")

    assert unannounced(lines(RELEASED.read_text("utf-8")), lines(CURRENT.read_text("utf-8")), changelog) == []


@pytest.mark.parametrize(
    ("today", "changelog", "expected"),
    [
        (["a.B.run(self) -> None"], "", []),
        (["a.B.run(self) -> None", "a.B.more(self) -> None"], "", []),
        ([], "", ["a.B.run(self) -> None"]),
        (["a.B.run(self, now: datetime) -> None"], "", ["a.B.run(self) -> None"]),
        (["a.B.start(self) -> None"], "- `B.run` is `B.start`.", []),
        ([], "- `B.runs` is gone, and so is run.", ["a.B.run(self) -> None"]),
        ([], "- Nothing.\n\n## [0.1.0]\n\n- `B.run` is new.", ["a.B.run(self) -> None"]),
    ],
)
def test_a_missing_or_changed_name_that_the_changelog_does_not_mention_is_unannounced(
    today: list[str], changelog: str, expected: list[str]
) -> None:
    released = ["a.B.run(self) -> None"]

    assert unannounced(released, today, f"# Changelog\n\n## [Unreleased]\n\n{changelog}\n") == expected


def test_the_list_does_not_depend_on_the_order_of_sets() -> None:
    program = "from tests.public_api.listing import public_names; print(*public_names(), sep='\\n')"
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout.splitlines() == public_names()  # of this process, whose seed is another one


def test_signatures_and_values_are_in_the_list() -> None:
    names = public_names()

    assert "unite_core.Role: ADMIN='admin', MANAGER='manager', AGENT='agent'" in names
    assert "unite_core.Actor.may(self, permission: Permission) -> bool" in names
    assert "unite_core.build(ports: Ports, rules: Rules | None = None) -> Unite" in names
    assert "unite_core.ports.Users.get(self, user_id: UUID) -> User" in names
    assert "unite_core.testing.scenario.Scenario.now: datetime" in names

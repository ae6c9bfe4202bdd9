"""Tests that each planted mistake is found by the documented check, and that nothing is found without one."""

import runpy
import shutil
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.infra.pipelines.mistakes import CHECKS, MISTAKES, Mistake


def _copy(folder: Path) -> Path:
    for name in (".github", "Dockerfile", "infra"):
        if (CHECKOUT / name).is_dir():
            shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(CHECKOUT / name, folder / name)
    return folder


# The rehearsal without a mistake is one of the tests of hooks, and takes seconds.
@pytest.mark.parametrize("check", sorted(CHECKS.keys() - {"the rehearsal of a deployment"}))
def test_a_check_finds_nothing_without_a_mistake(check: str, tmp_path: Path) -> None:
    assert CHECKS[check](_copy(tmp_path)) == ""


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_found(mistake: Mistake, tmp_path: Path) -> None:
    path = _copy(tmp_path) / mistake.file
    text = path.read_text("utf-8")
    assert mistake.before in text
    path.write_text(text.replace(mistake.before, mistake.after, 1), "utf-8")

    assert mistake.says in CHECKS[mistake.check](tmp_path)


def test_every_check_finds_a_mistake() -> None:
    assert {mistake.check for mistake in MISTAKES} == CHECKS.keys()


def test_the_page_about_delivery_lists_the_mistakes() -> None:
    table = runpy.run_path(str(CHECKOUT / "docs" / "tables" / "pipeline_mistakes.py"))

    assert table["page"]() == table["PAGE"].read_text("utf-8"), "run `make diagrams`"

"""Tests of the page about settings against the variables of Compose files and infra."""

import re
from pathlib import Path

from entrypoints.settings.variables import ALL
from tests.conftest import CHECKOUT

PLACES = ("docker-compose.yml", "Dockerfile", "buildspec.yml", "infra", ".github")


def _files() -> list[Path]:
    results = []
    for name in PLACES:
        place = CHECKOUT / name
        results += [place] if place.is_file() else [it for it in place.rglob("*") if it.is_file()]
    return [path for path in results if "__pycache__" not in path.parts]


def _used() -> set[str]:
    used: set[str] = set()
    for path in _files():
        used |= set(re.findall(r"UNITE_[A-Z0-9_]*[A-Z0-9]", path.read_text("utf-8")))
    return {name.removesuffix("_FILE") for name in used}


def test_the_page_lists_every_variable_of_compose_and_infra() -> None:
    page = (CHECKOUT / "docs" / "reference" / "settings.md").read_text("utf-8")
    around = page.partition("## Variables around the service")[2]

    known = {setting.name for setting in ALL}
    documented = set(re.findall(r"`(UNITE_\w+)`", around))

    assert _used() - known == documented

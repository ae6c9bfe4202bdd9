"""Tests of the permissions of GitHub workflows, beyond what linters check."""

import re

from tests.conftest import CHECKOUT
from tests.infra.pipelines.workflows import MAY, NEEDS, problems
from tests.infra.pipelines.yaml_files import load

FOLDER = CHECKOUT / ".github" / "workflows"


def test_no_workflow_has_more_permissions_than_it_needs() -> None:
    assert {path.name for path in FOLDER.glob("*.yml")} == {"ci.yml", "deploy.yml", "main.yml", "release.yml"}

    assert problems(FOLDER) == []


def test_every_exception_names_an_existing_job() -> None:
    jobs = {(path.name, name) for path in FOLDER.glob("*.yml") for name in load(path)["jobs"]}

    assert MAY.keys() | NEEDS.keys() <= jobs


def test_each_action_is_pinned_to_the_same_commit_everywhere() -> None:
    pinned: dict[str, set[str]] = {}
    for path in FOLDER.glob("*.yml"):
        for name, rest in re.findall(r"uses: (\S+)@(.+)$", path.read_text("utf-8"), re.MULTILINE):
            pinned.setdefault(name, set()).add(rest)

    assert len(pinned) >= 6
    assert {name: pins for name, pins in pinned.items() if len(pins) > 1} == {}

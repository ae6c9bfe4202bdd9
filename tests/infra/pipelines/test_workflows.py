"""What the workflows may do, beyond what linters see."""

import re

from tests.conftest import CHECKOUT
from tests.infra.pipelines.workflows import MAY, NEEDS, problems
from tests.infra.pipelines.yaml_files import load

FOLDER = CHECKOUT / ".github" / "workflows"


def test_no_workflow_does_more_than_it_says_and_needs() -> None:
    assert {path.name for path in FOLDER.glob("*.yml")} == {"ci.yml", "deploy.yml", "main.yml", "release.yml"}

    assert problems(FOLDER) == []


def test_every_exception_is_of_a_job_that_there_is() -> None:
    jobs = {(path.name, name) for path in FOLDER.glob("*.yml") for name in load(path)["jobs"]}

    assert MAY.keys() | NEEDS.keys() <= jobs


def test_the_same_action_is_the_same_commit_everywhere() -> None:
    pinned: dict[str, set[str]] = {}
    for path in FOLDER.glob("*.yml"):
        for name, rest in re.findall(r"uses: (\S+)@(.+)$", path.read_text("utf-8"), re.MULTILINE):
            pinned.setdefault(name, set()).add(rest)

    assert len(pinned) >= 6
    assert {name: pins for name, pins in pinned.items() if len(pins) > 1} == {}

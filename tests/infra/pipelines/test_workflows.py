"""What the workflows may do, beyond what linters see."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CHECKOUT
from tests.infra.pipelines.yaml_files import load

FOLDER = CHECKOUT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))

MAY = {
    ("deploy.yml", "deploy"): {"contents: read", "id-token: write"},
    ("main.yml", "staging"): {"contents: read", "id-token: write"},
    ("release.yml", "image"): {"attestations: write", "contents: read", "id-token: write", "packages: write"},
    ("release.yml", "production"): {"contents: read", "id-token: write"},
    ("release.yml", "publish"): {"contents: write"},
    ("release.yml", "wheel"): {"attestations: write", "contents: read", "id-token: write"},
}
"""The only jobs that may do more than read the repository."""


def _jobs(path: Path) -> dict[str, Any]:
    jobs: dict[str, Any] = load(path)["jobs"]
    return jobs


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_permits_nothing_and_each_job_names_what_it_may(path: Path) -> None:
    assert load(path)["permissions"] == {}
    for name, job in _jobs(path).items():
        may = {f"{key}: {value}" for key, value in job["permissions"].items()}
        assert may in (MAY.get((path.name, name)), {"contents: read"}, set()), name


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_an_action_is_named_by_its_commit_with_its_version_beside_it(path: Path) -> None:
    used = re.findall(r"^\s+(?:- )?uses: (.+)$", path.read_text("utf-8"), re.MULTILINE)

    assert used
    assert [
        each for each in used if not re.fullmatch(r"\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\$/\.github/\S+\.yml", each)
    ] == []


def test_the_same_action_is_the_same_commit_everywhere() -> None:
    pinned: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for name, rest in re.findall(r"uses: (\S+)@(.+)$", path.read_text("utf-8"), re.MULTILINE):
            pinned.setdefault(name, set()).add(rest)

    assert len(pinned) >= 6
    assert {name: pins for name, pins in pinned.items() if len(pins) > 1} == {}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_that_runs_has_an_end(path: Path) -> None:
    endless = [name for name, job in _jobs(path).items() if "uses" not in job and job.get("timeout-minutes", 0) < 1]

    assert endless == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_workflow_has_a_stored_key_or_a_cache(path: Path) -> None:
    text = path.read_text("utf-8")

    assert "secrets." not in text
    assert "aws-access-key-id" not in text
    assert not re.search(r"cache(?!:? false)\b", text.replace("--no-cache", "")), "nothing may come from an earlier run"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_script_is_put_together_from_what_somebody_else_wrote(path: Path) -> None:
    scripts = [step["run"] for job in _jobs(path).values() for step in job.get("steps", []) if "run" in step]

    assert [script for script in scripts if "${{" in script] == []


def test_nothing_is_deployed_or_released_that_was_not_checked() -> None:
    assert _jobs(FOLDER / "main.yml")["staging"]["needs"] == "checks"
    release = _jobs(FOLDER / "release.yml")
    assert release["wheel"]["needs"] == release["image"]["needs"] == "checks"
    assert release["publish"]["needs"] == ["wheel", "image"]
    assert release["production"]["needs"] == "publish"


def test_checks_run_one_after_the_other_until_the_scan() -> None:
    needs = {name: job.get("needs") for name, job in _jobs(FOLDER / "ci.yml").items()}

    assert needs == {
        "lint": None,
        "test": "lint",
        "infrastructure": "lint",
        "compose": "test",
        "build": "compose",
        "scan": "build",
    }


def test_aws_is_reached_from_an_environment_alone() -> None:
    for path in WORKFLOWS:
        for name, job in _jobs(path).items():
            uses = [step.get("uses", "") for step in job.get("steps", [])]
            if any(each.startswith("aws-actions/") for each in uses):
                assert job["environment"] == "${{ inputs.environment }}", f"{path.name}: {name}"

"""Checks of GitHub workflows that linters do not make."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.infra.pipelines.yaml_files import load

MAY = {
    ("deploy.yml", "deploy"): {"contents: read", "id-token: write"},
    ("main.yml", "staging"): {"contents: read", "id-token: write"},
    ("release.yml", "image"): {"attestations: write", "contents: read", "id-token: write", "packages: write"},
    ("release.yml", "production"): {"contents: read", "id-token: write"},
    ("release.yml", "publish"): {"contents: write"},
    ("release.yml", "wheel"): {"attestations: write", "contents: read", "id-token: write"},
}
"""The only jobs with more permissions than reading the repository."""

NEEDS = {
    ("ci.yml", "test"): "lint",
    ("ci.yml", "infrastructure"): "lint",
    ("ci.yml", "library"): "lint",
    ("ci.yml", "compose"): "test",
    ("ci.yml", "build"): "compose",
    ("ci.yml", "scan"): "build",
    ("main.yml", "staging"): "checks",
    ("release.yml", "wheel"): "checks",
    ("release.yml", "image"): ["checks", "wheel"],
    ("release.yml", "publish"): ["wheel", "image"],
    ("release.yml", "production"): "publish",
}
"""Job -> the jobs that it has to wait for, so that nothing unchecked is built, deployed or released."""

_PINNED = re.compile(r"\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\$/\.github/workflows/\S+\.yml")
_CACHE = re.compile(r"\bcache\b(?!: false)")


def problems(folder: Path) -> list[str]:
    """Return a sentence for each fault."""
    return [problem for path in sorted(folder.glob("*.yml")) for problem in _problems(path)]


def _problems(path: Path) -> Iterator[str]:
    text = path.read_text("utf-8")
    workflow = load(path)
    if workflow.get("permissions") != {}:
        yield f"{path.name} permits something to all of its jobs"
    for used in re.findall(r"^\s+(?:- )?uses: (.+)$", text, re.MULTILINE):
        if not _PINNED.fullmatch(used):
            yield f"{path.name}: {used} has no commit with its version beside it"
    if "secrets." in text or "aws-access-key-id" in text:
        yield f"{path.name} uses a stored key"
    if _CACHE.search(text.replace("--no-cache", "")):
        yield f"{path.name} takes something from an earlier run"
    for name, job in workflow["jobs"].items():
        yield from (f"{path.name}, {name}: {problem}" for problem in _problems_of_a_job(path.name, name, job))


def _problems_of_a_job(file: str, name: str, job: dict[str, Any]) -> Iterator[str]:
    may = {f"{key}: {value}" for key, value in job.get("permissions", {"unsaid": ""}).items()}
    if may not in (MAY.get((file, name)), {"contents: read"}, set()):
        yield f"may do {sorted(may)}"
    if job.get("needs") != NEEDS.get((file, name)):
        yield f"waits for {job.get('needs')}"
    if "uses" not in job and not job.get("timeout-minutes"):
        yield "has no end"
    steps = job.get("steps", [])
    if any("${{" in step.get("run", "") for step in steps):
        yield "has a script that is put together from what somebody else wrote"
    uses_aws = any(step.get("uses", "").startswith("aws-actions/") for step in steps)
    if uses_aws and job.get("environment") != "${{ inputs.environment }}":
        yield "reaches AWS from outside an environment"


def hasty_updates(path: Path) -> list[str]:
    """Return the parts of Dependabot's file whose updates do not wait for a week."""
    updates = load(path)["updates"]
    return [each["package-ecosystem"] for each in updates if each.get("cooldown", {}).get("default-days", 0) < 7]

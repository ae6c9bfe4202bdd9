"""Tests that linters find nothing in workflows, images, scripts and Compose files."""

import os
import subprocess

from tests.conftest import CHECKOUT
from tests.infra.pipelines.yaml_files import load
from tests.infra.tools import run, tool


def _tracked(*patterns: str) -> list[str]:
    """The files under version control, or about to be, whose names match."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(name for name in listed.stdout.split("\0") if name and (CHECKOUT / name).is_file())


def _scripts() -> list[str]:
    named = set(_tracked("*.sh"))
    for name in _tracked(".ci/**", "infra/**"):
        with (CHECKOUT / name).open("rb") as file:
            if file.readline().startswith((b"#!/bin/sh", b"#!/usr/bin/env bash", b"#!/bin/bash")):
                named.add(name)
    return sorted(named)


def _compose_files() -> list[str]:
    return _tracked("*docker-compose.yml", "*compose.yaml")


def test_actionlint_accepts_the_workflows() -> None:
    result = run("actionlint", "-shellcheck", tool("shellcheck"))

    assert result.code == 0, result.output


def test_zizmor_accepts_the_workflows_and_dependabot() -> None:
    result = run("zizmor", "--offline", "--persona=pedantic", "--strict-collection", ".github")

    assert result.code == 0, result.output
    assert result.stderr.count("completed .github/") >= 5, result.output


def test_hadolint_accepts_the_images() -> None:
    result = run("hadolint", *_tracked("*Dockerfile"))

    assert result.code == 0, result.output


def test_shellcheck_accepts_every_script() -> None:
    scripts = _scripts()

    assert {".ci/run", "infra/compose/make-secrets.sh", "infra/release/wheel.sh"} <= set(scripts)
    result = run("shellcheck", *scripts)
    assert result.code == 0, result.output


def test_every_script_is_executable() -> None:
    called_by_an_interpreter = {
        "infra/codedeploy/hooks/lib.sh",
        "infra/compose/make-secrets.sh",
        "infra/compose/mysql-accounts.sh",
    }

    cannot = [name for name in _scripts() if not os.access(CHECKOUT / name, os.X_OK)]

    assert set(cannot) <= called_by_an_interpreter


def test_compose_files_are_valid_by_their_schema() -> None:
    # In the servers of tests a variable stands for the type of a volume, which the schema lists.
    files = [name for name in _compose_files() if name != "tests/servers/docker-compose.yml"]

    assert "docker-compose.yml" in files
    result = run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", *files)
    assert result.code == 0, result.output


def test_the_dependabot_file_is_valid_by_its_schema() -> None:
    result = run("check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml")

    assert result.code == 0, result.output


def test_dependabot_covers_every_place_with_images() -> None:
    updates = load(CHECKOUT / ".github" / "dependabot.yml")["updates"]
    (compose,) = (each for each in updates if each["package-ecosystem"] == "docker-compose")

    assert set(compose["directories"]) == {"/" + name.rpartition("/")[0] for name in _compose_files()}

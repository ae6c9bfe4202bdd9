"""Tests of the phases of builds, run in one shell as CodeBuild does."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CHECKOUT
from tests.infra.pipelines.stubs import Stubs
from tests.infra.pipelines.yaml_files import load

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/unite-staging"
PARTS = ("Dockerfile", "LICENSE", "NOTICE", "buildspec.yml", "requirements", "sample_leads.csv", "infra")


class Build:
    """A checkout of the files that a build reads, with stubs of the programs that it calls."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.checkout.mkdir(parents=True)
        for name in PARTS:
            (self.checkout / name).symlink_to(CHECKOUT / name)
        for package in ("unite_core", "adapters", "entrypoints"):
            (self.checkout / package).mkdir()
            (self.checkout / package / "__init__.py").touch()
        # The scripts find their checkout by their own path.
        (self.checkout / "infra").unlink()
        subprocess.run(["cp", "-R", CHECKOUT / "infra", self.checkout / "infra"], check=True)
        self.stubs = Stubs(folder / "bin")
        for name in ("make", "curl"):
            self.stubs.add(name)
        self.stubs.add("docker", '[ "$1" != login ] || cat >/dev/null')
        self.stubs.add("aws", "echo password")
        self.stubs.add("python3.11")
        tools = Stubs(self.checkout / ".venv-infra" / "bin")
        tools.log = self.stubs.log
        tools.add("cyclonedx-py")
        tools.add("python")
        service = Stubs(self.checkout / ".venv" / "bin")
        service.log = self.stubs.log
        service.add("python", 'while [ $# -gt 0 ]; do [ "$1" != --dest ] || touch "$2/one.whl"; shift; done')

    def run(self, buildspec: Path, phases: list[str], *, succeeding: int = 1) -> subprocess.CompletedProcess[str]:
        """Run the commands of some phases, until one fails."""
        described: dict[str, Any] = load(buildspec)
        commands = [command for phase in phases for command in described["phases"][phase]["commands"]]
        script = "\n".join(f"{{\n{command}\n}} || exit" for command in commands)
        environment = {
            "PATH": self.stubs.path,
            "HOME": os.environ.get("HOME", "/"),
            "REPOSITORY": REPOSITORY,
            "CODEBUILD_RESOLVED_SOURCE_VERSION": COMMIT,
            "CODEBUILD_BUILD_NUMBER": "17",
            "CODEBUILD_BUILD_SUCCEEDING": str(succeeding),
        }
        return subprocess.run(
            ["bash", "-c", script], cwd=self.checkout, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


def test_a_build_lints_tests_builds_and_pushes_in_this_order(build: Build) -> None:
    buildspec = CHECKOUT / "buildspec.yml"

    done = build.run(buildspec, list(load(buildspec)["phases"]))

    assert done.returncode == 0, done.stdout + done.stderr
    image = f"{REPOSITORY}:0123456789ab-17"
    calls = build.stubs.calls()
    expected = [
        "make lint",
        "make test",
        f"docker build --build-arg REVISION={COMMIT} --tag {image} .",
        f"docker create {image}",
        "docker login --username AWS --password-stdin 123456789012.dkr.ecr.eu-central-1.amazonaws.com",
        f"docker push {image}",
    ]
    assert [call for call in calls if call in expected] == expected


def test_the_artifact_of_a_build_is_a_revision_for_codedeploy(build: Build) -> None:
    buildspec = load(CHECKOUT / "buildspec.yml")
    assert build.run(CHECKOUT / "buildspec.yml", ["install", "build"]).returncode == 0

    revision = build.checkout / buildspec["artifacts"]["base-directory"]

    assert buildspec["artifacts"]["files"] == ["**/*"]
    assert (revision / "RELEASE").read_text("utf-8") == "0123456789ab-17\n"
    for hooks in load(revision / "appspec.yml")["hooks"].values():
        assert all(os.access(revision / hook["location"], os.X_OK) for hook in hooks)
    held = {path.relative_to(revision).as_posix() for path in revision.rglob("*") if path.is_file()}
    assert {
        "application/entrypoints/__init__.py",
        "application/requirements/service.txt",
        "hooks/lib.sh",
        "migrate.buildspec.yml",
        "systemd/unite-api.service",
        "systemd/unite-worker.service",
        "wheels/one.whl",
    } <= held


def test_a_failed_build_pushes_nothing(build: Build) -> None:
    done = build.run(CHECKOUT / "buildspec.yml", ["install", "post_build"], succeeding=0)

    assert done.returncode != 0
    assert not [call for call in build.stubs.calls() if call.startswith(("docker", "aws"))]


def test_failed_tests_fail_the_build(build: Build) -> None:
    build.stubs.add("make", '[ "$1" != test ]')

    done = build.run(CHECKOUT / "buildspec.yml", ["install", "pre_build", "build"])

    assert done.returncode != 0
    assert not [call for call in build.stubs.calls() if call.startswith("docker")]


def test_migrations_run_once_from_the_revision(build: Build, tmp_path: Path) -> None:
    assert build.run(CHECKOUT / "buildspec.yml", ["install", "build"]).returncode == 0
    build.checkout = build.checkout / "build" / "revision"
    build.stubs.forget()
    build.stubs.add("install", "")  # it writes to /etc/unite
    environment = Stubs(tmp_path / "environment" / "bin")
    environment.log = build.stubs.log
    environment.add("python", 'echo "in $(basename "$PWD")"')
    build.stubs.add("python3.11", f'[ "$2" != venv ] || cp -R {tmp_path}/environment environment')

    done = build.run(build.checkout / "migrate.buildspec.yml", ["install", "build"])

    assert done.returncode == 0, done.stderr
    assert done.stdout == "in application\n"
    calls = build.stubs.calls()
    assert [call for call in calls if "migrate" in call] == ["python -m entrypoints migrate"]
    (installed,) = (call for call in calls if " install " in call)
    assert "--no-index --find-links wheels --require-hashes -r application/requirements/service.txt" in installed
    assert "install -D -m 644 rds.pem /etc/unite/rds.pem" in calls


def test_no_hook_of_an_instance_runs_migrations() -> None:
    for hook in (CHECKOUT / "infra" / "codedeploy" / "hooks").glob("*.sh"):
        assert "entrypoints" not in hook.read_text("utf-8"), hook.name

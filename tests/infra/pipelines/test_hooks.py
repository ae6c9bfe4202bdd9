"""Tests of deployments on a simulated instance: repeated hooks, scaled-out instances, failures and rollbacks."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.infra.pipelines.instance import EVENTS, SOURCE, Instance, revision
from tests.infra.pipelines.yaml_files import load


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    one = Instance(tmp_path / "instance")
    yield one
    one.stop()


def test_every_event_of_the_appspec_exists_and_names_an_existing_hook() -> None:
    hooks = load(SOURCE / "appspec.yml")["hooks"]

    assert list(hooks) == [event for event in EVENTS if event != "Install"]
    for each in hooks.values():
        assert [(SOURCE / hook["location"]).is_file() for hook in each] == [True]
    # CodeDeploy refuses more than an hour for the hooks of one event, and the file where it is called otherwise.
    assert sum(hook["timeout"] for each in hooks.values() for hook in each) <= 3600


def test_an_instance_that_scales_out_gets_the_previous_release_and_then_the_new_one(
    instance: Instance, tmp_path: Path
) -> None:
    # CodeDeploy gives a new instance the last revision that succeeded, and updates it when the deployment has ended.
    first = instance.deploy(revision(tmp_path / "one", "one"))
    assert first.failed is None, first.output
    assert (instance.answer(), instance.linked("previous")) == ("one", None)

    second = instance.deploy(revision(tmp_path / "two", "two"))

    assert second.failed is None, second.output
    assert (instance.answer(), instance.linked("current"), instance.linked("previous")) == ("two", "two", "one")
    assert "systemctl enable --quiet unite-api.service" in instance.stubs.calls()
    assert not [call for call in instance.stubs.calls() if "restart unite-worker" in call]


def test_every_hook_can_be_repeated(instance: Instance, tmp_path: Path) -> None:
    for release in ("one", "two"):
        deployment = instance.deploy(revision(tmp_path / release, release), times=2)
        assert deployment.failed is None, deployment.output

    assert (instance.answer(), instance.linked("current"), instance.linked("previous")) == ("two", "two", "one")


def test_an_environment_contains_the_packages_of_the_revision(instance: Instance, tmp_path: Path) -> None:
    one = revision(tmp_path / "one", "one")
    wheel = one / "wheels" / "brought-1.0-py3-none-any.whl"
    with ZipFile(wheel, "w") as archive:
        archive.writestr("brought.py", "")
        archive.writestr("brought-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: brought\nVersion: 1.0\n")
        archive.writestr(
            "brought-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("brought-1.0.dist-info/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (one / "application/requirements/service.txt").write_text(f"brought==1.0 --hash=sha256:{digest}\n")
    instance.copy(one)

    installed = instance.hook(one, "AfterInstall", UNITE_PYTHON=sys.executable)

    assert installed.returncode == 0, installed.stderr
    python = instance.root / "srv/unite/releases/one/venv/bin/python"
    subprocess.run([python, "-c", "import brought"], cwd="/", check=True)

    wheel.write_bytes(b"something else")
    (instance.root / "srv/unite/releases/one/.complete").unlink()
    instance.copy(one)
    assert instance.hook(one, "AfterInstall", UNITE_PYTHON=sys.executable).returncode != 0


def test_a_release_that_is_not_ready_is_rolled_back(instance: Instance, tmp_path: Path) -> None:
    one = revision(tmp_path / "one", "one")
    assert instance.deploy(one).failed is None

    bad = instance.deploy(revision(tmp_path / "bad", "bad", status=503), UNITE_READY_SECONDS="40")

    assert bad.failed == "ValidateService"
    assert "Release bad is not ready" in bad.output
    assert "what the log says" in bad.output
    assert "Release one runs again" in bad.output
    assert (instance.answer(), instance.linked("current")) == ("one", "one")

    # CodeDeploy then deploys the last revision that succeeded once more, and one day a better one.
    assert instance.deploy(one).failed is None
    assert instance.answer() == "one"
    better = instance.deploy(revision(tmp_path / "three", "three"))
    assert better.failed is None, better.output
    assert (instance.answer(), instance.linked("previous")) == ("three", "one")


def test_a_new_instance_whose_release_is_not_ready_runs_nothing(instance: Instance, tmp_path: Path) -> None:
    bad = instance.deploy(revision(tmp_path / "bad", "bad", status=0), UNITE_READY_SECONDS="5")

    assert bad.failed == "ValidateService"
    assert "no release to go back to" in bad.output
    assert instance.answer() is None


def test_a_worker_that_restarts_again_and_again_is_not_ready(tmp_path: Path) -> None:
    worker = Instance(tmp_path / "instance", role="worker")
    try:
        one = revision(tmp_path / "one", "one")
        assert worker.deploy(one, UNITE_STEADY_SECONDS="1").failed is None
        assert "systemctl restart unite-worker.service" in worker.stubs.calls()

        (worker.state / "restarts").write_text("")
        assert worker.deploy(revision(tmp_path / "two", "two")).failed == "ValidateService"
        assert worker.linked("current") == "one"
    finally:
        worker.stop()


def test_an_incompletely_installed_release_is_installed_again(instance: Instance, tmp_path: Path) -> None:
    half = instance.root / "srv/unite/releases/one"
    (half / "venv").mkdir(parents=True)
    (half / "left-over").touch()

    deployment = instance.deploy(revision(tmp_path / "one", "one"))

    assert deployment.failed is None, deployment.output
    assert not (half / "left-over").exists()


def test_old_releases_are_removed_except_the_one_for_a_rollback(instance: Instance, tmp_path: Path) -> None:
    releases = instance.root / "srv/unite/releases"
    assert instance.deploy(revision(tmp_path / "one", "one")).failed is None
    for number in range(5):
        (releases / f"failed-{number}").mkdir()

    assert instance.deploy(revision(tmp_path / "two", "two")).failed is None

    left = {path.name for path in releases.iterdir()}
    assert {"one", "two"} <= left
    assert len(left) <= 4


def test_stopping_never_fails(instance: Instance, tmp_path: Path) -> None:
    instance.stubs.add("systemctl", "exit 5")

    stopped = instance.hook(revision(tmp_path / "one", "one"), "ApplicationStop")

    assert stopped.returncode == 0
    assert "was not stopped" in stopped.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("no settings", "environment is missing"),
        ("no role", "role or"),
        ("role", "it should be api, worker or both"),
        ("python", "or its pip is missing"),
    ],
)
def test_an_instance_that_cannot_run_the_service_is_refused(
    instance: Instance, tmp_path: Path, change: str, message: str
) -> None:
    variables = {}
    if change == "no settings":
        (instance.settings / "environment").unlink()
    elif change == "no role":
        (instance.settings / "role").unlink()
    elif change == "role":
        (instance.settings / "role").write_text("database")
    else:
        variables = {"UNITE_PYTHON": "/usr/bin/false"}

    refused = instance.hook(revision(tmp_path / "one", "one"), "BeforeInstall", **variables)

    assert refused.returncode == 1
    assert message in refused.stderr


def test_a_revision_with_an_invalid_name_is_refused(instance: Instance, tmp_path: Path) -> None:
    odd = revision(tmp_path / "odd", "../../etc")

    deployment = instance.deploy(odd)

    assert deployment.failed == "AfterInstall"
    assert "is no name of a release" in deployment.output

"""Tests of the scripts in the templates: blue/green traffic, and the start of instances."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # the lint set has no stubs of it

from tests.conftest import CHECKOUT
from tests.infra.aws.rules import secret_of, user_data
from tests.infra.aws.symbolic import stacks
from tests.infra.aws.templates import BLUE_GREEN, sources
from tests.infra.tools import run

# What stands in for the command line of AWS: it writes down what it is asked, and knows the weights of both groups.
AWS = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
  *describe-listeners*BLUE-ARN*) echo "$BLUE_WEIGHT" ;;
  *describe-listeners*GREEN-ARN*) echo "$GREEN_WEIGHT" ;;
  *describe-alarms*) test "$(grep -c describe-alarms "$CALLS")" -lt "${RINGS_AT:-1000}" || echo production-ApiIsSlow ;;
esac
"""


def _traffic(folder: Path, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[int]]:
    """Run the script that moves traffic; the shares of green that it has set, too."""
    project = stacks(sources(), BLUE_GREEN)["delivery"]["Resources"]["TrafficProject"]["Properties"]
    (script,) = yaml.safe_load(project["Source"]["BuildSpec"])["phases"]["build"]["commands"]
    (folder / "aws").write_text(AWS)
    (folder / "aws").chmod(0o755)
    calls = folder / "calls"
    calls.touch()
    fixed = {"LISTENER": "listener", "BLUE": "BLUE-ARN", "GREEN": "GREEN-ARN", "ALARMS": "a b", "CALLS": str(calls)}
    timed = {"STEP_SECONDS": "1", "POLL_SECONDS": "1", "PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", f"{script}\necho colour=$COLOUR"],
        env={**fixed, **timed, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    moved = re.findall(r"modify-listener.*?--default-actions (\[.*?\}\}\])", calls.read_text(), re.DOTALL)
    shares = [json.loads(actions)[0]["ForwardConfig"]["TargetGroups"][1]["Weight"] for actions in moved]
    return done, shares


@pytest.mark.parametrize(("blue", "green", "idle"), [("100", "0", "green"), ("0", "100", "blue")])
def test_the_group_without_traffic_is_deployed_to(tmp_path: Path, blue: str, green: str, idle: str) -> None:
    done, shares = _traffic(tmp_path, ACTION="idle", BLUE_WEIGHT=blue, GREEN_WEIGHT=green)

    assert done.returncode == 0, done.stderr
    assert f"colour={idle}" in done.stdout
    assert shares == []


@pytest.mark.parametrize(("blue", "green"), [("50", "50"), ("0", "0"), ("None", "None"), ("", "")])
def test_a_deployment_is_refused_if_both_or_no_groups_have_traffic(tmp_path: Path, blue: str, green: str) -> None:
    done, _ = _traffic(tmp_path, ACTION="idle", BLUE_WEIGHT=blue, GREEN_WEIGHT=green)

    assert done.returncode == 1


@pytest.mark.parametrize(("colour", "shares"), [("green", [10, 50, 100]), ("blue", [90, 50, 0])])
def test_traffic_is_shifted_in_steps(tmp_path: Path, colour: str, shares: list[int]) -> None:
    done, moved = _traffic(tmp_path, ACTION="shift", COLOUR=colour)

    assert done.returncode == 0, done.stderr
    assert moved == shares


def test_traffic_is_shifted_back_on_an_alarm(tmp_path: Path) -> None:
    done, moved = _traffic(tmp_path, ACTION="shift", COLOUR="green", RINGS_AT="2")

    assert done.returncode == 1
    assert moved == [10, 50, 0]


def test_the_user_data_of_instances_passes_shellcheck(tmp_path: Path) -> None:
    for role in ("Api", "Worker"):
        script = tmp_path / f"{role}.sh"
        script.write_text(user_data(stacks(sources()), role))
        checked = run("shellcheck", "--severity=warning", script)
        assert checked.code == 0, checked.output


def test_the_configuration_of_the_cloudwatch_agent_is_valid() -> None:
    script = user_data(stacks(sources()), "Api")
    match = re.search(r"unite\.json <<END\n(.*?)^END$", script, re.DOTALL | re.MULTILINE)
    assert match

    document = json.loads(match[1].replace("\\$", "$").replace("$role", "api"))

    assert document["metrics"]["append_dimensions"] == {"AutoScalingGroupName": "${aws:AutoScalingGroupName}"}
    groups = {it["log_group_name"] for it in document["logs"]["logs_collected"]["files"]["collect_list"]}
    assert groups == {"/unite/production/api", "/unite/production/deployments"}


def test_units_and_user_data_use_the_same_folders_and_files() -> None:
    units = CHECKOUT / "infra" / "codedeploy" / "systemd"
    script = user_data(stacks(sources()), "Worker")
    document = stacks(sources())["app"]["Resources"]["VerifyLedgerDocument"]["Properties"]["Content"]
    (command,) = document["mainSteps"][0]["inputs"]["runCommand"]

    wrapper = script.partition("cat >/usr/local/bin/unite <<'END'\n")[2].partition("\nEND\n")[0]
    assert wrapper.startswith("#!/bin/sh\n")

    for unit in units.glob("*.service"):
        settings = re.findall(r"^(EnvironmentFile|WorkingDirectory)=(.+)$", unit.read_text("utf-8"), re.MULTILINE)
        paths = dict(settings)
        assert f"cat >{paths['EnvironmentFile']} " in script
        assert f"--property=EnvironmentFile={paths['EnvironmentFile']} " in command
        assert f"--working-directory={paths['WorkingDirectory']} " in command
        assert f"{paths['WorkingDirectory']}/venv/bin/python -m entrypoints verify-ledger" in command
        assert f"--property=EnvironmentFile={paths['EnvironmentFile']} " in wrapper
        assert f"--working-directory={paths['WorkingDirectory']} " in wrapper
        assert f'{paths["WorkingDirectory"]}/venv/bin/python -m entrypoints "$@"' in wrapper
    assert "ssl_ca=/etc/unite/rds.pem&" in secret_of(stacks(sources()), "MigrateSettings")["UNITE_DATABASE_URL"]
    assert "-o /etc/unite/rds.pem " in script


def test_migrations_have_the_certificates_that_their_settings_name() -> None:
    buildspec = CHECKOUT / "infra" / "codedeploy" / "migrate.buildspec.yml"

    assert not buildspec.exists() or "/etc/unite/rds.pem" in buildspec.read_text("utf-8")

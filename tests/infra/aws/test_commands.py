"""Tests of the commands and API paths in the documentation pages."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from entrypoints.cli.commands import parser
from tests.conftest import CHECKOUT
from tests.infra.aws.alarms import RUNBOOKS
from tests.infra.aws.commands import AwsCommand, aws_commands

DOCS = CHECKOUT / "docs"
PAGES = [*sorted(RUNBOOKS.glob("*.md")), DOCS / "how-to" / "deploy-on-aws.md", DOCS / "reference" / "cost.md"]
ALL_PAGES = sorted({*PAGES, *DOCS.glob("how-to/*.md"), *DOCS.glob("reference/*.md"), *DOCS.glob("tutorials/*.md")})


def _name(page: Path) -> str:
    return page.name


@pytest.mark.parametrize("page", ALL_PAGES, ids=_name)
def test_every_aws_command_in_a_page_exists(page: Path) -> None:
    problems = [problem for command in aws_commands(page.read_text("utf-8")) for problem in command.problems()]

    assert problems == []


def test_nested_aws_commands_are_found_and_checked() -> None:
    text = """
        aws rds describe-db-instances --db-instance-identifier "$(aws rds describe-everything --query 'a[?f(x)]')" \\
          --with-nothing
    """

    assert set(aws_commands(text)) == {
        AwsCommand("rds", "describe-db-instances", frozenset({"db-instance-identifier", "with-nothing"})),
        AwsCommand("rds", "describe-everything", frozenset({"query"})),
    }
    assert {problem for command in aws_commands(text) for problem in command.problems()} == {
        "aws rds describe-db-instances: there is no option --with-nothing",
        "aws rds describe-everything: there is no such command",
    }


@pytest.mark.parametrize("page", ALL_PAGES, ids=_name)
def test_every_unite_command_in_a_page_exists(page: Path) -> None:
    text = page.read_text("utf-8").replace("\\\n", " ")
    commands = re.findall(
        r"(?:python -m entrypoints|/usr/local/bin/unite|migrate(?= restore| reconcile)) ([^`\n|<>]+)", text
    )
    lines = [shlex.split(command.partition("#")[0].strip(" '\""), comments=False) for command in commands]

    for line in filter(lambda it: it and it[0].islower() and "…" not in it, lines):
        parser().parse_args(line)  # a usage error ends the process, and so the test


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_api_path_in_a_page_exists(page: Path) -> None:
    paths = json.loads((DOCS / "openapi.json").read_text("utf-8"))["paths"]
    known = {re.sub(r"\{\w+\}", "{}", path) for path in paths}
    named = re.findall(r"(/v1/[\w/{}-]+)", page.read_text("utf-8"))

    assert [path for path in named if re.sub(r"\{\w+\}|\b[A-Z_]+\b", "{}", path.rstrip("/")) not in known] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_the_commands_of_a_page_are_valid_shell(page: Path) -> None:
    blocks = re.findall(r"(?:^ {4,}\S.*\n(?:^ {4,}.*\n|^\n(?= {4}))*)", page.read_text("utf-8"), re.MULTILINE)
    scripts = [
        block
        for block in blocks
        if re.match(r"\s*(aws|export|sudo|shell_on|log_of|replace|for|set|umask|curl)\b", block)
    ]

    for script in scripts:
        plain = re.sub(r"^ {4,}(?=END$)", "", script, flags=re.MULTILINE)
        read = subprocess.run(["bash", "-n"], input=plain, capture_output=True, text=True, check=False)
        assert read.returncode == 0, f"{script}\n{read.stderr}"

"""Tests of the rules for templates, of all sizes, and of access from GitHub."""

import re

import pytest

from tests.infra.aws.alarms import RUNBOOKS, messages, runbook_of
from tests.infra.aws.all_rules import RULES
from tests.infra.aws.rules import Rule, settings_of
from tests.infra.aws.symbolic import stacks
from tests.infra.aws.templates import BLUE_GREEN, ENVIRONMENT, NotDeployable, sources

SIZES = ("small", "medium", "large")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("deployment", ["in-place", "blue-green"])
def test_the_templates_satisfy_each_rule(rule: Rule, deployment: str) -> None:
    texts = sources()
    more = BLUE_GREEN if deployment == "blue-green" else {}

    assert list(rule(stacks(texts, more), texts)) == []


@pytest.mark.parametrize("size", SIZES)
def test_every_size_can_be_deployed(size: str) -> None:
    more = {name: {"Size": size} for name in ("network", "data", "app", "observability")}

    assert stacks(sources(), more)["app"]["Resources"]["BlueGroup"]["Properties"]["MinSize"] >= 2


@pytest.mark.parametrize("mongo", ["", "unite/mongo"])
@pytest.mark.parametrize("twilio", ["", "unite/twilio"])
@pytest.mark.parametrize("sentry", ["", "unite/sentry"])
@pytest.mark.parametrize("role", ["Api", "Worker"])
def test_the_service_starts_without_the_optional_secrets(mongo: str, twilio: str, sentry: str, role: str) -> None:
    more = {"data": {"MongoSecret": mongo, "TwilioSecret": twilio, "SentrySecret": sentry}}

    settings = settings_of(stacks(sources(), more), role)

    assert bool(settings.mongodb_url) is bool(mongo)
    assert bool(settings.twilio) is bool(twilio)
    assert (settings.sentry.environment if settings.sentry else "") == (ENVIRONMENT if sentry else "")


JOB = "repo:example{owner}/unite{repository}:environment:production"
OTHERS = (
    "repo:example{owner}/unite{repository}:pull_request",
    "repo:example{owner}/unite{repository}:ref:refs/heads/main",
    "repo:example{owner}/unite{repository}:ref:refs/tags/v1.2.3",
    "repo:example{owner}/unite{repository}:environment:staging",
    "repo:example{owner}/another{repository}:environment:production",
    "repo:fork@99/unite@98:environment:production",
    "repo:fork/unite:environment:production",
    "repo:example@99/unite@98:environment:production",
)


@pytest.mark.parametrize(("owner", "repository"), [("@1234", "@5678"), ("", "")], ids=["with ids", "by name"])
def test_only_jobs_of_the_environment_can_assume_the_role(owner: str, repository: str) -> None:
    subject = {"RepositorySubject": f"example{owner}/unite{repository}"}
    role = stacks(sources(), {"delivery": subject})["delivery"]["Resources"]["GitHubRole"]["Properties"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    allowed = statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]

    # StringEquals compares to the letter, so that what is equal is what gets in.
    assert statement["Condition"].keys() == {"StringEquals"}
    assert allowed == JOB.format(owner=owner, repository=repository)
    assert allowed not in {other.format(owner=owner, repository=repository) for other in OTHERS}


@pytest.mark.parametrize(
    "subject",
    [
        "*",
        "example/*",
        "example@1234/*",
        "exam?le/unite",
        "example@1234/unite",
        "example/unite@5678",
        "repo:example/unite",
    ],
)
def test_a_repository_subject_with_a_wildcard_or_only_an_id_is_refused(subject: str) -> None:
    with pytest.raises(NotDeployable):
        stacks(sources(), {"delivery": {"RepositorySubject": subject}})


def test_the_green_group_has_no_load_balancer_health_check_before_its_first_deployment() -> None:
    groups = stacks(sources(), BLUE_GREEN)["app"]["Resources"]

    assert groups["BlueGroup"]["Properties"]["HealthCheckType"] == "ELB"
    assert groups["GreenGroup"]["Properties"]["HealthCheckType"] == "EC2"


def test_every_alarm_names_its_runbook_and_every_runbook_its_alarms() -> None:
    named: dict[str, set[str]] = {}
    for name, text in messages(stacks(sources(), BLUE_GREEN)).items():
        named.setdefault(runbook_of(text), set()).add(name)
    pages = {path.stem: path.read_text("utf-8") for path in RUNBOOKS.glob("*.md") if path.name != "README.md"}
    lines = {page: re.findall(r"^Alarms: (.*)$", text, re.MULTILINE) for page, text in pages.items()}

    assert {
        page: set(re.findall(r"`(\w+)`", line)) for page, found_lines in lines.items() for line in found_lines
    } == named
    assert all(len(found_lines) <= 1 for found_lines in lines.values())

import pytest

from tests.infra.aws.rules import RULES, Rule, settings_of
from tests.infra.aws.symbolic import stacks
from tests.infra.aws.templates import sources

SIZES = ("small", "medium", "large")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("deployment", ["in-place", "blue-green"])
def test_the_templates_keep_the_rule(rule: Rule, deployment: str) -> None:
    texts = sources()
    more = {"app": {"Deployment": deployment}, "delivery": {"Deployment": deployment}}

    assert list(rule(stacks(texts, more), texts)) == []


@pytest.mark.parametrize("size", SIZES)
def test_every_size_can_be_deployed(size: str) -> None:
    more = {name: {"Size": size} for name in ("network", "data", "app", "observability")}

    assert stacks(sources(), more)["app"]["Resources"]["BlueGroup"]["Properties"]["MinSize"] >= 2


@pytest.mark.parametrize("mongo", ["", "unite/mongo"])
@pytest.mark.parametrize("twilio", ["", "unite/twilio"])
@pytest.mark.parametrize("role", ["Api", "Worker"])
def test_the_service_starts_without_what_is_left_out(mongo: str, twilio: str, role: str) -> None:
    more = {"data": {"MongoSecret": mongo, "TwilioSecret": twilio}}

    settings = settings_of(stacks(sources(), more), role)

    assert bool(settings.mongodb_url) is bool(mongo)
    assert bool(settings.twilio) is bool(twilio)

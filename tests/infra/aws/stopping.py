"""Rules for stopping an instance of the API: the load balancer sends it no request that it would refuse."""

import re
from collections.abc import Iterator, Mapping

from entrypoints.capacity import STOP_SECONDS
from entrypoints.settings import read_settings
from tests.conftest import CHECKOUT
from tests.infra.aws.rules import Rule, Stacks, environment_of, every
from tests.infra.pipelines.units import service

CODEDEPLOY = CHECKOUT / "infra" / "codedeploy"


def instances_drain_before_they_stop(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """The load balancer notices that an API stops before it refuses connections; systemd and CodeDeploy wait for it."""
    units = {path.stem: service(path) for path in (CODEDEPLOY / "systemd").glob("*.service")}
    api = units["unite-api"]
    of_unit = dict(variable.split("=", 1) for variable in api["Environment"].split())
    settings = read_settings({**of_unit, **environment_of(stacks, "Api")})
    for name, group in every(stacks, "AWS::ElasticLoadBalancingV2::TargetGroup"):
        if settings.drain_seconds <= group["HealthCheckIntervalSeconds"] * group["UnhealthyThresholdCount"]:
            yield f"{name} sends requests to an API that has stopped"
    if int(api["TimeoutStopSec"]) <= settings.drain_seconds + settings.grace_seconds + 2 * STOP_SECONDS:
        yield "systemd kills an API that stops in good order"
    hook = re.search(r"ApplicationStop:\n.*\n +timeout: (\d+)", (CODEDEPLOY / "appspec.yml").read_text("utf-8"))
    if not hook or int(hook[1]) <= sum(int(unit["TimeoutStopSec"]) for unit in units.values()):
        yield "CodeDeploy gives up while the services stop"


STOPPING_RULES: tuple[Rule, ...] = (instances_drain_before_they_stop,)

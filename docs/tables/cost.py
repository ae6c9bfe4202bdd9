"""Write the table of docs/reference/cost.md: the units of each size on AWS, and their approximate cost.

The numbers come from the templates, resolved for each size; prices are those below. `make diagrams` writes the table;
a test fails if it is out of date. To update it, change `PRICES` and `PRICED_ON`.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.infra.aws.symbolic import stacks
from tests.infra.aws.templates import sources

PAGE = Path(__file__).resolve().parent.parent / "reference" / "cost.md"
BEGIN = "<!-- written by docs/tables/cost.py -->\n"
END = "<!-- until here -->\n"

Properties = Mapping[str, Any]
Units = dict[str, int]

SIZES = ("small", "medium", "large")
HOURS = 730
"""Hours of a month, as AWS counts them."""

PRICED_ON = "2026-11-29"
# US dollars in Frankfurt (eu-central-1), on demand, without tax. Approximations of what the public price pages say:
# none was looked up on that day. A unit is an hour where nothing else is said.
PRICES: dict[str, float] = {
    "t3.small": 0.024,
    "m7i.large": 0.121,
    "m7i.xlarge": 0.242,
    "c7i.xlarge": 0.204,
    "db.t4g.medium, two zones": 0.148,
    "db.m7g.large, two zones": 0.39,
    "db.r7g.xlarge, two zones": 1.08,
    "cache.t4g.small": 0.036,
    "cache.m7g.large": 0.19,
    "cache.r7g.large": 0.26,
    "load balancer": 0.027,
    "NAT gateway": 0.052,
    "endpoint of a service, in a zone": 0.012,
    "public IPv4 address": 0.005,
    "GB of disk of an instance, a month": 0.095,
    "GB of disk of MySQL, two zones, a month": 0.27,
    "key of KMS, a month": 1.0,
    "secret, a month": 0.40,
    "alarm, a month": 0.10,
    "dashboard, a month": 3.0,
}


def units(size: str) -> Counter[str]:
    """Return the number of each unit while nothing is scaled out."""
    more = {name: {"Size": size} for name in ("network", "data", "app", "observability")}
    made = stacks(sources(), more)
    found = Counter({"secret, a month": 1})  # that of the owner, which RDS makes
    for template in made.values():
        for resource in template["Resources"].values():
            if resource["Type"] in UNITS:
                found.update(UNITS[resource["Type"]](resource.get("Properties", {}), made["app"]["Resources"]))
    return found


def _group(group: Properties, resources: Properties) -> Units:
    data = resources[group["LaunchTemplate"]["LaunchTemplateId"]]["Properties"]["LaunchTemplateData"]
    disk = data["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"]
    count = group["MinSize"]
    return {data["InstanceType"]: count, "GB of disk of an instance, a month": count * disk}


def _database(database: Properties, _: Properties) -> Units:
    disk = database["AllocatedStorage"]
    return {f"{database['DBInstanceClass']}, two zones": 1, "GB of disk of MySQL, two zones, a month": disk}


def _endpoint(endpoint: Properties, _: Properties) -> Units:
    if endpoint.get("VpcEndpointType") != "Interface":
        return {}
    return {"endpoint of a service, in a zone": len(endpoint["SubnetIds"])}


UNITS: Mapping[str, Callable[[Properties, Properties], Units]] = {
    "AWS::AutoScaling::AutoScalingGroup": _group,
    "AWS::RDS::DBInstance": _database,
    "AWS::ElastiCache::ReplicationGroup": lambda it, _: {it["CacheNodeType"]: it["NumCacheClusters"]},
    "AWS::ElasticLoadBalancingV2::LoadBalancer": lambda _, __: {"load balancer": 1, "public IPv4 address": 2},
    "AWS::EC2::NatGateway": lambda _, __: {"NAT gateway": 1, "public IPv4 address": 1},
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::KMS::Key": lambda _, __: {"key of KMS, a month": 1},
    "AWS::SecretsManager::Secret": lambda _, __: {"secret, a month": 1},
    "AWS::CloudWatch::Alarm": lambda _, __: {"alarm, a month": 1},
    "AWS::CloudWatch::Dashboard": lambda _, __: {"dashboard, a month": 1},
}


def monthly(unit: str, count: int) -> float:
    """Return the cost of that many of a unit for a month, in US dollars."""
    return count * PRICES[unit] * (1 if unit.endswith("a month") else HOURS)


def table() -> Iterator[str]:
    """Yield the lines of the table."""
    counted = {size: units(size) for size in SIZES}
    yield f"| unit | ≈ price | {' | '.join(SIZES)} |"
    yield "|---|---|---|---|---|"
    for unit, price in PRICES.items():
        counts = [counted[size][unit] for size in SIZES]
        if any(counts):
            cells = [f"{count} → {monthly(unit, count):,.0f}" if count else "" for count in counts]
            yield f"| {unit} | {price:g} | {' | '.join(cells)} |"
    sums = [sum(monthly(unit, count) for unit, count in counted[size].items()) for size in SIZES]
    yield f"| **≈ US dollars a month** | | {' | '.join(f'**{round(total, -1):,.0f}**' for total in sums)} |"


def page() -> str:
    """Return the page with the current table between the two marks."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    said = f"Prices are approximations of {PRICED_ON}; each cell says how many, and what they come to a month."
    after = re.sub(r"^.*?" + END, "", rest, count=1, flags=re.DOTALL)
    return "\n".join([before + BEGIN, said, "", *table(), "", END + after])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

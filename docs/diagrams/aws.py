"""Draws aws.svg and aws.png: the stacks of infra/aws, what talks to what, and how large each part is.

What is drawn comes from the templates: a resource that holds data, a group of instances or a project that no part shows
ends the drawing, and so does a part of something that is not there; sizes are those of the mappings. `make diagram-aws`
draws them; a test compares their fingerprint with the templates.
"""

import base64
import hashlib
import importlib
import json
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # the lint set has no stubs of it

HERE = Path(__file__).resolve().parent
TEMPLATES = HERE.parent.parent / "infra" / "aws"
SVG, PNG = HERE / "aws.svg", HERE / "aws.png"
SIZE = "small"

SHOWN = (
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::CodeBuild::Project",
    "AWS::CodeDeploy::Application",
    "AWS::CodePipeline::Pipeline",
    "AWS::ECR::Repository",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::Events::Rule",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::RDS::DBInstance",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::Secret",
)
"""Types of which every resource has its place in the picture."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """An icon: its class in `diagrams`, its label, and the resources that it stands for, as stack/name."""

    icon: str
    label: str
    of: tuple[str, ...] = ()


# A label takes the sizes of the smallest installation: {app.Api} is from the mapping of app.yaml.
PARTS = {
    "clients": Part(icon="aws.general:Users", label="Agents, managers,\nother services"),
    "github": Part(icon="onprem.vcs:Github", label="GitHub Actions\n(OpenID Connect)"),
    "operators": Part(icon="aws.general:User", label="Operators\n(e-mail, runbooks)"),
    "twilio": Part(icon="saas.communication:Twilio", label="Twilio"),
    "mongo": Part(icon="onprem.database:Mongodb", label="MongoDB Atlas\n(may be left out)"),
    "balancer": Part(
        icon="aws.network:ElbApplicationLoadBalancer", label="Load balancer\nTLS, weighted", of=("app/LoadBalancer",)
    ),
    "blue": Part(
        icon="aws.compute:EC2AutoScaling",
        label="API, blue\n{app.Api} to {app.ApiMost} \N{MULTIPLICATION SIGN} {app.ApiType}",
        of=("app/BlueGroup",),
    ),
    "green": Part(icon="aws.compute:EC2AutoScaling", label="API, green\nwith blue/green", of=("app/GreenGroup",)),
    "worker": Part(
        icon="aws.compute:EC2AutoScaling",
        label="Workers\n{app.Worker} to {app.WorkerMost} \N{MULTIPLICATION SIGN} {app.WorkerType}",
        of=("app/WorkerGroup",),
    ),
    "mysql": Part(
        icon="aws.database:RDSMysqlInstance", label="MySQL, two zones\n{data.Database}", of=("data/Database",)
    ),
    "redis": Part(icon="aws.database:ElasticacheForRedis", label="Redis, two zones\n{data.Redis}", of=("data/Redis",)),
    "images": Part(
        icon="aws.storage:SimpleStorageServiceS3Bucket", label="Pictures", of=("storage-and-messaging/ImagesBucket",)
    ),
    "imports": Part(
        icon="aws.storage:SimpleStorageServiceS3Bucket", label="CSV files", of=("storage-and-messaging/ImportsBucket",)
    ),
    "rule": Part(
        icon="aws.integration:Eventbridge", label="EventBridge\nuploads", of=("storage-and-messaging/UploadsRule",)
    ),
    "queue": Part(
        icon="aws.integration:SimpleQueueServiceSqs",
        label="Queue of uploads,\ndead letters",
        of=("storage-and-messaging/UploadsQueue", "storage-and-messaging/UploadsDeadLetterQueue"),
    ),
    "events": Part(
        icon="aws.integration:SimpleNotificationServiceSns",
        label="Topic of events",
        of=("storage-and-messaging/EventsTopic",),
    ),
    "secrets": Part(
        icon="aws.security:SecretsManager",
        label="Secrets\nof service, migrate",
        of=(
            "data/DatabaseServicePassword",
            "data/DatabaseMigratorPassword",
            "data/RedisPassword",
            "data/SigningKey",
            "data/ServiceSettings",
            "data/MigrateSettings",
        ),
    ),
    "keys": Part(
        icon="aws.security:KeyManagementService",
        label="Keys: data,\nmessages",
        of=("data/Key", "storage-and-messaging/Key"),
    ),
    "pipeline": Part(icon="aws.devtools:Codepipeline", label="CodePipeline", of=("delivery/Pipeline",)),
    "build": Part(
        icon="aws.devtools:Codebuild",
        label="CodeBuild: build, migrate,\nmove traffic, back",
        of=("delivery/BuildProject", "delivery/MigrateProject", "delivery/TrafficProject", "delivery/BackProject"),
    ),
    "deploy": Part(icon="aws.devtools:Codedeploy", label="CodeDeploy\none at a time", of=("delivery/Application",)),
    "artifacts": Part(
        icon="aws.storage:SimpleStorageServiceS3Bucket",
        label="Revisions",
        of=("storage-and-messaging/ArtifactsBucket",),
    ),
    "registry": Part(icon="aws.compute:EC2ContainerRegistry", label="Container images", of=("delivery/Images",)),
    "logs": Part(
        icon="aws.management:CloudwatchLogs",
        label="Logs, metrics,\ndashboard",
        of=(
            "observability/ApiLog",
            "observability/WorkerLog",
            "observability/DeploymentsLog",
            "observability/BuildLog",
            "network/FlowLogs",
        ),
    ),
    "access": Part(
        icon="aws.storage:SimpleStorageServiceS3Bucket", label="Access logs", of=("storage-and-messaging/LogsBucket",)
    ),
    "alarms": Part(
        icon="aws.management:CloudwatchAlarm",
        label="{alarms} alarms,\ntheir topic",
        of=("observability/AlarmsTopic", "observability/CommandFailed", "observability/DatabaseFailsOver"),
    ),
    "nightly": Part(
        icon="aws.management:SystemsManager", label="Every night:\nverify the ledger", of=("app/VerifyLedgerSchedule",)
    ),
}

# Boxes: their title, their colour, and what is in them; a name in capitals is a box.
BOXES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "AWS": ("AWS, one region", "#f7f9fb", ("FILES", "VPC", "DELIVERY", "SECRETS", "WATCHING")),
    "DELIVERY": ("delivery", "#eef3fb", ("pipeline", "build", "deploy", "registry", "artifacts")),
    "VPC": ("network and app: a VPC in two zones", "#eef8f1", ("PUBLIC", "PRIVATE", "DATA")),
    "PUBLIC": ("public subnets", "#fdf6e7", ("balancer",)),
    "PRIVATE": ("private subnets", "#ffffff", ("blue", "green", "worker")),
    "DATA": ("data subnets", "#f4effa", ("mysql", "redis")),
    "FILES": ("storage-and-messaging", "#fbf1ee", ("events", "queue", "rule", "imports", "images")),
    "WATCHING": ("observability", "#fdf0f4", ("logs", "access", "alarms", "nightly")),
    "SECRETS": ("data: secrets", "#f4effa", ("secrets", "keys")),
}
OUTSIDE = ("operators", "clients", "twilio", "mongo", "github")

# From, to, label, and how it is drawn: `solid` for requests, `dashed` for what goes by itself or at times.
ARROWS: tuple[tuple[str, str, str, str], ...] = (
    ("clients", "balancer", "HTTPS", "solid"),
    ("clients", "imports", "signed uploads", "dashed"),
    ("github", "pipeline", "starts", "dashed"),
    ("pipeline", "build", "", "solid"),
    ("build", "deploy", "", "solid"),
    ("build", "registry", "", "solid"),
    ("build", "artifacts", "", "solid"),
    ("deploy", "blue", "in place", "dashed"),
    ("balancer", "blue", "", "solid"),
    ("balancer", "green", "", "dashed"),
    ("balancer", "worker", "", "invis"),
    ("blue", "mysql", "", "solid"),
    ("green", "mysql", "", "invis"),
    ("worker", "mysql", "", "solid"),
    ("blue", "redis", "", "solid"),
    ("worker", "redis", "", "solid"),
    ("imports", "rule", "", "solid"),
    ("images", "rule", "", "invis"),
    ("rule", "queue", "", "solid"),
    ("rule", "events", "", "invis"),
    ("queue", "worker", "notices", "dashed"),
    ("worker", "events", "events", "dashed"),
    ("worker", "twilio", "texts", "dashed"),
    ("worker", "mongo", "activity", "dashed"),
    ("logs", "alarms", "", "solid"),
    ("access", "nightly", "", "invis"),
    ("operators", "logs", "", "invis"),
    ("github", "secrets", "", "invis"),
    ("alarms", "operators", "", "dashed"),
)
# At one height, as those outside are, whose order decides the order of the boxes.
ROW = ("images", "imports", "balancer", "pipeline", "logs", "access", "secrets", "keys")
_UPWARDS = {
    ("queue", "worker"),
    ("deploy", "blue"),
    ("worker", "twilio"),
    ("worker", "mongo"),
    ("alarms", "operators"),
}


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # the lint set has no stubs of it
    """Reads templates; what functions come to does not matter here."""


_Loader.add_multi_constructor("!", lambda _loader, tag, _node: f"!{tag}")


def _read(path: Path) -> Any:
    return yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506  # the safe loader, with functions as their names


def templates() -> dict[str, Any]:
    """The templates by the names of their files."""
    return {path.stem: _read(path) for path in sorted(TEMPLATES.glob("*.yaml"))}


def labels() -> dict[str, str]:
    """What stands below each icon, with the sizes of the templates."""
    read = templates()
    sizes = {stack: it["Mappings"]["Sizes"][SIZE] for stack, it in read.items() if "Sizes" in it.get("Mappings", {})}
    alarms = sum(it["Type"] == "AWS::CloudWatch::Alarm" for it in read["observability"]["Resources"].values())
    flat = {f"{{{stack}.{name}}}": str(value) for stack, it in sizes.items() for name, value in it.items()}
    flat["{alarms}"] = str(alarms)
    return {name: re.sub(r"\{[\w.]+\}", lambda it: flat[it[0]], part.label) for name, part in PARTS.items()}


def differences() -> Iterator[str]:
    """What the templates have and the picture does not, and the other way round."""
    declared = {
        f"{stack}/{name}": resource["Type"]
        for stack, template in templates().items()
        for name, resource in template["Resources"].items()
    }
    drawn = {name for part in PARTS.values() for name in part.of}
    yield from (f"{name} is not drawn" for name, kind in declared.items() if kind in SHOWN and name not in drawn)
    yield from (f"{name} is drawn, and is not there" for name in sorted(drawn - declared.keys()))
    placed = [name for _, _, members in BOXES.values() for name in members if name.islower()] + list(OUTSIDE)
    yield from (f"{name} has no place" for name in PARTS if placed.count(name) != 1)


def fingerprint() -> str:
    """A hash of all that is drawn and of how: it changes where a picture has to be drawn anew."""
    drawn = json.dumps([labels(), sorted(differences())], sort_keys=True)
    return hashlib.sha256((drawn + Path(__file__).read_text("utf-8")).encode()).hexdigest()


def shown_fingerprints() -> list[str]:
    """The fingerprints that the two pictures hold."""
    svg = re.search(r"<!-- fingerprint ([0-9a-f]{64}) -->", SVG.read_text("utf-8"))
    png = re.search(rb"tEXtfingerprint\x00([0-9a-f]{64})", PNG.read_bytes())
    return [svg[1] if svg else "none", png[1].decode() if png else "none"]


def main() -> None:
    """Draw both pictures."""
    if wrong := list(differences()):
        raise SystemExit("\n".join(wrong))
    _draw()
    _finish_svg()
    _finish_png()


def _draw() -> None:
    drawing: Any = importlib.import_module("diagrams")  # the environment of `make test-infra` alone has it

    look = {"fontname": "Liberation Sans", "fontcolor": "#1f2933"}
    graph = {
        **look,
        "splines": "ortho",
        "newrank": "true",
        "nodesep": "0.75",
        "ranksep": "0.95",
        "pad": "0.4",
        "fontsize": "24",
        "labelloc": "t",
        "dpi": "96",
    }
    edges = {"fontname": "Liberation Sans", "fontsize": "13", "fontcolor": "#52606d", "color": "#52606d"}
    nodes: dict[str, Any] = {}
    texts = labels()

    def place(name: str) -> None:
        module, _, kind = PARTS[name].icon.partition(":")
        nodes[name] = getattr(importlib.import_module(f"diagrams.{module}"), kind)(texts[name])

    def box(name: str) -> None:
        title, colour, members = BOXES[name]
        drawn = {**look, "bgcolor": colour, "fontsize": "15", "pencolor": "#9aa5b1", "margin": "18"}
        with drawing.Cluster(title, graph_attr=drawn):
            for member in members:
                place(member) if member in PARTS else box(member)

    with drawing.Diagram(
        "Unite on AWS",
        filename=str(SVG.with_suffix("")),
        outformat=["svg", "png"],
        direction="TB",
        show=False,
        graph_attr=graph,
        node_attr={**look, "fontsize": "13"},
        edge_attr=edges,
    ) as diagram:
        for name in OUTSIDE:
            place(name)
        box("AWS")
        for start, end, label, style in ARROWS:
            more = {"xlabel": label, **edges} if label else {}
            if (start, end) in _UPWARDS:  # laid out downwards, or the lower part would come above the upper one
                nodes[end].connect(nodes[start], drawing.Edge(nodes[end], reverse=True, style=style, **more))
            else:
                nodes[start] >> drawing.Edge(style=style, **more) >> nodes[end]
        for row in (ROW, OUTSIDE):
            diagram.dot.body.append("{rank=same; " + "; ".join(f'"{nodes[name].nodeid}"' for name in row) + "}")
        for left, right in pairwise(OUTSIDE):
            nodes[left] >> drawing.Edge(style="invis") >> nodes[right]


def _finish_svg() -> None:
    """Put the icons into the file, for it links them by paths of this machine, and the fingerprint."""
    text = SVG.read_text("utf-8")

    def inlined(link: re.Match[str]) -> str:
        return 'xlink:href="data:image/png;base64,' + base64.b64encode(Path(link[1]).read_bytes()).decode() + '"'

    text = re.sub(r'xlink:href="([^"#]+\.png)"', inlined, text)
    text = re.sub(r"<!-- Generated by graphviz.*?-->", f"<!-- fingerprint {fingerprint()} -->", text, flags=re.DOTALL)
    SVG.write_text(text, "utf-8")


def _finish_png() -> None:
    """Put the fingerprint into the picture, as a text chunk behind its header (PNG, 11.3.4.3)."""
    picture = PNG.read_bytes()
    chunk = b"tEXt" + b"fingerprint\x00" + fingerprint().encode()
    written = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    end = 8 + 4 + 4 + 13 + 4  # signature, and the chunk IHDR
    PNG.write_bytes(picture[:end] + written + picture[end:])


if __name__ == "__main__":
    main()

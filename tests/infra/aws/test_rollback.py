"""Tests of rolling back a blue/green deployment by the AWS CLI against the stacks on moto."""

import os
import subprocess
from collections.abc import Callable

import pytest
import yaml  # type: ignore[import-untyped]  # the lint set has no stubs of it

from tests.infra.aws.additions import client
from tests.infra.aws.deploying import Deployment
from tests.infra.aws.templates import REGION
from tests.infra.tools import FOLDER, tool

PROJECT = "unite-production-back"
Back = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def back(deployment: Deployment, aws_server: str) -> Back:
    """Run the project as CodeBuild would for `start-build` with this COLOUR."""
    (project,) = client("codebuild").batch_get_projects(names=[PROJECT])["projects"]
    assert project["source"]["type"] == "NO_SOURCE"  # any other cannot be started by hand
    (script,) = yaml.safe_load(project["source"]["buildspec"])["phases"]["build"]["commands"]
    variables = {it["name"]: it["value"] for it in project["environment"]["environmentVariables"]}
    tool("aws")
    credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}

    def run(colour: str) -> "subprocess.CompletedProcess[str]":
        environment = {
            **variables,
            **credentials,
            "COLOUR": colour,
            "AWS_ENDPOINT_URL": aws_server,
            "PATH": f"{FOLDER}{os.pathsep}{os.environ['PATH']}",
        }
        return subprocess.run(
            ["bash", "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    assert deployment.export("HttpsListenerArn") == variables["LISTENER"]
    return run


def weights(deployment: Deployment) -> dict[str, int]:
    """How much of a hundred requests each group gets."""
    (listener,) = client("elbv2").describe_listeners(ListenerArns=[deployment.export("HttpsListenerArn")])["Listeners"]
    groups = listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
    names = {"blue": deployment.export("BlueTargetsName"), "green": deployment.export("GreenTargetsName")}
    return {
        colour: group["Weight"]
        for colour, name in names.items()
        for group in groups
        if group["TargetGroupArn"].endswith(name)
    }


def test_all_traffic_is_shifted_to_the_named_group_and_repeating_it_is_safe(deployment: Deployment, back: Back) -> None:
    for colour, expected in (
        ("green", {"blue": 0, "green": 100}),
        ("green", {"blue": 0, "green": 100}),
        ("blue", {"blue": 100, "green": 0}),
    ):
        done = back(colour)

        assert done.returncode == 0, done.stderr
        assert f"The {colour} group has all traffic" in done.stdout
        assert weights(deployment) == expected


def test_without_a_group_nothing_is_shifted(deployment: Deployment, back: Back) -> None:
    before = weights(deployment)

    done = back("")

    assert done.returncode == 2
    assert weights(deployment) == before


def test_no_traffic_is_shifted_to_a_group_without_healthy_instances(deployment: Deployment, back: Back) -> None:
    before = weights(deployment)
    autoscaling, group = client("autoscaling"), deployment.export("GreenGroup")
    autoscaling.detach_load_balancer_target_groups(
        AutoScalingGroupName=group, TargetGroupARNs=[_arn_of(deployment.export("GreenTargetsName"))]
    )
    try:
        done = back("green")
    finally:
        autoscaling.attach_load_balancer_target_groups(
            AutoScalingGroupName=group, TargetGroupARNs=[_arn_of(deployment.export("GreenTargetsName"))]
        )

    assert done.returncode == 1
    assert "no healthy instance" in done.stderr
    assert weights(deployment) == before


def _arn_of(name: str) -> str:
    (arn,) = [
        it["TargetGroupArn"]
        for it in client("elbv2").describe_target_groups()["TargetGroups"]
        if it["TargetGroupArn"].endswith(name)
    ]
    return str(arn)

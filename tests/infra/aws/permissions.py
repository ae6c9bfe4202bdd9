"""Table of AWS calls per role, and whether the policies of the templates allow them."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conftest import CHECKOUT
from tests.infra.aws.rules import Stacks
from tests.infra.aws.templates import ACCOUNT, ENVIRONMENT, REGION

MODULES = CHECKOUT / ".venv-infra" / "simulator"
SIMULATOR = CHECKOUT / "tests" / "infra" / "aws" / "simulator" / "simulate.cjs"


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call to AWS, and whether the role may make it. `why` is its purpose or its effect."""

    role: str
    action: str
    resource: str
    allowed: bool
    why: str
    context: Mapping[str, str] = field(default_factory=dict)


def _bucket(kind: str, key: str = "") -> str:
    return f"arn:aws:s3:::unite-{ENVIRONMENT}-{kind}-{ACCOUNT}" + (f"/{key}" if key else "")


def _arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


_QUEUE = _arn("sqs", f"unite-{ENVIRONMENT}-imports")
_TOPIC = _arn("sns", f"unite-{ENVIRONMENT}-events")
_SERVICE = _arn("secretsmanager", f"secret:unite/{ENVIRONMENT}/service-AbCdEf")
_MIGRATE = _arn("secretsmanager", f"secret:unite/{ENVIRONMENT}/migrate-AbCdEf")
_PIPELINE = _arn("codepipeline", f"unite-{ENVIRONMENT}")
_IMAGES = _arn("ecr", f"repository/unite-{ENVIRONMENT}")
_KEY = _arn("kms", "key/Key")
_LISTENER = _arn("elasticloadbalancing", "listener/app/HttpsListener/0123456789abcdef/fedcba9876543210")
_BLUE = _arn("elasticloadbalancing", "targetgroup/BlueTargets/0123456789abcdef")
_GROUP = _arn("autoscaling", "autoScalingGroup:c0ffee00-0000-4000-8000-000000000000:autoScalingGroupName/blue")


def _via(service: str) -> dict[str, str]:
    return {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}


def _of(role: str, allowed: bool, rows: Sequence[tuple[Any, ...]]) -> list[Call]:
    return [
        Call(
            role=role,
            action=row[0],
            resource=row[1],
            allowed=allowed,
            why=row[2],
            context=row[3] if len(row) > 3 else {},
        )
        for row in rows
    ]


CALLS: tuple[Call, ...] = (
    *_of(
        "api",
        True,
        [
            ("s3:ListBucket", _bucket("imports"), "/health/ready asks for the bucket"),
            ("s3:ListBucket", _bucket("images"), "/health/ready asks for the bucket"),
            ("s3:PutObject", _bucket("imports", "uploads/imports/1.csv"), "a link to upload a file is signed"),
            ("s3:PutObject", _bucket("images", "uploads/images/1/2"), "a link to upload a picture is signed"),
            ("s3:GetObject", _bucket("imports", "imports/1.csv"), "a preview reads the file"),
            ("s3:GetObject", _bucket("imports", "reports/1.csv"), "a link to an error report is signed"),
            ("s3:GetObject", _bucket("images", "images/1/2"), "a link to a picture is signed"),
            ("s3:PutObject", _bucket("images", "images/1/2"), "a picture is stored without its metadata"),
            ("s3:DeleteObject", _bucket("images", "images/1/2"), "a picture is deleted"),
            ("s3:DeleteObject", _bucket("imports", "uploads/imports/1.csv"), "an upload was moved"),
            ("s3:AbortMultipartUpload", _bucket("imports", "uploads/imports/1.csv"), "a large upload breaks off"),
            ("sqs:GetQueueAttributes", _QUEUE, "/health/ready asks for the queue"),
            ("sns:GetTopicAttributes", _TOPIC, "/health/ready asks for the topic"),
            ("secretsmanager:GetSecretValue", _SERVICE, "settings are read at the start"),
            ("kms:Decrypt", _KEY, "the secret is decrypted", _via("secretsmanager")),
            ("s3:GetObject", _bucket("artifacts", "unite/revision/1"), "CodeDeploy's agent fetches the revision"),
            ("cloudwatch:PutMetricData", "*", "the agent measures", {"cloudwatch:namespace": f"Unite/{ENVIRONMENT}"}),
            (
                "logs:PutLogEvents",
                _arn("logs", f"log-group:/unite/{ENVIRONMENT}/api:log-stream:i-1"),
                "the log is sent",
            ),
        ],
    ),
    *_of(
        "api",
        False,
        [
            ("sns:Publish", _TOPIC, "workers publish"),
            ("sqs:ReceiveMessage", _QUEUE, "workers take notices"),
            ("sqs:SendMessage", _QUEUE, "notices come from S3 alone"),
            ("secretsmanager:GetSecretValue", _MIGRATE, "the account that can change tables"),
            ("secretsmanager:PutSecretValue", _SERVICE, "settings are read, not written"),
            ("kms:Decrypt", _KEY, "without the service that it is for"),
            ("s3:GetObject", "arn:aws:s3:::another-bucket/imports/1.csv", "another bucket"),
            ("s3:PutObject", _bucket("imports", "elsewhere/1.csv"), "another prefix"),
            ("s3:PutObject", _bucket("artifacts", "unite/revision/1"), "it would deploy what it likes"),
            ("s3:DeleteBucket", _bucket("imports"), "a bucket is the template's"),
            ("s3:PutBucketPolicy", _bucket("images"), "a bucket is the template's"),
            ("s3:GetObject", _bucket("logs", "alb/AWSLogs/1"), "logs of access are for operators"),
            ("cloudwatch:PutMetricData", "*", "another namespace", {"cloudwatch:namespace": "AWS/EC2"}),
            (
                "s3:GetObject",
                _bucket("imports", "imports/1.csv"),
                "without TLS",
                {"aws:SecureTransport": "false"},
            ),
        ],
    ),
    *_of(
        "worker",
        True,
        [
            ("s3:GetObject", _bucket("imports", "imports/1.csv"), "a file is imported"),
            ("s3:GetObject", _bucket("imports", "uploads/imports/1.csv"), "an upload is moved"),
            ("s3:PutObject", _bucket("imports", "imports/1.csv"), "an upload is moved"),
            ("s3:PutObject", _bucket("imports", "reports/1.csv"), "an error report is written"),
            ("s3:DeleteObject", _bucket("imports", "imports/1.csv"), "an import has ended"),
            ("s3:DeleteObject", _bucket("images", "uploads/images/1/2"), "a picture was never completed"),
            ("sqs:ReceiveMessage", _QUEUE, "a notice is taken"),
            ("sqs:DeleteMessage", _QUEUE, "a notice is done"),
            ("sqs:ChangeMessageVisibility", _QUEUE, "a notice takes long"),
            ("sns:Publish", _TOPIC, "an event is published"),
            ("kms:GenerateDataKey", _arn("kms", "key/Key"), "an event is encrypted", _via("sns")),
            ("secretsmanager:GetSecretValue", _SERVICE, "settings are read at the start"),
        ],
    ),
    *_of(
        "worker",
        False,
        [
            ("s3:GetObject", _bucket("images", "images/1/2"), "pictures are the API's"),
            ("s3:PutObject", _bucket("images", "images/1/2"), "pictures are the API's"),
            ("sqs:SendMessage", _QUEUE, "notices come from S3 alone"),
            ("sqs:PurgeQueue", _QUEUE, "it would lose notices"),
            ("sns:Publish", _arn("sns", "another"), "another topic"),
            ("sns:Publish", _TOPIC, "without TLS", {"aws:SecureTransport": "false"}),
            ("sns:DeleteTopic", _TOPIC, "a topic is the template's"),
            ("secretsmanager:GetSecretValue", _MIGRATE, "the account that can change tables"),
            ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/unite-{ENVIRONMENT}-deploy", "it would become another role"),
            ("ssm:SendCommand", _arn("ssm", f"document/unite-{ENVIRONMENT}-verify-ledger"), "operators run commands"),
        ],
    ),
    *_of(
        "migrate",
        True,
        [
            ("secretsmanager:GetSecretValue", _MIGRATE, "its accounts are read"),
            ("kms:Decrypt", _KEY, "the secret is decrypted", _via("secretsmanager")),
            ("s3:GetObject", _bucket("artifacts", "unite/revision/1"), "the revision is fetched"),
            ("ec2:CreateNetworkInterface", _arn("ec2", "subnet/subnet-1"), "it runs in the network of the database"),
            (
                "ec2:CreateNetworkInterfacePermission",
                _arn("ec2", "network-interface/eni-1"),
                "CodeBuild uses the interface",
                {"ec2:AuthorizedService": "codebuild.amazonaws.com"},
            ),
        ],
    ),
    *_of(
        "migrate",
        False,
        [
            ("secretsmanager:GetSecretValue", _SERVICE, "keys that tokens are signed with"),
            ("s3:GetObject", _bucket("imports", "imports/1.csv"), "files of users"),
            ("s3:PutObject", _bucket("artifacts", "unite/revision/1"), "it deploys what was built"),
            ("rds:DeleteDBInstance", _arn("rds", f"db:unite-{ENVIRONMENT}"), "the database is the template's"),
            ("ec2:RunInstances", _arn("ec2", "instance/*"), "it starts no machines"),
        ],
    ),
    *_of(
        "build",
        True,
        [
            ("ecr:PutImage", _IMAGES, "the image is pushed"),
            ("ecr:GetAuthorizationToken", "*", "docker logs in"),
            ("s3:PutObject", _bucket("artifacts", "unite/revision/1"), "the revision is stored"),
            ("logs:PutLogEvents", _arn("logs", f"log-group:/unite/{ENVIRONMENT}/build:log-stream:1"), "its log"),
        ],
    ),
    *_of(
        "build",
        False,
        [
            ("ecr:DeleteRepository", _IMAGES, "images are the template's"),
            ("ecr:PutImage", _arn("ecr", "repository/another"), "another repository"),
            ("secretsmanager:GetSecretValue", _SERVICE, "tests need no secret of production"),
            ("secretsmanager:GetSecretValue", _MIGRATE, "tests need no secret of production"),
            (
                "codedeploy:CreateDeployment",
                _arn("codedeploy", f"deploymentgroup:unite-{ENVIRONMENT}/worker"),
                "it builds",
            ),
            ("s3:GetObject", _bucket("imports", "imports/1.csv"), "files of users"),
            (
                "cloudformation:UpdateStack",
                _arn("cloudformation", "stack/unite-production-app/1"),
                "stacks are operators'",
            ),
        ],
    ),
    *_of(
        "deploy",
        True,
        [
            ("elasticloadbalancing:DeregisterTargets", _BLUE, "an instance is taken out of traffic"),
            ("elasticloadbalancing:RegisterTargets", _BLUE, "and in again"),
            (
                "autoscaling:CompleteLifecycleAction",
                _GROUP,
                "a new instance has its revision",
                {
                    "aws:ResourceTag/unite:environment": ENVIRONMENT,
                    "autoscaling:ResourceTag/unite:environment": ENVIRONMENT,
                },
            ),
            ("cloudwatch:DescribeAlarms", "*", "alarms are watched"),
            ("sns:Publish", _arn("sns", f"unite-{ENVIRONMENT}-alarms"), "a failure is told of"),
        ],
    ),
    *_of(
        "deploy",
        False,
        [
            ("autoscaling:DeleteAutoScalingGroup", _GROUP, "groups are the template's"),
            ("autoscaling:CompleteLifecycleAction", _GROUP, "another installation's group"),
            ("elasticloadbalancing:ModifyListener", _LISTENER, "traffic is moved by a role of its own"),
            ("ec2:TerminateInstances", _arn("ec2", "instance/i-1"), "it ends no instances"),
            ("ec2:RunInstances", _arn("ec2", "instance/*"), "it starts no instances"),
            ("sns:Publish", _TOPIC, "events are the workers'"),
            ("s3:GetObject", _bucket("imports", "imports/1.csv"), "files of users"),
        ],
    ),
    *_of(
        "github",
        True,
        [
            ("codepipeline:StartPipelineExecution", _PIPELINE, "a deployment is started"),
            ("codepipeline:GetPipelineExecution", _PIPELINE, "its end is waited for"),
        ],
    ),
    *_of(
        "github",
        False,
        [
            ("codepipeline:StartPipelineExecution", _arn("codepipeline", "unite-staging"), "another environment"),
            ("codepipeline:UpdatePipeline", _PIPELINE, "the pipeline is the template's"),
            ("codepipeline:PutApprovalResult", f"{_PIPELINE}/Deploy/Approve", "it approves nothing"),
            ("s3:PutObject", _bucket("artifacts", "unite/revision/1"), "it stores nothing"),
            (
                "codebuild:StartBuild",
                _arn("codebuild", f"project/unite-{ENVIRONMENT}-migrate"),
                "the pipeline migrates",
            ),
            ("secretsmanager:GetSecretValue", _SERVICE, "no secret leaves AWS"),
            ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/unite-{ENVIRONMENT}-deploy", "it would become another role"),
        ],
    ),
    *_of(
        "traffic",
        True,
        [
            ("elasticloadbalancing:ModifyListener", _LISTENER, "traffic is moved"),
            ("elasticloadbalancing:DescribeTargetHealth", "*", "the way back asks for healthy instances"),
        ],
    ),
    *_of(
        "traffic",
        False,
        [
            ("elasticloadbalancing:DeleteListener", _LISTENER, "the listener is the template's"),
            ("elasticloadbalancing:ModifyListener", _LISTENER.replace("Https", "Other"), "another listener"),
        ],
    ),
)


def answers(stacks: Stacks, calls: Sequence[Call] = CALLS) -> list[str]:
    """Return the decision for each call: Allowed, ExplicitlyDenied or ImplicitlyDenied."""
    if not (MODULES / "node_modules").is_dir():
        pytest.fail("The policy simulator is missing in .venv-infra; `make test-infra` installs it.")
    roles = {
        role["Properties"]["RoleName"]: role["Properties"]
        for template in stacks.values()
        for role in template["Resources"].values()
        if role["Type"] == "AWS::IAM::Role" and "RoleName" in role["Properties"]
    }
    shared = dict(_resource_policies(stacks))
    asked = json.dumps([_simulation(call, roles, shared) for call in calls])
    done = subprocess.run(
        ["node", SIMULATOR, MODULES], input=asked, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    answered: list[str] = json.loads(done.stdout)
    return answered


def differences(stacks: Stacks) -> Iterator[str]:
    """Return the calls whose decision differs from the table."""
    for call, answer in zip(CALLS, answers(stacks), strict=True):
        if answer not in (("Allowed",) if call.allowed else ("ImplicitlyDenied", "ExplicitlyDenied")):
            yield f"{call.role}: {call.action} of {call.resource} ({call.why}): {answer}"


def _resource_policies(stacks: Stacks) -> Iterator[tuple[str, Any]]:
    for template in stacks.values():
        for name, resource in template["Resources"].items():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::S3::BucketPolicy":
                yield f"arn:aws:s3:::{properties['Bucket']}", properties["PolicyDocument"]
            elif resource["Type"] == "AWS::SNS::TopicPolicy":
                yield properties["Topics"][0], properties["PolicyDocument"]
            elif resource["Type"] == "AWS::SQS::QueuePolicy":
                yield _arn("sqs", properties["Queues"][0].rpartition("/")[2]), properties["PolicyDocument"]
            elif resource["Type"] == "AWS::KMS::Key":
                yield _arn("kms", f"key/{name}"), properties["KeyPolicy"]


def _simulation(call: Call, roles: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    name = f"unite-{ENVIRONMENT}-{call.role}"
    secure = {"aws:SecureTransport": "true", "aws:SourceAccount": ACCOUNT}
    policies = [{"name": it["PolicyName"], "policy": it["PolicyDocument"]} for it in roles[name].get("Policies", [])]
    simulation: dict[str, Any] = {
        "request": {
            "principal": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/session",
            "action": call.action,
            "resource": {"resource": call.resource, "accountId": ACCOUNT},
            "contextVariables": {**secure, **call.context},
        },
        "identityPolicies": policies,
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
    }
    if policy := shared.get(call.resource.partition("/")[0] if ":s3:::" in call.resource else call.resource):
        simulation["resourcePolicy"] = policy
    return simulation

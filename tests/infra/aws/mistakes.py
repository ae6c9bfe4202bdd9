"""Mistakes planted in copies of the templates, each with the check that finds it.

`python -m tests.infra.aws.mistakes` writes the table in docs/reference/aws.md.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conftest import CHECKOUT
from tests.infra.aws.all_rules import RULES
from tests.infra.aws.permissions import differences
from tests.infra.aws.symbolic import stacks
from tests.infra.aws.templates import BLUE_GREEN, NotDeployable, sources
from tests.infra.tools import run

PAGE = CHECKOUT / "docs" / "reference" / "aws.md"
BEGIN = "<!-- written by tests/infra/aws/mistakes.py -->\n"
END = "<!-- until here -->\n"


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A mistake: in a template, the first `right` behind `after` becomes `wrong`."""

    name: str
    template: str
    right: str
    wrong: str
    after: str = ""

    def planted(self) -> dict[str, str]:
        """The templates with the mistake."""
        texts = sources()
        return {**texts, self.template: self.planted_in(texts[self.template])}

    def planted_in(self, text: str) -> str:
        """The text of its template with the mistake."""
        place = text.index(self.right, text.index(self.after))
        return text[:place] + self.wrong + text[place + len(self.right) :]


def _in(template: str, rows: list[tuple[str, ...]]) -> list[Mistake]:
    return [
        Mistake(name=name, template=template, after=after, right=right, wrong=wrong)
        for name, after, right, wrong in rows
    ]


_PUBLIC = (
    "        {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}"
)

_COPY = (
    "      BlueGreenDeploymentConfiguration:\n        GreenFleetProvisioningOption: {Action: COPY_AUTO_SCALING_GROUP}\n"
)

_ASKED = (
    "Principal: {Service: events.amazonaws.com}\n"
    '            Condition: {StringEquals: {"aws:SourceAccount": !Ref AWS::AccountId}}'
)

MISTAKES: tuple[Mistake, ...] = (
    *_in(
        "network",
        [
            (
                "MySQL is open to everybody",
                "  DatabaseFromApi:",
                "SourceSecurityGroupId: !Ref ApiSecurityGroup",
                "CidrIp: 0.0.0.0/0",
            ),
            ("MySQL is let in at the wrong port", "  DatabaseFromApi:", "FromPort: 3306", "FromPort: 3307"),
            (
                "The API is reached past the load balancer",
                "  ApiFromLoadBalancer:",
                "SourceSecurityGroupId: !Ref LoadBalancerSecurityGroup",
                "CidrIp: 0.0.0.0/0",
            ),
            (
                "Workers cannot reach Redis",
                "  RedisFromWorker:",
                "SourceSecurityGroupId: !Ref WorkerSecurityGroup",
                "SourceSecurityGroupId: !Ref MigrateSecurityGroup",
            ),
            (
                "A private subnet gives out public addresses",
                "  PrivateSubnetA:",
                "MapPublicIpOnLaunch: false",
                "MapPublicIpOnLaunch: true",
            ),
            (
                "Databases have a way out",
                "  PrivateDefaultRouteB:",
                "RouteTableId: !Ref PrivateRoutesB",
                "RouteTableId: !Ref DataRoutes",
            ),
            (
                "A private subnet is public",
                "  PrivateDefaultRouteA:",
                "NatGatewayId: !Ref NatGatewayA",
                "GatewayId: !Ref InternetGateway",
            ),
            (
                "An export has another name",
                "  PrivateSubnets:",
                "${Environment}-PrivateSubnets",
                "${Environment}-AppSubnets",
            ),
        ],
    ),
    *_in(
        "storage-and-messaging",
        [
            (
                "A bucket can be made public",
                "  ImportsBucket:",
                _PUBLIC,
                _PUBLIC.replace("BlockPublicPolicy: true", "BlockPublicPolicy: false"),
            ),
            ("A bucket lets everybody read", "  ImagesBucketPolicy:", "Effect: Deny", "Effect: Allow"),
            (
                "A bucket is reached without TLS",
                "  ImportsBucketPolicy:",
                '"aws:SecureTransport": "false"',
                '"aws:SecureTransport": "true"',
            ),
            (
                "The wrong algorithm encrypts a bucket",
                "  ImportsBucket:",
                "SSEAlgorithm: AES256",
                "SSEAlgorithm: AES-256",
            ),
            ("Any page sends files", "  ImagesBucket:", "AllowedOrigins: !Ref Origins", 'AllowedOrigins: ["*"]'),
            (
                "Files are deleted before they are imported",
                "  ImportsBucket:",
                "Prefix: imports/, ExpirationInDays: 30",
                "Prefix: imports/, ExpirationInDays: 1",
            ),
            ("The bucket is replaced with its stack", "  ImagesBucket:", "    UpdateReplacePolicy: Retain\n", ""),
            (
                "EventBridge hears nothing of the bucket",
                "  ImportsBucket:",
                "EventBridgeEnabled: true",
                "EventBridgeEnabled: false",
            ),
            ("The event pattern takes all uploads", "  UploadsRule:", "prefix: uploads/imports/", "prefix: uploads/"),
            (
                "The event pattern has an unknown operator",
                "  UploadsRule:",
                "{prefix: uploads/imports/}",
                "{begins-with: uploads/imports/}",
            ),
            (
                "The event pattern has a type that is never sent",
                "  UploadsRule:",
                "[Object Created]",
                "[Object created]",
            ),
            (
                "Every rule may send to the queue",
                "  UploadsQueuePolicy:",
                '            Condition: {ArnEquals: {"aws:SourceArn": !GetAtt UploadsRule.Arn}}\n',
                "",
            ),
            (
                "The rule may not send to the queue",
                "  UploadsQueuePolicy:",
                "Service: events.amazonaws.com",
                "Service: s3.amazonaws.com",
            ),
            (
                "A notice that cannot be read is taken for ever",
                "  UploadsQueue:",
                "maxReceiveCount: 5",
                "maxReceiveCount: 1000",
            ),
            ("The topic takes events without TLS", "  EventsTopicPolicy:", "Effect: Deny", "Effect: Allow"),
            (
                "The key asks EventBridge for an account",
                "  Key:",
                '"kms:EncryptionContext:aws:sns:topicArn":',
                '"aws:SourceAccount": !Ref AWS::AccountId\n                "kms:EncryptionContext:aws:sns:topicArn":',
            ),
            ("The key of messages is not rotated", "  Key:", "EnableKeyRotation: true", "EnableKeyRotation: false"),
        ],
    ),
    *_in(
        "data",
        [
            (
                "The database is lost when a property replaces it",
                "  Database:",
                "    UpdateReplacePolicy: Snapshot\n",
                "",
            ),
            ("The database is not encrypted", "  Database:", "StorageEncrypted: true", "StorageEncrypted: false"),
            (
                "The database has a public address",
                "  Database:",
                "PubliclyAccessible: false",
                "PubliclyAccessible: true",
            ),
            ("The database is in one zone", "  Database:", "MultiAZ: true", "MultiAZ: false"),
            ("The database has no backups", "  Database:", "BackupRetentionPeriod: 14", "BackupRetentionPeriod: 0"),
            ("The database can be deleted", "  Database:", "DeletionProtection: true", "DeletionProtection: false"),
            (
                "MySQL takes plain connections",
                "  DatabaseParameters:",
                'require_secure_transport: "1"',
                'require_secure_transport: "0"',
            ),
            (
                "Redis takes plain connections",
                "  Redis:",
                "TransitEncryptionEnabled: true",
                "TransitEncryptionEnabled: false",
            ),
            ("The service may do everything in Redis", "  RedisServiceUser:", "on ~rq:* ~unite:* -@all", "on ~* +@all"),
            (
                "Every worker can read the first admin's password",
                "  ServiceSettings:",
                '"UNITE_JWT_KEYS":',
                '"UNITE_ADMIN_EMAIL": "a@b.example", "UNITE_ADMIN_PASSWORD": "a good password", "UNITE_JWT_KEYS":',
            ),
            ("A setting has the wrong name", "  ServiceSettings:", "UNITE_REDIS_URL", "UNITE_REDIS_URI"),
        ],
    ),
    *_in(
        "app",
        [
            (
                "The load balancer asks a path that is not there",
                "  BlueTargets:",
                "HealthCheckPath: /health/ready",
                "HealthCheckPath: /healthz",
            ),
            ("The load balancer sends to the wrong port", "  BlueTargets:", "Port: 8000", "Port: 8080"),
            (
                "The load balancer uses connections that have ended",
                "  LoadBalancer:",
                'idle_timeout.timeout_seconds, Value: "10"',
                'idle_timeout.timeout_seconds, Value: "60"',
            ),
            (
                "The load balancer ends quiet event streams",
                "  LoadBalancer:",
                'idle_timeout.timeout_seconds, Value: "10"',
                'idle_timeout.timeout_seconds, Value: "5"',
            ),
            (
                "TLS of 2011 is taken",
                "  HttpsListener:",
                "ELBSecurityPolicy-TLS13-1-2-2021-06",
                "ELBSecurityPolicy-2016-08",
            ),
            (
                "HTTP is answered",
                "  HttpListener:",
                'Type: redirect\n          RedirectConfig: {Protocol: HTTPS, Port: "443", StatusCode: HTTP_301}',
                "Type: forward\n          TargetGroupArn: !Ref BlueTargets",
            ),
            ("Instances answer IMDSv1", "  ApiTemplate:", "HttpTokens: required", "HttpTokens: optional"),
            ("A disk is not encrypted", "  WorkerTemplate:", "Encrypted: true", "Encrypted: false"),
            (
                "SSH has a key",
                "  ApiTemplate:",
                "        Monitoring:",
                "        KeyName: operators\n        Monitoring:",
            ),
            (
                "Clients share the address of the load balancer",
                "  ApiTemplate:",
                "UNITE_TRUSTED_PROXIES",
                "UNITE_TRUSTED_PROXY",
            ),
            ("The API may not delete files", "  ApiRole:", "s3:PutObject, s3:DeleteObject", "s3:PutObject"),
            ("The worker may not renew a notice", "  WorkerRole:", ", sqs:ChangeMessageVisibility", ""),
            ("Events cannot be encrypted", "  WorkerRole:", '"kms:GenerateDataKey*"', '"kms:Encrypt"'),
            (
                "The API may publish",
                "  ApiRole:",
                "Action: [sns:GetTopicAttributes]",
                "Action: [sns:GetTopicAttributes, sns:Publish]",
            ),
            (
                "The worker may read every secret",
                "  WorkerRole:",
                'Resource: !ImportValue {"Fn::Sub": "unite-${Environment}-ServiceSettingsArn"}',
                'Resource: "*"',
            ),
            ("The API may write anywhere in the bucket", "  ApiRole:", "${Bucket}/uploads/imports/*", "${Bucket}/*"),
            ("A schedule is no time", "  VerifyLedgerSchedule:", "cron(30 3 * * ? *)", "cron(30 3 * * * *)"),
            (
                "Requests are sent to an instance that has stopped",
                "  BlueTargets:",
                "UnhealthyThresholdCount: 3",
                "UnhealthyThresholdCount: 10",
            ),
            ("A group is deployed to that there is not", "  BlueGroup:", "!Ref BlueTargets", "!Ref BlueTarget"),
        ],
    ),
    *_in(
        "observability",
        [
            (
                "Nobody is told of dead letters of the queue",
                "  UploadIsDeadLetter:",
                "MetricName: ApproximateNumberOfMessagesVisible",
                "MetricName: ApproximateNumberOfMessages",
            ),
            ("An alarm tells nobody", "  DatabaseIsBusy:", "      AlarmActions: [!Ref AlarmsTopic]\n", ""),
            (
                "CloudWatch may not publish alarms",
                "  AlarmsTopicPolicy:",
                "Service: cloudwatch.amazonaws.com",
                "Service: monitoring.amazonaws.com",
            ),
            (
                "The topic asks EventBridge for an account",
                "  AlarmsTopicPolicy:",
                "Principal: {Service: events.amazonaws.com}",
                _ASKED,
            ),
            ("An alarm names no runbook", "  RedisIsFull:", " Runbook: docs/runbooks/redis-full.md", ""),
            ("An alarm names a runbook that there is not", "  RedisIsBusy:", "redis-full.md", "redis.md"),
            (
                "A fail-over of the database is announced to nobody",
                "  DatabaseFailsOver:",
                "EventCategories: [failover, failure]",
                "EventCategories: [Failover]",
            ),
            (
                "Backups of the database are announced as fail-overs",
                "  DatabaseFailsOver:",
                "          EventCategories: [failover, failure]\n",
                "",
            ),
            ("The green group has no alarm", "  GreenHasNoHealthyInstance:", "GreenTargetsName", "BlueTargetsName"),
            (
                "Errors are counted by a field that lines have not",
                "  ApiErrors:",
                '{ $.level = "ERROR" || $.level = "CRITICAL" }',
                '{ $.levelname = "ERROR" }',
            ),
            ("A log grows for ever", "  ApiLog:", "      RetentionInDays: 90\n", ""),
        ],
    ),
    *_in(
        "delivery",
        [
            ("GitHub's role is taken by StringLike", "  GitHubRole:", "StringEquals:", "StringLike:"),
            (
                "Every branch and pull request takes GitHub's role",
                "  GitHubRole:",
                ":environment:${GitHubEnvironment}",
                ":*",
            ),
            (
                "GitHub's role asks for another form of the subject",
                "  GitHubRole:",
                "repo:${RepositorySubject}:",
                "repo:${Repository}:",
            ),
            (
                "GitHub's role may do everything",
                "  GitHubRole:",
                "      Policies:",
                "      ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]\n      Policies:",
            ),
            (
                "GitHub's role may start every pipeline",
                "  GitHubRole:",
                "${AWS::AccountId}:${Pipeline}",
                "${AWS::AccountId}:*",
            ),
            (
                "CodeDeploy copies the group of the stack",
                "  BlueDeployments:",
                "DeploymentType: IN_PLACE",
                "DeploymentType: BLUE_GREEN",
            ),
            (
                "CodeDeploy is told COPY_AUTO_SCALING_GROUP",
                "  BlueDeployments:",
                "      OutdatedInstancesStrategy:",
                _COPY + "      OutdatedInstancesStrategy:",
            ),
            (
                "All instances are deployed to at once",
                "  BlueDeployments:",
                "CodeDeployDefault.OneAtATime",
                "CodeDeployDefault.AllAtOnce",
            ),
            (
                "A failed deployment stays",
                "  WorkerDeployments:",
                "        Enabled: true\n        Events",
                "        Enabled: false\n        Events",
            ),
            ("A deployment is stopped by no alarm", "  WorkerDeployments:", "WorkerLogsErrors", "BuildLog"),
            (
                "Instances are left with the old revision",
                "  BlueDeployments:",
                "OutdatedInstancesStrategy: UPDATE",
                "OutdatedInstancesStrategy: IGNORE",
            ),
            (
                "The database is migrated after the instances",
                "  Pipeline:",
                "- Name: Migrate\n          Actions:",
                "- Name: Afterwards\n          Actions:",
            ),
            (
                "A tag of an image can be moved",
                "  Images:",
                "ImageTagMutability: IMMUTABLE",
                "ImageTagMutability: MUTABLE",
            ),
            (
                "A build may deploy",
                "  BuildRole:",
                "Action: [ecr:GetAuthorizationToken]",
                "Action: [ecr:GetAuthorizationToken, codedeploy:CreateDeployment]",
            ),
        ],
    ),
)


def quick_catchers(mistake: Mistake) -> set[str]:
    """What catches it without a linter: the resolver, the rules of ours by name, the table of permissions."""
    texts = mistake.planted()
    try:
        catchers = stacks(texts, BLUE_GREEN)
    except NotDeployable:
        return {"resolving the stacks"}
    caught = set()
    for rule in RULES:
        try:
            broken = any(rule(catchers, texts))
        except Exception:  # noqa: BLE001 - settings that are refused, members that are gone: it is caught either way
            broken = True
        if broken:
            caught.add(f"`{rule.__name__}`")
    if mistake.after.endswith("Role:") and any(differences(catchers)):
        caught.add("the table of permissions")
    return caught


def caught_by_linters(mistakes: Mapping[str, Mistake]) -> dict[str, set[str]]:
    """What catches each of the mistakes by number, cfn-lint or checkov; nothing else may be found by them.

    They are slow to start. Each is called once, for the templates as they are, and for one copy of each template with
    all these mistakes: each mistake is in another resource, by which it is known.
    """
    caught: dict[str, set[str]] = {number: set() for number in mistakes}
    caught["none"] = set()
    numbers = {(it.template, it.after.strip(" :")): number for number, it in mistakes.items()}
    assert len(numbers) == len(mistakes)
    with TemporaryDirectory() as name:
        folder = Path(name)
        for template, text in sources().items():
            (folder / f"{template}.right.yaml").write_text(text, "utf-8")
        for template in {it.template for it in mistakes.values()}:
            text = sources()[template]
            for mistake in mistakes.values():
                text = mistake.planted_in(text) if mistake.template == template else text
            (folder / f"{template}.wrong.yaml").write_text(text, "utf-8")
        with ThreadPoolExecutor() as pool:
            findings = list(pool.map(_listed, (_cfn_lint, _checkov), (folder, folder)))
        for file, resource, rule in chain.from_iterable(findings):
            template, kind, _ = Path(file).name.split(".")
            number = numbers.get((template, resource), "none") if kind == "wrong" else "none"
            caught[number].add(rule if number != "none" else f"{rule} of {resource} in {Path(file).name}")
    return caught


Finding = tuple[str, str, str]
"""A file, a resource, and the rule that it breaks."""


def _listed(linter: Callable[[Path], Iterator[Finding]], folder: Path) -> list[Finding]:
    return list(linter(folder))


def _cfn_lint(folder: Path) -> Iterator[Finding]:
    listed = run("cfn-lint", "--format", "json", *sorted(folder.glob("*.yaml")))
    for finding in json.loads(listed.stdout or "[]"):
        path = [str(part) for part in finding["Location"]["Path"] or []]
        yield finding["Filename"], path[1] if len(path) > 1 else "", f"cfn-lint {finding['Rule']['Id']}"


def _checkov(folder: Path) -> Iterator[Finding]:
    options = ("--framework", "cloudformation", "--skip-download", "--compact", "--quiet", "-o", "json")
    for finding in json.loads(run("checkov", *options, "-d", folder).stdout)["results"]["failed_checks"]:
        yield finding["file_path"], finding["resource"].rpartition(".")[2], f"checkov {finding['check_id']}"


def all_catchers() -> list[tuple[Mistake, set[str]]]:
    """Return for each mistake the check that finds it; linters run only if no rule finds it."""
    quick = {str(number): quick_catchers(mistake) for number, mistake in enumerate(MISTAKES)}
    left = {number: MISTAKES[int(number)] for number, caught in quick.items() if not caught}
    linters = caught_by_linters(left)
    if linters["none"]:
        raise AssertionError(f"cfn-lint and checkov find more than was planted: {sorted(linters['none'])}")
    return [(mistake, quick[str(number)] or linters[str(number)]) for number, mistake in enumerate(MISTAKES)]


def table(rows: list[tuple[Mistake, set[str]]]) -> str:
    """The table of docs/reference/aws.md."""
    lines = [f"| {it.name} | {it.template} | {', '.join(sorted(caught))} |" for it, caught in rows]
    return "\n".join(["| mistake | template | caught by |", "|---|---|---|", *lines, ""])


def page(rows: list[tuple[Mistake, set[str]]]) -> str:
    """Return the page as it should be, with the table between the two marks."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    return before + BEGIN + table(rows) + END + re.sub(r"^.*?" + END, "", rest, count=1, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page(all_catchers()), "utf-8")

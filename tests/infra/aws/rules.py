"""Rules for templates that no linter checks: ports, paths, times, patterns, and access."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from moto.events.models import EventPattern

from adapters.aws.provisioning import FILE_RETENTION, MAX_RECEIVES
from entrypoints.http.imports.events import KEEP_ALIVE_SECONDS
from entrypoints.settings import Settings, read_settings
from tests.conftest import CHECKOUT
from tests.infra.aws.templates import ACCOUNT, ENVIRONMENT, FOLDER, REGION, Template
from unite_core.files import upload_key

Stacks = Mapping[str, Template]
Rule = Callable[[Stacks, Mapping[str, str]], Iterator[str]]

DATA = (
    "AWS::RDS::DBInstance",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
    "AWS::SecretsManager::Secret",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::ECR::Repository",
    "AWS::Logs::LogGroup",
)
CONNECTIONS = {
    ("LoadBalancer", "0.0.0.0/0", 443),
    ("LoadBalancer", "0.0.0.0/0", 80),
    ("Api", "LoadBalancer", 8000),
    ("Database", "Api", 3306),
    ("Database", "Worker", 3306),
    ("Database", "Migrate", 3306),
    ("Redis", "Api", 6379),
    ("Redis", "Worker", 6379),
    ("Endpoint", "10.20.0.0/16", 443),
}
"""Who is reached, from where, at which port. Nothing else is."""

MIN_BACKUP_DAYS = 7
IDLE_SECONDS = 15
"""After so many seconds without a request the service ends a connection (docs/reference/processes.md)."""


def of_type(template: Template, *kinds: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The resources of these types, with their properties."""
    for name, resource in template["Resources"].items():
        if resource["Type"] in kinds:
            yield name, resource.get("Properties", {})


def every(stacks: Stacks, *kinds: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same of all stacks."""
    for template in stacks.values():
        yield from of_type(template, *kinds)


def data_outlives_its_stack(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """Every data resource has a deletion policy, and the stack policy names its type."""
    policy = json.loads((FOLDER / "stack-policy.json").read_text("utf-8"))
    denied = policy["Statement"][1]
    if denied["Effect"] != "Deny" or set(denied["Action"]) != {"Update:Replace", "Update:Delete"}:
        yield "the stack policy refuses no replacement"
    for template in stacks.values():
        for name, resource in template["Resources"].items():
            if resource["Type"] not in DATA:
                continue
            for key in ("DeletionPolicy", "UpdateReplacePolicy"):
                if resource.get(key) not in ("Retain", "Snapshot"):
                    yield f"{name} has no {key}"
            if resource["Type"] not in denied["Condition"]["StringEquals"]["ResourceType"]:
                yield f"the stack policy lets {resource['Type']} be replaced"


def nobody_else_connects(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """The connections that security groups let in are those of the table."""
    results = set()
    for name, properties in every(stacks, "AWS::EC2::SecurityGroup"):
        for rule in properties.get("SecurityGroupIngress", []):
            results.add(_connection(name, rule))
    for _name, rule in every(stacks, "AWS::EC2::SecurityGroupIngress"):
        results.add(_connection(rule["GroupId"], rule))
    for group, source, port in sorted(results ^ CONNECTIONS):
        yield f"{source} to {group} at {port}"


def _connection(group: str, rule: Mapping[str, Any]) -> tuple[str, str, int]:
    source = str(rule.get("SourceSecurityGroupId") or rule.get("CidrIp"))
    port = rule["FromPort"] if rule["FromPort"] == rule["ToPort"] else -1
    return group.removesuffix("SecurityGroup"), source.removesuffix("SecurityGroup"), port


def databases_have_no_way_out(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """No route leads out of the subnets of databases, and none of them in the private subnets by the gateway."""
    for name, route in every(stacks, "AWS::EC2::Route"):
        if route["RouteTableId"] == "DataRoutes":
            yield f"{name} leads out of the subnets of databases"
        if "GatewayId" in route and route["RouteTableId"] != "PublicRoutes":
            yield f"{name} makes a private subnet public"


def load_balancer_and_service_agree(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """The load balancer checks an existing path at the right port, and times out before the service."""
    paths = re.findall(
        r'"(/health/\w+)"', (CHECKOUT / "entrypoints" / "http" / "health" / "routes.py").read_text("utf-8")
    )
    for name, group in every(stacks, "AWS::ElasticLoadBalancingV2::TargetGroup"):
        if group["HealthCheckPath"] not in paths:
            yield f"{name} asks {group['HealthCheckPath']}, which is no operation of the service"
        if group["Port"] != settings_of(stacks, "Api").port:
            yield f"{name} sends to {group['Port']}"
    for name, balancer in every(stacks, "AWS::ElasticLoadBalancingV2::LoadBalancer"):
        attributes = {it["Key"]: it["Value"] for it in balancer["LoadBalancerAttributes"]}
        if int(attributes["idle_timeout.timeout_seconds"]) >= IDLE_SECONDS:
            yield f"{name} uses connections that the service has ended"
        if int(attributes["idle_timeout.timeout_seconds"]) <= KEEP_ALIVE_SECONDS:
            yield f"{name} ends event streams in which nothing happens"
    for name, listener in every(stacks, "AWS::ElasticLoadBalancingV2::Listener"):
        if listener["Protocol"] != "HTTPS" and listener["DefaultActions"][0]["Type"] != "redirect":
            yield f"{name} answers without TLS"


def user_data(stacks: Stacks, role: str) -> str:
    """The script that an instance of a role starts with."""
    template = stacks["app"]["Resources"][f"{role}Template"]["Properties"]["LaunchTemplateData"]
    return base64.b64decode(template["UserData"]).decode()


def environment_of(stacks: Stacks, role: str) -> dict[str, str]:
    """The variables that an instance sets, with those of the secret that it names."""
    match = re.search(
        r"^cat >/etc/unite/environment <<'END'\n(.*?)^END$", user_data(stacks, role), re.DOTALL | re.MULTILINE
    )
    assert match
    lines = dict(line.split("=", 1) for line in match[1].splitlines())
    return {**secret_of(stacks, "ServiceSettings"), **{name: value for name, value in lines.items() if value}}


def secret_of(stacks: Stacks, name: str) -> dict[str, str]:
    """The variables of a secret, with values of the right form in the place of what AWS makes."""
    text = stacks["data"]["Resources"][name]["Properties"]["SecretString"]
    values = {
        "service_url": "mongodb://service:p@m/unite",
        "migrate_url": "mongodb://root:p@m/unite",
        "account_sid": "AC" + 32 * "0",
        "dsn": "https://key@sentry.example.com/1",
        "from": "+12025550123",
    }
    text = re.sub(
        r"\{\{resolve:secretsmanager:.+?:SecretString:(\w+)\}\}", lambda it: values.get(it[1], 48 * "x"), text
    )
    read: dict[str, str] = json.loads(text)
    return read


def settings_of(stacks: Stacks, role: str) -> Settings:
    """The settings that the service reads there; raises `SettingsRefused`."""
    return read_settings(environment_of(stacks, role))


def settings_are_complete(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """The service accepts its settings without a warning, uses no embedded part, and no user's password is set."""
    for role in ("Api", "Worker"):
        settings = settings_of(stacks, role)
        yield from settings.warnings
        if settings.first_admin:
            yield f"{role}: every instance can read the password of the first admin"
        given = {
            "MySQL by TLS": "ssl_ca=" in (settings.database_url or ""),
            "Redis by TLS": (settings.redis_url or "").startswith("rediss://"),
            "MongoDB": settings.mongodb_url,
            "buckets": settings.storage,
            "queue": settings.storage and settings.storage.queue_url,
            "topic": settings.sns_topic_arn,
            "keys": settings.jwt_keys,
            "proxies": settings.trusted_proxies,
            "region": environment_of(stacks, role).get("AWS_DEFAULT_REGION"),
        }
        yield from (f"{role}: no {name}" for name, value in given.items() if not value)
    migrate = read_settings(secret_of(stacks, "MigrateSettings"))
    if not (migrate.service_account and migrate.mongodb_service_url):
        yield "migrate gives the service no rights"
    if user_data(stacks, "Api").replace("role=api", "role=worker") != user_data(stacks, "Worker"):
        yield "the API and the workers are set up in different ways"


def instances_are_closed(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """Instances have encrypted disks, sessions of their metadata, and no key for SSH."""
    for name, properties in every(stacks, "AWS::EC2::LaunchTemplate"):
        data = properties["LaunchTemplateData"]
        if "KeyName" in data:
            yield f"{name} lets SSH in"
        if data["MetadataOptions"].get("HttpTokens") != "required":
            yield f"{name} answers IMDSv1"
        if not all(it["Ebs"].get("Encrypted") for it in data["BlockDeviceMappings"]):
            yield f"{name} has an open disk"


def buckets_are_private(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """Every bucket refuses plain HTTP, and its policy allows only services of AWS."""
    policies = {it["Bucket"]: it["PolicyDocument"]["Statement"] for _, it in every(stacks, "AWS::S3::BucketPolicy")}
    for name, bucket in every(stacks, "AWS::S3::Bucket"):
        statements = policies.get(bucket["BucketName"], [])
        arn = f"arn:aws:s3:::{bucket['BucketName']}"
        if not any(_refuses_plain_http(it, "s3:*", [arn, f"{arn}/*"]) for it in statements):
            yield f"{name} is reached without TLS"
        for it in statements:
            if it["Effect"] == "Allow" and "Service" not in (it["Principal"] if it["Principal"] != "*" else {}):
                yield f"the policy of {name} lets others in"
        if set(bucket["PublicAccessBlockConfiguration"].values()) != {True}:
            yield f"{name} can be made public"


def _refuses_plain_http(statement: Mapping[str, Any], action: str, resources: list[str] | str) -> bool:
    refusal = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resources,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {key: value for key, value in statement.items() if key != "Sid"} == refusal


def uploads_reach_the_queue(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """Exactly the files that were uploaded to be imported are announced, and what is given up is not lost."""
    template = stacks["storage-and-messaging"]["Resources"]
    rule = template["UploadsRule"]["Properties"]
    bucket = template["ImportsBucket"]["Properties"]["BucketName"]
    pattern = EventPattern.load(json.dumps(rule["EventPattern"]))
    uploaded = upload_key("imports/0190.csv")
    expected = {
        ("aws.s3", "Object Created", bucket, uploaded): True,
        ("aws.s3", "Object Created", bucket, "imports/0190.csv"): False,
        ("aws.s3", "Object Created", bucket, "uploads/images/0190"): False,
        ("aws.s3", "Object Created", "another", uploaded): False,
        ("aws.s3", "Object Deleted", bucket, uploaded): False,
        ("other", "Object Created", bucket, uploaded): False,
    }
    for (source, kind, name, key), matches in expected.items():
        detail = {"bucket": {"name": name}, "object": {"key": key}}
        if pattern.matches_event({"source": source, "detail-type": kind, "detail": detail}) is not matches:
            yield f"the rule {'misses' if matches else 'takes'} {kind} of {name}/{key}"
    if template["ImportsBucket"]["Properties"].get("NotificationConfiguration") != {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }:
        yield "the bucket says nothing to EventBridge"
    queue = template["UploadsQueue"]["Properties"]
    if queue.get("RedrivePolicy", {}).get("maxReceiveCount") != MAX_RECEIVES:
        yield "a notice that cannot be read is taken for ever"
    statements = template["UploadsQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    arn = rule["Targets"][0]["Arn"]
    allowed = [it for it in statements if it["Effect"] == "Allow"]
    if [(it["Principal"], it["Action"], it["Resource"], it.get("Condition")) for it in allowed] != [
        (
            {"Service": "events.amazonaws.com"},
            "sqs:SendMessage",
            arn,
            {
                "ArnEquals": {
                    "aws:SourceArn": f"{arn.replace(':sqs:', ':events:').rpartition(':')[0]}:rule/{rule['Name']}"
                }
            },
        )
    ]:
        yield "the queue takes messages of others, or none of the rule"
    if "DeadLetterConfig" not in rule["Targets"][0]:
        yield "an event that the queue refuses is lost"


def files_have_an_end(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """Files are deleted when the service does not, and not before; pages of named origins alone send files."""
    template = stacks["storage-and-messaging"]["Resources"]
    for name, days in (
        ("ImportsBucket", {"uploads/": 2, "imports/": FILE_RETENTION.days}),
        ("ImagesBucket", {"uploads/": 2}),
    ):
        bucket = template[name]["Properties"]
        rules = bucket["LifecycleConfiguration"]["Rules"]
        if {it["Prefix"]: it["ExpirationInDays"] for it in rules if "ExpirationInDays" in it} != days:
            yield f"{name} deletes other files, or at another time"
        if not any("AbortIncompleteMultipartUpload" in it for it in rules):
            yield f"{name} keeps parts of uploads for ever"
        for rule in bucket["CorsConfiguration"]["CorsRules"]:
            if "*" in rule["AllowedOrigins"] or set(rule["AllowedMethods"]) != {"GET", "POST"}:
                yield f"{name} takes files from any page"


def data_is_safe(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """The database is in two zones, encrypted, backed up, and cannot be deleted; Redis is reached by TLS alone."""
    resources = stacks["data"]["Resources"]
    expected: dict[str, dict[str, Any]] = {
        "Database": {
            "StorageEncrypted": True,
            "PubliclyAccessible": False,
            "MultiAZ": True,
            "DeletionProtection": True,
            "ManageMasterUserPassword": True,
        },
        "Redis": {"TransitEncryptionMode": "required", "AtRestEncryptionEnabled": True, "MultiAZEnabled": True},
    }
    for name, values in expected.items():
        properties = resources[name]["Properties"]
        yield from (f"{name}: {key} is not {value}" for key, value in values.items() if properties.get(key) != value)
    if resources["Database"]["Properties"]["BackupRetentionPeriod"] < MIN_BACKUP_DAYS:
        yield "backups of the database are gone too early"
    for name, subnet in every(stacks, "AWS::EC2::Subnet"):
        if subnet["MapPublicIpOnLaunch"]:
            yield f"{name} gives out public addresses"


def topic_refuses_plain_http(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """The topic of events is published to by TLS alone."""
    policy = stacks["storage-and-messaging"]["Resources"]["EventsTopicPolicy"]["Properties"]["PolicyDocument"]
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:unite-{ENVIRONMENT}-events"
    if not any(_refuses_plain_http(it, "sns:Publish", topic) for it in policy["Statement"] if "Condition" in it):
        yield "the topic takes events without TLS"


def mysql_requires_tls(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """MySQL refuses plain connections, and lets `migrate` make triggers."""
    parameters = stacks["data"]["Resources"]["DatabaseParameters"]["Properties"]["Parameters"]
    for name in ("require_secure_transport", "log_bin_trust_function_creators"):
        if parameters.get(name) != "1":
            yield f"{name} is off"


def redis_has_the_documented_rights(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """The service's user of Redis has the rights of the page on database accounts; the default user has none."""
    page = (FOLDER.parent.parent / "docs" / "how-to" / "create-database-accounts.md").read_text("utf-8")
    match = re.search(r"ACL SETUSER service on >… (.*?)\n\n", page, re.DOTALL)
    assert match
    documented = set(match[1].replace("\\", " ").split())
    users = {it["UserName"]: it["AccessString"].split() for _, it in every(stacks, "AWS::ElastiCache::User")}
    if set(users["service"]) - {"on"} != documented:
        yield f"the service's rights differ by {sorted((set(users['service']) - {'on'}) ^ documented)}"
    if "off" not in users["default"] or "-@all" not in users["default"]:
        yield "the default user of Redis may do something"


def times_are_times(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """Schedules are what EventBridge takes: six fields, and a question mark for one kind of day."""
    for name, schedule in every(stacks, "AWS::Scheduler::Schedule"):
        match = re.fullmatch(r"cron\((.*)\)", schedule["ScheduleExpression"])
        fields = match[1].split() if match else []
        bounds = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
        right = len(fields) == 6 and (fields[2] == "?") != (fields[4] == "?")
        right = right and all(
            not field.isdecimal() or low <= int(field) <= high
            for field, (low, high) in zip(fields, bounds, strict=True)
        )
        if not right:
            yield f"{name}: {schedule['ScheduleExpression']} is no time"


def only_github_jobs_of_one_environment(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """The role of GitHub compares repository and environment exactly."""
    role = stacks["delivery"]["Resources"]["GitHubRole"]["Properties"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    claims = "token.actions.githubusercontent.com"
    expected = {
        "StringEquals": {
            f"{claims}:aud": "sts.amazonaws.com",
            f"{claims}:sub": "repo:example@1234/unite@5678:environment:production",
        }
    }
    if statement["Condition"] != expected or statement["Action"] != "sts:AssumeRoleWithWebIdentity":
        yield "jobs of others can take the role of GitHub"


def deployments_can_be_rolled_back(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """One instance at a time, in place, in groups that the stack owns, and back on failure and on alarms."""
    events = {"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"}
    alarms = {it["AlarmName"] for _, it in every(stacks, "AWS::CloudWatch::Alarm")}
    for name, group in every(stacks, "AWS::CodeDeploy::DeploymentGroup"):
        if group["DeploymentConfigName"] != "CodeDeployDefault.OneAtATime":
            yield f"{name} takes several instances out of service"
        if group["DeploymentStyle"]["DeploymentType"] != "IN_PLACE" or "BlueGreenDeploymentConfiguration" in group:
            yield f"{name} copies and deletes the group of the stack"
        if (
            not group.get("AutoRollbackConfiguration", {}).get("Enabled")
            or set(group["AutoRollbackConfiguration"]["Events"]) != events
        ):
            yield f"{name} does not go back"
        watched = {it["Name"] for it in group.get("AlarmConfiguration", {}).get("Alarms", [])}
        if not watched or not watched <= alarms or len(watched) < (4 if "LoadBalancerInfo" in group else 1):
            yield f"{name} is not stopped by alarms"
        if group.get("OutdatedInstancesStrategy") != "UPDATE":
            yield f"{name} leaves instances with the old revision"


def stages_are_in_order(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """The database is migrated once, after the build and before any instance gets the release."""
    stages = [stage["Name"] for stage in stacks["delivery"]["Resources"]["Pipeline"]["Properties"]["Stages"]]
    if stages not in (
        ["Source", "Build", "Migrate", "Deploy"],
        ["Source", "Build", "Migrate", "Idle", "Deploy", "Shift"],
    ):
        yield f"the pipeline goes {' → '.join(stages)}"


def every_star_has_its_reason(_: Stacks, sources: Mapping[str, str]) -> Iterator[str]:
    """`Resource: "*"` has a comment with its reason; no action is a star, and no AWS policy allows everything."""
    for name, text in sources.items():
        yield from _stars(name, text)


@cache
def _stars(name: str, text: str) -> tuple[str, ...]:
    return tuple(_stars_of_lines(name, text.splitlines()))


def _stars_of_lines(name: str, lines: Sequence[str]) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if re.search(r'Resource: \[?"?\*"?\]?\s*$', line) or re.fullmatch(r'\s*- "?\*"?\s*', line):
            yield f'{name}.yaml:{number}: Resource: "*" without a reason'
        if re.search(r"AdministratorAccess|PowerUserAccess|FullAccess", line):
            yield f"{name}.yaml:{number}: a policy that gives everything"
        if (
            re.search(r'Action: \[?"?[a-z0-9]*:?\*', line)
            and "kms:*" not in line
            and "s3:*" not in line
            and "sqs:*" not in line
        ):
            yield f"{name}.yaml:{number}: an action that is a star"


GENERAL_RULES: tuple[Rule, ...] = (
    data_outlives_its_stack,
    nobody_else_connects,
    databases_have_no_way_out,
    load_balancer_and_service_agree,
    settings_are_complete,
    instances_are_closed,
    buckets_are_private,
    uploads_reach_the_queue,
    files_have_an_end,
    data_is_safe,
    topic_refuses_plain_http,
    mysql_requires_tls,
    redis_has_the_documented_rights,
    times_are_times,
    only_github_jobs_of_one_environment,
    deployments_can_be_rolled_back,
    stages_are_in_order,
    every_star_has_its_reason,
)

"""Rules for alarms: their metrics, who is notified, and the runbook of each."""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from moto.events.models import EventPattern

from entrypoints.dead_letters import log as dead_letters
from entrypoints.logs import JsonLinesFormatter
from tests.conftest import CHECKOUT
from tests.infra.aws.rules import Rule, Stacks, every, of_type
from tests.infra.aws.templates import ENVIRONMENT

ALARMS = (
    ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"),
    ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"),
    ("AWS/ApplicationELB", "TargetResponseTime"),
    ("AWS/ApplicationELB", "UnHealthyHostCount"),
    ("AWS/ApplicationELB", "HealthyHostCount"),
    ("AWS/AutoScaling", "GroupInServiceInstances"),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    ("AWS/CertificateManager", "DaysToExpiry"),
    ("AWS/SNS", "NumberOfNotificationsFailed"),
    ("AWS/RDS", "CPUUtilization"),
    ("AWS/RDS", "FreeStorageSpace"),
    ("AWS/RDS", "DatabaseConnections"),
    ("AWS/ElastiCache", "DatabaseMemoryUsagePercentage"),
    ("AWS/ElastiCache", "EngineCPUUtilization"),
    (f"Unite/{ENVIRONMENT}", "ApiErrors"),
    (f"Unite/{ENVIRONMENT}", "WorkerErrors"),
    (f"Unite/{ENVIRONMENT}", "DeadLetters"),
    (f"Unite/{ENVIRONMENT}", "disk_used_percent"),
    (f"Unite/{ENVIRONMENT}", "mem_used_percent"),
)
"""A metric that nobody is told of, or an alarm on a metric that does not exist, is a difference to this list."""

RUNBOOKS = CHECKOUT / "docs" / "runbooks"
_RUNBOOK = re.compile(r" Runbook: docs/runbooks/([a-z-]+)\.md")

# What CloudWatch calls a metric of a target group or of the instances in an Auto Scaling group.
_OF_TARGETS = ("HealthyHostCount", "UnHealthyHostCount")
_OF_GROUPS = ("disk_used_percent", "mem_used_percent")


def alarms_are_complete(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """Every listed metric has an alarm that notifies a topic, and CloudWatch may publish to it."""
    alarms = list(every(stacks, "AWS::CloudWatch::Alarm"))
    metrics = {(it["Namespace"], it["MetricName"]) for _, it in alarms}
    for namespace, metric in sorted(metrics ^ set(ALARMS)):
        yield f"{namespace} {metric} has no alarm, or is no metric"
    topics = {f"{it['TopicName']}" for _, it in of_type(stacks["observability"], "AWS::SNS::Topic")}
    for name, alarm in alarms:
        if not alarm.get("AlarmActions") or alarm["AlarmActions"][0].rpartition(":")[2] not in topics:
            yield f"{name} tells nobody"


def groups_are_watched(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """Each group of instances has alarms of its own, the green one too."""
    watched = {
        (alarm["MetricName"], dimension["Value"])
        for _, alarm in every(stacks, "AWS::CloudWatch::Alarm")
        for dimension in alarm.get("Dimensions", [])
    }
    for name, group in every(stacks, "AWS::AutoScaling::AutoScalingGroup"):
        targets = [arn.rpartition(":")[2] for arn in group.get("TargetGroupARNs", [])]
        required = [(metric, name) for metric in _OF_GROUPS] + [
            (metric, target) for metric in _OF_TARGETS for target in targets
        ]
        yield from (f"{name}: no alarm on {metric}" for metric, value in required if (metric, value) not in watched)


def alarms_name_runbooks(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """The description of an alarm ends with the name of an existing runbook."""
    for name, text in messages(stacks).items():
        named = _RUNBOOK.search(text)
        if not named or named.end() != len(text):
            yield f"{name} names no runbook"
        elif not (RUNBOOKS / f"{named[1]}.md").is_file():
            yield f"{name} names docs/runbooks/{named[1]}.md, which there is not"


def failovers_are_notified(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """A fail-over or a failure of our database reaches the topic of alarms, and no other event of RDS does."""
    rule = stacks["observability"]["Resources"]["DatabaseFailsOver"]["Properties"]
    pattern = EventPattern.load(json.dumps(rule["EventPattern"]))
    database = stacks["data"]["Resources"]["Database"]["Properties"]["DBInstanceIdentifier"]
    expected = {
        ("aws.rds", "RDS DB Instance Event", "failover", database): True,
        ("aws.rds", "RDS DB Instance Event", "failure", database): True,
        ("aws.rds", "RDS DB Instance Event", "backup", database): False,
        ("aws.rds", "RDS DB Instance Event", "failover", "another"): False,
        ("aws.rds", "RDS DB Snapshot Event", "failover", database): False,
        ("another", "RDS DB Instance Event", "failover", database): False,
    }
    for (source, kind, category, name), matches in expected.items():
        detail = {"EventCategories": [category], "SourceType": "DB_INSTANCE", "SourceIdentifier": name}
        if pattern.matches_event({"source": source, "detail-type": kind, "detail": detail}) is not matches:
            yield f"the rule {'misses' if matches else 'takes'} {category} of {source} {name}"
    if rule["State"] != "ENABLED" or not any("alarms" in str(it["Arn"]).lower() for it in rule["Targets"]):
        yield "the rule notifies nobody"


def messages(stacks: Stacks) -> dict[str, str]:
    """The descriptions of what reaches the topic of alarms, by the name of the alarm or of the rule of EventBridge."""
    alarms = {name: alarm.get("AlarmDescription", "") for name, alarm in every(stacks, "AWS::CloudWatch::Alarm")}
    rules = {name: rule.get("Description", "") for name, rule in of_type(stacks["observability"], "AWS::Events::Rule")}
    return {**alarms, **rules}


def runbook_of(text: str) -> str:
    """The name of the runbook in the description of an alarm."""
    named = _RUNBOOK.search(text)
    assert named, text
    return named[1]


def log_lines_are_counted(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """The metric filters match lines as the service writes them, and their metrics are those that alarms watch."""
    record = logging.LogRecord(dead_letters.name, logging.ERROR, "", 0, "given up", None, None)
    line = json.loads(JsonLinesFormatter().format(record))
    filters = dict(every(stacks, "AWS::Logs::MetricFilter"))
    for name, it in filters.items():
        conditions = re.findall(r'\$\.(\w+) = "([^"]+)"', it["FilterPattern"])
        if not any(line.get(key) == value for key, value in conditions):
            yield f"{name} counts no line of the service"
        if (
            it["MetricTransformations"][0]["MetricNamespace"],
            it["MetricTransformations"][0]["MetricName"],
        ) not in ALARMS:
            yield f"{name} counts for nobody"
    groups = {it["LogGroupName"]: it.get("RetentionInDays") for _, it in every(stacks, "AWS::Logs::LogGroup")}
    for role in ("api", "worker"):
        if f"/unite/{ENVIRONMENT}/{role}" not in groups:
            yield f"the log of {role} has no group"
    for name, days in groups.items():
        if not days:
            yield f"{name} grows for ever"


def services_may_publish_alarms(stacks: Stacks, _: Mapping[str, str]) -> Iterator[str]:
    """CloudWatch and EventBridge may publish to the topic of alarms, and use its key, by conditions that they meet.

    EventBridge names no source to an encrypted topic: the documentation of SNS ("Key management", the note on encrypted
    topics) says so of its key, that of EventBridge of the topic's policy. CloudWatch names its account.
    """
    key = stacks["storage-and-messaging"]["Resources"]["Key"]["Properties"]["KeyPolicy"]
    topic = stacks["observability"]["Resources"]["AlarmsTopicPolicy"]["Properties"]["PolicyDocument"]
    for place, policy in (("the key", key), ("the topic", topic)):
        conditions = dict(_conditions_of_services(policy))
        for service in ("cloudwatch.amazonaws.com", "events.amazonaws.com"):
            if service not in conditions:
                yield f"{service} may not use {place} of alarms"
        if "aws:SourceAccount" not in conditions.get("cloudwatch.amazonaws.com", ()):
            yield f"CloudWatch of every account may use {place} of alarms"
        if any(name.startswith("aws:Source") for name in conditions.get("events.amazonaws.com", ())):
            yield f"{place} of alarms asks EventBridge for a source that it does not name"
    if "kms:EncryptionContext:aws:sns:topicArn" not in dict(_conditions_of_services(key)).get(
        "events.amazonaws.com", ()
    ):
        yield "EventBridge may use the key for every topic"


def _conditions_of_services(policy: Mapping[str, Any]) -> Iterator[tuple[str, set[str]]]:
    for statement in policy["Statement"]:
        services = statement["Principal"].get("Service", [])
        for service in [services] if isinstance(services, str) else services:
            yield service, {name for operator in statement.get("Condition", {}).values() for name in operator}


ALARM_RULES: tuple[Rule, ...] = (
    alarms_are_complete,
    groups_are_watched,
    alarms_name_runbooks,
    failovers_are_notified,
    log_lines_are_counted,
    services_may_publish_alarms,
)

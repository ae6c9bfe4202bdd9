"""Resolution of the six stacks without moto, with names and ARNs in the form of AWS.

It takes milliseconds, so that a rule can be tried on many templates.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.infra.aws.templates import ACCOUNT, ENVIRONMENT, PARAMETERS, REGION, Resolver, Template, read

CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/c0ffee00-0000-4000-8000-000000000000"

_BY_NAME = {
    "AWS::S3::Bucket": ("BucketName", "arn:aws:s3:::{name}"),
    "AWS::IAM::Role": ("RoleName", f"arn:aws:iam::{ACCOUNT}:role/{{name}}"),
    "AWS::SQS::Queue": ("QueueName", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{name}}"),
    "AWS::SNS::Topic": ("TopicName", f"arn:aws:sns:{REGION}:{ACCOUNT}:{{name}}"),
    "AWS::SecretsManager::Secret": ("Name", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{{name}}-AbCdEf"),
    "AWS::Events::Rule": ("Name", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{{name}}"),
    "AWS::Logs::LogGroup": ("LogGroupName", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{name}}:*"),
    "AWS::CodeBuild::Project": ("Name", f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/{{name}}"),
    "AWS::CodePipeline::Pipeline": ("Name", f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{{name}}"),
    "AWS::ECR::Repository": ("RepositoryName", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{{name}}"),
    "AWS::CodeDeploy::Application": ("ApplicationName", ""),
    "AWS::CodeDeploy::DeploymentGroup": ("DeploymentGroupName", ""),
    "AWS::CloudWatch::Alarm": ("AlarmName", ""),
    "AWS::SSM::Document": ("Name", ""),
    "AWS::RDS::DBInstance": ("DBInstanceIdentifier", ""),
    "AWS::ElastiCache::ReplicationGroup": ("ReplicationGroupId", ""),
    "AWS::KMS::Key": ("", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{{name}}"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": (
        "",
        f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{{name}}/0123456789abcdef",
    ),
    "AWS::ElasticLoadBalancingV2::Listener": (
        "",
        f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:listener/app/{{name}}/0123456789abcdef/fedcba9876543210",
    ),
    "AWS::IAM::OIDCProvider": (
        "",
        f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
    ),
}
_ARN_BY_REF = (
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::IAM::OIDCProvider",
)


def stacks(sources: Mapping[str, str], more: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, Template]:
    """Return each template with everything resolved; raise `NotDeployable`."""
    exports: dict[str, str] = {}
    done = {}
    for name, text in sources.items():
        parameters = {"Environment": ENVIRONMENT, **PARAMETERS[name], **(more or {}).get(name, {})}
        if name == "app":
            parameters["CertificateArn"] = CERTIFICATE
        done[name] = _stack(text, tuple(parameters.items()), tuple(exports.items()))
        for output in done[name]["Outputs"].values():
            exports[output["Export"]["Name"]] = output["Value"]
    return done


@cache
def _stack(text: str, parameters: tuple[tuple[str, str], ...], exports: tuple[tuple[str, str], ...]) -> Template:
    template = Resolver(read(text), dict(parameters), dict(exports)).template()
    resolved: Template = _resolved(template, template["Resources"])
    return resolved


def _resolved(node: Any, resources: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_resolved(value, resources) for value in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        (name, argument) = next(iter(node.items()))
        if name == "Ref":
            return _ref(argument, resources)
        if name == "Fn::GetAtt":
            return _attribute(argument[0], argument[1], resources)
        if name == "Fn::Join":
            return argument[0].join(map(str, _resolved(argument[1], resources)))
    return {key: _resolved(value, resources) for key, value in node.items()}


def _name(logical: str, resources: Mapping[str, Any]) -> str:
    resource = resources[logical]
    key = _BY_NAME.get(resource["Type"], ("", ""))[0]
    return str(resource["Properties"].get(key, logical)) if key else logical


def _ref(logical: str, resources: Mapping[str, Any]) -> str:
    kind, name = resources[logical]["Type"], _name(logical, resources)
    if kind in _ARN_BY_REF:
        return _BY_NAME[kind][1].format(name=name)
    if kind == "AWS::SQS::Queue":
        return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
    return name


def _attribute(logical: str, attribute: str, resources: Mapping[str, Any]) -> str:
    kind, name = resources[logical]["Type"], _name(logical, resources)
    if attribute == "Arn" and _BY_NAME.get(kind, ("", ""))[1]:
        return _BY_NAME[kind][1].format(name=name)
    if attribute == "MasterUserSecret.SecretArn":
        return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:rds!db-owner-AbCdEf"
    return {
        "Endpoint.Address": f"{name}.rds.amazonaws.com",
        "PrimaryEndPoint.Address": f"master.{name}.cache.amazonaws.com",
        "TargetGroupFullName": f"targetgroup/{logical}/0123456789abcdef",
        "TargetGroupName": logical,
        "QueueName": name,
        "LoadBalancerFullName": "app/unite-production/0123456789abcdef",
    }.get(attribute, f"{logical}.{attribute}")

"""Support in moto's CloudFormation for missing or incomplete resource types, by the API calls of CloudFormation.

botocore validates each call against its service description, so that an unknown property is refused.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import boto3
from botocore.validate import ParamValidator
from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel

from tests.infra.aws.templates import ACCOUNT, REGION

Properties = dict[str, Any]
Made = tuple[str, Mapping[str, str]]
"""The values of `Ref` and `Fn::GetAtt` for a resource."""

_DYNAMIC = re.compile(r"\{\{resolve:secretsmanager:(.+?):SecretString:(\w+)\}\}")


@cache
def client(service: str) -> Any:
    """Return a client of moto, cached because its creation is slow."""
    return boto3.client(service, region_name=REGION)


def _secret_values(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _secret_values(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_secret_values(value) for value in node]
    return _DYNAMIC.sub(_secret_value, node) if isinstance(node, str) else node


def _secret_value(match: re.Match[str]) -> str:
    secret = client("secretsmanager").get_secret_value(SecretId=match[1])["SecretString"]
    return str(json.loads(secret)[match[2]])


_AS_IT_IS = ("Configuration",)
"""Members whose keys are data, and not names of the API."""


def lowered(node: Any) -> Any:
    """Return the node with keys in lower camel case, as some services spell them."""
    if isinstance(node, dict):
        return {key[:1].lower() + key[1:]: value if key in _AS_IT_IS else lowered(value) for key, value in node.items()}
    return [lowered(value) for value in node] if isinstance(node, list) else node


def _bucket(properties: Properties, _name: str) -> Made:
    s3, name = client("s3"), properties["BucketName"]
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_public_access_block(
        Bucket=name, PublicAccessBlockConfiguration=properties.get("PublicAccessBlockConfiguration", {})
    )
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
        }
        for rule in properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    ]
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=properties["OwnershipControls"])
    s3.put_bucket_lifecycle_configuration(
        Bucket=name,
        LifecycleConfiguration={"Rules": list(map(_lifecycle, properties["LifecycleConfiguration"]["Rules"]))},
    )
    if cors := properties.get("CorsConfiguration"):
        members = {"MaxAge": "MaxAgeSeconds", "AllowedOrigins": "AllowedOrigins"}
        s3.put_bucket_cors(
            Bucket=name,
            CORSConfiguration={
                "CORSRules": [{members.get(key, key): value for key, value in it.items()} for it in cors["CorsRules"]]
            },
        )
    if versioning := properties.get("VersioningConfiguration"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    if "EventBridgeConfiguration" in properties.get("NotificationConfiguration", {}):
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    return name, {"Arn": f"arn:aws:s3:::{name}"}


def _lifecycle(rule: Properties) -> Properties:
    made: Properties = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": rule["ExpirationInDays"]}
    for name in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"):
        if name in rule:
            made[name] = dict(rule[name])
    return made


def _bucket_policy(properties: Properties, name: str) -> Made:
    client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=json.dumps(properties["PolicyDocument"]))
    return name, {}


def _topic_policy(properties: Properties, name: str) -> Made:
    for topic in properties["Topics"]:
        client("sns").set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
        )
    return name, {}


def _queue_policy(properties: Properties, name: str) -> Made:
    for queue in properties["Queues"]:
        client("sqs").set_queue_attributes(
            QueueUrl=queue, Attributes={"Policy": json.dumps(properties["PolicyDocument"])}
        )
    return name, {}


def _secret(properties: Properties, name: str) -> Made:
    given = {key: properties[key] for key in ("Description", "KmsKeyId") if key in properties}
    text = properties.get("SecretString")
    if generated := properties.get("GenerateSecretString"):
        password = client("secretsmanager").get_random_password(
            PasswordLength=generated["PasswordLength"], ExcludePunctuation=generated["ExcludePunctuation"]
        )["RandomPassword"]
        text = json.dumps({**json.loads(generated["SecretStringTemplate"]), generated["GenerateStringKey"]: password})
    made = client("secretsmanager").create_secret(Name=properties.get("Name", name), SecretString=text, **given)
    return made["ARN"], {}


def _rule(properties: Properties) -> Properties:
    rule: Properties = {key: properties[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in properties}
    described = {"Description": properties["Description"]}
    group = properties.get("DestinationSecurityGroupId") or properties.get("SourceSecurityGroupId")
    if group:
        return {**rule, "UserIdGroupPairs": [{"GroupId": group, **described}]}
    return {**rule, "IpRanges": [{"CidrIp": properties["CidrIp"], **described}]}


def _egress(properties: Properties, name: str) -> Made:
    client("ec2").authorize_security_group_egress(GroupId=properties["GroupId"], IpPermissions=[_rule(properties)])
    return name, {}


def _ingress(properties: Properties, name: str) -> Made:
    client("ec2").authorize_security_group_ingress(GroupId=properties["GroupId"], IpPermissions=[_rule(properties)])
    return name, {}


def _security_group(properties: Properties, name: str) -> Made:
    made = client("ec2").create_security_group(
        GroupName=name, Description=properties["GroupDescription"], VpcId=properties["VpcId"]
    )["GroupId"]
    for rule in properties.get("SecurityGroupIngress", []):
        _ingress({"GroupId": made, **rule}, name)
    for rule in properties.get("SecurityGroupEgress", []):
        _egress({"GroupId": made, **rule}, name)
    return made, {}


def _association(properties: Properties, _name: str) -> Made:
    return client("ec2").associate_route_table(**properties)["AssociationId"], {}


def _role(properties: Properties, name: str) -> Made:
    role = properties.get("RoleName", name)[:64]
    made = client("iam").create_role(
        RoleName=role,
        AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
        MaxSessionDuration=properties.get("MaxSessionDuration", 3600),
    )
    for policy in properties.get("Policies", []):
        client("iam").put_role_policy(
            RoleName=role, PolicyName=policy["PolicyName"], PolicyDocument=json.dumps(policy["PolicyDocument"])
        )
    for arn in properties.get("ManagedPolicyArns", []):
        client("iam").attach_role_policy(RoleName=role, PolicyArn=arn)
    return role, {"Arn": made["Role"]["Arn"]}


def _repository(properties: Properties, _name: str) -> Made:
    given = {key: value for key, value in properties.items() if key != "LifecyclePolicy"}
    given["EncryptionConfiguration"] = dict(lowered(given["EncryptionConfiguration"]))
    made = client("ecr").create_repository(**lowered(given))["repository"]
    client("ecr").put_lifecycle_policy(
        repositoryName=properties["RepositoryName"],
        lifecyclePolicyText=properties["LifecyclePolicy"]["LifecyclePolicyText"],
    )
    return properties["RepositoryName"], {"Arn": made["repositoryArn"], "RepositoryUri": made["repositoryUri"]}


def _metric_filter(properties: Properties, name: str) -> Made:
    client("logs").put_metric_filter(filterName=name, **lowered(properties))
    return name, {}


def _project(properties: Properties, _name: str) -> Made:
    given = lowered(properties)
    given["source"]["buildspec"] = given["source"].pop("buildSpec")
    for variable in given["environment"].get("environmentVariables", []):
        variable["value"] = str(variable["value"])  # a number, as text like in CloudFormation
    given["source"].setdefault("location", "of the pipeline")  # moto requires one even if there is none
    if given["artifacts"]["type"] == "CODEPIPELINE":
        given["artifacts"].setdefault("location", "of the pipeline")
    made = client("codebuild").create_project(**given)["project"]
    return properties["Name"], {"Arn": made["arn"]}


def _pipeline(properties: Properties, _name: str) -> Made:
    client("codepipeline").create_pipeline(pipeline=lowered(properties))
    return properties["Name"], {}


def _replication_group(properties: Properties, _name: str) -> Made:
    name = properties["ReplicationGroupId"]
    client("elasticache").create_replication_group(**properties)
    return name, {"PrimaryEndPoint.Address": f"master.{name}.cache.amazonaws.com"}


def _database_subnets(properties: Properties, name: str) -> Made:
    client("rds").create_db_subnet_group(DBSubnetGroupName=name.lower(), **properties)
    return name.lower(), {}


def _database_parameters(properties: Properties, name: str) -> Made:
    client("rds").create_db_parameter_group(
        DBParameterGroupName=name.lower(),
        DBParameterGroupFamily=properties["Family"],
        Description=properties["Description"],
    )
    parameters = [
        {"ParameterName": key, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
        for key, value in properties["Parameters"].items()
    ]
    client("rds").modify_db_parameter_group(DBParameterGroupName=name.lower(), Parameters=parameters)
    return name.lower(), {}


def _database(properties: Properties, _name: str) -> Made:
    later = ("DeleteAutomatedBackups", "AllowMajorVersionUpgrade")  # for other calls than the first
    given = {key: value for key, value in properties.items() if key not in later}
    given["VpcSecurityGroupIds"] = given.pop("VPCSecurityGroups")
    given["MasterUserSecretKmsKeyId"] = given.pop("MasterUserSecret")["KmsKeyId"]
    made = client("rds").create_db_instance(**given)["DBInstance"]
    secret = client("secretsmanager").create_secret(Name="rds!owner", SecretString="{}")["ARN"]
    return properties["DBInstanceIdentifier"], {
        "Endpoint.Address": made["Endpoint"]["Address"],
        "MasterUserSecret.SecretArn": secret,
    }


def _called(service: str, operation: str, ref: str, *, lower: bool = False) -> Callable[[Properties, str], Made]:
    """Pass the properties on to an operation; `ref` is the value of `Ref`, from the properties or the answer."""

    def make(properties: Properties, name: str) -> Made:
        answer = getattr(client(service), operation)(**(lowered(properties) if lower else properties))
        return str(properties.get(ref) or answer.get(ref) or name), {}

    return make


def _load_balancer(properties: Properties, _name: str) -> Made:
    given = {key: value for key, value in properties.items() if key != "LoadBalancerAttributes"}
    made = client("elbv2").create_load_balancer(**given)["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]
    client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=arn, Attributes=properties["LoadBalancerAttributes"]
    )
    return arn, {
        "LoadBalancerFullName": arn.partition("loadbalancer/")[2],
        "DNSName": made["DNSName"],
        "CanonicalHostedZoneID": made["CanonicalHostedZoneId"],
    }


def _target_group(properties: Properties, name: str) -> Made:
    given = {key: value for key, value in properties.items() if key != "TargetGroupAttributes"}
    arn = client("elbv2").create_target_group(Name=name, **given)["TargetGroups"][0]["TargetGroupArn"]
    client("elbv2").modify_target_group_attributes(TargetGroupArn=arn, Attributes=properties["TargetGroupAttributes"])
    return arn, {"TargetGroupFullName": arn.rpartition(":")[2], "TargetGroupName": name}


def _listener(properties: Properties, _name: str) -> Made:
    return client("elbv2").create_listener(**properties)["Listeners"][0]["ListenerArn"], {}


def _document(properties: Properties, _name: str) -> Made:
    given = {key: properties[key] for key in ("Name", "DocumentType", "TargetType")}
    client("ssm").create_document(Content=json.dumps(properties["Content"]), DocumentFormat="JSON", **given)
    return properties["Name"], {}


def _key(properties: Properties, _name: str) -> Made:
    given = {"Description": properties["Description"], "Policy": json.dumps(properties["KeyPolicy"])}
    made = client("kms").create_key(**given)["KeyMetadata"]
    if properties.get("EnableKeyRotation"):
        client("kms").enable_key_rotation(KeyId=made["KeyId"])
    return made["KeyId"], {"Arn": made["Arn"]}


def _policy(properties: Properties, name: str) -> Made:
    client("autoscaling").put_scaling_policy(PolicyName=name, **properties)
    return name, {}


def _subscription(properties: Properties, _name: str) -> Made:
    return client("sns").subscribe(**properties)["SubscriptionArn"], {}


def _provider(properties: Properties, _name: str) -> Made:
    given = {"Url": properties["Url"], "ClientIDList": properties["ClientIdList"]}
    return client("iam").create_open_id_connect_provider(**given)["OpenIDConnectProviderArn"], {}


def _check(service: str, operation: str, given: Properties) -> None:
    """Validate a call without making it, because moto does not have the operation."""
    report = ParamValidator().validate(given, client(service).meta.service_model.operation_model(operation).input_shape)
    if report.has_errors():
        raise ValueError(report.generate_report())


def _redis_parameters(properties: Properties, name: str) -> Made:
    given = {key: properties[key] for key in ("CacheParameterGroupFamily", "Description")}
    _check("elasticache", "CreateCacheParameterGroup", {"CacheParameterGroupName": name.lower(), **given})
    return name.lower(), {}


def _redis_subnets(properties: Properties, name: str) -> Made:
    client("elasticache").create_cache_subnet_group(
        CacheSubnetGroupName=name.lower(),
        CacheSubnetGroupDescription=properties["Description"],
        SubnetIds=properties["SubnetIds"],
    )
    return name.lower(), {}


def _redis_users(properties: Properties, _name: str) -> Made:
    _check("elasticache", "CreateUserGroup", properties)
    return properties["UserGroupId"], {}


MAKERS: Mapping[str, Callable[[Properties, str], Made]] = {
    "AWS::AutoScaling::ScalingPolicy": _policy,
    "AWS::CloudWatch::Alarm": _called("cloudwatch", "put_metric_alarm", "AlarmName"),
    "AWS::CodeBuild::Project": _project,
    "AWS::CodeDeploy::Application": _called("codedeploy", "create_application", "ApplicationName", lower=True),
    "AWS::CodeDeploy::DeploymentGroup": _called(
        "codedeploy", "create_deployment_group", "DeploymentGroupName", lower=True
    ),
    "AWS::CodePipeline::Pipeline": _pipeline,
    "AWS::EC2::SecurityGroup": _security_group,
    "AWS::EC2::SecurityGroupEgress": _egress,
    "AWS::EC2::SecurityGroupIngress": _ingress,
    "AWS::EC2::SubnetRouteTableAssociation": _association,
    "AWS::ECR::Repository": _repository,
    "AWS::ElastiCache::ParameterGroup": _redis_parameters,
    "AWS::ElastiCache::ReplicationGroup": _replication_group,
    "AWS::ElastiCache::SubnetGroup": _redis_subnets,
    "AWS::ElastiCache::User": _called("elasticache", "create_user", "UserId"),
    "AWS::ElastiCache::UserGroup": _redis_users,
    "AWS::ElasticLoadBalancingV2::Listener": _listener,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _load_balancer,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _target_group,
    "AWS::IAM::OIDCProvider": _provider,
    "AWS::KMS::Key": _key,
    "AWS::IAM::Role": _role,
    "AWS::Logs::MetricFilter": _metric_filter,
    "AWS::RDS::DBInstance": _database,
    "AWS::RDS::DBParameterGroup": _database_parameters,
    "AWS::RDS::DBSubnetGroup": _database_subnets,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::SSM::Document": _document,
    "AWS::Scheduler::Schedule": _called("scheduler", "create_schedule", "Name"),
    "AWS::SecretsManager::Secret": _secret,
}


class _Added(CloudFormationModel):
    """A resource of one of the added types."""

    kind = ""

    def __init__(self, made: Made) -> None:
        self._ref, self._attributes = made

    @property
    def physical_resource_id(self) -> str:
        return self._ref

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:  # noqa: ARG003 - moto's signature
        return True

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return self._attributes[attribute_name]

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> "_Added":
        assert (account_id, region_name) == (ACCOUNT, REGION)
        # Names consist of those of the stack and the resource; other characters are not allowed in a secret's name.
        return cls(MAKERS[cls.kind](_secret_values(cloudformation_json["Properties"]), resource_name))


def add() -> None:
    """Register these types in moto."""
    kinds = parsing.get_model_map()
    for kind in MAKERS:
        kinds[kind] = type("Added", (_Added,), {"kind": kind, "cloudformation_type": staticmethod(lambda k=kind: k)})

"""Reading of deployed resources from moto, to compare them with the templates."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.infra.aws.additions import client
from tests.infra.aws.deploying import Deployment

Leaf = tuple[str, str]
Answer = Callable[[str, Mapping[str, Any]], Any]


def _ec2(operation: str, ids: str) -> Answer:
    return lambda id_, _: getattr(client("ec2"), operation)(**{ids: [id_]})


def _bucket(id_: str, _: Mapping[str, Any]) -> Any:
    s3 = client("s3")
    answers = [
        s3.get_public_access_block(Bucket=id_),
        s3.get_bucket_encryption(Bucket=id_),
        s3.get_bucket_ownership_controls(Bucket=id_),
        s3.get_bucket_lifecycle_configuration(Bucket=id_),
        s3.get_bucket_versioning(Bucket=id_),
        {"BucketName": id_},
    ]
    if _.get("CorsConfiguration"):
        answers.append(s3.get_bucket_cors(Bucket=id_))
    if "NotificationConfiguration" in _:
        configuration = s3.get_bucket_notification_configuration(Bucket=id_)
        answers.append({"EventBridgeEnabled": "EventBridgeConfiguration" in configuration})
    return answers


def _role(id_: str, _: Mapping[str, Any]) -> Any:
    iam = client("iam")
    names = iam.list_role_policies(RoleName=id_)["PolicyNames"]
    return [
        iam.get_role(RoleName=id_),
        iam.list_attached_role_policies(RoleName=id_),
        [iam.get_role_policy(RoleName=id_, PolicyName=name) for name in names],
    ]


def _key(id_: str, _: Mapping[str, Any]) -> Any:
    kms = client("kms")
    return [
        kms.describe_key(KeyId=id_),
        kms.get_key_policy(KeyId=id_, PolicyName="default"),
        {"EnableKeyRotation": kms.get_key_rotation_status(KeyId=id_)["KeyRotationEnabled"]},
    ]


def _launch_template(id_: str, _: Mapping[str, Any]) -> Any:
    return client("ec2").describe_launch_template_versions(LaunchTemplateId=id_)


def _load_balancer(id_: str, _: Mapping[str, Any]) -> Any:
    elb = client("elbv2")
    return [
        elb.describe_load_balancers(LoadBalancerArns=[id_]),
        elb.describe_load_balancer_attributes(LoadBalancerArn=id_),
    ]


def _target_group(id_: str, _: Mapping[str, Any]) -> Any:
    elb = client("elbv2")
    return [
        elb.describe_target_groups(TargetGroupArns=[id_]),
        elb.describe_target_group_attributes(TargetGroupArn=id_),
    ]


def _rule(_id: str, properties: Mapping[str, Any]) -> Any:
    name = properties["Name"]
    return [client("events").describe_rule(Name=name), client("events").list_targets_by_rule(Rule=name)]


def _secret(id_: str, properties: Mapping[str, Any]) -> Any:
    said = client("secretsmanager").describe_secret(SecretId=id_)
    value = client("secretsmanager").get_secret_value(SecretId=id_)["SecretString"]
    return [said, {"SecretString": properties.get("SecretString")} if value else {}]


def _database_parameters(id_: str, _: Mapping[str, Any]) -> Any:
    parameters = client("rds").describe_db_parameters(DBParameterGroupName=id_)["Parameters"]
    return [
        client("rds").describe_db_parameter_groups(DBParameterGroupName=id_),
        {it["ParameterName"]: it.get("ParameterValue") for it in parameters},
    ]


def _filter(_id: str, properties: Mapping[str, Any]) -> Any:
    return client("logs").describe_metric_filters(logGroupName=properties["LogGroupName"])


def _group(_id: str, properties: Mapping[str, Any]) -> Any:
    return client("codedeploy").get_deployment_group(
        applicationName=properties["ApplicationName"], deploymentGroupName=properties["DeploymentGroupName"]
    )


READERS: Mapping[str, Answer] = {
    "AWS::AutoScaling::AutoScalingGroup": lambda id_, _: client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[id_]
    ),
    "AWS::AutoScaling::ScalingPolicy": lambda id_, _: client("autoscaling").describe_policies(PolicyNames=[id_]),
    "AWS::CloudWatch::Alarm": lambda id_, _: client("cloudwatch").describe_alarms(AlarmNames=[id_]),
    "AWS::CloudWatch::Dashboard": lambda _id, it: [
        client("cloudwatch").get_dashboard(DashboardName=it["DashboardName"]),
    ],
    "AWS::CodeBuild::Project": lambda id_, _: client("codebuild").batch_get_projects(names=[id_]),
    "AWS::CodeDeploy::Application": lambda id_, _: client("codedeploy").get_application(applicationName=id_),
    "AWS::CodeDeploy::DeploymentGroup": _group,
    "AWS::CodePipeline::Pipeline": lambda id_, _: client("codepipeline").get_pipeline(name=id_),
    "AWS::EC2::EIP": lambda _id, _: client("ec2").describe_addresses(),
    "AWS::EC2::FlowLog": lambda id_, _: client("ec2").describe_flow_logs(FlowLogIds=[id_]),
    "AWS::EC2::InternetGateway": _ec2("describe_internet_gateways", "InternetGatewayIds"),
    "AWS::EC2::LaunchTemplate": _launch_template,
    "AWS::EC2::NatGateway": _ec2("describe_nat_gateways", "NatGatewayIds"),
    "AWS::EC2::Route": lambda _id, it: client("ec2").describe_route_tables(RouteTableIds=[it["RouteTableId"]]),
    "AWS::EC2::RouteTable": _ec2("describe_route_tables", "RouteTableIds"),
    "AWS::EC2::SecurityGroup": _ec2("describe_security_groups", "GroupIds"),
    "AWS::EC2::SecurityGroupEgress": lambda _id, it: client("ec2").describe_security_groups(GroupIds=[it["GroupId"]]),
    "AWS::EC2::SecurityGroupIngress": lambda _id, it: client("ec2").describe_security_groups(GroupIds=[it["GroupId"]]),
    "AWS::EC2::Subnet": _ec2("describe_subnets", "SubnetIds"),
    "AWS::EC2::SubnetRouteTableAssociation": lambda _id, it: client("ec2").describe_route_tables(
        RouteTableIds=[it["RouteTableId"]]
    ),
    "AWS::EC2::VPC": lambda id_, _: [
        client("ec2").describe_vpcs(VpcIds=[id_]),
        client("ec2").describe_vpc_attribute(VpcId=id_, Attribute="enableDnsSupport"),
    ],
    "AWS::EC2::VPCEndpoint": _ec2("describe_vpc_endpoints", "VpcEndpointIds"),
    "AWS::EC2::VPCGatewayAttachment": lambda _id, it: client("ec2").describe_internet_gateways(
        InternetGatewayIds=[it["InternetGatewayId"]]
    ),
    "AWS::ECR::Repository": lambda _id, it: [
        client("ecr").describe_repositories(repositoryNames=[it["RepositoryName"]]),
        client("ecr").get_lifecycle_policy(repositoryName=it["RepositoryName"]),
    ],
    "AWS::ElastiCache::ReplicationGroup": lambda id_, _: client("elasticache").describe_replication_groups(
        ReplicationGroupId=id_
    ),
    "AWS::ElastiCache::SubnetGroup": lambda id_, _: client("elasticache").describe_cache_subnet_groups(
        CacheSubnetGroupName=id_
    ),
    "AWS::ElastiCache::User": lambda id_, _: client("elasticache").describe_users(UserId=id_),
    "AWS::ElasticLoadBalancingV2::Listener": lambda id_, _: client("elbv2").describe_listeners(ListenerArns=[id_]),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _load_balancer,
    "AWS::ElasticLoadBalancingV2::TargetGroup": _target_group,
    "AWS::Events::Rule": _rule,
    "AWS::IAM::InstanceProfile": lambda id_, _: client("iam").get_instance_profile(InstanceProfileName=id_),
    "AWS::IAM::OIDCProvider": lambda id_, _: client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=id_),
    "AWS::IAM::Role": _role,
    "AWS::KMS::Key": _key,
    "AWS::Logs::LogGroup": lambda id_, _: client("logs").describe_log_groups(logGroupNamePrefix=id_),
    "AWS::Logs::MetricFilter": _filter,
    "AWS::RDS::DBInstance": lambda id_, _: client("rds").describe_db_instances(DBInstanceIdentifier=id_),
    "AWS::RDS::DBParameterGroup": _database_parameters,
    "AWS::RDS::DBSubnetGroup": lambda id_, _: client("rds").describe_db_subnet_groups(DBSubnetGroupName=id_),
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": lambda _id, it: [client("s3").get_bucket_policy(Bucket=it["Bucket"]), it["Bucket"]],
    "AWS::SNS::Subscription": lambda id_, _: client("sns").get_subscription_attributes(SubscriptionArn=id_),
    "AWS::SNS::Topic": lambda id_, _: [
        client("sns").get_topic_attributes(TopicArn=id_),
        {"TopicName": id_.split(":")[-1]},
    ],
    "AWS::SNS::TopicPolicy": lambda _id, it: client("sns").get_topic_attributes(TopicArn=it["Topics"][0]),
    "AWS::SQS::Queue": lambda id_, _: [
        client("sqs").get_queue_attributes(QueueUrl=id_, AttributeNames=["All"]),
        {"QueueName": id_.rpartition("/")[2]},
    ],
    "AWS::SQS::QueuePolicy": lambda _id, it: [
        client("sqs").get_queue_attributes(QueueUrl=it["Queues"][0], AttributeNames=["All"]),
        {"Queues": it["Queues"]},
    ],
    "AWS::SSM::Document": lambda _id, it: client("ssm").get_document(Name=it["Name"]),
    "AWS::Scheduler::Schedule": lambda _id, it: client("scheduler").get_schedule(Name=it["Name"]),
    "AWS::SecretsManager::Secret": _secret,
}


def leaves(node: Any, key: str = "") -> Iterator[Leaf]:
    """Yield all pairs of key and value, in lower case; JSON in text is parsed."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from leaves(value, str(name))
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from leaves(value, key)
    elif isinstance(node, str) and node[:1] in ("{", "["):
        try:
            yield from leaves(json.loads(node), key)
        except ValueError:
            yield key.lower(), node.strip().lower()
    elif isinstance(node, float) and node.is_integer():
        yield key.lower(), str(int(node))
    elif node is not None and node is not UNKNOWN:
        yield key.lower(), str(node).lower()
        if isinstance(node, str) and "," in node:  # some services return lists as one text
            yield from ((key.lower(), part.lower()) for part in node.split(","))


UNKNOWN = object()
"""An attribute of another resource, whose value is not compared."""


def declared(deployment: Deployment, stack: str, name: str) -> Any:
    """Return the properties of a resource, with the physical ids of other resources."""
    return _named(deployment.templates[stack]["Resources"][name].get("Properties", {}), deployment.ids[stack])


def _named(node: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(node, list):
        return [_named(value, ids) for value in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        (name, argument) = next(iter(node.items()))
        if name == "Ref":
            return ids[argument]
        if name == "Fn::GetAtt":
            return UNKNOWN
        if name == "Fn::Join":
            parts = _named(argument[1], ids)
            return UNKNOWN if UNKNOWN in parts else argument[0].join(map(str, parts))
    return {key: _named(value, ids) for key, value in node.items()}

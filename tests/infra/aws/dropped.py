"""The declared properties that moto drops, each with the reason why that is acceptable."""

from collections.abc import Mapping

NOT_READ: Mapping[str, str] = {
    "AWS::ElastiCache::ParameterGroup": "moto has no parameter groups of ElastiCache; the call is checked by botocore",
    "AWS::ElastiCache::UserGroup": "moto has no user groups of ElastiCache; the call is checked by botocore",
}

_NAME = "moto's CloudFormation gives it no tags; it is a name for people"
_CHECKED = "moto forgets it; botocore has checked the call, and a rule in rules.py its value"
_FORGOTTEN = "moto forgets it; botocore has checked the call"

DROPPED: Mapping[str, Mapping[str, str]] = {
    "AWS::EC2::InternetGateway": {"key": _NAME, "value": _NAME},
    "AWS::EC2::RouteTable": {"key": _NAME, "value": _NAME},
    "AWS::EC2::FlowLog": {"resourcetype": "the answer has the id of the network alone"},
    "AWS::S3::Bucket": {
        "destinationbucketname": "moto asks the target for a grant of its list, which buckets of one owner have not",
        "logfileprefix": "the same",
    },
    "AWS::RDS::DBInstance": {"performanceinsightsretentionperiod": _FORGOTTEN},
    "AWS::ElastiCache::User": {"passwords": "no service shows a password"},
    "AWS::ElastiCache::ReplicationGroup": {
        "cacheparametergroupname": _FORGOTTEN,
        "cachesubnetgroupname": _FORGOTTEN,
        "engineversion": _FORGOTTEN,
        "numcacheclusters": _FORGOTTEN,
        "securitygroupids": _FORGOTTEN,
    },
    "AWS::SecretsManager::Secret": {
        "excludepunctuation": "it says how the value is made, which the service's settings show",
        "generatestringkey": "the same",
        "passwordlength": "the same",
    },
    "AWS::AutoScaling::AutoScalingGroup": {"granularity": _FORGOTTEN, "metrics": _FORGOTTEN},
    "AWS::SSM::Document": {
        "documentformat": "the document is made as JSON here, which is the same",
        "targettype": _FORGOTTEN,
        "updatemethod": "it is for CloudFormation itself",
    },
    "AWS::CodeBuild::Project": {"concurrentbuildlimit": _FORGOTTEN, "encryptionkey": _FORGOTTEN},
    "AWS::CodeDeploy::DeploymentGroup": {
        "autoscalinggroups": _CHECKED,
        "ignorepollalarmfailure": _FORGOTTEN,
        "name": _CHECKED,
    },
    "AWS::IAM::OIDCProvider": {"url": "it is shown without its scheme"},
}

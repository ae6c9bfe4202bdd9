"""Creation of buckets, queues and topics, for tests and for moto or MinIO. In AWS the templates create them."""

import json
import logging
import math
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.aws.clients import AwsClients
from adapters.aws.guard import error_code
from adapters.aws.s3 import Buckets
from unite_core.files import UPLOAD_RETENTION, UPLOADS, upload_key
from unite_core.imports.use_cases.start import IMPORTS

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

log = logging.getLogger(__name__)

MAX_RECEIVES = 5
"""How often a message is received before it moves to the dead-letter queue."""

FILE_RETENTION = timedelta(days=30)
"""How long a file is stored that could not be deleted after its import had ended. No import takes that long."""

_FIRST_REGION = "us-east-1"
"""The region in which S3 creates a bucket by default. S3 refuses it as a location constraint."""


def create_buckets(buckets: Buckets, access: AwsClients, *, origins: tuple[str, ...] = ("*",)) -> None:
    """Create the two buckets where they are missing, and set the rules of both.

    Files cannot be read without a signed link and are encrypted. Unused and incomplete uploads are deleted. Browsers
    may use the links from pages of the given origins. A rule that a replacement for S3 does not support is left out.
    """
    client = access.s3()
    for bucket in (buckets.imports, buckets.images):
        _make_bucket(client, bucket)
        _set_up(client, bucket, origins)


def create_queue(name: str, access: AwsClients) -> str:
    """Create the queue and its dead-letter queue `<name>-dead` where they are missing; return the queue's URL."""
    client = access.sqs()
    dead = _queue_arn(client, client.create_queue(QueueName=f"{name}-dead")["QueueUrl"])
    url = client.create_queue(QueueName=name)["QueueUrl"]
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": MAX_RECEIVES})
    client.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive})
    return url


def create_topic(arn: str, access: AwsClients) -> None:
    """Create the topic where it is missing. A replacement for AWS uses the same name, region and account."""
    access.sns().create_topic(Name=arn.rpartition(":")[2])


def enable_upload_notices(bucket: str, queue_url: str, access: AwsClients) -> None:
    """Send a message to the queue, through EventBridge, for every uploaded file that is to be imported."""
    access.s3().put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    events = access.events()
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": upload_key(f"{IMPORTS}/")}]}},
    }
    rule = f"{bucket}-uploads"
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "imports", "Arn": _queue_arn(access.sqs(), queue_url)}])


def _make_bucket(client: "S3Client", bucket: str) -> None:
    region = client.meta.region_name
    location: Any = {} if region == _FIRST_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        client.create_bucket(Bucket=bucket, **location)
    except ClientError as error:
        if error_code(error) not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise


def _set_up(client: "S3Client", bucket: str, origins: tuple[str, ...]) -> None:
    rules: dict[str, Callable[[], object]] = {
        "who may read": lambda: client.put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        ),
        "encryption": lambda: client.put_bucket_encryption(
            Bucket=bucket,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
        ),
        "what is deleted": lambda: client.put_bucket_lifecycle_configuration(
            Bucket=bucket,
            LifecycleConfiguration={
                "Rules": [
                    {
                        "ID": "uploads that nobody took",
                        "Status": "Enabled",
                        "Filter": {"Prefix": f"{UPLOADS}/"},
                        "Expiration": {"Days": math.ceil(UPLOAD_RETENTION / timedelta(days=1))},
                    },
                    {
                        "ID": "files that could not be deleted when their import had ended",
                        "Status": "Enabled",
                        "Filter": {"Prefix": f"{IMPORTS}/"},
                        "Expiration": {"Days": FILE_RETENTION // timedelta(days=1)},
                    },
                    {
                        "ID": "uploads that broke off",
                        "Status": "Enabled",
                        "Filter": {"Prefix": ""},
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                    },
                ]
            },
        ),
        "browsers": lambda: client.put_bucket_cors(
            Bucket=bucket,
            CORSConfiguration={
                "CORSRules": [
                    {
                        "AllowedOrigins": [*origins],
                        "AllowedMethods": ["GET", "POST"],
                        "AllowedHeaders": ["*"],
                        "MaxAgeSeconds": 3600,
                    }
                ]
            },
        ),
    }
    for rule, set_rule in rules.items():
        try:
            set_rule()
        except ClientError as error:
            if error_code(error) != "NotImplemented":
                raise
            log.warning("The storage does not support the rule for %s; %s is without it.", rule, bucket)


def _queue_arn(client: "SQSClient", url: str) -> str:
    return client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

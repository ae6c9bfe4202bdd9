"""Files in S3, notices of uploads from SQS, a topic of SNS, and settings from Secrets Manager."""

from typing import TYPE_CHECKING

from adapters.extras import require
from unite_core.lazy_names import lazy_names

require("aws", "boto3")

if TYPE_CHECKING:
    from adapters.aws.clients import AwsClients
    from adapters.aws.provisioning import create_buckets, create_queue, create_topic, enable_upload_notices
    from adapters.aws.s3 import Buckets, S3Files
    from adapters.aws.secrets_manager import read_secret
    from adapters.aws.sns import SnsTopic
    from adapters.aws.sqs import SqsUploadNotice, SqsUploadNotices
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "adapters.aws.clients": ("AwsClients",),
            "adapters.aws.provisioning": ("create_buckets", "create_queue", "create_topic", "enable_upload_notices"),
            "adapters.aws.s3": ("Buckets", "S3Files"),
            "adapters.aws.secrets_manager": ("read_secret",),
            "adapters.aws.sns": ("SnsTopic",),
            "adapters.aws.sqs": ("SqsUploadNotice", "SqsUploadNotices"),
        },
    )

__all__ = [
    "AwsClients",
    "Buckets",
    "S3Files",
    "SnsTopic",
    "SqsUploadNotice",
    "SqsUploadNotices",
    "create_buckets",
    "create_queue",
    "create_topic",
    "enable_upload_notices",
    "read_secret",
]

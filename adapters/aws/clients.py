"""Clients of AWS services, with the endpoint, the credentials, timeouts and retries."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from boto3.session import Session
from botocore.config import Config

from adapters.aws.guard import POLICY
from adapters.outbound import CallPolicy

if TYPE_CHECKING:  # the stubs are installed for type checks only, not where the service runs
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient


@dataclass(frozen=True, kw_only=True)
class AwsClients:
    """The endpoint and the credentials of AWS; creates clients with timeouts.

    `endpoint_url` is the address of a replacement for AWS, such as moto or MinIO. A region or key that is None is found
    by boto3 as usual: in the environment, in configuration files, in the role of the machine. The clients have the
    timeouts and the attempts of `policy`; guards with the same policy have the rest (`aws_guard`). `on_session` is
    called with the session of the clients before the first of them is created, to listen to their calls.

    The retries are botocore's own, in its standard mode: bounded, with exponential backoff and jitter, only for
    transient errors, and with a budget that stops them when every call fails. Only botocore knows which responses of
    which operation can be retried, and can rewind the body of a request. A wrapper around it could do neither.
    """

    endpoint_url: str | None = None
    region: str | None = None
    key_id: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    policy: CallPolicy = POLICY
    on_session: Callable[[Session], None] | None = None

    def s3(self, endpoint_url: str | None = None, *, short_timeouts: bool = False) -> "S3Client":
        """Return a client of S3 at `endpoint_url`, or at the endpoint of all services.

        With `short_timeouts`, which are for health checks, a client (of S3, SQS or SNS) does not retry.
        """
        url = endpoint_url or self.endpoint_url
        s3_config = Config(
            signature_version="s3v4",
            # Replacements for S3 expect the bucket in the path. S3 itself is addressed by a host name with the bucket,
            # as a signed link with the bucket in the path would first lead to another region.
            s3={"addressing_style": "path" if url else "virtual"},
            # Some replacements for S3 do not support the checksums that botocore would add.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        client: S3Client = self._session.client(
            "s3", endpoint_url=url, config=self._config(short_timeouts=short_timeouts).merge(s3_config)
        )
        return client

    def sqs(self, *, short_timeouts: bool = False) -> "SQSClient":
        """Return a client of SQS."""
        client: SQSClient = self._session.client(
            "sqs", endpoint_url=self.endpoint_url, config=self._config(short_timeouts=short_timeouts)
        )
        return client

    def sns(self, *, short_timeouts: bool = False) -> "SNSClient":
        """Return a client of SNS."""
        client: SNSClient = self._session.client(
            "sns", endpoint_url=self.endpoint_url, config=self._config(short_timeouts=short_timeouts)
        )
        return client

    def secrets_manager(self) -> "SecretsManagerClient":
        """Return a client of Secrets Manager."""
        client: SecretsManagerClient = self._session.client(
            "secretsmanager", endpoint_url=self.endpoint_url, config=self._config()
        )
        return client

    def events(self) -> Any:
        """Return a client of EventBridge, for which no type stubs are installed."""
        return self._session.client("events", endpoint_url=self.endpoint_url, config=self._config())

    @cached_property
    def _session(self) -> Session:
        # All clients share one session, because it loads the long descriptions of the services only once.
        session = Session(aws_access_key_id=self.key_id, aws_secret_access_key=self.secret_key, region_name=self.region)
        if self.on_session is not None:
            self.on_session(session)
        return session

    def _config(self, *, short_timeouts: bool = False) -> Config:
        timeouts = self.policy.timeouts_for(short=short_timeouts)
        return Config(
            connect_timeout=timeouts.connect.total_seconds(),
            read_timeout=timeouts.read.total_seconds(),
            retries={"mode": "standard", "total_max_attempts": 1 if short_timeouts else self.policy.attempts},
        )

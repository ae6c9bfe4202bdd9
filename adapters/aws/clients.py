"""How the services of AWS, or what stands in for them, are reached."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from boto3.session import Session
from botocore.config import Config

if TYPE_CHECKING:  # the stubs are there for whoever checks types, not where the service runs
    from types_boto3_s3 import S3Client
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient


@dataclass(frozen=True, kw_only=True)
class AwsClients:
    """Where AWS is and who calls; makes clients that wait for nobody for ever.

    `endpoint_url` names what stands in for AWS, such as moto or MinIO. Without a region or a key they are looked for
    where every program of AWS finds them: environment, configuration, the role of the machine. Timeouts are in
    seconds. A call is made up to `attempts` times.

    The retries are the driver's own, in its standard mode: bounded, with exponential backoff and jitter, only for what
    may pass, and with a budget that ends them when everything fails. It alone knows which answers of which operation
    are worth a retry, and winds the body of a request back; a wrapper around it would know neither.
    """

    endpoint_url: str | None = None
    region: str | None = None
    key_id: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    connect_timeout: float = 3.0
    read_timeout: float = 20.0
    attempts: int = 3

    def s3(self, endpoint_url: str | None = None, *, impatient: bool = False) -> "S3Client":
        """A client of S3 at `endpoint_url`, or where everything else is.

        An `impatient` client, of S3, SQS or SNS, is for somebody who only asks whether anybody is there.
        """
        url = endpoint_url or self.endpoint_url
        own = Config(
            signature_version="s3v4",
            # Whatever stands in for S3 knows buckets as paths. S3 itself is addressed by bucket: a signed link would
            # lead to another region first otherwise.
            s3={"addressing_style": "path" if url else "virtual"},
            # The checksums that the driver adds otherwise are unknown to some of those that stand in for S3.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        client: S3Client = self._session.client(
            "s3", endpoint_url=url, config=self._config(impatient=impatient).merge(own)
        )
        return client

    def sqs(self, *, impatient: bool = False) -> "SQSClient":
        """A client of SQS."""
        client: SQSClient = self._session.client(
            "sqs", endpoint_url=self.endpoint_url, config=self._config(impatient=impatient)
        )
        return client

    def sns(self, *, impatient: bool = False) -> "SNSClient":
        """A client of SNS."""
        client: SNSClient = self._session.client(
            "sns", endpoint_url=self.endpoint_url, config=self._config(impatient=impatient)
        )
        return client

    def secrets_manager(self) -> "SecretsManagerClient":
        """A client of Secrets Manager."""
        client: SecretsManagerClient = self._session.client(
            "secretsmanager", endpoint_url=self.endpoint_url, config=self._config()
        )
        return client

    def events(self) -> Any:
        """A client of EventBridge, of which there are no types."""
        return self._session.client("events", endpoint_url=self.endpoint_url, config=self._config())

    @cached_property
    def _session(self) -> Session:
        # One for all clients: it reads the descriptions of the services, which are long, once.
        return Session(aws_access_key_id=self.key_id, aws_secret_access_key=self.secret_key, region_name=self.region)

    def _config(self, *, impatient: bool = False) -> Config:
        if impatient:
            return Config(connect_timeout=1.0, read_timeout=1.5, retries={"mode": "standard", "total_max_attempts": 1})
        return Config(
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            retries={"mode": "standard", "total_max_attempts": self.attempts},
        )

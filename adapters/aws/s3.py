"""File storage in S3, or in a storage with the same API."""

import errno
import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import quote

from boto3.s3.transfer import TransferConfig

from adapters.aws.clients import AwsClients
from adapters.aws.guard import aws_guard
from adapters.outbound import OutboundGuard
from unite_core.clock import Clock
from unite_core.errors import NotFound, Unavailable
from unite_core.files import UPLOADS, Download, Files, Upload, link_expiry
from unite_core.text import normalize

if TYPE_CHECKING:
    from botocore.response import StreamingBody

BLOCK = 256 * 1024
PART = 8 * 1024 * 1024
"""How many bytes of a file are in memory while it is written. A longer file is sent in parts of this size."""

_IMAGES = ("images/", f"{UPLOADS}/images/")

# Parts are sent one after the other: in parallel, all of them would be in memory.
_TRANSFER = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, use_threads=False)


@dataclass(frozen=True, kw_only=True)
class Buckets:
    """The names of the two buckets: one for images, one for all other files."""

    imports: str
    images: str

    def of(self, key: str) -> str:
        """Return the name of the bucket for this key."""
        return self.images if key.startswith(_IMAGES) else self.imports


class S3Files(Files):
    """Files in S3, each under its key in the bucket for its kind, encrypted at rest.

    `public_url` is the address of the storage for clients, if it differs from the one for the service. Files are
    encrypted with the KMS key `kms_key_id`, or with the storage's own keys (AES256). S3 says that a file is missing,
    instead of forbidden, only to an account that may list the bucket. A signed link expires early if the credentials
    that signed it do.

    Every method raises `Unavailable` when the storage does not answer; after several failures it does so at once.
    """

    def __init__(
        self,
        buckets: Buckets,
        *,
        access: AwsClients,
        clock: Clock,
        public_url: str | None = None,
        kms_key_id: str | None = None,
    ) -> None:
        self._buckets = buckets
        self._clock = clock
        self._guard = aws_guard("The file storage", access.policy)
        self._client = access.s3()
        self._short_timeout_client = access.s3(short_timeouts=True)
        self._signing_client = access.s3(public_url)
        self._kms_key_id = kms_key_id

    @property
    def breaker_state(self) -> str:
        """The state of the circuit breaker: `closed` (calls are made), `open` or `half_open`."""
        return self._guard.breaker_state

    def ping(self) -> None:
        """Check that both buckets answer, with short timeouts; raise `Unavailable`."""
        try:
            for bucket in (self._buckets.imports, self._buckets.images):
                self._guard.call(partial(self._short_timeout_client.head_bucket, Bucket=bucket))
        except NotFound:
            raise Unavailable("The file storage lacks a bucket.") from None

    def sign_upload(self, key: str, *, content_type: str, size: int, ttl: timedelta) -> Upload:
        expires_at = link_expiry(self._clock.now(), ttl)
        fields = {"Content-Type": content_type, **self._encryption_fields()}
        conditions = [{name: value} for name, value in fields.items()]
        with self._guard.translated():
            form = self._signing_client.generate_presigned_post(
                self._buckets.of(key),
                key,
                Fields=dict(fields),
                Conditions=[*conditions, ["content-length-range", size, size]],
                ExpiresIn=int(ttl.total_seconds()),
            )
        return Upload(url=form["url"], method="POST", expires_at=expires_at, fields=form["fields"])

    def sign_download(self, key: str, *, filename: str, content_type: str, ttl: timedelta) -> Download:
        expires_at = link_expiry(self._clock.now(), ttl)
        parameters = {
            **self._location(key),
            "ResponseContentDisposition": _attachment(filename),
            "ResponseContentType": content_type,
        }
        with self._guard.translated():
            url = self._signing_client.generate_presigned_url(
                "get_object", Params=parameters, ExpiresIn=int(ttl.total_seconds())
            )
        return Download(url=url, expires_at=expires_at)

    def size(self, key: str) -> int | None:
        try:
            return self._guard.call(lambda: self._client.head_object(**self._location(key))["ContentLength"])
        except NotFound:
            return None

    @contextmanager
    def read(self, key: str) -> Iterator[BinaryIO]:
        body = self._guard.call(lambda: self._client.get_object(**self._location(key))["Body"])
        with closing(body), io.BufferedReader(_BodyStream(body, self._guard), BLOCK) as stream:
            yield stream

    @contextmanager
    def write(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:
        extra = {"ContentType": content_type, **self._encryption()}
        try:
            with tempfile.SpooledTemporaryFile(max_size=PART) as spool:
                yield cast("BinaryIO", spool)
                spool.seek(0)
                bucket = self._buckets.of(key)
                self._guard.call(
                    lambda: self._client.upload_fileobj(spool, bucket, key, ExtraArgs=extra, Config=_TRANSFER)
                )
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise Unavailable("The disk for temporary files is full; nothing was stored.") from error
            raise

    def move(self, key: str, to: str) -> None:
        source = self._location(key)
        self._guard.call(
            lambda: self._client.copy_object(**self._location(to), CopySource=source, **self._encryption())
        )
        self._guard.call(lambda: self._client.delete_object(**source))

    def delete(self, key: str) -> None:
        self._guard.call(lambda: self._client.delete_object(**self._location(key)))

    def _location(self, key: str) -> Any:
        """Return the bucket and the key as arguments; typed Any because every operation has its own type for them."""
        return {"Bucket": self._buckets.of(key), "Key": key}

    def _encryption(self) -> Any:
        """Return how to encrypt a file, as arguments of the operations that write."""
        if self._kms_key_id is None:
            return {"ServerSideEncryption": "AES256"}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._kms_key_id}

    def _encryption_fields(self) -> Mapping[str, str]:
        """Return how to encrypt a file, as fields of an upload form."""
        names = {
            "ServerSideEncryption": "x-amz-server-side-encryption",
            "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
        }
        return {names[name]: value for name, value in self._encryption().items()}


class _BodyStream(io.RawIOBase):
    """The body of a response as a stream; raises `Unavailable` where it breaks off."""

    def __init__(self, body: "StreamingBody", guard: OutboundGuard) -> None:
        self._body = body
        self._guard = guard

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        # Without the breaker: a download that has begun goes on while other calls fail.
        with self._guard.translated():
            return self._body.readinto(buffer)


def _attachment(filename: str) -> str:
    """Return a Content-Disposition with this name: in ASCII, and also in UTF-8 if it is not ASCII (RFC 6266, 5)."""
    plain = normalize("NFKD", filename).encode("ascii", "ignore").decode() or "file"
    quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
    disposition = f'attachment; filename="{quoted}"'
    return disposition if plain == filename else f"{disposition}; filename*=UTF-8''{quote(filename, safe='')}"

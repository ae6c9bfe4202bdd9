"""Files in S3, or in whatever speaks its language."""

import errno
import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import quote

from boto3.s3.transfer import TransferConfig

from adapters.aws.clients import AwsClients
from adapters.aws.guard import ServiceGuard
from unite_core.clock import Clock
from unite_core.errors import NotFound, Unavailable
from unite_core.files import UPLOADS, Download, Files, Upload
from unite_core.text import normalize

if TYPE_CHECKING:
    from botocore.response import StreamingBody

BLOCK = 256 * 1024
PART = 8 * 1024 * 1024
"""How many bytes of a file being written are in memory at once; a longer file is sent in parts of this size."""

_IMAGES = ("images/", f"{UPLOADS}/images/")

# One part after the other: side by side they would all be in memory.
_TRANSFER = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, use_threads=False)


@dataclass(frozen=True, kw_only=True)
class Buckets:
    """The names of the buckets: pictures are in one, all else in the other."""

    imports: str
    images: str

    def of(self, key: str) -> str:
        """The bucket that holds the file."""
        return self.images if key.startswith(_IMAGES) else self.imports


class S3Files(Files):
    """Holds each file under its key, encrypted where it lies, in the bucket that is for its kind.

    Clients reach the storage at `public_url` where that is not where the service does. Files are encrypted with the
    key `kms_key_id` of KMS, or with keys of the storage's own (AES256). A missing file is told from a forbidden one
    only to who may list the bucket. A signed link ends early where the credentials that signed it do.

    When the storage does not answer, every method raises `Unavailable`, at once after several such failures.
    """

    def __init__(
        self,
        buckets: Buckets,
        *,
        access: AwsClients,
        clock: Clock,
        public_url: str | None = None,
        kms_key_id: str | None = None,
        dependency: ServiceGuard | None = None,
    ) -> None:
        self._buckets = buckets
        self._clock = clock
        self._outside = dependency or ServiceGuard("The file storage")
        self._client = access.s3()
        self._asking = access.s3(impatient=True)
        self._signing = access.s3(public_url)
        self._kms_key_id = kms_key_id

    @property
    def breaker_state(self) -> str:
        """Whether the storage is called: `closed` (it is), `open` or `half_open`."""
        return self._outside.state

    def ping(self) -> None:
        """Ask for both buckets, without much patience; raises `Unavailable`."""
        try:
            for bucket in (self._buckets.imports, self._buckets.images):
                with self._outside.call():
                    self._asking.head_bucket(Bucket=bucket)
        except NotFound:
            raise Unavailable("The file storage lacks a bucket.") from None

    def sign_upload(self, key: str, *, content_type: str, size: int, ttl: timedelta) -> Upload:
        expires_at = self._expiry(ttl)
        fields = {"Content-Type": content_type, **self._encryption_fields()}
        conditions = [{name: value} for name, value in fields.items()]
        with self._outside.translated():
            post = self._signing.generate_presigned_post(
                self._buckets.of(key),
                key,
                Fields=dict(fields),
                Conditions=[*conditions, ["content-length-range", size, size]],
                ExpiresIn=int(ttl.total_seconds()),
            )
        return Upload(url=post["url"], method="POST", expires_at=expires_at, fields=post["fields"])

    def sign_download(self, key: str, *, filename: str, content_type: str, ttl: timedelta) -> Download:
        expires_at = self._expiry(ttl)
        wanted = {
            **self._place(key),
            "ResponseContentDisposition": _attachment(filename),
            "ResponseContentType": content_type,
        }
        with self._outside.translated():
            url = self._signing.generate_presigned_url("get_object", Params=wanted, ExpiresIn=int(ttl.total_seconds()))
        return Download(url=url, expires_at=expires_at)

    def size(self, key: str) -> int | None:
        try:
            with self._outside.call():
                return self._client.head_object(**self._place(key))["ContentLength"]
        except NotFound:
            return None

    @contextmanager
    def read(self, key: str) -> Iterator[BinaryIO]:
        with self._outside.call():
            body = self._client.get_object(**self._place(key))["Body"]
        with closing(body), io.BufferedReader(_Reading(body, self._outside), BLOCK) as stream:
            yield stream

    @contextmanager
    def write(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:
        told = {"ContentType": content_type, **self._encryption()}
        try:
            with tempfile.SpooledTemporaryFile(max_size=PART) as spool:
                yield cast("BinaryIO", spool)
                spool.seek(0)
                with self._outside.call():
                    self._client.upload_fileobj(spool, self._buckets.of(key), key, ExtraArgs=told, Config=_TRANSFER)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise Unavailable("The disk for temporary files is full; nothing was stored.") from error
            raise

    def move(self, key: str, to: str) -> None:
        source = self._place(key)
        with self._outside.call():
            self._client.copy_object(**self._place(to), CopySource=source, **self._encryption())
        with self._outside.call():
            self._client.delete_object(**source)

    def delete(self, key: str) -> None:
        with self._outside.call():
            self._client.delete_object(**self._place(key))

    def _place(self, key: str) -> Any:
        """Where the file is, as every operation wants to be told; each has a type of its own for it."""
        return {"Bucket": self._buckets.of(key), "Key": key}

    def _encryption(self) -> Any:
        """How a file is to be encrypted, as the operations that write want to be told."""
        if self._kms_key_id is None:
            return {"ServerSideEncryption": "AES256"}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._kms_key_id}

    def _encryption_fields(self) -> Mapping[str, str]:
        """The same, as a form says it."""
        names = {
            "ServerSideEncryption": "x-amz-server-side-encryption",
            "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
        }
        return {names[name]: value for name, value in self._encryption().items()}

    def _expiry(self, ttl: timedelta) -> datetime:
        """The end of the lifetime, down to the second: that is what is signed."""
        return datetime.fromtimestamp(int((self._clock.now() + ttl).timestamp()), UTC)


class _Reading(io.RawIOBase):
    """The bytes of an answer as they come; raises `Unavailable` where they stop before the end."""

    def __init__(self, body: "StreamingBody", outside: ServiceGuard) -> None:
        self._body = body
        self._outside = outside

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        # Not a call of its own: what is being read already is not broken off because others fail.
        with self._outside.translated():
            return self._body.readinto(buffer)


def _attachment(filename: str) -> str:
    """Have browsers save the file under this name: in ASCII, and in full where that is not all (RFC 6266, 5)."""
    plain = normalize("NFKD", filename).encode("ascii", "ignore").decode() or "file"
    quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
    told = f'attachment; filename="{quoted}"'
    return told if plain == filename else f"{told}; filename*=UTF-8''{quote(filename, safe='')}"

"""Tests of files in S3 beyond the contract of `Files`: buckets, encryption, memory, and the setup of buckets."""

import errno
import logging
import tracemalloc
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from botocore.exceptions import ClientError
from werkzeug import Request, Response

from adapters.aws.clients import AwsClients
from adapters.aws.provisioning import create_buckets
from adapters.aws.s3 import PART, Buckets, S3Files
from adapters.system_clock import SystemClock
from tests.adapters.aws.moto import access_to
from tests.adapters.aws.policy_proxy import served
from tests.servers.moto import a_bucket_name
from unite_core.errors import Unavailable
from unite_core.testing.contracts import FilesContract
from unite_core.testing.contracts.files import write

MIB = 1024 * 1024


class TestFiles(FilesContract):
    @pytest.fixture
    def clock(self) -> SystemClock:
        return SystemClock()

    @pytest.fixture
    def files(self, buckets: Buckets, access: AwsClients, clock: SystemClock) -> S3Files:
        return S3Files(buckets, access=access, clock=clock)

    @pytest.fixture
    def stored(self, buckets: Buckets, access: AwsClients) -> Callable[[], Collection[str]]:
        def stored() -> Collection[str]:
            client, names = access.s3(), (buckets.imports, buckets.images)
            objects = [it["Key"] for name in names for it in client.list_objects_v2(Bucket=name).get("Contents", [])]
            drafts = [
                it["Key"] for name in names for it in client.list_multipart_uploads(Bucket=name).get("Uploads", [])
            ]
            return [*objects, *drafts]

        return stored


@pytest.mark.parametrize(
    ("key", "bucket"),
    [
        ("images/lead/picture", "images"),
        ("uploads/images/lead/picture", "images"),
        ("imports/file.csv", "imports"),
        ("uploads/imports/file.csv", "imports"),
        ("reports/file.csv", "imports"),
    ],
)
def test_pictures_are_stored_in_their_own_bucket(
    files: S3Files, buckets: Buckets, access: AwsClients, key: str, bucket: str
) -> None:
    write(files, key, b"12345")

    listed = access.s3().list_objects_v2(Bucket=getattr(buckets, bucket))["Contents"]

    assert [each["Key"] for each in listed] == [key]


@pytest.mark.parametrize("size", [5, PART + 1], ids=["in one piece", "in parts"])
def test_a_moved_file_stays_encrypted_and_keeps_its_content_type(
    files: S3Files, buckets: Buckets, access: AwsClients, size: int
) -> None:
    write(files, "uploads/imports/file.csv", bytes(size))
    written = access.s3().head_object(Bucket=buckets.imports, Key="uploads/imports/file.csv")

    files.move("uploads/imports/file.csv", "imports/file.csv")

    moved = access.s3().head_object(Bucket=buckets.imports, Key="imports/file.csv")
    assert (written["ServerSideEncryption"], moved["ServerSideEncryption"]) == ("AES256", "AES256")
    assert (written["ContentType"], moved["ContentType"]) == ("text/csv", "text/csv")
    assert moved["ContentLength"] == size


def test_files_are_encrypted_with_the_configured_key(buckets: Buckets, access: AwsClients) -> None:
    files = S3Files(buckets, access=access, clock=SystemClock(), kms_key_id="alias/unite")
    write(files, "uploads/imports/file.csv", b"12345")
    files.move("uploads/imports/file.csv", "imports/file.csv")

    kept = access.s3().head_object(Bucket=buckets.imports, Key="imports/file.csv")

    assert (kept["ServerSideEncryption"], kept["SSEKMSKeyId"]) == ("aws:kms", "alias/unite")


def test_a_stream_is_read_by_lines_and_closed_early_without_leaking_connections(files: S3Files) -> None:
    write(files, "imports/file.csv", b"Name\nAnn\n" + bytes(4 * MIB))

    for _ in range(20):  # more often than there are connections to be left over
        with files.read("imports/file.csv") as stream:
            assert [stream.readline(), stream.readline()] == [b"Name\n", b"Ann\n"]


@dataclass
class Peak:
    bytes: int = 0


@contextmanager
def measured() -> Iterator[Peak]:
    """Return the peak of memory allocated in the block, in bytes."""
    peak = Peak()
    tracemalloc.start()
    try:
        yield peak
        peak.bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_large_file_is_never_entirely_in_memory(files: S3Files) -> None:
    block = bytes(MIB)
    with measured() as writing, files.write("imports/file.csv", content_type="text/csv") as target:
        for _ in range(64):
            target.write(block)
    read = 0
    with measured() as reading, files.read("imports/file.csv") as source:
        while some := source.read(MIB):
            read += len(some)

    assert read == 64 * MIB
    assert writing.bytes < 4 * PART
    assert reading.bytes < 8 * MIB


def test_a_full_disk_raises_unavailable(files: S3Files) -> None:
    for number, error in ((errno.ENOSPC, Unavailable), (errno.EDQUOT, Unavailable), (errno.EIO, OSError)):
        with pytest.raises(error), files.write("imports/file.csv", content_type="text/csv"):
            raise OSError(number, "the disk")

    assert files.size("imports/file.csv") is None


def test_buckets_are_private_encrypted_and_have_lifecycle_rules_and_creating_them_again_is_safe(
    buckets: Buckets, access: AwsClients
) -> None:
    create_buckets(buckets, access, origins=("https://floor.example",))

    client = access.s3()
    for bucket in (buckets.imports, buckets.images):
        nobody = client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert set(nobody.values()) == {True}
        encryption = client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert [rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in encryption] == ["AES256"]
        taken, left, broken = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert (taken["Filter"]["Prefix"], taken["Expiration"]["Days"]) == ("uploads/", 2)
        assert (left["Filter"]["Prefix"], left["Expiration"]["Days"]) == ("imports/", 30)
        assert broken["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1
        [browsers] = client.get_bucket_cors(Bucket=bucket)["CORSRules"]
        assert (browsers["AllowedOrigins"], browsers["AllowedMethods"]) == (["https://floor.example"], ["GET", "POST"])


def test_buckets_are_created_in_the_configured_region(access: AwsClients, aws_url: str) -> None:
    named = Buckets(imports=a_bucket_name(), images=a_bucket_name())

    create_buckets(named, access_to(aws_url, region="eu-central-1"))

    assert access.s3().get_bucket_location(Bucket=named.imports)["LocationConstraint"] == "eu-central-1"


def refusing(code: str, *, setting_up: bool) -> Callable[[Request], Response]:
    """A storage that makes buckets, or sets them up, and refuses the other."""

    def answer(request: Request) -> Response:
        if bool(request.query_string) is setting_up:
            return Response(f"<Error><Code>{code}</Code></Error>", status=400)
        return Response()

    return answer


def test_a_lifecycle_rule_that_the_storage_does_not_support_is_skipped(caplog: pytest.LogCaptureFixture) -> None:
    named = Buckets(imports="floor-imports", images="floor-images")

    with served(refusing("NotImplemented", setting_up=True)) as url, caplog.at_level(logging.WARNING, "adapters"):
        create_buckets(named, access_to(url))

    assert len([each for each in caplog.records if "does not support the rule" in each.message]) == 8


@pytest.mark.parametrize("setting_up", [True, False])
def test_an_error_while_creating_or_configuring_a_bucket_is_raised(setting_up: bool) -> None:
    named = Buckets(imports="floor-imports", images="floor-images")

    with served(refusing("AccessDenied", setting_up=setting_up)) as url, pytest.raises(ClientError):
        create_buckets(named, access_to(url))

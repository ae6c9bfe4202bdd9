"""Tests of signed links of `S3Files`: a proxy that enforces policies as S3 does lets only the signed request pass."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from werkzeug.http import parse_options_header

from adapters.aws.clients import AwsClients
from adapters.aws.s3 import Buckets, S3Files
from adapters.system_clock import SystemClock
from tests.adapters.aws.moto import SECRET_KEY
from tests.adapters.aws.policy_proxy import PolicyProxy, run_policy_proxy
from tests.service_process import direct_session
from unite_core.files import Upload
from unite_core.testing.contracts.files import write

KEY = "uploads/imports/file.csv"
MINUTE = timedelta(minutes=1)
CONTENT = b"12345"


@pytest.fixture
def gate(aws_url: str) -> Iterator[PolicyProxy]:
    with run_policy_proxy(aws_url, SECRET_KEY) as gate:
        yield gate


@pytest.fixture
def files(buckets: Buckets, access: AwsClients, gate: PolicyProxy) -> S3Files:
    return S3Files(buckets, access=access, clock=SystemClock(), public_url=gate.url)


@pytest.fixture
def upload(files: S3Files) -> Upload:
    return files.sign_upload(KEY, content_type="text/csv", size=len(CONTENT), ttl=MINUTE)


def send(upload: Upload, content: bytes = CONTENT, fields: Mapping[str, str | None] | None = None) -> requests.Response:
    """Send a file as its permission says, but for these fields; None leaves one out."""
    form_fields = {name: value for name, value in {**upload.fields, **(fields or {})}.items() if value is not None}
    with direct_session() as session:
        return session.post(upload.url, data=form_fields, files={"file": ("leads.csv", content)}, timeout=30)


def fetch(url: str) -> requests.Response:
    with direct_session() as session:
        return session.get(url, timeout=30)


def test_an_upload_as_signed_is_stored_and_can_be_repeated(files: S3Files, upload: Upload) -> None:
    for content in (CONTENT, b"54321"):
        assert send(upload, content).ok
        with files.read(KEY) as stream:
            assert stream.read() == content


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"key": "imports/file.csv"}, "AccessDenied"),
        ({"key": f"{KEY}.other"}, "AccessDenied"),
        ({"Content-Type": "text/html"}, "AccessDenied"),
        ({"Content-Type": None}, "AccessDenied"),
        ({"x-amz-server-side-encryption": None}, "AccessDenied"),
        ({"x-amz-server-side-encryption": "aws:kms"}, "AccessDenied"),
        ({"acl": "public-read"}, "AccessDenied"),
        ({"success_action_redirect": "https://elsewhere.example"}, "AccessDenied"),
        ({"x-amz-signature": "0" * 64}, "SignatureDoesNotMatch"),
        ({"x-amz-signature": None}, "SignatureDoesNotMatch"),
        ({"policy": None}, "InvalidPolicyDocument"),
    ],
    ids=str,
)
def test_an_upload_that_differs_from_what_was_signed_is_refused(
    files: S3Files, upload: Upload, fields: dict[str, str | None], code: str
) -> None:
    answer = send(upload, fields=fields)

    assert (answer.status_code, answer.text) == (403, code)
    assert files.size(KEY) is None


@pytest.mark.parametrize(
    ("content", "code"), [(b"1234", "EntityTooSmall"), (b"123456", "EntityTooLarge"), (b"", "EntityTooSmall")]
)
def test_an_upload_of_another_size_is_refused(files: S3Files, upload: Upload, content: bytes, code: str) -> None:
    answer = send(upload, content)

    assert (answer.status_code, answer.text) == (403, code)
    assert files.size(KEY) is None


def test_a_policy_that_a_client_has_changed_is_refused(files: S3Files, upload: Upload) -> None:
    policy = json.loads(base64.b64decode(upload.fields["policy"]))
    policy["conditions"] = [
        ["content-length-range", 0, 1_000_000] if isinstance(each, list) else each for each in policy["conditions"]
    ]

    answer = send(upload, b"123456", {"policy": base64.b64encode(json.dumps(policy).encode()).decode()})

    assert (answer.status_code, answer.text) == (403, "SignatureDoesNotMatch")
    assert files.size(KEY) is None


def test_an_upload_to_another_bucket_is_refused(buckets: Buckets, upload: Upload) -> None:
    answer = send(replace(upload, url=upload.url.replace(buckets.imports, buckets.images)))

    assert (answer.status_code, answer.text) == (403, "AccessDenied")


def test_a_signed_upload_expires(files: S3Files, upload: Upload, gate: PolicyProxy) -> None:
    gate.ahead = MINUTE + timedelta(seconds=1)

    answer = send(upload)

    assert (answer.status_code, answer.text) == (403, "AccessDenied")
    assert files.size(KEY) is None


def test_signed_links_are_valid_until_the_returned_expiry(files: S3Files) -> None:
    upload = files.sign_upload(KEY, content_type="text/csv", size=5, ttl=MINUTE)
    download = files.sign_download(KEY, filename="leads.csv", content_type="text/csv", ttl=MINUTE)

    policy = json.loads(base64.b64decode(upload.fields["policy"]))
    link = dict(parse_qsl(urlsplit(download.url).query))

    assert policy["expiration"] >= upload.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert link["X-Amz-Expires"] == "60"
    assert link["X-Amz-Date"] >= (download.expires_at - MINUTE).strftime("%Y%m%dT%H%M%SZ")


def test_an_upload_must_name_the_configured_encryption_key(
    buckets: Buckets, access: AwsClients, gate: PolicyProxy
) -> None:
    files = S3Files(buckets, access=access, clock=SystemClock(), public_url=gate.url, kms_key_id="alias/unite")
    upload = files.sign_upload(KEY, content_type="text/csv", size=5, ttl=MINUTE)
    named = "x-amz-server-side-encryption-aws-kms-key-id"
    assert (upload.fields["x-amz-server-side-encryption"], upload.fields[named]) == ("aws:kms", "alias/unite")

    assert send(upload, fields={named: "alias/another"}).status_code == 403
    assert send(upload).ok


def test_a_picture_is_uploaded_to_the_bucket_for_images(files: S3Files, buckets: Buckets) -> None:
    upload = files.sign_upload("uploads/images/picture", content_type="image/png", size=5, ttl=MINUTE)

    assert send(upload).ok
    assert upload.url.endswith(f"/{buckets.images}")
    assert files.size("uploads/images/picture") == 5


@pytest.mark.parametrize(
    "filename",
    ["leads.csv", "Żółć & 100% =1+1.csv", 'a "quoted" \\ name.csv', "名前"],
    ids=["plain", "with accents", "quoted", "without letters"],
)
def test_a_signed_download_is_served_under_its_filename(files: S3Files, filename: str) -> None:
    write(files, KEY, CONTENT)

    answer = fetch(files.sign_download(KEY, filename=filename, content_type="text/plain", ttl=MINUTE).url)

    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["Content-Type"].startswith("text/plain")
    disposition = parse_options_header(answer.headers["Content-Disposition"])
    assert disposition == ("attachment", {"filename": filename})


def test_a_link_with_any_parameter_changed_removed_or_added_is_refused(files: S3Files) -> None:
    write(files, KEY, CONTENT)
    url = files.sign_download(KEY, filename="leads.csv", content_type="text/csv", ttl=MINUTE).url
    address, _, query_string = url.partition("?")
    query = dict(parse_qsl(query_string))
    assert fetch(f"{address}?{urlencode(query)}").ok  # the way in which it is put together anew harms nothing
    tampered = [
        *({**query, name: f"{value}0"} for name, value in query.items()),
        *({other: value for other, value in query.items() if other != name} for name in query),
        {**query, "response-cache-control": "public"},
        {},
    ]

    answers = [fetch(f"{address}?{urlencode(changed)}").status_code for changed in tampered]
    other = fetch(url.replace(KEY, "imports/file.csv"))

    assert set(answers) == {403}
    assert (other.status_code, other.text) == (403, "SignatureDoesNotMatch")


def test_a_link_expires(files: S3Files, gate: PolicyProxy) -> None:
    write(files, KEY, CONTENT)
    url = files.sign_download(KEY, filename="leads.csv", content_type="text/csv", ttl=MINUTE).url
    gate.ahead = MINUTE + timedelta(seconds=1)

    answer = fetch(url)

    assert (answer.status_code, answer.text) == (403, "AccessDenied")


def test_links_start_with_the_public_url_of_the_storage_or_with_its_endpoint(
    buckets: Buckets, access: AwsClients, files: S3Files, gate: PolicyProxy
) -> None:
    inside = S3Files(buckets, access=access, clock=SystemClock())

    for signing, url in ((files, gate.url), (inside, access.endpoint_url)):
        upload = signing.sign_upload(KEY, content_type="text/csv", size=5, ttl=MINUTE)
        download = signing.sign_download(KEY, filename="leads.csv", content_type="text/csv", ttl=MINUTE)
        assert upload.url.startswith(f"{url}/{buckets.imports}")
        assert download.url.startswith(f"{url}/{buckets.imports}/{KEY}?")


def test_links_to_aws_name_the_bucket_and_its_region() -> None:
    access = AwsClients(region="eu-central-1", key_id="AKIATESTING", secret_key=SECRET_KEY)
    files = S3Files(Buckets(imports="floor-imports", images="floor-images"), access=access, clock=SystemClock())

    upload = files.sign_upload(KEY, content_type="text/csv", size=5, ttl=MINUTE)
    download = files.sign_download(KEY, filename="leads.csv", content_type="text/csv", ttl=MINUTE)

    assert urlsplit(upload.url).hostname == "floor-imports.s3.eu-central-1.amazonaws.com"
    assert urlsplit(download.url).hostname == "floor-imports.s3.eu-central-1.amazonaws.com"

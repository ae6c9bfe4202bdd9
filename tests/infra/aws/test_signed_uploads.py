"""Tests of signed links for the deployed buckets: only the signed request is accepted.

A proxy before moto verifies signatures and policies as S3 does (`tests/adapters/aws/policy_proxy.py`); the service, a
process of its own, gives links that lead to the proxy. What passes is announced by EventBridge and SQS, and imported.
"""

import base64
import json
from collections.abc import Generator, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import requests

from tests.adapters.aws.moto import SECRET_KEY
from tests.adapters.aws.policy_proxy import PolicyProxy, run_policy_proxy
from tests.infra.aws.additions import client
from tests.infra.aws.deploying import Deployment
from tests.infra.aws.templates import REGION
from tests.service_process import Client, direct_session, eventually, service

CONTENT = b"first name,last name,email,phone\nAda,Lovelace,ada@example.com,+12025550123\n"
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def gate(aws_server: str) -> Iterator[PolicyProxy]:
    with run_policy_proxy(aws_server, SECRET_KEY) as gate:
        yield gate


@pytest.fixture(scope="module")
def user(
    deployment: Deployment,
    open_buckets: None,
    aws_server: str,
    gate: PolicyProxy,
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[Client]:
    """Return a logged-in user of a service with the buckets and the queue of the stacks."""
    assert open_buckets is None
    settings = {
        "UNITE_AWS_ENDPOINT_URL": aws_server,
        "UNITE_S3_BUCKET_IMPORTS": deployment.export("ImportsBucket"),
        "UNITE_S3_BUCKET_IMAGES": deployment.export("ImagesBucket"),
        "UNITE_S3_PUBLIC_URL": gate.url,
        "UNITE_SQS_IMPORTS_QUEUE_URL": deployment.export("UploadsQueueUrl"),
        "AWS_ACCESS_KEY_ID": "AKIATESTING",
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
    }
    folder: Path = tmp_path_factory.mktemp("service")
    with service(folder, **settings) as one:
        one.start()
        yield one.client()


@pytest.fixture(autouse=True)
def on_time(gate: PolicyProxy) -> None:
    gate.ahead = timedelta()


def announced(user: Client, size: int = len(CONTENT)) -> dict[str, Any]:
    """An import whose file is to be uploaded."""
    answer: dict[str, Any] = user.call("POST", "/v1/lead-imports", json={"filename": "leads.csv", "size": size})
    return answer


def send(
    upload: Mapping[str, Any], content: bytes = CONTENT, changed: Mapping[str, str | None] | None = None
) -> requests.Response:
    """Send a file as the service says, but for these fields; None leaves one out."""
    fields = {name: value for name, value in {**upload["fields"], **(changed or {})}.items() if value is not None}
    with direct_session() as session:
        return session.post(upload["url"], data=fields, files={"file": ("leads.csv", content)}, timeout=60)


def stored(deployment: Deployment, upload: Mapping[str, Any]) -> list[str]:
    """What lies under the key of the upload, or beside it."""
    listed = client("s3").list_objects_v2(Bucket=deployment.export("ImportsBucket"), Prefix=upload["fields"]["key"])
    return [it["Key"] for it in listed.get("Contents", [])]


def test_a_file_uploaded_as_signed_is_imported(user: Client) -> None:
    announcement = announced(user)

    assert send(announcement["upload"]).ok

    done = eventually(
        lambda: (
            it
            if (it := user.lead_import(announcement["id"]))["status"] not in ("awaiting_upload", "queued", "running")
            else None
        ),
        "the import has ended",
    )
    assert done["status"] == "completed"
    assert done["counts"]["created"] == 1


@pytest.mark.parametrize(
    ("changed", "content", "code"),
    [
        ({"key": "imports/other.csv"}, CONTENT, "AccessDenied"),
        ({"key": "uploads/imports/other.csv"}, CONTENT, "AccessDenied"),
        ({"Content-Type": "text/html"}, CONTENT, "AccessDenied"),
        ({"x-amz-server-side-encryption": None}, CONTENT, "AccessDenied"),
        ({"acl": "public-read"}, CONTENT, "AccessDenied"),
        ({}, CONTENT + b"more", "EntityTooLarge"),
        ({}, CONTENT[:-1], "EntityTooSmall"),
        ({"x-amz-signature": "0" * 64}, CONTENT, "SignatureDoesNotMatch"),
        ({"x-amz-signature": None}, CONTENT, "SignatureDoesNotMatch"),
    ],
    ids=[
        "elsewhere",
        "another upload",
        "type",
        "not encrypted",
        "public",
        "too large",
        "too small",
        "forged",
        "unsigned",
    ],
)
def test_a_file_that_differs_from_what_was_signed_is_refused(
    deployment: Deployment, user: Client, changed: dict[str, str | None], content: bytes, code: str
) -> None:
    announcement = announced(user)

    answer = send(announcement["upload"], content, changed)

    assert (answer.status_code, answer.text) == (403, code)
    assert stored(deployment, announcement["upload"]) == []
    assert user.lead_import(announcement["id"])["status"] == "awaiting_upload"


def test_a_policy_that_a_client_has_changed_is_refused(deployment: Deployment, user: Client) -> None:
    announcement = announced(user)
    policy = json.loads(base64.b64decode(announcement["upload"]["fields"]["policy"]))
    policy["conditions"] = [
        ["content-length-range", 0, 10**9] if isinstance(it, list) else it for it in policy["conditions"]
    ]

    answer = send(
        announcement["upload"], CONTENT * 2, {"policy": base64.b64encode(json.dumps(policy).encode()).decode()}
    )

    assert (answer.status_code, answer.text) == (403, "SignatureDoesNotMatch")
    assert stored(deployment, announcement["upload"]) == []


def test_an_upload_link_expires(deployment: Deployment, user: Client, gate: PolicyProxy) -> None:
    announcement = announced(user)
    gate.ahead = HOUR * 24

    answer = send(announcement["upload"])

    assert (answer.status_code, answer.text) == (403, "AccessDenied")
    assert stored(deployment, announcement["upload"]) == []


def test_an_import_file_cannot_be_uploaded_to_the_bucket_for_images(deployment: Deployment, user: Client) -> None:
    upload = announced(user)["upload"]
    images = deployment.export("ImagesBucket")

    answer = send({**upload, "url": upload["url"].replace(deployment.export("ImportsBucket"), images)})

    assert (answer.status_code, answer.text) == (403, "AccessDenied")


def test_a_link_to_an_error_report_serves_only_that_file_until_it_expires(user: Client, gate: PolicyProxy) -> None:
    wrong = b"first name,last name,email,phone\nAda,Lovelace,no address,+12025550124\n"
    announcement = announced(user, len(wrong))
    assert send(announcement["upload"], wrong).ok
    eventually(lambda: user.lead_import(announcement["id"])["status"] == "completed", "the import has ended")

    answer = user.session.get(
        f"{user.url}/v1/lead-imports/{announcement['id']}/error-report", allow_redirects=False, timeout=60
    )
    link = answer.headers["Location"]
    address, _, query = link.partition("?")
    forged = {**dict(parse_qsl(query)), "response-content-type": "text/html"}

    with direct_session() as session:
        assert b"no address" in session.get(link, timeout=60).content
        assert session.get(f"{address}?{urlencode(forged)}", timeout=60).text == "SignatureDoesNotMatch"
        assert session.get(address, timeout=60).status_code == 403
        gate.ahead = HOUR * 24
        assert session.get(link, timeout=60).text == "AccessDenied"

"""Tests of the main features through the whole Compose stack: leads, imports, activity and pictures."""

import csv
import io
from typing import Any

import pytest
import requests

from tests.compose.stack import ADMIN, Stack
from tests.conftest import CHECKOUT
from tests.pictures import PNG
from tests.service_process import Client, direct_session, eventually

DATA = CHECKOUT / "tests" / "data"
ENDED = ("completed", "failed", "cancelled")


def imported(client: Client, import_id: str) -> dict[str, Any]:
    """The import, when it has ended."""

    def ended() -> dict[str, Any] | None:
        response = client.lead_import(import_id)
        return response if response["status"] in ENDED else None

    return eventually(ended, f"import {import_id} ends")


def sent(upload: dict[str, Any], content: bytes) -> requests.Response:
    """The storage's answer to a file that is sent as its announcement says."""
    assert upload["method"] == "POST"
    with direct_session() as session:
        return session.post(upload["url"], data=upload["fields"], files={"file": ("file", content)}, timeout=60)


@pytest.fixture(scope="module")
def thousand(client: Client) -> dict[str, Any]:
    """The import of a thousand people, sent in one call, when it has ended."""
    content = (DATA / "leads-1000.csv").read_bytes()
    form = {"file": ("leads-1000.csv", content, "text/csv"), "options": (None, '{"default_country": "US"}')}
    begun = client.call("POST", "/v1/lead-imports/file", files=form)
    return imported(client, str(begun["id"]))


def test_every_dependency_is_ready(client: Client) -> None:
    ready = client.call("GET", "/health/ready")

    assert ready["status"] == "ok", ready
    assert set(ready["checks"]) == {"database", "mongodb", "redis", "s3", "sqs", "sns", "twilio"}


def test_the_first_admin_exists(client: Client) -> None:
    me = client.call("GET", "/v1/me")

    assert (me["email"], me["role"]) == (ADMIN, "admin")


def test_a_file_uploaded_through_the_api_is_imported(thousand: dict[str, Any]) -> None:
    assert thousand["status"] == "completed"
    assert thousand["counts"] == {"rows": 1000, "created": 835, "updated": 0, "duplicate": 0, "rejected": 165}


def test_the_error_report_is_downloaded_from_storage_by_a_signed_link(
    stack: Stack, client: Client, thousand: dict[str, Any]
) -> None:
    shown = client.session.get(
        f"{stack.url}/v1/lead-imports/{thousand['id']}/error-report", allow_redirects=False, timeout=60
    )
    link = shown.headers["Location"]
    with direct_session() as anybody:
        report = anybody.get(link, timeout=60)

    assert link.startswith(stack.storage_url)
    assert report.status_code == 200
    assert len(list(csv.DictReader(io.StringIO(report.content.decode("utf-8-sig"))))) == 165


def test_a_file_uploaded_to_storage_is_imported_automatically(client: Client) -> None:
    content = (DATA / "leads-duplicates-1000.csv").read_bytes()
    announcement = {
        "filename": "leads-duplicates-1000.csv",
        "size": len(content),
        "options": {"default_country": "US"},
    }

    announced = client.call("POST", "/v1/lead-imports", json=announcement)
    answer = sent(announced["upload"], content)
    done = imported(client, announced["id"])

    assert answer.status_code < 300, answer.text
    assert done["status"] == "completed"
    assert done["counts"] == {"rows": 1000, "created": 621, "updated": 0, "duplicate": 199, "rejected": 180}


def test_the_activity_of_a_lead_is_listed(client: Client) -> None:
    lead = client.call("POST", "/v1/leads", json={"name": "Grace Hopper", "email": "grace@example.com"})
    client.call("PATCH", f"/v1/leads/{lead['id']}", json={"status": "contacted"}, headers={"If-Match": '"1"'})

    def event_types() -> list[str] | None:
        types = [event["type"] for event in client.call("GET", f"/v1/leads/{lead['id']}/activity")["items"]]
        return types if len(types) == 2 else None

    assert eventually(event_types, "both events are in the activity log") == ["lead.changed", "lead.created"]


def test_a_picture_is_uploaded_to_storage_and_downloaded_again(stack: Stack, client: Client) -> None:
    lead = client.call("POST", "/v1/leads", json={"name": "Ada Lovelace", "email": "ada@example.com"})
    images = f"/v1/leads/{lead['id']}/images"

    announced = client.call("POST", images, json={"content_type": "image/png", "size": len(PNG)})
    answer = sent(announced["upload"], PNG)
    client.call("POST", f"{images}/{announced['id']}/complete")
    (image,) = client.call("GET", images)["items"]
    with direct_session() as anybody:
        picture = anybody.get(image["download_url"], timeout=60)

    assert answer.status_code < 300, answer.text
    assert image["status"] == "ready"
    assert image["download_url"].startswith(stack.storage_url)
    assert (picture.content, picture.headers["Content-Type"]) == (PNG, "image/png")

"""Tests of requests that exceed a quota: the problem document names the quota and what to do."""

import io
import json
from typing import Any

import pytest

from tests.http.service import CALL, DUE, PASSWORD, TASKS, HttpScenario, Service, problem
from unite_core.quotas import Quotas

IMPORTS = "/v1/lead-imports"
PICTURE = {"content_type": "image/png", "size": 100}
CSV = b"Name,Phone\nAda,+12125550100\n"

FEW = Quotas(
    open_imports=2,
    images_per_lead=2,
    open_images=1,
    pending_tasks_per_lead=2,
    corrections_per_call=1,
    notes_per_hour=1,
    sessions=2,
)


@pytest.fixture
def scenario() -> HttpScenario:
    return HttpScenario(Service(quotas=FEW))


def form(content: bytes = CSV, **options: Any) -> dict[str, Any]:
    parts = {"file": (io.BytesIO(content), "leads.csv"), "options": (None, json.dumps(options))}
    return {"data": {"file": parts["file"]}, "content_type": "multipart/form-data"}


def test_an_import_beyond_the_quota_is_refused(scenario: HttpScenario) -> None:
    responses = [scenario.manager.post(IMPORTS, json={"filename": "a.csv", "size": 10}) for _ in range(3)]

    assert [it.status_code for it in responses[:2]] == [201, 201]
    assert problem(responses[2]) == (409, "too_many_imports")
    assert "may have 2; start those that you have uploaded" in responses[2].get_json()["detail"]
    assert problem(scenario.manager.post(f"{IMPORTS}/file", **form())) == (409, "too_many_imports")

    first = responses[0].get_json()["id"]
    assert scenario.manager.post(f"{IMPORTS}/{first}/cancel").status_code == 200
    assert scenario.manager.post(f"{IMPORTS}/file", **form()).status_code == 202


@pytest.fixture(params=[Quotas(open_imports=1), Quotas(open_bytes=len(CSV))], ids=["imports", "bytes"])
def full(request: pytest.FixtureRequest) -> HttpScenario:
    """A scenario with room for one import, which no worker runs."""
    return HttpScenario(Service(quotas=request.param))


def test_an_upload_is_replayed_although_it_has_reached_the_quota(full: HttpScenario) -> None:
    key = {"Idempotency-Key": "k1"}

    first, again = (full.manager.post(f"{IMPORTS}/file", headers=key, **form()) for _ in range(2))

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.get_data() == first.get_data()
    assert len(full.service.ports.files._contents) == 1


def test_the_same_file_returns_its_import_although_the_quota_is_reached(full: HttpScenario) -> None:
    responses = [full.manager.post(f"{IMPORTS}/file", **form()) for _ in range(3)]

    assert [it.status_code for it in responses] == [202, 202, 202]
    assert len({it.get_json()["id"] for it in responses}) == 1
    other = full.manager.post(f"{IMPORTS}/file", **form(CSV.replace(b"Ada", b"Eve")))
    assert other.status_code == 409
    assert len(full.service.ports.files._contents) == 1


def test_another_file_with_the_same_key_is_a_reused_key_although_the_quota_is_reached(full: HttpScenario) -> None:
    key = {"Idempotency-Key": "k1"}
    full.manager.post(f"{IMPORTS}/file", headers=key, **form())

    other = full.manager.post(f"{IMPORTS}/file", headers=key, **form(CSV.replace(b"Ada", b"Eve")))

    assert problem(other) == (422, "idempotency_key_reused")


def test_imports_beyond_the_quota_of_bytes_are_refused(scenario: HttpScenario) -> None:
    scenario = HttpScenario(Service(quotas=Quotas(open_bytes=100)))
    assert scenario.manager.post(IMPORTS, json={"filename": "a.csv", "size": 90}).status_code == 201

    answer = scenario.manager.post(IMPORTS, json={"filename": "a.csv", "size": 11})

    assert problem(answer) == (409, "too_many_import_bytes")
    assert problem(scenario.manager.post(f"{IMPORTS}/file", **form())) == (409, "too_many_import_bytes")
    # Its file is thrown away.
    assert [*scenario.service.ports.files._contents] == []


def test_a_refused_request_can_be_repeated_once_the_quota_allows_it(scenario: HttpScenario) -> None:
    new, key = {"filename": "a.csv", "size": 10}, {"Idempotency-Key": "again"}
    ids = [scenario.manager.post(IMPORTS, json=new).get_json()["id"] for _ in range(2)]
    assert problem(scenario.manager.post(IMPORTS, json=new, headers=key)) == (409, "too_many_imports")
    scenario.manager.post(f"{IMPORTS}/{ids[0]}/cancel")

    first, again = (scenario.manager.post(IMPORTS, json=new, headers=key) for _ in range(2))

    assert (first.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")


def test_announced_pictures_and_those_of_a_lead_are_limited(scenario: HttpScenario) -> None:
    path = f"/v1/leads/{scenario.grace}/images"
    assert scenario.ann.post(path, json=PICTURE).status_code == 201
    assert problem(scenario.ann.post(path, json=PICTURE)) == (409, "too_many_announced_images")
    assert scenario.manager.post(path, json=PICTURE).status_code == 201

    assert problem(scenario.admin.post(path, json=PICTURE)) == (409, "too_many_images")


def test_notes_per_hour_are_limited_with_retry_after(scenario: HttpScenario) -> None:
    path = f"{TASKS}/{scenario.create_call_task()['id']}/notes"
    assert scenario.ann.post(path, json={"text": "First."}).status_code == 200

    answer = scenario.ann.post(path, json={"text": "Second."})

    assert problem(answer) == (429, "quota_exceeded")
    assert answer.headers["Retry-After"] == "3600"
    assert "At most 1 notes of one user" in answer.get_json()["detail"]


def test_pending_tasks_of_a_lead_are_limited(scenario: HttpScenario) -> None:
    scenario.create_call_task()
    scenario.create_call_task()

    answer = scenario.manager.post(TASKS, json={"lead_id": scenario.grace, "due_at": DUE})

    assert problem(answer) == (409, "too_many_call_tasks")


def test_corrections_of_a_call_are_limited(scenario: HttpScenario) -> None:
    task = scenario.create_call_task()["id"]
    assert scenario.ann.post(f"{TASKS}/{task}/complete", json=CALL).status_code == 200
    (entry,) = scenario.manager.get("/v1/call-logs").get_json()["items"]
    path = f"/v1/call-logs/{entry['id']}/corrections"

    responses = [scenario.manager.post(path, json={"reason": "Wrong.", "duration_seconds": it}) for it in (1, 2)]

    assert responses[0].status_code == 200
    assert problem(responses[1]) == (409, "too_many_corrections")


def test_a_login_beyond_the_quota_of_sessions_ends_the_oldest(scenario: HttpScenario) -> None:
    user = {"email": scenario.ben.user.email, "password": PASSWORD}
    for _ in range(2):
        assert scenario.service.stranger.post("/v1/auth/login", json=user).status_code == 200

    assert problem(scenario.ben.get("/v1/me")) == (401, "token_revoked")

"""Tests of announced imports over HTTP: upload to storage, and start."""

from typing import Any
from uuid import UUID

import pytest

from tests.http.imports.scenario import (
    IMPORTS,
    TWO_LEADS,
    announce_import,
    field_errors,
    json_of,
    list_leads,
    send_file,
    upload_file,
)
from tests.http.service import PUBLIC_URL, HttpScenario
from unite_core.imports.model import MAX_FILE_BYTES


def test_an_announced_file_is_uploaded_and_imported(scenario: HttpScenario) -> None:
    announced = announce_import(scenario.manager, TWO_LEADS)
    coming = json_of(announced)
    sent = send_file(scenario, coming["upload"], TWO_LEADS)
    started = scenario.manager.post(f"{IMPORTS}/{coming['id']}/start")
    scenario.service.run_jobs()

    assert announced.status_code == 201
    assert announced.headers["Location"] == f"{IMPORTS}/{coming['id']}"
    assert announced.headers["ETag"] == '"1"'
    assert coming["status"] == "awaiting_upload"
    assert sent.status_code == 204
    assert (started.status_code, json_of(started)["status"]) == (202, "queued")
    assert started.headers["Location"] == f"{IMPORTS}/{coming['id']}"
    done = json_of(scenario.manager.get(f"{IMPORTS}/{coming['id']}"))
    assert done["status"] == "completed"
    assert done["counts"] == {"rows": 2, "created": 2, "updated": 0, "duplicate": 0, "rejected": 0}
    assert {lead["name"] for lead in list_leads(scenario.manager)} == {"Ada Lovelace", "Grace Hopper"}


def test_an_announcement_returns_upload_instructions(scenario: HttpScenario) -> None:
    announced = json_of(announce_import(scenario.manager, TWO_LEADS))

    upload = announced["upload"]
    assert upload["url"].startswith(f"{PUBLIC_URL}/files/uploads/imports/")
    assert upload["method"] == "PUT"
    assert upload["headers"] == {"Content-Type": "text/csv"}
    assert upload["fields"] == {}
    assert announced["expires_at"] == "2026-03-02T10:00:00Z"


def test_an_import_has_all_of_its_fields(scenario: HttpScenario) -> None:
    manager = str(scenario.manager.user.id)

    shown = json_of(
        announce_import(scenario.manager, TWO_LEADS, options={"default_country": "us", "columns": {"Name": None}})
    )

    del shown["upload"], shown["expires_at"]
    assert shown == {
        "id": shown["id"],
        "filename": "leads.csv",
        "size": len(TWO_LEADS),
        "status": "awaiting_upload",
        "options": {
            "on_duplicate": "skip",
            "default_country": "US",
            "default_source": None,
            "default_assigned_to": None,
            "columns": {"Name": None},
            "dry_run": False,
        },
        "columns": [],
        "counts": {"rows": 0, "created": 0, "updated": 0, "duplicate": 0, "rejected": 0},
        "progress": {
            "bytes_done": 0,
            "bytes_total": len(TWO_LEADS),
            "percent": 0.0,
            "rows_per_second": None,
            "eta_seconds": None,
        },
        "error_report_url": None,
        "created_by": manager,
        "created_at": "2026-03-02T09:00:00Z",
        "started_at": None,
        "finished_at": None,
        "failure": None,
        "undo": None,
        "version": 1,
    }


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"size": 5}, "/filename", "required"),
        ({"filename": "a.csv"}, "/size", "required"),
        ({"filename": 5, "size": 5}, "/filename", "wrong_type"),
        ({"filename": "a.csv", "size": "5"}, "/size", "wrong_type"),
        ({"filename": "a.csv", "size": True}, "/size", "wrong_type"),
        ({"filename": "a.csv", "size": 5.5}, "/size", "wrong_type"),
        ({"filename": "a.csv", "size": 0}, "/size", "wrong_size"),
        ({"filename": "a.csv", "size": MAX_FILE_BYTES + 1}, "/size", "wrong_size"),
        ({"filename": "", "size": 5}, "/filename", "required"),
        ({"filename": "a\u0000.csv", "size": 5}, "/filename", "control_character"),
        ({"filename": "a" * 256, "size": 5}, "/filename", "too_long"),
        ({"filename": "a.csv", "size": 5, "extra": 1}, "/extra", "unknown_field"),
        ({"filename": "a.csv", "size": 5, "options": []}, "/options", "wrong_type"),
    ],
)
def test_an_invalid_announcement_is_refused(
    scenario: HttpScenario, body: dict[str, Any], pointer: str, code: str
) -> None:
    refused = scenario.manager.post(IMPORTS, json=body)

    assert refused.status_code == 422
    assert field_errors(refused) == {pointer: code}
    assert json_of(scenario.manager.get(IMPORTS))["items"] == []


BAD_OPTIONS = [
    ({"unknown": 1}, "unknown", "unknown_field"),
    ({"on_duplicate": "overwrite"}, "on_duplicate", "unknown_value"),
    ({"on_duplicate": True}, "on_duplicate", "unknown_value"),
    ({"default_country": 1}, "default_country", "wrong_type"),
    ({"default_country": "USA"}, "default_country", "unknown_country"),
    ({"default_country": "ß"}, "default_country", "unknown_country"),
    ({"default_source": ["web"]}, "default_source", "wrong_type"),
    ({"default_source": "w" * 65}, "default_source", "too_long"),
    ({"default_assigned_to": "me"}, "default_assigned_to", "invalid_id"),
    ({"default_assigned_to": "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f"}, "default_assigned_to", "unknown_user"),
    ({"columns": ["Name"]}, "columns", "wrong_type"),
    ({"columns": {"Name": 5}}, "columns", "wrong_type"),
    ({"columns": {"Name": "nickname"}}, "columns", "unknown_field"),
    ({"columns": {"Name\u0000": "name"}}, "columns", "control_character"),
    ({"columns": {"N" * 1001: "name"}}, "columns", "too_long"),
    ({"columns": {str(number): None for number in range(1001)}}, "columns", "too_many_columns"),
    ({"columns": {"Name": "name", "Nickname": "name"}}, "columns", "duplicate_mapping"),
    ({"columns": None}, "columns", "null"),
    ({"dry_run": "true"}, "dry_run", "wrong_type"),
    ({"dry_run": 1}, "dry_run", "wrong_type"),
    ({"dry_run": None}, "dry_run", "null"),
]


@pytest.mark.parametrize(("options", "field", "code"), BAD_OPTIONS)
def test_invalid_options_of_an_announcement_are_refused(
    scenario: HttpScenario, options: dict[str, Any], field: str, code: str
) -> None:
    refused = announce_import(scenario.manager, TWO_LEADS, options=options)

    assert refused.status_code == 422
    assert field_errors(refused) == {f"/options/{field}": code}


@pytest.mark.parametrize(("options", "field", "code"), BAD_OPTIONS)
def test_invalid_options_of_a_form_are_refused(
    scenario: HttpScenario, options: dict[str, Any], field: str, code: str
) -> None:
    refused = upload_file(scenario.manager, TWO_LEADS, options=options)

    assert refused.status_code == 422
    assert field_errors(refused) == {f"/options/{field}": code}


def test_options_that_are_null_count_as_missing(scenario: HttpScenario) -> None:
    nothing = {"default_country": None, "default_source": None, "default_assigned_to": None}

    announced = announce_import(scenario.manager, TWO_LEADS, options=nothing)

    assert announced.status_code == 201


def test_an_import_cannot_be_started_before_its_upload(scenario: HttpScenario) -> None:
    coming = json_of(announce_import(scenario.manager, TWO_LEADS))

    early = scenario.manager.post(f"{IMPORTS}/{coming['id']}/start")

    assert (early.status_code, json_of(early)["code"]) == (409, "not_uploaded")


def test_starting_twice_has_one_effect(scenario: HttpScenario) -> None:
    coming = json_of(announce_import(scenario.manager, TWO_LEADS))
    send_file(scenario, coming["upload"], TWO_LEADS)
    scenario.manager.post(f"{IMPORTS}/{coming['id']}/start")
    scenario.service.run_jobs()

    again = scenario.manager.post(f"{IMPORTS}/{coming['id']}/start")

    assert (again.status_code, json_of(again)["status"]) == (202, "completed")
    assert len(list_leads(scenario.manager)) == 2


def test_a_cancelled_import_cannot_be_started(scenario: HttpScenario) -> None:
    coming = json_of(announce_import(scenario.manager, TWO_LEADS))
    send_file(scenario, coming["upload"], TWO_LEADS)
    scenario.manager.post(f"{IMPORTS}/{coming['id']}/cancel")

    late = scenario.manager.post(f"{IMPORTS}/{coming['id']}/start")

    assert (late.status_code, json_of(late)["code"]) == (409, "already_started")


def test_starting_the_same_file_again_returns_the_first_import(scenario: HttpScenario) -> None:
    first, second = (
        json_of(announce_import(scenario.manager, TWO_LEADS)),
        json_of(announce_import(scenario.manager, TWO_LEADS)),
    )
    for coming in (first, second):
        send_file(scenario, coming["upload"], TWO_LEADS)
    scenario.manager.post(f"{IMPORTS}/{first['id']}/start")

    started = scenario.manager.post(f"{IMPORTS}/{second['id']}/start")

    assert json_of(started)["id"] == first["id"]
    assert started.headers["Location"] == f"{IMPORTS}/{first['id']}"
    assert json_of(scenario.manager.get(f"{IMPORTS}/{second['id']}"))["status"] == "cancelled"


def test_a_repeated_announcement_with_its_key_gets_the_first_response(scenario: HttpScenario) -> None:
    body, key = {"filename": "leads.csv", "size": 10}, {"Idempotency-Key": "march"}
    first = scenario.manager.post(IMPORTS, key, json=body)

    second = scenario.manager.post(IMPORTS, key, json=body)

    assert second.status_code == 201
    assert second.data == first.data
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["Location"] == first.headers["Location"]
    assert len(json_of(scenario.manager.get(IMPORTS))["items"]) == 1


def test_a_start_may_require_a_version(scenario: HttpScenario) -> None:
    coming = json_of(announce_import(scenario.manager, TWO_LEADS))
    send_file(scenario, coming["upload"], TWO_LEADS)

    stale = scenario.manager.post(f"{IMPORTS}/{coming['id']}/start", {"If-Match": '"7"'})
    fresh = scenario.manager.post(f"{IMPORTS}/{coming['id']}/start", {"If-Match": '"7", "1"'})

    assert (stale.status_code, json_of(stale)["code"]) == (412, "precondition_failed")
    assert (fresh.status_code, fresh.headers["ETag"]) == (202, '"2"')


def test_an_import_has_the_correlation_id_of_the_request_that_started_it(scenario: HttpScenario) -> None:
    coming = json_of(announce_import(scenario.manager, TWO_LEADS))
    send_file(scenario, coming["upload"], TWO_LEADS)

    scenario.manager.post(f"{IMPORTS}/{coming['id']}/start", {"X-Correlation-ID": "c0ffee-1234"})

    assert scenario.service.unite.imports.due().correlation_ids == {UUID(coming["id"]): "c0ffee-1234"}

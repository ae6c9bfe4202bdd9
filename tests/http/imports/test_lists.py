"""Tests of lists of imports and of rejected rows, and of error reports, over HTTP."""

from datetime import timedelta

import pytest

from tests.http.imports.scenario import (
    IMPORTS,
    TWO_LEADS,
    announce_import,
    field_errors,
    import_file,
    json_of,
    list_leads,
    list_rejections,
    path_of,
    upload_file,
)
from tests.http.service import PUBLIC_URL, HttpScenario

ANY = "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f"
WRONG = (
    b"Name,Phone,Email,Note\n"
    b"Ada Lovelace,+12125550100,,first\n"
    b",12,not an address,second\n"
    b"Ada again,+1 (212) 555-0100,,third\n"
    b"Alan Turing,,alan@example,com\n"
)


def test_imports_are_paginated_newest_first(scenario: HttpScenario) -> None:
    ids = []
    for number in range(3):
        ids.append(json_of(upload_file(scenario.manager, TWO_LEADS + b"\n" * number))["id"])
        scenario.service.ports.clock.advance(timedelta(seconds=1))

    first = scenario.manager.get(f"{IMPORTS}?limit=2")
    second = scenario.manager.get(path_of(first.headers["Link"].split(">")[0].removeprefix("<")))

    assert [each["id"] for each in json_of(first)["items"]] == [ids[2], ids[1]]
    assert [each["id"] for each in json_of(second)["items"]] == [ids[0]]
    assert json_of(second)["next_cursor"] is None


def test_imports_are_filtered_by_status(scenario: HttpScenario) -> None:
    done = import_file(scenario.manager, TWO_LEADS)["id"]
    failed = import_file(scenario.manager, b"Colour\nred\n")["id"]
    waiting = json_of(announce_import(scenario.manager, TWO_LEADS))["id"]

    def listed(status: str) -> set[str]:
        return {each["id"] for each in json_of(scenario.manager.get(f"{IMPORTS}?status={status}"))["items"]}

    assert listed("completed") == {done}
    assert listed("failed,awaiting_upload") == {failed, waiting}
    assert listed("running") == set()


@pytest.mark.parametrize(
    ("path", "parameter", "code"),
    [
        (f"{IMPORTS}?status=done", "status", "unknown_value"),
        (f"{IMPORTS}?status=completed,", "status", "unknown_value"),
        (f"{IMPORTS}?state=completed", "state", "unknown_parameter"),
        (f"{IMPORTS}?limit=0", "limit", "out_of_range"),
        (f"{IMPORTS}/{ANY}?full=1", "full", "unknown_parameter"),
        (f"{IMPORTS}/{ANY}/rejections?kind=wrong", "kind", "unknown_value"),
        (f"{IMPORTS}/{ANY}/rejections?limit=201", "limit", "out_of_range"),
        (f"{IMPORTS}/{ANY}/events?since=1", "since", "unknown_parameter"),
        (f"{IMPORTS}/{ANY}/error-report?kind=rejected", "kind", "unknown_parameter"),
    ],
)
def test_a_malformed_query_is_refused(scenario: HttpScenario, path: str, parameter: str, code: str) -> None:
    refused = scenario.manager.get(path)

    assert (refused.status_code, field_errors(refused)) == (400, {parameter: code})


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("import_id", [ANY, "17"])
@pytest.mark.parametrize("what", ["", "/start", "/cancel", "/undo", "/events", "/rejections", "/error-report"])
def test_an_unknown_import_is_not_found(scenario: HttpScenario, what: str, import_id: str, method: str) -> None:
    response = scenario.manager.send(method, f"{IMPORTS}/{import_id}{what}")

    takes = {"": "GET", "/start": "POST", "/cancel": "POST", "/undo": "POST"}.get(what, "GET")
    expected = 404 if method == takes or import_id == "17" else 405
    assert response.status_code == expected


def test_an_unchanged_import_is_304(scenario: HttpScenario) -> None:
    coming = json_of(upload_file(scenario.manager, TWO_LEADS))
    path = f"{IMPORTS}/{coming['id']}"
    tag = scenario.manager.get(path).headers["ETag"]

    same = scenario.manager.get(path, {"If-None-Match": tag})
    scenario.service.run_jobs()
    changed = scenario.manager.get(path, {"If-None-Match": tag})

    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag


def test_every_column_has_its_field_or_the_reason_why_it_is_ignored(scenario: HttpScenario) -> None:
    done = import_file(
        scenario.manager, b"Full Name,Phone 1,Mobile,Website\nAda,+12125550100,,x\n", columns={"Website": None}
    )

    assert done["columns"] == [
        {"header": "Full Name", "field": "name", "reason": None},
        {"header": "Phone 1", "field": "phone", "reason": None},
        {"header": "Mobile", "field": None, "reason": "another column is the phone already"},
        {"header": "Website", "field": None, "reason": "ignored as asked"},
    ]


def test_a_completed_import_has_complete_progress(scenario: HttpScenario) -> None:
    done = import_file(scenario.manager, TWO_LEADS)

    assert done["progress"]["percent"] == 100.0
    assert done["progress"]["bytes_done"] == len(TWO_LEADS)
    assert done["progress"]["eta_seconds"] == 0.0
    assert done["started_at"] == done["finished_at"] == "2026-03-02T09:00:00Z"
    assert done["error_report_url"] is None


class TestRejections:
    def test_they_are_listed_in_the_order_of_the_file(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, WRONG)

        rows = list_rejections(scenario.manager, done["id"])

        assert done["counts"] == {"rows": 4, "created": 1, "updated": 0, "duplicate": 1, "rejected": 2}
        assert [(row["row"], row["kind"]) for row in rows] == [(3, "rejected"), (4, "duplicate"), (5, "rejected")]

    def test_they_are_filtered_by_kind(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, WRONG)

        assert [row["row"] for row in list_rejections(scenario.manager, done["id"], "?kind=duplicate")] == [4]
        assert [row["row"] for row in list_rejections(scenario.manager, done["id"], "?kind=rejected")] == [3, 5]

    def test_they_are_paginated(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, WRONG)
        path = f"{IMPORTS}/{done['id']}/rejections"

        first = json_of(scenario.manager.get(f"{path}?limit=2"))
        second = json_of(scenario.manager.get(f"{path}?limit=2&cursor={first['next_cursor']}"))

        assert [row["row"] for row in first["items"]] == [3, 4]
        assert [row["row"] for row in second["items"]] == [5]
        assert second["next_cursor"] is None

    def test_a_cursor_of_another_list_is_refused(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, WRONG)
        rows = f"{IMPORTS}/{done['id']}/rejections"
        cursor = json_of(scenario.manager.get(f"{rows}?limit=1"))["next_cursor"]

        elsewhere = scenario.manager.get(f"{IMPORTS}?cursor={cursor}")
        narrowed = scenario.manager.get(f"{rows}?kind=rejected&cursor={cursor}")
        altered = scenario.manager.get(f"{rows}?cursor={cursor[:-2]}AA")

        for refused in (elsewhere, narrowed, altered):
            assert (refused.status_code, json_of(refused)["code"]) == (400, "invalid_cursor")

    def test_a_rejected_row_lists_all_of_its_errors(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, WRONG)

        row = list_rejections(scenario.manager, done["id"])[0]

        assert [problem["field"] for problem in row["problems"]] == ["phone", "email"]
        assert {name: row[name] for name in row["problems"][0]} == row["problems"][0]
        assert row["values"] == {"Name": "", "Phone": "12", "Email": "not an address", "Note": "second"}
        assert row["duplicate_of"] is None
        assert all(problem["message"] for problem in row["problems"])

    def test_surplus_cells_of_a_row_are_named_by_their_column(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, b"Name,Phone,,Name\n,1,x,y,z\n")

        [row] = list_rejections(scenario.manager, done["id"])

        assert row["values"] == {"Name": "", "Phone": "1", "column 3": "x", "Name (column 4)": "y", "column 5": "z"}

    def test_a_duplicate_names_the_row_and_the_lead_that_it_repeats(self, scenario: HttpScenario) -> None:
        first = import_file(scenario.manager, WRONG)
        [ada] = list_leads(scenario.manager)
        second = import_file(scenario.manager, b"Name,Phone\nAda,+12125550100\n")

        within, known = (
            list_rejections(scenario.manager, first["id"])[1],
            list_rejections(scenario.manager, second["id"])[0],
        )

        assert within["duplicate_of"] == {"lead_id": ada["id"], "row": 2}
        assert (within["code"], within["field"]) == ("duplicate_row", "phone")
        assert known["duplicate_of"] == {"lead_id": ada["id"], "row": None}
        assert known["code"] == "duplicate_lead"


class TestErrorReport:
    def test_it_can_be_corrected_and_imported_again(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, WRONG)

        led = scenario.manager.get(path_of(done["error_report_url"]).rstrip("?"))
        fetched = scenario.service.stranger.get(path_of(led.headers["Location"]))
        corrected = fetched.data.replace(b"alan@example,com", b"alan@example.com,")
        again = import_file(scenario.manager, corrected)

        assert done["error_report_url"] == f"{PUBLIC_URL}{IMPORTS}/{done['id']}/error-report"
        assert (led.status_code, led.data) == (302, b"")
        assert led.headers["Cache-Control"] == "no-store"
        assert fetched.headers["Content-Disposition"] == "attachment; filename=leads.errors.csv"
        assert again["counts"] == {"rows": 2, "created": 1, "updated": 0, "duplicate": 0, "rejected": 1}
        assert {lead["name"] for lead in list_leads(scenario.manager)} == {"Ada Lovelace", "Alan Turing"}

    def test_it_does_not_exist_without_rejections(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, TWO_LEADS)

        missing = scenario.manager.get(f"{IMPORTS}/{done['id']}/error-report")

        assert (missing.status_code, json_of(missing)["code"]) == (404, "no_error_report")

    def test_it_does_not_exist_before_the_end(self, scenario: HttpScenario) -> None:
        coming = json_of(upload_file(scenario.manager, WRONG))

        early = scenario.manager.get(f"{IMPORTS}/{coming['id']}/error-report")

        assert (early.status_code, json_of(early)["code"]) == (404, "no_error_report")

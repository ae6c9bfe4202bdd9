"""Tests of imports of the lead files in tests/data into a database, with the expected counts."""

import csv
import io
from collections import Counter
from typing import Any

import pytest

from tests.conftest import CHECKOUT
from tests.http.imports.scenario import IMPORTS, TWO_LEADS, import_file, json_of, list_leads, path_of
from tests.http.service import HttpScenario

LEAD_FILES = CHECKOUT / "tests" / "data"

ALICE = {"Alice": "alice@example.com"}
BOB = {"Bob": "bob@example.com"}
CARA = {"Cara": "cara@example.com"}

BROKEN: list[tuple[str, int, dict[int, str], str | None, dict[str, str]]] = [
    ("bom-and-whitespace-headers", 2, {}, None, ALICE | BOB),
    ("broken-encoding-windows-1252", 0, {}, "no_contact_column", {}),
    ("duplicate-headers", 2, {}, None, ALICE | BOB),
    ("missing-closing-quote", 0, {}, "no_contact_column", {}),
    ("mixed-line-endings", 3, {}, None, ALICE | BOB | CARA),
    ("ragged-rows-extra-columns", 1, {3: "too_many_cells"}, None, ALICE),
    ("unescaped-quotes", 0, {}, "no_contact_column", {}),
    ("wrong-delimiter-semicolon", 2, {}, None, ALICE | BOB),
]
"""Name of the file, leads that it makes, codes of rejected rows, why it fails as a whole, and who is added."""


def counts(rows: int, *, created: int = 0, duplicate: int = 0, rejected: int = 0) -> dict[str, int]:
    """The counts of an import that updates nothing; they add up."""
    assert rows == created + duplicate + rejected
    return {"rows": rows, "created": created, "updated": 0, "duplicate": duplicate, "rejected": rejected}


def every(scenario: HttpScenario, path: str) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    collected: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = json_of(scenario.manager.get(f"{path}?limit=200{cursor}"))
        collected += page["items"]
        if page["next_cursor"] is None:
            return collected
        cursor = f"&cursor={page['next_cursor']}"


def rejections(scenario: HttpScenario, done: dict[str, Any]) -> list[dict[str, Any]]:
    return every(scenario, f"{IMPORTS}/{done['id']}/rejections")


def codes(rows: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    return dict(Counter((row["kind"], row["code"]) for row in rows))


def error_report(scenario: HttpScenario, done: dict[str, Any]) -> str:
    content = scenario.service.stranger.get(
        path_of(scenario.manager.get(f"{IMPORTS}/{done['id']}/error-report").location)
    ).get_data()
    return content.decode("utf-8-sig")


def corrected(report: str, column: str) -> bytes:
    """Return the report with each suggestion applied to its column."""
    rows = list(csv.DictReader(io.StringIO(report, newline="")))
    changed = io.StringIO(newline="")
    writer = csv.DictWriter(changed, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows({**row, column: row["unite_suggestion"]} for row in rows)
    return changed.getvalue().encode("utf-8-sig")


def test_a_thousand_leads_are_imported_after_accepting_the_suggestions(database_scenario: HttpScenario) -> None:
    scenario = database_scenario

    first = import_file(scenario.manager, (LEAD_FILES / "leads-1000.csv").read_bytes(), default_country="US")

    assert first["status"] == "completed"
    assert first["counts"] == counts(1000, created=835, rejected=165)
    assert codes(rejections(scenario, first)) == {("rejected", "invalid_phone"): 165}

    second = import_file(scenario.manager, corrected(error_report(scenario, first), "Phone 1"), default_country="US")

    assert second["status"] == "completed"
    assert second["counts"] == counts(165, created=165)
    assert len(every(scenario, "/v1/leads")) == 1000


def test_duplicates_are_detected_within_a_file_and_when_another_user_uploads_it_again(
    database_scenario: HttpScenario,
) -> None:
    scenario = database_scenario
    content = (LEAD_FILES / "leads-duplicates-1000.csv").read_bytes()

    first = import_file(scenario.manager, content, default_country="US")

    rejected = rejections(scenario, first)
    assert first["counts"] == counts(1000, created=621, duplicate=199, rejected=180)
    assert codes(rejected) == {
        ("duplicate", "duplicate_row"): 199,
        ("rejected", "ambiguous_duplicate"): 41,
        ("rejected", "invalid_phone"): 139,
    }
    leads = every(scenario, "/v1/leads")
    ids = {lead["id"] for lead in leads}
    assert len(leads) == 621
    repeats = [row["duplicate_of"] for row in rejected if row["kind"] == "duplicate"]
    assert all(repeat["lead_id"] in ids and repeat["row"] is not None for repeat in repeats)
    wrong = {row["row"] for row in rejected if row["code"] == "invalid_phone"}

    second = import_file(scenario.admin, content, default_country="US")

    rejected = rejections(scenario, second)
    assert second["id"] != first["id"]
    assert second["counts"] == counts(1000, duplicate=802, rejected=198)
    assert codes(rejected) == {
        ("duplicate", "duplicate_lead"): 802,
        ("rejected", "ambiguous_duplicate"): 59,  # rows that share their phone with one lead, their e-mail with another
        ("rejected", "invalid_phone"): 139,
    }
    assert {row["row"] for row in rejected if row["code"] == "invalid_phone"} == wrong
    assert all(row["duplicate_of"]["lead_id"] in ids for row in rejected if row["kind"] == "duplicate")
    assert every(scenario, "/v1/leads") == leads


@pytest.mark.parametrize(("name", "created", "rejected", "failure", "people"), BROKEN)
def test_a_broken_file_is_read_correctly_or_refused_and_changes_no_other_lead(
    database_scenario: HttpScenario,
    name: str,
    created: int,
    rejected: dict[int, str],
    failure: str | None,
    people: dict[str, str],
) -> None:
    scenario = database_scenario
    import_file(scenario.manager, TWO_LEADS)
    before = list_leads(scenario.manager)

    done = import_file(scenario.manager, (LEAD_FILES / "broken" / f"{name}.csv").read_bytes(), default_country="US")

    assert done["status"] == ("failed" if failure else "completed")
    assert (done["failure"] and done["failure"]["code"]) == failure
    assert done["counts"] == counts(created + len(rejected), created=created, rejected=len(rejected))
    assert {row["row"]: row["code"] for row in rejections(scenario, done)} == rejected
    after = list_leads(scenario.manager)
    assert [lead for lead in after if lead in before] == before
    assert len(before) == 2
    assert {lead["name"]: lead["email"] for lead in after if lead not in before} == people


def test_each_broken_file_has_a_test_case() -> None:
    assert {path.stem for path in (LEAD_FILES / "broken").iterdir()} == {case[0] for case in BROKEN}

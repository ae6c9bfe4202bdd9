"""Tests of imports of malformed files: a clear error, and no changed leads."""

import pytest

from tests.http.imports.scenario import IMPORTS, TWO_LEADS, import_file, json_of, list_leads, list_rejections, path_of
from tests.http.service import HttpScenario

HEADER = b"Name,Phone\n"


@pytest.fixture
def peopled(database_scenario: HttpScenario) -> HttpScenario:
    """A scenario with two leads in its database, Ada and Mary, which no file here repeats."""
    import_file(
        database_scenario.manager,
        b"Name,Phone,Email\nAda Lovelace,+13125550100,ada@example.com\nMary Somerville,+13125550101,\n",
    )
    return database_scenario


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"\r\n \n", "empty_file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10, "binary_file"),
        (b"PK\x03\x04" + b"\0" * 100, "binary_file"),
        (b"Name,Phone\nAda\0,+12125550100\n", "binary_file"),
        (b"Colour,Size\nred,5\n", "no_contact_column"),
        (b"Phone,Email\n+12125550100,\n", "no_name_column"),
        (b"Ada Lovelace,ada@example.com\n", "no_header"),
        (b",".join(b"c%d" % number for number in range(10_000)) + b"\n", "too_many_columns"),
        (b"x" * 10_000_000, "unreadable_header"),
    ],
    ids=[
        "empty",
        "blank",
        "PNG",
        "workbook",
        "NUL",
        "no contact",
        "no name",
        "no header",
        "10,000 columns",
        "10 MB line",
    ],
)
def test_an_unreadable_file_fails_with_a_reason(peopled: HttpScenario, content: bytes, code: str) -> None:
    before = list_leads(peopled.manager)

    done = import_file(peopled.manager, content)

    assert (done["status"], done["failure"]["code"]) == ("failed", code)
    assert done["failure"]["detail"].endswith(".")
    assert done["counts"]["rows"] == 0
    assert done["error_report_url"] is None
    assert list_leads(peopled.manager) == before
    assert len(before) == 2


def test_a_failed_file_can_be_uploaded_again(scenario: HttpScenario) -> None:
    first, second = import_file(scenario.manager, b"Colour\nred\n"), import_file(scenario.manager, b"Colour\nred\n")

    assert first["id"] != second["id"]


def test_a_file_with_only_a_header_creates_nothing(scenario: HttpScenario) -> None:
    done = import_file(scenario.manager, HEADER)

    assert (done["status"], done["counts"]["rows"]) == ("completed", 0)
    assert [column["field"] for column in done["columns"]] == ["name", "phone"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (b"Ada," + b"9" * 10_000_000, "row_too_long"),
        (b"Ada,+12125550100" + b",x" * 10_000, "too_many_cells"),
        (b"Ada \xc3\xa9\xc3\xa9\xc3\xa9\xc3", "broken_encoding"),
        (b"Ada\x01,+12125550100", "control_character"),
    ],
    ids=["10 MB line", "10,000 cells", "ends in mid-character", "control character"],
)
def test_an_unreadable_row_is_rejected_and_the_others_are_imported(
    peopled: HttpScenario, row: bytes, code: str
) -> None:
    scenario, before = peopled, list_leads(peopled.manager)

    done = import_file(scenario.manager, HEADER + b"Grace,+12125550101\n" + row)

    [rejected] = list_rejections(scenario.manager, done["id"])
    assert (done["status"], done["counts"]["created"], done["counts"]["rejected"]) == ("completed", 1, 1)
    assert (rejected["row"], rejected["code"]) == (3, code)
    assert (
        scenario.service.stranger.get(
            path_of(scenario.manager.get(f"{IMPORTS}/{done['id']}/error-report").location)
        ).status_code
        == 200
    )
    grace, *others = list_leads(scenario.manager)
    assert grace["name"] == "Grace"
    assert others == before


def test_a_thousand_invalid_rows_are_a_thousand_rejections(peopled: HttpScenario) -> None:
    scenario, before = peopled, list_leads(peopled.manager)

    done = import_file(scenario.manager, HEADER + b",1\n" * 1000)

    rows, cursor = [], ""
    while True:
        page = json_of(scenario.manager.get(f"{IMPORTS}/{done['id']}/rejections?limit=200{cursor}"))
        rows += [row["row"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert done["counts"] == {"rows": 1000, "created": 0, "updated": 0, "duplicate": 0, "rejected": 1000}
    assert rows == list(range(2, 1002))
    assert list_leads(scenario.manager) == before


def test_names_may_be_in_any_script(scenario: HttpScenario) -> None:
    names = ["محمد علي", "שרה כהן", "田中太郎", "Zoë Łukasiewicz", "👩🏽‍🚀 Ада"]
    rows = "".join(f"{name},+1212555010{number}\n" for number, name in enumerate(names))

    done = import_file(scenario.manager, HEADER + rows.encode())

    assert done["counts"]["created"] == len(names)
    assert {lead["name"] for lead in list_leads(scenario.manager)} == set(names)


def test_phones_that_differ_only_in_punctuation_are_duplicates(scenario: HttpScenario) -> None:
    import_file(scenario.manager, TWO_LEADS)

    done = import_file(scenario.manager, HEADER + b"Ada,(212) 555-0100\n", default_country="us")

    assert done["counts"]["duplicate"] == 1


def test_a_mapping_of_missing_columns_fails(peopled: HttpScenario) -> None:
    before = list_leads(peopled.manager)

    done = import_file(peopled.manager, TWO_LEADS, columns={"Handy": "phone"})

    assert done["failure"]["code"] == "unknown_column"
    assert list_leads(peopled.manager) == before

"""Tests of very wide rows and headers: limits of memory, of stored cells and of shown headers."""

from itertools import pairwise

import pytest

from unite_core.imports.chunk import MAX_STORED_LENGTH
from unite_core.imports.csv.columns import MAX_SHOWN_LENGTH
from unite_core.imports.csv.reading import MAX_HEADER_LENGTH
from unite_core.imports.use_cases.continue_import import CHUNK_BYTES
from unite_core.testing.builders import csv_text
from unite_core.testing.scenario import Scenario

PHONE = "+12125550101"
CUT = "The longest cells are cut here and end with “…”; take them from your own file."


@pytest.fixture
def scenario() -> Scenario:
    return Scenario(chunk_rows=2000)


def test_a_chunk_of_wide_rows_ends_before_its_rows_limit(scenario: Scenario) -> None:
    notes = "x" * 100_000
    leads = [(f"Ada {number}", f"+1212555{number:04}", notes) for number in range(60)]
    coming = scenario.upload(csv_text(("Name", "Phone", "Notes"), leads))
    ends = [1]

    def look() -> bool:
        ends.append(scenario.get_import(coming.id).last_row)
        return False

    scenario.continue_import(coming.id, holder="worker", should_stop=look)

    sizes = [end - start for start, end in pairwise(ends)]
    assert (sum(sizes), scenario.get_import(coming.id).counts.created) == (60, 60)
    # The file is read a block at a time, and a chunk may begin with rows of the block before.
    assert CHUNK_BYTES - 512 * 1024 < max(sizes) * len(notes) < CHUNK_BYTES + 512 * 1024


@pytest.mark.parametrize("others", [0, 900])
def test_the_longest_cells_of_a_rejected_row_are_truncated_and_its_error_says_so(
    scenario: Scenario, others: int
) -> None:
    short = ["short"] * others
    header = ("Name", *(f"Column {number}" for number in range(others)), "Notes", "Remarks", "Phone")
    done = scenario.import_file(csv_text(header, [("", *short, "x" * 100_000, "y" * 100_000, PHONE)]))

    (rejected,) = scenario.rejections(done.id)
    *others_kept, notes, remarks, phone = rejected.cells
    assert (others_kept, phone) == (["", *short], PHONE)
    assert notes == "x" * (len(notes) - 1) + "…"
    assert remarks == "y" * (len(notes) - 1) + "…"
    assert MAX_STORED_LENGTH // 4 < sum(map(len, rejected.cells)) <= MAX_STORED_LENGTH
    assert rejected.problems[-1].detail.endswith(CUT)


def test_the_error_report_has_the_stored_cells(scenario: Scenario) -> None:
    done = scenario.import_file(csv_text(("Name", "Phone", "Notes"), [("", PHONE, "x" * 100_000)]))

    assert done.report_key is not None
    with scenario.ports.files.read(done.report_key) as report:
        text = report.read().decode()
    assert len(text) < MAX_STORED_LENGTH + 1000
    assert CUT in text
    assert text.endswith("x…\r\n")


def test_the_longest_cells_of_a_duplicate_row_are_truncated_too(scenario: Scenario) -> None:
    leads = [("Ada", PHONE, ""), ("Ada", PHONE, "x" * 100_000)]
    done = scenario.import_file(csv_text(("Name", "Phone", "Notes"), leads))

    (repeated,) = scenario.rejections(done.id)
    assert sum(map(len, repeated.cells)) <= MAX_STORED_LENGTH
    assert repeated.problems[0].detail.endswith(CUT)


def test_a_row_of_the_maximum_stored_length_is_complete(scenario: Scenario) -> None:
    notes = "x" * (MAX_STORED_LENGTH - len(PHONE))
    done = scenario.import_file(csv_text(("Name", "Phone", "Notes"), [("", PHONE, notes)]))

    (rejected,) = scenario.rejections(done.id)
    assert rejected.cells == ("", PHONE, notes)
    assert not rejected.problems[0].detail.endswith(CUT)


def test_a_long_header_is_abbreviated_in_the_mapping_and_complete_in_the_report(scenario: Scenario) -> None:
    whole, long = "w" * MAX_SHOWN_LENGTH, "x" * (MAX_SHOWN_LENGTH + 1)
    done = scenario.import_file(csv_text(("Name", "Phone", whole, long), [("", PHONE)]))

    assert [column["header"] for column in done.columns] == ["Name", "Phone", whole, "x" * (MAX_SHOWN_LENGTH - 1) + "…"]
    assert done.report_key is not None
    with scenario.ports.files.read(done.report_key) as report:
        assert f"Name,Phone,{whole},{long}\r\n" in report.read().decode()


def test_a_long_header_is_abbreviated_in_the_error_of_a_refused_file(scenario: Scenario) -> None:
    failed = scenario.import_file(csv_text(("Name", "x" * 1000), [("Ada", "")]))

    assert failed.failure is not None
    assert failed.failure.code == "no_contact_column"
    assert [len(column["header"]) for column in failed.columns] == [4, MAX_SHOWN_LENGTH]


@pytest.mark.parametrize(("more", "code"), [(0, None), (1, "unreadable_header")])
def test_the_length_of_a_header_row_is_limited(scenario: Scenario, more: int, code: str | None) -> None:
    names = ("Name", "Phone", "", "x" * (MAX_HEADER_LENGTH // 2))
    last = "y" * (MAX_HEADER_LENGTH - sum(map(len, names)) + more)
    done = scenario.import_file("\n" + csv_text((*names, last), [("Ada", PHONE)]))

    assert (done.failure.code if done.failure else None) == code
    if done.failure:
        assert "Row 2" in done.failure.detail
        assert str(MAX_HEADER_LENGTH) in done.failure.detail

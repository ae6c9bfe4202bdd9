"""Rows of up to a million characters: what is held of them at a time, and what is kept of those that are rejected."""

from itertools import pairwise

import pytest

from tests.core.imports.floor import Floor
from unite_core.imports.chunk import MOST_KEPT
from unite_core.imports.run import CHUNK_BYTES
from unite_core.testing.builders import csv_text

PHONE = "+12125550101"
CUT = "The longest cells are cut here and end with “…”; take them from your own file."


@pytest.fixture
def floor() -> Floor:
    return Floor(chunk_rows=2000)


def test_a_chunk_of_wide_rows_ends_before_it_fills_the_memory(floor: Floor) -> None:
    notes = "x" * 100_000
    leads = [(f"Ada {number}", f"+1212555{number:04}", notes) for number in range(60)]
    coming = floor.upload(csv_text(("Name", "Phone", "Notes"), leads))
    ends = [1]

    def look() -> bool:
        ends.append(floor.get(coming.id).last_row)
        return False

    floor.continue_import(coming.id, holder="worker", should_stop=look)

    sizes = [end - start for start, end in pairwise(ends)]
    assert (sum(sizes), floor.get(coming.id).counts.created) == (60, 60)
    # The file is read a block at a time, and a chunk may begin with rows of the block before.
    assert CHUNK_BYTES - 512 * 1024 < max(sizes) * len(notes) < CHUNK_BYTES + 512 * 1024


@pytest.mark.parametrize("others", [0, 900])
def test_the_longest_cells_of_a_rejected_row_are_cut_and_its_message_says_so(floor: Floor, others: int) -> None:
    short = ["short"] * others
    header = ("Name", *(f"Column {number}" for number in range(others)), "Notes", "Remarks", "Phone")
    done = floor.import_file(csv_text(header, [("", *short, "x" * 100_000, "y" * 100_000, PHONE)]))

    (rejected,) = floor.rejections(done.id)
    *others_kept, notes, remarks, phone = rejected.cells
    assert (others_kept, phone) == (["", *short], PHONE)
    assert notes == "x" * (len(notes) - 1) + "…"
    assert remarks == "y" * (len(notes) - 1) + "…"
    assert MOST_KEPT // 4 < sum(map(len, rejected.cells)) <= MOST_KEPT
    assert rejected.problems[-1].detail.endswith(CUT)


def test_the_error_report_has_what_was_kept(floor: Floor) -> None:
    done = floor.import_file(csv_text(("Name", "Phone", "Notes"), [("", PHONE, "x" * 100_000)]))

    assert done.report_key is not None
    with floor.ports.files.read(done.report_key) as report:
        text = report.read().decode()
    assert len(text) < MOST_KEPT + 1000
    assert CUT in text
    assert text.endswith("x…\r\n")


def test_the_longest_cells_of_a_row_that_repeats_a_lead_are_cut_too(floor: Floor) -> None:
    leads = [("Ada", PHONE, ""), ("Ada", PHONE, "x" * 100_000)]
    done = floor.import_file(csv_text(("Name", "Phone", "Notes"), leads))

    (repeated,) = floor.rejections(done.id)
    assert sum(map(len, repeated.cells)) <= MOST_KEPT
    assert repeated.problems[0].detail.endswith(CUT)


def test_a_row_that_is_as_large_as_what_is_kept_is_whole(floor: Floor) -> None:
    notes = "x" * (MOST_KEPT - len(PHONE))
    done = floor.import_file(csv_text(("Name", "Phone", "Notes"), [("", PHONE, notes)]))

    (rejected,) = floor.rejections(done.id)
    assert rejected.cells == ("", PHONE, notes)
    assert not rejected.problems[0].detail.endswith(CUT)

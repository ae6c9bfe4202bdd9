"""Tests of the quotas of open imports of a user: their number, and the total size of their files."""

import io
from typing import BinaryIO, cast

import pytest

from unite_core import (
    Actor,
    Conflict,
    FileToImport,
    Invalid,
    NewImport,
    Quotas,
    Rules,
)
from unite_core.files import upload_key
from unite_core.imports.model import MAX_FILE_BYTES
from unite_core.imports.use_cases.cancel_and_undo import ABANDONED_AFTER
from unite_core.testing.scenario import Scenario
from unite_core.usage import HOUR

CSV = b"Name,Phone\nAda,+12125550100\n"


@pytest.fixture
def scenario() -> Scenario:
    return Scenario(rules=Rules(quotas=Quotas(open_imports=3, open_bytes=1000, excess_files_per_hour=2)), chunk_rows=2)


def announce(scenario: Scenario, size: int = 10, actor: Actor | None = None) -> str:
    """Announce a file; the code of the refusal, or an empty text."""
    try:
        scenario.unite.imports.announce(actor or scenario.admin, NewImport(filename="a.csv", size=size))
    except Conflict as refused:
        return refused.code
    return ""


class Unread:
    """A stream that must not be read."""

    def read(self, _: int) -> bytes:
        raise AssertionError("Nobody reads this.")


def test_imports_beyond_the_quota_are_refused() -> None:
    scenario = Scenario(chunk_rows=2)

    codes = [announce(scenario) for _ in range(60)]

    assert codes == [""] * 50 + ["too_many_imports"] * 10


def test_the_error_says_what_to_do(scenario: Scenario) -> None:
    for _ in range(3):
        announce(scenario)

    with pytest.raises(Conflict, match="You have 3 imports that have not ended, and may have 3; start those"):
        scenario.unite.imports.announce(scenario.admin, NewImport(filename="a.csv", size=1))


def test_each_user_has_a_quota_of_their_own(scenario: Scenario) -> None:
    assert [announce(scenario) for _ in range(4)] == ["", "", "", "too_many_imports"]
    assert announce(scenario, actor=scenario.manager) == ""


def test_queued_and_running_imports_count_and_ended_ones_do_not(scenario: Scenario) -> None:
    queued = scenario.upload("Name,Phone\nAda,+12125550100\n")
    assert [announce(scenario), announce(scenario), announce(scenario)] == ["", "", "too_many_imports"]

    scenario.run_import(queued.id)

    assert [announce(scenario), announce(scenario)] == ["", "too_many_imports"]


def test_cancelled_and_abandoned_imports_do_not_count(scenario: Scenario) -> None:
    coming = scenario.unite.imports.announce(scenario.admin, NewImport(filename="a.csv", size=1)).lead_import
    assert [announce(scenario), announce(scenario), announce(scenario)] == ["", "", "too_many_imports"]

    scenario.unite.imports.cancel(scenario.admin, coming.id)
    assert [announce(scenario), announce(scenario)] == ["", "too_many_imports"]

    scenario.ports.clock.advance(ABANDONED_AFTER * 2)
    assert scenario.unite.upkeep.remove_abandoned_imports() == 3
    assert announce(scenario) == ""


def test_starting_an_announced_import_does_not_count_again(scenario: Scenario) -> None:
    coming = scenario.unite.imports.announce(scenario.admin, NewImport(filename="a.csv", size=len(CSV))).lead_import
    announce(scenario)
    announce(scenario)
    with scenario.ports.files.write(upload_key(coming.key), content_type="text/csv") as target:
        target.write(CSV)

    assert scenario.unite.imports.start(scenario.admin, coming.id).status == "queued"


def test_the_total_size_of_open_imports_is_limited(scenario: Scenario) -> None:
    assert [announce(scenario, 600), announce(scenario, 401), announce(scenario, 400)] == [
        "",
        "too_many_import_bytes",
        "",
    ]


def test_the_default_quota_allows_several_of_the_largest_files() -> None:
    scenario = Scenario(chunk_rows=2)

    codes = [announce(scenario, MAX_FILE_BYTES) for _ in range(9)]

    assert codes == [""] * 8 + ["too_many_import_bytes"]


def test_invalid_announcements_get_field_errors_before_the_quota_is_checked(scenario: Scenario) -> None:
    for _ in range(3):
        announce(scenario)

    with pytest.raises(Invalid):
        scenario.unite.imports.announce(scenario.admin, NewImport(filename="", size=0))


@pytest.mark.parametrize(("sizes", "code"), [([1, 1, 1], "too_many_imports"), ([1000], "too_many_import_bytes")])
def test_a_limited_number_of_files_is_read_although_the_quota_is_reached(
    scenario: Scenario, sizes: list[int], code: str
) -> None:
    for size in sizes:
        announce(scenario, size)
    for _ in range(2):
        scenario.unite.imports.store_file(scenario.admin, io.BytesIO(CSV))

    with pytest.raises(Conflict) as refused:
        scenario.unite.imports.store_file(scenario.admin, cast("BinaryIO", Unread()))

    assert refused.value.code == code


def test_files_read_beyond_the_quota_are_counted_per_user_and_hour(scenario: Scenario) -> None:
    for actor in (scenario.admin, scenario.manager):
        for _ in range(3):
            announce(scenario, actor=actor)
    for _ in range(2):
        scenario.unite.imports.store_file(scenario.admin, io.BytesIO(CSV))

    assert scenario.unite.imports.store_file(scenario.manager, io.BytesIO(CSV)).size == len(CSV)
    scenario.ports.clock.advance(HOUR)
    assert scenario.unite.imports.store_file(scenario.admin, io.BytesIO(CSV)).size == len(CSV)


def test_files_within_the_quota_are_not_counted_per_hour(scenario: Scenario) -> None:
    for _ in range(9):
        scenario.unite.imports.store_file(scenario.admin, io.BytesIO(CSV))


def test_a_stored_file_beyond_the_quota_is_refused_and_can_be_discarded(scenario: Scenario) -> None:
    stored = scenario.unite.imports.store_file(scenario.admin, io.BytesIO(CSV))
    for _ in range(3):
        announce(scenario)

    with pytest.raises(Conflict) as refused:
        scenario.unite.imports.import_stored_file(scenario.admin, FileToImport(stored=stored, filename="a.csv"))
    scenario.unite.imports.store_file.discard(stored)

    assert refused.value.code == "too_many_imports"
    assert scenario.ports.files.size(stored.key) is None


def test_the_size_of_a_stored_file_counts(scenario: Scenario) -> None:
    announce(scenario, 999)
    stored = scenario.unite.imports.store_file(scenario.admin, io.BytesIO(CSV))

    with pytest.raises(Conflict) as refused:
        scenario.unite.imports.import_stored_file(scenario.admin, FileToImport(stored=stored, filename="a.csv"))

    assert refused.value.code == "too_many_import_bytes"


def test_the_same_file_returns_its_import_although_the_quota_is_reached(scenario: Scenario) -> None:
    first = scenario.upload(CSV)
    announce(scenario)
    announce(scenario)
    stored = scenario.unite.imports.store_file(scenario.admin, io.BytesIO(CSV))

    again = scenario.unite.imports.import_stored_file(scenario.admin, FileToImport(stored=stored, filename="leads.csv"))

    assert again.id == first.id

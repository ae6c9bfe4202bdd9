"""How many imports of one user may wait and run at the same time, and how many bytes they have together."""

import io
from typing import BinaryIO, cast

import pytest

from tests.core.imports.floor import Floor
from unite_core import (
    Actor,
    Conflict,
    FileToImport,
    Invalid,
    NewImport,
    NewUser,
    Quotas,
    Role,
    Rules,
    build,
)
from unite_core.files import upload_key
from unite_core.imports.model import MAX_FILE_BYTES
from unite_core.imports.use_cases.control import ABANDONED_AFTER
from unite_core.usage import HOUR

CSV = b"Name,Phone\nAda,+12125550100\n"


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.unite = build(floor.ports, Rules(quotas=Quotas(open_imports=3, open_bytes=1000, excess_files_per_hour=2)))
    return floor


def another(floor: Floor) -> Actor:
    new = NewUser(email="mo@unite.example", name="Mo", role=Role.MANAGER, password="correct horse battery")
    return Actor(user_id=floor.unite.identity.create_user.unchecked(new).id, role=Role.MANAGER)


def announce(floor: Floor, size: int = 10, actor: Actor | None = None) -> str:
    """Announce a file; the code of the refusal, or an empty text."""
    try:
        floor.unite.imports.announce(actor or floor.ann, NewImport(filename="a.csv", size=size))
    except Conflict as refused:
        return refused.code
    return ""


class Unread:
    """A stream that must not be read."""

    def read(self, _: int) -> bytes:
        raise AssertionError("Nobody reads this.")


def test_a_user_has_no_more_open_imports_than_the_quota() -> None:
    floor = Floor()

    told = [announce(floor) for _ in range(60)]

    assert told == [""] * 50 + ["too_many_imports"] * 10


def test_the_refusal_says_what_to_do(floor: Floor) -> None:
    for _ in range(3):
        announce(floor)

    with pytest.raises(Conflict, match="You have 3 imports that have not ended, and may have 3; start those"):
        floor.unite.imports.announce(floor.ann, NewImport(filename="a.csv", size=1))


def test_each_user_has_a_quota_of_their_own(floor: Floor) -> None:
    mo = another(floor)

    assert [announce(floor) for _ in range(4)] == ["", "", "", "too_many_imports"]
    assert announce(floor, actor=mo) == ""


def test_queued_and_running_imports_count_and_ended_ones_do_not(floor: Floor) -> None:
    queued = floor.upload("Name,Phone\nAda,+12125550100\n")
    assert [announce(floor), announce(floor), announce(floor)] == ["", "", "too_many_imports"]

    floor.run(queued.id)

    assert [announce(floor), announce(floor)] == ["", "too_many_imports"]


def test_a_cancelled_and_an_abandoned_import_make_room(floor: Floor) -> None:
    coming = floor.unite.imports.announce(floor.ann, NewImport(filename="a.csv", size=1)).lead_import
    assert [announce(floor), announce(floor), announce(floor)] == ["", "", "too_many_imports"]

    floor.unite.imports.cancel(floor.ann, coming.id)
    assert [announce(floor), announce(floor)] == ["", "too_many_imports"]

    floor.ports.clock.advance(ABANDONED_AFTER * 2)
    assert floor.unite.upkeep.remove_abandoned_imports() == 3
    assert announce(floor) == ""


def test_starting_an_announced_import_takes_no_further_place(floor: Floor) -> None:
    coming = floor.unite.imports.announce(floor.ann, NewImport(filename="a.csv", size=len(CSV))).lead_import
    announce(floor)
    announce(floor)
    with floor.ports.files.write(upload_key(coming.key), content_type="text/csv") as target:
        target.write(CSV)

    assert floor.unite.imports.start(floor.ann, coming.id).status == "queued"


def test_the_bytes_of_open_imports_are_limited_together(floor: Floor) -> None:
    assert [announce(floor, 600), announce(floor, 401), announce(floor, 400)] == ["", "too_many_import_bytes", ""]


def test_the_default_leaves_room_for_several_of_the_largest_files() -> None:
    floor = Floor()

    told = [announce(floor, MAX_FILE_BYTES) for _ in range(9)]

    assert told == [""] * 8 + ["too_many_import_bytes"]


def test_what_breaks_a_rule_is_told_as_before(floor: Floor) -> None:
    for _ in range(3):
        announce(floor)

    with pytest.raises(Invalid):
        floor.unite.imports.announce(floor.ann, NewImport(filename="", size=0))


@pytest.mark.parametrize(("sizes", "code"), [([1, 1, 1], "too_many_imports"), ([1000], "too_many_import_bytes")])
def test_a_few_files_are_read_though_there_is_no_room_and_further_ones_are_not(
    floor: Floor, sizes: list[int], code: str
) -> None:
    for size in sizes:
        announce(floor, size)
    for _ in range(2):
        floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV))

    with pytest.raises(Conflict) as refused:
        floor.unite.imports.store_file(floor.ann, cast("BinaryIO", Unread()))

    assert refused.value.code == code


def test_files_that_are_read_though_there_is_no_room_are_counted_per_user_and_hour(floor: Floor) -> None:
    mo = another(floor)
    for actor in (floor.ann, mo):
        for _ in range(3):
            announce(floor, actor=actor)
    for _ in range(2):
        floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV))

    assert floor.unite.imports.store_file(mo, io.BytesIO(CSV)).size == len(CSV)
    floor.ports.clock.advance(HOUR)
    assert floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV)).size == len(CSV)


def test_files_are_not_counted_while_there_is_room(floor: Floor) -> None:
    for _ in range(9):
        floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV))


def test_a_stored_file_that_is_one_too_many_is_refused_and_can_be_thrown_away(floor: Floor) -> None:
    stored = floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV))
    for _ in range(3):
        announce(floor)

    with pytest.raises(Conflict) as refused:
        floor.unite.imports.import_stored_file(floor.ann, FileToImport(stored=stored, filename="a.csv"))
    floor.unite.imports.store_file.discard(stored)

    assert refused.value.code == "too_many_imports"
    assert floor.ports.files.size(stored.key) is None


def test_the_bytes_of_a_stored_file_count(floor: Floor) -> None:
    announce(floor, 999)
    stored = floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV))

    with pytest.raises(Conflict) as refused:
        floor.unite.imports.import_stored_file(floor.ann, FileToImport(stored=stored, filename="a.csv"))

    assert refused.value.code == "too_many_import_bytes"


def test_the_same_file_again_is_its_import_though_there_is_no_room_by_now(floor: Floor) -> None:
    first = floor.upload(CSV)
    announce(floor)
    announce(floor)
    stored = floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV))

    again = floor.unite.imports.import_stored_file(floor.ann, FileToImport(stored=stored, filename="leads.csv"))

    assert again.id == first.id

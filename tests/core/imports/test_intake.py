"""How a file gets in, and the same file twice."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, BinaryIO

import pytest

from tests.core.imports.floor import Floor
from unite_core import (
    Conflict,
    FileToImport,
    Forbidden,
    ImportOptions,
    ImportStatus,
    Invalid,
    NewImport,
    NotFound,
    OnDuplicate,
    Role,
    TooLarge,
    UserChanges,
)
from unite_core.identity.use_cases import NewUser
from unite_core.imports.model import LARGEST_FILE
from unite_core.testing.builders import an_actor, an_id
from unite_core.testing.in_memory import FixedClock, InMemoryFiles, in_memory_ports

CSV = b"Name,Phone\nGrace,+12125550101\n"
DAY = timedelta(hours=24)


@pytest.fixture
def floor() -> Floor:
    return Floor()


def put_file(floor: Floor, key: str, content: bytes = CSV) -> None:
    with floor.ports.files.write(key, content_type="text/csv") as stream:
        stream.write(content)


def test_an_announced_file_is_uploaded_and_started(floor: Floor) -> None:
    announced = floor.unite.imports.announce(floor.ann, NewImport(filename=" leads.csv ", size=len(CSV)))
    coming = announced.lead_import
    assert (coming.status, coming.filename) == (ImportStatus.AWAITING_UPLOAD, "leads.csv")
    assert announced.upload.expires_at == floor.ports.clock.now() + timedelta(hours=1)
    assert announced.upload.headers == {"Content-Type": "text/csv"}
    put_file(floor, coming.key)

    started = floor.unite.imports.start(floor.ann, coming.id)

    assert (started.status, started.size) == (ImportStatus.QUEUED, len(CSV))
    assert floor.ports.jobs.imports == [coming.id]
    floor.ports.jobs.run_all(floor.unite)
    assert floor.get(coming.id).counts.created == 1


def test_a_file_that_has_not_come_cannot_be_started(floor: Floor) -> None:
    announced = floor.unite.imports.announce(floor.ann, NewImport(filename="leads.csv", size=5))

    with pytest.raises(Conflict) as refused:
        floor.unite.imports.start(floor.ann, announced.lead_import.id)

    assert refused.value.code == "not_uploaded"


def test_starting_again_is_harmless_at_any_time(floor: Floor) -> None:
    coming = floor.unite.imports.announce(floor.ann, NewImport(filename="leads.csv", size=len(CSV))).lead_import
    put_file(floor, coming.key)
    started = floor.unite.imports.start(floor.ann, coming.id)

    assert floor.unite.imports.start(floor.ann, coming.id) == started
    done = floor.run(coming.id)
    assert floor.unite.imports.start(floor.ann, coming.id) == done
    assert floor.ports.jobs.imports == [coming.id]


def test_what_was_cancelled_is_not_started(floor: Floor) -> None:
    coming = floor.unite.imports.announce(floor.ann, NewImport(filename="leads.csv", size=len(CSV))).lead_import
    put_file(floor, coming.key)
    floor.unite.imports.cancel(floor.ann, coming.id)

    with pytest.raises(Conflict) as refused:
        floor.unite.imports.start(floor.ann, coming.id)

    assert refused.value.code == "already_started"


def test_the_same_file_announced_twice_gives_the_first_import(floor: Floor) -> None:
    announced = [
        floor.unite.imports.announce(floor.ann, NewImport(filename=f"{number}.csv", size=len(CSV))).lead_import
        for number in range(2)
    ]
    for coming in announced:
        put_file(floor, coming.key)
    first = floor.unite.imports.start(floor.ann, announced[0].id)

    assert floor.unite.imports.start(floor.ann, announced[1].id) == first
    assert floor.get(announced[1].id).status is ImportStatus.CANCELLED
    assert floor.ports.files.size(announced[1].key) is None
    assert floor.ports.jobs.imports == [first.id]


def test_the_same_file_sent_twice_within_a_day_gives_the_first_import(floor: Floor) -> None:
    first = floor.import_file(CSV)
    floor.ports.clock.advance(DAY - timedelta(seconds=1))

    again = floor.upload(CSV)

    assert again == first
    assert floor.unite.imports.due().to_import == ()
    assert len(floor.ports.files._contents) == 1


def test_the_same_file_is_another_import_a_day_later_or_by_somebody_else_or_with_other_options(floor: Floor) -> None:
    first = floor.upload(CSV)
    updating = floor.upload(CSV, on_duplicate=OnDuplicate.UPDATE)
    boss = NewUser(email="boss@unite.example", name="Boss", role=Role.MANAGER, password="correct horse battery")
    floor.ann, ann = an_actor(Role.MANAGER, user_id=floor.unite.identity.add_user(floor.ann, boss).id), floor.ann
    theirs = floor.upload(CSV)
    floor.ann = ann
    floor.ports.clock.advance(DAY)
    later = floor.upload(CSV)

    assert len({first.id, updating.id, theirs.id, later.id}) == 4
    assert floor.get(first.id).same_file_key is None
    assert floor.upload(CSV) == later


def test_a_file_whose_import_failed_or_was_cancelled_may_come_again(floor: Floor) -> None:
    failed = floor.import_file(b"Shoe Size\n37\n")
    assert floor.import_file(b"Shoe Size\n37\n").id != failed.id
    cancelled = floor.upload(CSV)
    floor.unite.imports.cancel(floor.ann, cancelled.id)

    assert floor.upload(CSV).id != cancelled.id


@pytest.mark.parametrize(
    ("new", "field", "code"),
    [
        (NewImport(filename=" ", size=5), "filename", "required"),
        (NewImport(filename="a\x00.csv", size=5), "filename", "control_character"),
        (NewImport(filename="a" * 256, size=5), "filename", "too_long"),
        (NewImport(filename="a.csv", size=0), "size", "wrong_size"),
        (NewImport(filename="a.csv", size=LARGEST_FILE + 1), "size", "wrong_size"),
        (
            NewImport(filename="a.csv", size=5, options=ImportOptions(default_country="us")),
            "options.default_country",
            "unknown_country",
        ),
        (
            NewImport(filename="a.csv", size=5, options=ImportOptions(default_source=" ")),
            "options.default_source",
            "required",
        ),
        (
            NewImport(filename="a.csv", size=5, options=ImportOptions(default_assigned_to=an_id())),
            "options.default_assigned_to",
            "unknown_user",
        ),
    ],
)
def test_an_announcement_that_breaks_a_rule_is_refused(floor: Floor, new: NewImport, field: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        floor.unite.imports.announce(floor.ann, new)

    assert [(problem.field, problem.code) for problem in refused.value.problems] == [(field, code)]


def test_leads_are_not_given_to_somebody_who_has_left(floor: Floor) -> None:
    ben = NewUser(email="ben@unite.example", name="Ben", role=Role.AGENT, password="correct horse battery")
    gone = floor.unite.identity.add_user(floor.ann, ben)
    floor.unite.identity.change_user(floor.ann, UserChanges(user_id=gone.id, active=False))

    with pytest.raises(Invalid) as refused:
        floor.upload(CSV, default_assigned_to=gone.id)

    assert refused.value.problems[0].code == "unknown_user"


class Endless(io.BytesIO):
    """A stream with one byte too many in it, made as it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.left = LARGEST_FILE + 1
        self.block = bytes(256 * 1024)

    def read(self, size: int | None = -1) -> bytes:
        block = self.block[: min(size or 0, self.left)]
        self.left -= len(block)
        return block


class Sink(io.BytesIO):
    """Takes everything and keeps nothing."""

    def write(self, content: Any) -> int:
        return len(memoryview(content))


class BottomlessFiles(InMemoryFiles):
    def __init__(self) -> None:
        super().__init__(FixedClock())
        self.stored: list[str] = []

    @contextmanager
    def write(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:
        yield Sink()
        self.stored.append(f"{key} {content_type}")


def test_a_file_beyond_the_limit_is_not_stored() -> None:
    files = BottomlessFiles()
    floor = Floor(in_memory_ports(files=files))

    with pytest.raises(TooLarge):
        floor.unite.imports.store_file(floor.ann, Endless())

    assert files.stored == []
    floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV))
    assert len(files.stored) == 1


def test_a_stored_file_that_no_import_is_made_of_is_thrown_away(floor: Floor) -> None:
    stored = floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV))
    assert floor.ports.files.size(stored.key) == stored.size == len(CSV)

    floor.unite.imports.store_file.discard(stored)

    assert floor.ports.files.size(stored.key) is None


def test_agents_import_nothing(floor: Floor) -> None:
    agent = an_actor(Role.AGENT)
    imports = floor.unite.imports
    stored = imports.store_file(floor.ann, io.BytesIO(CSV))
    with pytest.raises(Forbidden):
        imports.announce(agent, NewImport(filename="a.csv", size=5))
    with pytest.raises(Forbidden):
        imports.start(agent, an_id())
    with pytest.raises(Forbidden):
        imports.store_file(agent, io.BytesIO(CSV))
    with pytest.raises(Forbidden):
        imports.import_stored_file(agent, FileToImport(stored=stored, filename="a.csv"))


def test_managers_import_as_admins_do(floor: Floor) -> None:
    manager = an_actor(Role.MANAGER)

    announced = floor.unite.imports.announce(manager, NewImport(filename="a.csv", size=5))

    assert announced.lead_import.created_by == manager.user_id


def test_an_unknown_import_is_not_started(floor: Floor) -> None:
    with pytest.raises(NotFound):
        floor.unite.imports.start(floor.ann, an_id())

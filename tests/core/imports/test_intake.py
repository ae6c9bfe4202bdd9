"""How a file gets in, and the same file twice."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, BinaryIO

import pytest

from tests.core.imports.accidents import DeafWork, FailingWork, PowerCutError, TroubledFiles
from tests.core.imports.floor import Floor
from unite_core import (
    Conflict,
    FileToImport,
    Forbidden,
    ImportOptions,
    ImportStatus,
    Invalid,
    LeadImport,
    NewImport,
    NotFound,
    OnDuplicate,
    PreconditionFailed,
    Role,
    TooLarge,
    Unavailable,
    UserChanges,
)
from unite_core.files import MAX_UPLOAD_TTL, UPLOAD_RETENTION, UPLOADS, upload_key
from unite_core.identity.use_cases import NewUser
from unite_core.imports.model import MAX_FILE_BYTES, UPLOAD_TTL
from unite_core.imports.use_cases.control import ABANDONED_AFTER
from unite_core.leads.model import IMAGE_UPLOAD_TTL
from unite_core.testing.builders import an_actor, an_id
from unite_core.testing.in_memory import FixedClock, InMemoryFiles, in_memory_ports

CSV = b"Name,Phone\nGrace,+12125550101\n"
OTHER_CSV = b"Name,Phone\nMadam,+12125550102\n"
DAY = timedelta(hours=24)


@pytest.fixture
def floor() -> Floor:
    return Floor()


def announce(floor: Floor) -> LeadImport:
    return floor.unite.imports.announce(floor.ann, NewImport(filename="leads.csv", size=len(CSV))).lead_import


def put_upload(floor: Floor, coming: LeadImport, content: bytes = CSV) -> None:
    """Send a file to where the link of an announcement leads."""
    with floor.ports.files.write(upload_key(coming.key), content_type="text/csv") as stream:
        stream.write(content)


def test_an_announced_file_is_uploaded_and_started(floor: Floor) -> None:
    announced = floor.unite.imports.announce(floor.ann, NewImport(filename=" leads.csv ", size=len(CSV)))
    coming = announced.lead_import
    assert (coming.status, coming.filename) == (ImportStatus.AWAITING_UPLOAD, "leads.csv")
    assert announced.upload.expires_at == floor.ports.clock.now() + timedelta(hours=1)
    assert announced.upload.headers == {"Content-Type": "text/csv"}
    put_upload(floor, coming)

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
    put_upload(floor, coming)
    started = floor.unite.imports.start(floor.ann, coming.id)

    assert floor.unite.imports.start(floor.ann, coming.id) == started
    done = floor.run(coming.id)
    assert floor.unite.imports.start(floor.ann, coming.id) == done
    assert floor.ports.jobs.imports == [coming.id]


def test_what_was_cancelled_is_not_started(floor: Floor) -> None:
    coming = floor.unite.imports.announce(floor.ann, NewImport(filename="leads.csv", size=len(CSV))).lead_import
    put_upload(floor, coming)
    floor.unite.imports.cancel(floor.ann, coming.id)

    with pytest.raises(Conflict) as refused:
        floor.unite.imports.start(floor.ann, coming.id)

    assert refused.value.code == "already_started"


def test_a_link_does_not_lead_to_the_file_that_is_imported(floor: Floor) -> None:
    announced = floor.unite.imports.announce(floor.ann, NewImport(filename="leads.csv", size=len(CSV)))

    assert f"/{upload_key(announced.lead_import.key)}?" in announced.upload.url


def test_what_is_uploaded_after_the_start_is_not_imported(floor: Floor) -> None:
    coming = announce(floor)
    put_upload(floor, coming)
    floor.unite.imports.start(floor.ann, coming.id)
    put_upload(floor, coming, OTHER_CSV)

    floor.ports.jobs.run_all(floor.unite)

    assert [lead.name for lead in floor.leads()] == ["Grace"]


def test_a_start_that_was_cut_short_is_made_good_by_the_next_one(floor: Floor) -> None:
    coming = announce(floor)
    put_upload(floor, coming)
    start = floor.unite.imports.start
    with pytest.raises(PowerCutError):
        replace(start, work=FailingWork(floor.ports.work, PowerCutError(), at=0))(floor.ann, coming.id)
    assert floor.get(coming.id) == coming
    assert [*floor.ports.files._contents] == [coming.key]

    started = start(floor.ann, coming.id)

    assert (started.status, started.size) == (ImportStatus.QUEUED, len(CSV))
    floor.ports.jobs.run_all(floor.unite)
    assert [lead.name for lead in floor.leads()] == ["Grace"]


def troubled_floor() -> tuple[Floor, TroubledFiles]:
    clock = FixedClock()
    files = TroubledFiles(clock)
    return Floor(in_memory_ports(clock=clock, files=files)), files


def test_of_two_starts_at_once_none_takes_another_file_than_was_looked_at() -> None:
    floor, files = troubled_floor()
    coming = announce(floor)
    put_upload(floor, coming)

    def upload_another_and_start_again() -> None:
        files.trouble = lambda: None
        put_upload(floor, coming, OTHER_CSV)
        floor.unite.imports.start(floor.ann, coming.id)

    files.trouble = upload_another_and_start_again
    floor.unite.imports.start(floor.ann, coming.id)

    floor.ports.jobs.run_all(floor.unite)
    assert [lead.name for lead in floor.leads()] == ["Grace"]
    assert floor.upload(CSV).id == coming.id


def test_an_import_that_is_cancelled_while_it_starts_stays_cancelled_and_leaves_no_file() -> None:
    floor, files = troubled_floor()
    coming = announce(floor)
    put_upload(floor, coming)

    def cancel() -> None:
        floor.unite.imports.cancel(floor.ann, coming.id)

    files.trouble = cancel
    with pytest.raises(Conflict) as refused:
        floor.unite.imports.start(floor.ann, coming.id)

    assert refused.value.code == "already_started"
    assert files._contents == {}


def test_a_file_that_is_lost_while_it_is_looked_at_has_to_be_uploaded_again() -> None:
    floor, files = troubled_floor()
    coming = announce(floor)
    put_upload(floor, coming)
    files.trouble = lambda: files.delete(coming.key)

    with pytest.raises(Conflict) as refused:
        floor.unite.imports.start(floor.ann, coming.id)

    assert refused.value.code == "not_uploaded"


def test_a_start_of_another_version_leaves_the_upload_where_it_is(floor: Floor) -> None:
    coming = announce(floor)
    put_upload(floor, coming)

    with pytest.raises(PreconditionFailed):
        floor.unite.imports.start(floor.ann, coming.id, expected_version=2)

    assert [*floor.ports.files._contents] == [upload_key(coming.key)]


def test_what_was_uploaded_is_kept_as_long_as_anybody_can_want_it() -> None:
    max_length = max(UPLOAD_TTL, IMAGE_UPLOAD_TTL)

    assert max_length <= MAX_UPLOAD_TTL
    assert max_length + ABANDONED_AFTER <= UPLOAD_RETENTION


def test_the_same_file_announced_twice_gives_the_first_import(floor: Floor) -> None:
    announced = [
        floor.unite.imports.announce(floor.ann, NewImport(filename=f"{number}.csv", size=len(CSV))).lead_import
        for number in range(2)
    ]
    for coming in announced:
        put_upload(floor, coming)
    first = floor.unite.imports.start(floor.ann, announced[0].id)

    assert floor.unite.imports.start(floor.ann, announced[1].id) == first
    assert floor.get(announced[1].id).status is ImportStatus.CANCELLED
    assert [*floor.ports.files._contents] == [first.key]
    assert floor.ports.jobs.imports == [first.id]


def test_the_same_file_sent_twice_within_a_day_gives_the_first_import(floor: Floor) -> None:
    first = floor.import_file(CSV)
    floor.ports.clock.advance(DAY - timedelta(seconds=1))

    again = floor.upload(CSV)

    assert again == first
    assert floor.unite.imports.due().to_import == ()
    assert floor.ports.files._contents == {}


def test_the_same_file_is_another_import_a_day_later_or_by_somebody_else_or_with_other_options(floor: Floor) -> None:
    first = floor.upload(CSV)
    updating = floor.upload(CSV, on_duplicate=OnDuplicate.UPDATE)
    boss = NewUser(email="boss@unite.example", name="Boss", role=Role.MANAGER, password="correct horse battery")
    floor.ann, ann = an_actor(Role.MANAGER, user_id=floor.unite.identity.create_user(floor.ann, boss).id), floor.ann
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
        (NewImport(filename="a.csv", size=MAX_FILE_BYTES + 1), "size", "wrong_size"),
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
        (
            NewImport(
                filename="a.csv",
                size=5,
                options=ImportOptions(columns={"Name": "name", "Nickname": "name", "Shoe": None, "Hat": None}),
            ),
            "options.columns",
            "duplicate_mapping",
        ),
    ],
)
def test_an_announcement_that_breaks_a_rule_is_refused(floor: Floor, new: NewImport, field: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        floor.unite.imports.announce(floor.ann, new)

    assert [(problem.field, problem.code) for problem in refused.value.problems] == [(field, code)]


def test_leads_are_not_given_to_somebody_who_has_left(floor: Floor) -> None:
    ben = NewUser(email="ben@unite.example", name="Ben", role=Role.AGENT, password="correct horse battery")
    gone = floor.unite.identity.create_user(floor.ann, ben)
    floor.unite.identity.update_user(floor.ann, UserChanges(user_id=gone.id, active=False))

    with pytest.raises(Invalid) as refused:
        floor.upload(CSV, default_assigned_to=gone.id)

    assert refused.value.problems[0].code == "unknown_user"


class Endless(io.BytesIO):
    """A stream with one byte too many in it, made as it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.left = MAX_FILE_BYTES + 1
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


def test_a_stored_file_lies_where_leftovers_are_swept_until_an_import_is_made_of_it(floor: Floor) -> None:
    stored = floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV))
    assert [*floor.ports.files._contents] == [stored.key]
    assert stored.key.startswith(f"{UPLOADS}/")

    coming = floor.unite.imports.import_stored_file(floor.ann, FileToImport(stored=stored, filename="a.csv"))

    assert coming.id == stored.import_id
    assert [*floor.ports.files._contents] == [coming.key]
    assert not coming.key.startswith(f"{UPLOADS}/")


def test_a_stored_file_whose_import_could_not_be_made_leaves_nothing(floor: Floor) -> None:
    stored = floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV))
    down = FailingWork(floor.ports.work, Unavailable("The database does not answer."), at=0)

    with pytest.raises(Unavailable):
        replace(floor.unite.imports.import_stored_file, work=down)(
            floor.ann, FileToImport(stored=stored, filename="a.csv")
        )

    assert floor.ports.files._contents == {}


def test_an_import_that_was_made_keeps_its_file_whatever_fails_after_that(floor: Floor) -> None:
    stored = floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV))
    failing = FailingWork(floor.ports.work, PowerCutError(), at=0, after=True)

    with pytest.raises(PowerCutError):
        replace(floor.unite.imports.import_stored_file, work=failing)(
            floor.ann, FileToImport(stored=stored, filename="a.csv")
        )

    assert floor.run(stored.import_id).counts.created == 1


def _database_away() -> None:
    raise Unavailable("The database does not answer.")


@pytest.mark.parametrize("then", [_database_away, lambda: None])
def test_an_import_that_was_made_keeps_its_file_where_only_the_answer_was_lost(
    floor: Floor, then: Callable[[], None]
) -> None:
    stored = floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV))

    with pytest.raises(Unavailable):
        replace(floor.unite.imports.import_stored_file, work=DeafWork(floor.ports.work, then))(
            floor.ann, FileToImport(stored=stored, filename="a.csv")
        )

    assert floor.run(stored.import_id).counts.created == 1


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
    new = NewUser(email="mo@unite.example", name="Mo", role=Role.MANAGER, password="correct horse battery")
    manager = an_actor(Role.MANAGER, user_id=floor.unite.identity.create_user.unchecked(new).id)

    announced = floor.unite.imports.announce(manager, NewImport(filename="a.csv", size=5))

    assert announced.lead_import.created_by == manager.user_id


def test_an_unknown_import_is_not_started(floor: Floor) -> None:
    with pytest.raises(NotFound):
        floor.unite.imports.start(floor.ann, an_id())


def test_an_import_follows_from_the_request_that_started_it(floor: Floor) -> None:
    announcing, starting = (replace(floor.ann, correlation_id=told) for told in ("announcing", "starting"))
    coming = floor.unite.imports.announce(announcing, NewImport(filename="leads.csv", size=len(CSV))).lead_import
    with floor.ports.files.write(upload_key(coming.key), content_type="text/csv") as target:
        target.write(CSV)

    floor.unite.imports.start(starting, coming.id)

    assert floor.get(coming.id).correlation_id == "starting"
    assert floor.unite.imports.due().correlation_ids == {coming.id: "starting"}

"""A notice that a file has come starts its import, once, and tells what came of it."""

import io
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from tests.core.imports.accidents import FailingWork
from tests.core.imports.floor import Floor
from unite_core import (
    Actor,
    Conflict,
    FileToImport,
    ImportStatus,
    LeadImport,
    NewImport,
    Role,
    Unavailable,
    UploadOutcome,
    UserChanges,
)
from unite_core.files import upload_key
from unite_core.identity.use_cases import NewUser
from unite_core.imports.use_cases import StartImport
from unite_core.imports.use_cases.intake import file_key
from unite_core.testing.builders import acting, an_id

CSV = b"Name,Phone\nGrace,+12125550101\n"


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    boss = NewUser(email="boss@unite.example", name="Boss", role=Role.MANAGER, password="correct horse battery")
    floor.ann = acting(floor.unite.identity.create_user(floor.ann, boss))
    return floor


def announce(floor: Floor) -> LeadImport:
    return floor.unite.imports.announce(floor.ann, NewImport(filename="leads.csv", size=len(CSV))).lead_import


def put(floor: Floor, key: str) -> str:
    with floor.ports.files.write(key, content_type="text/csv") as stream:
        stream.write(CSV)
    return key


def uploaded(floor: Floor) -> LeadImport:
    coming = announce(floor)
    put(floor, upload_key(coming.key))
    return coming


def notice(floor: Floor, of: LeadImport) -> UploadOutcome:
    return floor.unite.imports.start_uploaded(upload_key(of.key))


def test_an_uploaded_file_starts_its_import_on_behalf_of_its_creator(floor: Floor) -> None:
    coming = uploaded(floor)

    outcome = floor.unite.imports.start_uploaded(upload_key(coming.key), "the notice")

    assert (outcome, outcome.settled) == (UploadOutcome.STARTED, True)
    assert floor.ports.jobs.imports == [coming.id]
    done = floor.run(coming.id)
    assert (done.counts.created, done.created_by, done.correlation_id) == (1, floor.ann.user_id, "the notice")


def test_a_notice_that_comes_twice_starts_the_import_once(floor: Floor) -> None:
    coming = uploaded(floor)

    outcomes = [notice(floor, coming) for _ in range(3)]

    assert outcomes == [UploadOutcome.STARTED, UploadOutcome.KNOWN, UploadOutcome.KNOWN]
    assert floor.ports.jobs.imports == [coming.id]


def test_a_notice_of_what_the_client_started_itself_does_nothing(floor: Floor) -> None:
    coming = uploaded(floor)
    started = floor.unite.imports.start(floor.ann, coming.id)

    outcome = notice(floor, coming)

    assert (outcome, outcome.settled) == (UploadOutcome.KNOWN, True)
    assert floor.get(coming.id) == started


def test_a_notice_starts_nothing_that_was_cancelled(floor: Floor) -> None:
    coming = uploaded(floor)
    floor.unite.imports.cancel(floor.ann, coming.id)

    assert notice(floor, coming) is UploadOutcome.KNOWN
    assert floor.get(coming.id).status is ImportStatus.CANCELLED


def test_the_same_file_again_stands_back_for_the_first_import(floor: Floor) -> None:
    first, second = uploaded(floor), uploaded(floor)
    notice(floor, first)

    assert notice(floor, second) is UploadOutcome.STARTED
    assert floor.get(second.id).status is ImportStatus.CANCELLED
    assert floor.ports.jobs.imports == [first.id]


@pytest.mark.parametrize("change", [{"active": False}, {"role": Role.AGENT}], ids=["who left", "who is no manager now"])
def test_nothing_is_imported_for_somebody(floor: Floor, change: dict[str, object]) -> None:
    coming = uploaded(floor)
    changes = UserChanges(user_id=coming.created_by, **change)  # type: ignore[arg-type]  # one of its fields each
    floor.unite.identity.update_user(acting(floor.admin), changes)

    outcome = notice(floor, coming)

    assert (outcome, outcome.settled) == (UploadOutcome.REFUSED, True)
    assert floor.ports.jobs.imports == []


@pytest.mark.parametrize(
    "misspell",
    [
        lambda key: key.removeprefix("uploads/"),
        lambda key: key.removesuffix(".csv"),
        lambda key: key.replace("imports", "images"),
        lambda key: key.replace("-", ""),
        lambda key: key.upper(),
        lambda _: "",
    ],
    ids=["not an upload", "no CSV file", "of a picture", "another spelling of the id", "in capitals", "empty"],
)
def test_a_key_that_is_none_of_an_uploaded_import_is_unknown(floor: Floor, misspell: Callable[[str], str]) -> None:
    coming = uploaded(floor)

    outcome = floor.unite.imports.start_uploaded(misspell(upload_key(coming.key)))

    assert (outcome, outcome.settled) == (UploadOutcome.UNKNOWN, False)
    assert floor.ports.jobs.imports == []


def test_a_file_that_belongs_to_no_import_is_unknown(floor: Floor) -> None:
    key = put(floor, upload_key(file_key(an_id())))

    assert floor.unite.imports.start_uploaded(key) is UploadOutcome.UNKNOWN


def test_a_file_that_comes_with_its_request_is_unknown_until_its_import_is_made(floor: Floor) -> None:
    stored = floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV))
    assert floor.unite.imports.start_uploaded(stored.key) is UploadOutcome.UNKNOWN

    floor.unite.imports.import_stored_file(floor.ann, FileToImport(stored=stored, filename="leads.csv"))

    assert floor.unite.imports.start_uploaded(stored.key) is UploadOutcome.KNOWN


def test_a_file_that_was_thrown_away_is_gone(floor: Floor) -> None:
    stored = floor.unite.imports.store_file(floor.ann, io.BytesIO(CSV))
    floor.unite.imports.store_file.discard(stored)

    outcome = floor.unite.imports.start_uploaded(stored.key)

    assert (outcome, outcome.settled) == (UploadOutcome.GONE, True)


def test_a_file_that_is_missing_from_its_import_is_gone(floor: Floor) -> None:
    coming = announce(floor)

    assert notice(floor, coming) is UploadOutcome.GONE
    assert floor.get(coming.id).status is ImportStatus.AWAITING_UPLOAD


class Overtaken(StartImport):
    """Somebody cancels the import just before it is started."""

    def __call__(self, actor: Actor, import_id: UUID, expected_version: int | None = None) -> LeadImport:
        with self.work() as work:
            coming = work.imports.get(import_id)
            coming.request_cancel(self.clock.now())
            coming.touched()
            work.imports.save(coming)
            work.commit()
        return super().__call__(actor, import_id, expected_version)


def test_an_import_that_is_cancelled_meanwhile_is_not_started(floor: Floor) -> None:
    coming = uploaded(floor)
    ports = floor.ports
    start = Overtaken(ports.work, ports.files, ports.jobs, ports.clock)

    outcome = replace(floor.unite.imports.start_uploaded, start=start)(upload_key(coming.key))

    assert outcome is UploadOutcome.KNOWN
    assert ports.jobs.imports == []


@pytest.mark.parametrize(
    "failure",
    [Unavailable("The database does not answer."), Conflict("The same file is being imported.", code="same_file")],
)
def test_a_failure_is_passed_on_and_the_next_notice_makes_it_good(floor: Floor, failure: Exception) -> None:
    coming = uploaded(floor)
    start_uploaded = floor.unite.imports.start_uploaded
    failing = replace(start_uploaded.start, work=FailingWork(floor.ports.work, failure, at=0))

    with pytest.raises(type(failure)):
        replace(start_uploaded, start=failing)(upload_key(coming.key))

    assert notice(floor, coming) is UploadOutcome.STARTED

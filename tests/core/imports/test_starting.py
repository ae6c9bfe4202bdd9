"""Tests of announced, uploaded and started imports, and of the same file twice."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, BinaryIO

import pytest

from tests.core.imports.accidents import DeafWork, FailingWork, PowerCutError, TroubledFiles
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
)
from unite_core.files import MAX_UPLOAD_TTL, UPLOAD_RETENTION, UPLOADS, upload_key
from unite_core.imports.model import MAX_FILE_BYTES, UPLOAD_TTL
from unite_core.imports.use_cases.cancel_and_undo import ABANDONED_AFTER
from unite_core.leads.model import IMAGE_UPLOAD_TTL
from unite_core.testing.builders import an_actor, an_id
from unite_core.testing.in_memory import FixedClock, InMemoryFiles, in_memory_ports
from unite_core.testing.scenario import Scenario

CSV = b"Name,Phone\nGrace,+12125550101\n"
OTHER_CSV = b"Name,Phone\nMadam,+12125550102\n"
DAY = timedelta(hours=24)


def announce(scenario: Scenario) -> LeadImport:
    return scenario.unite.imports.announce(scenario.admin, NewImport(filename="leads.csv", size=len(CSV))).lead_import


def put_upload(scenario: Scenario, coming: LeadImport, content: bytes = CSV) -> None:
    """Send a file to where the link of an announcement leads."""
    with scenario.ports.files.write(upload_key(coming.key), content_type="text/csv") as stream:
        stream.write(content)


def test_an_announced_file_is_uploaded_and_its_import_started(scenario: Scenario) -> None:
    announced = scenario.unite.imports.announce(scenario.admin, NewImport(filename=" leads.csv ", size=len(CSV)))
    coming = announced.lead_import
    assert (coming.status, coming.filename) == (ImportStatus.AWAITING_UPLOAD, "leads.csv")
    assert announced.upload.expires_at == scenario.ports.clock.now() + timedelta(hours=1)
    assert announced.upload.headers == {"Content-Type": "text/csv"}
    put_upload(scenario, coming)

    started = scenario.unite.imports.start(scenario.admin, coming.id)

    assert (started.status, started.size) == (ImportStatus.QUEUED, len(CSV))
    assert scenario.ports.jobs.imports == [coming.id]
    scenario.ports.jobs.run_all(scenario.unite)
    assert scenario.get_import(coming.id).counts.created == 1


def test_an_import_cannot_be_started_before_its_upload(scenario: Scenario) -> None:
    announced = scenario.unite.imports.announce(scenario.admin, NewImport(filename="leads.csv", size=5))

    with pytest.raises(Conflict) as refused:
        scenario.unite.imports.start(scenario.admin, announced.lead_import.id)

    assert refused.value.code == "not_uploaded"


def test_starting_an_import_again_returns_it_unchanged(scenario: Scenario) -> None:
    coming = scenario.unite.imports.announce(scenario.admin, NewImport(filename="leads.csv", size=len(CSV))).lead_import
    put_upload(scenario, coming)
    started = scenario.unite.imports.start(scenario.admin, coming.id)

    assert scenario.unite.imports.start(scenario.admin, coming.id) == started
    done = scenario.run_import(coming.id)
    assert scenario.unite.imports.start(scenario.admin, coming.id) == done
    assert scenario.ports.jobs.imports == [coming.id]


def test_a_cancelled_import_cannot_be_started(scenario: Scenario) -> None:
    coming = scenario.unite.imports.announce(scenario.admin, NewImport(filename="leads.csv", size=len(CSV))).lead_import
    put_upload(scenario, coming)
    scenario.unite.imports.cancel(scenario.admin, coming.id)

    with pytest.raises(Conflict) as refused:
        scenario.unite.imports.start(scenario.admin, coming.id)

    assert refused.value.code == "already_started"


def test_the_upload_link_has_another_key_than_the_imported_file(scenario: Scenario) -> None:
    announced = scenario.unite.imports.announce(scenario.admin, NewImport(filename="leads.csv", size=len(CSV)))

    assert f"/{upload_key(announced.lead_import.key)}?" in announced.upload.url


def test_a_file_that_is_uploaded_after_the_start_is_not_imported(scenario: Scenario) -> None:
    coming = announce(scenario)
    put_upload(scenario, coming)
    scenario.unite.imports.start(scenario.admin, coming.id)
    put_upload(scenario, coming, OTHER_CSV)

    scenario.ports.jobs.run_all(scenario.unite)

    assert [lead.name for lead in scenario.leads()] == ["Grace"]


def test_a_start_that_was_interrupted_can_be_repeated(scenario: Scenario) -> None:
    coming = announce(scenario)
    put_upload(scenario, coming)
    start = scenario.unite.imports.start
    with pytest.raises(PowerCutError):
        replace(start, work=FailingWork(scenario.ports.work, PowerCutError(), at=0))(scenario.admin, coming.id)
    assert scenario.get_import(coming.id) == coming
    assert [*scenario.ports.files._contents] == [coming.key]

    started = start(scenario.admin, coming.id)

    assert (started.status, started.size) == (ImportStatus.QUEUED, len(CSV))
    scenario.ports.jobs.run_all(scenario.unite)
    assert [lead.name for lead in scenario.leads()] == ["Grace"]


def troubled_floor() -> tuple[Scenario, TroubledFiles]:
    clock = FixedClock()
    files = TroubledFiles(clock)
    return Scenario(in_memory_ports(clock=clock, files=files), chunk_rows=2), files


def test_of_two_concurrent_starts_each_imports_the_file_that_it_checked() -> None:
    scenario, files = troubled_floor()
    coming = announce(scenario)
    put_upload(scenario, coming)

    def upload_another_and_start_again() -> None:
        files.trouble = lambda: None
        put_upload(scenario, coming, OTHER_CSV)
        scenario.unite.imports.start(scenario.admin, coming.id)

    files.trouble = upload_another_and_start_again
    scenario.unite.imports.start(scenario.admin, coming.id)

    scenario.ports.jobs.run_all(scenario.unite)
    assert [lead.name for lead in scenario.leads()] == ["Grace"]
    assert scenario.upload(CSV).id == coming.id


def test_an_import_that_is_cancelled_during_its_start_stays_cancelled_without_a_file() -> None:
    scenario, files = troubled_floor()
    coming = announce(scenario)
    put_upload(scenario, coming)

    def cancel() -> None:
        scenario.unite.imports.cancel(scenario.admin, coming.id)

    files.trouble = cancel
    with pytest.raises(Conflict) as refused:
        scenario.unite.imports.start(scenario.admin, coming.id)

    assert refused.value.code == "already_started"
    assert files._contents == {}


def test_a_file_that_is_lost_during_the_start_has_to_be_uploaded_again() -> None:
    scenario, files = troubled_floor()
    coming = announce(scenario)
    put_upload(scenario, coming)
    files.trouble = lambda: files.delete(coming.key)

    with pytest.raises(Conflict) as refused:
        scenario.unite.imports.start(scenario.admin, coming.id)

    assert refused.value.code == "not_uploaded"


def test_a_start_of_another_version_leaves_the_upload_unchanged(scenario: Scenario) -> None:
    coming = announce(scenario)
    put_upload(scenario, coming)

    with pytest.raises(PreconditionFailed):
        scenario.unite.imports.start(scenario.admin, coming.id, expected_version=2)

    assert [*scenario.ports.files._contents] == [upload_key(coming.key)]


def test_uploads_are_kept_until_no_import_can_need_them() -> None:
    max_length = max(UPLOAD_TTL, IMAGE_UPLOAD_TTL)

    assert max_length <= MAX_UPLOAD_TTL
    assert max_length + ABANDONED_AFTER <= UPLOAD_RETENTION


def test_a_file_that_is_announced_twice_has_one_import(scenario: Scenario) -> None:
    announced = [
        scenario.unite.imports.announce(scenario.admin, NewImport(filename=f"{number}.csv", size=len(CSV))).lead_import
        for number in range(2)
    ]
    for coming in announced:
        put_upload(scenario, coming)
    first = scenario.unite.imports.start(scenario.admin, announced[0].id)

    assert scenario.unite.imports.start(scenario.admin, announced[1].id) == first
    assert scenario.get_import(announced[1].id).status is ImportStatus.CANCELLED
    assert [*scenario.ports.files._contents] == [first.key]
    assert scenario.ports.jobs.imports == [first.id]


def test_a_file_that_is_sent_twice_within_a_day_has_one_import(scenario: Scenario) -> None:
    first = scenario.import_file(CSV)
    scenario.ports.clock.advance(DAY - timedelta(seconds=1))

    again = scenario.upload(CSV)

    assert again == first
    assert scenario.unite.imports.due().to_import == ()
    assert scenario.ports.files._contents == {}


def test_the_same_file_has_another_import_after_a_day_for_another_user_or_with_other_options(
    scenario: Scenario,
) -> None:
    first = scenario.upload(CSV)
    updating = scenario.upload(CSV, on_duplicate=OnDuplicate.UPDATE)
    theirs = scenario.upload(CSV, scenario.manager)
    scenario.ports.clock.advance(DAY)
    later = scenario.upload(CSV)

    assert len({first.id, updating.id, theirs.id, later.id}) == 4
    assert scenario.get_import(first.id).same_file_key is None
    assert scenario.upload(CSV) == later


def test_a_file_whose_import_failed_or_was_cancelled_can_be_imported_again(scenario: Scenario) -> None:
    failed = scenario.import_file(b"Shoe Size\n37\n")
    assert scenario.import_file(b"Shoe Size\n37\n").id != failed.id
    cancelled = scenario.upload(CSV)
    scenario.unite.imports.cancel(scenario.admin, cancelled.id)

    assert scenario.upload(CSV).id != cancelled.id


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
def test_an_invalid_announcement_is_refused(scenario: Scenario, new: NewImport, field: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        scenario.unite.imports.announce(scenario.admin, new)

    assert [(problem.field, problem.code) for problem in refused.value.problems] == [(field, code)]


def test_leads_cannot_be_assigned_to_a_deactivated_user(scenario: Scenario) -> None:
    scenario.deactivate(scenario.ben)

    with pytest.raises(Invalid) as refused:
        scenario.upload(CSV, default_assigned_to=scenario.ben.user_id)

    assert refused.value.problems[0].code == "unknown_user"


class Endless(io.BytesIO):
    """A stream that is one byte longer than the limit, generated as it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.left = MAX_FILE_BYTES + 1
        self.block = bytes(256 * 1024)

    def read(self, size: int | None = -1) -> bytes:
        block = self.block[: min(size or 0, self.left)]
        self.left -= len(block)
        return block


class Sink(io.BytesIO):
    """A stream that discards everything."""

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


def test_a_file_over_the_size_limit_is_not_stored() -> None:
    files = BottomlessFiles()
    scenario = Scenario(in_memory_ports(files=files), chunk_rows=2)

    with pytest.raises(TooLarge):
        scenario.unite.imports.store_file(scenario.admin, Endless())

    assert files.stored == []
    scenario.unite.imports.store_file(scenario.admin, io.BytesIO(CSV))
    assert len(files.stored) == 1


def test_a_stored_file_without_an_import_can_be_discarded(scenario: Scenario) -> None:
    stored = scenario.unite.imports.store_file(scenario.admin, io.BytesIO(CSV))
    assert scenario.ports.files.size(stored.key) == stored.size == len(CSV)

    scenario.unite.imports.store_file.discard(stored)

    assert scenario.ports.files.size(stored.key) is None


def test_a_stored_file_is_among_the_uploads_until_its_import_is_created(scenario: Scenario) -> None:
    stored = scenario.unite.imports.store_file(scenario.admin, io.BytesIO(CSV))
    assert [*scenario.ports.files._contents] == [stored.key]
    assert stored.key.startswith(f"{UPLOADS}/")

    coming = scenario.unite.imports.import_stored_file(scenario.admin, FileToImport(stored=stored, filename="a.csv"))

    assert coming.id == stored.import_id
    assert [*scenario.ports.files._contents] == [coming.key]
    assert not coming.key.startswith(f"{UPLOADS}/")


def test_a_stored_file_whose_import_could_not_be_created_is_deleted(scenario: Scenario) -> None:
    stored = scenario.unite.imports.store_file(scenario.admin, io.BytesIO(CSV))
    down = FailingWork(scenario.ports.work, Unavailable("The database does not answer."), at=0)

    with pytest.raises(Unavailable):
        replace(scenario.unite.imports.import_stored_file, work=down)(
            scenario.admin, FileToImport(stored=stored, filename="a.csv")
        )

    assert scenario.ports.files._contents == {}


def test_an_import_keeps_its_file_if_something_fails_after_its_commit(scenario: Scenario) -> None:
    stored = scenario.unite.imports.store_file(scenario.admin, io.BytesIO(CSV))
    failing = FailingWork(scenario.ports.work, PowerCutError(), at=0, after=True)

    with pytest.raises(PowerCutError):
        replace(scenario.unite.imports.import_stored_file, work=failing)(
            scenario.admin, FileToImport(stored=stored, filename="a.csv")
        )

    assert scenario.run_import(stored.import_id).counts.created == 1


def _database_away() -> None:
    raise Unavailable("The database does not answer.")


@pytest.mark.parametrize("then", [_database_away, lambda: None])
def test_an_import_keeps_its_file_if_the_result_of_its_commit_is_unknown(
    scenario: Scenario, then: Callable[[], None]
) -> None:
    stored = scenario.unite.imports.store_file(scenario.admin, io.BytesIO(CSV))

    with pytest.raises(Unavailable):
        replace(scenario.unite.imports.import_stored_file, work=DeafWork(scenario.ports.work, then))(
            scenario.admin, FileToImport(stored=stored, filename="a.csv")
        )

    assert scenario.run_import(stored.import_id).counts.created == 1


def test_agents_cannot_import(scenario: Scenario) -> None:
    agent = an_actor(Role.AGENT)
    imports = scenario.unite.imports
    stored = imports.store_file(scenario.admin, io.BytesIO(CSV))
    with pytest.raises(Forbidden):
        imports.announce(agent, NewImport(filename="a.csv", size=5))
    with pytest.raises(Forbidden):
        imports.start(agent, an_id())
    with pytest.raises(Forbidden):
        imports.store_file(agent, io.BytesIO(CSV))
    with pytest.raises(Forbidden):
        imports.import_stored_file(agent, FileToImport(stored=stored, filename="a.csv"))


def test_managers_can_import(scenario: Scenario) -> None:
    announced = scenario.unite.imports.announce(scenario.manager, NewImport(filename="a.csv", size=5))

    assert announced.lead_import.created_by == scenario.manager.user_id


def test_an_unknown_import_cannot_be_started(scenario: Scenario) -> None:
    with pytest.raises(NotFound):
        scenario.unite.imports.start(scenario.admin, an_id())


def test_an_import_has_the_correlation_id_of_the_request_that_started_it(scenario: Scenario) -> None:
    announcing, starting = (
        replace(scenario.admin, correlation_id=id_of_request) for id_of_request in ("announcing", "starting")
    )
    coming = scenario.unite.imports.announce(announcing, NewImport(filename="leads.csv", size=len(CSV))).lead_import
    with scenario.ports.files.write(upload_key(coming.key), content_type="text/csv") as target:
        target.write(CSV)

    scenario.unite.imports.start(starting, coming.id)

    assert scenario.get_import(coming.id).correlation_id == "starting"
    assert scenario.unite.imports.due().correlation_ids == {coming.id: "starting"}


def test_what_is_due_is_listed_with_the_span_that_made_it_due(scenario: Scenario) -> None:
    traceparent = f"00-{'4b' * 16}-{'f0' * 8}-01"
    coming = scenario.upload("Name,Email\nGrace,grace@example.com\n")
    with scenario.ports.work() as work:
        work.imports.save(replace(work.imports.get(coming.id), traceparent=traceparent, version=2))
        work.commit()

    assert scenario.unite.imports.due().traceparents == {coming.id: traceparent}

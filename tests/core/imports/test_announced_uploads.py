"""Work in the background starts imports of what was uploaded, and deletes uploads that nobody needs any more."""

from datetime import timedelta

import pytest

from tests.core.imports.accidents import FailingWork
from unite_core import ImportStatus, LeadImport, NewImport, Unavailable, build
from unite_core.files import UPLOAD_RETENTION, Files, upload_key
from unite_core.imports.ports import NoUploadNotices
from unite_core.testing.builders import an_id
from unite_core.testing.contracts.files import write
from unite_core.testing.in_memory import FixedClock, InMemoryFiles, in_memory_ports
from unite_core.testing.in_memory.upload_notices import HIDDEN_FOR
from unite_core.testing.scenario import Scenario

CSV = b"Name,Phone\nGrace,+12125550101\n"
SECOND = timedelta(seconds=1)


@pytest.fixture
def scenario() -> Scenario:
    return Scenario()


def upload(scenario: Scenario) -> LeadImport:
    """Announce an import, and send its file to the storage, which announces that."""
    announced = scenario.unite.imports.announce(scenario.admin, NewImport(filename="leads.csv", size=len(CSV)))
    key = upload_key(announced.lead_import.key)
    write(scenario.ports.files, key, CSV)
    scenario.ports.notices.announce(key)
    return announced.lead_import


def test_an_upload_that_is_announced_is_imported(scenario: Scenario) -> None:
    uploaded = [upload(scenario), upload(scenario)]

    scenario.unite.work_once()

    assert scenario.get_import(uploaded[0].id).status is ImportStatus.COMPLETED
    assert scenario.ports.notices.keys == []
    assert len(scenario.leads()) == 1


def test_a_notice_of_no_import_comes_again_and_keeps_no_other_from_being_read(scenario: Scenario) -> None:
    unknown = upload_key(f"imports/{an_id()}.csv")
    write(scenario.ports.files, unknown, CSV)
    scenario.ports.notices.announce(unknown)
    upload(scenario)

    assert scenario.unite.imports.start_announced() == 1
    assert scenario.ports.notices.keys == [unknown]
    scenario.ports.files.delete(unknown)
    scenario.ports.clock.advance(HIDDEN_FOR)
    assert scenario.unite.imports.start_announced() == 1
    assert scenario.ports.notices.keys == []


def test_an_upload_whose_import_could_not_be_started_is_started_later() -> None:
    ports = in_memory_ports()
    scenario = Scenario(ports)
    uploaded = upload(scenario)
    down = FailingWork(ports.work, Unavailable("The database does not answer."), at=0)
    failing = build(in_memory_ports(**{**vars(ports), "work": down}))

    with pytest.raises(Unavailable):
        failing.imports.start_announced()
    ports.clock.advance(HIDDEN_FOR)
    scenario.unite.work_once()

    assert scenario.get_import(uploaded.id).status is ImportStatus.COMPLETED


def test_no_notice_is_received_when_the_work_stops(scenario: Scenario) -> None:
    upload(scenario)

    assert scenario.unite.imports.start_announced(should_stop=lambda: True) == 0

    assert len(scenario.ports.notices.keys) == 1


def test_uploads_that_nobody_can_need_any_more_are_deleted(scenario: Scenario) -> None:
    files, clock = scenario.ports.files, scenario.ports.clock
    write(files, "imports/stored.csv", CSV)
    write(files, upload_key("imports/old.csv"), CSV)
    clock.advance(SECOND)
    write(files, upload_key("imports/young.csv"), CSV)

    clock.advance(UPLOAD_RETENTION)
    scenario.unite.work_once()

    assert files.keys() == ["imports/stored.csv", upload_key("imports/young.csv")]
    assert scenario.unite.upkeep.remove_leftover_files() == 0


def test_a_storage_may_announce_nothing_and_clean_up_by_itself() -> None:
    class Bucket(InMemoryFiles):
        """A storage that deletes old uploads by a rule of its own."""

        remove_leftovers = Files.remove_leftovers

    clock = FixedClock()
    ports = in_memory_ports(clock=clock, files=Bucket(clock), notices=NoUploadNotices())
    write(ports.files, upload_key("imports/old.csv"), CSV)
    clock.advance(UPLOAD_RETENTION + SECOND)

    build(ports).work_once()

    assert ports.files.keys() == [upload_key("imports/old.csv")]

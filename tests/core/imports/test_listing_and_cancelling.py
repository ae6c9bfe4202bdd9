"""Tests of getting, listing and cancelling imports, and of abandoned ones."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from unite_core import (
    Conflict,
    Forbidden,
    ImportFilter,
    ImportStatus,
    NewImport,
    NotFound,
    PageRequest,
    PreconditionFailed,
    Progress,
    RejectionFilter,
    Role,
    RowKind,
    progress,
)
from unite_core.files import upload_key
from unite_core.imports.model import Counts
from unite_core.testing.builders import a_user, an_actor, an_id, an_import
from unite_core.testing.scenario import Scenario

ROWS = [("Ada", "+12125550101"), ("", "+12125550102"), ("Ada", "+12125550101"), ("", "+12125550103")]


def test_a_queued_import_is_cancelled_at_once(scenario: Scenario) -> None:
    coming = scenario.upload(ROWS)

    cancelled = scenario.unite.imports.cancel(scenario.admin, coming.id)

    assert (cancelled.status, cancelled.finished_at) == (ImportStatus.CANCELLED, scenario.ports.clock.now())
    assert scenario.unite.imports.due().to_import == ()


def test_cancelling_an_import_deletes_its_file_and_its_upload(scenario: Scenario) -> None:
    waiting = scenario.unite.imports.announce(scenario.admin, NewImport(filename="a.csv", size=5)).lead_import
    queued, running = scenario.upload(ROWS), scenario.upload(ROWS[:3])
    for key in (upload_key(waiting.key), upload_key(queued.key), upload_key(running.key)):
        with scenario.ports.files.write(key, content_type="text/csv") as stream:
            stream.write(b"12345")
    scenario.continue_import(running.id, holder="worker", should_stop=lambda: True)

    for coming in (waiting, queued, running):
        scenario.unite.imports.cancel(scenario.admin, coming.id)
    assert sorted(scenario.ports.files._contents) == [running.key, upload_key(running.key)]

    done = scenario.run_import(running.id)
    assert done.status is ImportStatus.CANCELLED
    assert [*scenario.ports.files._contents] == [done.report_key]


def test_cancelling_twice_changes_nothing(scenario: Scenario) -> None:
    coming = scenario.upload(ROWS)
    cancelled = scenario.unite.imports.cancel(scenario.admin, coming.id)

    assert scenario.unite.imports.cancel(scenario.admin, coming.id) == cancelled


def test_an_import_that_has_ended_cannot_be_cancelled(scenario: Scenario) -> None:
    done = scenario.import_file(ROWS)

    with pytest.raises(Conflict) as refused:
        scenario.unite.imports.cancel(scenario.admin, done.id)

    assert refused.value.code == "import_ended"


def test_an_import_can_be_read_and_is_listed(scenario: Scenario) -> None:
    first = scenario.import_file(ROWS)
    scenario.ports.clock.advance(timedelta(seconds=1))
    second = scenario.upload(ROWS[:1])

    def listed(*statuses: ImportStatus) -> list[object]:
        filters = ImportFilter(statuses=frozenset(statuses))
        return [*scenario.unite.imports.list(scenario.admin, filters, PageRequest()).items]

    assert listed() == [second, first]
    assert listed(ImportStatus.QUEUED) == [second]


def test_rejections_are_listed_by_row_in_pages(scenario: Scenario) -> None:
    done = scenario.import_file(ROWS)

    def page(kind: RowKind | None, after_row: int = 0) -> tuple[list[int], int | None]:
        filters = RejectionFilter(import_id=done.id, kind=kind, after_row=after_row, limit=2)
        listed = scenario.unite.imports.list_rejections(scenario.admin, filters)
        return [it.row for it in listed.items], listed.next_row

    assert page(None) == ([3, 4], 4)
    assert page(None, after_row=4) == ([5], None)
    assert page(RowKind.REJECTED) == ([3, 5], None)
    assert page(RowKind.DUPLICATE) == ([4], None)


def test_the_link_to_the_error_report_is_valid_for_five_minutes(scenario: Scenario) -> None:
    done = scenario.import_file(ROWS)

    link = scenario.unite.imports.get_error_report(scenario.admin, done.id)

    assert link.expires_at == scenario.ports.clock.now() + timedelta(minutes=5)
    assert done.report_key is not None
    served = scenario.ports.files.serve(done.report_key, dict(parse_qsl(urlsplit(link.url).query)))
    assert served.filename == "leads.errors.csv"
    assert served.body.read().count(b"\r\n") == 3


def test_there_is_no_error_report_before_the_end_or_without_rejections(scenario: Scenario) -> None:
    waiting = scenario.upload(ROWS)
    flawless = scenario.import_file(ROWS[:1])

    with pytest.raises(NotFound, match="has not ended") as early:
        scenario.unite.imports.get_error_report(scenario.admin, waiting.id)
    with pytest.raises(NotFound, match="no row was rejected") as needless:
        scenario.unite.imports.get_error_report(scenario.admin, flawless.id)

    assert (early.value.code, needless.value.code) == ("no_error_report", "no_error_report")


def test_agents_can_neither_see_nor_cancel_imports(scenario: Scenario) -> None:
    agent = an_actor(Role.AGENT)
    imports = scenario.unite.imports
    done = scenario.import_file(ROWS)
    with pytest.raises(Forbidden):
        imports.get(agent, done.id)
    with pytest.raises(Forbidden):
        imports.list(agent, ImportFilter(), PageRequest())
    with pytest.raises(Forbidden):
        imports.list_rejections(agent, RejectionFilter(import_id=done.id, limit=5))
    with pytest.raises(Forbidden):
        imports.get_error_report(agent, done.id)
    with pytest.raises(Forbidden):
        imports.cancel(agent, done.id)


def test_an_unknown_import_is_not_found(scenario: Scenario) -> None:
    manager = an_actor(Role.MANAGER)
    with pytest.raises(NotFound):
        scenario.unite.imports.get(manager, an_id())
    with pytest.raises(NotFound):
        scenario.unite.imports.list_rejections(manager, RejectionFilter(import_id=an_id(), limit=5))
    with pytest.raises(NotFound):
        scenario.unite.imports.cancel(manager, an_id())


def test_imports_without_an_uploaded_file_are_cancelled_after_a_day(scenario: Scenario) -> None:
    old = scenario.unite.imports.announce(scenario.admin, NewImport(filename="a.csv", size=5)).lead_import
    scenario.ports.clock.advance(timedelta(hours=24))
    young = scenario.unite.imports.announce(scenario.admin, NewImport(filename="a.csv", size=5)).lead_import
    assert scenario.unite.upkeep.remove_abandoned_imports() == 0
    for key in (upload_key(old.key), old.key):  # it came late and was never started, or the start was cut short
        with scenario.ports.files.write(key, content_type="text/csv") as stream:
            stream.write(b"late")
    scenario.ports.clock.advance(timedelta(seconds=1))

    assert scenario.unite.upkeep.remove_abandoned_imports() == 1

    assert scenario.get_import(old.id).status is ImportStatus.CANCELLED
    assert scenario.ports.files._contents == {}
    assert scenario.get_import(young.id).status is ImportStatus.AWAITING_UPLOAD


def test_progress_has_a_rate_and_a_remaining_time_once_rows_were_processed() -> None:
    queued = an_import(a_user(), size=1000)
    running = an_import(
        a_user(), size=1000, status=ImportStatus.RUNNING, bytes_done=250, counts=Counts(created=50), seconds_worked=5.0
    )
    done = an_import(a_user(), size=0, status=ImportStatus.COMPLETED)

    assert progress(queued) == Progress(
        bytes_done=0, bytes_total=1000, percent=0.0, rows_per_second=None, eta_seconds=None
    )
    assert progress(running) == Progress(
        bytes_done=250, bytes_total=1000, percent=25.0, rows_per_second=10.0, eta_seconds=15.0
    )
    assert (progress(done).percent, progress(done).eta_seconds) == (100.0, 0.0)


def test_cancelling_starting_and_undoing_may_require_a_version(scenario: Scenario) -> None:
    imports = scenario.unite.imports
    done = scenario.import_file(ROWS)
    waiting = scenario.upload(ROWS[:1])

    with pytest.raises(PreconditionFailed):
        imports.cancel(scenario.admin, waiting.id, expected_version=waiting.version + 1)
    with pytest.raises(PreconditionFailed):
        imports.start(scenario.admin, waiting.id, expected_version=waiting.version + 1)
    with pytest.raises(PreconditionFailed):
        imports.undo(scenario.admin, done.id, expected_version=done.version - 1)
    assert (scenario.get_import(waiting.id), scenario.get_import(done.id)) == (waiting, done)

    assert imports.start(scenario.admin, waiting.id, expected_version=waiting.version) == waiting
    assert imports.cancel(scenario.admin, waiting.id, expected_version=waiting.version).status is ImportStatus.CANCELLED
    assert imports.undo(scenario.admin, done.id, expected_version=done.version).undone is not None

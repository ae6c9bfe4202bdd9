"""Asking about imports, stopping them, and clearing away what never came."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.core.imports.floor import Floor
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
    RejectionsWanted,
    Role,
    RowKind,
    progress,
)
from unite_core.files import upload_key
from unite_core.imports.model import Counts
from unite_core.testing.builders import a_user, an_actor, an_id, an_import

ROWS = [("Ada", "+12125550101"), ("", "+12125550102"), ("Ada", "+12125550101"), ("", "+12125550103")]


@pytest.fixture
def floor() -> Floor:
    return Floor()


def test_a_waiting_import_is_cancelled_at_once(floor: Floor) -> None:
    coming = floor.upload(ROWS)

    cancelled = floor.unite.imports.cancel(floor.ann, coming.id)

    assert (cancelled.status, cancelled.finished_at) == (ImportStatus.CANCELLED, floor.ports.clock.now())
    assert floor.unite.imports.due().to_import == ()


def test_the_file_of_a_cancelled_import_is_deleted_and_so_is_what_was_uploaded_for_it(floor: Floor) -> None:
    waiting = floor.unite.imports.announce(floor.ann, NewImport(filename="a.csv", size=5)).lead_import
    queued, running = floor.upload(ROWS), floor.upload(ROWS[:3])
    for key in (upload_key(waiting.key), upload_key(queued.key), upload_key(running.key)):
        with floor.ports.files.write(key, content_type="text/csv") as stream:
            stream.write(b"12345")
    floor.continue_import(running.id, holder="worker", should_stop=lambda: True)

    for coming in (waiting, queued, running):
        floor.unite.imports.cancel(floor.ann, coming.id)
    assert sorted(floor.ports.files._contents) == [running.key, upload_key(running.key)]

    done = floor.run(running.id)
    assert done.status is ImportStatus.CANCELLED
    assert [*floor.ports.files._contents] == [done.report_key]


def test_cancelling_twice_changes_nothing(floor: Floor) -> None:
    coming = floor.upload(ROWS)
    cancelled = floor.unite.imports.cancel(floor.ann, coming.id)

    assert floor.unite.imports.cancel(floor.ann, coming.id) == cancelled


def test_what_has_ended_cannot_be_cancelled(floor: Floor) -> None:
    done = floor.import_file(ROWS)

    with pytest.raises(Conflict) as refused:
        floor.unite.imports.cancel(floor.ann, done.id)

    assert refused.value.code == "import_ended"


def test_an_import_is_read_and_listed(floor: Floor) -> None:
    first = floor.import_file(ROWS)
    floor.ports.clock.advance(timedelta(seconds=1))
    second = floor.upload(ROWS[:1])

    def listed(*statuses: ImportStatus) -> list[object]:
        wanted = ImportFilter(statuses=frozenset(statuses))
        return [*floor.unite.imports.list(floor.ann, wanted, PageRequest()).items]

    assert listed() == [second, first]
    assert listed(ImportStatus.QUEUED) == [second]


def test_rejections_are_listed_page_by_page_in_the_order_of_rows(floor: Floor) -> None:
    done = floor.import_file(ROWS)

    def page(kind: RowKind | None, after_row: int = 0) -> tuple[list[int], int | None]:
        wanted = RejectionsWanted(import_id=done.id, kind=kind, after_row=after_row, limit=2)
        found = floor.unite.imports.list_rejections(floor.ann, wanted)
        return [it.row for it in found.items], found.next_row

    assert page(None) == ([3, 4], 4)
    assert page(None, after_row=4) == ([5], None)
    assert page(RowKind.REJECTED) == ([3, 5], None)
    assert page(RowKind.DUPLICATE) == ([4], None)


def test_the_error_report_is_linked_for_five_minutes(floor: Floor) -> None:
    done = floor.import_file(ROWS)

    link = floor.unite.imports.get_error_report(floor.ann, done.id)

    assert link.expires_at == floor.ports.clock.now() + timedelta(minutes=5)
    assert done.report_key is not None
    served = floor.ports.files.serve(done.report_key, dict(parse_qsl(urlsplit(link.url).query)))
    assert served.filename == "leads.errors.csv"
    assert served.body.read().count(b"\r\n") == 3


def test_there_is_no_error_report_before_the_end_or_without_errors(floor: Floor) -> None:
    waiting = floor.upload(ROWS)
    flawless = floor.import_file(ROWS[:1])

    with pytest.raises(NotFound, match="has not ended") as early:
        floor.unite.imports.get_error_report(floor.ann, waiting.id)
    with pytest.raises(NotFound, match="no row was rejected") as needless:
        floor.unite.imports.get_error_report(floor.ann, flawless.id)

    assert (early.value.code, needless.value.code) == ("no_error_report", "no_error_report")


def test_agents_see_and_stop_no_imports(floor: Floor) -> None:
    agent = an_actor(Role.AGENT)
    imports = floor.unite.imports
    done = floor.import_file(ROWS)
    with pytest.raises(Forbidden):
        imports.get(agent, done.id)
    with pytest.raises(Forbidden):
        imports.list(agent, ImportFilter(), PageRequest())
    with pytest.raises(Forbidden):
        imports.list_rejections(agent, RejectionsWanted(import_id=done.id, limit=5))
    with pytest.raises(Forbidden):
        imports.get_error_report(agent, done.id)
    with pytest.raises(Forbidden):
        imports.cancel(agent, done.id)


def test_an_unknown_import_is_not_found(floor: Floor) -> None:
    manager = an_actor(Role.MANAGER)
    with pytest.raises(NotFound):
        floor.unite.imports.get(manager, an_id())
    with pytest.raises(NotFound):
        floor.unite.imports.list_rejections(manager, RejectionsWanted(import_id=an_id(), limit=5))
    with pytest.raises(NotFound):
        floor.unite.imports.cancel(manager, an_id())


def test_imports_whose_file_never_came_are_cancelled_after_a_day(floor: Floor) -> None:
    old = floor.unite.imports.announce(floor.ann, NewImport(filename="a.csv", size=5)).lead_import
    floor.ports.clock.advance(timedelta(hours=24))
    young = floor.unite.imports.announce(floor.ann, NewImport(filename="a.csv", size=5)).lead_import
    assert floor.unite.upkeep.remove_abandoned_imports() == 0
    for key in (upload_key(old.key), old.key):  # it came late and was never started, or the start was cut short
        with floor.ports.files.write(key, content_type="text/csv") as stream:
            stream.write(b"late")
    floor.ports.clock.advance(timedelta(seconds=1))

    assert floor.unite.upkeep.remove_abandoned_imports() == 1

    assert floor.get(old.id).status is ImportStatus.CANCELLED
    assert floor.ports.files._contents == {}
    assert floor.get(young.id).status is ImportStatus.AWAITING_UPLOAD


def test_progress_tells_rate_and_time_left_once_there_is_a_rate() -> None:
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


def test_what_is_done_to_an_import_may_name_the_version_that_it_is_for(floor: Floor) -> None:
    imports = floor.unite.imports
    done = floor.import_file(ROWS)
    waiting = floor.upload(ROWS[:1])

    with pytest.raises(PreconditionFailed):
        imports.cancel(floor.ann, waiting.id, expected_version=waiting.version + 1)
    with pytest.raises(PreconditionFailed):
        imports.start(floor.ann, waiting.id, expected_version=waiting.version + 1)
    with pytest.raises(PreconditionFailed):
        imports.undo(floor.ann, done.id, expected_version=done.version - 1)
    assert (floor.get(waiting.id), floor.get(done.id)) == (waiting, done)

    assert imports.start(floor.ann, waiting.id, expected_version=waiting.version) == waiting
    assert imports.cancel(floor.ann, waiting.id, expected_version=waiting.version).status is ImportStatus.CANCELLED
    assert imports.undo(floor.ann, done.id, expected_version=done.version).undone is not None

"""Tests of workers that process an import chunk by chunk: crashes, lost leases, cancellations and outages."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError, RacingWork, TroubledFiles
from tests.core.imports.contents import contents
from unite_core import ImportStatus, NotFound, OnDuplicate, RowKind, Unavailable
from unite_core.imports.model import LEASE, MAX_ATTEMPTS
from unite_core.testing.in_memory import FixedClock, in_memory_ports
from unite_core.testing.scenario import Scenario

ROWS = [
    ("Ada", "+12125550101"),
    ("Grace", "+12125550102"),
    ("", "+12125550103"),
    ("Ada Lovelace", "+12125550101", "ada@example.com"),
    ("Jean", "+12125550104"),
]
COMMITS = 6  # taking it, examining it, three chunks of two rows, ending it


@pytest.fixture
def troubled() -> Scenario:
    clock = FixedClock()
    return Scenario(in_memory_ports(clock=clock, files=TroubledFiles(clock)), chunk_rows=2)


def trouble(scenario: Scenario) -> TroubledFiles:
    files: object = scenario.ports.files
    assert isinstance(files, TroubledFiles)
    return files


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(COMMITS))
@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
def test_an_import_continues_without_loss_or_repetition_after_a_crash_at_any_commit(
    at: int, after: bool, dry_run: bool
) -> None:
    calm, scenario = Scenario(chunk_rows=2), Scenario(chunk_rows=2)
    undisturbed = calm.import_file(ROWS, on_duplicate=OnDuplicate.UPDATE, dry_run=dry_run)
    coming = scenario.upload(ROWS, on_duplicate=OnDuplicate.UPDATE, dry_run=dry_run)
    failing = FailingWork(scenario.ports.work, PowerCutError(), at=at, after=after)
    with pytest.raises(PowerCutError):
        replace(scenario.continue_import, work=failing)(coming.id, holder="first")

    left = scenario.get_import(coming.id)
    if left.held_until is not None:
        assert scenario.continue_import(coming.id, holder="second") is None
        assert scenario.unite.imports.due().to_import == ()
        scenario.ports.clock.advance(LEASE)
        assert scenario.unite.imports.due().to_import == (coming.id,)
    done = scenario.run_import(coming.id, holder="second")

    assert done.status is ImportStatus.COMPLETED
    assert done.counts == undisturbed.counts
    assert (done.counts.created, done.counts.updated, done.counts.rejected) == (3, 1, 1)
    assert contents(scenario.leads()) == contents(calm.leads())
    assert scenario.rejections(coming.id) == calm.rejections(undisturbed.id)
    assert _report(scenario, done.report_key) == _report(calm, undisturbed.report_key)
    with scenario.ports.reads() as reads:
        assert reads.rehearsal.matches(coming.id, ["+12125550102"], []).by_phone.keys() == (
            set() if dry_run else {"+12125550102"}
        )


def test_a_stopping_worker_releases_the_import_between_two_chunks(scenario: Scenario) -> None:
    coming = scenario.upload(ROWS)

    assert scenario.continue_import(coming.id, holder="first", should_stop=lambda: True) is ImportStatus.RUNNING

    left = scenario.get_import(coming.id)
    assert (left.holder, left.counts.rows, left.last_row) == (None, 2, 3)
    assert 0 < left.bytes_done <= left.size
    assert scenario.run_import(coming.id, holder="second").status is ImportStatus.COMPLETED


def test_a_worker_may_continue_its_own_import_at_once(scenario: Scenario) -> None:
    coming = scenario.upload(ROWS)
    failing = FailingWork(scenario.ports.work, PowerCutError(), at=3)
    with pytest.raises(PowerCutError):
        replace(scenario.continue_import, work=failing)(coming.id, holder="first")

    assert scenario.run_import(coming.id, holder="first").status is ImportStatus.COMPLETED


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_a_worker_that_lost_its_lease_changes_nothing(scenario: Scenario, chunks: int) -> None:
    coming = scenario.upload(ROWS, on_duplicate=OnDuplicate.UPDATE)
    asked = 0

    def sleep() -> bool:
        nonlocal asked
        asked += 1
        if asked == chunks:
            scenario.ports.clock.advance(LEASE)
            scenario.run_import(coming.id, holder="second")
        return False

    assert scenario.continue_import(coming.id, holder="first", should_stop=sleep) is None

    done = scenario.get_import(coming.id)
    assert done.status is ImportStatus.COMPLETED
    assert (done.counts.rows, done.counts.created) == (5, 3)
    assert len(scenario.leads()) == 3


def test_a_worker_that_lost_its_lease_does_not_fail_the_import_for_a_missing_file(
    troubled: Scenario,
) -> None:
    coming = troubled.upload(ROWS)

    def sleep() -> None:
        trouble(troubled).trouble = lambda: None
        troubled.ports.clock.advance(LEASE)
        troubled.run_import(coming.id, holder="second")
        raise NotFound("It is gone.")

    trouble(troubled).trouble = sleep

    assert troubled.continue_import(coming.id, holder="first") is None
    assert troubled.get_import(coming.id).status is ImportStatus.COMPLETED


def test_each_chunk_stores_the_progress_and_renews_the_lease(scenario: Scenario) -> None:
    coming = scenario.upload(ROWS)
    seen = []

    def look() -> bool:
        running = scenario.get_import(coming.id)
        assert running.held_until == scenario.ports.clock.now() + LEASE
        seen.append((running.last_row, running.counts.rows, running.seconds_worked))
        scenario.ports.clock.advance(timedelta(seconds=4))
        return False

    scenario.continue_import(coming.id, holder="worker", should_stop=look)

    assert seen == [(3, 2, 0.0), (5, 4, 4.0), (6, 5, 8.0)]
    done = scenario.get_import(coming.id)
    assert done.bytes_done == done.size
    assert done.finished_at == scenario.ports.clock.now()


@pytest.mark.parametrize("status", [ImportStatus.COMPLETED, ImportStatus.CANCELLED])
def test_an_import_that_has_ended_is_not_continued(scenario: Scenario, status: ImportStatus) -> None:
    coming = scenario.upload(ROWS)
    if status is ImportStatus.CANCELLED:
        scenario.unite.imports.cancel(scenario.admin, coming.id)
    else:
        scenario.run_import(coming.id)
    ended = scenario.get_import(coming.id)

    taken: list[int] = []
    assert scenario.continue_import(coming.id, holder="second", on_taken=lambda: taken.append(1)) is status
    assert scenario.get_import(coming.id) == ended
    assert taken == []


def test_on_taken_is_called_after_the_import_was_taken(scenario: Scenario) -> None:
    coming = scenario.upload(ROWS)
    taken: list[ImportStatus] = []

    scenario.continue_import(
        coming.id, holder="first", on_taken=lambda: taken.append(scenario.get_import(coming.id).status)
    )

    assert taken == [ImportStatus.RUNNING]


def test_an_import_that_is_cancelled_while_it_runs_keeps_and_reports_its_rows_so_far(scenario: Scenario) -> None:
    coming = scenario.upload([("", "+12125550100"), *ROWS])

    def cancel() -> bool:
        scenario.unite.imports.cancel(scenario.admin, coming.id)
        return False

    assert scenario.continue_import(coming.id, holder="worker", should_stop=cancel) is ImportStatus.CANCELLED

    done = scenario.get_import(coming.id)
    assert (done.counts.created, done.counts.rejected) == (1, 1)
    assert [lead.name for lead in scenario.leads()] == ["Ada"]
    assert done.finished_at is not None
    assert b"+12125550100" in _report(scenario, done.report_key)


def test_an_import_that_is_cancelled_without_a_worker_is_ended_by_the_next_one(scenario: Scenario) -> None:
    coming = scenario.upload(ROWS)
    scenario.continue_import(coming.id, holder="first", should_stop=lambda: True)
    assert scenario.unite.imports.cancel(scenario.admin, coming.id).status is ImportStatus.RUNNING

    assert scenario.continue_import(coming.id, holder="second") is ImportStatus.CANCELLED
    assert scenario.get_import(coming.id).counts.rows == 2


def test_a_missing_file_fails_the_import_and_reports_the_rows_so_far(scenario: Scenario) -> None:
    coming = scenario.upload([("", "+12125550100"), *ROWS])
    scenario.continue_import(coming.id, holder="first", should_stop=lambda: True)
    scenario.ports.files.delete(coming.key)

    failed = scenario.run_import(coming.id)

    assert failed.status is ImportStatus.FAILED
    assert failed.failure is not None
    assert failed.failure.code == "file_missing"
    assert b"+12125550100" in _report(scenario, failed.report_key)
    assert failed.same_file_key is None


def test_an_unreadable_file_fails_the_import_with_a_reason_and_its_columns(scenario: Scenario) -> None:
    failed = scenario.import_file("Name,Shoe Size\nAda,37\n")

    assert failed.status is ImportStatus.FAILED
    assert failed.failure is not None
    assert failed.failure.code == "no_contact_column"
    assert [(it["header"], it["field"]) for it in failed.columns] == [("Name", "name"), ("Shoe Size", None)]
    assert failed.report_key is None
    assert scenario.leads() == []


def test_a_binary_file_fails_the_import(scenario: Scenario) -> None:
    failed = scenario.import_file(b"%PDF-1.7")

    assert failed.failure is not None
    assert (failed.failure.code, failed.columns) == ("binary_file", [])


def test_the_mapping_of_columns_is_stored(scenario: Scenario) -> None:
    done = scenario.import_file("Full Name,Mobile,Shoe Size\nAda,+12125550101,37\n")

    assert [(it["header"], it["field"]) for it in done.columns] == [
        ("Full Name", "name"),
        ("Mobile", "phone"),
        ("Shoe Size", None),
    ]


def test_an_import_that_crashes_every_worker_is_given_up(scenario: Scenario) -> None:
    coming = scenario.upload(ROWS, dry_run=True)
    scenario.continue_import(coming.id, holder="first", should_stop=lambda: True)
    for number in range(MAX_ATTEMPTS):
        failing = FailingWork(scenario.ports.work, PowerCutError(), at=1)
        with pytest.raises(PowerCutError):
            replace(scenario.continue_import, work=failing)(coming.id, holder=f"worker {number}")
        scenario.ports.clock.advance(LEASE)

    assert scenario.continue_import(coming.id, holder="last") is ImportStatus.FAILED

    failed = scenario.get_import(coming.id)
    assert failed.failure is not None
    assert failed.failure.code == "gave_up"
    assert "row 4" in failed.failure.detail
    with scenario.ports.reads() as reads:
        assert reads.rehearsal.matches(coming.id, ["+12125550101"], []).by_phone == {}


def test_an_outage_never_fails_an_import(troubled: Scenario) -> None:
    coming = troubled.upload(ROWS)

    def outage() -> None:
        raise Unavailable("The storage does not answer.")

    trouble(troubled).trouble = outage
    for _ in range(MAX_ATTEMPTS + 1):
        with pytest.raises(Unavailable):
            troubled.continue_import(coming.id, holder="worker")
        assert troubled.get_import(coming.id).status is ImportStatus.RUNNING
    trouble(troubled).trouble = lambda: None

    assert troubled.run_import(coming.id).status is ImportStatus.COMPLETED


def test_an_outage_that_outlasts_the_lease_does_not_count_as_an_attempt(troubled: Scenario) -> None:
    coming = troubled.upload(ROWS)
    beginning = iter(range(10))

    def silence() -> None:
        if next(beginning) % 2:
            raise Unavailable("The storage does not answer.")
        # Before the first worker is told so, another one has taken the import, and is told as much.
        troubled.ports.clock.advance(LEASE)
        with suppress(Unavailable):
            troubled.continue_import(coming.id, holder="another")
        raise Unavailable("The storage does not answer.")

    trouble(troubled).trouble = silence
    for _ in range(5):
        with pytest.raises(Unavailable):
            troubled.continue_import(coming.id, holder="worker")
        troubled.ports.clock.advance(LEASE)
        assert troubled.get_import(coming.id).attempts == 0
    trouble(troubled).trouble = lambda: None

    assert troubled.run_import(coming.id).status is ImportStatus.COMPLETED


def test_an_import_that_another_worker_ended_meanwhile_stays_unchanged(troubled: Scenario) -> None:
    coming = troubled.upload(ROWS)

    def slow() -> None:
        trouble(troubled).trouble = lambda: None
        troubled.ports.clock.advance(LEASE)
        troubled.continue_import(coming.id, holder="another")
        raise Unavailable("The storage does not answer.")

    trouble(troubled).trouble = slow
    with pytest.raises(Unavailable):
        troubled.continue_import(coming.id, holder="worker")

    assert troubled.get_import(coming.id).status is ImportStatus.COMPLETED


@pytest.mark.parametrize("at", range(COMMITS))
def test_an_outage_of_the_database_is_raised(scenario: Scenario, at: int) -> None:
    coming = scenario.upload(ROWS)
    down = FailingWork(scenario.ports.work, Unavailable("The database does not answer."), at=at)

    with pytest.raises(Unavailable):
        replace(scenario.continue_import, work=down)(coming.id, holder="worker")

    assert scenario.get_import(coming.id).attempts == 0
    assert scenario.run_import(coming.id).counts.rows == 5


def test_a_chunk_is_retried_if_one_of_its_leads_is_added_concurrently(scenario: Scenario) -> None:
    coming = scenario.upload(ROWS)
    racing = RacingWork(scenario.ports.work, times=4)

    assert replace(scenario.continue_import, work=racing)(coming.id, holder="worker") is ImportStatus.COMPLETED
    assert racing.times == 0
    assert scenario.get_import(coming.id).counts.created == 3


def test_an_import_that_loses_against_every_concurrent_insert_is_continued_later(scenario: Scenario) -> None:
    coming = scenario.upload(ROWS)

    with pytest.raises(Unavailable):
        replace(scenario.continue_import, work=RacingWork(scenario.ports.work, times=5))(coming.id, holder="worker")

    assert scenario.get_import(coming.id).counts.rows == 0
    assert scenario.run_import(coming.id).status is ImportStatus.COMPLETED


def test_a_report_of_thousands_of_rows_is_complete(scenario: Scenario) -> None:
    scenario.chunk_rows = 1000
    done = scenario.import_file([("", f"+1212555{number:04}") for number in range(2001)])

    assert done.counts.rejected == 2001
    assert _report(scenario, done.report_key).count(b"\r\n") == 2002
    assert [it.kind for it in scenario.rejections(done.id)[:1]] == [RowKind.REJECTED]


def _report(scenario: Scenario, key: str | None) -> bytes:
    assert key is not None
    with scenario.ports.files.read(key) as stream:
        return stream.read()

"""Tests of the lease on an import while a worker reads for long without a commit."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.core.imports.accidents import SlowFiles
from unite_core import ImportStatus, LeadImport
from unite_core.imports.lease import RENEW_AFTER
from unite_core.imports.model import LEASE
from unite_core.testing.builders import csv_text
from unite_core.testing.in_memory import FixedClock, in_memory_ports
from unite_core.testing.scenario import Scenario

ROWS = 300
BLOCK_TAKES = timedelta(seconds=4)
LEADS = [(f"Ada {number}", f"+1212555{number:04}", "x" * 10_000) for number in range(ROWS)]


@pytest.fixture
def files() -> SlowFiles:
    return SlowFiles(FixedClock())


@pytest.fixture
def scenario(files: SlowFiles) -> Scenario:
    return Scenario(in_memory_ports(clock=files.clock, files=files), chunk_rows=2000)


def upload(scenario: Scenario) -> LeadImport:
    """Upload a file of 3 MB, which is read in many blocks."""
    return scenario.upload(csv_text(("Name", "Phone", "Notes"), LEADS))


def work_through_half(scenario: Scenario) -> LeadImport:
    """Upload the file and process half of it, which the next worker has to skip."""
    coming = upload(scenario)
    asked: list[int] = []
    scenario.chunk_rows = ROWS // 4

    def third_time() -> bool:
        asked.append(1)
        return len(asked) == 3

    assert scenario.continue_import(coming.id, holder="before", should_stop=third_time) is ImportStatus.RUNNING
    scenario.chunk_rows = 2000
    return scenario.get_import(coming.id)


@pytest.mark.parametrize("begin", [upload, work_through_half], ids=["examining", "passing over"])
def test_a_worker_that_reads_for_long_keeps_its_lease(
    scenario: Scenario, files: SlowFiles, begin: Callable[[Scenario], LeadImport]
) -> None:
    coming = begin(scenario)
    started = scenario.ports.clock.now()
    due: list[object] = []

    def slow() -> None:
        due.extend(scenario.unite.imports.due().to_import)
        scenario.ports.clock.advance(BLOCK_TAKES)

    files.on_read = slow

    assert scenario.continue_import(coming.id, holder="worker") is ImportStatus.COMPLETED
    assert scenario.ports.clock.now() - started > 2 * LEASE
    assert due == []
    assert scenario.get_import(coming.id).counts.created == ROWS


def test_the_lease_is_not_renewed_before_it_is_necessary(scenario: Scenario, files: SlowFiles) -> None:
    coming = upload(scenario)
    calm = scenario.run_import(coming.id).version
    again = scenario.upload(csv_text(("Name", "Phone", "Notes"), LEADS), dry_run=True)
    files.on_read = lambda: scenario.ports.clock.advance(RENEW_AFTER / 100)

    assert scenario.run_import(again.id).version == calm


@pytest.mark.parametrize("begin", [upload, work_through_half], ids=["examining", "passing over"])
def test_a_worker_can_be_stopped_while_it_reads(
    scenario: Scenario, files: SlowFiles, begin: Callable[[Scenario], LeadImport]
) -> None:
    before = begin(scenario)
    reads: list[int] = []

    def slow() -> None:
        reads.append(1)
        scenario.ports.clock.advance(BLOCK_TAKES)

    files.on_read = slow

    stopped = scenario.continue_import(before.id, holder="worker", should_stop=lambda: True)

    left = scenario.get_import(before.id)
    assert (stopped, len(reads)) == (ImportStatus.RUNNING, 2)
    assert (left.holder, left.attempts, left.last_row) == (None, 0, before.last_row)
    assert scenario.run_import(before.id, holder="another").status is ImportStatus.COMPLETED


@pytest.mark.parametrize("begin", [upload, work_through_half], ids=["examining", "passing over"])
def test_an_import_can_be_cancelled_while_its_worker_reads(
    scenario: Scenario, files: SlowFiles, begin: Callable[[Scenario], LeadImport]
) -> None:
    before = begin(scenario)
    reads: list[int] = []

    def cancel() -> None:
        if not reads:
            assert scenario.unite.imports.cancel(scenario.admin, before.id).status is ImportStatus.RUNNING
        reads.append(1)
        scenario.ports.clock.advance(BLOCK_TAKES)

    files.on_read = cancel

    assert scenario.continue_import(before.id, holder="worker") is ImportStatus.CANCELLED
    assert len(reads) == 2
    assert scenario.get_import(before.id).counts == before.counts


def test_a_worker_that_lost_its_lease_while_reading_changes_nothing(scenario: Scenario, files: SlowFiles) -> None:
    coming = upload(scenario)

    def sleep() -> None:
        files.on_read = lambda: None
        scenario.ports.clock.advance(LEASE)
        scenario.run_import(coming.id, holder="another")

    files.on_read = sleep

    assert scenario.continue_import(coming.id, holder="worker") is None
    assert scenario.get_import(coming.id).counts.created == ROWS

"""Tests of what is stored after an import has ended: its error report, but not its file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

import pytest

from tests.core.imports.accidents import FailingWork, PowerCutError
from unite_core import ImportStatus, LeadImport, Unavailable
from unite_core.imports.model import LEASE, MAX_ATTEMPTS
from unite_core.imports.use_cases.continue_import import report_key
from unite_core.testing.in_memory import FixedClock, InMemoryFiles, in_memory_ports
from unite_core.testing.scenario import Scenario

ROWS = [("", "+12125550100"), ("Ada", "+12125550101"), ("Grace", "+12125550102")]


def half_done(scenario: Scenario) -> LeadImport:
    """The first of two chunks is committed, and has a rejected row."""
    coming = scenario.upload(ROWS)
    scenario.continue_import(coming.id, holder="first", should_stop=lambda: True)
    return scenario.get_import(coming.id)


def die_again_and_again(scenario: Scenario, coming: LeadImport) -> None:
    for number in range(MAX_ATTEMPTS):
        failing = FailingWork(scenario.ports.work, PowerCutError(), at=1)
        with pytest.raises(PowerCutError):
            replace(scenario.continue_import, work=failing)(coming.id, holder=f"worker {number}")
        scenario.ports.clock.advance(LEASE)


def stored(scenario: Scenario) -> list[str]:
    return [*scenario.ports.files._contents]


def test_a_completed_import_keeps_only_its_error_report(scenario: Scenario) -> None:
    done = scenario.import_file(ROWS)

    assert done.status is ImportStatus.COMPLETED
    assert stored(scenario) == [report_key(done.id)]


def test_a_cancelled_import_keeps_only_its_error_report(scenario: Scenario) -> None:
    coming = half_done(scenario)
    scenario.unite.imports.cancel(scenario.admin, coming.id)
    assert coming.key in stored(scenario)

    assert scenario.run_import(coming.id).status is ImportStatus.CANCELLED
    assert stored(scenario) == [report_key(coming.id)]


def test_a_file_that_cannot_be_read_leaves_no_file_and_no_report(scenario: Scenario) -> None:
    failed = scenario.import_file(b"%PDF-1.7")

    assert failed.status is ImportStatus.FAILED
    assert stored(scenario) == []


def test_an_import_that_is_given_up_has_a_report_of_the_rows_so_far(scenario: Scenario) -> None:
    coming = half_done(scenario)
    die_again_and_again(scenario, coming)

    failed = scenario.run_import(coming.id, holder="last")

    assert failed.failure is not None
    assert (failed.failure.code, failed.report_key) == ("gave_up", report_key(coming.id))
    with scenario.ports.files.read(report_key(coming.id)) as report:
        assert b"+12125550100" in report.read()
    assert stored(scenario) == [report_key(coming.id)]


class CursedFiles(InMemoryFiles):
    """File storage in memory that raises `curse` whenever a report is written."""

    curse: BaseException | None = None

    @contextmanager
    def write(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:
        if self.curse is not None:
            raise self.curse
        with super().write(key, content_type=content_type) as stream:
            yield stream


@pytest.fixture
def cursed() -> tuple[Scenario, CursedFiles]:
    clock = FixedClock()
    files = CursedFiles(clock)
    return Scenario(in_memory_ports(clock=clock, files=files), chunk_rows=2), files


def test_an_import_whose_report_crashes_workers_is_given_up_without_a_report(
    cursed: tuple[Scenario, CursedFiles],
) -> None:
    scenario, files = cursed
    coming = half_done(scenario)
    die_again_and_again(scenario, coming)
    files.curse = PowerCutError()
    for number in range(MAX_ATTEMPTS):
        with pytest.raises(PowerCutError):
            scenario.continue_import(coming.id, holder=f"reporter {number}")
        scenario.ports.clock.advance(LEASE)

    failed = scenario.run_import(coming.id, holder="last")

    assert failed.failure is not None
    assert (failed.failure.code, failed.report_key) == ("gave_up", None)


def test_an_outage_while_the_report_is_written_only_delays_it(cursed: tuple[Scenario, CursedFiles]) -> None:
    scenario, files = cursed
    coming = half_done(scenario)
    die_again_and_again(scenario, coming)
    files.curse = Unavailable("The disk is full.")
    for _ in range(MAX_ATTEMPTS + 1):
        with pytest.raises(Unavailable):
            scenario.continue_import(coming.id, holder="worker")
    files.curse = None

    failed = scenario.run_import(coming.id, holder="worker")

    assert failed.failure is not None
    assert (failed.failure.code, failed.report_key) == ("gave_up", report_key(coming.id))


def test_starting_an_ended_import_again_returns_it(scenario: Scenario) -> None:
    done = scenario.import_file(ROWS)

    again = scenario.unite.imports.start(scenario.admin, done.id)

    assert (again.id, again.status) == (done.id, ImportStatus.COMPLETED)

"""A worker over the queues in its process and over those in Redis: what it does, and that failures do not end it."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Event, current_thread
from typing import Any
from uuid import UUID

import pytest

from entrypoints.correlation import ContextFilter
from entrypoints.worker.failures import Backoff
from entrypoints.worker.worker import Queues, Worker
from tests.entrypoints.working import TIMEOUT, local_queues, queues_named, working
from tests.service_process import eventually
from unite_core.application import Rules, Unite, Upkeep, build
from unite_core.calls.model import TaskStatus
from unite_core.errors import Unavailable
from unite_core.imports.model import ImportStatus, LeadImport
from unite_core.imports.queries import ImportsToContinue
from unite_core.imports.use_cases import NewImport
from unite_core.imports.use_cases.continue_import import CHUNK_ROWS
from unite_core.jobs import FIRST_BACKOFF, MAX_BACKOFF
from unite_core.leads.use_cases import NewLead
from unite_core.testing.scenario import Scenario


@dataclass
class WorkerScenario(Scenario):
    """Scenario with helpers to run a worker."""

    def import_leads(self, *names: str) -> LeadImport:
        """Upload a file of these leads."""
        return self.upload("Name,Email\n" + "".join(f"{name},{name}@example.com\n" for name in names))

    def begin_undo(self, of: LeadImport) -> None:
        with self.ports.work() as work:
            unwanted = work.imports.get(of.id)
            unwanted.begin_undo()
            unwanted.mark_updated()
            work.imports.save(unwanted)
            work.commit()

    def work_until(self, done: Callable[[], object], what: str, **options: Any) -> None:
        """Run a worker over the queues in its process until `done` returns something true."""
        unite = options.pop("unite", self.unite)
        with working(unite, local_queues(unite), **options):
            eventually(done, what)

    def work_to_the_end_of(self, lead_import: LeadImport, **options: Any) -> None:
        self.work_until(lambda: self.get_import(lead_import.id).status.ended, "the import ends", **options)

    def undo(self, of: LeadImport) -> None:
        self.begin_undo(of)
        self.work_until(lambda: not self.get_import(of.id).undoing, "the import is undone")


@pytest.fixture
def scenario() -> WorkerScenario:
    return WorkerScenario()


@pytest.fixture(params=["local", "rq"])
def queues_for(request: pytest.FixtureRequest) -> Iterator[Callable[[Unite], Queues]]:
    """A function that makes the queues for the destinations of an application."""
    with queues_named(request.param, request) as made_for:
        yield made_for


def test_a_worker_imports_and_undoes_what_is_due(
    scenario: WorkerScenario, queues_for: Callable[[Unite], Queues]
) -> None:
    queues = queues_for(scenario.unite)
    first = scenario.import_leads("ann", "ben")
    with working(scenario.unite, queues):
        eventually(lambda: scenario.get_import(first.id).status is ImportStatus.COMPLETED, "the import completes")

    second = scenario.import_leads("eve")
    scenario.begin_undo(first)
    with working(scenario.unite, queues):
        eventually(
            lambda: scenario.get_import(second.id).status is ImportStatus.COMPLETED, "the other import completes"
        )
        eventually(lambda: not scenario.get_import(first.id).undoing, "the import is undone")

    undone = scenario.get_import(first.id).undone
    assert undone is not None
    assert (undone.removed, undone.finished_at is None) == (2, False)


def test_what_recurs_and_events_do_not_wait_for_an_import(queues_for: Callable[[Unite], Queues]) -> None:
    calls = Scenario()
    calls.complete(calls.create_call_task())
    overdue = calls.create_call_task()
    calls.update_daily_summary(calls.manager, at="09:30")
    calls.ports.clock.advance(timedelta(days=1, minutes=30))
    calls.upload(b"Name,Email\nAlan,alan@example.com\n")
    begun, release, kept_up = Event(), Event(), Event()

    def block(*_: Any, **__: Any) -> None:
        begun.set()
        assert release.wait(TIMEOUT)

    imports: Any = calls.unite.imports
    upkeep = purging(calls.unite, kept_up.set)
    unite = replace(calls.unite, imports=replace(imports, continue_import=block), upkeep=upkeep)

    def unfolded() -> int:
        with calls.ports.reads() as unit:
            return len(unit.rollups.unfolded())

    with working(unite, queues_for(unite)):
        try:
            assert begun.wait(TIMEOUT)
            lead = unite.leads.add(calls.manager, NewLead(name="Grace", email="grace@example.com"))
            eventually(lambda: has_history(calls, lead.id), "the history of a lead has begun")
            eventually(
                lambda: unite.calls.get(calls.manager, overdue.id).task.status is TaskStatus.MISSED, "a call is missed"
            )
            eventually(lambda: unfolded() == 0, "the entries of the ledger are folded")
            eventually(lambda: any("calls" in it.text for it in calls.ports.texts.sent), "the summary is sent")
            assert kept_up.wait(TIMEOUT)
        finally:
            release.set()


def purging(unite: Unite, purge: Callable[[], object]) -> Upkeep:
    """Return the upkeep of `unite` with another way to delete sessions."""
    upkeep: Any = unite.upkeep
    changed: Upkeep = replace(upkeep, purge_sessions=purge)
    return changed


def has_history(scenario: Scenario, lead_id: UUID) -> bool:
    return any(str(lead_id) in str(event) for event in scenario.ports.activity.events.values())


def test_a_worker_that_is_told_to_stop_ends_its_chunk_and_lets_go(scenario: WorkerScenario) -> None:
    long = scenario.import_leads(*(f"lead{number}" for number in range(3 * CHUNK_ROWS)))
    ids = scenario.ports.ids.new
    stop, importing = Event(), current_thread()

    def stop_soon() -> UUID:
        if current_thread() is importing:
            stop.set()
        return ids()

    scenario.ports.ids.new = stop_soon  # type: ignore[method-assign]  # the first lead that is made is when it is told

    Worker(unite=scenario.unite, queues=local_queues(scenario.unite), holder="me", stop=stop).run()

    left = scenario.get_import(long.id)
    assert (left.status, left.counts.created, left.holder) == (ImportStatus.RUNNING, CHUNK_ROWS, None)
    scenario.ports.ids.new = ids  # type: ignore[method-assign]  # as it was
    scenario.work_to_the_end_of(long, holder="another")
    assert (scenario.get_import(long.id).status, scenario.get_import(long.id).counts.created) == (
        ImportStatus.COMPLETED,
        3 * CHUNK_ROWS,
    )


def test_a_worker_that_is_told_to_stop_leaves_the_rest_of_an_undoing_to_another(scenario: WorkerScenario) -> None:
    done = scenario.import_leads(*(f"lead{number}" for number in range(1200)))
    scenario.work_to_the_end_of(done)
    scenario.begin_undo(done)

    scenario.unite.imports.continue_undo(done.id, should_stop=lambda: True)

    assert scenario.get_import(done.id).undoing
    scenario.work_until(lambda: not scenario.get_import(done.id).undoing, "the import is undone")


@pytest.mark.parametrize("failure", [Unavailable("The database is busy."), ZeroDivisionError("no idea")])
def test_a_failure_is_logged_and_survived(
    scenario: WorkerScenario, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    coming = scenario.import_leads("ann")
    unite = failing_first(scenario, failure)

    with caplog.at_level(logging.WARNING):
        scenario.work_to_the_end_of(coming, unite=unite)

    assert scenario.get_import(coming.id).status is ImportStatus.COMPLETED
    assert len(caplog.records) == 1
    assert str(failure) in caplog.text


def failing_first(scenario: WorkerScenario, failure: Exception) -> Any:
    """Unite whose first look for work fails."""
    failures = iter([failure])
    due = scenario.unite.imports.due

    def look(*, limit: int = 100) -> ImportsToContinue:
        for one in failures:
            raise one
        return due(limit=limit)

    imports: Any = scenario.unite.imports
    return replace(scenario.unite, imports=replace(imports, due=look))


def test_pauses_after_failures_grow_up_to_a_limit_and_begin_anew() -> None:
    backoff = Backoff()
    seen = []
    for _ in range(10):
        backoff.failed()
        seen.append(backoff.seconds)

    assert seen[:3] == [FIRST_BACKOFF, 2 * FIRST_BACKOFF, 4 * FIRST_BACKOFF]
    assert seen[-1] == MAX_BACKOFF
    backoff.succeeded()
    assert backoff.seconds == 0


def test_upkeep_clears_what_is_old_and_one_task_that_fails_spares_the_others(
    scenario: WorkerScenario, caplog: pytest.LogCaptureFixture
) -> None:
    ran = []

    def fail() -> None:
        raise ZeroDivisionError

    def remove() -> int:
        ran.append(1)
        return 3

    announced = scenario.unite.imports.announce(scenario.admin, NewImport(filename="never.csv", size=1)).lead_import
    scenario.ports.clock.advance(timedelta(days=2))

    upkeep: Any = purging(scenario.unite, fail)
    unite = replace(scenario.unite, upkeep=replace(upkeep, remove_leftover_files=remove))

    with caplog.at_level(logging.INFO):
        scenario.work_until(lambda: "unfinished uploads deleted" in caplog.text, "the last task", unite=unite)

    assert ran == [1]
    assert scenario.get_import(announced.id).status is ImportStatus.CANCELLED
    assert "Upkeep: abandoned imports cancelled: 1." in caplog.text
    assert "Upkeep: sessions deleted: something unexpected happened." in caplog.text
    assert "Upkeep: unfinished uploads deleted: 3." in caplog.text


def test_upkeep_forgets_what_was_delivered_long_ago(scenario: WorkerScenario, caplog: pytest.LogCaptureFixture) -> None:
    scenario.unite.leads.add(scenario.admin, NewLead(name="Grace", email="grace@example.com"))
    scenario.ports.jobs.run_all(scenario.unite)
    scenario.ports.clock.advance(timedelta(days=8))
    kept_a_week = build(scenario.ports, Rules(activity_retention=timedelta(days=7)))

    with caplog.at_level(logging.INFO):
        scenario.work_until(lambda: "activity forgotten" in caplog.text, "it is forgotten", unite=kept_a_week)

    assert "Upkeep: deliveries forgotten: 1." in caplog.text
    assert "Upkeep: activity forgotten: 1." in caplog.text
    assert scenario.ports.activity.events == {}


def test_upkeep_comes_once_a_minute_and_not_with_every_look(scenario: WorkerScenario) -> None:
    ran: list[int] = []
    looks: list[int] = []
    due = scenario.unite.imports.due

    def look(*, limit: int = 100) -> ImportsToContinue:
        looks.append(limit)
        return due(limit=limit)

    imports: Any = scenario.unite.imports
    upkeep = purging(scenario.unite, lambda: ran.append(1))
    unite = replace(scenario.unite, imports=replace(imports, due=look), upkeep=upkeep)

    scenario.work_until(lambda: len(looks) >= 4 and ran, "looks", unite=unite)

    assert ran == [1]


def test_what_the_worker_logs_of_an_import_bears_the_id_of_the_request_that_it_follows_from(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scenario = WorkerScenario()
    scenario.admin = replace(scenario.admin, correlation_id="c0ffee-1234")
    done = scenario.import_leads("ada")
    caplog.handler.addFilter(ContextFilter("worker"))

    with caplog.at_level(logging.INFO):
        scenario.work_to_the_end_of(done)
        scenario.undo(done)

    records = [record for record in caplog.records if getattr(record, "import_id", None) == str(done.id)]
    assert [record.getMessage() for record in records] == [
        "The import is continued.",
        "The import is completed.",
        "The import is undone.",
    ]
    assert {getattr(record, "correlation_id", None) for record in records} == {"c0ffee-1234"}

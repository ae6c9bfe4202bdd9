"""The worker's loop: what it does, in which order, and that nothing ends it but being told to."""

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Event
from typing import Any
from uuid import UUID

import pytest

from entrypoints.worker.failures import FIRST_BACKOFF, MAX_BACKOFF, Backoff
from entrypoints.worker.loop import Worker
from entrypoints.worker.turns import TURN, Turns
from unite_core.application import Rules, build
from unite_core.errors import Unavailable
from unite_core.identity.model import Actor, Role
from unite_core.identity.use_cases import NewUser
from unite_core.imports.model import ImportStatus, LeadImport
from unite_core.imports.queries import ImportsToContinue
from unite_core.imports.use_cases import FileToImport, NewImport
from unite_core.imports.use_cases.continue_import import CHUNK_ROWS
from unite_core.leads.use_cases import NewLead
from unite_core.testing.in_memory import InMemoryPorts, in_memory_ports


@dataclass
class Waiting:
    """Stops the worker when it comes to wait for the `until`th time."""

    stop: Event
    until: int = 1
    waits: int = 0

    def wait(self, timeout: float) -> bool:
        assert timeout <= 1
        self.waits += 1
        if self.waits >= self.until:
            self.stop.set()
        return False


@dataclass
class WorkerScenario:
    """Unite in memory, with an admin who imports."""

    ports: InMemoryPorts = field(default_factory=in_memory_ports)
    stop: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.unite = build(self.ports)
        admin = self.unite.identity.create_user.unchecked(
            NewUser(email="ann@example.com", name="Ann", role=Role.ADMIN, password="correct horse battery")
        )
        self.actor = Actor(user_id=admin.id, role=Role.ADMIN)

    def import_leads(self, *names: str) -> LeadImport:
        content = "Name,Email\n" + "".join(f"{name},{name}@example.com\n" for name in names)
        stored = self.unite.imports.store_file(self.actor, io.BytesIO(content.encode()))
        return self.unite.imports.import_stored_file(self.actor, FileToImport(stored=stored, filename="leads.csv"))

    def begin_undo(self, of: LeadImport) -> None:
        with self.ports.work() as work:
            unwanted = work.imports.get(of.id)
            unwanted.begin_undo()
            unwanted.touched()
            work.imports.save(unwanted)
            work.commit()

    def work(self, *, until: int = 1, **otherwise: Any) -> None:
        self.stop.clear()
        waiting = Waiting(self.stop, until)
        given: dict[str, Any] = {"unite": self.unite, "holder": "me", "waiting": waiting, "stop": self.stop}
        Worker(**(given | otherwise)).run()

    def now(self, of: LeadImport) -> LeadImport:
        return self.unite.imports.get(self.actor, of.id)


@pytest.fixture
def scenario() -> WorkerScenario:
    return WorkerScenario()


def test_a_worker_imports_and_undoes_what_is_due(scenario: WorkerScenario) -> None:
    first = scenario.import_leads("ann", "ben")
    scenario.work()
    assert scenario.now(first).status is ImportStatus.COMPLETED

    second = scenario.import_leads("eve")
    scenario.begin_undo(first)
    scenario.work()

    assert scenario.now(second).status is ImportStatus.COMPLETED
    undone = scenario.now(first).undone
    assert undone is not None
    assert (undone.removed, undone.finished_at is None) == (2, False)


def test_a_worker_that_is_told_to_stop_ends_its_chunk_and_lets_go(scenario: WorkerScenario) -> None:
    long = scenario.import_leads(*(f"lead{number}" for number in range(3 * CHUNK_ROWS)))
    ids = scenario.ports.ids.new

    def stop_soon() -> UUID:
        scenario.stop.set()
        return ids()

    scenario.ports.ids.new = stop_soon  # type: ignore[method-assign]  # the first lead that is made is when it is told

    scenario.work()

    left = scenario.now(long)
    assert (left.status, left.counts.created, left.holder) == (ImportStatus.RUNNING, CHUNK_ROWS, None)
    scenario.ports.ids.new = ids  # type: ignore[method-assign]  # as it was
    scenario.work(holder="another")
    assert (scenario.now(long).status, scenario.now(long).counts.created) == (ImportStatus.COMPLETED, 3 * CHUNK_ROWS)


def test_a_worker_that_is_told_to_stop_leaves_the_rest_of_an_undoing_to_another(scenario: WorkerScenario) -> None:
    done = scenario.import_leads(*(f"lead{number}" for number in range(1200)))
    scenario.work()
    scenario.begin_undo(done)

    scenario.unite.imports.continue_undo(done.id, should_stop=lambda: True)

    assert scenario.now(done).undoing
    scenario.work()
    assert not scenario.now(done).undoing


@pytest.mark.parametrize("failure", [Unavailable("The database is busy."), ZeroDivisionError("no idea")])
def test_a_failure_is_logged_and_survived(
    scenario: WorkerScenario, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    coming = scenario.import_leads("ann")
    unite = failing_first(scenario, failure)

    with caplog.at_level(logging.WARNING):
        scenario.work(unite=unite)

    assert scenario.now(coming).status is ImportStatus.COMPLETED
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

    announced = scenario.unite.imports.announce(scenario.actor, NewImport(filename="never.csv", size=1)).lead_import
    scenario.ports.clock.advance(timedelta(days=2))

    with caplog.at_level(logging.INFO):
        scenario.work(upkeep={"breaking": fail, "leftovers deleted": remove})

    assert ran == [1]
    assert scenario.now(announced).status is ImportStatus.CANCELLED
    assert "Upkeep: abandoned imports cancelled: 1." in caplog.text
    assert "Upkeep: breaking: something unexpected happened." in caplog.text
    assert "Upkeep: leftovers deleted: 3." in caplog.text


def test_upkeep_forgets_what_was_delivered_long_ago(scenario: WorkerScenario, caplog: pytest.LogCaptureFixture) -> None:
    scenario.unite.leads.add(scenario.actor, NewLead(name="Grace", email="grace@example.com"))
    scenario.ports.jobs.run_all(scenario.unite)
    scenario.ports.clock.advance(timedelta(days=8))
    kept_a_week = build(scenario.ports, Rules(activity_retention=timedelta(days=7)))

    with caplog.at_level(logging.INFO):
        scenario.work(unite=kept_a_week)

    assert "Upkeep: deliveries forgotten: 1." in caplog.text
    assert "Upkeep: activity forgotten: 1." in caplog.text
    assert scenario.ports.activity.events == {}


def test_upkeep_comes_once_a_minute_and_not_with_every_look(scenario: WorkerScenario) -> None:
    ran: list[int] = []

    scenario.work(until=5, upkeep={"counted": lambda: ran.append(1)})

    assert ran == [1]


def due_of(*waiting: UUID) -> Callable[..., ImportsToContinue]:
    return lambda **_: ImportsToContinue(to_import=waiting, to_undo=())


ONE, OTHER = UUID(int=1), UUID(int=2)


def test_an_import_has_its_turn_for_as_long_as_nobody_waits() -> None:
    times = iter([0.0, TURN + 1, TURN + 1])
    turns = Turns(due_of(ONE), lambda: False, lambda: next(times))
    turns.next()
    turns._due = due_of()

    assert not turns.over()


def test_an_import_that_has_had_its_turn_goes_to_the_end_of_the_line() -> None:
    time = [0.0]
    turns = Turns(due_of(ONE, OTHER), lambda: False, lambda: time[0])

    assert turns.next() == ONE
    assert not turns.over()
    time[0] = TURN
    turns._due = due_of(OTHER)
    assert turns.over()

    turns._due = due_of(ONE, OTHER)
    assert turns.next() == OTHER
    assert turns.next() == ONE


def test_a_turn_is_over_when_the_worker_is_to_stop() -> None:
    assert Turns(due_of(ONE), lambda: True).over()


def test_without_anything_to_do_nobody_has_a_turn() -> None:
    assert Turns(due_of(), lambda: False).next() is None


def test_what_the_worker_logs_of_an_import_bears_the_id_of_the_request_that_it_follows_from(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scenario = WorkerScenario()
    scenario.actor = replace(scenario.actor, correlation_id="c0ffee-1234")
    done = scenario.import_leads("ada")

    with caplog.at_level(logging.INFO):
        scenario.work()
        scenario.begin_undo(done)
        scenario.work()

    told = [record for record in caplog.records if getattr(record, "import_id", None) == str(done.id)]
    assert [record.getMessage() for record in told] == [
        "The import is continued.",
        "The import is completed.",
        "The import is undone.",
    ]
    assert {getattr(record, "correlation_id", None) for record in told} == {"c0ffee-1234"}

"""What each job does, by ids alone, and that it may be done twice."""

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from entrypoints.correlation import ContextFilter, correlation_id
from entrypoints.tracing import UntracedJobs
from entrypoints.worker.jobs import JOBS, MAX_TURN_SECONDS, JobContext, keep_up, relay, run_import, sweep, undo_import
from entrypoints.worker.time_slices import TIME_SLICE, TimeSlice
from tests.core.imports.accidents import FailingWork
from tests.entrypoints.working import local_queues
from unite_core.errors import NotFound, Unavailable
from unite_core.imports.model import ImportStatus, LeadImport
from unite_core.imports.queries import ImportsToContinue
from unite_core.imports.use_cases import NewImport
from unite_core.imports.use_cases.continue_import import CHUNK_ROWS
from unite_core.notifications.delivery_reports import DeliveryReport, MessageProgress
from unite_core.notifications.model import Receipt, delivery_id
from unite_core.testing.builders import an_event
from unite_core.testing.in_memory import InMemoryJobs
from unite_core.testing.scenario import Scenario

LONG = 3 * CHUNK_ROWS
RUN_IMPORT = "entrypoints.worker.jobs.run_import"
AN_ID = "0190f7c2-aaaa-7000-8000-000000000001"


@dataclass
class Timer:
    """The monotonic clock of a worker, which stands still until a test sets it."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def scenario() -> Scenario:
    return Scenario()


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
def context(scenario: Scenario, timer: Timer) -> JobContext:
    return JobContext(unite=scenario.unite, jobs=scenario.ports.jobs, holder="me", stopping=lambda: False, clock=timer)


def queue_import(scenario: Scenario, rows: int, name: str = "lead") -> LeadImport:
    """Upload a file of so many leads, without a wake-up for its import."""
    queued = scenario.upload("Name,Email\n" + "".join(f"{name}{it},{name}{it}@example.com\n" for it in range(rows)))
    scenario.ports.jobs.imports.clear()
    return queued


def on_lead_creation(scenario: Scenario, then: Callable[[], None]) -> None:
    ids = scenario.ports.ids.new

    def new() -> UUID:
        then()
        return ids()

    scenario.ports.ids.new = new  # type: ignore[method-assign]  # the first lead that is made is when it happens


def test_an_import_is_done_to_its_end_and_a_second_time_nothing_happens(
    scenario: Scenario, context: JobContext
) -> None:
    queued = queue_import(scenario, 3)

    run_import(context, str(queued.id))
    run_import(context, str(queued.id))

    assert (scenario.get_import(queued.id).status, scenario.get_import(queued.id).counts.created) == (
        ImportStatus.COMPLETED,
        3,
    )
    assert scenario.ports.jobs.imports == []


def lines_of(caplog: pytest.LogCaptureFixture, queued: LeadImport) -> list[str]:
    return [each.getMessage() for each in caplog.records if getattr(each, "import_id", None) == str(queued.id)]


NOTHING_TO_DO = "There is nothing to do for the import: it has ended, or another worker holds it."


def test_the_end_of_an_import_is_logged_by_the_job_that_ended_it(
    scenario: Scenario, context: JobContext, caplog: pytest.LogCaptureFixture
) -> None:
    queued = queue_import(scenario, 3)

    with caplog.at_level(logging.INFO):
        run_import(context, str(queued.id))
        run_import(context, str(queued.id))

    assert lines_of(caplog, queued) == ["The import is continued.", "The import is completed.", NOTHING_TO_DO]


def test_the_end_of_an_undoing_is_logged_by_the_job_that_ended_it(
    scenario: Scenario, context: JobContext, caplog: pytest.LogCaptureFixture
) -> None:
    queued = queue_import(scenario, 3)
    run_import(context, str(queued.id))
    with scenario.ports.work() as work:
        unwanted = work.imports.get(queued.id)
        unwanted.begin_undo()
        unwanted.mark_updated()
        work.imports.save(unwanted)
        work.commit()

    with caplog.at_level(logging.INFO):
        undo_import(context, str(queued.id))
        undo_import(context, str(queued.id))

    assert lines_of(caplog, queued) == ["The import is undone."]


def test_an_import_that_another_worker_holds_is_not_logged_as_continued(
    scenario: Scenario, context: JobContext, caplog: pytest.LogCaptureFixture
) -> None:
    queued = queue_import(scenario, 3)
    with scenario.ports.work() as work:
        held = work.imports.get(queued.id)
        held.take("somebody else", scenario.ports.clock.now())
        held.mark_updated()
        work.imports.save(held)
        work.commit()

    with caplog.at_level(logging.INFO):
        run_import(context, str(queued.id))

    assert lines_of(caplog, queued) == [NOTHING_TO_DO]
    assert scenario.ports.jobs.imports == []


def test_an_import_whose_file_has_not_come_is_not_enqueued_again(scenario: Scenario, context: JobContext) -> None:
    announced = scenario.unite.imports.announce(scenario.admin, NewImport(filename="leads.csv", size=10)).lead_import

    run_import(context, str(announced.id))

    assert scenario.ports.jobs.imports == []


def test_an_import_lets_another_one_pass_after_its_turn_and_waits_behind_it(
    scenario: Scenario, context: JobContext, timer: Timer
) -> None:
    long = queue_import(scenario, LONG)
    queue_import(scenario, 1, "other")

    def pass_the_turn() -> None:
        timer.seconds = TIME_SLICE

    on_lead_creation(scenario, pass_the_turn)

    run_import(context, str(long.id))

    left = scenario.get_import(long.id)
    assert (left.status, left.counts.created, left.holder) == (ImportStatus.RUNNING, CHUNK_ROWS, None)
    assert scenario.ports.jobs.imports == [long.id]


def test_imports_take_turns_in_a_queue(
    scenario: Scenario, context: JobContext, timer: Timer, caplog: pytest.LogCaptureFixture
) -> None:
    long = queue_import(scenario, LONG)
    short = queue_import(scenario, 1, "other")
    queues = local_queues(scenario.unite)
    context = replace(context, jobs=queues.jobs)
    sweep(context)

    def pass_the_turn() -> None:
        timer.seconds = TIME_SLICE

    on_lead_creation(scenario, pass_the_turn)

    with caplog.at_level(logging.INFO):
        queues.run_import_jobs(context, lambda: scenario.get_import(long.id).status is ImportStatus.COMPLETED)

    names = {str(long.id): "long", str(short.id): "short"}
    turns = [
        names[each.import_id]  # type: ignore[attr-defined]  # a mark of the line
        for each in caplog.records
        if each.getMessage() == "The import is continued."
    ]
    assert turns == ["long", "short", "long"]


@pytest.mark.parametrize(("seconds", "chunks"), [(MAX_TURN_SECONDS - 1, 3), (MAX_TURN_SECONDS, 1)])
def test_an_import_that_is_alone_goes_on_but_not_until_its_worker_looks_dead(
    scenario: Scenario, context: JobContext, timer: Timer, seconds: float, chunks: int
) -> None:
    long = queue_import(scenario, LONG)

    def advance() -> None:
        timer.seconds = seconds

    on_lead_creation(scenario, advance)

    run_import(context, str(long.id))

    assert scenario.get_import(long.id).counts.created == chunks * CHUNK_ROWS


def test_an_import_that_another_worker_holds_is_left_to_it(scenario: Scenario, context: JobContext) -> None:
    queued = queue_import(scenario, 3)
    with scenario.ports.work() as work:
        held = work.imports.get(queued.id)
        held.take("another", scenario.ports.clock.now())
        held.mark_updated()
        work.imports.save(held)
        work.commit()

    run_import(context, str(queued.id))

    assert scenario.get_import(queued.id).counts.created == 0
    assert scenario.ports.jobs.imports == []


def test_an_undoing_is_done_to_its_end(scenario: Scenario, context: JobContext) -> None:
    done = undoing(scenario, context)

    undo_import(context, str(done.id))

    undone = scenario.get_import(done.id).undone
    assert undone is not None
    assert (undone.removed, undone.finished_at is None) == (3, False)


def undoing(scenario: Scenario, context: JobContext) -> LeadImport:
    done = queue_import(scenario, 3)
    run_import(context, str(done.id))
    with scenario.ports.work() as work:
        unwanted = work.imports.get(done.id)
        unwanted.begin_undo()
        unwanted.mark_updated()
        work.imports.save(unwanted)
        work.commit()
    return done


def test_the_sweep_enqueues_all_that_is_due(scenario: Scenario, context: JobContext) -> None:
    done = undoing(scenario, context)
    queued = queue_import(scenario, 1, "other")
    relays = scenario.ports.jobs.relays

    sweep(context)

    assert scenario.ports.jobs.imports == [queued.id]
    assert scenario.ports.jobs.undos == [done.id]
    assert scenario.ports.jobs.relays == relays + 1


def test_what_the_sweep_enqueues_follows_from_the_request_that_it_was_for(
    scenario: Scenario, context: JobContext
) -> None:
    queue_import(scenario, 1)
    seen = []

    class Noting(InMemoryJobs):
        def run_import(self, import_id: UUID) -> None:
            super().run_import(import_id)
            seen.append(correlation_id())

    sweep(replace(context, jobs=Noting()))

    assert seen == ["of-admin"]
    assert correlation_id() is None


@dataclass
class NotedTracing(UntracedJobs):
    """Notes what it is to trace; `following` is what would be named now."""

    jobs: list[tuple[str, tuple[str, ...], str | None, bool]] = field(default_factory=list)
    now: str | None = "of-the-job"

    @contextmanager
    def job(
        self, function: str, arguments: tuple[str, ...], traceparent: str | None, *, begins_trace: bool
    ) -> Iterator[None]:
        self.jobs.append((function.rpartition(".")[2], arguments, traceparent, begins_trace))
        yield

    @contextmanager
    def following(self, traceparent: str | None) -> Iterator[None]:
        before, self.now = self.now, traceparent
        yield
        self.now = before


def test_what_the_sweep_enqueues_follows_from_the_span_that_made_it_due(
    scenario: Scenario, context: JobContext
) -> None:
    tracing = NotedTracing()
    queued, done = queue_import(scenario, 1), queue_import(scenario, 1, "other")
    run_import(context, str(done.id))
    with scenario.ports.work() as work:
        for import_id, traceparent in ((queued.id, "of-import"), (done.id, "of-undo")):
            stored = work.imports.get(import_id)
            if import_id == done.id:
                stored.begin_undo()
            stored.traceparent = traceparent
            stored.mark_updated()
            work.imports.save(stored)
        work.commit()
    seen: list[tuple[UUID, str | None]] = []

    class Noting(InMemoryJobs):
        def run_import(self, import_id: UUID) -> None:
            seen.append((import_id, tracing.now))

        undo_import = run_import

    sweep(replace(context, jobs=Noting(), tracing=tracing))

    assert seen == [(queued.id, "of-import"), (done.id, "of-undo")]
    assert tracing.now == "of-the-job"


def test_a_relay_that_goes_on_does_not_follow_from_its_own_span(context: JobContext) -> None:
    tracing = NotedTracing()
    seen: list[str | None] = []

    class Noting(InMemoryJobs):
        def deliver_events(self, destinations: Collection[str] = ()) -> None:
            super().deliver_events(destinations)
            seen.append(tracing.now)

    relay(replace(context, stopping=lambda: True, jobs=Noting(), tracing=tracing), "activity")

    assert seen == [None]


@pytest.mark.parametrize(
    ("name", "about", "begins_trace"),
    [
        ("run_import", (AN_ID,), True),
        ("undo_import", (AN_ID,), True),
        ("relay", ("activity",), False),
        ("sweep", (), False),
    ],
)
def test_a_job_is_traced_with_what_it_follows_from(
    context: JobContext, name: str, about: tuple[str, ...], *, begins_trace: bool
) -> None:
    tracing = NotedTracing()
    function = f"entrypoints.worker.jobs.{name}"

    with suppress(NotFound):  # there is no such import
        replace(context, tracing=tracing)(function, *about, correlation_id=None, traceparent="of-the-request")

    assert tracing.jobs == [(name, about, "of-the-request", begins_trace)]


def test_what_is_no_job_is_not_traced(context: JobContext) -> None:
    tracing = NotedTracing()

    replace(context, tracing=tracing)("os.system", "true", correlation_id=None, traceparent="of-the-request")

    assert tracing.jobs == []


def test_a_destination_is_told_of_events(scenario: Scenario, context: JobContext) -> None:
    queue_import(scenario, 1)
    run_import(context, str(scenario.unite.imports.due().to_import[0]))
    relays = scenario.ports.jobs.relays

    relay(context, "activity")

    assert scenario.unite.notifications.relay("activity").delivered == 0
    assert scenario.ports.jobs.relays == relays


def test_a_relay_that_has_to_stop_leaves_the_rest_to_the_next_job(scenario: Scenario, context: JobContext) -> None:
    relays = scenario.ports.jobs.relays

    relay(replace(context, stopping=lambda: True), "activity")

    assert scenario.ports.jobs.relays == relays + 1


def test_a_relay_that_goes_on_wakes_its_own_destination_alone(context: JobContext) -> None:
    woken: list[list[str]] = []

    class Noting(InMemoryJobs):
        def deliver_events(self, destinations: Collection[str] = ()) -> None:
            woken.append([*destinations])

    relay(replace(context, jobs=Noting(), stopping=lambda: True), "topic")

    assert woken == [["topic"]]


def test_a_dead_letter_is_written_down_as_an_error(
    scenario: Scenario, context: JobContext, caplog: pytest.LogCaptureFixture
) -> None:
    event = an_event(type="call_task.created", at=scenario.ports.clock.now(), data={"lead_name": "+12125550123"})
    with scenario.ports.work() as work:
        work.record(event)
        work.commit()
    scenario.ports.topic.answer = lambda _: Receipt(
        accepted=False, refused=True, response={"error_code": "InvalidParameter", "error": "It is too long."}
    )

    relay(context, "topic")

    (record,) = (it for it in caplog.records if it.name == "unite.dead_letters")
    expected = {
        "levelname": "ERROR",
        "delivery_id": str(delivery_id(event.id, "topic")),
        "destination": "topic",
        "event_id": str(event.id),
        "code": "InvalidParameter",
    }
    assert {name: getattr(record, name) for name in expected} == expected
    assert record.getMessage() == "An event is given up: it does not reach its destination (topic)."
    assert "555" not in caplog.text


def test_upkeep_does_everything_though_some_of_it_fails(
    scenario: Scenario, context: JobContext, caplog: pytest.LogCaptureFixture
) -> None:
    unite, away = scenario.unite, Unavailable("The database is away.")
    upkeep = replace(
        unite.upkeep,
        purge_usage=replace(unite.upkeep.purge_usage, work=FailingWork(scenario.ports.work, ZeroDivisionError(), at=0)),
        purge_sessions=replace(unite.upkeep.purge_sessions, work=FailingWork(scenario.ports.work, away, at=0)),
    )
    announced = scenario.unite.imports.announce(scenario.admin, NewImport(filename="never.csv", size=1)).lead_import
    scenario.ports.clock.advance(timedelta(days=2))

    with caplog.at_level(logging.INFO):
        keep_up(replace(context, unite=replace(unite, upkeep=upkeep)))

    assert scenario.get_import(announced.id).status is ImportStatus.CANCELLED
    assert "Upkeep: counted uses deleted: something unexpected happened." in caplog.text
    assert [getattr(it, "retried", False) for it in caplog.records if it.levelno == logging.ERROR] == [True]
    assert "Upkeep: sessions deleted: something does not answer: The database is away." in caplog.text
    assert "Upkeep: abandoned imports cancelled: 1." in caplog.text


def test_upkeep_asks_after_texts_and_writes_down_which_did_not_arrive(
    scenario: Scenario, context: JobContext, caplog: pytest.LogCaptureFixture
) -> None:
    scenario.create_call_task()
    scenario.run_jobs()
    scenario.ports.clock.advance(timedelta(minutes=5))
    scenario.ports.texts.look_up = lambda message_id, **_: DeliveryReport(  # type: ignore[method-assign]  # it has arrived everywhere else
        message_id=message_id,
        progress=MessageProgress.FAILED,
        response={"message_id": message_id, "status": "failed", "error_code": 30003},
    )

    with caplog.at_level(logging.INFO):
        keep_up(context)

    (record,) = (it for it in caplog.records if it.name == "unite.dead_letters")
    assert (record.levelname, getattr(record, "code", None)) == ("ERROR", 30003)
    assert "Upkeep: text messages asked after: 1." in caplog.text


def test_upkeep_ends_where_the_worker_is_to_stop(scenario: Scenario, context: JobContext) -> None:
    announced = scenario.unite.imports.announce(scenario.admin, NewImport(filename="never.csv", size=1)).lead_import
    scenario.ports.clock.advance(timedelta(days=2))

    keep_up(replace(context, stopping=lambda: True))

    assert scenario.get_import(announced.id).status is ImportStatus.AWAITING_UPLOAD


def test_a_job_is_found_by_its_name_and_its_lines_bear_the_id_of_the_request(
    scenario: Scenario, context: JobContext, caplog: pytest.LogCaptureFixture
) -> None:
    queued = queue_import(scenario, 1)
    caplog.handler.addFilter(ContextFilter("worker"))

    with caplog.at_level(logging.INFO):
        context("entrypoints.worker.jobs.run_import", str(queued.id), correlation_id="of-the-job")

    records: list[Any] = [it for it in caplog.records if it.name == "entrypoints.worker.import_runs"]
    assert [record.correlation_id for record in records] == ["of-the-job"] * 2
    assert [record.import_id for record in records] == [str(queued.id)] * 2
    assert scenario.get_import(queued.id).status is ImportStatus.COMPLETED


@pytest.mark.parametrize(
    ("function", "about"),
    [
        ("os.system", ("true",)),
        ("entrypoints.worker.jobs.Desk", ()),
        ("run_import", (AN_ID,)),
        (RUN_IMPORT, ()),
        (RUN_IMPORT, (AN_ID, AN_ID)),
        (RUN_IMPORT, ("",)),
        (RUN_IMPORT, ("../../etc/passwd",)),
        (RUN_IMPORT, (AN_ID.upper(),)),
        (RUN_IMPORT, (f"{{{AN_ID}}}",)),
        ("entrypoints.worker.jobs.relay", ("nobody",)),
        ("entrypoints.worker.jobs.sweep", ("activity",)),
    ],
)
def test_what_is_no_job_is_dropped_with_a_line_in_the_log(
    context: JobContext, caplog: pytest.LogCaptureFixture, function: str, about: tuple[str, ...]
) -> None:
    context(function, *about, correlation_id=None)

    (line,) = caplog.records
    assert (line.levelname, line.message) == ("WARNING", "An unknown job is dropped.")


def test_a_turn_goes_on_for_as_long_as_no_other_import_waits() -> None:
    times = iter([0.0, TIME_SLICE + 1, TIME_SLICE + 1])

    assert not TimeSlice(due_of(), lambda: False, lambda: next(times)).is_over()


def test_a_turn_is_over_after_its_time_if_another_import_waits() -> None:
    time = [0.0]
    turn = TimeSlice(due_of(UUID(AN_ID)), lambda: False, lambda: time[0])

    assert not turn.is_over()
    time[0] = TIME_SLICE
    assert turn.is_over()


def test_a_turn_is_over_when_the_worker_is_to_stop() -> None:
    assert TimeSlice(due_of(), lambda: True).is_over()


def due_of(*waiting: UUID) -> Callable[..., ImportsToContinue]:
    return lambda **_: ImportsToContinue(to_import=waiting, to_undo=())


def test_jobs_have_the_names_that_are_put_into_the_queues() -> None:
    assert [*JOBS] == [
        f"entrypoints.worker.jobs.{name}"
        for name in (
            "run_import",
            "undo_import",
            "relay",
            "sweep",
            "mark_missed",
            "fold_entries",
            "make_summaries",
            "keep_up",
        )
    ]

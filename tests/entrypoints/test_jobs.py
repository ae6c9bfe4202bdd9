"""What each job does, by ids alone, and that it may be done twice."""

import io
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from entrypoints.correlation import CorrelationFilter, correlation_id
from entrypoints.worker.jobs import JOBS, MAX_TURN_SECONDS, JobContext, keep_up, relay, run_import, sweep, undo_import
from entrypoints.worker.turns import TURN, Turn
from tests.core.notifications.scenario import NotificationScenario
from tests.entrypoints.working import local_queues
from unite_core.application import build
from unite_core.errors import Unavailable
from unite_core.identity.model import Actor, Role
from unite_core.identity.use_cases import NewUser
from unite_core.imports.model import ImportStatus, LeadImport
from unite_core.imports.queries import ImportsToContinue
from unite_core.imports.use_cases import FileToImport, NewImport
from unite_core.imports.use_cases.continue_import import CHUNK_ROWS
from unite_core.notifications.delivery_reports import DeliveryReport, Progress
from unite_core.notifications.model import Receipt, delivery_id
from unite_core.testing.builders import an_event
from unite_core.testing.in_memory import InMemoryJobs, InMemoryPorts, in_memory_ports

LONG = 3 * CHUNK_ROWS
RUN_IMPORT = "entrypoints.worker.jobs.run_import"
AN_ID = "0190f7c2-aaaa-7000-8000-000000000001"


@dataclass
class JobScenario:
    """Unite in memory, the context of its jobs, and a clock of its own that stands still."""

    ports: InMemoryPorts = field(default_factory=in_memory_ports)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.unite = build(self.ports)
        admin = self.unite.identity.create_user.unchecked(
            NewUser(email="ann@example.com", name="Ann", role=Role.ADMIN, password="correct horse battery")
        )
        self.actor = Actor(user_id=admin.id, role=Role.ADMIN, correlation_id="c0ffee-1234")
        self.context = JobContext(
            unite=self.unite,
            jobs=self.ports.jobs,
            holder="me",
            stopping=lambda: False,
            clock=lambda: self.seconds,
        )

    def import_leads(self, rows: int, name: str = "lead") -> LeadImport:
        content = "Name,Email\n" + "".join(f"{name}{it},{name}{it}@example.com\n" for it in range(rows))
        stored = self.unite.imports.store_file(self.actor, io.BytesIO(content.encode()))
        wanted = self.unite.imports.import_stored_file(self.actor, FileToImport(stored=stored, filename="leads.csv"))
        self.ports.jobs.imports.clear()
        return wanted

    def on_lead_creation(self, then: Callable[[], None]) -> None:
        ids = self.ports.ids.new

        def new() -> UUID:
            then()
            return ids()

        self.ports.ids.new = new  # type: ignore[method-assign]  # the first lead that is made is when it happens

    def now(self, of: LeadImport) -> LeadImport:
        return self.unite.imports.get(self.actor, of.id)


@pytest.fixture
def scenario() -> JobScenario:
    return JobScenario()


def test_an_import_is_done_to_its_end_and_a_second_time_nothing_happens(scenario: JobScenario) -> None:
    wanted = scenario.import_leads(3)

    run_import(scenario.context, str(wanted.id))
    run_import(scenario.context, str(wanted.id))

    assert (scenario.now(wanted).status, scenario.now(wanted).counts.created) == (ImportStatus.COMPLETED, 3)
    assert scenario.ports.jobs.imports == []


def lines_of(caplog: pytest.LogCaptureFixture, wanted: LeadImport) -> list[str]:
    return [each.getMessage() for each in caplog.records if getattr(each, "import_id", None) == str(wanted.id)]


NOTHING_TO_DO = "There is nothing to do for the import: it has ended, or another worker holds it."


def test_the_end_of_an_import_is_logged_by_the_job_that_ended_it(
    scenario: JobScenario, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = scenario.import_leads(3)

    with caplog.at_level(logging.INFO):
        run_import(scenario.context, str(wanted.id))
        run_import(scenario.context, str(wanted.id))

    assert lines_of(caplog, wanted) == ["The import is continued.", "The import is completed.", NOTHING_TO_DO]


def test_the_end_of_an_undoing_is_logged_by_the_job_that_ended_it(
    scenario: JobScenario, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = scenario.import_leads(3)
    run_import(scenario.context, str(wanted.id))
    with scenario.ports.work() as work:
        unwanted = work.imports.get(wanted.id)
        unwanted.begin_undo()
        unwanted.touched()
        work.imports.save(unwanted)
        work.commit()

    with caplog.at_level(logging.INFO):
        undo_import(scenario.context, str(wanted.id))
        undo_import(scenario.context, str(wanted.id))

    assert lines_of(caplog, wanted) == ["The import is undone."]


def test_an_import_that_another_worker_holds_is_not_logged_as_continued(
    scenario: JobScenario, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = scenario.import_leads(3)
    with scenario.ports.work() as work:
        held = work.imports.get(wanted.id)
        held.take("somebody else", scenario.ports.clock.now())
        held.touched()
        work.imports.save(held)
        work.commit()

    with caplog.at_level(logging.INFO):
        run_import(scenario.context, str(wanted.id))

    assert lines_of(caplog, wanted) == [NOTHING_TO_DO]
    assert scenario.ports.jobs.imports == []


def test_an_import_whose_file_has_not_come_is_not_enqueued_again(scenario: JobScenario) -> None:
    announced = scenario.unite.imports.announce(scenario.actor, NewImport(filename="leads.csv", size=10)).lead_import

    run_import(scenario.context, str(announced.id))

    assert scenario.ports.jobs.imports == []


def test_an_import_lets_another_one_pass_after_its_turn_and_waits_behind_it(scenario: JobScenario) -> None:
    long = scenario.import_leads(LONG)
    scenario.import_leads(1, "other")

    def pass_the_turn() -> None:
        scenario.seconds = TURN

    scenario.on_lead_creation(pass_the_turn)

    run_import(scenario.context, str(long.id))

    left = scenario.now(long)
    assert (left.status, left.counts.created, left.holder) == (ImportStatus.RUNNING, CHUNK_ROWS, None)
    assert scenario.ports.jobs.imports == [long.id]


def test_imports_take_turns_in_a_queue(scenario: JobScenario, caplog: pytest.LogCaptureFixture) -> None:
    long = scenario.import_leads(LONG)
    short = scenario.import_leads(1, "other")
    queues = local_queues(scenario.unite)
    sweep(replace(scenario.context, jobs=queues.jobs))

    def pass_the_turn() -> None:
        scenario.seconds = TURN

    scenario.on_lead_creation(pass_the_turn)

    with caplog.at_level(logging.INFO):
        queues.run_import_jobs(
            replace(scenario.context, jobs=queues.jobs), lambda: scenario.now(long).status is ImportStatus.COMPLETED
        )

    names = {str(long.id): "long", str(short.id): "short"}
    turns = [
        names[each.import_id]  # type: ignore[attr-defined]  # a mark of the line
        for each in caplog.records
        if each.getMessage() == "The import is continued."
    ]
    assert turns == ["long", "short", "long"]


@pytest.mark.parametrize(("seconds", "chunks"), [(MAX_TURN_SECONDS - 1, 3), (MAX_TURN_SECONDS, 1)])
def test_an_import_that_is_alone_goes_on_but_not_until_its_worker_looks_dead(
    scenario: JobScenario, seconds: float, chunks: int
) -> None:
    long = scenario.import_leads(LONG)

    def advance() -> None:
        scenario.seconds = seconds

    scenario.on_lead_creation(advance)

    run_import(scenario.context, str(long.id))

    assert scenario.now(long).counts.created == chunks * CHUNK_ROWS


def test_an_import_that_another_worker_holds_is_left_to_it(scenario: JobScenario) -> None:
    wanted = scenario.import_leads(3)
    with scenario.ports.work() as work:
        held = work.imports.get(wanted.id)
        held.take("another", scenario.ports.clock.now())
        held.touched()
        work.imports.save(held)
        work.commit()

    run_import(scenario.context, str(wanted.id))

    assert scenario.now(wanted).counts.created == 0
    assert scenario.ports.jobs.imports == []


def test_an_undoing_is_done_to_its_end(scenario: JobScenario) -> None:
    done = undoing(scenario)

    undo_import(scenario.context, str(done.id))

    undone = scenario.now(done).undone
    assert undone is not None
    assert (undone.removed, undone.finished_at is None) == (3, False)


def undoing(scenario: JobScenario) -> LeadImport:
    done = scenario.import_leads(3)
    run_import(scenario.context, str(done.id))
    with scenario.ports.work() as work:
        unwanted = work.imports.get(done.id)
        unwanted.begin_undo()
        unwanted.touched()
        work.imports.save(unwanted)
        work.commit()
    return done


def test_the_sweep_enqueues_all_that_is_due(scenario: JobScenario) -> None:
    done = undoing(scenario)
    wanted = scenario.import_leads(1, "other")
    relays = scenario.ports.jobs.relays

    sweep(scenario.context)

    assert scenario.ports.jobs.imports == [wanted.id]
    assert scenario.ports.jobs.undos == [done.id]
    assert scenario.ports.jobs.relays == relays + 1


def test_what_the_sweep_enqueues_follows_from_the_request_that_it_was_for(scenario: JobScenario) -> None:
    scenario.import_leads(1)
    seen = []

    class Noting(InMemoryJobs):
        def run_import(self, import_id: UUID) -> None:
            super().run_import(import_id)
            seen.append(correlation_id())

    sweep(replace(scenario.context, jobs=Noting()))

    assert seen == ["c0ffee-1234"]
    assert correlation_id() is None


def test_a_destination_is_told_of_events(scenario: JobScenario) -> None:
    scenario.import_leads(1)
    run_import(scenario.context, str(scenario.unite.imports.due().to_import[0]))
    relays = scenario.ports.jobs.relays

    relay(scenario.context, "activity")

    assert scenario.unite.notifications.relay("activity").delivered == 0
    assert scenario.ports.jobs.relays == relays


def test_a_relay_that_has_to_stop_leaves_the_rest_to_the_next_job(scenario: JobScenario) -> None:
    relays = scenario.ports.jobs.relays

    relay(replace(scenario.context, stopping=lambda: True), "activity")

    assert scenario.ports.jobs.relays == relays + 1


def test_a_relay_that_goes_on_wakes_its_own_destination_alone(scenario: JobScenario) -> None:
    woken: list[list[str]] = []

    class Noting(InMemoryJobs):
        def deliver_events(self, destinations: Collection[str] = ()) -> None:
            woken.append([*destinations])

    relay(replace(scenario.context, jobs=Noting(), stopping=lambda: True), "topic")

    assert woken == [["topic"]]


def test_a_dead_letter_is_written_down_as_an_error(scenario: JobScenario, caplog: pytest.LogCaptureFixture) -> None:
    event = an_event(type="call_task.created", at=scenario.ports.clock.now(), data={"lead_name": "+12125550123"})
    with scenario.ports.work() as work:
        work.record(event)
        work.commit()
    scenario.ports.topic.answer = lambda _: Receipt(
        taken=False, refused=True, response={"error_code": "InvalidParameter", "error": "It is too long."}
    )

    relay(scenario.context, "topic")

    (told,) = (record for record in caplog.records if record.name == "unite.dead_letters")
    wanted = {
        "levelname": "ERROR",
        "delivery_id": str(delivery_id(event.id, "topic")),
        "destination": "topic",
        "event_id": str(event.id),
        "code": "InvalidParameter",
    }
    assert {name: getattr(told, name) for name in wanted} == wanted
    assert told.getMessage() == "An event is given up: it does not reach its destination (topic)."
    assert "555" not in caplog.text


def test_upkeep_does_everything_though_some_of_it_fails(
    scenario: JobScenario, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    def be_away() -> None:
        raise Unavailable("The storage is away.")

    further = {"broken": fail, "away": be_away, "leftovers deleted": lambda: 3}
    announced = scenario.unite.imports.announce(scenario.actor, NewImport(filename="never.csv", size=1)).lead_import
    scenario.ports.clock.advance(timedelta(days=2))

    with caplog.at_level(logging.INFO):
        keep_up(replace(scenario.context, further=further))

    assert scenario.now(announced).status is ImportStatus.CANCELLED
    assert "Upkeep: broken: something unexpected happened." in caplog.text
    assert "Upkeep: away: something does not answer: The storage is away." in caplog.text
    assert "Upkeep: leftovers deleted: 3." in caplog.text


def test_upkeep_asks_after_texts_and_writes_down_which_did_not_arrive(caplog: pytest.LogCaptureFixture) -> None:
    calls = NotificationScenario()
    calls.plan()
    calls.relay()
    calls.ports.clock.advance(timedelta(minutes=5))
    calls.ports.texts.look_up = lambda message_id, **_: DeliveryReport(  # type: ignore[method-assign]  # it has arrived everywhere else
        message_id=message_id,
        progress=Progress.FAILED,
        response={"message_id": message_id, "status": "failed", "error_code": 30003},
    )
    context = JobContext(unite=calls.unite, jobs=calls.ports.jobs, holder="me", stopping=lambda: False)

    with caplog.at_level(logging.INFO):
        keep_up(context)

    (told,) = (record for record in caplog.records if record.name == "unite.dead_letters")
    assert (told.levelname, getattr(told, "code", None)) == ("ERROR", 30003)
    assert "Upkeep: text messages asked after: 1." in caplog.text


def test_upkeep_ends_where_the_worker_is_to_stop(scenario: JobScenario) -> None:
    done: list[int] = []

    keep_up(replace(scenario.context, stopping=lambda: True, further={"counted": lambda: done.append(1)}))

    assert done == []


def test_a_job_is_found_by_its_name_and_its_lines_bear_the_id_of_the_request(
    scenario: JobScenario, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = scenario.import_leads(1)
    caplog.handler.addFilter(CorrelationFilter())

    with caplog.at_level(logging.INFO):
        scenario.context("entrypoints.worker.jobs.run_import", str(wanted.id), correlation_id="of-the-job")

    told: list[Any] = [record for record in caplog.records if record.name == "entrypoints.worker.importing"]
    assert [record.correlation_id for record in told] == ["of-the-job"] * 2
    assert [record.import_id for record in told] == [str(wanted.id)] * 2
    assert scenario.now(wanted).status is ImportStatus.COMPLETED


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
    scenario: JobScenario, caplog: pytest.LogCaptureFixture, function: str, about: tuple[str, ...]
) -> None:
    scenario.context(function, *about, correlation_id=None)

    (line,) = caplog.records
    assert (line.levelname, line.message) == ("WARNING", "A job that nobody here asks for is dropped.")


def test_a_turn_goes_on_for_as_long_as_no_other_import_waits() -> None:
    times = iter([0.0, TURN + 1, TURN + 1])

    assert not Turn(due_of(), lambda: False, lambda: next(times)).is_over()


def test_a_turn_is_over_after_its_time_if_another_import_waits() -> None:
    time = [0.0]
    turn = Turn(due_of(UUID(AN_ID)), lambda: False, lambda: time[0])

    assert not turn.is_over()
    time[0] = TURN
    assert turn.is_over()


def test_a_turn_is_over_when_the_worker_is_to_stop() -> None:
    assert Turn(due_of(), lambda: True).is_over()


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

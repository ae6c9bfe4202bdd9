"""Tests of the background work of programs that import the library."""

import logging
from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread

import pytest

from tests.service_process import eventually
from unite_core.background import TURN, UPKEEP_INTERVAL, BackgroundWork
from unite_core.errors import Unavailable
from unite_core.imports.model import ImportStatus
from unite_core.testing.in_memory import FixedClock
from unite_core.testing.scenario import Scenario

INTERVAL = timedelta(milliseconds=1)


def test_work_once_does_all_pending_work() -> None:
    scenario = Scenario()
    lead = scenario.create_lead()
    task = scenario.create_call_task(lead)
    scenario.complete(task)
    imported = scenario.upload([("Grace", "+12125550188", "", "", "", "")])

    scenario.unite.work_once()

    assert scenario.get_import(imported.id).status is ImportStatus.COMPLETED
    types = [message.type for message in scenario.ports.topic.published]
    assert {"call_task.assigned", "call_task.completed", "import.finished"} <= set(types)
    assert scenario.tables.rollups


def fails(error: Exception) -> Callable[[object], None]:
    def step(_: object) -> None:
        raise error

    return step


def work(clock: FixedClock | None = None, **steps: Callable[[Callable[[], bool]], object]) -> BackgroundWork:
    upkeep = {name: steps.pop(name) for name in list(steps) if name.startswith("upkeep")}
    return BackgroundWork(steps=steps, upkeep=upkeep, clock=clock or FixedClock())


def test_a_failing_step_does_not_prevent_the_others() -> None:
    done: list[str] = []
    failing = work(first=fails(Unavailable("The topic does not respond.")), second=lambda _: done.append("second"))

    with pytest.raises(ExceptionGroup) as failures:
        failing.once()

    assert done == ["second"]
    (failure,) = failures.value.exceptions
    assert isinstance(failure, Unavailable)
    assert failure.__notes__ == ["This happened in the step: first."]


def test_work_until_continues_after_a_failure_and_logs_it(caplog: pytest.LogCaptureFixture) -> None:
    stop = Event()
    turns: list[int] = []

    def second(_: object) -> None:
        turns.append(1)
        if len(turns) == 3:
            stop.set()

    with caplog.at_level(logging.ERROR, "unite_core.background"):
        work(first=fails(ValueError("wrong")), second=second).until(stop, interval=INTERVAL)

    assert len(turns) == 3
    assert [record.getMessage() for record in caplog.records] == [
        "Background work failed, and is tried again: wrong"
    ] * 3


def test_upkeep_runs_once_a_minute() -> None:
    clock, stop = FixedClock(), Event()
    order: list[str] = []

    def step(_: object) -> None:
        order.append("step")
        if len(order) == 4:
            clock.advance(UPKEEP_INTERVAL)
        if len(order) > 6:
            stop.set()

    work(clock, step=step, upkeep=lambda _: order.append("upkeep")).until(stop, interval=INTERVAL)

    assert order == ["step", "upkeep", "step", "step", "step", "upkeep", "step"]


def test_a_step_is_asked_to_stop_after_its_turn_and_when_the_work_stops() -> None:
    clock, stop = FixedClock(), Event()
    said: list[bool] = []

    def step(should_stop: Callable[[], bool]) -> None:
        said.append(should_stop())
        clock.advance(TURN)
        said.append(should_stop())
        clock.advance(-TURN)
        stop.set()
        said.append(should_stop())

    work(clock, step=step).until(stop, interval=INTERVAL)

    assert said == [False, True, True]


def test_work_until_stops_soon_after_it_is_asked_to() -> None:
    scenario, stop = Scenario(), Event()
    scenario.create_call_task()
    thread = Thread(target=scenario.unite.work_until, args=(stop,))
    thread.start()
    try:
        eventually(lambda: bool(scenario.ports.topic.published), "the event is published")
    finally:
        stop.set()

    thread.join(10)
    assert not thread.is_alive()


def test_work_once_continues_an_undo() -> None:
    scenario = Scenario()
    imported = scenario.import_file([("Grace", "+12125550188", "", "", "", "")])
    with scenario.ports.work() as work:
        lead_import = work.imports.get(imported.id)
        lead_import.begin_undo()
        lead_import.mark_updated()
        work.imports.save(lead_import)
        work.commit()

    scenario.unite.work_once()

    undone = scenario.get_import(imported.id).undone
    assert undone is not None
    assert undone.finished_at is not None

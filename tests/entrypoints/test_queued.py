"""A worker between queues that come and go and a database that stays."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Event

import pytest

from entrypoints.worker.jobs import EVERY, JobContext, fold_entries, keep_up, make_summaries, sweep
from entrypoints.worker.queued import QueuedWorker
from unite_core.application import build
from unite_core.errors import Unavailable
from unite_core.notifications.model import ACTIVITY, TEXTS, TOPIC
from unite_core.testing.in_memory import in_memory_ports

TIMEOUT = 30.0


class Script:
    """Queues of which is told, for one time after the other, what becomes of doing their jobs."""

    def __init__(
        self,
        *,
        imports: Sequence[Exception] = (),
        upkeep: Sequence[Exception] = (),
        topic: Sequence[Exception] = (),
        pings: Sequence[Exception | None] = (),
    ) -> None:
        self._imports = iter(imports)
        self._upkeep = iter(upkeep)
        self._topic = iter(topic)
        self._pings = iter(pings)
        self.every: list[Mapping[Callable[..., None], int]] = []
        self.told: list[str] = []

    def ping(self) -> None:
        error = next(self._pings, None)
        if error is not None:
            raise error

    def run_import_jobs(self, hand: JobContext, stopping: Callable[[], bool]) -> None:
        self._do(self._imports, hand, stopping)

    def deliver(self, hand: JobContext, stopping: Callable[[], bool], destination: str) -> None:
        self.told.append(destination)
        self._do(self._topic if destination == TOPIC else iter(()), hand, stopping)

    def run_upkeep_jobs(
        self, hand: JobContext, stopping: Callable[[], bool], every: Mapping[Callable[..., None], int]
    ) -> None:
        self.every.append(every)
        self._do(self._upkeep, hand, stopping)

    def _do(self, errors: Iterator[Exception], hand: JobContext, stopping: Callable[[], bool]) -> None:
        error = next(errors, None)
        if error is not None:
            raise error
        pause = Event()
        while not stopping():
            pause.wait(0.01)
        assert hand.stopping()


class Without:
    """Works straight from the database until it may go back; then, the last time, is told to stop."""

    def __init__(self, stop: Event, times: int) -> None:
        self._stop = stop
        self._times = times
        self.done = 0

    def __call__(self, until: Event) -> None:
        self.done += 1
        if self.done == self._times:
            self._stop.set()
        assert until.wait(TIMEOUT)


@pytest.fixture
def stop() -> Event:
    return Event()


def work(queues: Script, without: Without, stop: Event) -> None:
    ports = in_memory_ports()
    context = JobContext(unite=build(ports), jobs=ports.jobs, holder="me", stopping=stop.is_set)
    QueuedWorker(queues=queues, context=context, without=without, stop=stop).run()


AWAY = Unavailable("Redis does not answer.")


@pytest.mark.parametrize(
    "lost",
    [
        {"imports": [AWAY, AWAY]},
        {"upkeep": [AWAY, AWAY]},
        {"topic": [AWAY, AWAY]},
        {"imports": [AWAY, AWAY], "upkeep": [AWAY], "topic": [AWAY]},
        {"imports": [ZeroDivisionError("no idea"), AWAY]},
    ],
)
def test_when_one_thread_loses_the_queues_the_worker_goes_on_without_and_comes_back(
    stop: Event, caplog: pytest.LogCaptureFixture, lost: dict[str, list[Exception]]
) -> None:
    queues = Script(**lost, pings=[AWAY, None])
    without = Without(stop, times=2)

    with caplog.at_level(logging.INFO):
        work(queues, without, stop)

    assert without.done == 2
    told = [record.getMessage() for record in caplog.records]
    assert told.count("Redis does not answer: the worker looks into the database itself.") == 2
    assert told.count("Redis is back: the worker takes jobs from the queues again.") == 1


def test_a_worker_that_is_told_to_stop_before_it_begins_begins_nothing(stop: Event) -> None:
    queues = Script()
    without = Without(stop, times=1)
    stop.set()

    work(queues, without, stop)

    assert without.done == 0
    assert queues.every == []


def test_the_sweep_and_the_upkeep_recur(stop: Event) -> None:
    queues = Script(imports=[AWAY])

    work(queues, Without(stop, times=1), stop)

    assert queues.every == [EVERY]
    assert set(EVERY) == {sweep, fold_entries, make_summaries, keep_up}


def test_every_destination_has_a_thread_of_its_own(stop: Event) -> None:
    queues = Script(imports=[AWAY])

    work(queues, Without(stop, times=1), stop)

    assert sorted(queues.told) == sorted([ACTIVITY, TOPIC, TEXTS])

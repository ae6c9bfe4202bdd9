"""Measure the cost of rollups: completions with and without folding, unfolded entries, and a rebuild."""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Self
from uuid import UUID

from sqlalchemy import Engine

from adapters.sql.calls.call_ledger import SqlCallLedger
from adapters.sql.unit_of_work import SqlUnitOfWork, SqlUnitOfWorkFactory
from entrypoints.bootstrap import Started
from entrypoints.worker.jobs import FOLDING_INTERVAL
from perf import mysql_setup
from perf.call_history import agent_ids
from perf.report_times import MANAGER, SPANS, ServerClock, measure, report_request
from unite_core import Actor, CallOutcome, CompletedCall, Completion, NewLead, Role
from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallTask
from unite_core.calls.use_cases import CompleteCallTask
from unite_core.clock import Clock
from unite_core.ids import Ids
from unite_core.reports.use_cases import Rebuilt
from unite_core.testing.builders import a_user

THREADS = 8
TURNS = 5
LEADS = 400
WAITING = (500, 5_000)
REBUILT_DAYS = 15


class _UnfoldedLedger(SqlCallLedger):
    """A ledger that does not record which entries are to be folded."""

    def append(self, entry: LedgerEntry) -> None:
        self._insert(entry)


class _UnfoldedUnit(SqlUnitOfWork):
    def __enter__(self) -> Self:
        super().__enter__()
        if self._connection is None:
            raise RuntimeError("There is no transaction.")
        self.ledger = _UnfoldedLedger(self._connection, self._changed)
        return self


@dataclass(frozen=True)
class _WithoutFolding(SqlUnitOfWorkFactory):
    def __call__(self) -> SqlUnitOfWork:
        return _UnfoldedUnit(self.engine, self.outbox, self.cache)


class _Folder:
    """A process that folds like a worker while `go` is set; `idle` is set while it does not fold."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.go, self.idle = multiprocessing.Event(), multiprocessing.Event()
        self.idle.set()
        self._cpu = multiprocessing.Value("d", 0.0)
        self._variables = variables

    def run(self) -> None:
        """Fold until the process is terminated."""
        with mysql_setup.started_unite(self._variables) as started:
            while True:
                self.go.wait()
                self.idle.clear()
                since = time.process_time()
                started.unite.reports.fold()
                self._cpu.value += time.process_time() - since
                self.idle.set()
                time.sleep(FOLDING_INTERVAL)

    def pause(self) -> None:
        """Stop folding, and wait until the current run has ended."""
        self.go.clear()
        time.sleep(FOLDING_INTERVAL)
        self.idle.wait()

    def cpu(self) -> float:
        """Return the CPU seconds of its folding so far."""
        return float(self._cpu.value)


@contextmanager
def _folding_process(variables: Mapping[str, str]) -> Iterator[_Folder]:
    folder = _Folder(variables)
    process = multiprocessing.Process(target=folder.run, daemon=True)
    process.start()
    try:
        yield folder
    finally:
        process.terminate()
        process.join()


@dataclass(slots=True)
class _Side:
    """One side of the comparison: the rate of completions in each turn, and the CPU seconds of all three processes."""

    complete: CompleteCallTask
    rates: list[float] = field(default_factory=list)
    cpu: float = 0.0


def completions(
    started: Started,
    engine: Engine,
    clock: ServerClock,
    variables: Mapping[str, str],
    tasks_per_turn: int,
    progress: Callable[[str], None],
) -> Mapping[str, object]:
    """Measure, in turns, completions with folding in parallel, and completions that record nothing to fold."""
    manager, agent = _manager(started, engine), Actor(user_id=agent_ids()[0], role=Role.AGENT)
    tasks = iter(_tasks(started, engine, manager, agent, 2 * TURNS * tasks_per_turn))
    now, ids = started.unite.clock, started.unite.ids
    folding = _Side(CompleteCallTask(SqlUnitOfWorkFactory(engine), now, ids))
    without = _Side(CompleteCallTask(_WithoutFolding(engine), now, ids))
    with ThreadPoolExecutor(THREADS) as threads, _folding_process(variables) as folder:
        for turn in range(TURNS):
            for side in (folding, without) if turn % 2 else (without, folding):
                part = [next(tasks) for _ in range(tasks_per_turn)]
                before = time.process_time() + clock.read() + folder.cpu()
                if side is folding:
                    folder.go.set()
                side.rates.append(tasks_per_turn / _seconds(threads, side.complete, agent, part))
                folder.pause()
                side.cpu += time.process_time() + clock.read() + folder.cpu() - before
            progress(
                f"turn {turn + 1} of {TURNS}: {folding.rates[-1]:.0f}/s, without folding {without.rates[-1]:.0f}/s"
            )
    started.unite.reports.fold()
    pairs = [one / other for one, other in zip(folding.rates, without.rates, strict=True)]
    time_of_folding, time_without = (sum(1 / rate for rate in side.rates) for side in (folding, without))
    of_one = 1000 / (TURNS * tasks_per_turn)
    return {
        "completions of each turn": tasks_per_turn,
        "completions per second with folding beside them": [round(rate) for rate in folding.rates],
        "completions per second without": [round(rate) for rate in without.rates],
        "with / without, of each turn": [round(pair, 3) for pair in pairs],
        "with / without, of all turns": round(time_without / time_of_folding, 3),
        "CPU of a completion with folding, ms": round(folding.cpu * of_one, 2),
        "CPU of a completion without, ms": round(without.cpu * of_one, 2),
        "CPU without / with": round(without.cpu / folding.cpu, 3),
    }


def _manager(started: Started, engine: Engine) -> Actor:
    manager_id = started.unite.ids.new()
    manager = a_user(id=manager_id, email=f"{manager_id}@example.com", role=Role.MANAGER)
    with SqlUnitOfWorkFactory(engine)() as work:
        work.users.add(manager)
        work.commit()
    return Actor(user_id=manager.id, role=Role.MANAGER)


def _tasks(started: Started, engine: Engine, manager: Actor, agent: Actor, count: int) -> list[UUID]:
    """Add due tasks in one transaction, because their creation is not measured; return their ids."""
    unite = started.unite
    leads = [
        unite.leads.add(manager, NewLead(name="Lead", email=f"{unite.ids.new()}@example.org")) for _ in range(LEADS)
    ]
    with SqlUnitOfWorkFactory(engine)() as work:
        new = [_task(unite.ids, unite.clock, leads[it % len(leads)].id, manager, agent) for it in range(count)]
        for task in new:
            work.tasks.add(task)
        work.commit()
    return [task.id for task in new]


def _task(ids: Ids, clock: Clock, lead_id: UUID, manager: Actor, agent: Actor) -> CallTask:
    now = clock.now()
    return CallTask(
        id=ids.new(),
        lead_id=lead_id,
        assigned_to=agent.user_id,
        due_at=now + timedelta(hours=1),
        created_by=manager.user_id,
        created_at=now,
        updated_at=now,
    )


def _seconds(threads: ThreadPoolExecutor, complete: CompleteCallTask, agent: Actor, tasks: list[UUID]) -> float:
    connected = Completion(outcome=CallOutcome.CONNECTED, duration_seconds=60)
    since = time.perf_counter()
    for _ in threads.map(lambda task_id: complete(agent, CompletedCall(task_id=task_id, completion=connected)), tasks):
        pass
    return time.perf_counter() - since


def unfolded(
    started: Started, engine: Engine, clock: ServerClock, last: date, progress: Callable[[str], None]
) -> Mapping[str, object]:
    """Measure reports while entries are unfolded, and how fast these are folded.

    The entries are counted twice afterwards, so that measurements which need correct figures have to come before.
    """
    figures: dict[str, object] = {}
    reports = {"a day": ("daily", 1), "a month": ("insights", SPANS["month"])}
    for waiting in (0, *WAITING):
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO unfolded_entries SELECT id FROM"
                f" (SELECT id FROM call_ledger WHERE called_at < CURDATE() ORDER BY called_at DESC LIMIT {waiting}) l"
            )
        for label, (name, days) in reports.items():
            times = measure(report_request(started, name, MANAGER, last, days, "UTC"), clock)
            figures[f"{name} of {label} with {waiting} unfolded entries"] = times.shown()
            progress(f"{name} with {waiting} unfolded: {times.shown()}")
        since = time.perf_counter()
        folded = started.unite.reports.fold()
        if folded:
            figures[f"entries folded per second, of {folded}"] = round(folded / (time.perf_counter() - since))
    return figures


class _EnoughError(Exception):
    pass


def rebuild(started: Started, progress: Callable[[str], None]) -> Mapping[str, object]:
    """Measure how many days per second are rebuilt."""
    calls: list[int] = []

    def stop_after(progress: Rebuilt) -> None:
        calls.append(progress.calls)
        if progress.days == REBUILT_DAYS:
            raise _EnoughError

    since = time.perf_counter()
    with suppress(_EnoughError):
        started.unite.reports.rebuild(stop_after)
    seconds = time.perf_counter() - since
    progress(f"rebuilt {len(calls)} days in {seconds:.1f} s")
    return {
        "days rebuilt per second": round(len(calls) / seconds, 2),
        "calls of those days per second": round(calls[-1] / seconds),
    }

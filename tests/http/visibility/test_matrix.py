"""Tests of visibility: every operation, viewer and target at every stage, with status and all properties."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from adapters.sql.events.activity import SqlActivityLog
from adapters.sql.unit_of_work import Outbox, SqlUnitOfWorkFactory
from entrypoints.http.framework.operation_docs import Operation
from entrypoints.http.framework.operations import operation_of
from tests.databases import a_database
from tests.http.service import Service
from tests.http.visibility.policy import leads_others, markers, sees_lead, sees_task
from tests.http.visibility.rows import ROWS, Target
from tests.http.visibility.stages import STAGES
from tests.http.visibility.world import STRANGER, VIEWERS, First, World
from unite_core.identity.model import Role
from unite_core.notifications.subscriptions import BUILT_IN
from unite_core.testing.in_memory import FixedClock, InMemoryCache


def operations(world: World) -> dict[str, Operation]:
    """Every operation of the API by its name in the matrix; the lists of the pages are those of the API."""
    with world.service.app.app_context():
        return {
            f"{operation.method} {operation.path}": operation
            for endpoint in world.service.app.view_functions
            if (operation := operation_of(endpoint)) is not None and not operation.cookie
        }


class Matrix:
    """Fills the cells of one world, stage by stage, and counts them."""

    def __init__(self, world: World, *, restores: bool) -> None:
        self.world = world
        self.restores = restores
        self.counted: Counter[str] = Counter()
        self.faults: list[str] = []
        self.seen: set[str] = set()
        self.replays: dict[str, set[bool]] = {}

    def fill(self) -> None:
        known = operations(self.world)
        for stage in STAGES:
            stage(self.world)
            self.world.look_around()
            saved = self._save()
            self.judged = {viewer: [*markers(self.world, viewer)] for viewer in VIEWERS}
            for name, operation in known.items():
                for target in ROWS[name](self.world):
                    for viewer in VIEWERS if "/v1/" in name else (STRANGER,):
                        self._cell(stage.__name__, operation, viewer, target, saved)
            for first in [*self.world.firsts]:
                self._replay(stage.__name__, first)

    def _cell(self, stage: str, operation: Operation, viewer: str, target: Target, saved: Any) -> None:
        known = operation.public or viewer in self.world.active
        expected = target.status(self.world, viewer) if known else 401
        changes = operation.method != "GET" and expected < 400
        if operation.method != "GET" and not self.restores:
            return
        answer = self.world.persons[viewer].send(operation.method, target.path, **target.request)
        where = f"{stage}: {viewer} {operation.method} {target.path}"
        if answer.status_code != expected:
            self.faults.append(f"{where}: {answer.status_code}, not {expected}")
        self._scan(where, viewer, answer, f"{target.path} {target.request}")
        if changes:
            self._restore(saved)

    def _replay(self, stage: str, first: First) -> None:
        answer = self.world.persons[first.sender].post(
            first.path, headers={"Idempotency-Key": first.label}, **first.body
        )
        expected = self._status_of(first)
        given = answer.status_code < 400
        where = f"{stage}: {first.sender} repeats {first.label}"
        if (answer.status_code if not given else 200) != expected:
            self.faults.append(f"{where}: {answer.status_code}, not {expected}")
        if given and answer.headers.get("Idempotency-Replayed") != "true":
            self.faults.append(f"{where}: carried out again")
        self.replays.setdefault(first.operation, set()).add(given)
        self._scan(where, first.sender, answer, f"{first.path} {first.body}")

    def _status_of(self, first: First) -> int:
        """Whether the first answer is given again (200), by what it is about."""
        world, sender = self.world, first.sender
        kind, _, name = first.label.partition(" ")
        if sender not in world.active:
            return 401
        if kind in ("lead", "image", "picture"):
            return 200 if sees_lead(world, sender, world.leads[name]) else 404
        if kind in ("task", "note", "completion", "assignment", "cancellation", "correction"):
            if not sees_task(world, sender, world.tasks[name]):
                return 404
            managed = kind in ("assignment", "cancellation", "correction")
            return 403 if managed and not leads_others(world, sender) else 200
        if kind in ("user", "replayed"):
            return 200 if world.roles[sender] is Role.ADMIN else 403
        return 200 if kind == "password" or leads_others(world, sender) else 403

    def _scan(self, where: str, viewer: str, answer: TestResponse, asked: str) -> None:
        """Search the whole response, with headers, for every marker; the input may be repeated in it."""
        text = f"{answer.get_data(as_text=True)}\n{answer.headers}"
        self.counted["cells"] += 1
        if "/v1/" in where:
            self.counted["properties"] += len(re.findall(r'":|^[\w-]+: ', text, re.MULTILINE))
        for marker in self.judged[viewer]:
            self.counted["checks"] += 1
            if marker.text in text and marker.text not in asked:
                self.seen.add(marker.text)
                if not marker.visible:
                    self.faults.append(f"{where}: shows {marker.text}")

    def _save(self) -> Any:
        ports = self.world.service.ports
        store = ports.reads._store if self.restores else None
        return store, store._committed if store else None, dict(ports.files._contents)

    def _restore(self, saved: Any) -> None:
        """Undo what a cell changed, so that the next one finds the stage as it was."""
        store, committed, contents = saved
        store._committed = committed
        ports = self.world.service.ports
        ports.files._contents = dict(contents)
        assert isinstance(ports.cache, InMemoryCache)
        ports.cache._tickets.clear()


@pytest.fixture(scope="module")
def in_memory() -> Matrix:
    matrix = Matrix(World(Service()), restores=True)
    matrix.fill()
    return matrix


@pytest.fixture(scope="module")
def over_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    folder: Path = tmp_path_factory.mktemp("matrix")
    engine = a_database(folder)
    cache = InMemoryCache(FixedClock())
    service = Service(
        work=SqlUnitOfWorkFactory(engine, outbox=Outbox(BUILT_IN), cache=cache),
        reads=SqlUnitOfWorkFactory(engine, reading=True),
        activity=SqlActivityLog(engine),
        cache=cache,
    )
    matrix = Matrix(World(service), restores=False)
    matrix.fill()
    yield matrix
    engine.dispose()


def test_each_operation_has_a_row(in_memory: Matrix) -> None:
    assert operations(in_memory.world).keys() == ROWS.keys()


def test_each_operation_with_a_key_is_replayed(in_memory: Matrix) -> None:
    keyed = {name for name, operation in operations(in_memory.world).items() if operation.idempotent}

    assert in_memory.replays.keys() == keyed
    never_refused = {name for name, given in in_memory.replays.items() if given != {True, False}}
    assert never_refused == {"POST /v1/me/password"}


@pytest.mark.parametrize("world", ["in_memory", "over_sqlite"])
def test_no_response_shows_anything_that_the_viewer_may_not_see(world: str, request: pytest.FixtureRequest) -> None:
    matrix: Matrix = request.getfixturevalue(world)

    # Over SQLite the reads and the repeated requests alone: what a cell changes cannot be undone there.
    minimum = {"cells": 12_500, "properties": 300_000} if matrix.restores else {"cells": 6_000, "properties": 200_000}
    assert {name: count for name, count in minimum.items() if matrix.counted[name] < count} == {}
    assert matrix.faults == []


@pytest.mark.parametrize("world", ["in_memory", "over_sqlite"])
def test_each_marker_is_seen_by_a_permitted_viewer(world: str, request: pytest.FixtureRequest) -> None:
    matrix: Matrix = request.getfixturevalue(world)

    assert {marker.text for marker in markers(matrix.world, STRANGER)} - matrix.seen == set()

"""A request whose transaction gave way to another is carried out all the same."""

from typing import Any

import pytest

from tests.http.service import Service, problem
from unite_core.errors import Contended
from unite_core.races import MOST_RACES
from unite_core.testing.in_memory import InMemoryUnitOfWork, InMemoryWork, Store
from unite_core.unit_of_work import UNFINISHED, BeforeCommit


class _ContendedWork(InMemoryWork):
    """Gives way to somebody else, `times` times, once there is a lead to be stored."""

    def __init__(
        self, store: Store, hooks: tuple[BeforeCommit, ...] = (), race: "_ContendedWork | None" = None
    ) -> None:
        super().__init__(store, hooks=hooks)
        self.race = race or self
        self.times = 0

    def __call__(self) -> InMemoryUnitOfWork:
        return _Contended(self._store, self._hooks, race=self.race)

    def before_commit(self, hook: BeforeCommit) -> "_ContendedWork":
        return _ContendedWork(self._store, (*self._hooks, hook), self.race)


class _Contended(InMemoryUnitOfWork):
    def __init__(self, store: Store, hooks: tuple[BeforeCommit, ...], *, race: _ContendedWork) -> None:
        super().__init__(store, hooks)
        self._race = race

    def commit(self, result: object = UNFINISHED) -> None:
        if self._tables.leads and self._race.times > 0:
            self._race.times -= 1
            raise Contended("Somebody else was quicker.")
        super().commit(result)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def work(store: Store) -> _ContendedWork:
    return _ContendedWork(store)


@pytest.fixture
def service(store: Store, work: _ContendedWork) -> Service:
    return Service(work=work, reads=InMemoryWork(store, writes=False))


LEAD: dict[str, Any] = {"name": "Grace Hopper", "phone": "+12125550123"}


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}], ids=["without a key", "with a key"])
def test_a_request_that_gave_way_is_carried_out_once(
    service: Service, work: _ContendedWork, headers: dict[str, str]
) -> None:
    ann = service.admin()
    work.times = MOST_RACES - 1

    answer = ann.post("/v1/leads", json=LEAD, headers=headers)

    assert answer.status_code == 201
    assert len(ann.get("/v1/leads").get_json()["items"]) == 1
    assert work.times == 0


def test_one_that_gives_way_again_and_again_is_told_to_come_back(service: Service, work: _ContendedWork) -> None:
    ann = service.admin()
    work.times = MOST_RACES

    answer = ann.post("/v1/leads", json=LEAD)

    assert problem(answer) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 0
    assert ann.get("/v1/leads").get_json()["items"] == []

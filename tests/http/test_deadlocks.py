"""Tests of requests whose transaction loses a deadlock: they are retried."""

from typing import Any

import pytest

from tests.http.contended import ContendedWork
from tests.http.service import Service, problem
from unite_core.deadlocks import MAX_TRANSACTION_ATTEMPTS
from unite_core.testing.in_memory import InMemoryUnitOfWorkFactory, Store


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def work(store: Store) -> ContendedWork:
    return ContendedWork(store)


@pytest.fixture
def service(store: Store, work: ContendedWork) -> Service:
    return Service(work=work, reads=InMemoryUnitOfWorkFactory(store, writes=False))


LEAD: dict[str, Any] = {"name": "Grace Hopper", "phone": "+12125550123"}


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}], ids=["without a key", "with a key"])
def test_a_request_that_loses_deadlocks_is_performed_once(
    service: Service, work: ContendedWork, headers: dict[str, str]
) -> None:
    ann = service.admin()
    work.times = MAX_TRANSACTION_ATTEMPTS - 1

    answer = ann.post("/v1/leads", json=LEAD, headers=headers)

    assert answer.status_code == 201
    assert len(ann.get("/v1/leads").get_json()["items"]) == 1
    assert work.times == 0


def test_a_request_that_loses_every_deadlock_is_503_with_retry_after(service: Service, work: ContendedWork) -> None:
    ann = service.admin()
    work.times = MAX_TRANSACTION_ATTEMPTS

    answer = ann.post("/v1/leads", json=LEAD)

    assert problem(answer) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 0
    assert ann.get("/v1/leads").get_json()["items"] == []

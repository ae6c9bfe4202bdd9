"""Quotas hold while many ask at the same time, on SQLite and on MySQL or MariaDB."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from adapters.sql.unit_of_work import Outbox, SqlWork
from tests.databases import a_database
from unite_core import Quotas, Role, Rules, Unite, build
from unite_core.notifications.model import ACTIVITY, RATE_LIMITED, TEXTS
from unite_core.testing.builders import a_user, an_event
from unite_core.testing.contracts.database import at_once, put
from unite_core.testing.in_memory import InMemoryPorts, in_memory_ports

MANY = 20
FEW = 5


@pytest.fixture(params=["sqlite", "mysql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    engine: Engine = a_database(tmp_path) if request.param == "sqlite" else request.getfixturevalue("mysql_engine")
    yield engine
    engine.dispose()


@pytest.fixture
def ports(engine: Engine) -> InMemoryPorts:
    outbox = Outbox(destinations=(ACTIVITY, TEXTS))
    return in_memory_ports(work=SqlWork(engine, outbox=outbox), reads=SqlWork(engine, reading=True))


@pytest.fixture
def unite(ports: InMemoryPorts) -> Unite:
    return build(ports, Rules(quotas=Quotas(texts_per_number=FEW)))


def test_many_relays_at_once_send_no_more_texts_to_one_number(ports: InMemoryPorts, unite: Unite) -> None:
    ann = a_user(role=Role.AGENT, phone="+12125550102")
    put(ports.work, ann)
    texts = unite.notifications.relay.destinations[TEXTS]
    data = {"assigned_to": str(ann.id), "lead_name": "Grace", "due_at": "2026-03-02T09:30:00Z"}
    events = [an_event(type="call_task.assigned", data=data) for _ in range(MANY)]

    receipts = at_once(MANY, lambda number: texts.deliver([events[number]])[0])

    assert sum(receipt.taken for receipt in receipts) == len(ports.texts.sent) == FEW
    assert [it.response for it in receipts if it.skipped] == [{"reason": RATE_LIMITED}] * (MANY - FEW)

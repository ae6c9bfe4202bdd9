"""Tests of the connection to MongoDB: lazy, shared by threads, and with timeouts, retries and a circuit breaker."""

import multiprocessing
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import AutoReconnect, NetworkTimeout, OperationFailure, ServerSelectionTimeoutError

from adapters.mongo.activity import MongoActivityLog
from adapters.mongo.connection import DEFAULT_DATABASE, POLICY, Mongo
from adapters.outbound import CallPolicy, CallTimeouts
from tests.service_process import eventually, free_port
from unite_core.errors import Unavailable
from unite_core.paging import PageRequest
from unite_core.testing.builders import an_event, an_id
from unite_core.testing.contracts.database import run_concurrently
from unite_core.testing.in_memory import A_MONDAY_MORNING

SHORT = timedelta(milliseconds=100)
LONG = timedelta(minutes=10)


def short_timeout_policy(**changes: Any) -> CallPolicy:
    """Waits a tenth of a second for anything; its breaker stays open for longer than any test takes."""
    timeouts = CallTimeouts(connect=SHORT, read=SHORT)
    return replace(POLICY, **{"timeouts": timeouts, "recovery_timeout": LONG, **changes})


@pytest.fixture
def nobody() -> Iterator[Mongo]:
    """A MongoDB that is not there."""
    mongo = Mongo(f"mongodb://127.0.0.1:{free_port()}/unite", short_timeout_policy(failure_threshold=2))
    yield mongo
    mongo.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server that lets clients in and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def address_of(listener: socket.socket) -> str:
    return f"mongodb://127.0.0.1:{listener.getsockname()[1]}/unite"


def test_nothing_is_connected_before_the_first_call(listener: socket.socket) -> None:
    mongo = Mongo(address_of(listener), short_timeout_policy())
    log = MongoActivityLog(mongo)

    assert [*log.deliver([])] == []
    assert (mongo.breaker_state, log.purge(before=A_MONDAY_MORNING, limit=1)) == ("closed", 0)

    with pytest.raises(BlockingIOError):
        listener.accept()
    mongo.close()


def test_a_server_that_does_not_respond_times_out(listener: socket.socket) -> None:
    mongo = Mongo(address_of(listener), short_timeout_policy())

    with pytest.raises(Unavailable, match="ServerSelectionTimeoutError"):
        mongo.ping()

    listener.accept()[0].close()  # somebody had come in
    mongo.close()


def test_a_closed_connection_is_opened_again_by_the_next_call(mongo: Mongo) -> None:
    mongo.ping()
    mongo.close()
    mongo.close()

    mongo.ping()


@pytest.mark.parametrize(("path", "name"), [("", DEFAULT_DATABASE), ("/", DEFAULT_DATABASE), ("/other", "other")])
def test_the_url_names_the_database(mongodb_url: str, path: str, name: str) -> None:
    mongo = Mongo(mongodb_url.rpartition("/")[0] + path)

    assert mongo.call(lambda database: database.name) == name
    mongo.close()


def test_a_write_is_acknowledged_only_after_a_majority_has_stored_it(mongo: Mongo) -> None:
    written = mongo.call(lambda database: database.write_concern.document)

    assert written == {"w": "majority", "j": True, "wtimeout": 5000}


def test_concurrent_threads_share_the_connection_pool(mongo: Mongo) -> None:
    clients = run_concurrently(8, lambda _: mongo.call(lambda database: database.client))

    assert {id(client) for client in clients} == {id(clients[0])}


def test_a_forked_process_opens_its_own_connections(mongo: Mongo) -> None:
    log = MongoActivityLog(mongo)
    before, within, after = (an_event(lead_ids=(lead_id,)) for lead_id in [an_id()] * 3)
    log.deliver([before])

    child = multiprocessing.get_context("fork").Process(target=log.deliver, args=([within],))
    child.start()
    child.join()
    log.deliver([after])

    assert child.exitcode == 0
    assert [*log.of_lead(before.lead_ids[0], PageRequest()).items] == [after, within, before]


class TestUnreachableMongodb:
    def test_every_call_raises_unavailable(self, nobody: Mongo) -> None:
        log = MongoActivityLog(nobody)

        for ask in (
            nobody.ping,
            log.prepare,
            lambda: log.deliver([an_event()]),
            lambda: log.of_lead(an_id(), PageRequest()),
            lambda: log.of_import(an_id(), PageRequest()),
        ):
            with pytest.raises(Unavailable):
                ask()

    def test_the_server_selection_times_out(self, nobody: Mongo) -> None:
        with pytest.raises(Unavailable, match="ServerSelectionTimeoutError") as raised:
            nobody.ping()

        assert isinstance(raised.value.__cause__, ServerSelectionTimeoutError)
        assert "127.0.0.1" not in raised.value.detail

    def test_the_circuit_breaker_opens_after_some_failures(self, nobody: Mongo) -> None:
        states = []
        for _ in range(3):
            with pytest.raises(Unavailable) as raised:
                nobody.ping()
            states.append((nobody.breaker_state, raised.value.__cause__ is None))

        # The third question was not asked any more.
        assert states == [("closed", False), ("open", False), ("open", True)]

    def test_the_circuit_breaker_tries_again_after_its_recovery_timeout(self) -> None:
        mongo = Mongo(
            f"mongodb://127.0.0.1:{free_port()}/unite",
            short_timeout_policy(failure_threshold=1, recovery_timeout=SHORT),
        )
        with pytest.raises(Unavailable):
            mongo.ping()

        eventually(lambda: mongo.breaker_state == "half_open", "the rest is over")

        with pytest.raises(Unavailable, match="ServerSelectionTimeoutError"):
            mongo.ping()
        assert mongo.breaker_state == "open"
        mongo.close()


def test_a_timeout_is_not_retried(mongo: Mongo) -> None:
    asked = []

    def ask(_: Database[dict[str, Any]]) -> None:
        asked.append("once")
        raise NetworkTimeout("timed out")

    with pytest.raises(Unavailable, match="NetworkTimeout"):
        mongo.call(ask)

    assert asked == ["once"]


def test_a_fast_failure_is_retried_up_to_two_times(mongo: Mongo) -> None:
    asked: list[str] = []

    def fails(times: int) -> str:
        asked.append("")
        if len(asked) <= times:
            raise AutoReconnect("connection closed")
        return "an answer"

    assert mongo.call(lambda _: fails(2)) == "an answer"
    asked.clear()
    with pytest.raises(Unavailable, match="AutoReconnect"):
        mongo.call(lambda _: fails(3))
    assert len(asked) == 3


def test_an_error_names_the_error_code_of_mongodb(mongo: Mongo) -> None:
    with pytest.raises(Unavailable, match=r"\(OperationFailure 59\)") as raised:
        mongo.call(lambda database: database.command("no such command"))

    assert isinstance(raised.value.__cause__, OperationFailure)


def test_an_error_of_our_own_is_raised_unchanged_and_does_not_open_the_breaker(mongo: Mongo) -> None:
    for _ in range(9):
        with pytest.raises(ZeroDivisionError):
            mongo.call(lambda _: 1 / 0)

    assert mongo.breaker_state == "closed"

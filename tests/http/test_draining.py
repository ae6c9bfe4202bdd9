"""Tests of draining: a stopping server serves for a while but is not ready, so that a load balancer moves on."""

from threading import Event

import pytest

from entrypoints.http.config import HealthCheck
from tests.http.served import TIMEOUT, Served, running, split
from tests.http.service import Service
from tests.service_process import eventually

GET = b"GET /x HTTP/1.1\r\nHost: unite\r\nConnection: close\r\n\r\n"
AN_HOUR = 3600


def refuses_connections(served: Served) -> bool:
    try:
        served.connect().close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_draining_server_accepts_connections_until_its_time_is_over() -> None:
    draining = Event()
    with running(draining=draining, drain_seconds=1) as stopping:
        stopping.stop()
        assert draining.wait(TIMEOUT)

        ((status, _, _),) = split(stopping.exchange(GET))

        assert status == 200
        eventually(lambda: refuses_connections(stopping), "it takes no connection any more", TIMEOUT)


def test_a_second_interrupt_ends_the_draining() -> None:
    draining = Event()
    with running(draining=draining, drain_seconds=AN_HOUR) as stopping:
        stopping.stop()
        assert draining.wait(TIMEOUT)

        stopping.server.force_exit = True

        eventually(lambda: refuses_connections(stopping), "it takes no connection any more", TIMEOUT)


def test_a_draining_process_is_alive_but_not_ready_and_checks_no_dependency() -> None:
    service = Service(checks={"database": HealthCheck(lambda: pytest.fail("the database is asked"))})
    service.http_config.draining.set()

    ready = service.stranger.get("/health/ready")

    assert ready.status_code == 503
    assert "Retry-After" in ready.headers
    assert ready.get_json() == {
        "status": "down",
        "checks": {"shutdown": {"status": "down", "latency_ms": 0}},
        "dead_letters": None,
    }
    assert service.stranger.get("/health/live").status_code == 200

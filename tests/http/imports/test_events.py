"""Tests of the server-sent events of an import."""

import json
from collections.abc import Callable, Collection
from typing import Any

import pytest
from werkzeug.test import TestResponse

from entrypoints.http.imports.events import EventStreams
from tests.http.imports.scenario import (
    IMPORTS,
    TWO_LEADS,
    import_file,
    import_scenario,
    json_of,
    run_one_chunk,
    upload_file,
)
from tests.http.service import HttpScenario, Person
from unite_core.errors import Unavailable
from unite_core.testing.in_memory import InMemoryUnitOfWorkFactory, Store
from unite_core.unit_of_work import UnitOfWorkFactory

MANY = b"Name,Phone\n" + b"".join(b"Lead %d,+1212%07d\n" % (number, 2_000_000 + number) for number in range(3000))


@pytest.fixture
def coming(scenario: HttpScenario) -> str:
    """The id of an import of 3,000 rows, two chunks, that waits for a worker."""
    return str(json_of(upload_file(scenario.manager, MANY))["id"])


def follow(scenario: HttpScenario, import_id: str, person: Person | None = None, **headers: str) -> TestResponse:
    return (person or scenario.manager).get(
        f"{IMPORTS}/{import_id}/events", {name.replace("_", "-"): value for name, value in headers.items()}
    )


def while_waiting(scenario: HttpScenario, do: Callable[[], object], maximum: int = 2) -> list[float]:
    """Call `do` whenever a stream pauses; the returned list collects the seconds of the pauses."""
    waits: list[float] = []

    def pause(seconds: float) -> bytes:
        waits.append(seconds)
        do()
        return b""

    scenario.service.app.extensions["event_streams"] = EventStreams(maximum, pause)
    return waits


def events(response: TestResponse) -> list[dict[str, Any]]:
    """The events of a stream that has ended, each with its id, name and data."""
    parsed = []
    for block in response.text.split("\n\n"):
        lines = [line.partition(": ") for line in block.splitlines()]
        received = {name: value for name, _, value in lines if name in ("id", "event", "data")}
        if received:
            parsed.append({**received, "data": json.loads(received["data"])})
    return parsed


def test_an_event_is_sent_at_once_and_at_every_change_until_the_end(scenario: HttpScenario, coming: str) -> None:
    waits = while_waiting(scenario, lambda: run_one_chunk(scenario, coming))

    response = follow(scenario, coming)

    received = events(response)
    done = json_of(scenario.manager.get(f"{IMPORTS}/{coming}"))
    assert response.status_code == 200
    assert [event["event"] for event in received] == ["progress"] * (len(received) - 1) + ["end"]
    assert [event["data"]["counts"]["created"] for event in received] == [0, 2000, 3000, 3000, 3000]
    assert [event["id"] for event in received[:-1]] == [str(event["data"]["version"]) for event in received[:-1]]
    assert received[-1]["id"] == f"{done['version']}-end"
    assert received[-1]["data"] == received[-2]["data"] == done
    assert waits == [0.5] * len(waits)


def test_the_stream_has_its_content_type_and_is_not_cached(scenario: HttpScenario) -> None:
    done = import_file(scenario.manager, TWO_LEADS)

    response = follow(scenario, done["id"])

    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert response.text.startswith("retry: 2000\n\n")


def test_an_ended_import_sends_one_event_and_the_stream_closes(scenario: HttpScenario) -> None:
    done = import_file(scenario.manager, TWO_LEADS)

    received = events(follow(scenario, done["id"]))

    assert [(event["event"], event["data"]["status"]) for event in received] == [
        ("progress", "completed"),
        ("end", "completed"),
    ]


def test_a_reconnecting_client_does_not_get_its_last_event_again(scenario: HttpScenario) -> None:
    done = import_file(scenario.manager, TWO_LEADS)

    current = events(follow(scenario, done["id"], Last_Event_ID=str(done["version"])))
    behind = events(follow(scenario, done["id"], Last_Event_ID="1"))

    assert [event["event"] for event in current] == ["end"]
    assert [event["event"] for event in behind] == ["progress", "end"]


def test_a_client_that_has_received_the_last_event_gets_204(scenario: HttpScenario) -> None:
    done = import_file(scenario.manager, TWO_LEADS)
    last = events(follow(scenario, done["id"]))[-1]["id"]

    again = follow(scenario, done["id"], Last_Event_ID=last)

    assert (again.status_code, again.data) == (204, b"")


def test_an_idle_stream_sends_a_keep_alive_every_five_seconds(scenario: HttpScenario, coming: str) -> None:
    waits = while_waiting(scenario, lambda: None)
    response = follow(scenario, coming)
    stream = filter(None, response.iter_encoded())
    list(zip(range(2), stream, strict=False))

    third, waited = next(stream), sum(waits)
    fourth = next(stream)
    response.close()

    assert third == fourth
    assert third.startswith(b":")
    assert waited == 5
    assert sum(waits) == 10


def test_a_stream_is_closed_after_ten_minutes(scenario: HttpScenario, coming: str) -> None:
    waits = while_waiting(scenario, lambda: None)

    received = events(follow(scenario, coming))

    assert [event["event"] for event in received] == ["progress"]
    assert sum(waits) == 600
    assert len(scenario.service.app.extensions["event_streams"]) == 0


class BreakableReads(UnitOfWorkFactory[Any]):
    """Reads through `work` until it is broken."""

    def __init__(self, work: InMemoryUnitOfWorkFactory) -> None:
        self.work = work
        self.broken = False

    @property
    def store(self) -> object:
        return self.work.store

    @property
    def destinations(self) -> Collection[str]:
        return self.work.destinations

    def __call__(self) -> Any:
        if self.broken:
            raise Unavailable("The database does not answer.")
        return self.work()

    def break_down(self) -> None:
        self.broken = True


def test_a_stream_is_closed_when_the_import_can_no_longer_be_read() -> None:
    work = InMemoryUnitOfWorkFactory(Store())
    reads = BreakableReads(work)
    scenario = import_scenario(work=work, reads=reads)
    coming = json_of(upload_file(scenario.manager, TWO_LEADS))
    while_waiting(scenario, reads.break_down)

    response = follow(scenario, coming["id"])

    assert [event["event"] for event in events(response)] == ["progress"]
    assert len(scenario.service.app.extensions["event_streams"]) == 0


def test_a_stream_yields_at_every_poll_so_that_the_server_notices_a_lost_client(
    scenario: HttpScenario, coming: str
) -> None:
    waits = while_waiting(scenario, lambda: None)
    response = follow(scenario, coming)
    stream = response.iter_encoded()
    list(zip(range(2), stream, strict=False))

    empty = [next(stream) for _ in range(5)]
    response.close()

    assert empty == [b""] * 5
    assert len(waits) == 5


def log_out(scenario: HttpScenario) -> None:
    scenario.manager.post("/v1/auth/logout")


def deactivate(scenario: HttpScenario) -> None:
    update_user(scenario, active=False)


def demote(scenario: HttpScenario) -> None:
    update_user(scenario, role="agent")


def update_user(scenario: HttpScenario, **changes: Any) -> None:
    path = f"/v1/users/{scenario.manager.user.id}"
    assert scenario.admin.patch(path, json=changes).status_code == 200


@pytest.mark.parametrize("end", [log_out, deactivate, demote])
def test_a_stream_is_closed_when_the_user_loses_the_permission(
    scenario: HttpScenario, coming: str, end: Callable[[HttpScenario], None]
) -> None:
    waits = while_waiting(scenario, lambda: end(scenario))

    received = events(follow(scenario, coming))

    assert [event["event"] for event in received] == ["progress"]
    assert len(waits) == 1
    assert len(scenario.service.app.extensions["event_streams"]) == 0


class TestPlacesForStreams:
    def test_a_user_may_have_three_streams(self, scenario: HttpScenario, coming: str) -> None:
        while_waiting(scenario, lambda: None, maximum=5)
        open_ones = [follow(scenario, coming) for _ in range(3)]

        refused = follow(scenario, coming)
        somebody_elses = follow(scenario, coming, scenario.admin)

        assert (refused.status_code, json_of(refused)["code"]) == (503, "too_many_streams")
        assert "3" in json_of(refused)["detail"]
        assert somebody_elses.status_code == 200
        for each in (*open_ones, somebody_elses):
            each.close()
        assert len(scenario.service.app.extensions["event_streams"]) == 0

    def test_further_streams_are_refused_with_retry_after(self, scenario: HttpScenario, coming: str) -> None:
        open_ones = [follow(scenario, coming) for _ in range(2)]

        refused = follow(scenario, coming)

        assert len(scenario.service.app.extensions["event_streams"]) == 2
        assert (refused.status_code, json_of(refused)["code"]) == (503, "too_many_streams")
        assert int(refused.headers["Retry-After"]) > 0
        for each in open_ones:
            each.close()

    def test_a_disconnected_client_releases_its_place(self, scenario: HttpScenario, coming: str) -> None:
        while_waiting(scenario, lambda: None, maximum=1)
        unread, read = follow(scenario, coming), None
        unread.close()
        read = follow(scenario, coming)
        next(read.iter_encoded())
        read.close()

        assert len(scenario.service.app.extensions["event_streams"]) == 0
        assert follow(scenario, coming).status_code == 200

    def test_a_stream_that_ends_releases_its_place(self, scenario: HttpScenario) -> None:
        done = import_file(scenario.manager, TWO_LEADS)

        followed = [events(follow(scenario, done["id"])) for _ in range(3)]

        assert all(followed)
        assert len(scenario.service.app.extensions["event_streams"]) == 0

    def test_a_head_request_takes_no_place(self, scenario: HttpScenario, coming: str) -> None:
        asked = scenario.manager.send("HEAD", f"{IMPORTS}/{coming}/events")

        assert (asked.status_code, asked.mimetype) == (200, "text/event-stream")
        assert len(scenario.service.app.extensions["event_streams"]) == 0

    def test_a_failed_request_takes_no_place(self, scenario: HttpScenario, coming: str) -> None:
        follow(scenario, "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f")
        scenario.service.stranger.get(f"{IMPORTS}/{coming}/events")

        assert len(scenario.service.app.extensions["event_streams"]) == 0

"""Tests of a further destination of events in a complete installation, and of links to the API."""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from adapters.redis.connection import RedisServer
from entrypoints.api_links import ApiLinks
from entrypoints.bootstrap import OPERATOR, Started, StartRefused, start
from entrypoints.bootstrap.destinations import FURTHER, by_variable
from entrypoints.http.app import create_app
from entrypoints.http.process import http_config_of
from entrypoints.settings import Settings, read_settings
from unite_core import Actor, NewLead, NewUser, Role
from unite_core.errors import Unavailable
from unite_core.events import Event
from unite_core.notifications.model import DeliveryStatus, Receipt
from unite_core.notifications.ports import DeliveryFilter, Destination
from unite_core.notifications.subscriptions import Subscription
from unite_core.paging import PageRequest
from unite_core.testing.contracts import DestinationContract


class JsonLines(Destination):
    """Writes each new lead as a line of JSON to a file."""

    def __init__(self, path: Path) -> None:
        self.subscription = Subscription(name="lines", accepts=lambda event: event.type == "lead.created")
        self.path = path

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002 - it knows by itself what it has
        if not self.path.parent.is_dir():
            raise Unavailable("The folder of the lines is gone.")
        known = self.ids()
        with self.path.open("a", encoding="utf-8") as lines:
            for event in events:
                if self.subscription.accepts(event) and event.id not in known:
                    lines.write(json.dumps({"id": str(event.id), "type": event.type}) + "\n")
        return [Receipt(accepted=it, skipped=not it) for it in map(self.subscription.accepts, events)]

    def ping(self) -> None:
        if not self.path.parent.is_dir():
            raise Unavailable("The folder of the lines is gone.")

    def ids(self) -> list[UUID]:
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        return [UUID(json.loads(line)["id"]) for line in lines]


@contextmanager
def folder_gone(folder: Path) -> Iterator[None]:
    elsewhere = folder.rename(folder.with_name("elsewhere"))
    yield
    elsewhere.rename(folder)


class TestJsonLines(DestinationContract):
    @pytest.fixture
    def destination(self, lines: JsonLines) -> JsonLines:
        return lines

    @pytest.fixture
    def outage(self, lines: JsonLines) -> AbstractContextManager[None]:
        return folder_gone(lines.path.parent)

    def received(self, destination: Destination, events: Sequence[Event]) -> Sequence[UUID]:
        assert isinstance(destination, JsonLines)
        known = {event.id for event in events}
        return [event_id for event_id in destination.ids() if event_id in known]


def settings_of(tmp_path: Path, **variables: str) -> Settings:
    return read_settings({"UNITE_DATA_DIR": str(tmp_path / "var"), **variables})


@pytest.fixture
def lines(tmp_path: Path) -> JsonLines:
    (tmp_path / "out").mkdir()
    return JsonLines(tmp_path / "out" / "events.jsonl")


@pytest.fixture
def started(tmp_path: Path, lines: JsonLines) -> Iterator[Started]:
    with start(settings_of(tmp_path), further=(lambda _: lines, lambda _: None)) as started:
        yield started


def create_lead(started: Started) -> None:
    new = NewUser(email="ann@unite.example", name="Ann", role=Role.ADMIN, password="correct horse battery")
    admin = Actor(user_id=started.unite.identity.create_user(OPERATOR, new).id, role=Role.ADMIN)
    started.unite.leads.add(admin, NewLead(name="Grace Hopper", email="grace@example.com"))


def test_its_events_are_recorded_and_delivered(started: Started, lines: JsonLines) -> None:
    notifications = started.unite.notifications
    assert notifications.destinations == ("activity", "topic", "texts", "lines")
    create_lead(started)

    assert notifications.relay("lines").delivered == 1

    filters = DeliveryFilter(destination="lines")
    (delivery,) = notifications.list_deliveries(OPERATOR, filters, PageRequest()).items
    assert delivery.status is DeliveryStatus.DELIVERED
    assert lines.ids() == [delivery.event_id]


def test_its_health_is_checked_but_not_required(started: Started, lines: JsonLines) -> None:
    checks = http_config_of(started).checks
    checks["lines"].run()
    lines.path.parent.rmdir()

    with pytest.raises(Unavailable):
        checks["lines"].run()
    assert not checks["lines"].required


def test_it_has_its_own_queue_in_redis(tmp_path: Path, lines: JsonLines, redis_url: str) -> None:
    settings = settings_of(tmp_path, UNITE_REDIS_URL=redis_url)

    with start(settings, further=(lambda _: lines,)) as started:
        create_lead(started)

    server = RedisServer(redis_url)
    queues = server.call(lambda redis: redis.smembers("rq:queues"))
    server.close()
    assert b"rq:queue:events-lines" in queues


def test_without_a_setting_there_is_no_further_destination(tmp_path: Path) -> None:
    assert [make(settings_of(tmp_path)) for make in FURTHER] == [None] * len(FURTHER)


def test_a_variable_creates_a_destination_or_refuses_the_start(tmp_path: Path, lines: JsonLines) -> None:
    def make(value: str) -> Destination:
        if value != "here":
            raise ValueError("is not here")
        return lines

    factory = by_variable("UNITE_LINES", make)
    settings = settings_of(tmp_path)

    assert factory(settings) is None
    assert factory(replace(settings, destinations={"UNITE_LINES": "here"})) is lines
    with pytest.raises(StartRefused, match="UNITE_LINES: is not here"):
        factory(replace(settings, destinations={"UNITE_LINES": "there"}))


def test_links_match_operations_of_the_api(started: Started) -> None:
    routes = create_app(started.unite, http_config_of(started)).url_map.bind("unite.example")
    links = ApiLinks("https://unite.example/api")
    some_id = "0195568a-ed40-7000-8000-000000000000"

    for link, argument in ((links.of_call_task(some_id), "task_id"), (links.of_import(some_id), "import_id")):
        path = link.removeprefix("https://unite.example/api")
        _, arguments = routes.match(path, method="GET")
        assert arguments == {argument: UUID(some_id)}

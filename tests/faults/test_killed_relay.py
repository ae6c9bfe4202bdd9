"""A relay is killed between handing an event over and writing down that it has, again and again."""

import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from entrypoints.bootstrap import OPERATOR, Started, start
from entrypoints.settings import read_settings
from tests.adapters.aws.moto import access_to
from tests.adapters.aws.topics import ListenedTo, listened_to
from tests.servers.twilio import TwilioStandIn, a_stand_in
from tests.service_process import TIMEOUT, Service, environment, eventually, spawn
from unite_core import NewLead, NewUser, PageRequest, Role
from unite_core.calls.model import CallOutcome, Completion
from unite_core.calls.use_cases import CompletedCall, NewCallTask
from unite_core.notifications.model import CLAIM_TTL, TEXTS, TOPIC, Delivery
from unite_core.notifications.ports import DeliveryFilter
from unite_core.testing.builders import acting
from unite_core.testing.in_memory import FixedClock

CALLS = 5
TEXTS_SENT = 2 * CALLS
"""For each the agent is told that it is theirs, and the manager what came of it. A relay claims as many at once."""

TOPIC_TOLD = 3 * CALLS
"""Of each the topic hears that it is planned, whose it is, and what came of it. The first portion is ten of them."""

KILLS = 3


@dataclass
class Installation:
    """Unite with Twilio and a topic, as this process has it open, and as others find it by its settings."""

    one: Service
    twilio: TwilioStandIn
    topic: ListenedTo
    started: Started

    def killed(self, destination: str, *, after: int, times_before: int) -> None:
        """Have a relay die after that many portions; what those before it held is free again by its clock."""
        ahead = str(int(CLAIM_TTL.total_seconds()) * times_before)
        command = ["tests.faults.crashing_worker", "relay", destination, str(after), ahead]
        environ = environment(self.one.folder, **self.one.settings)
        with TemporaryFile() as output:
            assert spawn(command, self.one.folder, environ, output=output).wait(TIMEOUT) == -signal.SIGKILL

    def relay(self, destination: str, *, times_before: int) -> int:
        """Relay to the end; how many were delivered."""
        relay = self.started.unite.notifications.relay
        later = FixedClock(relay.clock.now() + CLAIM_TTL * times_before)
        return replace(relay, clock=later)(destination).delivered

    def complete_calls(self) -> None:
        """Have an agent complete calls for a manager."""
        unite = self.started.unite
        manager = acting(unite.identity.create_user.unchecked(a_user("mo", Role.MANAGER, "+12025550143")))
        agent = acting(unite.identity.create_user.unchecked(a_user("amy", Role.AGENT, "+12025550144")))
        for number in range(CALLS):
            lead = unite.leads.add(manager, NewLead(name=f"Lead {number}", email=f"lead{number}@example.com"))
            task = unite.calls.create(
                manager, NewCallTask(lead_id=lead.id, due_at=datetime.now(UTC), assigned_to=agent.user_id)
            ).task
            made = Completion(outcome=CallOutcome.CONNECTED, duration_seconds=60)
            unite.calls.complete(agent, CompletedCall(task_id=task.id, completion=made))

    def deliveries(self, destination: str) -> Sequence[Delivery]:
        filters = DeliveryFilter(destination=destination)
        return self.started.unite.notifications.list_deliveries(OPERATOR, filters, PageRequest(limit=200)).items

    def statuses(self, destination: str) -> Counter[str]:
        return Counter(it.status.value for it in self.deliveries(destination))

    def requests_to_twilio(self) -> int:
        """How often Twilio was asked to send something."""
        return self.twilio.requests()["POST"]

    def once_each(self, destination: str) -> Counter[str]:
        """Every delivery there, once."""
        return Counter(str(it.id) for it in self.deliveries(destination))

    def sent(self) -> Counter[str]:
        """How many messages Twilio has of each delivery."""
        return self.twilio.messages_by_delivery()


def a_user(name: str, role: Role, phone: str | None) -> NewUser:
    return NewUser(email=f"{name}@example.com", name=name, role=role, password="correct horse battery", phone=phone)


@pytest.fixture(params=["SQLite", "MySQL"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    on_mysql = request.param == "MySQL"
    return {"UNITE_DATABASE_URL": request.getfixturevalue("mysql_database")} if on_mysql else {}


@pytest.fixture
def unite(
    tmp_path: Path, database: dict[str, str], aws_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    with ExitStack() as stack:
        one = Service(tmp_path, command=("entrypoints", "serve", "--no-worker"))
        twilio = stack.enter_context(a_stand_in(public_url=one.url))
        topic = listened_to(access_to(aws_url))
        one.settings = {
            **database,
            **twilio.settings,
            **topic.settings,
            "UNITE_PUBLIC_URL": one.url,
        }
        stack.callback(one.kill_all)
        for name, value in topic.settings.items():
            monkeypatch.setenv(name, value)  # the library of AWS looks for keys there alone
        started = stack.enter_context(start(read_settings(environment(tmp_path, **one.settings))))
        yield Installation(one, twilio, topic, started)


def test_a_text_is_sent_once_although_each_relay_is_killed_when_it_has_sent_one(unite: Installation) -> None:
    unite.complete_calls()

    for kill in range(KILLS):
        # What the one before had sent is looked for, found and settled; then the next one goes out.
        unite.killed(TEXTS, after=min(2, kill + 1), times_before=kill)
        assert unite.requests_to_twilio() == kill + 1
        assert unite.statuses(TEXTS) == Counter(delivered=kill, pending=TEXTS_SENT - kill)
    delivered = unite.relay(TEXTS, times_before=KILLS)

    assert delivered == TEXTS_SENT - KILLS + 1
    assert unite.requests_to_twilio() == TEXTS_SENT
    assert unite.sent() == unite.once_each(TEXTS)
    assert unite.statuses(TEXTS) == Counter(delivered=TEXTS_SENT)


def test_what_the_topic_was_told_before_a_kill_it_is_told_once_more_under_the_same_id(unite: Installation) -> None:
    unite.complete_calls()

    unite.killed(TOPIC, after=1, times_before=0)
    unite.killed(TOPIC, after=2, times_before=1)
    delivered = unite.relay(TOPIC, times_before=2)

    heard = unite.topic.heard()
    by_event = {message.event_id: message for message in heard}
    assert delivered == TOPIC_TOLD - 10
    assert set(by_event) == {it.event_id for it in unite.deliveries(TOPIC)}
    assert len(by_event) == TOPIC_TOLD
    assert len(heard) == 2 * TOPIC_TOLD
    assert all(message == by_event[message.event_id] for message in heard)
    assert unite.statuses(TOPIC) == Counter(delivered=TOPIC_TOLD)


def test_what_a_killed_relay_had_sent_is_settled_by_what_twilio_tells_of_it(unite: Installation) -> None:
    unite.one.start()
    unite.complete_calls()

    unite.killed(TEXTS, after=1, times_before=0)

    eventually(lambda: unite.statuses(TEXTS)["delivered"] == 1, "Twilio has told that it arrived")
    assert unite.relay(TEXTS, times_before=1) == TEXTS_SENT - 1
    assert unite.requests_to_twilio() == TEXTS_SENT
    assert unite.sent() == unite.once_each(TEXTS)

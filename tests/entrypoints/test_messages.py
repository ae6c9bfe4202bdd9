"""Tests of messages of a complete installation: to SNS and Twilio if they are configured, else to a file."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from entrypoints.bootstrap import MESSAGES_FILE, OPERATOR, Started, load_settings, provide_storage, start
from entrypoints.settings import Settings
from tests.adapters.aws.moto import access_to
from tests.adapters.aws.topics import ListenedTo, listened_to
from tests.servers.moto import a_bucket_name
from tests.servers.twilio import TwilioStandIn
from tests.service_process import eventually
from unite_core import Actor, NewLead, NewUser, Role
from unite_core.calls.use_cases import NewCallTask
from unite_core.errors import Unavailable
from unite_core.identity.summary_settings import DailySummary

PHONE = "+12025550187"
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What every program of AWS looks for; the region is another than the topic's."""
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("DEFAULT_REGION", "eu-central-1")):
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.fixture
def listening(aws_url: str) -> ListenedTo:
    return listened_to(access_to(aws_url))


def settings_of(tmp_path: Path, **variables: str) -> Settings:
    return load_settings({"UNITE_DATA_DIR": str(tmp_path / "var"), **variables})


@pytest.fixture
def started(tmp_path: Path, aws_url: str, listening: ListenedTo, twilio_server: TwilioStandIn) -> Iterator[Started]:
    settings = settings_of(
        tmp_path,
        UNITE_AWS_ENDPOINT_URL=aws_url,
        UNITE_SNS_TOPIC_ARN=listening.arn,
        UNITE_PUBLIC_URL=twilio_server.public_url,
        **twilio_server.settings,
    )
    with start(settings) as started:
        yield started


def assign_a_call(started: Started) -> Actor:
    """A manager assigns a call to an agent with a telephone; the manager."""
    users = started.unite.identity

    def add(name: str, role: Role, phone: str | None = None) -> Actor:
        new = NewUser(email=f"{name}@example.com", name=name, role=role, password=PASSWORD, phone=phone)
        return Actor(user_id=users.create_user(OPERATOR, new).id, role=role)

    manager, agent = add("ann", Role.MANAGER), add("ben", Role.AGENT, PHONE)
    lead = started.unite.leads.add(manager, NewLead(name="Grace Hopper", phone="+12125550101"))
    due = datetime.now(UTC) + timedelta(hours=1)
    started.unite.calls.create(manager, NewCallTask(lead_id=lead.id, due_at=due, assigned_to=agent.user_id))
    return manager


def relay(started: Started) -> None:
    for destination in started.unite.notifications.destinations:
        started.unite.notifications.relay(destination)


def test_an_assigned_call_is_published_and_texted_to_its_agent(
    started: Started, listening: ListenedTo, twilio_server: TwilioStandIn
) -> None:
    assign_a_call(started)

    relay(started)

    heard = listening.heard()
    assert sorted((message.type, message.role) for message in heard) == [
        ("call_task.assigned", "agent"),
        ("call_task.created", "manager"),
    ]
    (sent,) = twilio_server.messages()
    assert sent["to"] == PHONE
    assert "Grace Hopper" in sent["body"]
    assert sent["num_segments"] == "1"
    assert "2125550101" not in sent["body"] + "".join(message.body for message in heard)


def test_a_daily_summary_is_published_and_texted_to_its_recipient(
    started: Started, listening: ListenedTo, twilio_server: TwilioStandIn
) -> None:
    assign_a_call(started)
    new = NewUser(email="mia@example.com", name="mia", role=Role.MANAGER, password=PASSWORD, phone="+12025550188")
    mia = started.unite.identity.create_user(OPERATOR, new)
    make = started.unite.upkeep.create_daily_summaries
    with make.work() as work:
        # Since midnight the time has come, whenever the test runs.
        mia.set_summary(DailySummary(at=time(), tz="UTC", since=date(2026, 1, 1)))
        mia.mark_updated(mia.updated_at)
        work.users.save(mia)
        work.commit()
    relay(started)

    assert [make(), make()] == [1, 0]
    relay(started)
    relay(started)

    assert [(message.type, message.role) for message in listening.heard()][2:] == [("report.daily_summary", "manager")]
    _, sent = twilio_server.messages()
    assert sent["to"] == "+12025550188"
    assert re.fullmatch(r"Unite, \w{3} \d+ \w{3}: no calls\. #[0-9a-f]{6}", sent["body"])
    assert sent["num_segments"] == "1"


def test_sns_and_twilio_are_dependencies_that_are_not_required(started: Started) -> None:
    dependencies = {name: it for name, it in started.dependencies.items() if name in ("sns", "twilio")}

    for dependency in dependencies.values():
        dependency.check()

    assert [name for name, it in dependencies.items() if it.required] == []
    assert {name: it.breaker() for name, it in dependencies.items() if it.breaker} == {
        "sns": "closed",
        "twilio": "closed",
    }


def test_messages_that_wait_for_twilio_delay_no_other_destination_and_are_sent_once(
    started: Started, listening: ListenedTo, twilio_server: TwilioStandIn
) -> None:
    twilio_server.kill()
    assign_a_call(started)
    with pytest.raises(Unavailable):
        started.dependencies["twilio"].check()

    relay(started)
    assert len(listening.heard()) == 2

    twilio_server.start()

    def texted() -> list[str]:
        started.unite.notifications.relay("texts")
        return twilio_server.bodies()

    eventually(texted, "the text goes out")
    started.unite.notifications.relay("texts")
    assert len(twilio_server.bodies()) == 1


def test_signatures_of_twilio_are_verified(started: Started, twilio_server: TwilioStandIn) -> None:
    assign_a_call(started)
    relay(started)
    callback = eventually(twilio_server.callbacks, "Twilio tells of the message")[0]

    assert started.webhook_signatures is not None
    assert started.webhook_signatures(callback["url"], callback["parameters"], callback["signature"])
    assert not started.webhook_signatures(callback["url"], callback["parameters"], "not the signature")
    assert callback["url"].startswith(f"{twilio_server.public_url}/webhooks/twilio/status?delivery=")


def test_without_settings_messages_are_written_to_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with start(settings_of(tmp_path)) as started, caplog.at_level(logging.INFO):
        assign_a_call(started)
        relay(started)

        assert started.webhook_signatures is None
        assert list(started.dependencies) == ["database", "disk"]
    with (tmp_path / "var" / MESSAGES_FILE).open(encoding="utf-8") as file:
        messages = [json.loads(line) for line in file]
    assert sorted(it["kind"] for it in messages) == ["event", "event", "text"]
    (text,) = (it["text"] for it in messages if it["kind"] == "text")
    assert "Grace Hopper" in text
    assert PHONE not in str(messages)
    assert PHONE not in caplog.text


def test_a_topic_is_created_in_a_stand_in_for_aws(tmp_path: Path, aws_url: str) -> None:
    arn = f"arn:aws:sns:us-east-1:123456789012:{a_bucket_name()}"
    settings = settings_of(tmp_path, UNITE_SNS_TOPIC_ARN=arn, UNITE_AWS_ENDPOINT_URL=aws_url)

    assert provide_storage(settings)
    assert provide_storage(settings)  # it may be repeated

    with start(settings) as started:
        started.dependencies["sns"].check()

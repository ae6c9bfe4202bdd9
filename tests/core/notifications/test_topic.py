"""Tests of the messages to the topic against their published schema."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest

from tests.conftest import CHECKOUT
from unite_core import CallOutcome
from unite_core.notifications.audience import AUDIENCES
from unite_core.notifications.destinations import VERSION, TopicOfEvents
from unite_core.notifications.model import TOPIC, DeliveryStatus, Receipt
from unite_core.notifications.ports import DeliveryFilter, TopicMessage
from unite_core.paging import PageRequest
from unite_core.testing.builders import an_event
from unite_core.testing.in_memory import InMemoryLinks, InMemoryTopic, in_memory_ports
from unite_core.testing.scenario import Scenario

SCHEMA = json.loads((CHECKOUT / "docs" / "events" / f"event.v{VERSION}.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA, validate_formats=True)


def record_all_events(scenario: Scenario) -> None:
    """Record every event that has recipients, and a failed import."""
    scenario.complete(scenario.create_call_task())
    scenario.assign(scenario.create_call_task(), scenario.manager)
    callback = scenario.create_call_task()
    scenario.complete(callback, outcome=CallOutcome.CALLBACK_REQUESTED, follow_up_at=scenario.now + timedelta(days=1))
    scenario.cancel(scenario.create_call_task(), "They called us.")
    scenario.cancel(scenario.create_call_task())
    scenario.advance(timedelta(days=3))
    assert scenario.unite.upkeep.mark_missed() == 2
    scenario.correct(callback, CallOutcome.CALLBACK_REQUESTED, duration_seconds=360)
    scenario.upload("Name,Email\nAlan,alan@example.com\n,nobody@example.com\n", scenario.manager)
    scenario.upload("Nothing,Known\n1,2\n", scenario.manager)
    scenario.update_daily_summary(scenario.manager, at="09:30")
    scenario.advance()
    assert scenario.unite.upkeep.create_daily_summaries() == 1
    scenario.run_jobs()


@pytest.fixture(scope="module")
def published() -> list[TopicMessage]:
    scenario = Scenario()
    record_all_events(scenario)
    return scenario.ports.topic.published


@pytest.fixture(scope="module")
def bodies(published: list[TopicMessage]) -> list[dict[str, Any]]:
    return [json.loads(message.body) for message in published]


def test_the_message_of_an_event_names_its_span_beside_its_body() -> None:
    topic = InMemoryTopic()
    traceparent = f"00-{'4b' * 16}-{'f0' * 8}-01"

    TopicOfEvents(topic, InMemoryLinks()).deliver([an_event(type="import.finished", traceparent=traceparent)])

    (message,) = topic.published
    assert message.traceparent == traceparent
    assert traceparent not in message.body


def test_every_event_type_of_the_topic_is_valid_by_the_schema(bodies: list[dict[str, Any]]) -> None:
    assert {body["type"] for body in bodies} == set(AUDIENCES)
    assert [str(error) for body in bodies for error in VALIDATOR.iter_errors(body)] == []


def test_the_schema_has_no_other_event_types() -> None:
    assert [case["title"] for case in SCHEMA["oneOf"]] == [*AUDIENCES]
    assert {case["properties"]["type"]["const"]: case["properties"]["role"]["const"] for case in SCHEMA["oneOf"]} == {
        kind: audience.role.value for kind, audience in AUDIENCES.items()
    }


def test_a_missing_or_additional_field_is_invalid_by_the_schema(bodies: list[dict[str, Any]]) -> None:
    for body in bodies:
        for part in objects(body):
            part["unknown"] = 1
            assert not VALIDATOR.is_valid(body), part
            del part["unknown"]
            for field in [*part]:
                value = part.pop(field)
                assert not VALIDATOR.is_valid(body), field
                part[field] = value
        assert VALIDATOR.is_valid(body)


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in the value, itself included."""
    if isinstance(value, dict):
        yield value
        for inner in [*value.values()]:
            yield from objects(inner)


def test_the_filter_attributes_of_a_message_are_those_of_its_body(published: list[TopicMessage]) -> None:
    for message in published:
        body = json.loads(message.body)
        attributes = str(message.event_id), message.type, message.role, message.correlation_id
        assert attributes == (body["id"], body["type"], body["role"], body["correlation_id"])
    assert {message.correlation_id for message in published} == {"of-manager", "of-ann", None}


def test_no_message_contains_a_phone_number(published: list[TopicMessage]) -> None:
    # Not just 555, which a hash may have in it.
    assert [message for message in published if re.search(r"[0-9]{3}555[0-9]{4}", message.body)] == []


def test_each_event_is_published_once_and_its_message_id_is_stored() -> None:
    scenario = Scenario()
    scenario.create_call_task()
    scenario.run_jobs()
    scenario.run_jobs()

    created, assigned = scenario.ports.topic.published
    assert (created.type, assigned.type) == ("call_task.created", "call_task.assigned")
    admin = scenario.manager
    deliveries = scenario.unite.notifications.list_deliveries(admin, DeliveryFilter(destination=TOPIC), PageRequest())
    assert {it.event_id: it.response for it in deliveries.items} == {
        message.event_id: {"message_id": f"message-{message.event_id}"} for message in (created, assigned)
    }
    (event,) = scenario.unite.notifications.activity(admin, deliveries.items[0].id, PageRequest()).items
    assert event.data["response"] == deliveries.items[0].response


def test_links_start_with_the_public_url() -> None:
    scenario = Scenario(in_memory_ports(links=InMemoryLinks("https://unite.example/floor/v1")))
    task = scenario.create_call_task()
    scenario.upload("Name,Email\nAlan,alan@example.com\n")
    scenario.run_jobs()

    links = {body["type"]: body["link"] for body in map(json.loads, (it.body for it in scenario.ports.topic.published))}
    assert links["call_task.created"] == f"https://unite.example/floor/v1/call-tasks/{task.id}"
    assert urlsplit(links["import.finished"]).path.startswith("/floor/v1/lead-imports/")


def test_an_event_without_an_audience_is_skipped_in_its_place() -> None:
    topic = InMemoryTopic()
    topic.answer = lambda message: Receipt(accepted=True, response={"of": str(message.event_id)})
    events = [an_event(type=kind) for kind in ("call_task.created", "lead.created", "import.finished", "lead.changed")]

    receipts = TopicOfEvents(topic, InMemoryLinks()).deliver(events)

    assert [receipt.response for receipt in receipts] == [
        {"of": str(events[0].id)},
        {"reason": "no_audience"},
        {"of": str(events[2].id)},
        {"reason": "no_audience"},
    ]
    assert [receipt.skipped for receipt in receipts] == [False, True, False, True]
    assert TopicOfEvents(topic, InMemoryLinks()).deliver(events[1:2])[0].skipped


def test_temporarily_refused_messages_are_retried_and_refused_ones_are_dead_letters() -> None:
    scenario = Scenario()
    outcomes = iter(
        [Receipt(accepted=False, response={"error_code": "Throttled"}), Receipt(accepted=False, refused=True)]
    )
    scenario.ports.topic.answer = lambda _: next(outcomes)
    scenario.create_call_task()
    scenario.run_jobs()

    def statuses() -> list[DeliveryStatus]:
        filters = DeliveryFilter(destination=TOPIC)
        page = scenario.unite.notifications.list_deliveries(scenario.manager, filters, PageRequest())
        return sorted(it.status for it in page.items)

    assert statuses() == [DeliveryStatus.DEAD, DeliveryStatus.PENDING]
    assert scenario.unite.notifications.dead_letters() == 1

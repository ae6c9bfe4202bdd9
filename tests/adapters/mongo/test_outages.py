"""Tests of the activity log during outages of MongoDB: events arrive later, none is lost or stored twice."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.mongo.activity import MongoActivityLog
from adapters.mongo.connection import POLICY, Mongo
from tests.adapters.mongo.lossy_proxy import LossyProxy
from tests.service_process import eventually
from unite_core.errors import Unavailable
from unite_core.paging import PageRequest
from unite_core.testing.builders import an_event, an_id

SHORT = timedelta(milliseconds=200)


@pytest.fixture
def away_soon(private_mongodb: Any) -> Iterator[Mongo]:
    """A MongoDB that a test may stop: it is given up soon, left alone after two failures, and not for long."""
    timeouts = replace(POLICY.timeouts, connect=SHORT)
    policy = replace(POLICY, timeouts=timeouts, failure_threshold=2, recovery_timeout=SHORT)
    mongo = Mongo(private_mongodb.url, policy)
    yield mongo
    mongo.close()


def test_an_event_that_was_not_delivered_is_accepted_after_the_outage(
    private_mongodb: Any, away_soon: Mongo, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log = MongoActivityLog(away_soon)
    lead_id = an_id()
    events = [an_event(lead_ids=(lead_id,)) for _ in range(300)]
    log.deliver(events[:100])

    private_mongodb.kill()
    for _ in range(2):
        with pytest.raises(Unavailable):
            log.deliver(events[100:200])
    assert away_soon.breaker_state in {"open", "half_open"}
    with pytest.raises(Unavailable):
        log.of_lead(lead_id, PageRequest())

    private_mongodb.start()
    # A relay that died after the delivery hands over again what was delivered.
    eventually(lambda: delivered(log, events[:200]), "MongoDB takes events again")
    log.deliver(events[200:])

    first = log.of_lead(lead_id, PageRequest(limit=200))
    second = log.of_lead(lead_id, PageRequest(limit=200, after=first.next))
    assert [*first.items, *second.items] == events[::-1]
    assert away_soon.breaker_state == "closed"
    messages = [record.message for record in caplog.records if record.name == "adapters.mongo.activity"]
    assert len(messages) == 2
    assert messages[0].startswith("The activity log takes no events, which wait meanwhile: MongoDB did not")
    assert messages[1] == "The activity log takes events again."


def test_collections_are_prepared_after_an_outage_at_the_start(private_mongodb: Any, away_soon: Mongo) -> None:
    log = MongoActivityLog(away_soon, retention=timedelta(days=30))
    private_mongodb.stop()
    with pytest.raises(Unavailable):
        log.prepare()

    private_mongodb.start()
    eventually(lambda: delivered(log, [an_event()]), "MongoDB takes events")

    indexes = away_soon.call(lambda database: database["activity"].index_information())
    assert indexes.keys() == {"_id_", "of_lead", "retention"}


def test_events_whose_receipts_were_lost_are_stored_once(mongodb_url: str) -> None:
    event = an_event()
    with LossyProxy(mongodb_url) as wire:
        mongo = Mongo(wire.url, replace(POLICY, timeouts=replace(POLICY.timeouts, read=timedelta(seconds=1))))
        log = MongoActivityLog(mongo)
        log.prepare()

        wire.loses_answers = True
        with pytest.raises(Unavailable, match="NetworkTimeout"):
            log.deliver([event])
        wire.loses_answers = False
        eventually(lambda: log.of_lead(event.lead_ids[0], PageRequest()).items, "the event is there")
        log.deliver([event])

        assert [*log.of_lead(event.lead_ids[0], PageRequest()).items] == [event]
        mongo.close()


def delivered(log: MongoActivityLog, events: list[Any]) -> bool:
    """Whether the log has taken the events."""
    with suppress(Unavailable):
        return all(receipt.accepted for receipt in log.deliver(events))
    return False

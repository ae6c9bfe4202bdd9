"""Twilio is down for the length of many completions; nobody else is held up, and each text comes once."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from sqlalchemy import Row, select

from adapters.sql.engine import create_engine_for
from adapters.sql.events.tables import deliveries, outbox_events
from tests.adapters.aws.moto import access_to
from tests.adapters.aws.topics import ListenedTo, listened_to
from tests.live_scenario import LiveScenario, call_tasks
from tests.servers.twilio import TwilioStandIn, a_stand_in
from tests.service_process import TIMEOUT, Service, WorkerProcess, eventually, worker

LEADS = 20
SENT_ALL_THE_SAME = 3
NO_WORKER = ("entrypoints", "serve", "--no-worker")
WORKER = ("tests.faults.short_breaker",)

COMPLETED = "call_task.completed"


@dataclass
class Installation:
    """A service with two workers, and everything that they use."""

    one: Service
    scenario: LiveScenario
    twilio: TwilioStandIn
    topic: ListenedTo
    workers: Sequence[WorkerProcess]

    def heard_by_log(self) -> int:
        """How many completions the activity log in MongoDB tells of."""
        with MongoClient[dict[str, Any]](self.one.settings["UNITE_MONGODB_URL"]) as client:
            return client.get_default_database()["activity"].count_documents({"type": COMPLETED})

    def deliveries(self) -> Sequence[Row[Any]]:
        """Every delivery of a completion, asked of the database itself."""
        engine = create_engine_for(self.one.settings["UNITE_DATABASE_URL"])
        completions = deliveries.join(outbox_events, outbox_events.c.id == deliveries.c.event_id)
        with engine.connect() as connection:
            rows = connection.execute(
                select(deliveries).select_from(completions).where(outbox_events.c.type == COMPLETED)
            ).all()
        engine.dispose()
        return rows

    def texts(self) -> Sequence[Row[Any]]:
        """Those of them that are texts."""
        return [it for it in self.deliveries() if it.destination == "texts"]

    def says(self, words: str) -> bool:
        """Whether one of the workers has logged something that begins like this."""
        return any(line["message"].startswith(words) for each in self.workers for line in each.lines())

    def sent(self) -> Counter[str]:
        """How many messages Twilio has of each delivery."""
        return self.twilio.messages_by_delivery()


@pytest.fixture
def unite(
    tmp_path: Path, mysql_database: str, redis_url: str, mongodb_url: str, aws_url: str
) -> Iterator[Installation]:
    with ExitStack() as stack:
        one = Service(tmp_path, command=NO_WORKER)
        stack.callback(one.kill_all)
        twilio = stack.enter_context(a_stand_in(public_url=one.url))
        topic = listened_to(access_to(aws_url))
        one.settings = {
            "UNITE_DATABASE_URL": mysql_database,
            "UNITE_REDIS_URL": redis_url,
            "UNITE_MONGODB_URL": mongodb_url,
            "UNITE_PUBLIC_URL": one.url,
            "UNITE_QUOTA_TEXTS_PER_NUMBER": "0",
            **twilio.settings,
            **topic.settings,
        }
        one.start()
        workers = [stack.enter_context(worker(one, name, WORKER)) for name in ("ann", "ben")]
        yield Installation(one, LiveScenario(one.client()), twilio, topic, workers)


def end(twilio: TwilioStandIn) -> None:
    twilio.kill()


def fail(twilio: TwilioStandIn) -> None:
    """Answer 503, at first to messages that are sent all the same."""
    twilio.behave({"status": 503, "method": "POST", "stored": True, "times": SENT_ALL_THE_SAME}, {"status": 503})


# Two hundred are two batches of the activity log, the destination with the largest ones; sixty are several batches of
# the topic and of the texts.
@pytest.mark.parametrize(
    ("go_down", "come_back", "calls"),
    [(end, TwilioStandIn.start, 200), (fail, TwilioStandIn.behave, 60)],
    ids=["it is gone", "it answers 503"],
)
def test_while_twilio_is_down_others_are_told_on_time_and_afterwards_each_text_comes_once(
    unite: Installation,
    go_down: Callable[[TwilioStandIn], None],
    come_back: Callable[[TwilioStandIn], None],
    calls: int,
) -> None:
    scenario, twilio = unite.scenario, unite.twilio
    agent, manager = scenario.add_user("agent"), scenario.add_user("manager", "+12025550143")
    leads = [scenario.lead(f"Lead {number}") for number in range(LEADS)]
    tasks = call_tasks(manager, agent, leads * (calls // LEADS))
    eventually(lambda: unite.topic.waiting() == 2 * calls, "the topic has heard what is planned")

    def one_more() -> bool:
        """Have something sent by the worker whose breaker is open still, or by the other one."""
        return not agent.complete(*call_tasks(manager, agent, leads[:1])).ok

    go_down(twilio)
    down = datetime.now(UTC)
    assert {agent.complete(task_id).status_code for task_id in tasks} == {200}
    eventually(lambda: unite.topic.waiting() == 3 * calls, "the topic hears what came of each call meanwhile")
    eventually(lambda: unite.heard_by_log() == calls, "the activity log hears it as well")
    eventually(lambda: unite.says("Twilio failed 3 times in a row"), "the breaker opens")
    back = datetime.now(UTC)
    come_back(twilio)
    eventually(lambda: {it.status for it in unite.texts()} == {"delivered"}, "every text is sent", 2 * TIMEOUT)

    others = [it for it in unite.deliveries() if it.destination != "texts"]
    assert Counter(it.destination for it in others) == Counter(activity=calls, topic=calls)
    assert max(it.delivered_at for it in others) < back
    assert max(it.delivered_at - it.created_at for it in others) < (back - down) / 2
    texts = unite.texts()
    assert len([it for it in texts if it.delivered_at < back]) <= SENT_ALL_THE_SAME
    assert unite.sent() == Counter(str(it.id) for it in texts)
    assert len(texts) == calls
    assert scenario.admin.call("GET", "/health/ready")["dead_letters"] == 0
    eventually(lambda: unite.says("Twilio answers again") or one_more(), "the breaker closes")

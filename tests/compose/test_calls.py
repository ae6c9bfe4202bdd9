"""Tests of calls through the whole Compose stack: from creation to notifications, and a tampered ledger."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jsonschema_rs
import pytest

from tests.adapters.aws.moto import access_to
from tests.adapters.aws.topics import listening_to
from tests.compose.stack import Stack, StackFailed
from tests.conftest import CHECKOUT
from tests.live_scenario import TASKS, LiveScenario, call_tasks
from tests.servers.twilio import TwilioStandIn
from tests.service_process import eventually

TOPIC = "arn:aws:sns:us-east-1:123456789012:unite-events"
AMY, MO = "+12025550181", "+12025550182"
PHONE = "+12125550171"
CORRELATION = "the-call-to-grace"

ROLES = {"call_task.created": "manager", "call_task.assigned": "agent", "call_task.completed": "manager"}
VALIDATOR = jsonschema_rs.Draft202012Validator(
    json.loads((CHECKOUT / "docs" / "events" / "event.v1.schema.json").read_text()), validate_formats=True
)
GUARD = "call_ledger_changed"


def test_every_step_of_a_call_notifies_the_right_recipients(
    stack: Stack, scenario: LiveScenario, twilio: TwilioStandIn
) -> None:
    topic = listening_to(TOPIC, access_to(stack.storage_url))
    amy, mo = scenario.add_user("agent", AMY), scenario.add_user("manager", MO)
    grace = scenario.lead("Grace Hopper", phone=PHONE)

    (task_id,) = call_tasks(mo, amy, [grace])
    assigned = scenario.delivery(grace, "call_task.assigned", "texts", status="delivered")
    assert amy.post(f"{TASKS}/{task_id}/notes", {"text": "She asked for a demonstration."}).status_code == 200
    amy.client.session.headers["X-Correlation-ID"] = CORRELATION
    answers = [amy.complete(task_id, "done") for _ in range(2)]
    completed = scenario.delivery(grace, "call_task.completed", "texts", status="delivered")

    assert [(it.status_code, it.headers.get("Idempotency-Replayed")) for it in answers] == [(200, None), (200, "true")]
    texts = {it["sid"]: it for it in twilio.messages() if it["to"] in (AMY, MO)}
    sent_texts = [texts[it["response"]["sid"]] for it in (assigned, completed)]
    assert [it["to"] for it in sent_texts] == [AMY, MO]
    assert all("Grace Hopper" in it["body"] and f"{stack.url}{TASKS}/{task_id}" in it["body"] for it in sent_texts)
    assert not any(PHONE[2:] in it["body"] for it in texts.values())
    assert len(texts) == 2
    known = {"sid": completed["response"]["sid"], "status": "delivered", "segments": 1, "price": "-0.00790"}

    def history() -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = scenario.admin.call("GET", f"/v1/deliveries/{completed['id']}/activity")["items"]
        return events if events and known.items() <= events[0]["data"]["response"].items() else []

    events = eventually(history, "the delivery's last state is in its activity")
    assert events[-1]["type"] == "delivery.answered"
    assert {it["status"] for it in twilio.callbacks() if it["parameters"].get("MessageSid") in texts} == {204}
    heard = {it.type: it for it in topic.heard()}
    assert {it.type: it.role for it in heard.values()} == ROLES
    assert heard["call_task.completed"].correlation_id == CORRELATION
    for message in heard.values():
        VALIDATOR.validate(json.loads(message.body))
        assert PHONE not in message.body


@contextmanager
def without_guard(stack: Stack) -> Iterator[None]:
    """Drop the triggers of the ledger as MySQL's root during the block."""
    (trigger,) = stack.as_root(
        "SELECT JSON_OBJECT('definer', definer, 'statement', action_statement) FROM information_schema.triggers"
        f" WHERE trigger_name = '{GUARD}'"
    )
    guard = json.loads(trigger)
    user, host = guard["definer"].split("@")
    stack.as_root(f"DROP TRIGGER {GUARD}")
    try:
        yield
    finally:
        stack.as_root(
            f"CREATE DEFINER = '{user}'@'{host}' TRIGGER {GUARD} BEFORE UPDATE ON call_ledger FOR EACH ROW"
            f" {guard['statement']}"
        )


def test_an_entry_that_the_root_user_of_mysql_changed_is_reported(stack: Stack, scenario: LiveScenario) -> None:
    amy = scenario.add_user("agent")
    tasks = call_tasks(
        scenario.add_user("manager"), amy, [scenario.lead("Ada Lovelace"), scenario.lead("Margaret Hamilton")]
    )
    assert {amy.complete(task_id).status_code for task_id in tasks} == {200}
    (entry,) = scenario.admin.call("GET", f"{TASKS}/{tasks[0]}/ledger")["entries"]
    change = f"UPDATE call_ledger SET duration_seconds = {{}} WHERE hash = '{entry['hash']}'"
    verify = ("exec", "-T", "worker", "python", "-m", "entrypoints", "verify-ledger")
    assert "every chain is whole" in stack.compose(*verify)

    with pytest.raises(StackFailed, match="never changed"):
        stack.as_root(change.format(3000))
    with without_guard(stack):
        stack.as_root(change.format(3000))
        try:
            with pytest.raises(StackFailed, match=f"(?s){tasks[0]}.*{entry['id']}"):
                stack.compose(*verify)
            broken = scenario.admin.call("GET", f"{TASKS}/{tasks[0]}/ledger")["broken"]
        finally:
            stack.as_root(change.format(entry["duration_seconds"]))

    assert broken["entry_id"] == entry["id"]
    assert scenario.admin.call("GET", f"{TASKS}/{tasks[0]}/ledger")["verified"]
    with pytest.raises(StackFailed, match="never changed"):
        stack.as_root(change.format(3000))

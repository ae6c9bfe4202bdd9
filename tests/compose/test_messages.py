"""Tests of text messages through the whole Compose stack: opt-out, opt-in, refusal and replay."""

import json

from tests.compose.stack import Stack
from tests.live_scenario import LiveScenario, call_tasks
from tests.servers.twilio import TwilioStandIn

ASSIGNED = "call_task.assigned"
BEN, CLEO = "+12025550187", "+12025550188"


def test_a_user_who_texted_stop_gets_no_messages_until_they_text_start(
    scenario: LiveScenario, twilio: TwilioStandIn
) -> None:
    ben, manager = scenario.add_user("agent", BEN), scenario.add_user("manager")
    lead_after_stop, lead_after_start = scenario.lead("Katherine Johnson"), scenario.lead("Dorothy Vaughan")

    assert twilio.write_to_us(BEN, "stop")["status"] == 200
    call_tasks(manager, ben, [lead_after_stop])
    skipped = scenario.delivery(lead_after_stop, ASSIGNED, "texts", reason="opted_out")
    assert twilio.write_to_us(BEN, "Start")["status"] == 200
    call_tasks(manager, ben, [lead_after_start])
    sent = scenario.delivery(lead_after_start, ASSIGNED, "texts", status="delivered")

    assert (skipped["status"], sent["status"]) == ("skipped", "delivered")
    assert ["Dorothy Vaughan" in it["body"] for it in twilio.messages() if it["to"] == BEN] == [True]


def test_a_refused_text_message_is_a_dead_letter_until_it_is_replayed(
    stack: Stack, scenario: LiveScenario, twilio: TwilioStandIn
) -> None:
    cleo, manager = scenario.add_user("agent", CLEO), scenario.add_user("manager")
    lead = scenario.lead("Mary Jackson")
    before = scenario.admin.call("GET", "/health/ready")["dead_letters"]
    twilio.behave({"status": 400, "code": 21211, "to": CLEO})

    call_tasks(manager, cleo, [lead])
    dead = scenario.delivery(lead, ASSIGNED, "texts", error_code=21211)
    counted = scenario.admin.call("GET", "/health/ready")["dead_letters"]
    twilio.behave()
    scenario.admin.call("POST", f"/v1/deliveries/{dead['id']}/replay")
    replayed = scenario.delivery(lead, ASSIGNED, "texts", status="delivered")

    assert (dead["status"], dead["response"]["reason"]) == ("dead", "not_a_number")
    assert counted == before + 1
    logged = [json.loads(line) for line in stack.logs("worker").splitlines()]
    # First it is given up, then it is handed to Twilio.
    assert [line["level"] for line in logged if line.get("delivery_id") == dead["id"]] == ["ERROR", "INFO"]
    assert (replayed["id"], replayed["status"], replayed["attempts"]) == (dead["id"], "delivered", 2)
    assert scenario.admin.call("GET", "/health/ready")["dead_letters"] == before
    assert len([it for it in twilio.messages() if it["to"] == CLEO]) == 1

"""Tests of the call log over HTTP: filters, corrections, and ledgers with their hashes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from entrypoints.http.call_logs.schemas import CallLogSchema, call_log_json
from tests.http.service import LOGS, TASKS, HttpScenario, faults, id_of, ids, items, problem
from unite_core.calls.ledger import NO_HASH, EntryKind, LedgerEntry, hash_of
from unite_core.testing.builders import an_id
from unite_core.testing.in_memory import A_MONDAY_MORNING

ANY = "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f"


def test_the_json_of_an_entry_is_valid_by_its_schema() -> None:
    entry = LedgerEntry(
        id=an_id(),
        task_id=an_id(),
        number=1,
        kind=EntryKind.MISSED,
        lead_id=an_id(),
        agent_id=None,
        actor_id=None,
        at=A_MONDAY_MORNING,
        called_at=A_MONDAY_MORNING,
    )

    assert list(call_log_json(entry)) == list(CallLogSchema().fields)


def test_a_completed_call_is_in_the_log(scenario: HttpScenario) -> None:
    task = scenario.completed_call_task(note="Wants an offer.", started_at="2026-03-02T08:55:00Z")

    (entry,) = items(scenario.manager.get(LOGS))

    assert entry == {
        "id": entry["id"],
        "task_id": task["id"],
        "lead_id": scenario.grace,
        "number": 1,
        "kind": "completed",
        "agent_id": id_of(scenario.ann),
        "actor_id": id_of(scenario.ann),
        "at": "2026-03-02T09:00:00Z",
        "called_at": "2026-03-02T08:55:00Z",
        "result": "connected",
        "outcome": "connected",
        "duration_seconds": 300,
        "started_at": "2026-03-02T08:55:00Z",
        "follow_up_at": None,
        "note": "Wants an offer.",
        "reason": None,
        "corrects": None,
        "source": "api",
        "attempt": 1,
        "format": 2,
        "previous_hash": NO_HASH,
        "hash": entry["hash"],
    }


def test_entries_are_filtered_by_agent_lead_task_and_time(scenario: HttpScenario) -> None:
    ada = scenario.create_lead("Ada", "+12125550124", assigned_to=id_of(scenario.ben))
    first = scenario.completed_call_task()
    scenario.service.ports.clock.advance(timedelta(minutes=1))
    second = scenario.create_call_task(lead_id=ada)
    scenario.manager.post(f"{TASKS}/{second['id']}/cancel", json={"reason": "Gone."})

    def tasks(query: str) -> list[str]:
        return [each["task_id"] for each in items(scenario.manager.get(f"{LOGS}?{query}"))]

    assert tasks("") == [second["id"], first["id"]]
    assert tasks(f"agent={id_of(scenario.ann)}") == [first["id"]]
    assert tasks(f"lead_id={ada}") == [second["id"]]
    assert tasks(f"task_id={first['id']}") == [first["id"]]
    # The first call began at 08:55; the second one was due at 10:00, and cancelled at 09:01.
    assert tasks("from=2026-03-02T08:55:01Z") == [second["id"]]
    assert tasks("to=2026-03-02T10:00:00Z") == [first["id"]]
    assert tasks("from=2026-03-02T08:55:00Z&to=2026-03-02T08:55:01Z") == [first["id"]]
    assert tasks("recorded_from=2026-03-02T09:01:00Z") == [second["id"]]
    assert tasks("recorded_to=2026-03-02T09:01:00Z") == [first["id"]]
    assert tasks("from=2026-03-02T10:00:00Z&recorded_to=2026-03-02T09:01:00Z") == []


def test_entries_are_filtered_by_the_values_of_their_call(scenario: HttpScenario) -> None:
    web = scenario.create_lead("Ada", "+12125550124", source="web, Berlin", assigned_to=id_of(scenario.ann))
    busy = scenario.completed_call_task(outcome="busy")["id"]
    scenario.service.ports.clock.advance(timedelta(minutes=1))
    again = scenario.completed_call_task(outcome="no_answer")["id"]
    cancelled = scenario.create_call_task(lead_id=web)["id"]
    scenario.manager.post(f"{TASKS}/{cancelled}/cancel", json={})
    (wrong,) = items(scenario.manager.get(f"{LOGS}?task_id={busy}"))
    correct(scenario, wrong["id"], outcome="connected")

    def listed(query: str) -> list[tuple[str, str]]:
        return [(each["task_id"], each["result"]) for each in items(scenario.manager.get(f"{LOGS}?{query}"))]

    assert listed("counted=true") == [(cancelled, "cancelled"), (again, "no_answer"), (busy, "connected")]
    assert listed("counted=false") == [(busy, "busy")]
    assert listed("counted=true&result=busy,cancelled") == [(cancelled, "cancelled")]
    assert listed("source=%22Web,%20Berlin%22,fair") == [(cancelled, "cancelled")]
    assert listed("counted=true&source=api") == [(again, "no_answer"), (busy, "connected")]
    assert listed("source=") == listed("agent=none") == []
    assert listed("attempt=2,5") == [(again, "no_answer")]
    assert listed("counted=true&from=2026-03-02T12:00:00Z") == [(cancelled, "cancelled")]
    assert listed(f"counted=true&agent={id_of(scenario.ann)}&attempt=1") == [(busy, "connected")]


def test_calls_without_an_agent_or_source_can_be_filtered(scenario: HttpScenario) -> None:
    scenario.completed_call_task()
    task = scenario.create_call_task(lead_id=scenario.create_lead("Ada", "+12125550124"))
    scenario.manager.post(f"{TASKS}/{task['id']}/cancel", json={})
    (entry, _) = items(scenario.manager.get(LOGS))
    tampered(scenario, entry["id"], source=None)

    assert ids(scenario.manager.get(f"{LOGS}?agent=none")) == [entry["id"]]
    assert ids(scenario.manager.get(f"{LOGS}?source=")) == [entry["id"]]
    assert ids(scenario.manager.get(f"{LOGS}?source=web,")) == [entry["id"]]
    assert len(ids(scenario.manager.get(f"{LOGS}?source=api,"))) == 2
    assert ids(scenario.ann.get(f"{LOGS}?agent=none")) == []


def test_the_log_is_paginated_by_call_time(scenario: HttpScenario) -> None:
    ledger = [scenario.completed_call_task(started_at=f"2026-03-02T0{hour}:00:00Z")["id"] for hour in (7, 9, 8)]

    first = scenario.manager.get(f"{LOGS}?limit=2&from=2026-03-02T00:00:00Z")
    second = scenario.manager.get(first.headers["Link"].removeprefix("<").removesuffix('>; rel="next"'))

    assert [each["task_id"] for each in [*items(first), *items(second)]] == [ledger[1], ledger[2], ledger[0]]
    assert second.get_json()["next_cursor"] is None


def test_the_log_is_paginated_newest_first(scenario: HttpScenario) -> None:
    ledger = [scenario.completed_call_task()["id"] for _ in range(3)]

    first = scenario.manager.get(f"{LOGS}?limit=2")
    scenario.completed_call_task()
    second = scenario.manager.get(first.headers["Link"].removeprefix("<").removesuffix('>; rel="next"'))

    assert [each["task_id"] for each in [*items(first), *items(second)]] == ledger[::-1]
    assert second.get_json()["next_cursor"] is None


def test_agents_see_their_own_calls_whatever_they_filter_by(scenario: HttpScenario) -> None:
    scenario.completed_call_task()

    assert len(ids(scenario.ann.get(LOGS))) == 1
    assert ids(scenario.ben.get(LOGS)) == []
    assert ids(scenario.ben.get(f"{LOGS}?agent={id_of(scenario.ann)}")) == []


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("agent=me", "agent", "invalid_id"),
        ("from=yesterday", "from", "invalid_moment"),
        ("to=2026-03-02", "to", "invalid_moment"),
        ("from_=2026-03-02T09:00:00Z", "from_", "unknown_parameter"),
        ("outcome=busy", "outcome", "unknown_parameter"),
        ("recorded_from=today", "recorded_from", "invalid_moment"),
        ("result=busy,spoke", "result", "unknown_value"),
        ("attempt=0", "attempt", "out_of_range"),
        ("attempt=1,6", "attempt", "out_of_range"),
        ("attempt=first", "attempt", "wrong_type"),
        ("counted=yes", "counted", "wrong_type"),
        (f"source={'x' * 65}", "source", "too_long"),
    ],
)
def test_a_malformed_query_is_refused_with_the_parameter(
    scenario: HttpScenario, query: str, parameter: str, code: str
) -> None:
    answer = scenario.manager.get(f"{LOGS}?{query}")

    assert problem(answer) == (400, "invalid_parameter")
    assert faults(answer) == [(parameter, code)]


def correct(scenario: HttpScenario, entry_id: str, **body: Any) -> Any:
    return scenario.manager.post(f"{LOGS}/{entry_id}/corrections", json={"reason": "A slip.", **body})


def test_a_correction_is_a_separate_entry_that_keeps_unmentioned_values(scenario: HttpScenario) -> None:
    task = scenario.completed_call_task(note="Wants an offer.")
    (wrong,) = items(scenario.manager.get(LOGS))

    answer = correct(scenario, wrong["id"], outcome="voicemail", note=None)

    assert answer.status_code == 200
    entry = answer.get_json()
    assert entry == wrong | {
        "id": entry["id"],
        "number": 2,
        "kind": "correction",
        "actor_id": id_of(scenario.manager),
        "result": "voicemail",
        "outcome": "voicemail",
        "note": None,
        "reason": "A slip.",
        "corrects": wrong["id"],
        "previous_hash": wrong["hash"],
        "hash": entry["hash"],
    }
    assert items(scenario.manager.get(LOGS)) == [entry, wrong]
    assert scenario.ann.get(f"{TASKS}/{task['id']}").get_json()["outcome"] == "connected"


def test_a_repeated_correction_with_its_key_is_stored_once(scenario: HttpScenario) -> None:
    scenario.completed_call_task()
    (wrong,) = items(scenario.manager.get(LOGS))
    path, key = f"{LOGS}/{wrong['id']}/corrections", {"Idempotency-Key": "once"}

    first, again = (
        scenario.manager.post(path, json={"reason": "A slip.", "outcome": "busy"}, headers=key) for _ in range(2)
    )

    assert (again.get_json(), again.headers["Idempotency-Replayed"]) == (first.get_json(), "true")
    assert len(items(scenario.manager.get(LOGS))) == 2


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"reason": None}, ("/reason", "null")),
        ({"reason": ""}, ("/reason", "required")),
        ({"reason": "x" * 501}, ("/reason", "too_long")),
        ({"outcome": "spoke"}, ("/outcome", "unknown_value")),
        ({"duration_seconds": 86_401}, ("/duration_seconds", "out_of_range")),
        ({"agent_id": ANY}, ("/agent_id", "unknown_field")),
    ],
)
def test_an_invalid_correction_is_refused_with_its_fields(
    scenario: HttpScenario, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    scenario.completed_call_task()
    (wrong,) = items(scenario.manager.get(LOGS))

    answer = correct(scenario, wrong["id"], **{"outcome": "busy", **body})

    assert (problem(answer), faults(answer)) == ((422, "invalid"), [fault])
    assert items(scenario.manager.get(LOGS)) == [wrong]


def test_a_correction_without_changes_is_refused(scenario: HttpScenario) -> None:
    scenario.completed_call_task()
    (entry,) = items(scenario.manager.get(LOGS))

    assert problem(correct(scenario, entry["id"], outcome="connected")) == (422, "nothing_to_correct")


def test_managers_can_correct_the_call_log_and_agents_cannot(scenario: HttpScenario) -> None:
    scenario.completed_call_task()
    (wrong,) = items(scenario.manager.get(LOGS))
    path, body = f"{LOGS}/{wrong['id']}/corrections", {"reason": "A slip.", "outcome": "busy"}

    assert problem(scenario.ann.post(path, json=body)) == (403, "forbidden")
    assert problem(scenario.ben.post(path, json=body)) == (404, "not_found")
    assert problem(scenario.manager.post(f"{LOGS}/{ANY}/corrections", json=body)) == (404, "not_found")
    assert scenario.admin.post(path, json=body).status_code == 200


def test_the_ledger_of_a_task_is_its_chain_and_verifies(scenario: HttpScenario) -> None:
    task = scenario.completed_call_task()
    (wrong,) = items(scenario.manager.get(LOGS))
    right = correct(scenario, wrong["id"], outcome="voicemail").get_json()

    ledger = scenario.ann.get(f"{TASKS}/{task['id']}/ledger").get_json()

    assert ledger == {"task_id": task["id"], "entries": [wrong, right], "verified": True, "broken": None}
    assert problem(scenario.ben.get(f"{TASKS}/{task['id']}/ledger")) == (404, "not_found")


def test_the_ledger_of_a_pending_task_is_empty(scenario: HttpScenario) -> None:
    ledger = scenario.ann.get(f"{TASKS}/{scenario.create_call_task()['id']}/ledger").get_json()

    assert (ledger["entries"], ledger["verified"]) == ([], True)


def tampered(scenario: HttpScenario, entry_id: str, **changes: Any) -> None:
    """Change an entry behind everybody's back."""
    with scenario.service.ports.work() as unit:
        entries = unit._tables.ledger
        entries[UUID(entry_id)] = replace(entries[UUID(entry_id)], **changes)
        unit.commit()


def test_a_changed_entry_is_detected(scenario: HttpScenario) -> None:
    task = scenario.completed_call_task()
    (entry,) = items(scenario.manager.get(LOGS))

    tampered(scenario, entry["id"], duration_seconds=3000)

    ledger = scenario.manager.get(f"{TASKS}/{task['id']}/ledger").get_json()
    assert ledger["verified"] is False
    assert (ledger["broken"]["entry_id"], ledger["broken"]["number"]) == (entry["id"], 1)
    assert ledger["broken"]["reason"]


def test_a_missing_entry_is_detected(scenario: HttpScenario) -> None:
    task = scenario.completed_call_task()
    with scenario.service.ports.work() as unit:
        unit._tables.ledger.clear()
        unit.commit()

    ledger = scenario.manager.get(f"{TASKS}/{task['id']}/ledger").get_json()

    assert (ledger["verified"], ledger["broken"]["entry_id"], ledger["broken"]["number"]) == (False, None, 1)


def test_the_hashes_can_be_recomputed_from_the_response(scenario: HttpScenario) -> None:
    scenario.completed_call_task()
    with scenario.service.ports.reads() as unit:
        (stored,) = unit._tables.ledger.values()

    (shown,) = items(scenario.manager.get(LOGS))

    assert shown["hash"] == hash_of(stored)

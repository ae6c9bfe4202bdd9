"""Tests of the daily summary settings in PATCH /v1/me."""

from datetime import timedelta
from typing import Any

import pytest

from tests.http.service import Service, faults, problem
from unite_core.identity.model import Role

SIX = {"at": "18:00", "tz": "Europe/Berlin"}


def test_without_settings_there_is_no_summary(service: Service) -> None:
    for person in (service.admin(), service.manager(), service.agent()):
        assert person.get("/v1/me").get_json()["daily_summary"] is None


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MANAGER])
def test_admins_and_managers_can_enable_and_disable_it(service: Service, role: Role) -> None:
    person = service.log_in(service.add(role))

    asked = person.patch("/v1/me", json={"daily_summary": SIX})
    seen = person.get("/v1/me")
    ended = person.patch("/v1/me", json={"daily_summary": None})

    assert (asked.status_code, asked.headers["ETag"], asked.get_json()["daily_summary"]) == (200, '"2"', SIX)
    assert (seen.headers["ETag"], seen.get_json()) == ('"2"', asked.get_json())
    assert (ended.status_code, ended.headers["ETag"], ended.get_json()["daily_summary"]) == (200, '"3"', None)


def test_the_daily_summary_is_changed_by_a_merge_patch(service: Service) -> None:
    manager = service.manager()
    merge = {"Content-Type": "application/merge-patch+json"}

    first = manager.patch("/v1/me", json={"daily_summary": {"at": "07:05"}}, headers=merge)
    zone = manager.patch("/v1/me", json={"daily_summary": {"tz": "Asia/Tokyo"}}, headers=merge)
    time = manager.patch("/v1/me", json={"daily_summary": {"at": "08:00"}}, headers=merge)
    nothing = manager.patch("/v1/me", json={}, headers=merge)

    assert first.get_json()["daily_summary"] == {"at": "07:05", "tz": "UTC"}
    assert zone.get_json()["daily_summary"] == {"at": "07:05", "tz": "Asia/Tokyo"}
    assert time.get_json()["daily_summary"] == {"at": "08:00", "tz": "Asia/Tokyo"}
    assert (nothing.get_json(), nothing.headers["ETag"]) == (time.get_json(), '"4"')


def test_agents_are_refused_whatever_they_send(service: Service) -> None:
    agent = service.agent()

    for body in ({"daily_summary": SIX}, {"daily_summary": None}, {"unknown": 1}):
        assert problem(agent.patch("/v1/me", json=body)) == (403, "forbidden")
    assert problem(service.stranger.patch("/v1/me", json={"daily_summary": SIX})) == (401, "unauthenticated")


def test_a_change_may_require_a_version(service: Service) -> None:
    manager = service.manager()

    stale = manager.patch("/v1/me", json={"daily_summary": SIX}, headers={"If-Match": '"7"'})
    first = manager.patch("/v1/me", json={"daily_summary": SIX}, headers={"If-Match": '"1"'})
    either = manager.patch("/v1/me", json={"daily_summary": None}, headers={"If-Match": '"9", "2"'})

    assert problem(stale) == (412, "precondition_failed")
    assert (first.status_code, either.status_code) == (200, 200)
    assert manager.get("/v1/me", headers={"If-None-Match": '"3"'}).status_code == 304


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"daily_summary": {"at": "6 pm"}}, ("/daily_summary/at", "invalid_time")),
        ({"daily_summary": {"at": 1800}}, ("/daily_summary/at", "wrong_type")),
        ({"daily_summary": {"at": None}}, ("/daily_summary/at", "null")),
        ({"daily_summary": {"tz": "UTC"}}, ("/daily_summary/at", "required")),
        ({"daily_summary": {}}, ("/daily_summary/at", "required")),
        ({"daily_summary": {"at": "18:00", "tz": "Europe/berlin"}}, ("/daily_summary/tz", "unknown_time_zone")),
        ({"daily_summary": {"at": "18:00", "tz": None}}, ("/daily_summary/tz", "null")),
        ({"daily_summary": {"at": "18:00", "tz": ["UTC"]}}, ("/daily_summary/tz", "wrong_type")),
        ({"daily_summary": {"at": "18:00", "since": "2026-03-02"}}, ("/daily_summary/since", "unknown_field")),
        ({"daily_summary": "18:00"}, ("/daily_summary", "wrong_type")),
        ({"name": "Ann"}, ("/name", "unknown_field")),
        ({"role": "admin"}, ("/role", "unknown_field")),
    ],
)
def test_an_invalid_change_is_refused_with_its_fields(
    service: Service, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    manager = service.manager()

    answer = manager.patch("/v1/me", json=body)

    assert problem(answer) == (422, "invalid")
    assert faults(answer) == [fault]
    assert manager.get("/v1/me").headers["ETag"] == '"1"'


def test_the_correct_spelling_of_a_time_zone_is_suggested(service: Service) -> None:
    answer = service.manager().patch("/v1/me", json={"daily_summary": {"at": "18:00", "tz": "europe/berlin"}})

    (fault,) = answer.get_json()["errors"]
    assert fault["suggestion"] == "Europe/Berlin"


def test_an_admin_sees_the_settings_of_a_user_and_cannot_change_them(service: Service) -> None:
    admin, manager = service.admin(), service.manager()
    manager.patch("/v1/me", json={"daily_summary": SIX})
    path = f"/v1/users/{manager.user.id}"

    refused = admin.patch(path, json={"daily_summary": None})

    assert faults(refused) == [("/daily_summary", "unknown_field")]
    assert admin.get(path).get_json()["daily_summary"] == SIX


@pytest.mark.parametrize("lost_by", [{"role": "agent"}, {"active": False}])
def test_a_deactivation_or_a_change_to_agent_disables_it(service: Service, lost_by: dict[str, Any]) -> None:
    admin, manager = service.admin(), service.manager()
    manager.patch("/v1/me", json={"daily_summary": SIX})

    changed = admin.patch(f"/v1/users/{manager.user.id}", json=lost_by)

    assert changed.get_json()["daily_summary"] is None


def test_the_summary_is_texted_once_a_day_even_after_a_change(service: Service) -> None:
    manager = service.log_in(service.add(Role.MANAGER, phone="+12125550123"))
    manager.patch("/v1/me", json={"daily_summary": {"at": "10:00", "tz": "UTC"}})

    for hours, change in ((1, {"at": "11:00"}), (1, {"at": "12:00"})):
        service.ports.clock.advance(timedelta(hours=hours))
        service.unite.upkeep.create_daily_summaries()
        service.ports.jobs.run_all(service.unite)
        assert service.log_in(manager.user).patch("/v1/me", json={"daily_summary": change}).status_code == 200

    (sent,) = service.ports.texts.sent
    assert sent.to == "+12125550123"
    assert sent.text.startswith("Unite, Mon 2 Mar: no calls.")

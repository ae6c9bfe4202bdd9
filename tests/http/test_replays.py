"""Tests of replayed responses: only a caller who may still read the resource gets them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.http.service import CALL, DUE, PASSWORD, TASKS, HttpScenario, Person, Service, id_of, problem
from unite_core.identity.model import Role

NEW_PASSWORD = "staple battery horse"
IMAGE = {"content_type": "image/png", "size": 5}


@pytest.fixture
def scenario(service: Service) -> HttpScenario:
    return HttpScenario(service)


def keyed(person: Person, path: str, body: Any = None, key: str = "k") -> Any:
    return person.post(path, json=body, headers={"Idempotency-Key": key})


def change(scenario: HttpScenario, person: Person, **changes: Any) -> Person:
    """Change the user, whose sessions end by that, and have them log in again."""
    answer = scenario.admin.patch(f"/v1/users/{id_of(person)}", json=changes)
    assert answer.status_code == 200, answer.get_json()
    return scenario.service.log_in(person.user)


def replayed(answer: Any) -> bool:
    return bool(answer.headers.get("Idempotency-Replayed") == "true")


class TestAuthIgnoresKeys:
    def test_repeated_logins_with_one_key_each_count_as_an_attempt(self) -> None:
        service = Service(logins_per_minute=3)
        user = service.add(Role.AGENT)
        credentials = {"email": user.email, "password": PASSWORD}

        responses = [keyed(service.stranger, "/v1/auth/login", credentials) for _ in range(4)]

        assert [answer.status_code for answer in responses] == [200, 200, 200, 429]
        assert not any(map(replayed, responses))

    def test_guessed_passwords_with_the_key_of_a_login_are_counted(self) -> None:
        service = Service(logins_per_minute=3)
        user = service.add(Role.AGENT)
        keyed(service.stranger, "/v1/auth/login", {"email": user.email, "password": PASSWORD})

        guesses = [
            keyed(service.stranger, "/v1/auth/login", {"email": user.email, "password": f"guess {number}"})
            for number in range(4)
        ]

        assert [answer.status_code for answer in guesses] == [401, 401, 429, 429]

    def test_after_a_password_change_a_login_with_the_old_password_and_its_key_fails(self, service: Service) -> None:
        user = service.add(Role.AGENT)
        credentials = {"email": user.email, "password": PASSWORD}
        keyed(service.stranger, "/v1/auth/login", credentials)
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        assert service.log_in(user).post("/v1/me/password", json=body).status_code == 204

        again = keyed(service.stranger, "/v1/auth/login", credentials)

        assert problem(again) == (401, "invalid_credentials")

    def test_a_reused_refresh_token_with_its_key_revokes_the_session(self, service: Service) -> None:
        user = service.add(Role.AGENT)
        first = keyed(service.stranger, "/v1/auth/login", {"email": user.email, "password": PASSWORD}).get_json()
        body = {"refresh_token": first["refresh_token"]}
        second = keyed(service.stranger, "/v1/auth/refresh", body).get_json()

        again = keyed(service.stranger, "/v1/auth/refresh", body)

        assert problem(again) == (401, "token_reused")
        person = Person(service, user, second["access_token"])
        assert problem(person.get("/v1/me")) == (401, "token_revoked")

    @pytest.mark.parametrize("path", ["/v1/auth/logout", "/v1/auth/logout-all"])
    def test_a_logout_with_a_used_key_is_performed(self, service: Service, path: str) -> None:
        user = service.add(Role.AGENT)
        assert keyed(service.log_in(user), path).status_code == 204
        person = service.log_in(user)

        again = keyed(person, path)

        assert (again.status_code, replayed(again)) == (204, False)
        assert problem(person.get("/v1/me")) == (401, "token_revoked")

    def test_no_response_is_stored(self, service: Service) -> None:
        user = service.add(Role.AGENT)
        tokens = keyed(service.stranger, "/v1/auth/login", {"email": user.email, "password": PASSWORD}).get_json()
        keyed(service.stranger, "/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})
        keyed(service.log_in(user), "/v1/auth/logout")
        keyed(service.log_in(user), "/v1/auth/logout-all")

        with service.ports.reads() as reads:
            assert "fingerprint" not in repr(vars(reads.idempotency_keys))

    @pytest.mark.parametrize("key", ["", "x" * 256, "é"])
    def test_an_invalid_key_is_ignored(self, service: Service, key: str) -> None:
        user = service.add(Role.AGENT)

        answer = keyed(service.stranger, "/v1/auth/login", {"email": user.email, "password": PASSWORD}, key)

        assert answer.status_code == 200


class TestPasswordChanges:
    BODY = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}  # noqa: RUF012 - nobody changes it

    def test_a_repeated_change_gets_the_first_response(self, service: Service) -> None:
        person = service.agent()

        first, again = (keyed(person, "/v1/me/password", self.BODY) for _ in range(2))

        assert (first.status_code, again.status_code) == (204, 204)
        assert [replayed(first), replayed(again)] == [False, True]
        assert "Content-Type" not in again.headers

    def test_after_another_change_a_repeated_one_is_not_replayed(self, service: Service) -> None:
        person = service.agent()
        keyed(person, "/v1/me/password", self.BODY)
        back = {"current_password": NEW_PASSWORD, "new_password": PASSWORD}
        assert person.post("/v1/me/password", json=back).status_code == 204

        again = keyed(person, "/v1/me/password", self.BODY)

        assert problem(again) == (422, "wrong_password")

    def test_another_password_with_the_same_key_is_a_reused_key(self, service: Service) -> None:
        person = service.agent()
        keyed(person, "/v1/me/password", self.BODY)

        again = keyed(person, "/v1/me/password", {**self.BODY, "current_password": "a guess of somebody"})

        assert problem(again) == (422, "idempotency_key_reused")

    def test_each_request_with_a_key_counts_as_an_attempt(self) -> None:
        person = Service(logins_per_minute=4).agent()
        keyed(person, "/v1/me/password", self.BODY)

        same = keyed(person, "/v1/me/password", self.BODY)
        guesses = [
            keyed(person, "/v1/me/password", {**self.BODY, "current_password": f"a guess {number}"})
            for number in range(4)
        ]

        assert same.status_code == 204
        assert [answer.status_code for answer in guesses] == [422, 422, 429, 429]
        assert problem(keyed(person, "/v1/me/password", self.BODY)) == (429, "too_many_logins")


def test_the_stored_fingerprint_of_a_password_change_needs_a_secret_of_the_service() -> None:
    """The fingerprint needs a secret of the service: the same request is stored as something else under another one."""
    stored = []
    for secret in (b"a" * 32, b"b" * 32):
        service = Service(cursor_secrets=(secret,))
        keyed(service.agent(), "/v1/me/password", TestPasswordChanges.BODY)
        stored.append([key.fingerprint for key in service.ports.reads.store.read().idempotency_keys.values()])

    assert len(stored[0]) == len(stored[1]) == 1
    assert stored[0] != stored[1]


A_NEW_USER = {"email": "eve@unite.example", "name": "Eve", "role": "agent", "password": PASSWORD}


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/users", A_NEW_USER), ("/v1/me/password", TestPasswordChanges.BODY)],
    ids=["user", "password"],
)
def test_a_request_with_a_password_is_replayed_while_the_secret_of_its_fingerprint_is_known(
    service: Service, path: str, body: dict[str, Any]
) -> None:
    admin = service.admin()
    first = keyed(admin, path, body)
    old = service.http_config.cursor_secrets[0]

    def again_with(*known: bytes) -> Any:
        service.app.extensions["http_config"] = replace(service.http_config, cursor_secrets=known)
        return keyed(admin, path, body)

    again = again_with(b"n" * 32, b"m" * 32, old)
    assert (again.status_code, replayed(again)) == (first.status_code, True)
    assert again.get_data() == first.get_data()
    assert problem(again_with(b"n" * 32)) == (422, "idempotency_key_reused")
    assert again_with(old).status_code == first.status_code


def test_another_password_is_a_reused_key_under_any_secret(service: Service) -> None:
    person = service.agent()
    keyed(person, "/v1/me/password", TestPasswordChanges.BODY)
    known = (b"n" * 32, *service.http_config.cursor_secrets)
    service.app.extensions["http_config"] = replace(service.http_config, cursor_secrets=known)

    again = keyed(person, "/v1/me/password", {**TestPasswordChanges.BODY, "current_password": "a guess of somebody"})

    assert problem(again) == (422, "idempotency_key_reused")


def a_note(scenario: HttpScenario) -> tuple[str, Any]:
    return f"{TASKS}/{scenario.create_call_task()['id']}/notes", {"text": "She asked for a demonstration."}


def a_completion(scenario: HttpScenario) -> tuple[str, Any]:
    return f"{TASKS}/{scenario.create_call_task()['id']}/complete", CALL


@pytest.mark.parametrize("request_of", [a_note])
def test_an_action_on_a_task_is_not_replayed_after_the_task_was_reassigned(
    scenario: HttpScenario, request_of: Callable[[HttpScenario], tuple[str, Any]]
) -> None:
    path, body = request_of(scenario)
    assert keyed(scenario.ann, path, body).status_code == 200
    task_path = path.rpartition("/")[0]
    assert scenario.manager.post(f"{task_path}/assign", json={"assigned_to": id_of(scenario.ben)}).status_code == 200

    again = keyed(scenario.ann, path, body)

    assert problem(again) == (404, "not_found")
    assert again.get_json()["detail"] == scenario.ann.get(task_path).get_json()["detail"]


def test_a_completion_is_replayed_without_a_lead_that_the_caller_may_no_longer_see(scenario: HttpScenario) -> None:
    path, body = a_completion(scenario)
    first = keyed(scenario.ann, path, body)
    scenario.manager.patch(f"/v1/leads/{scenario.grace}", json={"assigned_to": id_of(scenario.ben)})

    again = keyed(scenario.ann, path, body)

    assert (again.status_code, replayed(again)) == (200, True)
    assert again.get_json() == {**first.get_json(), "lead": None}
    assert again.headers["ETag"] == first.headers["ETag"]


def test_a_repeated_completion_gets_the_first_response(scenario: HttpScenario) -> None:
    path, body = a_completion(scenario)
    first = keyed(scenario.ann, path, body)
    scenario.manager.patch(f"/v1/leads/{scenario.grace}", json={"name": "Grace Brewster Hopper"})

    again = keyed(scenario.ann, path, body)

    assert again.get_data() == first.get_data()


class TestDemotion:
    """Mo was a manager, and is an agent now."""

    def test_a_created_lead_is_refused(self, scenario: HttpScenario) -> None:
        body = {"name": "Ada", "email": "ada@example.com", "assigned_to": id_of(scenario.ben)}
        assert keyed(scenario.manager, "/v1/leads", body).status_code == 201

        again = keyed(change(scenario, scenario.manager, role="agent"), "/v1/leads", body)

        assert problem(again) == (404, "not_found")

    def test_a_created_lead_that_is_assigned_to_them_is_replayed(self, scenario: HttpScenario) -> None:
        body = {"name": "Ada", "email": "ada@example.com", "assigned_to": id_of(scenario.manager)}
        first = keyed(scenario.manager, "/v1/leads", body)

        again = keyed(change(scenario, scenario.manager, role="agent"), "/v1/leads", body)

        assert again.get_json() == first.get_json()

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            (TASKS, {"due_at": DUE}),
            ("/v1/leads/{lead}/images", IMAGE),
            ("/v1/call-tasks/{task}/notes", {"text": "A note."}),
            ("/v1/call-tasks/{task}/cancel", {"reason": "She bought elsewhere."}),
            ("/v1/call-tasks/{task}/complete", CALL),
        ],
        ids=lambda it: it if isinstance(it, str) else "",
    )
    def test_actions_on_leads_and_tasks_of_others_are_refused(
        self, scenario: HttpScenario, path: str, body: Any
    ) -> None:
        path = path.format(lead=scenario.grace, task=scenario.create_call_task()["id"])
        if path == TASKS:
            body = {**body, "lead_id": scenario.grace}
        assert keyed(scenario.manager, path, body).status_code in {200, 201}

        again = keyed(change(scenario, scenario.manager, role="agent"), path, body)

        assert problem(again) == (404, "not_found")

    def test_the_cancellation_of_their_own_task_is_refused(self, scenario: HttpScenario) -> None:
        path = f"{TASKS}/{scenario.create_call_task(assigned_to=id_of(scenario.manager))['id']}/cancel"
        assert keyed(scenario.manager, path, {"reason": "Gone."}).status_code == 200

        again = keyed(change(scenario, scenario.manager, role="agent"), path, {"reason": "Gone."})

        assert problem(again) == (403, "forbidden")

    def test_a_correction_of_their_own_call_is_refused(self, scenario: HttpScenario) -> None:
        task = scenario.create_call_task(assigned_to=id_of(scenario.manager))["id"]
        scenario.manager.post(f"{TASKS}/{task}/complete", json=CALL)
        [entry] = scenario.manager.get(f"/v1/call-logs?task_id={task}").get_json()["items"]
        path, body = f"/v1/call-logs/{entry['id']}/corrections", {"reason": "It was short.", "duration_seconds": 1}
        assert keyed(scenario.manager, path, body).status_code == 200

        again = keyed(change(scenario, scenario.manager, role="agent"), path, body)

        assert problem(again) == (403, "forbidden")

    def test_an_import_is_refused(self, scenario: HttpScenario) -> None:
        body = {"filename": "leads.csv", "size": 48213}
        assert keyed(scenario.manager, "/v1/lead-imports", body).status_code == 201

        again = keyed(change(scenario, scenario.manager, role="agent"), "/v1/lead-imports", body)

        assert problem(again) == (403, "forbidden")

    def test_a_user_that_a_former_admin_created_is_refused(self, scenario: HttpScenario) -> None:
        admin = scenario.service.admin()
        body = {"email": "ada@unite.example", "name": "Ada", "role": "agent", "password": PASSWORD}
        assert keyed(admin, "/v1/users", body).status_code == 201

        again = keyed(change(scenario, admin, role="manager"), "/v1/users", body)

        assert problem(again) == (403, "forbidden")


def test_a_deleted_lead_is_not_replayed(scenario: HttpScenario) -> None:
    body = {"name": "Ada", "email": "ada@example.com"}
    first = keyed(scenario.manager, "/v1/leads", body)
    assert scenario.manager.delete(first.headers["Location"]).status_code == 204

    again = keyed(scenario.manager, "/v1/leads", body)

    assert problem(again) == (404, "not_found")


def test_an_image_of_a_reassigned_lead_is_not_replayed(scenario: HttpScenario) -> None:
    path = f"/v1/leads/{scenario.grace}/images"
    assert keyed(scenario.ann, path, IMAGE).status_code == 201
    scenario.manager.patch(f"/v1/leads/{scenario.grace}", json={"assigned_to": id_of(scenario.ben)})

    assert problem(keyed(scenario.ann, path, IMAGE)) == (404, "not_found")


def test_another_request_with_the_same_key_is_a_reused_key_whatever_the_caller_may_see(scenario: HttpScenario) -> None:
    path = f"/v1/leads/{scenario.grace}/images"
    keyed(scenario.ann, path, IMAGE)
    scenario.manager.patch(f"/v1/leads/{scenario.grace}", json={"assigned_to": id_of(scenario.ben)})

    assert problem(keyed(scenario.ann, path, {**IMAGE, "size": 6})) == (422, "idempotency_key_reused")


def test_a_deactivated_user_gets_no_replay(scenario: HttpScenario) -> None:
    path, body = a_completion(scenario)
    keyed(scenario.ann, path, body)
    scenario.admin.patch(f"/v1/users/{id_of(scenario.ann)}", json={"active": False})

    assert problem(keyed(scenario.ann, path, body)) == (401, "token_revoked")

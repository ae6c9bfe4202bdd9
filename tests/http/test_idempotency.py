"""Tests of Idempotency-Key over HTTP."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.http.service import PASSWORD, Person, Service, problem
from unite_core.identity.model import Role

LEAD = {"name": "Grace", "phone": "+12125550123"}


def post(person: Person, key: str, body: Any = LEAD, path: str = "/v1/leads") -> Any:
    return person.post(path, json=body, headers={"Idempotency-Key": key})


def test_a_repeated_request_gets_the_first_response_and_has_no_effect(service: Service) -> None:
    manager = service.manager()

    first, again = post(manager, "k"), post(manager, "k")

    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.get_data()) == (first.status_code, first.get_data())
    for name in ("Location", "ETag", "Content-Type"):
        assert again.headers[name] == first.headers[name]
    assert len(manager.get("/v1/leads").get_json()["items"]) == 1


def test_another_body_with_the_same_key_is_422(service: Service) -> None:
    manager = service.manager()
    post(manager, "k")

    assert problem(post(manager, "k", {**LEAD, "name": "Ada"})) == (422, "idempotency_key_reused")


def test_another_lead_with_the_same_key_is_422(service: Service) -> None:
    manager = service.manager()
    image = {"content_type": "image/png", "size": 5}
    one = post(manager, "a").headers["Location"]
    other = post(manager, "b", {"name": "Ada", "email": "ada@unite.example"}).headers["Location"]
    post(manager, "k", image, f"{one}/images")

    assert problem(post(manager, "k", image, f"{other}/images")) == (422, "idempotency_key_reused")


def test_a_key_is_valid_for_one_user_and_one_route(service: Service) -> None:
    manager, other = service.manager(), service.manager()
    post(manager, "k")

    assert problem(post(other, "k")) == (409, "duplicate_lead")
    user = {"email": "a@unite.example", "name": "A", "role": "agent", "password": PASSWORD}
    assert problem(post(manager, "k", user, "/v1/users")) == (403, "forbidden")


def test_a_key_can_be_used_for_another_request_after_a_day(service: Service) -> None:
    user = service.add(Role.MANAGER)
    post(service.log_in(user), "k")

    service.ports.clock.advance(timedelta(hours=24, seconds=1))

    later = post(service.log_in(user), "k", {"name": "Ada", "email": "ada@unite.example"})
    assert later.status_code == 201


def test_a_failed_request_can_be_corrected_with_the_same_key(service: Service) -> None:
    manager = service.manager()

    assert problem(post(manager, "k", {"name": "Grace"})) == (422, "invalid")
    assert post(manager, "k").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "é"])
def test_an_invalid_key_is_400(service: Service, key: str) -> None:
    manager = service.manager()

    assert problem(post(manager, key)) == (400, "invalid_header")
    assert manager.get("/v1/leads").get_json()["items"] == []


@pytest.mark.parametrize("key", ["x", "x" * 255, "with blanks, and ~!"])
def test_a_key_consists_of_printable_ascii(service: Service, key: str) -> None:
    assert post(service.manager(), key).status_code == 201


def test_stored_responses_are_encrypted(service: Service) -> None:
    answer = post(service.manager(), "my-key", {"name": "Grace Hopper", "phone": "+12125550123"})

    with service.ports.reads() as reads:
        stored = repr(vars(reads.idempotency_keys))

    assert re.search("answer=b['\"]", stored)
    for known in (answer.get_json()["id"], "Grace Hopper", "+12125550123", "my-key"):
        assert known not in stored


def test_of_concurrent_requests_with_one_key_one_is_performed(service: Service) -> None:
    manager = service.manager()
    start = threading.Barrier(8)

    def ask(_: int) -> Any:
        start.wait()
        return post(manager, "k")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))

    made = [answer for answer in answers if answer.status_code == 201]
    assert made
    assert len({answer.get_json()["id"] for answer in made}) == 1
    assert all(problem(answer) == (409, "request_in_progress") for answer in answers if answer.status_code != 201)
    assert [answer for answer in made if "Idempotency-Replayed" not in answer.headers][1:] == []
    assert len(manager.get("/v1/leads").get_json()["items"]) == 1


def test_a_response_without_a_body_is_replayed_without_one(service: Service) -> None:
    manager = service.manager()
    change = {"current_password": PASSWORD, "new_password": "staple battery horse"}

    first = post(manager, "k", change, "/v1/me/password")
    again = post(manager, "k", change, "/v1/me/password")

    assert (first.status_code, again.status_code) == (204, 204)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Content-Type" not in again.headers

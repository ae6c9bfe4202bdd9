"""Numbers as people send them: each is read rightly, or refused with its cause and a suggestion."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.http.imports.scenario import import_file
from tests.http.service import Person, Service
from unite_core.identity.model import Role


@pytest.fixture
def german() -> Service:
    return Service(default_country="DE")


def refusal_of_lead(person: Person, phone: str) -> tuple[str, str | None]:
    answer = person.post("/v1/leads", json={"name": "Ada", "phone": phone})
    return refusal(answer)


def refusal(answer: Any) -> tuple[str, str | None]:
    assert answer.status_code == 422, answer.get_json()
    (error,) = answer.get_json()["errors"]
    assert (error["pointer"], error["code"]) == ("/phone", "invalid_phone")
    return error["detail"], error.get("suggestion")


def test_a_calling_code_without_a_plus_is_read_as_one(german: Service) -> None:
    answer = german.manager().post("/v1/leads", json={"name": "Ada", "phone": "4915112345601"})

    assert answer.get_json()["phone"] == "+4915112345601"


def refused_in_germany() -> Iterator[tuple[str, str, str | None]]:
    yield "030 901820 home", "Leave out all other words", "+4930901820"
    yield "10115", "too few digits", None
    yield "2026-11-29", "a date", None
    yield "1.234,56", "a decimal number", None
    yield "192.168.1.1", "an IP address", None
    yield "030 901820, 030 901821", "more than one number", "+4930901820"
    yield "442079460958", "of another country", "+442079460958"


@pytest.mark.parametrize(("phone", "said", "suggestion"), list(refused_in_germany()))
def test_what_may_be_no_number_is_refused_for_leads_and_for_users(
    german: Service, phone: str, said: str, suggestion: str | None
) -> None:
    admin = german.admin()
    user = {"email": "ada@unite.example", "name": "Ada", "role": "agent", "password": "correct horse battery"}

    detail, suggested = refusal_of_lead(admin, phone)

    assert said in detail
    assert suggested == suggestion
    assert refusal(admin.post("/v1/users", json={**user, "phone": phone})) == (detail, suggested)
    assert refusal(admin.patch(f"/v1/users/{german.add(Role.AGENT).id}", json={"phone": phone})) == (detail, suggested)


def test_a_french_number_is_no_american_one(service: Service) -> None:
    assert "begins with these digits" in refusal_of_lead(service.manager(), "01 99 00 01 02")[0]


def test_staff_have_addresses_of_their_own_network_and_leads_do_not(service: Service) -> None:
    admin = service.admin()
    staff = {"name": "Ada", "role": "agent", "password": "correct horse battery"}

    for domain in ("office.local", "crm.internal", "floor.test"):
        email = f"ada@{domain}"
        assert admin.post("/v1/users", json={**staff, "email": email}).status_code == 201
        assert (
            service.stranger.post("/v1/auth/login", json={"email": email, "password": staff["password"]}).status_code
            == 200
        )
        refused = admin.post("/v1/leads", json={"name": "Ada", "email": email})
        assert [(each["pointer"], each["code"]) for each in refused.get_json()["errors"]] == [
            ("/email", "invalid_email")
        ]


def test_an_import_that_updates_leaves_the_extension_of_the_same_number(service: Service) -> None:
    manager = service.manager()
    lead = {"name": "Ada", "phone": "+12125550123", "phone_extension": "7", "email": "ada@example.com"}
    path = manager.post("/v1/leads", json=lead).headers["Location"]

    import_file(manager, b"Name,Phone,Email\nAda King,(212) 555-0123,ada@example.com\n", on_duplicate="update")

    changed = manager.get(path).get_json()
    assert (changed["name"], changed["phone"], changed["phone_extension"]) == ("Ada King", "+12125550123", "7")

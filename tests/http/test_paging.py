"""Tests of pagination over HTTP: links, cursors and limits."""

import base64
from typing import Any

import pytest

from tests.http.service import Person, Service, problem


def fill(person: Person, count: int) -> None:
    for number in range(count):
        answer = person.post("/v1/leads", json={"name": f"Nr {number}", "email": f"nr{number}@unite.example"})
        assert answer.status_code == 201


def walk(person: Person, path: str) -> list[str]:
    """The names on every page, by following the links."""
    names: list[str] = []
    link: str | None = path
    while link:
        answer = person.get(link)
        names += [each["name"] for each in answer.get_json()["items"]]
        header = answer.headers.get("Link")
        assert (header is None) == (answer.get_json()["next_cursor"] is None)
        link = header.removeprefix("<").removesuffix('>; rel="next"') if header else None
    return names


def cursor_of(answer: Any) -> str:
    cursor = answer.get_json()["next_cursor"]
    assert isinstance(cursor, str)
    return cursor


def test_following_the_links_returns_every_lead_once(service: Service) -> None:
    manager = service.manager()
    fill(manager, 7)

    assert walk(manager, "/v1/leads?limit=2&source=api") == [f"Nr {number}" for number in range(6, -1, -1)]


def test_leads_that_are_created_meanwhile_do_not_affect_later_pages(service: Service) -> None:
    manager = service.manager()
    fill(manager, 4)
    first = manager.get("/v1/leads?limit=2")
    manager.post("/v1/leads", json={"name": "Late", "email": "late@unite.example"})

    second = manager.get(f"/v1/leads?limit=2&cursor={cursor_of(first)}")

    assert [each["name"] for each in second.get_json()["items"]] == ["Nr 1", "Nr 0"]


def test_a_link_starts_with_the_public_url_and_keeps_the_filters(service: Service) -> None:
    manager = service.manager()
    fill(manager, 2)

    link = manager.get("/v1/leads?q=nr&limit=1").headers["Link"]

    assert link.startswith("<https://unite.example/v1/leads?q=nr&limit=1&cursor=")


def test_a_page_has_fifty_items_by_default(service: Service) -> None:
    manager = service.manager()
    fill(manager, 51)

    assert len(manager.get("/v1/leads").get_json()["items"]) == 50
    assert len(manager.get("/v1/leads?limit=200").get_json()["items"]) == 51


def test_a_cursor_with_any_character_changed_is_refused(service: Service) -> None:
    manager = service.manager()
    fill(manager, 2)
    cursor = cursor_of(manager.get("/v1/leads?limit=1"))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    for place, character in enumerate(cursor):
        other = alphabet[(alphabet.index(character) + 1) % 64]
        altered = cursor[:place] + other + cursor[place + 1 :]
        assert problem(manager.get(f"/v1/leads?limit=1&cursor={altered}")) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "A" * 54, "A" * 10_000, "é", "%00", "null", base64.urlsafe_b64encode(b"0" * 24).decode()],
)
def test_an_invalid_cursor_is_400(service: Service, cursor: str) -> None:
    assert problem(service.manager().get("/v1/leads", query_string={"cursor": cursor})) == (400, "invalid_cursor")


@pytest.mark.parametrize("path", ["/v1/users?limit=1", "/v1/leads?limit=1&status=new", "/v1/leads?limit=1&q=nr"])
def test_a_cursor_of_another_list_is_refused(service: Service, path: str) -> None:
    manager = service.manager()
    fill(manager, 2)
    cursor = cursor_of(manager.get("/v1/leads?limit=1"))

    assert problem(manager.get(f"{path}&cursor={cursor}")) == (400, "invalid_cursor")


def test_the_limit_may_change_between_pages(service: Service) -> None:
    manager = service.manager()
    fill(manager, 3)
    cursor = cursor_of(manager.get("/v1/leads?limit=1"))

    assert len(manager.get(f"/v1/leads?limit=200&cursor={cursor}").get_json()["items"]) == 2


def test_cursors_stay_valid_after_one_rotation_of_the_secret_but_not_two(service: Service) -> None:
    manager = service.manager()
    fill(manager, 2)
    cursor = cursor_of(manager.get("/v1/leads?limit=1"))
    old, new = service.http_config.cursor_secrets[0], b"n" * 32

    def asked_with(*secrets: bytes) -> int:
        http_config = service.app.extensions["http_config"]
        service.app.extensions["http_config"] = type(http_config)(
            public_url=http_config.public_url, cursor_secrets=secrets
        )
        return manager.get(f"/v1/leads?limit=1&cursor={cursor}").status_code

    assert asked_with(new, old) == 200
    assert asked_with(new) == 400

"""Tests of which roles may import leads."""

from typing import Any

import pytest

from tests.http.imports.scenario import IMPORTS, TWO_LEADS, import_file, json_of, upload_file
from tests.http.service import HttpScenario, Person
from unite_core.identity.model import Role

ROUTES = [
    ("POST", IMPORTS),
    ("POST", f"{IMPORTS}/file"),
    ("POST", f"{IMPORTS}/{{id}}/start"),
    ("GET", IMPORTS),
    ("GET", f"{IMPORTS}/{{id}}"),
    ("GET", f"{IMPORTS}/{{id}}/events"),
    ("GET", f"{IMPORTS}/{{id}}/rejections"),
    ("GET", f"{IMPORTS}/{{id}}/error-report"),
    ("POST", f"{IMPORTS}/{{id}}/cancel"),
    ("POST", f"{IMPORTS}/{{id}}/undo"),
]


def ask(scenario: HttpScenario, person: Person, method: str, path: str) -> tuple[int, str]:
    path = path.format(id=json_of(upload_file(scenario.manager, TWO_LEADS))["id"])
    body: dict[str, Any] = {}
    if path == IMPORTS and method == "POST":
        body = {"json": {"filename": "leads.csv", "size": 10}}
    elif path.endswith("/file"):
        form = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nName\r\n--edge--\r\n'
        body = {"data": form, "content_type": "multipart/form-data; boundary=edge"}
    response = person.send(method, path, **body)
    return response.status_code, json_of(response)["code"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_agents_have_no_access_to_imports(scenario: HttpScenario, method: str, path: str) -> None:
    assert ask(scenario, scenario.ann, method, path) == (403, "forbidden")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_unauthenticated_clients_have_no_access(scenario: HttpScenario, method: str, path: str) -> None:
    assert ask(scenario, scenario.service.stranger, method, path) == (401, "unauthenticated")


def test_a_file_that_an_agent_uploads_is_not_stored(scenario: HttpScenario) -> None:
    upload_file(scenario.ann, TWO_LEADS)

    assert scenario.service.ports.files._contents == {}


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MANAGER])
def test_admins_and_managers_import(scenario: HttpScenario, role: Role) -> None:
    person = {Role.ADMIN: scenario.admin, Role.MANAGER: scenario.manager}[role]

    done = import_file(person, TWO_LEADS)

    assert done["created_by"] == str(person.user.id)
    assert done["counts"]["created"] == 2


def test_the_same_file_of_another_user_is_another_import(scenario: HttpScenario) -> None:
    first = import_file(scenario.manager, TWO_LEADS)

    second = import_file(scenario.admin, TWO_LEADS)

    assert second["id"] != first["id"]
    assert second["counts"]["duplicate"] == 2

"""Who may import leads."""

import pytest

from tests.http.imports.scenario import IMPORTS, TWO_LEADS, HttpImportScenario, json_of
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


def ask(scenario: HttpImportScenario, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    path = path.format(id=json_of(scenario.upload(TWO_LEADS))["id"])
    body: dict[str, object] = {}
    if path == IMPORTS and method == "POST":
        body = {"json": {"filename": "leads.csv", "size": 10}}
    elif path.endswith("/file"):
        form = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nName\r\n--edge--\r\n'
        body = {"data": form, "content_type": "multipart/form-data; boundary=edge"}
    response = scenario.client.open(path, method=method, headers=headers, **body)
    return response.status_code, json_of(response)["code"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_agents_have_nothing_to_do_with_imports(scenario: HttpImportScenario, method: str, path: str) -> None:
    assert ask(scenario, method, path, scenario.headers(Role.AGENT)) == (403, "forbidden")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_gets_in_without_a_token(scenario: HttpImportScenario, method: str, path: str) -> None:
    assert ask(scenario, method, path, {}) == (401, "unauthenticated")


def test_an_agents_file_is_not_kept(scenario: HttpImportScenario) -> None:
    scenario.acting = Role.AGENT

    scenario.upload(TWO_LEADS)

    assert scenario.files._contents == {}


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MANAGER])
def test_admins_and_managers_import(scenario: HttpImportScenario, role: Role) -> None:
    scenario.acting = role

    done = scenario.imported(TWO_LEADS)

    assert done["created_by"] == str(scenario.users[role])
    assert done["counts"]["created"] == 2


def test_the_same_file_from_somebody_else_is_another_import(scenario: HttpImportScenario) -> None:
    first = scenario.imported(TWO_LEADS)
    scenario.acting = Role.ADMIN

    second = scenario.imported(TWO_LEADS)

    assert second["id"] != first["id"]
    assert second["counts"]["duplicate"] == 2

"""Who may import leads."""

import pytest

from tests.http.imports.floor import IMPORTS, TWO_LEADS, Floor, json_of
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


def ask(floor: Floor, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
    path = path.format(id=json_of(floor.upload(TWO_LEADS))["id"])
    body: dict[str, object] = {}
    if path == IMPORTS and method == "POST":
        body = {"json": {"filename": "leads.csv", "size": 10}}
    elif path.endswith("/file"):
        form = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nName\r\n--edge--\r\n'
        body = {"data": form, "content_type": "multipart/form-data; boundary=edge"}
    response = floor.client.open(path, method=method, headers=headers, **body)
    return response.status_code, json_of(response)["code"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_agents_have_nothing_to_do_with_imports(floor: Floor, method: str, path: str) -> None:
    assert ask(floor, method, path, floor.headers(Role.AGENT)) == (403, "forbidden")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_gets_in_without_a_token(floor: Floor, method: str, path: str) -> None:
    assert ask(floor, method, path, {}) == (401, "unauthenticated")


def test_an_agents_file_is_not_kept(floor: Floor) -> None:
    floor.acting = Role.AGENT

    floor.upload(TWO_LEADS)

    assert floor.files._contents == {}


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MANAGER])
def test_admins_and_managers_import(floor: Floor, role: Role) -> None:
    floor.acting = role

    done = floor.imported(TWO_LEADS)

    assert done["created_by"] == str(floor.users[role])
    assert done["counts"]["created"] == 2


def test_the_same_file_from_somebody_else_is_another_import(floor: Floor) -> None:
    first = floor.imported(TWO_LEADS)
    floor.acting = Role.ADMIN

    second = floor.imported(TWO_LEADS)

    assert second["id"] != first["id"]
    assert second["counts"]["duplicate"] == 2

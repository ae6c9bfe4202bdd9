"""Tests of permissions that are checked before anything of the request is read."""

from typing import Any

import pytest

from entrypoints.http.framework.operation_docs import Operation
from tests.guards.http_inputs import api_operations
from tests.http.service import Service, problem
from unite_core.identity.model import PERMISSIONS, Permission, Role

OPERATIONS = api_operations(Service().app)
RESTRICTED = [each for each in OPERATIONS if each.permission is not None]
NONSENSE: list[dict[str, Any]] = [
    {"data": b"{", "content_type": "application/json"},
    {"json": {"unknown": 1}},
    {"data": b"x" * 1_100_000, "content_type": "text/plain"},
    {"data": b"", "headers": {"Content-Encoding": "br"}},
]


def path_of(operation: Operation) -> str:
    parts = operation.path.split("/")
    return "/".join("01990f3e-9b5c-7d2e-8f3a-1b2c3d4e5f60" if part.startswith("<") else part for part in parts)


@pytest.mark.parametrize("operation", RESTRICTED, ids=lambda each: f"{each.method} {each.path}")
def test_a_role_without_the_permission_is_refused_whatever_it_sends(service: Service, operation: Operation) -> None:
    assert operation.permission is not None
    lacking = next(role for role in Role if operation.permission not in PERMISSIONS[role])
    person = service.log_in(service.add(lacking))

    for nonsense in NONSENSE if operation.method in ("POST", "PATCH") else [{}]:
        answer = person.send(operation.method, f"{path_of(operation)}?unknown=1", **nonsense)
        assert problem(answer) == (403, "forbidden")


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if "<" not in each.path and not each.public and each.permission is None],
    ids=lambda each: f"{each.method} {each.path}",
)
def test_an_operation_without_a_permission_is_for_every_role(service: Service, operation: Operation) -> None:
    person = service.agent()

    answer = person.send(operation.method, operation.path, json=operation.body_example)

    assert answer.status_code != 403


def test_the_permissions_that_depend_only_on_the_role_are_listed() -> None:
    # The others belong to something in the path or the body, which is looked up first: what nobody may see is 404.
    assert {each.permission for each in RESTRICTED} == {
        Permission.CHANGE_USERS,
        Permission.GET_DAILY_SUMMARY,
        Permission.IMPORT_LEADS,
        Permission.LIST_DELIVERIES,
        Permission.REPLAY_DELIVERIES,
        Permission.SEE_ALL_CALLS,
    }

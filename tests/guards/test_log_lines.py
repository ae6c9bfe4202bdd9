"""Tests that no log line contains anything of a request, by a marker in every input."""

import json
import logging
import re
from typing import Any

import pytest

from entrypoints.http.framework.operation_docs import Operation
from entrypoints.logs import JsonLinesFormatter
from tests.guards.http_inputs import field_paths, header_names, with_name, with_value
from tests.guards.test_http_texts import OPERATIONS, World, body_type, name_of

PLANTED = "planted-3f9a"
FORMATTER = JsonLinesFormatter()

LOGGED = ("X-Correlation-ID", "Content-Type")
"""Headers that are not planted in: the first is logged, which is what it is for; the second is needed for a body."""


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [FORMATTER.format(record) for record in caplog.records]


def send(world: World, operation: Operation, **options: Any) -> None:
    path = options.pop("path", None) or world.path_of(operation)
    headers = {"Cookie": world.cookie} if operation.cookie else {"Authorization": world.authorization}
    world.client.open(path, method=operation.method, headers=headers | options.pop("headers", {}), **options).close()


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
def test_no_log_line_contains_a_part_of_a_request(
    world: World, operation: Operation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    in_path = re.sub(r"<(?:\w+:)?(\w+)>", PLANTED, operation.path)
    send(world, operation, path=in_path)
    send(world, operation, path=f"{in_path}/{PLANTED}")
    send(world, operation, query_string={"q": PLANTED, PLANTED: PLANTED, "cursor": PLANTED, "token": PLANTED})
    send(world, operation, headers={name: PLANTED for name in header_names() if name not in LOGGED})
    send(world, operation, data=PLANTED, content_type="application/x-www-form-urlencoded")
    if operation.body is not None:
        for path in field_paths(operation.body()):
            for body in (
                with_value(operation.body_example, path, PLANTED),
                with_name(operation.body_example, path, PLANTED),
            ):
                send(world, operation, data=json.dumps(body), content_type=body_type(operation))

    written = lines(caplog)
    assert any('"message": "request"' in line for line in written)
    assert [line for line in written if PLANTED in line] == []


def test_a_log_line_with_the_marker_is_detected(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    logging.getLogger("unite").info("request", extra={"path": f"/{PLANTED}"})

    assert [line for line in lines(caplog) if PLANTED in line] != []

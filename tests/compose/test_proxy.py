"""Tests of the proxy of the Compose stack: headers, body sizes, and restarts of the app without failed requests."""

import re
import socket
from urllib.parse import urlsplit

from tests.compose.load import under_load
from tests.compose.stack import Stack
from tests.service_process import TIMEOUT, Client, direct_session

TOO_LARGE = 200_000_000


def test_a_client_cannot_set_its_address_by_a_header(stack: Stack) -> None:
    remaining = []
    with direct_session() as anybody:
        for number in range(3):
            spoofed = {"X-Forwarded-For": f"198.51.100.{number}", "X_Forwarded_For": f"203.0.113.{number}"}
            answer = anybody.get(f"{stack.url}/nothing", headers=spoofed, timeout=TIMEOUT)
            match = re.search(r'"address";r=(\d+)', answer.headers["RateLimit"])
            assert match, answer.headers
            remaining.append(int(match[1]))

    assert remaining == sorted(set(remaining), reverse=True)


def test_a_body_that_is_too_large_is_refused_by_the_service_before_it_is_sent(stack: Stack) -> None:
    head = (
        "POST /v1/auth/login HTTP/1.1\r\nHost: unite\r\nContent-Type: application/json\r\n"
        f"Content-Length: {TOO_LARGE}\r\nExpect: 100-continue\r\n\r\n"
    )
    port = urlsplit(stack.url).port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as client:
        client.sendall(head.encode())
        answer = client.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer


def test_a_response_does_not_name_the_proxy(stack: Stack) -> None:
    with direct_session() as anybody:
        answer = anybody.post(f"{stack.url}/v1/auth/login", data="{", timeout=TIMEOUT)

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"Server", "Via"} & set(answer.headers) == set()


def test_no_request_fails_during_a_restart_of_the_app(stack: Stack, client: Client) -> None:
    with under_load(client) as load:
        stack.compose("restart", "app")
        stack.compose("up", "--detach", "--wait", "app")

    assert load.failed == []
    assert load.sent > 0


def test_no_request_fails_while_the_app_is_replaced(stack: Stack, client: Client) -> None:
    before = stack.containers("app")
    with under_load(client) as load:
        stack.compose("up", "--detach", "--force-recreate", "--no-deps", "--wait", "app")

    assert load.failed == []
    assert set(stack.containers("app")) & set(before) == set()

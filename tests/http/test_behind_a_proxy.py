"""Tests of a running service behind a proxy: rate limits per client address, and forged headers."""

import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.servers.proxy import ADDRESS, proxy_before
from tests.service_process import ADMIN, Service, eventually, service

TRIES = 60
LOGIN_LIMIT = 4
MAX_FAILURES = 5 * LOGIN_LIMIT


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Service]:
    with service(tmp_path, UNITE_TRUSTED_PROXIES=f"192.0.2.0/24,{ADDRESS}", UNITE_LOGIN_LIMIT=str(LOGIN_LIMIT)) as one:
        one.start()
        yield one


def log_in(
    url: str, address: str, email: str, password: str, headers: Mapping[str, str] | None = None
) -> tuple[int, str | None]:
    """Return the status of a login from the address, and its Strict-Transport-Security."""
    to = urlsplit(url)
    connection = http.client.HTTPConnection(to.hostname or "", to.port, timeout=60, source_address=(address, 0))
    body = json.dumps({"email": email, "password": password})
    connection.request("POST", "/v1/auth/login", body, {"Content-Type": "application/json", **(headers or {})})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.getheader("Strict-Transport-Security")


def guess(url: str, address: str, headers: Mapping[str, str] | None = None) -> list[int]:
    """Statuses of many wrong logins from the address, each of another account and perhaps with another header."""
    return [
        log_in(url, address, f"user{number}@example.com", "a guess", {k: v.format(number) for k, v in headers.items()})[
            0
        ]
        if headers
        else log_in(url, address, f"user{number}@example.com", "a guess")[0]
        for number in range(TRIES)
    ]


def test_a_client_that_guesses_passwords_blocks_only_itself(one: Service) -> None:
    with proxy_before(one.url) as url:
        statuses = guess(url, "127.0.0.2")

        assert statuses == [401] * MAX_FAILURES + [429] * (TRIES - MAX_FAILURES)
        assert log_in(url, "127.0.0.2", ADMIN["email"], ADMIN["password"])[0] == 429
        status, transport = log_in(url, "127.0.0.3", ADMIN["email"], ADMIN["password"])

    assert status == 200
    assert transport is not None  # the proxy says that the client speaks TLS


def test_forged_headers_through_the_proxy_give_no_further_attempts(one: Service) -> None:
    with proxy_before(one.url) as url:
        made_up = {"X-Forwarded-For": "198.51.100.{}", "X-Real-IP": "198.51.100.{}", "Forwarded": "for=198.51.100.{}"}
        statuses = guess(url, "127.0.0.2", made_up)

        assert statuses.count(429) == TRIES - MAX_FAILURES
        assert log_in(url, "127.0.0.3", ADMIN["email"], ADMIN["password"])[0] == 200


def test_forged_headers_without_the_proxy_give_no_further_attempts(one: Service) -> None:
    statuses = guess(one.url, "127.0.0.2", {"X-Forwarded-For": "198.51.100.{}"})

    assert statuses.count(429) == TRIES - MAX_FAILURES
    assert log_in(one.url, "127.0.0.3", ADMIN["email"], ADMIN["password"])[0] == 200


def test_an_untrusted_proxy_counts_as_one_client_and_is_warned_about(one: Service) -> None:
    with proxy_before(one.url, "127.0.0.8") as url:
        guess(url, "127.0.0.2")

        assert log_in(url, "127.0.0.3", ADMIN["email"], ADMIN["password"])[0] == 429

    eventually(lambda: "UNITE_TRUSTED_PROXIES" in one.log.read_text(), "the log says what is to be set")

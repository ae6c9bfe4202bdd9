"""Tests of the rules by which the server reads the body of each operation."""

import asyncio
import json
from typing import Any

import pytest

from entrypoints.http.server.asgi import WsgiOnThreads
from entrypoints.http.server.body import BLOCK_BYTES
from entrypoints.http.server.body_rules import BodyRule, OperationBodyRules
from tests.http.service import PASSWORD, Service
from unite_core.errors import Unavailable
from unite_core.identity.model import Role
from unite_core.testing.in_memory import InMemoryUnitOfWork, InMemoryUnitOfWorkFactory, in_memory_ports

LEAD = "01990f3e-8a4b-7c1d-9e2f-0a1b2c3d4e5f"
KIBIBYTE = 1024
FILE = 512 * KIBIBYTE * KIBIBYTE


@pytest.fixture
def rules(service: Service) -> OperationBodyRules:
    return OperationBodyRules(service.app)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/v1/auth/login", BodyRule(max_body=16 * KIBIBYTE, transfer=False, public=True)),
        ("POST", "/v1/auth/logout", BodyRule(max_body=16 * KIBIBYTE, transfer=False, public=False)),
        ("POST", "/webhooks/twilio/inbound", BodyRule(max_body=64 * KIBIBYTE, transfer=False, public=True)),
        ("POST", "/v1/leads", BodyRule(max_body=KIBIBYTE * KIBIBYTE, transfer=False, public=False)),
        ("PATCH", f"/v1/leads/{LEAD}", BodyRule(max_body=KIBIBYTE * KIBIBYTE, transfer=False, public=False)),
        ("PUT", "/files/uploads/a", BodyRule(max_body=FILE, transfer=True, public=True)),
        (
            "POST",
            "/v1/lead-imports/file",
            BodyRule(max_body=FILE + 2 * KIBIBYTE * KIBIBYTE, transfer=True, public=False),
        ),
    ],
)
def test_the_rule_follows_the_declaration_of_the_operation(
    rules: OperationBodyRules, method: str, path: str, expected: BodyRule
) -> None:
    assert rules.rule_for(method, path) == expected


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/leads"),
        ("HEAD", "/v1/leads"),
        ("OPTIONS", "/v1/leads"),
        ("DELETE", f"/v1/leads/{LEAD}"),
        ("POST", "/nowhere"),
        ("POST", "/v1/leads/\ufffd"),
        ("PUT", "/v1/leads"),
        ("PATCH", "/v1/leads/no-id"),
        ("POST", ""),
        ("POST", "*"),
        ("BREW", "/v1/leads"),
    ],
)
def test_an_operation_without_a_body_has_no_rule(rules: OperationBodyRules, method: str, path: str) -> None:
    assert rules.rule_for(method, path) is None


def test_only_a_valid_token_identifies_a_user(service: Service, rules: OperationBodyRules) -> None:
    credentials = {"email": service.add(Role.MANAGER).email, "password": PASSWORD}
    token = service.stranger.post("/v1/auth/login", json=credentials).get_json()["access_token"]

    assert rules.user(f"Bearer {token}") is not None
    assert rules.user("Bearer forged") is None
    assert rules.user(token) is None
    assert rules.user("") is None


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("2001:db8::1", "", "2001:db8::/64"),
        ("", "198.51.100.7", ""),
    ],
)
def test_uploads_by_a_signed_link_are_counted_by_address(peer: str, forwarded_for: str, address: str) -> None:
    rules = OperationBodyRules(Service(trusted_proxies="10.0.0.0/24").app)

    assert rules.address(peer, forwarded_for) == address


class FailingReads(InMemoryUnitOfWorkFactory):
    """Read-only units of work over the store of `work`, of which the next `failures` fail."""

    def __init__(self, work: InMemoryUnitOfWorkFactory) -> None:
        super().__init__(work._store)
        self.failures = 0

    def __call__(self) -> InMemoryUnitOfWork:
        if self.failures:
            self.failures -= 1
            raise Unavailable("The database does not answer.")
        return super().__call__()


@pytest.fixture
def reads() -> FailingReads:
    return FailingReads(in_memory_ports().work)


@pytest.fixture
def failing(reads: FailingReads) -> Service:
    return Service(work=InMemoryUnitOfWorkFactory(reads._store), reads=reads)


def test_the_user_of_a_token_is_unknown_during_an_outage_of_the_database(failing: Service, reads: FailingReads) -> None:
    rules, token = OperationBodyRules(failing.app), failing.manager()._token
    reads.failures = 1

    with pytest.raises(Unavailable):
        rules.user(f"Bearer {token}")
    assert rules.user(f"Bearer {token}") is not None


@pytest.mark.parametrize(("failures", "expected"), [(1, (503, "unavailable")), (0, (201, None))])
def test_a_large_body_is_503_although_the_database_responds_right_afterwards(
    failing: Service, reads: FailingReads, failures: int, expected: tuple[int, str | None]
) -> None:
    lead = json.dumps({"name": "Grace", "phone": "+12125550100"}).encode().ljust(2 * BLOCK_BYTES)
    coming = [
        {"type": "http.request", "body": lead[:BLOCK_BYTES], "more_body": True},
        {"type": "http.request", "body": lead[BLOCK_BYTES:], "more_body": False},
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "raw_path": b"/v1/leads",
        "query_string": b"",
        "headers": [
            (b"host", b"unite.example"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(lead)).encode()),
            (b"authorization", f"Bearer {failing.manager()._token}".encode()),
        ],
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("192.0.2.1", 50_000),
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return coming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    reads.failures = failures
    asyncio.run(WsgiOnThreads(failing.app, OperationBodyRules(failing.app))(scope, receive, send))

    body = json.loads(b"".join(message.get("body", b"") for message in sent))
    assert (sent[0]["status"], body.get("code")) == expected
    assert (b"connection", b"close") in sent[0]["headers"] or not failures


def test_each_operation_with_a_body_has_a_rule_and_only_files_may_be_large(service: Service) -> None:
    rules = OperationBodyRules(service.app)
    for rule in service.app.url_map.iter_rules():
        for method in {"POST", "PUT", "PATCH"} & (rule.methods or set()):
            path = rule.rule.replace("<path:key>", "a").replace("<", "").replace(">", "")
            path = "/".join(LEAD if part.startswith("uuid:") else part for part in path.split("/"))
            body_rule = rules.rule_for(method, path)
            assert body_rule is not None, path
            assert body_rule.transfer == (path in ("/files/a", "/v1/lead-imports/file"))
            assert body_rule.transfer or body_rule.max_body <= KIBIBYTE * KIBIBYTE

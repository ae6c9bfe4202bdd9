"""What the server knows of a body before anybody reads it."""

import pytest

from entrypoints.http.body_rules import BodyRule, OperationBodyRules
from tests.http.service import PASSWORD, Service
from unite_core.identity.model import Role

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
def test_a_rule_follows_from_what_the_operation_declares(
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
def test_there_is_none_where_nothing_reads_a_body(rules: OperationBodyRules, method: str, path: str) -> None:
    assert rules.rule_for(method, path) is None


def test_a_large_body_is_taken_from_somebody_whose_token_is_good(service: Service, rules: OperationBodyRules) -> None:
    credentials = {"email": service.add(Role.MANAGER).email, "password": PASSWORD}
    token = service.stranger.post("/v1/auth/login", json=credentials).get_json()["access_token"]

    assert rules.admits(f"Bearer {token}")
    assert not rules.admits("Bearer forged")
    assert not rules.admits(token)
    assert not rules.admits("")


def test_each_operation_with_a_body_has_a_rule_and_only_files_may_be_large(service: Service) -> None:
    rules = OperationBodyRules(service.app)
    for rule in service.app.url_map.iter_rules():
        for method in {"POST", "PUT", "PATCH"} & (rule.methods or set()):
            path = rule.rule.replace("<path:key>", "a").replace("<", "").replace(">", "")
            path = "/".join(LEAD if part.startswith("uuid:") else part for part in path.split("/"))
            found = rules.rule_for(method, path)
            assert found is not None, path
            assert found.transfer == (path in ("/files/a", "/v1/lead-imports/file"))
            assert found.transfer or found.max_body <= KIBIBYTE * KIBIBYTE

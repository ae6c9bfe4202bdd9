"""Access tokens beyond the contract of `Tokens`: forged headers, foreign tokens, rotating keys."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest

from adapters.jwt import JwtTokens
from unite_core.errors import Unauthenticated
from unite_core.identity.model import Role
from unite_core.identity.ports import AccessClaims

OLD = {"old": b"o" * 32}
NEW = {"new": b"n" * 32}
# Long ago by the machine's clock: what counts is the moment that the caller gives.
NOW = datetime(2020, 5, 4, 12, 0, 0, 250_000, tzinfo=UTC)
CLAIMS = AccessClaims(
    user_id=UUID(int=1),
    role=Role.MANAGER,
    session_id=UUID(int=2),
    token_id=UUID(int=3),
    issued_at=NOW,
    expires_at=NOW + timedelta(minutes=15),
)
PAYLOAD = {
    "iss": "unite",
    "aud": "unite-api",
    "sub": str(UUID(int=1)),
    "role": "manager",
    "sid": str(UUID(int=2)),
    "jti": str(UUID(int=3)),
    "iat": int(NOW.timestamp()),
    "exp": int((NOW + timedelta(minutes=15)).timestamp()),
}


def code_of(tokens: JwtTokens, token: str, now: datetime = NOW) -> str:
    with pytest.raises(Unauthenticated) as refused:
        tokens.read(token, now=now)
    return refused.value.code


def signed(payload: dict[str, Any], secret: bytes = OLD["old"], algorithm: str = "HS256", kid: Any = "old") -> str:
    return jwt.encode(payload, secret, algorithm=algorithm, headers={"kid": kid} if kid else {})


def test_a_token_says_what_it_was_issued_with_to_the_microsecond() -> None:
    tokens = JwtTokens(OLD)

    assert tokens.read(tokens.issue(CLAIMS), now=NOW) == CLAIMS


def test_a_token_that_this_test_made_by_hand_is_good() -> None:
    assert JwtTokens(OLD).read(signed(PAYLOAD), now=NOW).role is Role.MANAGER


def test_a_token_expires_by_the_given_moment_and_not_by_the_machines_clock() -> None:
    tokens = JwtTokens(OLD)
    token = tokens.issue(CLAIMS)

    assert tokens.read(token, now=CLAIMS.expires_at - timedelta(microseconds=1)) == CLAIMS
    assert code_of(tokens, token, CLAIMS.expires_at) == "token_expired"


def test_a_token_of_the_key_before_is_good_after_a_rotation_and_new_ones_are_signed_with_the_new_key() -> None:
    before = JwtTokens(OLD).issue(CLAIMS)
    tokens = JwtTokens({**NEW, **OLD})

    assert tokens.read(before, now=NOW) == CLAIMS
    assert jwt.get_unverified_header(tokens.issue(CLAIMS))["kid"] == "new"


def test_a_token_of_a_key_that_was_taken_out_is_refused() -> None:
    assert code_of(JwtTokens(NEW), JwtTokens(OLD).issue(CLAIMS)) == "invalid_token"


def test_a_token_that_names_one_key_and_is_signed_with_another_is_refused() -> None:
    tokens = JwtTokens({**NEW, **OLD})

    assert code_of(tokens, signed(PAYLOAD, secret=NEW["new"], kid="old")) == "invalid_token"


def test_an_unsigned_token_is_refused() -> None:
    header, payload, _ = signed(PAYLOAD).split(".")
    unsigned = jwt.encode(PAYLOAD, "", algorithm="none", headers={"kid": "old"})

    assert code_of(JwtTokens(OLD), unsigned) == "invalid_token"
    assert code_of(JwtTokens(OLD), f"{header}.{payload}.") == "invalid_token"


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_only_one_algorithm_is_taken(algorithm: str) -> None:
    tokens = JwtTokens({"old": b"o" * 64})

    assert code_of(tokens, signed(PAYLOAD, secret=b"o" * 64, algorithm=algorithm)) == "invalid_token"


@pytest.mark.parametrize("kid", [None, "unknown"])
def test_a_token_without_a_known_key_is_refused(kid: str | None) -> None:
    assert code_of(JwtTokens(OLD), signed(PAYLOAD, kid=kid)) == "invalid_token"


@pytest.mark.parametrize("claim", sorted(PAYLOAD))
def test_every_claim_is_required(claim: str) -> None:
    without = {name: value for name, value in PAYLOAD.items() if name != claim}

    assert code_of(JwtTokens(OLD), signed(without)) == "invalid_token"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "somebody else"),
        ("aud", "something else"),
        ("sub", "no id"),
        ("sub", 7),
        ("role", "owner"),
        ("sid", None),
        ("jti", ["a"]),
        ("iat", "yesterday"),
        ("exp", 1e300),
        ("exp", True),
    ],
)
def test_a_claim_that_is_not_what_it_should_be_makes_no_token_of_ours(claim: str, value: object) -> None:
    assert code_of(JwtTokens(OLD), signed(PAYLOAD | {claim: value})) in {"invalid_token", "token_expired"}


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.è.ê", "\ud800", "ey" * 5000, "\0"])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert code_of(JwtTokens(OLD), token) == "invalid_token"


def test_there_are_no_tokens_without_a_key() -> None:
    with pytest.raises(ValueError, match="no key"):
        JwtTokens({})

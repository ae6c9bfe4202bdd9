"""Tests of access tokens beyond the contract of `Tokens`: forged headers and claims, foreign keys, key rotation."""

import base64
import hashlib
import hmac
import json
import math
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest

from adapters.jwt import CLOCK_SKEW, COOKIE_AUDIENCE, MAX_TOKEN_LENGTH, JwtTokens
from unite_core.errors import Unauthenticated
from unite_core.identity.model import COOKIE_TTL, Role
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
ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"  # RFC 4648, 5
PAYLOAD: dict[str, Any] = {
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


def part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed_as_it_is(payload: dict[str, Any], header: dict[str, Any] | None = None, secret: bytes = OLD["old"]) -> str:
    """A token with any header and any claims, which no library looks at before it is read."""
    whole = {"alg": "HS256", "typ": "JWT", "kid": "old"} | (header or {})
    text = f"{part(json.dumps(whole).encode())}.{part(json.dumps(payload).encode())}"
    return f"{text}.{part(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def test_a_token_has_its_claims_to_the_microsecond() -> None:
    tokens = JwtTokens(OLD)

    assert tokens.read(tokens.issue(CLAIMS), now=NOW) == CLAIMS


def test_a_token_that_is_signed_by_hand_is_valid() -> None:
    assert JwtTokens(OLD).read(signed(PAYLOAD), now=NOW).role is Role.MANAGER


def test_a_token_expires_by_the_given_time_and_not_by_the_system_clock() -> None:
    tokens = JwtTokens(OLD)
    token = tokens.issue(CLAIMS)

    assert tokens.read(token, now=CLAIMS.expires_at - timedelta(microseconds=1)) == CLAIMS
    assert code_of(tokens, token, CLAIMS.expires_at) == "token_expired"


def test_after_a_rotation_tokens_of_the_old_key_are_valid_and_new_ones_use_the_new_key() -> None:
    before = JwtTokens(OLD).issue(CLAIMS)
    tokens = JwtTokens({**NEW, **OLD})

    assert tokens.read(before, now=NOW) == CLAIMS
    assert jwt.get_unverified_header(tokens.issue(CLAIMS))["kid"] == "new"


def test_a_token_of_a_removed_key_is_refused() -> None:
    assert code_of(JwtTokens(NEW), JwtTokens(OLD).issue(CLAIMS)) == "invalid_token"


def test_a_token_that_names_one_key_and_is_signed_by_another_is_refused() -> None:
    tokens = JwtTokens({**NEW, **OLD})

    assert code_of(tokens, signed(PAYLOAD, secret=NEW["new"], kid="old")) == "invalid_token"


def test_an_unsigned_token_is_refused() -> None:
    header, payload, _ = signed(PAYLOAD).split(".")
    unsigned = jwt.encode(PAYLOAD, "", algorithm="none", headers={"kid": "old"})

    assert code_of(JwtTokens(OLD), unsigned) == "invalid_token"
    assert code_of(JwtTokens(OLD), f"{header}.{payload}.") == "invalid_token"


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_any_other_algorithm_is_refused(algorithm: str) -> None:
    tokens = JwtTokens({"old": b"o" * 64})

    assert code_of(tokens, signed(PAYLOAD, secret=b"o" * 64, algorithm=algorithm)) == "invalid_token"


@pytest.mark.parametrize("kid", [None, "unknown"])
def test_a_token_with_a_missing_or_unknown_key_id_is_refused(kid: str | None) -> None:
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
        ("sid", 7),
        ("sid", ["a"]),
        ("jti", 7),
        ("sub", f"{{{UUID(int=1)}}}"),
        ("role", ["admin"]),
        ("aud", []),
        ("aud", [7]),
        ("aud", ["somebody else", "something else"]),
        ("aud", {"unite-api": True}),
        ("iss", ["unite"]),
        ("iat", True),
        ("iat", None),
        ("iat", str(int(NOW.timestamp()))),
        ("iat", math.nan),
        ("iat", -math.inf),
        ("iat", 1e300),
        ("nbf", "yesterday"),
        ("nbf", None),
        ("nbf", False),
        ("nbf", math.nan),
        ("exp", "tomorrow"),
        ("exp", 1e300),
        ("exp", 10**400),
        ("exp", math.inf),
        ("exp", True),
    ],
)
def test_a_claim_with_an_invalid_value_is_refused(claim: str, value: object) -> None:
    assert code_of(JwtTokens(OLD), signed_as_it_is(PAYLOAD | {claim: value})) == "invalid_token"


def test_a_token_for_several_audiences_is_valid_if_ours_is_among_them() -> None:
    token = signed(PAYLOAD | {"aud": ["something else", "unite-api"]})

    assert JwtTokens(OLD).read(token, now=NOW).role is Role.MANAGER


@pytest.mark.parametrize("seconds", [-3600, 0, CLOCK_SKEW.seconds])
def test_a_token_is_valid_from_nbf_on_with_a_tolerance_for_clock_skew(seconds: int) -> None:
    token = signed(PAYLOAD | {"nbf": NOW.timestamp() + seconds})

    assert JwtTokens(OLD).read(token, now=NOW).role is Role.MANAGER


@pytest.mark.parametrize("seconds", [CLOCK_SKEW.seconds + 1, 3600, 10**9])
def test_a_token_before_its_nbf_is_refused(seconds: int) -> None:
    assert code_of(JwtTokens(OLD), signed(PAYLOAD | {"nbf": NOW.timestamp() + seconds})) == "invalid_token"


@pytest.mark.parametrize(("seconds", "good"), [(CLOCK_SKEW.seconds, True), (CLOCK_SKEW.seconds + 1, False)])
def test_a_token_issued_in_the_future_is_refused_beyond_the_clock_skew(seconds: int, good: bool) -> None:
    issued = NOW + timedelta(seconds=seconds)
    token = signed(PAYLOAD | {"iat": issued.timestamp(), "exp": (issued + timedelta(minutes=15)).timestamp()})

    if good:
        assert JwtTokens(OLD).read(token, now=NOW).issued_at == issued
    else:
        assert code_of(JwtTokens(OLD), token) == "invalid_token"


@pytest.mark.parametrize("ttl", [timedelta(minutes=15, seconds=11), timedelta(days=365), timedelta(0)])
def test_a_token_with_another_lifetime_is_refused(ttl: timedelta) -> None:
    token = signed(PAYLOAD | {"exp": PAYLOAD["iat"] + int(ttl.total_seconds())})

    assert code_of(JwtTokens(OLD), token) == "invalid_token"


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": True},
        {"b64": False},
        {"typ": "JWE"},
        {"typ": ["JWT"]},
        {"kid": ["old"]},
        {"kid": {"old": 1}},
        {"kid": 0},
    ],
)
def test_a_header_with_other_parameters_is_refused(header: dict[str, Any]) -> None:
    token = signed_as_it_is(PAYLOAD, header)

    assert code_of(JwtTokens(OLD), token) == "invalid_token"


def test_a_key_embedded_in_the_token_is_not_used() -> None:
    own = b"x" * 32
    brought = {"jwk": {"kty": "oct", "k": part(own)}, "jku": "https://example.com/keys", "x5u": "https://example.com"}

    assert code_of(JwtTokens(OLD), signed_as_it_is(PAYLOAD, brought, secret=own)) == "invalid_token"
    assert JwtTokens(OLD).read(signed_as_it_is(PAYLOAD, brought), now=NOW).role is Role.MANAGER


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "a.b.c.d",
        "é.è.ê",
        "\ud800",
        "ey" * 5000,
        "\0",
        f"{part(b'[' * 1400)}.e30.e30",
        f"{part(b'[' * 100_000)}.e30.e30",
        f"{part(b'[]')}.e30.e30",
        f"{part(b'1' * 1400)}.e30.e30",
    ],
)
def test_a_text_that_is_no_token_is_refused(token: str) -> None:
    assert code_of(JwtTokens(OLD), token) == "invalid_token"


def test_a_signed_token_that_is_too_long_is_refused() -> None:
    assert code_of(JwtTokens(OLD), signed(PAYLOAD | {"more": "x" * MAX_TOKEN_LENGTH})) == "invalid_token"


def test_any_other_encoding_of_a_token_is_refused() -> None:
    token = signed(PAYLOAD)
    last = ALPHABET[ALPHABET.index(token[-1]) + 1]  # the last character of 32 bytes has two spare bits

    for spelling in (f"{token}=", f" {token}", f"{token}\n", f"{token}!", token[:-1] + last, token.replace(".", ".=")):
        assert code_of(JwtTokens(OLD), spelling) == "invalid_token"


def test_without_a_key_no_tokens_can_be_issued() -> None:
    with pytest.raises(ValueError, match="no key"):
        JwtTokens({})


def test_an_audience_and_its_lifetime_are_accepted_only_where_they_are_configured() -> None:
    cookies = JwtTokens(OLD, audience=COOKIE_AUDIENCE, ttl=COOKIE_TTL)
    claims = replace(CLAIMS, expires_at=CLAIMS.issued_at + COOKIE_TTL)

    cookie = cookies.issue(claims)

    assert cookies.read(cookie, now=NOW) == claims
    assert code_of(JwtTokens(OLD), cookie) == "invalid_token"
    assert code_of(cookies, JwtTokens(OLD).issue(CLAIMS)) == "invalid_token"
    assert code_of(JwtTokens(OLD, audience=COOKIE_AUDIENCE), cookie) == "invalid_token"

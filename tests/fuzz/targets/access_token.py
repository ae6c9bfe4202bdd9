"""Fuzz target for access tokens: only signed ones are accepted. The first byte chooses what is signed."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import digest
from uuid import UUID

from adapters.jwt import JwtTokens
from tests.fuzz.target import Target
from unite_core.errors import Unauthenticated
from unite_core.identity.model import Role
from unite_core.identity.ports import AccessClaims

_KEY = b"k" * 32
_TOKENS = JwtTokens({"a": _KEY})
_NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
_CLAIMS = AccessClaims(
    user_id=UUID(int=1),
    role=Role.AGENT,
    session_id=UUID(int=2),
    token_id=UUID(int=3),
    issued_at=_NOW,
    expires_at=_NOW + timedelta(minutes=15),
)
_TOKEN = _TOKENS.issue(_CLAIMS)


def check(data: bytes) -> None:
    choice, rest = (data[:1] or b"\0")[0], data[1:]
    if choice % 3 == 1:
        token = _signed(b'{"alg":"HS256","kid":"a"}', rest)
    elif choice % 3 == 2:
        token = _signed(rest, json.dumps({"sub": "x"}).encode())
    else:
        token = rest.decode("latin-1")
    with suppress(Unauthenticated):
        claims = _TOKENS.read(token, now=_NOW)
        assert claims.expires_at > _NOW
        # A token that the target did not sign itself can only be valid if it was issued.
        assert choice % 3 == 1 or (token, claims) == (_TOKEN, _CLAIMS)


def _signed(header: bytes, payload: bytes) -> str:
    signed = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in (header, payload))
    return (signed + b"." + urlsafe_b64encode(digest(_KEY, signed, sha256)).rstrip(b"=")).decode()


def _seeds() -> Iterator[bytes]:
    yield from (b"\0" + _TOKEN.encode(), b'\2{"alg":"HS256","kid":"a"}', b'\2{"alg":"none","kid":"a"}')
    payload = {"iss": "unite", "aud": "unite-api", "sub": str(UUID(int=1)), "role": "agent", "sid": str(UUID(int=2))}
    rest = {"jti": str(UUID(int=3)), "iat": int(_NOW.timestamp()), "exp": int(_NOW.timestamp()) + 900}
    yield b"\1" + json.dumps({**payload, **rest}).encode()


target = Target(
    name="access_token",
    check=check,
    seeds=_seeds,
    tokens=(
        *(b".", b"..", b"=", b"-", b"_", b"{", b"}", b'"', b":", b",", b"[", b"]", b"null", b"true", b"1e400", b"-1"),
        *(b'"alg":', b'"HS256"', b'"none"', b'"kid":', b'"a"', b'"typ":', b'"crit":["exp"]', b'"b64":false', b'"exp":'),
        *(
            b'"iat":',
            b'"nbf":',
            b'"iss":',
            b'"aud":',
            b'"sub":',
            b'"role":',
            b'"admin"',
            b'"sid":',
            b'"jti":',
            b"9" * 20,
        ),
        *(b'"unite"', b'"unite-api"', b"1769851800", b"1769852700.5", b"NaN", b"Infinity", b"1e308", b"\xff", b"\0"),
        *(b"9" * 20, b"eyJhbGciOiJub25lIn0", b"\xc3\xa9", b'"00000000-0000-0000-0000-000000000001"'),
    ),
)

"""Access tokens as signed JSON Web Tokens, and random refresh tokens."""

import base64
import math
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from jwt.types import Options

from unite_core.errors import Unauthenticated
from unite_core.identity.model import ACCESS_TOKEN_TTL, Role
from unite_core.identity.ports import AccessClaims, Tokens

__all__ = ["COOKIE_AUDIENCE", "JwtTokens"]

ALGORITHM = "HS256"
ISSUER = "unite"
AUDIENCE = "unite-api"
COOKIE_AUDIENCE = "unite-dashboard"
REQUIRED = ("iss", "aud", "sub", "role", "sid", "jti", "iat", "exp")
REFRESH_TOKEN_BYTES = 32

CLOCK_SKEW = timedelta(seconds=10)
"""How far the clock of the machine that issued a token may be ahead of ours (RFC 7519, 4.1.5)."""

MAX_TOKEN_LENGTH = 2048
"""In characters. An issued token has about 450."""

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""The compact serialization of a signed token (RFC 7515, 7.1): base64url without padding."""


class JwtTokens(Tokens):
    """Access tokens signed with HMAC-SHA256 (RFC 7518, 3.2); the header names the key (`kid`).

    `keys` maps the name of each key to its secret of at least 32 bytes. The first key signs, all keys verify. To rotate
    them, put the new key first, and remove the old one once the tokens that it signed have expired.

    A token is verified as RFC 8725 advises: one algorithm, one spelling, only keys from `keys`, every registered claim
    checked. A token is refused if it is longer than `MAX_TOKEN_LENGTH`, if it is valid for longer than `ttl`, or
    if it was issued or becomes valid (`nbf`) more than `CLOCK_SKEW` in the future.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes],
        *,
        issuer: str = ISSUER,
        audience: str = AUDIENCE,
        ttl: timedelta = ACCESS_TOKEN_TTL,
    ) -> None:
        if not keys:
            raise ValueError("There is no key to sign with.")
        self._keys = dict(keys)
        self._kid = next(iter(self._keys))
        self._issuer = issuer
        self._audience = audience
        self._lifetime = ttl

    def issue(self, claims: AccessClaims) -> str:
        payload = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(claims.user_id),
            "role": claims.role.value,
            "sid": str(claims.session_id),
            "jti": str(claims.token_id),
            "iat": _numeric_date(claims.issued_at),
            "exp": _numeric_date(claims.expires_at),
        }
        return jwt.encode(payload, self._keys[self._kid], algorithm=ALGORITHM, headers={"kid": self._kid})

    def read(self, token: str, *, now: datetime) -> AccessClaims:
        try:
            payload = self._verified(token)
            claims = _claims(payload)
            _check_times(claims, payload, now, self._lifetime)
        # The JSON parser raises RecursionError for a header that is nested too deeply.
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise Unauthenticated("This is not a valid access token; log in again.", code="invalid_token") from error
        if now >= claims.expires_at:
            raise Unauthenticated("This access token has expired; refresh it.", code="token_expired")
        return claims

    def new_refresh_token(self) -> str:
        return secrets.token_urlsafe(REFRESH_TOKEN_BYTES)

    def _verified(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_LENGTH or not _COMPACT.fullmatch(token) or not _canonical(token.rpartition(".")[2]):
            raise ValueError("This is not a signed token in the compact form.")
        header = jwt.get_unverified_header(token)
        if header.get("typ", "JWT") != "JWT" or "crit" in header or "b64" in header:
            raise ValueError("The header asks for a feature that is not supported.")
        kid = header.get("kid")
        if not isinstance(kid, str) or kid not in self._keys:
            raise ValueError("The header does not name a known key.")
        # The library would compare times with the machine's clock. `_check_times` uses the caller's `now`.
        options: Options = {
            "require": list(REQUIRED),
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
        }
        return jwt.decode(
            token,
            self._keys[kid],
            algorithms=[ALGORITHM],
            issuer=self._issuer,
            audience=self._audience,
            options=options,
        )


def _canonical(part: str) -> bool:
    """Return whether base64url text is canonical: the unused bits at its end are 0 (RFC 4648, 3.5)."""
    decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    return base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() == part


def _claims(payload: Mapping[str, Any]) -> AccessClaims:
    return AccessClaims(
        user_id=_id(payload["sub"]),
        role=Role(payload["role"]),
        session_id=_id(payload["sid"]),
        token_id=_id(payload["jti"]),
        issued_at=_moment(payload["iat"]),
        expires_at=_moment(payload["exp"]),
    )


def _check_times(claims: AccessClaims, payload: Mapping[str, Any], now: datetime, ttl: timedelta) -> None:
    """Raise `ValueError` for a token from the future, and for a lifetime that no issued token has."""
    latest = now + CLOCK_SKEW
    if claims.issued_at > latest or ("nbf" in payload and _moment(payload["nbf"]) > latest):
        raise ValueError("The token is not valid yet.")
    if not timedelta() < claims.expires_at - claims.issued_at <= ttl + CLOCK_SKEW:
        raise ValueError("The token has a lifetime that is not allowed.")


def _id(claim: object) -> UUID:
    """Return the id in a claim, which has to be spelled as ids are issued; raise `ValueError`."""
    if not isinstance(claim, str) or str(parsed := UUID(claim)) != claim:
        raise ValueError("This claim is not an id.")
    return parsed


def _moment(claim: object) -> datetime:
    """Return the moment of a NumericDate (RFC 7519, 2); raise `ValueError` or `OverflowError`."""
    if isinstance(claim, bool) or not isinstance(claim, int | float) or not math.isfinite(claim):
        raise ValueError("This claim is not a NumericDate.")
    return datetime.fromtimestamp(claim, UTC)


def _numeric_date(moment: datetime) -> int | float:
    """Return the seconds since 1970 (RFC 7519, 2), an int if they are whole; a float is exact until the year 2255."""
    return moment.timestamp() if moment.microsecond else int(moment.timestamp())

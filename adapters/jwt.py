"""Access tokens as JSON Web Tokens."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt
from jwt.types import Options

from unite_core.errors import Unauthenticated
from unite_core.identity.model import Role
from unite_core.identity.ports import AccessClaims, Tokens

ALGORITHM = "HS256"
ISSUER = "unite"
AUDIENCE = "unite-api"
REQUIRED = ("iss", "aud", "sub", "role", "sid", "jti", "iat", "exp")
REFRESH_TOKEN_BYTES = 32


class JwtTokens(Tokens):
    """Signs with HMAC-SHA256 (RFC 7518, 3.2) and names the key in the header (`kid`).

    `keys` maps the name of each key to its secret of at least 32 bytes. The first one signs, all of them verify: a new
    key is put in front, and the one before it is taken out once the tokens that it signed have expired.
    """

    def __init__(self, keys: Mapping[str, bytes], *, issuer: str = ISSUER, audience: str = AUDIENCE) -> None:
        if not keys:
            raise ValueError("There is no key to sign with.")
        self._keys = dict(keys)
        self._kid = next(iter(self._keys))
        self._issuer = issuer
        self._audience = audience

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
            claims = _claims(self._verified(token))
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError) as error:
            raise Unauthenticated("This is no access token of ours; log in again.", code="invalid_token") from error
        if now >= claims.expires_at:
            raise Unauthenticated("This access token has expired; refresh it.", code="token_expired")
        return claims

    def new_refresh_token(self) -> str:
        return secrets.token_urlsafe(REFRESH_TOKEN_BYTES)

    def _verified(self, token: str) -> dict[str, Any]:
        kid = jwt.get_unverified_header(token).get("kid")
        if not isinstance(kid, str) or kid not in self._keys:
            raise ValueError("No key of ours is named.")
        # The library would judge by the machine's clock; the caller's is the one that counts.
        wanted: Options = {
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
            options=wanted,
        )


def _claims(payload: Mapping[str, Any]) -> AccessClaims:
    return AccessClaims(
        user_id=UUID(payload["sub"]),
        role=Role(payload["role"]),
        session_id=UUID(payload["sid"]),
        token_id=UUID(payload["jti"]),
        issued_at=datetime.fromtimestamp(payload["iat"], UTC),
        expires_at=datetime.fromtimestamp(payload["exp"], UTC),
    )


def _numeric_date(moment: datetime) -> int | float:
    """Seconds since 1970, whole where the moment is (RFC 7519, 2); a float holds microseconds until the year 2255."""
    return moment.timestamp() if moment.microsecond else int(moment.timestamp())

"""Use cases of session cookies: log in to the dashboard, and authenticate a cookie.

The value of the cookie is a signed token of its own kind. It never rotates in the database: a renewed value is another
token for the same session, and the earlier value stays valid until it expires. So any number of browser tabs may renew
it at the same time, and none of them is treated as token theft. The end of the session ends all values at once.
"""

from dataclasses import dataclass
from datetime import timedelta

from unite_core.checks import Checked, SecretText, UseCase
from unite_core.clock import Clock
from unite_core.identity.model import COOKIE_TTL, Actor, User
from unite_core.identity.ports import AccessClaims, IdentityUnitOfWork, Tokens
from unite_core.identity.use_cases.sessions import Credentials, LogIn, is_alive, session_ended_error
from unite_core.ids import Ids
from unite_core.unit_of_work import UnitOfWorkFactory

RENEW_AFTER = timedelta(minutes=5)
"""The age from which a cookie is renewed: not at every request, but often enough for a session that is in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCookie(Checked):
    """The value of a session cookie, which is valid for `max_age` seconds, and its actor."""

    actor: Actor
    value: SecretText
    max_age: int


@dataclass(frozen=True)
class LogInWithCookie(UseCase):
    """Log in and get a session cookie.

    The rules, limits and errors are those of `LogIn`. Nobody knows the refresh token of the session, so
    it ends 30 days after the login, or when the cookie was not used for 12 hours.

    Raises `Unauthenticated` (`invalid_credentials`) and `TooManyRequests` (`too_many_logins`).
    """

    log_in: LogIn
    access_tokens: Tokens
    cookies: Tokens
    clock: Clock
    ids: Ids

    def __call__(self, credentials: Credentials) -> SessionCookie:
        pair = self.log_in(credentials)
        claims = self.access_tokens.read(pair.access_token, now=self.clock.now())
        return new_cookie(self.cookies, self.clock, self.ids, claims)


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieSession(Checked):
    """The user of a session cookie, and the new cookie that replaces it; None if it is too young to be renewed."""

    actor: Actor
    user: User
    renewed: SessionCookie | None


@dataclass(frozen=True)
class AuthenticateCookie(UseCase):
    """Return the user that a session cookie belongs to, and renew the cookie if it is older than five minutes.

    The session must be alive and its user active in the role that the cookie names, as for an access token. An access
    token is no cookie, and a cookie is no access token.

    Raises `Unauthenticated` (`invalid_token`, `token_expired`, `token_revoked`).
    """

    reads: UnitOfWorkFactory[IdentityUnitOfWork]
    cookies: Tokens
    clock: Clock
    ids: Ids

    def __call__(self, value: SecretText) -> CookieSession:
        now = self.clock.now()
        claims = self.cookies.read(value, now=now)
        with self.reads() as reads:
            session_and_user = reads.sessions.get_with_user(claims.session_id)
        if session_and_user is None or not is_alive(session_and_user[0], claims, now):
            raise session_ended_error()
        user = session_and_user[1]
        young = now - claims.issued_at < RENEW_AFTER
        return CookieSession(
            actor=Actor(
                user_id=claims.user_id,
                role=claims.role,
                session_id=claims.session_id,
                password_change_required=user.password_change_required,
            ),
            user=user,
            renewed=None if young else new_cookie(self.cookies, self.clock, self.ids, claims),
        )


def new_cookie(cookies: Tokens, clock: Clock, ids: Ids, session: AccessClaims) -> SessionCookie:
    """Return a new cookie for the session in the claims, valid from now on."""
    now = clock.now()
    claims = AccessClaims(
        user_id=session.user_id,
        role=session.role,
        session_id=session.session_id,
        token_id=ids.new(),
        issued_at=now,
        expires_at=now + COOKIE_TTL,
    )
    return SessionCookie(
        actor=Actor(user_id=claims.user_id, role=claims.role, session_id=claims.session_id),
        value=cookies.issue(claims),
        max_age=int(COOKIE_TTL.total_seconds()),
    )

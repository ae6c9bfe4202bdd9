"""Use cases of sessions: log in, refresh tokens, authenticate, log out."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

from unite_core.cache import Cache, CacheEntryType
from unite_core.checks import BatchSize, Input, SecretText, UseCase
from unite_core.clock import Clock
from unite_core.errors import TooManyRequests, Unauthenticated
from unite_core.identity.model import (
    ACCESS_TOKEN_TTL,
    REFRESH_TOKEN_TTL,
    Actor,
    Session,
    TokenPair,
    User,
)
from unite_core.identity.ports import AccessClaims, IdentityUnitOfWork, Passwords, Tokens, sessions_namespace
from unite_core.identity.validation import email_key, password_to_compare
from unite_core.ids import Ids
from unite_core.quotas import Quotas
from unite_core.rate_limits import RateLimits, RateLimitStatus
from unite_core.text import line
from unite_core.unit_of_work import UnitOfWorkFactory

SESSION_RETENTION = timedelta(days=7)
"""How long an expired session is stored, so that a stolen token that arrives late is recognised as used."""

MAX_FAILURES_PER_ADDRESS = 5
"""Failed logins per minute and network address, as a multiple of the limit of one account."""


MAX_ADDRESS_LENGTH = 255
"""Characters of a network address or of the name of a host."""


@dataclass(frozen=True, slots=True)
class _Live:
    """The expiry of a live session, and whether its user has a one-time password."""

    ends: datetime
    password_change_required: bool


def _live_to_plain(live: _Live) -> list[object]:
    return [live.ends.isoformat(), live.password_change_required]


def _live_from_plain(plain: list[Any]) -> _Live:
    ends, password_change_required = plain
    return _Live(datetime.fromisoformat(ends), bool(password_change_required))


_LIVE = CacheEntryType(_live_to_plain, _live_from_plain, ttl=timedelta(seconds=10))
"""The longest time for which a logout may have no effect if the cache is unreachable."""


@dataclass(frozen=True, kw_only=True)
class Credentials(Input):
    """E-mail address and password; `address` is the network address of the client."""

    email: str
    password: SecretText
    address: Annotated[str, line(MAX_ADDRESS_LENGTH)]


@dataclass(frozen=True)
class LogIn(UseCase):
    """Exchange an e-mail address and a password for a pair of tokens.

    Anybody may try. An unknown address, a wrong password and a deactivated user get the same response in the
    same time. Attempts are limited per account and, if they fail, per network address. A user has up to 100
    sessions at the same time; another one ends the session that would expire first. With a one-time password, which an
    admin gives, a user can log in for 24 hours, and do nothing but change it.

    Raises `Unauthenticated` (`invalid_credentials`) and `TooManyRequests` (`too_many_logins`).
    """

    work: UnitOfWorkFactory[IdentityUnitOfWork]
    reads: UnitOfWorkFactory[IdentityUnitOfWork]
    passwords: Passwords
    tokens: Tokens
    clock: Clock
    ids: Ids
    limits: RateLimits
    logins_per_minute: int
    quotas: Quotas = field(default_factory=Quotas)

    def __call__(self, credentials: Credentials) -> TokenPair:
        email = email_key(credentials.email)
        self._count(email, credentials.address)
        with self.reads() as reads:
            user = reads.users.find_by_email(email)
        can_log_in = user is not None and user.active and not user.password_expired(self.clock.now())
        password = password_to_compare(credentials.password)
        matches = self.passwords.matches(password, user.password_hash if user and can_log_in else None)
        if user is None or not matches:
            self._count_failure(credentials.address)
            raise _wrong_credentials()
        now = self.clock.now()
        refresh = self.tokens.new_refresh_token()
        session = Session(
            id=self.ids.new(),
            user_id=user.id,
            current_refresh=digest(refresh),
            created_at=now,
            expires_at=now + REFRESH_TOKEN_TTL,
        )
        rehashed = self.passwords.hash(password) if self.passwords.needs_rehash(user.password_hash) else None
        with self.work() as work:
            checked, user = user.password_hash, work.users.lock(user.id)
            # The password may have been changed, or only rehashed, during the comparison.
            if not user.active or (
                user.password_hash != checked and not self.passwords.matches(password, user.password_hash)
            ):
                raise _wrong_credentials()
            if rehashed is not None:
                user.rehash_password(rehashed)
                user.mark_updated(now)
                work.users.save(user)
            work.sessions.revoke_oldest(user.id, keep=self.quotas.sessions - 1, now=now)
            work.sessions.add(session)
            pair = _pair(self.tokens, self.clock, self.ids, user, session, refresh)
            work.commit()
        return pair

    def _count(self, email: str, address: str) -> None:
        if not self.logins_per_minute:
            return
        # The network address comes first: one with too many failures must not use up the attempts of more accounts.
        failures = self.limits.peek(f"login-failures:{address}", self.logins_per_minute * MAX_FAILURES_PER_ADDRESS)
        require_login_allowance(failures)
        require_login_allowance(self.limits.hit(f"login:{digest(email)}", self.logins_per_minute))

    def _count_failure(self, address: str) -> None:
        if self.logins_per_minute:
            self.limits.hit(f"login-failures:{address}", self.logins_per_minute * MAX_FAILURES_PER_ADDRESS)


@dataclass(frozen=True)
class RefreshTokens(UseCase):
    """Exchange a refresh token for a new pair; the old one becomes invalid.

    A refresh token that is used a second time may have been stolen, so its whole session is revoked.

    Raises `Unauthenticated` with `token_reused` for a used token, however often and late it is sent, and
    `invalid_token` for one that is unknown, expired or revoked.
    """

    work: UnitOfWorkFactory[IdentityUnitOfWork]
    tokens: Tokens
    clock: Clock
    ids: Ids

    def __call__(self, refresh_token: SecretText) -> TokenPair:
        now = self.clock.now()
        refresh_digest = digest(refresh_token)
        with self.work() as work:
            session = work.sessions.find_by_refresh(refresh_digest)
            current = session is not None and session.current_refresh == refresh_digest
            if session is None or (current and not session.alive(now)):
                raise Unauthenticated("This refresh token is not valid any more; log in again.", code="invalid_token")
            if current:
                return self._rotate(work, session)
            session.revoke(now)
            work.sessions.save(session)
            work.commit()
        raise Unauthenticated(
            "This refresh token was used before; every token of its session is revoked. Log in again.",
            code="token_reused",
        )

    def _rotate(self, work: IdentityUnitOfWork, session: Session) -> TokenPair:
        user = work.users.get(session.user_id)
        refresh = self.tokens.new_refresh_token()
        session.rotate(digest(refresh), self.clock.now())
        work.sessions.save(session)
        pair = _pair(self.tokens, self.clock, self.ids, user, session, refresh)
        work.commit()
        return pair


@dataclass(frozen=True)
class Authenticate(UseCase):
    """Return the user to whom an access token belongs.

    The token must be genuine, its session alive, and its user active in the role that it names: so a
    logout, a deactivation and a change of role take effect at once.

    Raises `Unauthenticated` (`invalid_token`, `token_expired`, `token_revoked`).
    """

    reads: UnitOfWorkFactory[IdentityUnitOfWork]
    tokens: Tokens
    clock: Clock
    cache: Cache

    def __call__(self, access_token: SecretText) -> Actor:
        now = self.clock.now()
        return self.actor_of(self.tokens.read(access_token, now=now), now)

    def actor_of(self, claims: AccessClaims, now: datetime) -> Actor:
        """Return the actor in the claims of a genuine token; raise `Unauthenticated` (`token_revoked`)."""
        namespace = sessions_namespace(claims.user_id)
        live = _LIVE.get(self.cache, namespace, str(claims.session_id), lambda: self._live(claims, now))
        if now >= live.ends:
            raise session_ended_error()
        return Actor(
            user_id=claims.user_id,
            role=claims.role,
            session_id=claims.session_id,
            password_change_required=live.password_change_required,
        )

    def _live(self, claims: AccessClaims, now: datetime) -> _Live:
        with self.reads() as reads:
            session_and_user = reads.sessions.get_with_user(claims.session_id)
        if session_and_user is None or not is_alive(session_and_user[0], claims, now):
            raise session_ended_error()
        session, user = session_and_user
        return _Live(session.expires_at, user.password_change_required)


@dataclass(frozen=True)
class LogOut(UseCase):
    """End the caller's current session: its access and refresh tokens stop working at once."""

    work: UnitOfWorkFactory[IdentityUnitOfWork]
    clock: Clock

    def __call__(self, actor: Actor) -> None:
        with self.work() as work:
            session = work.sessions.get(actor.session_id) if actor.session_id else None
            if session is not None:
                session.revoke(self.clock.now())
                work.sessions.save(session)
            work.commit()


@dataclass(frozen=True)
class LogOutEverywhere(UseCase):
    """End every session of the caller, on every device."""

    work: UnitOfWorkFactory[IdentityUnitOfWork]
    clock: Clock

    def __call__(self, actor: Actor) -> None:
        with self.work() as work:
            work.sessions.revoke_all(actor.user_id, now=self.clock.now())
            work.commit()


@dataclass(frozen=True)
class PurgeSessions(UseCase):
    """Delete sessions that expired a week ago or more. Returns how many were deleted."""

    work: UnitOfWorkFactory[IdentityUnitOfWork]
    clock: Clock

    def __call__(self, *, limit: BatchSize = 500) -> int:
        with self.work() as work:
            purged = work.sessions.purge(before=self.clock.now() - SESSION_RETENTION, limit=limit)
            work.commit()
        return purged


def require_login_allowance(allowance: RateLimitStatus) -> None:
    """Raise `TooManyRequests` (`too_many_logins`) if there were too many attempts to prove a password."""
    if not allowance.allowed:
        raise TooManyRequests(
            f"Too many logins; try again in {allowance.reset} seconds.",
            code="too_many_logins",
            retry_after=allowance.reset,
        )


def digest(text: str) -> str:
    """Return the digest under which a token is stored: it cannot be used as a token (SHA-256, hexadecimal)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_alive(session: Session, claims: AccessClaims, now: datetime) -> bool:
    """Return whether the session is alive and belongs to the user in the claims."""
    return session.user_id == claims.user_id and session.alive(now)


def session_ended_error() -> Unauthenticated:
    """Return the error for a session that has ended."""
    return Unauthenticated("This login has ended; log in again.", code="token_revoked")


def _wrong_credentials() -> Unauthenticated:
    return Unauthenticated("The e-mail address or the password is wrong.", code="invalid_credentials")


def _pair(tokens: Tokens, clock: Clock, ids: Ids, user: User, session: Session, refresh: str) -> TokenPair:
    now = clock.now()
    claims = AccessClaims(
        user_id=user.id,
        role=user.role,
        session_id=session.id,
        token_id=ids.new(),
        issued_at=now,
        expires_at=now + ACCESS_TOKEN_TTL,
    )
    return TokenPair(
        access_token=tokens.issue(claims),
        refresh_token=refresh,
        expires_in=int(ACCESS_TOKEN_TTL.total_seconds()),
    )

"""What identity needs from outside."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from unite_core.identity.model import Role, Session, User
from unite_core.paging import Page, PageRequest
from unite_core.unit_of_work import UnitOfWork

REPORTS_NAMESPACE = "reports"
"""Where the cache holds finished reports: they name users, and count entries of the call ledger."""


def sessions_namespace(user_id: UUID) -> str:
    """Where the cache holds the user's live sessions, which are forgotten when one is saved or all are revoked.

    Those that are purged have expired, and nobody takes an expired one from the cache for a live one.
    """
    return f"sessions:{user_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFilter:
    """Which users a list holds; None where it does not matter."""

    role: Role | None = None
    active: bool | None = None


class Users(Protocol):
    """Everybody who can log in, or could."""

    @abstractmethod
    def add(self, user: User) -> None:
        """Add a user; raises `Conflict` (`duplicate_user`) where another has the e-mail address."""

    @abstractmethod
    def get(self, user_id: UUID) -> User:
        """The user; raises `NotFound`."""

    @abstractmethod
    def hold(self, user_id: UUID) -> User:
        """The user, whom nobody else can change until this unit of work ends, which writes; raises `NotFound`."""

    @abstractmethod
    def find_by_email(self, email: str) -> User | None:
        """The user with this address (lower case), or None."""

    @abstractmethod
    def save(self, user: User) -> None:
        """Store a changed user; raises `PreconditionFailed` where `user.version - 1` is not the stored version."""

    @abstractmethod
    def page(self, filters: UserFilter, request: PageRequest) -> Page[User]:
        """A page of users, newest first."""

    @abstractmethod
    def count_active_admins(self) -> int:
        """How many admins are active.

        Until the unit of work ends, no other one can change that number.
        """

    @abstractmethod
    def active(self, *, limit: int) -> Sequence[User]:
        """Up to `limit` active users, in no particular order."""


class Sessions(Protocol):
    """Logins and the refresh tokens that descend from them, as digests."""

    @abstractmethod
    def add(self, session: Session) -> None:
        """Add a session with its first refresh token."""

    @abstractmethod
    def get(self, session_id: UUID) -> Session | None:
        """The session, revoked or not; None if there is none."""

    @abstractmethod
    def get_with_user(self, session_id: UUID) -> tuple[Session, User] | None:
        """The session, revoked or not, and its user, in one query; None if there is none."""

    @abstractmethod
    def find_by_refresh(self, digest: str) -> Session | None:
        """The session that the refresh token with this digest belongs to, spent or not; None if there is none.

        Until the unit of work ends, no other one can rotate that session.
        """

    @abstractmethod
    def save(self, session: Session) -> None:
        """Store a changed session; a refresh token that it had before stays known as spent."""

    @abstractmethod
    def revoke_all(self, user_id: UUID, *, now: datetime) -> int:
        """Revoke every live session of the user; how many there were."""

    @abstractmethod
    def revoke_oldest(self, user_id: UUID, *, keep: int, now: datetime) -> int:
        """Revoke the live sessions of the user but the `keep` that last longest; how many were revoked.

        Of those that last equally long the one with the lower id is revoked first.
        """

    @abstractmethod
    def purge(self, *, before: datetime, limit: int) -> int:
        """Delete up to `limit` sessions that expired before the moment `before`; how many there were."""


class IdentityUnitOfWork(UnitOfWork, Protocol):
    """A unit of work that reaches users and sessions."""

    users: Users
    sessions: Sessions


class Passwords(Protocol):
    """Turns passwords into something that may be stored."""

    @abstractmethod
    def hash(self, password: str) -> str:
        """A salted hash that says itself how it was made."""

    @abstractmethod
    def matches(self, password: str, password_hash: str | None) -> bool:
        """Whether the password made the hash. With None it takes the same time and is False."""

    @abstractmethod
    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the hash was made with weaker parameters than are in use now."""

    @abstractmethod
    def new_one_time_password(self) -> str:
        """A random password that is easy to read out: ASCII letters, digits and hyphens, at least 90 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessClaims:
    """What an access token says: whose it is, in which role and session, and until when it is good."""

    user_id: UUID
    role: Role
    session_id: UUID
    token_id: UUID
    issued_at: datetime
    expires_at: datetime


class Tokens(Protocol):
    """Makes and reads the tokens that prove a login."""

    @abstractmethod
    def issue(self, claims: AccessClaims) -> str:
        """A signed access token that carries the claims."""

    @abstractmethod
    def read(self, token: str, *, now: datetime) -> AccessClaims:
        """The claims of a token that is genuine and good at `now`: issued before, not expired, and not for later.

        Raises `Unauthenticated` with code `token_expired` or `invalid_token`.
        """

    @abstractmethod
    def new_refresh_token(self) -> str:
        """A fresh opaque token with at least 256 bits of randomness."""

"""Ports of identity: repositories of users and sessions, password hashing, and tokens."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from unite_core.checks import Checked, Input
from unite_core.identity.model import Role, Session, User
from unite_core.paging import Page, PageRequest
from unite_core.unit_of_work import UnitOfWork

REPORTS_NAMESPACE = "reports"
"""The cache namespace of finished reports: they name users, and count entries of the call ledger."""


def sessions_namespace(user_id: UUID) -> str:
    """Return the cache namespace of the user's live sessions, which is invalidated by `save` and `revoke_all`.

    A purge does not invalidate it: it deletes expired sessions, and an expired session in the cache is not accepted.
    """
    return f"sessions:{user_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFilter(Input):
    """A filter of users; None matches every user."""

    role: Role | None = None
    active: bool | None = None


class Users(Protocol):
    """Stores users, active or not."""

    @abstractmethod
    def add(self, user: User) -> None:
        """Add a user; raise `Conflict` (`duplicate_user`) if another one has the e-mail address."""

    @abstractmethod
    def get(self, user_id: UUID) -> User:
        """Return the user; raise `NotFound`."""

    @abstractmethod
    def lock(self, user_id: UUID) -> User:
        """Return the user, locked until the end of this unit of work, which writes; raise `NotFound`."""

    @abstractmethod
    def find_by_email(self, email: str) -> User | None:
        """Return the user with this address (lower case), or None."""

    @abstractmethod
    def save(self, user: User) -> None:
        """Store a changed user; raise `PreconditionFailed` if `user.version - 1` is not the stored version."""

    @abstractmethod
    def page(self, filters: UserFilter, request: PageRequest) -> Page[User]:
        """Return a page of users, newest first."""

    @abstractmethod
    def count_active_admins(self) -> int:
        """Return the number of active admins.

        Until the unit of work ends, no other one can change that number.
        """

    @abstractmethod
    def active(self, *, limit: int) -> Sequence[User]:
        """Return up to `limit` active users, in no particular order."""


class Sessions(Protocol):
    """Stores sessions and the digests of their refresh tokens."""

    @abstractmethod
    def add(self, session: Session) -> None:
        """Add a session with its first refresh token."""

    @abstractmethod
    def get(self, session_id: UUID) -> Session | None:
        """Return the session, revoked or not; None if there is none."""

    @abstractmethod
    def get_with_user(self, session_id: UUID) -> tuple[Session, User] | None:
        """Return the session, revoked or not, and its user, in one query; None if there is none."""

    @abstractmethod
    def find_by_refresh(self, digest: str) -> Session | None:
        """Return the session to which the refresh token with this digest belongs, used or not; None if there is none.

        Until the unit of work ends, no other one can rotate that session.
        """

    @abstractmethod
    def save(self, session: Session) -> None:
        """Store a changed session; its earlier refresh tokens stay known as used."""

    @abstractmethod
    def revoke_all(self, user_id: UUID, *, now: datetime) -> int:
        """Revoke every live session of the user; return how many were revoked."""

    @abstractmethod
    def revoke_oldest(self, user_id: UUID, *, keep: int, now: datetime) -> int:
        """Revoke all live sessions of the user except the `keep` that expire last; return how many were revoked.

        Of sessions that expire at the same time the one with the lower id is revoked first.
        """

    @abstractmethod
    def purge(self, *, before: datetime, limit: int) -> int:
        """Delete up to `limit` sessions that expired before the moment `before`; return how many were deleted."""


class IdentityUnitOfWork(UnitOfWork, Protocol):
    """A unit of work with the repositories of users and sessions."""

    users: Users
    sessions: Sessions


class Passwords(Protocol):
    """Hashes passwords and compares them with their hashes."""

    @abstractmethod
    def hash(self, password: str) -> str:
        """Return a salted hash that contains its own parameters."""

    @abstractmethod
    def matches(self, password: str, password_hash: str | None) -> bool:
        """Return whether the password matches the hash. With None it takes the same time and returns False."""

    @abstractmethod
    def needs_rehash(self, password_hash: str) -> bool:
        """Return whether the hash was made with weaker parameters than are in use now."""

    @abstractmethod
    def new_one_time_password(self) -> str:
        """Return a random password that is easy to read out: ASCII letters, digits and hyphens, at least 90 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessClaims(Checked):
    """The claims of an access token: its user, role and session, and when it expires."""

    user_id: UUID
    role: Role
    session_id: UUID
    token_id: UUID
    issued_at: datetime
    expires_at: datetime


class Tokens(Protocol):
    """Issues and verifies access tokens, and generates refresh tokens."""

    @abstractmethod
    def issue(self, claims: AccessClaims) -> str:
        """Return a signed access token with the claims."""

    @abstractmethod
    def read(self, token: str, *, now: datetime) -> AccessClaims:
        """Return the claims of a token that is genuine and valid at `now`: issued before, and not expired.

        Raise `Unauthenticated` with code `token_expired` or `invalid_token`.
        """

    @abstractmethod
    def new_refresh_token(self) -> str:
        """Return a new opaque token with at least 256 bits of randomness."""

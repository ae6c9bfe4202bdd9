"""Users, roles, permissions and sessions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from unite_core.checks import Checked, Input, Secret, SecretText
from unite_core.errors import Forbidden
from unite_core.identity.summary_settings import DailySummary
from unite_core.text import CorrelationId

MAX_NAME_LENGTH = 200
MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 256

ACCESS_TOKEN_TTL = timedelta(minutes=15)
REFRESH_TOKEN_TTL = timedelta(days=30)
ONE_TIME_PASSWORD_TTL = timedelta(hours=24)
COOKIE_TTL = timedelta(hours=12)
"""The lifetime of a session cookie that is not used. One that is used is renewed."""


_NOBODY = UUID(int=0)
"""The user id of the service itself."""


class Role(StrEnum):
    """The role of a user."""

    ADMIN = "admin"
    MANAGER = "manager"
    AGENT = "agent"


class Permission(StrEnum):
    """Something that a role may do to every resource, not only to the user's own."""

    CHANGE_USERS = "change users"
    LIST_USERS = "list users"
    SEE_ALL_LEADS = "see all leads"
    ASSIGN_LEADS = "assign leads to others"
    DELETE_LEADS = "delete leads"
    IMPORT_LEADS = "import leads"
    SEE_ALL_CALLS = "see all call tasks and call logs"
    ASSIGN_CALLS = "assign call tasks to others"
    CANCEL_CALLS = "cancel call tasks"
    CORRECT_CALLS = "correct the call log"
    LIST_DELIVERIES = "list deliveries"
    REPLAY_DELIVERIES = "replay deliveries"
    GET_DAILY_SUMMARY = "get the daily summary"


_MANAGERS = frozenset(
    {
        Permission.LIST_USERS,
        Permission.SEE_ALL_LEADS,
        Permission.ASSIGN_LEADS,
        Permission.DELETE_LEADS,
        Permission.IMPORT_LEADS,
        Permission.SEE_ALL_CALLS,
        Permission.ASSIGN_CALLS,
        Permission.CANCEL_CALLS,
        Permission.CORRECT_CALLS,
        Permission.LIST_DELIVERIES,
        Permission.GET_DAILY_SUMMARY,
    }
)

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.MANAGER: _MANAGERS,
    Role.AGENT: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor(Input):
    """The authenticated user for whom a use case runs, and their session.

    `session_id` is None on the command line, where there is no session. `correlation_id` ties together
    everything that follows from one request; it does not identify the actor. `password_change_required` is True if
    the user has a one-time password.
    """

    user_id: UUID
    role: Role
    session_id: UUID | None = None
    password_change_required: bool = False
    correlation_id: CorrelationId | None = field(default=None, compare=False)

    @classmethod
    def system(cls, *, correlation_id: str | None = None) -> Self:
        """Return the actor for what a service does by itself, for no user: it may do what admins may.

        Its `user_id` is the nil UUID (RFC 9562, 5.9), which no user has. What it does has no author: leads have
        `created_by` None, events and entries of the call ledger `actor_id` None. It cannot create what needs an author
        (call tasks, notes, pictures, imports: `Forbidden`), nor what is about the user themselves.
        """
        return cls(user_id=_NOBODY, role=Role.ADMIN, correlation_id=correlation_id)

    @property
    def stored_id(self) -> UUID | None:
        """The id of the user, as it is stored with what they did; None for the service itself."""
        return None if self.user_id == _NOBODY else self.user_id

    @property
    def author(self) -> UUID:
        """The id of the user, for what needs an author; raise `Forbidden` for the service itself."""
        if self.user_id == _NOBODY:
            raise Forbidden("Only a user creates this; act for one of them.")
        return self.user_id

    def may(self, permission: Permission) -> bool:
        """Return whether the actor's role has the permission."""
        return permission in PERMISSIONS[self.role]

    def must(self, permission: Permission) -> None:
        """Raise `Forbidden` if the actor's role lacks the permission."""
        if not self.may(permission):
            raise Forbidden(f"The role {self.role} may not {permission}.")


@dataclass(slots=True, kw_only=True)
class User(Checked):
    """A user who can log in.

    `email` is lower case; `phone` is E.164; `daily_summary` is None if the user gets none. `one_time_until` is the
    expiry of a one-time password, None if the user chose the password.
    """

    id: UUID
    email: str
    name: str
    role: Role
    phone: str | None
    password_hash: SecretText
    active: bool
    created_at: datetime
    updated_at: datetime
    version: int = 1
    daily_summary: DailySummary | None = None
    one_time_until: datetime | None = None

    @property
    def password_change_required(self) -> bool:
        """Whether the user has a one-time password, and has to choose another one."""
        return self.one_time_until is not None

    def password_expired(self, now: datetime) -> bool:
        """Return whether the password is a one-time password that has expired at `now`."""
        return self.one_time_until is not None and now >= self.one_time_until

    def rename(self, name: str) -> None:
        """Change the name."""
        self.name = name

    def set_phone(self, phone: str | None) -> None:
        """Change the phone number, or remove it."""
        self.phone = phone

    def set_role(self, role: Role) -> None:
        """Change the role; if the new role may not get the daily summary, end it."""
        self.role = role
        if Permission.GET_DAILY_SUMMARY not in PERMISSIONS[role]:
            self.daily_summary = None

    def deactivate(self) -> None:
        """Deactivate the user: they can no longer log in and get no daily summary; their history stays."""
        self.active = False
        self.daily_summary = None

    def reactivate(self) -> None:
        """Activate the user again."""
        self.active = True

    def set_password(self, password_hash: str) -> None:
        """Change the password to one that the user chose."""
        self.password_hash = Secret(password_hash)
        self.one_time_until = None

    def set_one_time_password(self, password_hash: str, until: datetime) -> None:
        """Change the password to a one-time password that expires at `until`."""
        self.password_hash = Secret(password_hash)
        self.one_time_until = until

    def rehash_password(self, password_hash: str) -> None:
        """Store another hash of the same password."""
        self.password_hash = Secret(password_hash)

    def set_summary(self, summary: DailySummary | None) -> None:
        """Change the settings of the daily summary; None ends it."""
        self.daily_summary = summary

    def mark_updated(self, now: datetime) -> None:
        """Count one change, made at `now`."""
        self.version += 1
        self.updated_at = now


@dataclass(slots=True, kw_only=True)
class Session(Checked):
    """One login and the family of refresh tokens that descend from it.

    `current_refresh` is the digest of the one refresh token that was not used yet.
    """

    id: UUID
    user_id: UUID
    current_refresh: SecretText
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def alive(self, now: datetime) -> bool:
        """Return whether tokens of this session are valid at `now`."""
        return self.revoked_at is None and now < self.expires_at

    def rotate(self, refresh: str, now: datetime) -> None:
        """Replace the current refresh token, which is used up, by the one with the digest `refresh`."""
        self.current_refresh = Secret(refresh)
        self.expires_at = now + REFRESH_TOKEN_TTL

    def revoke(self, now: datetime) -> None:
        """End the session; ending it twice changes nothing."""
        if self.revoked_at is None:
            self.revoked_at = now


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair(Checked):
    """The result of a login: an access token for `expires_in` seconds and a refresh token for the next pair."""

    access_token: SecretText
    refresh_token: SecretText
    expires_in: int

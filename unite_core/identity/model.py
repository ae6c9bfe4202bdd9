"""Who works with Unite, and what each role may do."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from unite_core.errors import Forbidden
from unite_core.identity.daily_summary import DailySummary

MAX_NAME_LENGTH = 200
MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 256

ACCESS_TOKEN_TTL = timedelta(minutes=15)
REFRESH_TOKEN_TTL = timedelta(days=30)
ONE_TIME_PASSWORD_TTL = timedelta(hours=24)
COOKIE_TTL = timedelta(hours=12)
"""How long a session cookie is good that nobody uses. One that is used is renewed."""


class Role(StrEnum):
    """What somebody is on the sales floor."""

    ADMIN = "admin"
    MANAGER = "manager"
    AGENT = "agent"


class Permission(StrEnum):
    """Something that a role may do to anything, not only to what is its own."""

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
class Actor:
    """Whoever a use case acts for: an authenticated user and the session that they act in.

    `session_id` is None for somebody at the command line, who has no session. `correlation_id` ties together
    everything that follows from one request; it says nothing of who acts. `password_change_required` is True where
    the user has a one-time password.
    """

    user_id: UUID
    role: Role
    session_id: UUID | None = None
    password_change_required: bool = False
    correlation_id: str | None = field(default=None, compare=False)

    def may(self, permission: Permission) -> bool:
        """Whether the actor's role has the permission."""
        return permission in PERMISSIONS[self.role]

    def must(self, permission: Permission) -> None:
        """Raise `Forbidden` where the actor's role lacks the permission."""
        if not self.may(permission):
            raise Forbidden(f"The role {self.role} may not {permission}.")


@dataclass(slots=True, kw_only=True)
class User:
    """Somebody who can log in.

    `email` is lower case; `phone` is E.164; `daily_summary` is None where the user gets none. `one_time_until` is the
    end of a one-time password, None where the user chose the password.
    """

    id: UUID
    email: str
    name: str
    role: Role
    phone: str | None
    password_hash: str
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
        """Whether the password is a one-time password that has expired at `now`."""
        return self.one_time_until is not None and now >= self.one_time_until

    def rename(self, name: str) -> None:
        """Go by another name."""
        self.name = name

    def set_phone(self, phone: str | None) -> None:
        """Be reached under another number, or none."""
        self.phone = phone

    def set_role(self, role: Role) -> None:
        """Work in another role; one that may not get the daily summary ends it."""
        self.role = role
        if Permission.GET_DAILY_SUMMARY not in PERMISSIONS[role]:
            self.daily_summary = None

    def deactivate(self) -> None:
        """Leave the floor: the user can no longer log in, gets no daily summary, and keeps their history."""
        self.active = False
        self.daily_summary = None

    def reactivate(self) -> None:
        """Come back."""
        self.active = True

    def set_password(self, password_hash: str) -> None:
        """Log in with another password from now on, which the user chose."""
        self.password_hash = password_hash
        self.one_time_until = None

    def set_one_time_password(self, password_hash: str, until: datetime) -> None:
        """Log in with a one-time password before the moment `until`."""
        self.password_hash = password_hash
        self.one_time_until = until

    def rehash_password(self, password_hash: str) -> None:
        """Store another hash of the same password."""
        self.password_hash = password_hash

    def ask_for_summary(self, summary: DailySummary | None) -> None:
        """Get the summary of each day at another time, or none any more."""
        self.daily_summary = summary

    def touched(self, now: datetime) -> None:
        """Count one change, made at `now`."""
        self.version += 1
        self.updated_at = now


@dataclass(slots=True, kw_only=True)
class Session:
    """One login and everything that descends from it: the family of its refresh tokens.

    `current_refresh` is the digest of the one refresh token that is not spent.
    """

    id: UUID
    user_id: UUID
    current_refresh: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def alive(self, now: datetime) -> bool:
        """Whether tokens of this session are good at `now`."""
        return self.revoked_at is None and now < self.expires_at

    def rotate(self, refresh: str, now: datetime) -> None:
        """Spend the current refresh token and put the one with the digest `refresh` in its place."""
        self.current_refresh = refresh
        self.expires_at = now + REFRESH_TOKEN_TTL

    def revoke(self, now: datetime) -> None:
        """End the session; ending it twice changes nothing."""
        if self.revoked_at is None:
            self.revoked_at = now


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """What a login gives: an access token for `expires_in` seconds and a refresh token for the next pair."""

    access_token: str
    refresh_token: str
    expires_in: int

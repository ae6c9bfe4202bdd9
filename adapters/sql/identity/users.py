"""SQL repository of users."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, insert, literal, select
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from adapters.sql.errors import refusal
from adapters.sql.identity.tables import users
from adapters.sql.statements import newest_first, save_version, with_lock
from unite_core.errors import NotFound
from unite_core.identity.model import Role, User
from unite_core.identity.ports import REPORTS_NAMESPACE, UserFilter, Users
from unite_core.identity.summary_settings import DailySummary
from unite_core.paging import Page, PageRequest, Position, page_of


class SqlUsers(Users):
    """Users in the relational database. Cache namespaces to be invalidated are added to `changed`."""

    def __init__(self, connection: Connection, changed: set[str]) -> None:
        self._connection = connection
        self._changed = changed

    def add(self, user: User) -> None:
        try:
            self._connection.execute(insert(users), _to_row(user))
        except IntegrityError as error:
            raise refusal(error) or error from None

    def get(self, user_id: UUID) -> User:
        return self._get(select(users).where(users.c.id == user_id))

    def lock(self, user_id: UUID) -> User:
        return self._get(with_lock(select(users).where(users.c.id == user_id), self._connection))

    def _get(self, statement: Select[Any]) -> User:
        row = self._connection.execute(statement).first()
        if row is None:
            raise NotFound("There is no such user.")
        return to_user(row)

    def find_by_email(self, email: str) -> User | None:
        row = self._connection.execute(select(users).where(users.c.email == email)).first()
        return None if row is None else to_user(row)

    def save(self, user: User) -> None:
        try:
            save_version(self._connection, users, _to_row(user), "user")
        except IntegrityError as error:
            raise refusal(error) or error from None
        self._changed.add(REPORTS_NAMESPACE)

    def page(self, filters: UserFilter, request: PageRequest) -> Page[User]:
        conditions: list[ColumnElement[bool]] = []
        index = "ix_users_created"
        if filters.active is not None:
            conditions.append(users.c.active == literal(filters.active))
            index = "ix_users_active_created"
        if filters.role is not None:
            conditions.append(users.c.role == filters.role.value)
            index = "ix_users_role_created"
        statement = newest_first(users, users.c.created_at, request, *conditions, index=index)
        page = [to_user(row) for row in self._connection.execute(statement)]
        return page_of(page, request.limit, lambda user: Position(user.created_at, user.id))

    def count_active_admins(self) -> int:
        admins = select(users.c.id).where(users.c.role == Role.ADMIN.value, users.c.active == literal(True))
        return len(self._connection.execute(with_lock(admins, self._connection)).all())

    def active(self, *, limit: int) -> Sequence[User]:
        statement = select(users).where(users.c.active == literal(True)).limit(limit)
        return [to_user(row) for row in self._connection.execute(statement)]


def _to_row(user: User) -> dict[str, Any]:
    summary = user.daily_summary
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role.value,
        "phone": user.phone,
        "password_hash": user.password_hash,
        "active": user.active,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "version": user.version,
        "summary_at": f"{summary.at:%H:%M}" if summary else None,
        "summary_tz": summary.tz if summary else None,
        "summary_since": summary.since if summary else None,
        "one_time_until": user.one_time_until,
        "one_time_hash": user.password_hash if user.one_time_until else None,
    }


def to_user(row: Row[Any]) -> User:
    """Return the user of a row."""
    return User(
        id=row.id,
        email=row.email,
        name=row.name,
        role=Role(row.role),
        phone=row.phone,
        password_hash=row.password_hash,
        active=row.active,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
        daily_summary=_to_summary(row),
        one_time_until=_one_time_until(row),
    )


def _one_time_until(row: Row[Any]) -> datetime | None:
    """Return when the one-time password expires; None if the password was changed since.

    Versions of Unite without one-time passwords change the password and leave the expiry as it is, so that the hashes
    are compared. Versions that store the expiry without a hash remove the expiry themselves.
    """
    until: datetime | None = row.one_time_until
    return until if row.one_time_hash in (None, row.password_hash) else None


def _to_summary(row: Row[Any]) -> DailySummary | None:
    if row.summary_tz is None:
        return None
    return DailySummary(at=time.fromisoformat(row.summary_at), tz=row.summary_tz, since=row.summary_since)

"""SQL repository of sessions, with all refresh tokens that each has had."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.engine import Row

from adapters.sql.identity.tables import refresh_tokens, sessions, users
from adapters.sql.identity.users import to_user
from adapters.sql.statements import batches, columns_of, force_index, with_lock
from unite_core.errors import NotFound
from unite_core.identity.model import Session, User
from unite_core.identity.ports import Sessions, sessions_namespace


class SqlSessions(Sessions):
    """Sessions in the relational database. Cache namespaces to be invalidated are added to `changed`."""

    def __init__(self, connection: Connection, changed: set[str]) -> None:
        self._connection = connection
        self._changed = changed

    def add(self, session: Session) -> None:
        self._connection.execute(insert(sessions), _to_row(session))
        self._add_token(session)

    def get(self, session_id: UUID) -> Session | None:
        row = self._connection.execute(select(sessions).where(sessions.c.id == session_id)).first()
        return None if row is None else _to_session(row)

    def get_with_user(self, session_id: UUID) -> tuple[Session, User] | None:
        statement = select(sessions, users).join(users, users.c.id == sessions.c.user_id)
        row = self._connection.execute(statement.where(sessions.c.id == session_id)).first()
        return None if row is None else (_to_session(row), to_user(columns_of(row, users)))

    def find_by_refresh(self, digest: str) -> Session | None:
        statement = select(sessions).join(refresh_tokens).where(refresh_tokens.c.digest == digest)
        row = self._connection.execute(with_lock(statement, self._connection)).first()
        return None if row is None else _to_session(row)

    def save(self, session: Session) -> None:
        self._changed.add(sessions_namespace(session.user_id))
        stored = self._connection.execute(update(sessions).where(sessions.c.id == session.id).values(_to_row(session)))
        if not stored.rowcount:
            raise NotFound("There is no such session.")
        token = select(refresh_tokens.c.digest).where(refresh_tokens.c.digest == session.current_refresh)
        if self._connection.execute(token).first() is None:
            self._add_token(session)

    def revoke_all(self, user_id: UUID, *, now: datetime) -> int:
        self._changed.add(sessions_namespace(user_id))
        live = (
            update(sessions)
            .where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None), sessions.c.expires_at > now)
            .values(revoked_at=now)
        )
        return self._connection.execute(live).rowcount

    def revoke_oldest(self, user_id: UUID, *, keep: int, now: datetime) -> int:
        live = force_index(select(sessions.c.expires_at, sessions.c.id), sessions, "ix_sessions_user").where(
            sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None), sessions.c.expires_at > now
        )
        newest_first = sorted(self._connection.execute(live), key=lambda row: (row.expires_at, row.id), reverse=True)
        oldest = [row.id for row in newest_first[keep:]]
        if oldest:
            self._changed.add(sessions_namespace(user_id))
        for portion in batches(oldest):
            self._connection.execute(update(sessions).where(sessions.c.id.in_(portion)).values(revoked_at=now))
        return len(oldest)

    def purge(self, *, before: datetime, limit: int) -> int:
        expired = (
            select(sessions.c.id).where(sessions.c.expires_at < before).order_by(sessions.c.expires_at).limit(limit)
        )
        ids = self._connection.execute(expired).scalars().all()
        for portion in batches(ids):
            self._connection.execute(delete(refresh_tokens).where(refresh_tokens.c.session_id.in_(portion)))
            self._connection.execute(delete(sessions).where(sessions.c.id.in_(portion)))
        return len(ids)

    def _add_token(self, session: Session) -> None:
        token = {"digest": session.current_refresh, "session_id": session.id}
        self._connection.execute(insert(refresh_tokens), token)


def _to_row(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "user_id": session.user_id,
        "current_refresh": session.current_refresh,
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "revoked_at": session.revoked_at,
    }


def _to_session(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        user_id=row.user_id,
        current_refresh=row.current_refresh,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )

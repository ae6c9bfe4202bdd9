"""Repositories of users and sessions, password hashing and tokens in memory."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import count
from uuid import UUID

from unite_core.errors import Conflict, NotFound, PreconditionFailed, Unauthenticated
from unite_core.identity.model import Role, Session, User
from unite_core.identity.ports import (
    REPORTS_NAMESPACE,
    AccessClaims,
    Passwords,
    Sessions,
    Tokens,
    UserFilter,
    Users,
    sessions_namespace,
)
from unite_core.paging import Page, PageRequest, Position
from unite_core.testing.in_memory.copies import copied
from unite_core.testing.in_memory.tables import Tables, newest_first
from unite_core.versions import require_version


class InMemoryUsers(Users):
    """Stores users. Namespaces of the cache that have to be invalidated are added to `changed`."""

    def __init__(self, tables: Tables, changed: set[str]) -> None:
        self._users = tables.users
        self._changed = changed

    def add(self, user: User) -> None:
        if self.find_by_email(user.email) is not None:
            raise Conflict("Another user has this e-mail address.", code="duplicate_user")
        self._users[user.id] = copied(user)

    def get(self, user_id: UUID) -> User:
        if user_id not in self._users:
            raise NotFound("There is no such user.")
        return copied(self._users[user_id])

    def lock(self, user_id: UUID) -> User:
        return self.get(user_id)

    def find_by_email(self, email: str) -> User | None:
        return copied(next((user for user in self._users.values() if user.email == email), None))

    def save(self, user: User) -> None:
        if user.id not in self._users:
            raise PreconditionFailed("There is no such user.")
        require_version(user.version - 1, self._users[user.id].version)
        self._users[user.id] = copied(user)
        self._changed.add(REPORTS_NAMESPACE)

    def page(self, filters: UserFilter, request: PageRequest) -> Page[User]:
        matching = (
            user
            for user in self._users.values()
            if filters.role in (None, user.role) and filters.active in (None, user.active)
        )
        return newest_first(matching, request, lambda user: Position(user.created_at, user.id))

    def count_active_admins(self) -> int:
        return sum(user.active and user.role is Role.ADMIN for user in self._users.values())

    def active(self, *, limit: int) -> Sequence[User]:
        return copied([user for user in self._users.values() if user.active][:limit])


class InMemorySessions(Sessions):
    """Stores sessions and the digests of their refresh tokens.

    Namespaces of the cache that have to be invalidated are added to `changed`.
    """

    def __init__(self, tables: Tables, changed: set[str]) -> None:
        self._changed = changed
        self._sessions = tables.sessions
        self._users = tables.users
        self._refreshes = tables.refreshes

    def add(self, session: Session) -> None:
        self._sessions[session.id] = copied(session)
        self._refreshes[session.current_refresh] = session.id

    def get(self, session_id: UUID) -> Session | None:
        return copied(self._sessions.get(session_id))

    def get_with_user(self, session_id: UUID) -> tuple[Session, User] | None:
        session = self.get(session_id)
        return None if session is None else (session, copied(self._users[session.user_id]))

    def find_by_refresh(self, digest: str) -> Session | None:
        session_id = self._refreshes.get(digest)
        return self.get(session_id) if session_id is not None else None

    def save(self, session: Session) -> None:
        self.add(session)
        self._changed.add(sessions_namespace(session.user_id))

    def revoke_all(self, user_id: UUID, *, now: datetime) -> int:
        alive = [it for it in self._sessions.values() if it.user_id == user_id and it.alive(now)]
        for session in copied(alive):
            session.revoke(now)
            self.save(session)
        return len(alive)

    def revoke_oldest(self, user_id: UUID, *, keep: int, now: datetime) -> int:
        alive = [it for it in self._sessions.values() if it.user_id == user_id and it.alive(now)]
        oldest = sorted(alive, key=lambda it: (it.expires_at, it.id), reverse=True)[keep:]
        for session in copied(oldest):
            session.revoke(now)
            self.save(session)
        return len(oldest)

    def purge(self, *, before: datetime, limit: int) -> int:
        old = {it.id for it in self._sessions.values() if it.expires_at < before}
        old = set(sorted(old)[:limit])
        for session_id in old:
            del self._sessions[session_id]
        for digest in [digest for digest, session_id in self._refreshes.items() if session_id in old]:
            del self._refreshes[digest]
        return len(old)


class FastPasswords(Passwords):
    """Hashes passwords with a salt, but fast, so only for tests. Hashes made with another `strength` are outdated."""

    def __init__(self, strength: int = 1) -> None:
        self._strength = strength
        self._salts = count()

    def hash(self, password: str) -> str:
        return self._hash(password, str(next(self._salts)), str(self._strength))

    def matches(self, password: str, password_hash: str | None) -> bool:
        if password_hash is None:
            return False
        strength, salt, _ = password_hash.split("$")
        return hmac.compare_digest(self._hash(password, salt, strength), password_hash)

    def needs_rehash(self, password_hash: str) -> bool:
        return password_hash.split("$", maxsplit=1)[0] != str(self._strength)

    def new_one_time_password(self) -> str:
        return f"one-time-password-{next(self._salts)}"

    def _hash(self, password: str, salt: str, strength: str) -> str:
        digest = hashlib.sha256((salt + password).encode("utf-8", "surrogatepass")).hexdigest()
        return f"{strength}${salt}${digest}"


class FastTokens(Tokens):
    """Signs tokens with a secret that is public here, so only for tests."""

    def __init__(self, secret: bytes = b"known to all") -> None:
        self._secret = secret
        self._refresh_tokens = count()

    def issue(self, claims: AccessClaims) -> str:
        body = urlsafe_b64encode(json.dumps(asdict(claims), default=str).encode()).decode()
        return f"{body}.{self._signature(body)}"

    def read(self, token: str, *, now: datetime) -> AccessClaims:
        body, _, signature = token.partition(".")
        if not hmac.compare_digest(self._signature(body).encode(), signature.encode("utf-8", "surrogatepass")):
            raise Unauthenticated("This access token is not genuine; log in again.", code="invalid_token")
        content = json.loads(urlsafe_b64decode(body))
        claims = AccessClaims(
            user_id=UUID(content["user_id"]),
            role=Role(content["role"]),
            session_id=UUID(content["session_id"]),
            token_id=UUID(content["token_id"]),
            issued_at=datetime.fromisoformat(content["issued_at"]),
            expires_at=datetime.fromisoformat(content["expires_at"]),
        )
        if now < claims.issued_at:
            raise Unauthenticated("This access token is not valid yet.", code="invalid_token")
        if now >= claims.expires_at:
            raise Unauthenticated("This access token has expired; refresh it.", code="token_expired")
        return claims

    def new_refresh_token(self) -> str:
        return hashlib.sha256(f"refresh token {next(self._refresh_tokens)}".encode()).hexdigest()

    def _signature(self, body: str) -> str:
        return hmac.new(self._secret, body.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

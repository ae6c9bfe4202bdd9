"""Idempotency keys and the answers that were given to them, in rows."""

from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from adapters.sql.statements import batches, insert_if_absent
from adapters.sql.tables import idempotency_answers as kept
from adapters.sql.types import moment
from unite_core.idempotency_keys import STORED_ANSWER_TTL, Claim, IdempotencyKeys, StoredAnswer


class SqlIdempotencyKeys(IdempotencyKeys):
    """Idempotency keys in the relational database, in the transaction of the effect that they answer for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, claim: Claim, *, now: datetime, until: datetime) -> StoredAnswer | None:
        taken = {
            "scope": claim.scope,
            "fingerprint": claim.fingerprint,
            "holder": claim.holder,
            "claimed_at": now,
            "claimed_until": until,
            "answered_at": None,
            "answer": None,
        }
        # The insert comes first: locking a row that is not there yet holds nobody off on MySQL.
        moments = (moment(value, self._connection.dialect) for value in (now, until))
        insert_if_absent(self._connection, kept, [(claim.scope, claim.fingerprint, claim.holder, *moments, None, None)])
        known = self._connection.execute(select(kept).where(kept.c.scope == claim.scope).with_for_update()).one()
        answered = known.answered_at is not None and now - known.answered_at < STORED_ANSWER_TTL
        working = known.answered_at is None and known.holder != claim.holder and now < known.claimed_until
        if answered or working:
            return StoredAnswer(fingerprint=known.fingerprint, answer=known.answer)
        self._connection.execute(update(kept).where(kept.c.scope == claim.scope).values(taken))
        return None

    def keep(self, claim: Claim, answer: bytes, *, now: datetime) -> bool:
        held = update(kept).where(kept.c.scope == claim.scope, kept.c.holder == claim.holder)
        return self._connection.execute(held.values(answer=answer, answered_at=now)).rowcount == 1

    def release(self, claim: Claim) -> None:
        self._connection.execute(
            delete(kept).where(kept.c.scope == claim.scope, kept.c.holder == claim.holder, kept.c.answered_at.is_(None))
        )

    def purge(self, *, before: datetime, limit: int) -> int:
        old = select(kept.c.scope).where(kept.c.claimed_at < before).order_by(kept.c.claimed_at).limit(limit)
        scopes = self._connection.execute(old).scalars().all()
        for portion in batches(scopes):
            self._connection.execute(delete(kept).where(kept.c.scope.in_(portion)))
        return len(scopes)

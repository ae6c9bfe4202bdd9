"""SQL repository of idempotency keys and their stored responses."""

from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from adapters.sql.idempotency.tables import idempotency_answers as answers
from adapters.sql.statements import batches, insert_if_absent
from adapters.sql.types import moment
from unite_core.idempotency_keys import STORED_ANSWER_TTL, Claim, IdempotencyKeys, StoredAnswer


class SqlIdempotencyKeys(IdempotencyKeys):
    """Idempotency keys in the relational database, in the same transaction as the effect of the request."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, claim: Claim, *, now: datetime, until: datetime) -> StoredAnswer | None:
        values = {
            "scope": claim.scope,
            "fingerprint": claim.fingerprint,
            "holder": claim.holder,
            "claimed_at": now,
            "claimed_until": until,
            "answered_at": None,
            "answer": None,
        }
        # Insert first: on MySQL, locking a row that does not exist yet does not block other transactions.
        moments = (moment(value, self._connection.dialect) for value in (now, until))
        row = (claim.scope, claim.fingerprint, claim.holder, *moments, None, None)
        insert_if_absent(self._connection, answers, [row])
        stored = self._connection.execute(select(answers).where(answers.c.scope == claim.scope).with_for_update()).one()
        answered = stored.answered_at is not None and now - stored.answered_at < STORED_ANSWER_TTL
        claimed = stored.answered_at is None and stored.holder != claim.holder and now < stored.claimed_until
        if answered or claimed:
            return StoredAnswer(fingerprint=stored.fingerprint, answer=stored.answer)
        self._connection.execute(update(answers).where(answers.c.scope == claim.scope).values(values))
        return None

    def keep(self, claim: Claim, answer: bytes, *, now: datetime) -> bool:
        update_own = update(answers).where(answers.c.scope == claim.scope, answers.c.holder == claim.holder)
        return self._connection.execute(update_own.values(answer=answer, answered_at=now)).rowcount == 1

    def release(self, claim: Claim) -> None:
        own = answers.c.scope == claim.scope, answers.c.holder == claim.holder
        self._connection.execute(delete(answers).where(*own, answers.c.answered_at.is_(None)))

    def purge(self, *, before: datetime, limit: int) -> int:
        old = select(answers.c.scope).where(answers.c.claimed_at < before).order_by(answers.c.claimed_at).limit(limit)
        scopes = self._connection.execute(old).scalars().all()
        for portion in batches(scopes):
            self._connection.execute(delete(answers).where(answers.c.scope.in_(portion)))
        return len(scopes)

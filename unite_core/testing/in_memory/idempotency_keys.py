"""Idempotency keys in memory."""

from dataclasses import replace
from datetime import datetime

from unite_core.idempotency_keys import STORED_ANSWER_TTL, Claim, IdempotencyKeys, StoredAnswer
from unite_core.testing.in_memory.tables import ClaimedKey, Tables


class InMemoryIdempotencyKeys(IdempotencyKeys):
    """The idempotency keys in use and the answers that were given to them."""

    def __init__(self, tables: Tables) -> None:
        self._keys = tables.idempotency_keys

    def claim(self, claim: Claim, *, now: datetime, until: datetime) -> StoredAnswer | None:
        known = self._keys.get(claim.scope)
        if known is not None and _in_use(known, claim, now):
            return StoredAnswer(fingerprint=known.fingerprint, answer=known.answer)
        self._keys[claim.scope] = ClaimedKey(
            fingerprint=claim.fingerprint, holder=claim.holder, claimed_at=now, until=until
        )
        return None

    def keep(self, claim: Claim, answer: bytes, *, now: datetime) -> bool:
        known = self._keys.get(claim.scope)
        if known is None or known.holder != claim.holder:
            return False
        self._keys[claim.scope] = replace(known, answer=answer, answered_at=now)
        return True

    def release(self, claim: Claim) -> None:
        known = self._keys.get(claim.scope)
        if known is not None and known.holder == claim.holder and known.answer is None:
            del self._keys[claim.scope]

    def purge(self, *, before: datetime, limit: int) -> int:
        old = [scope for scope, known in self._keys.items() if known.claimed_at < before][:limit]
        for scope in old:
            del self._keys[scope]
        return len(old)


def _in_use(known: ClaimedKey, claim: Claim, now: datetime) -> bool:
    if known.answered_at is not None:
        return now - known.answered_at < STORED_ANSWER_TTL
    return known.holder != claim.holder and now < known.until

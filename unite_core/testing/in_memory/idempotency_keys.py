"""Repository of idempotency keys in memory."""

from dataclasses import replace
from datetime import datetime

from unite_core.idempotency_keys import STORED_ANSWER_TTL, Claim, IdempotencyKeys, StoredAnswer
from unite_core.testing.in_memory.tables import ClaimedKey, Tables


class InMemoryIdempotencyKeys(IdempotencyKeys):
    """Stores idempotency keys and the responses that were given to them."""

    def __init__(self, tables: Tables) -> None:
        self._keys = tables.idempotency_keys

    def claim(self, claim: Claim, *, now: datetime, until: datetime) -> StoredAnswer | None:
        stored = self._keys.get(claim.scope)
        if stored is not None and _in_use(stored, claim, now):
            return StoredAnswer(fingerprint=stored.fingerprint, answer=stored.answer)
        self._keys[claim.scope] = ClaimedKey(
            fingerprint=claim.fingerprint, holder=claim.holder, claimed_at=now, until=until
        )
        return None

    def keep(self, claim: Claim, answer: bytes, *, now: datetime) -> bool:
        stored = self._keys.get(claim.scope)
        if stored is None or stored.holder != claim.holder:
            return False
        self._keys[claim.scope] = replace(stored, answer=answer, answered_at=now)
        return True

    def release(self, claim: Claim) -> None:
        stored = self._keys.get(claim.scope)
        if stored is not None and stored.holder == claim.holder and stored.answer is None:
            del self._keys[claim.scope]

    def purge(self, *, before: datetime, limit: int) -> int:
        old = [scope for scope, stored in self._keys.items() if stored.claimed_at < before][:limit]
        for scope in old:
            del self._keys[scope]
        return len(old)


def _in_use(stored: ClaimedKey, claim: Claim, now: datetime) -> bool:
    if stored.answered_at is not None:
        return now - stored.answered_at < STORED_ANSWER_TTL
    return stored.holder != claim.holder and now < stored.until

"""The answers that requests with an idempotency key got, kept so that they can be given again."""

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

STORED_ANSWER_TTL = timedelta(hours=24)
CLAIM_TTL = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One idempotency key as one caller used it on one route.

    `scope` names caller, route and key (a digest: the key itself is not kept); `fingerprint` is a
    digest of what was asked; `holder` is a token of this one attempt. `former_fingerprints` are the digests that the
    same request had under former secrets of the caller.
    """

    scope: str
    fingerprint: str
    holder: str
    former_fingerprints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """What is known of a claim: the answer in the caller's own format, None while it is being worked out."""

    fingerprint: str
    answer: bytes | None


class IdempotencyKeys(Protocol):
    """The idempotency keys in use and the answers that were given to them."""

    @abstractmethod
    def claim(self, claim: Claim, *, now: datetime, until: datetime) -> StoredAnswer | None:
        """Take the key for `claim.holder` until the moment `until`, and return None.

        Returns what is known instead, and changes nothing, where the key has an answer younger than
        `STORED_ANSWER_TTL` or is held by another attempt whose time is not up at `now`. Of several
        simultaneous claims of a key one is taken.
        """

    @abstractmethod
    def keep(self, claim: Claim, answer: bytes, *, now: datetime) -> bool:
        """Store the answer; False, and nothing stored, where the key is not held by `claim.holder` any more."""

    @abstractmethod
    def release(self, claim: Claim) -> None:
        """Give the key back if `claim.holder` holds it and it has no answer."""

    @abstractmethod
    def purge(self, *, before: datetime, limit: int) -> int:
        """Delete up to `limit` keys that were claimed before the moment `before`; how many there were."""

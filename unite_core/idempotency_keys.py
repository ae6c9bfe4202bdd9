"""Repository of idempotency keys and of the stored responses to their requests."""

from abc import abstractmethod
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Protocol

from unite_core.checks import HIDDEN, Checked, Input, SecretText
from unite_core.text import line

STORED_ANSWER_TTL = timedelta(hours=24)
CLAIM_TTL = timedelta(seconds=60)

MAX_KEY_LENGTH = 128
"""Characters of each text of a claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Input):
    """One use of an idempotency key by one caller on one route.

    `scope` identifies caller, route and key (a digest: the key itself is not stored); `fingerprint` is a
    digest of the request; `holder` is a token of this one attempt. `former_fingerprints` are the digests that the
    same request had under former secrets of the caller.
    """

    scope: Annotated[str, line(MAX_KEY_LENGTH)]
    fingerprint: Annotated[str, HIDDEN, line(MAX_KEY_LENGTH)]
    holder: Annotated[str, HIDDEN, line(MAX_KEY_LENGTH)]
    former_fingerprints: Annotated[tuple[str, ...], HIDDEN] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer(Checked):
    """The stored state of a claimed key: the response in the caller's own format, None while it is in progress."""

    fingerprint: SecretText
    answer: bytes | None = field(repr=False)


class IdempotencyKeys(Protocol):
    """Stores idempotency keys and the responses that were given to them."""

    @abstractmethod
    def claim(self, claim: Claim, *, now: datetime, until: datetime) -> StoredAnswer | None:
        """Claim the key for `claim.holder` until the moment `until`, and return None.

        If the key has a response younger than `STORED_ANSWER_TTL`, or is held by another attempt that has not
        expired at `now`, return the stored state instead and change nothing. Of several
        simultaneous claims of a key exactly one succeeds.
        """

    @abstractmethod
    def keep(self, claim: Claim, answer: bytes, *, now: datetime) -> bool:
        """Store the response; return False, and store nothing, if `claim.holder` does not hold the key any more."""

    @abstractmethod
    def release(self, claim: Claim) -> None:
        """Release the key if `claim.holder` holds it and it has no response."""

    @abstractmethod
    def purge(self, *, before: datetime, limit: int) -> int:
        """Delete up to `limit` keys that were claimed before the moment `before`; return how many were deleted."""

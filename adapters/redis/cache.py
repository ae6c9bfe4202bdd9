"""A cache that several processes share."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Lock

from redis import Redis

from adapters.redis.connection import RedisServer
from unite_core.cache import MAX_TTL, Cache, CacheLookup
from unite_core.clock import Clock
from unite_core.errors import Unavailable

PREFIX = "unite"

MAX_PENDING_INVALIDATIONS = 5_000
"""So many namespaces are kept that are still to be forgotten; where there are more, everything is forgotten."""

_TOKEN_TTL = 10 * MAX_TTL
"""Tokens need not outlive the values by much: where one is gone, its values are not found, and that is all."""

_TOKEN_BYTES = 16
_EXPIRY_BYTES = 8
_SIGNATURE_BYTES = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RedisCache(Cache):
    """A cache in Redis, where every namespace has a random token, and everything together has one more.

    A value is stored with the two tokens that were current when its ticket was given, and is found while they still
    are. To forget is to delete the namespace's token: the next look makes another, and none ever comes back, whatever
    Redis evicts or loses (docs/decisions/0010-the-cache-forgets-by-random-tokens.md).

    While Redis is away looks find nothing. What could not be forgotten is *owed*: this process finds nothing either
    until it has been forgotten after all. Other processes that reach Redis meanwhile may find what is owed there, and
    so may everybody where this process ends before it has paid: until the lifetime of the value ends.

    A value is signed with `secret` (HMAC-SHA256), together with its name, its tokens and the end of its lifetime by
    `clock`. What is not signed so is not found: somebody who can write to Redis makes no session live and no lead look
    different, and can bring an old value back for the rest of its lifetime at the most.
    """

    def __init__(
        self,
        server: RedisServer,
        *,
        secret: bytes,
        clock: Clock,
        prefix: str = PREFIX,
        max_pending: int = MAX_PENDING_INVALIDATIONS,
    ) -> None:
        self._server = server
        self._secret = secret
        self._clock = clock
        self._everything = f"{prefix}:cache:everything"
        self._token = f"{prefix}:cache:token:"
        self._value = f"{prefix}:cache:value:"
        self._most_owed = max_pending
        # The name of a token -> the debt. Another debt of the same name is another object.
        self._owed: dict[str, object] = {}
        self._turn = Lock()

    def look(self, namespace: str, key: str) -> CacheLookup:
        name = f"{self._value}{namespace}:{key}"
        try:
            self._pay()
            everything, token, stored = self._ask(self._token + namespace, name)
        except Unavailable:
            return CacheLookup()
        if everything is None or token is None:  # evicted in this very moment
            return CacheLookup()
        current = everything + token
        value = self._opened(name, stored[len(current) :], current) if stored and stored.startswith(current) else None
        return CacheLookup(value, current.hex())

    def put(self, namespace: str, key: str, value: bytes, *, ticket: str, ttl: timedelta) -> None:
        name = f"{self._value}{namespace}:{key}"
        ttl = min(ttl, MAX_TTL)
        current = bytes.fromhex(ticket)
        signed = _milliseconds(self._clock.now() + ttl).to_bytes(_EXPIRY_BYTES) + value
        stored = current + self._signature(name, current, signed) + signed
        with suppress(Unavailable):  # it is worked out again
            self._server.call(lambda redis: redis.set(name, stored, px=ttl))

    def forget(self, namespaces: Collection[str]) -> None:
        self._owe([self._token + namespace for namespace in namespaces])
        with suppress(Unavailable):  # it stays owed
            self._pay()

    def _opened(self, name: str, stored: bytes, current: bytes) -> bytes | None:
        """The value that was put under this name with these tokens; None where it was not, or its time is over."""
        signature, signed = stored[:_SIGNATURE_BYTES], stored[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(name, current, signed)):
            return None
        expires_at = int.from_bytes(signed[:_EXPIRY_BYTES])
        return signed[_EXPIRY_BYTES:] if _milliseconds(self._clock.now()) < expires_at else None

    def _signature(self, name: str, current: bytes, signed: bytes) -> bytes:
        # Each part is of a fixed length but for the last, so that no two values are signed alike.
        parts = (hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest(), hashlib.sha256(current).digest())
        return hmac.digest(self._secret, b"".join((*parts, signed)), "sha256")

    def _ask(self, token: str, value: str) -> list[bytes | None]:
        """The token of everything, that of the namespace, and what is stored; tokens that are missing are made."""

        def ask(redis: Redis) -> list[bytes | None]:
            with redis.pipeline(transaction=False) as pipeline:
                for name in (self._everything, token):
                    pipeline.set(name, secrets.token_bytes(_TOKEN_BYTES), nx=True, px=_TOKEN_TTL)
                pipeline.mget(self._everything, token, value)
                answers = pipeline.execute()
            found: list[bytes | None] = answers[-1]
            return found

        return self._server.call(ask)

    def _owe(self, names: list[str]) -> None:
        with self._turn:
            if len(self._owed) + len(names) > self._most_owed:
                self._owed.clear()
                names = [self._everything]
            self._owed.update((name, object()) for name in names)

    def _pay(self) -> None:
        """Forget what is owed; raises `Unavailable` where not all of it is forgotten now."""
        with self._turn:
            due = dict(self._owed)
        if not due:
            return
        self._server.call(lambda redis: redis.unlink(*due))
        with self._turn:
            # What somebody came to owe meanwhile, of the same name too, is not paid by this.
            for name, debt in due.items():
                if self._owed.get(name) is debt:
                    del self._owed[name]
            if self._owed:
                raise Unavailable("There is more to be forgotten.")


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)

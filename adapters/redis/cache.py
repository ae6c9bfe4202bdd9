"""Cache in Redis, shared by all processes, with namespaces and signed values."""

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
"""How many pending invalidations are stored at most. If there are more, everything is invalidated."""

_TOKEN_TTL = 10 * MAX_TTL
"""Tokens need to live longer than values, but not by much. Without its token a value is not found."""

_TOKEN_BYTES = 16
_EXPIRY_BYTES = 8
_SIGNATURE_BYTES = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RedisCache(Cache):
    """A cache in Redis. Every namespace has a random token, and the cache as a whole has another one.

    A value is stored with the two tokens that were current when its ticket was issued, and is found as long as both are
    still current. To invalidate a namespace, its token is deleted. The next lookup creates another token, and no token
    ever returns, whatever Redis evicts or loses (docs/decisions/0010-the-cache-forgets-by-random-tokens.md).

    While Redis does not answer, lookups find nothing. An invalidation that failed is pending, and until it is done
    lookups in this process find nothing. Other processes that reach Redis may still find the old values, as may all
    processes if this one ends first, until the TTL of the value ends.

    A value is signed with `secret` (HMAC-SHA256), together with its name, its tokens and its expiry by `clock`. A value
    without a valid signature is not found. So an attacker who can write to Redis can neither forge a session nor change
    a lead. At most, they can restore an old value for the rest of its TTL.
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
        self._global_token = f"{prefix}:cache:everything"
        self._token_prefix = f"{prefix}:cache:token:"
        self._value_prefix = f"{prefix}:cache:value:"
        self._max_pending = max_pending
        # The name of a token -> a marker of the invalidation. A later one for the same name has another marker.
        self._pending: dict[str, object] = {}
        self._lock = Lock()

    def get(self, namespace: str, key: str) -> CacheLookup:
        name = f"{self._value_prefix}{namespace}:{key}"
        try:
            self._invalidate_pending()
            global_token, token, stored = self._read(self._token_prefix + namespace, name)
        except Unavailable:
            return CacheLookup()
        if global_token is None or token is None:  # evicted between SET and MGET
            return CacheLookup()
        current = global_token + token
        value = self._verified(name, stored[len(current) :], current) if stored and stored.startswith(current) else None
        return CacheLookup(value, current.hex())

    def put(self, namespace: str, key: str, value: bytes, *, ticket: str, ttl: timedelta) -> None:
        name = f"{self._value_prefix}{namespace}:{key}"
        ttl = min(ttl, MAX_TTL)
        current = bytes.fromhex(ticket)
        signed = _milliseconds(self._clock.now() + ttl).to_bytes(_EXPIRY_BYTES) + value
        stored = current + self._signature(name, current, signed) + signed
        with suppress(Unavailable):  # without the cache the value is calculated again
            self._server.call(lambda redis: redis.set(name, stored, px=ttl))

    def invalidate(self, namespaces: Collection[str]) -> None:
        self._add_pending([self._token_prefix + namespace for namespace in namespaces])
        with suppress(Unavailable):  # the invalidation stays pending
            self._invalidate_pending()

    def _verified(self, name: str, stored: bytes, current: bytes) -> bytes | None:
        """Return the value that was stored under this name with these tokens; None if it was not, or has expired."""
        signature, signed = stored[:_SIGNATURE_BYTES], stored[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(name, current, signed)):
            return None
        expires_at = int.from_bytes(signed[:_EXPIRY_BYTES])
        return signed[_EXPIRY_BYTES:] if _milliseconds(self._clock.now()) < expires_at else None

    def _signature(self, name: str, current: bytes, signed: bytes) -> bytes:
        # Every part except the last has a fixed length, so that two different values never give the same input.
        parts = (hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest(), hashlib.sha256(current).digest())
        return hmac.digest(self._secret, b"".join((*parts, signed)), "sha256")

    def _read(self, token: str, value: str) -> list[bytes | None]:
        """Return the global token, the token of the namespace and the stored bytes; create missing tokens."""

        def read(redis: Redis) -> list[bytes | None]:
            with redis.pipeline(transaction=False) as pipeline:
                for name in (self._global_token, token):
                    pipeline.set(name, secrets.token_bytes(_TOKEN_BYTES), nx=True, px=_TOKEN_TTL)
                pipeline.mget(self._global_token, token, value)
                results = pipeline.execute()
            values: list[bytes | None] = results[-1]
            return values

        return self._server.call(read)

    def _add_pending(self, names: list[str]) -> None:
        with self._lock:
            if len(self._pending) + len(names) > self._max_pending:
                self._pending.clear()
                names = [self._global_token]
            self._pending.update((name, object()) for name in names)

    def _invalidate_pending(self) -> None:
        """Do the pending invalidations; raise `Unavailable` if any is left."""
        with self._lock:
            pending = dict(self._pending)
        if not pending:
            return
        self._server.call(lambda redis: redis.unlink(*pending))
        with self._lock:
            # An invalidation that was added meanwhile, for the same name too, is not done yet.
            for name, marker in pending.items():
                if self._pending.get(name) is marker:
                    del self._pending[name]
            if self._pending:
                raise Unavailable("Some cached values are still to be invalidated.")


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)

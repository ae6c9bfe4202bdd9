"""Passwords as Argon2id hashes."""

import secrets
from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from unite_core.identity.ports import Passwords

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
"""One of the equally strong settings of OWASP's Password Storage Cheat Sheet, with little memory for each login."""

ONE_TIME_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without i, l, o, 0 and 1, which are read as one another."""

ONE_TIME_GROUPS = 5
ONE_TIME_GROUP_LENGTH = 4
"""20 of 31 characters are 99 bits."""

MAX_CONCURRENT_HASHES = 4
"""How many hashes are worked out at the same time; more would not be faster and would each take their memory."""


class Argon2Passwords(Passwords):
    """Hashes with Argon2id (RFC 9106); a hash names its own parameters.

    At most `at_once` hashes are in memory together, 19 MiB each; further calls wait for their turn.
    """

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
        lanes: int = LANES,
        at_once: int = MAX_CONCURRENT_HASHES,
    ) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=Type.ID)
        self._turn = BoundedSemaphore(at_once)
        self._nobodys = self._hasher.hash(secrets.token_bytes(32))

    def hash(self, password: str) -> str:
        with self._turn:
            return self._hasher.hash(_bytes(password))

    def matches(self, password: str, password_hash: str | None) -> bool:
        with self._turn:
            try:
                self._hasher.verify(password_hash or self._nobodys, _bytes(password))
            except (VerificationError, InvalidHashError):
                return False
        return password_hash is not None

    def needs_rehash(self, password_hash: str) -> bool:
        try:
            return self._hasher.check_needs_rehash(password_hash)
        except InvalidHashError:
            return True

    def new_one_time_password(self) -> str:
        groups = (
            "".join(secrets.choice(ONE_TIME_ALPHABET) for _ in range(ONE_TIME_GROUP_LENGTH))
            for _ in range(ONE_TIME_GROUPS)
        )
        return "-".join(groups)


def _bytes(password: str) -> bytes:
    # A lone surrogate can come in through JSON; it is no text, and makes as good a password as any.
    return password.encode("utf-8", "surrogatepass")

"""Password hashes (Argon2id) and one-time passwords."""

import secrets
from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from unite_core.identity.ports import Passwords

__all__ = ["Argon2Passwords"]

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
"""One of the equally strong settings of OWASP's Password Storage Cheat Sheet: the one that takes little memory."""

ONE_TIME_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Lower-case letters and digits without i, l, o, 0 and 1, which are easily confused."""

ONE_TIME_GROUPS = 5
ONE_TIME_GROUP_LENGTH = 4
"""20 of 31 characters are 99 bits."""

MAX_CONCURRENT_HASHES = 4
"""How many hashes are calculated at the same time. More would not be faster, and each takes its own memory."""


class Argon2Passwords(Passwords):
    """Password hashes by Argon2id (RFC 9106); each hash names its own parameters.

    At most `at_once` hashes are calculated together, with 19 MiB of memory each; further calls wait.
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
        self._slots = BoundedSemaphore(at_once)
        # Verified where there is no such user, so that the time of the answer does not tell whether there is one.
        self._dummy_hash = self._hasher.hash(secrets.token_bytes(32))

    def hash(self, password: str) -> str:
        with self._slots:
            return self._hasher.hash(_bytes(password))

    def matches(self, password: str, password_hash: str | None) -> bool:
        with self._slots:
            try:
                self._hasher.verify(password_hash or self._dummy_hash, _bytes(password))
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
    # JSON can contain a lone surrogate, which UTF-8 does not allow. A password may contain one all the same.
    return password.encode("utf-8", "surrogatepass")

"""The keys of an installation: kept in its folder, and one more for each purpose derived from each."""

import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from entrypoints.settings import parse_keys

FILE = "jwt_keys"
_OWNER_ALONE = 0o600
_DERIVED_BYTES = 32


def load_or_create_keys(folder: Path) -> dict[str, bytes]:
    """The keys in the file `jwt_keys` of the folder; made at the first call, readable by its owner alone.

    The file holds the same as the setting: `name:secret,name:secret`, the first one signs. Whoever calls this holds the
    folder's lock. Raises `OSError` and, for a file that holds something else, `ValueError`.
    """
    path = folder / FILE
    if not path.exists():
        _make(path)
    path.chmod(_OWNER_ALONE)
    return parse_keys(path.read_text("utf-8").strip())


def derive_keys(keys: Mapping[str, bytes], purpose: str) -> dict[str, bytes]:
    """A key of 32 bytes under the same name for each key (HKDF, RFC 5869).

    What is signed with one of them stays good for as long as the key that it comes from is known, and
    tells nothing about the keys for other purposes.
    """
    return {
        kid: HKDF(algorithm=SHA256(), length=_DERIVED_BYTES, salt=None, info=f"unite {purpose}".encode()).derive(secret)
        for kid, secret in keys.items()
    }


def _make(path: Path) -> None:
    incoming = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ALONE)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%d}:{secrets.token_urlsafe(48)}\n")
            file.flush()
            os.fsync(file.fileno())
        incoming.replace(path)
    finally:
        incoming.unlink(missing_ok=True)

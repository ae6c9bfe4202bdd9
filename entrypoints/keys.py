"""Signing keys: create and read the key file, and derive keys for each purpose."""

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
    """Return the keys in the file `jwt_keys` of the folder, which is created if missing, readable only by its owner.

    The file has the format of the setting: `name:secret,name:secret`, and the first key signs. The caller must hold
    the folder's lock. Raises `OSError`, and `ValueError` for a file in another format.
    """
    path = folder / FILE
    if not path.exists():
        _create(path)
    path.chmod(_OWNER_ALONE)
    return parse_keys(path.read_text("utf-8").strip())


def derive_keys(keys: Mapping[str, bytes], purpose: str) -> dict[str, bytes]:
    """Return a derived key of 32 bytes for each key, under the same name (HKDF, RFC 5869).

    A signature stays valid as long as the original key is configured, and reveals nothing about the keys for other
    purposes.
    """
    return {
        kid: HKDF(algorithm=SHA256(), length=_DERIVED_BYTES, salt=None, info=f"unite {purpose}".encode()).derive(secret)
        for kid, secret in keys.items()
    }


def _create(path: Path) -> None:
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

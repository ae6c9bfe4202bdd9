"""Signing keys: create and read the key file."""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from entrypoints.settings import parse_keys

FILE = "jwt_keys"
_OWNER_ALONE = 0o600


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

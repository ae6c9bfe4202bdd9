"""Derive keys for each purpose from the signing keys."""

from collections.abc import Mapping

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_DERIVED_BYTES = 32


def derive_keys(keys: Mapping[str, bytes], purpose: str) -> dict[str, bytes]:
    """Return a derived key of 32 bytes for each key, under the same name (HKDF, RFC 5869).

    A signature stays valid as long as the original key is configured, and reveals nothing about the keys for other
    purposes.
    """
    return {
        kid: HKDF(algorithm=SHA256(), length=_DERIVED_BYTES, salt=None, info=f"unite {purpose}".encode()).derive(secret)
        for kid, secret in keys.items()
    }

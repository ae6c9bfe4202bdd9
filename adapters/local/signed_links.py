"""Signed links, each for uploading or downloading one file for a short time."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from unite_core.errors import Forbidden

EXPIRES = "expires"
KID = "kid"
SIGNATURE = "signature"


@dataclass(frozen=True)
class SignedLinks:
    """Creates and verifies links, signed with HMAC-SHA256.

    `address` is the beginning of every link, without a slash at its end. `secrets` maps the name of each secret to its
    bytes; the first one signs, all of them verify. A link is valid for one method, one key and exactly the parameters
    that it was created with.
    """

    address: str
    secrets: Mapping[str, bytes]

    def make(self, method: str, key: str, parameters: Mapping[str, str], expires_at: datetime) -> str:
        """Return a link to `key` that is valid for `method` until `expires_at`, rounded down to the second."""
        kid = next(iter(self.secrets))
        query = {**parameters, EXPIRES: str(int(expires_at.timestamp())), KID: kid}
        query[SIGNATURE] = _signature(self.secrets[kid], method, key, query)
        return f"{self.address}/{quote(key)}?{urlencode(query, quote_via=quote)}"

    def check(self, method: str, key: str, query: Mapping[str, str], *, now: datetime) -> dict[str, str]:
        """Verify a link, and return the parameters that it was created with.

        Raises `Forbidden` with the code `invalid_signature` where any part of it was changed, or `link_expired`.
        """
        parameters = dict(query)
        signature = parameters.pop(SIGNATURE, "")
        secret = self.secrets.get(parameters.get(KID, ""))
        if secret is None or not hmac.compare_digest(
            signature.encode("utf-8", "replace"), _signature(secret, method, key, parameters).encode()
        ):
            raise Forbidden("This link is not one of ours, or was changed.", code="invalid_signature")
        if now >= datetime.fromtimestamp(int(parameters[EXPIRES]), UTC):
            raise Forbidden("This link has expired; ask for a new one.", code="link_expired")
        del parameters[EXPIRES], parameters[KID]
        return parameters


def _signature(secret: bytes, method: str, key: str, query: Mapping[str, str]) -> str:
    signed = json.dumps([method, key, sorted(query.items())])
    return hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()

"""Links that permit one upload or one download for a short time."""

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
class Links:
    """Signs links with HMAC-SHA256 and tells genuine ones.

    `address` is what every link starts with, without a slash at its end. `secrets` maps the name of each secret to its
    bytes; the first one signs, all of them verify. A link is good for one method, one key and exactly the parameters
    that it was made with.
    """

    address: str
    secrets: Mapping[str, bytes]

    def make(self, method: str, key: str, parameters: Mapping[str, str], expires_at: datetime) -> str:
        """A link to `key` that is good for `method` until the second of `expires_at`."""
        kid = next(iter(self.secrets))
        query = {**parameters, EXPIRES: str(int(expires_at.timestamp())), KID: kid}
        query[SIGNATURE] = _signature(self.secrets[kid], method, key, query)
        return f"{self.address}/{quote(key)}?{urlencode(query, quote_via=quote)}"

    def check(self, method: str, key: str, query: Mapping[str, str], *, now: datetime) -> dict[str, str]:
        """The parameters that the link was made with.

        Raises `Forbidden`: `invalid_signature` where anything about it was changed, `link_expired` after its time.
        """
        given = dict(query)
        signature = given.pop(SIGNATURE, "")
        secret = self.secrets.get(given.get(KID, ""))
        if secret is None or not hmac.compare_digest(
            signature.encode("utf-8", "replace"), _signature(secret, method, key, given).encode()
        ):
            raise Forbidden("This link is not one of ours, or was changed.", code="invalid_signature")
        if now >= datetime.fromtimestamp(int(given[EXPIRES]), UTC):
            raise Forbidden("This link has expired; ask for a new one.", code="link_expired")
        del given[EXPIRES], given[KID]
        return given


def _signature(secret: bytes, method: str, key: str, query: Mapping[str, str]) -> str:
    signed = json.dumps([method, key, sorted(query.items())])
    return hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()

"""Answers to POSTs, each given once per Idempotency-Key.

return perform(unite().leads.add, actor(), new, render=lambda lead: Answer(201, lead_json(lead), {"ETag": ...}))
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Response, request

from entrypoints.http.bodies import body_bytes
from entrypoints.http.context import known_actor, unite
from entrypoints.http.rendering import JSON_TYPE, to_json
from unite_core.answers import Claim
from unite_core.errors import Malformed

T = TypeVar("T")

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST_KEY = 255

_KEY = re.compile(rf"[\x20-\x7e]{{1,{LONGEST_KEY}}}")
_NONCE_BYTES = 12  # what AES-GCM takes (NIST SP 800-38D, 8.2)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a use case's result is answered with; `body` is made JSON, None is no body."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def perform(
    use_case: Callable[..., T],
    *arguments: Any,
    render: Callable[[T], Answer],
    fingerprint: bytes | None = None,
    acting: str = "",
) -> Response:
    """Carry out a use case and answer with its result as `render` shows it.

    With an Idempotency-Key it is carried out once, and asked again gives the first answer again. `fingerprint`
    stands for what was asked where the body is too large to be read here; else it is the body. Keys belong to the
    user; `acting` names somebody whom nobody has authenticated yet, so that two of them do not share their keys.

    Raises `Malformed` (`invalid_header`), and what the use case and `unite_core.idempotency.Once` raise.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return _response(_stored(render(use_case(*arguments))))
    if _KEY.fullmatch(key) is None:
        raise Malformed(f"{HEADER} is 1 to {LONGEST_KEY} printable ASCII characters.", code="invalid_header")
    asked = body_bytes() if fingerprint is None else fingerprint
    seal = _Seal(key, asked)

    def sealed(result: T) -> bytes:
        return seal.close(orjson.dumps(_stored(render(result))))

    outcome = unite().once(_claim(key, asked, acting), use_case, sealed, *arguments)
    response = _response(orjson.loads(seal.open(outcome.answer)))
    if outcome.replayed:
        response.headers[REPLAYED] = "true"
    return response


class _Seal:
    """Encrypts stored answers under what only the client has: its key and what it asked.

    The answer to a login holds tokens; whoever reads the database must not find any. AES-256-GCM, its key
    from HKDF (RFC 5869).
    """

    def __init__(self, key: str, asked: bytes) -> None:
        derived = HKDF(SHA256(), 32, salt=hashlib.sha256(asked).digest(), info=b"unite idempotency answer")
        self._cipher = AESGCM(derived.derive(key.encode() + b"\0" + asked))

    def close(self, answer: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, answer, None)

    def open(self, sealed: bytes) -> bytes:
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)


def _claim(key: str, asked: bytes, acting: str) -> Claim:
    actor = known_actor()
    # The digest keeps what anybody may send apart from the parts beside it.
    who = str(actor.user_id) if actor else f"anonymous {hashlib.sha256(acting.encode()).hexdigest()}"
    scope = hashlib.sha256("\0".join((who, request.method, str(request.url_rule), key)).encode()).hexdigest()
    mac = HMAC(key.encode(), SHA256())
    # The path is not the route: it holds the ids.
    mac.update(f"{request.method}\0{request.path}\0".encode("utf-8", "surrogatepass"))
    mac.update(asked)
    return Claim(scope=scope, fingerprint=mac.finalize().hex(), holder=secrets.token_hex(16))


def _stored(answer: Answer) -> dict[str, Any]:
    return {
        "status": answer.status,
        "headers": dict(answer.headers),
        "body": None if answer.body is None else to_json(answer.body).decode(),
    }


def _response(stored: Mapping[str, Any]) -> Response:
    body = stored["body"]
    response = Response(body or b"", status=stored["status"], headers=stored["headers"], content_type=JSON_TYPE)
    if body is None:
        del response.headers["Content-Type"]
    return response

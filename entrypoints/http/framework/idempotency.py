"""Run a use case once per Idempotency-Key, and replay its first response.

plan = ResponsePlan(_added, check_readable(unite().leads.get))
return run_use_case(unite().leads.add, plan, new)
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Response, request

from entrypoints.http.framework.context import actor, http_config, unite
from entrypoints.http.framework.json_responses import JSON_TYPE, to_json
from entrypoints.http.framework.request_body import body_bytes
from unite_core import idempotency
from unite_core.errors import Malformed
from unite_core.idempotency import Replay
from unite_core.idempotency_keys import Claim
from unite_core.identity.model import Actor, Permission

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

IDEMPOTENCY_KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
MAX_KEY_LENGTH = 255

_KEY = re.compile(rf"[\x20-\x7e]{{1,{MAX_KEY_LENGTH}}}")
_NONCE_BYTES = 12  # what AES-GCM takes (NIST SP 800-38D, 8.2)


@dataclass(frozen=True, slots=True)
class ResponseContent:
    """The response to a use case's result; `body` is serialized as JSON, and None means no body."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class KeyedUseCase(idempotency.KeyedUseCase[Concatenate[Actor, P], T_co], Protocol[P, T_co]):
    """A use case that takes an Idempotency-Key and names the permission that its caller needs."""

    @property
    def permission(self) -> Permission | None:
        """Return the permission that the caller needs; None where every role may try."""


AccessCheck = Callable[[Any], Any]
"""A function from the body of a first response (None where it has none) to the body that the caller may see now.

It raises what reading the same resource raises for this caller.
"""


def check_readable(read: Callable[[Actor, UUID], object]) -> AccessCheck:
    """Return the check for a response that shows one resource; `read` raises if the caller may not read it now."""

    def recheck(body: Any) -> Any:
        read(actor(), UUID(body["id"]))
        return body

    return recheck


def respond(answer: ResponseContent) -> Response:
    """Make the response of an operation that takes no Idempotency-Key; nothing is stored."""
    return _response(_stored(answer))


@dataclass(frozen=True)
class ResponsePlan(Generic[T]):
    """How a use case's result becomes a response, and how that response is replayed.

    `render` makes the response from the result. Before a replay, `recheck` checks that the caller may still read what
    the response shows.

    `fingerprint` identifies the request where its body is too large to be read here; otherwise the body does. `secret`
    means that the body holds a password: then nothing that is stored lets a reader of the database try passwords.
    `count_attempt` is for a use case that verifies a password: it counts the requests that are compared with the first.
    """

    render: Callable[[T], ResponseContent]
    recheck: AccessCheck
    fingerprint: bytes | None = None
    secret: bool = False
    count_attempt: Callable[[], None] | None = None

    def replay(self, refresh: Callable[[bytes], bytes]) -> Replay:
        """Return the checks before a replay; `refresh` returns the first response as the caller may see it now."""
        return Replay(refresh) if self.count_attempt is None else Replay(refresh, self.count_attempt)


def run_use_case(
    use_case: KeyedUseCase[P, T], answering: ResponsePlan[T], /, *arguments: P.args, **named: P.kwargs
) -> Response:
    """Run a use case for the caller and respond with its result.

    With an Idempotency-Key the use case runs once, and each later request with the key gets the first response again.
    Keys belong to the user. A replay shows no more than a read would: it needs the permission of the use case too.

    Raises `Malformed` (`invalid_header`), and what the use case, `answering.recheck` and
    `unite_core.idempotency.RunOnce` raise.
    """
    caller = actor()
    key = request.headers.get(IDEMPOTENCY_KEY_HEADER)
    if key is None:
        return respond(answering.render(use_case(caller, *arguments, **named)))
    if _KEY.fullmatch(key) is None:
        raise Malformed(
            f"{IDEMPOTENCY_KEY_HEADER} is 1 to {MAX_KEY_LENGTH} printable ASCII characters.", code="invalid_header"
        )
    scope = _scope(caller, key)
    content = body_bytes() if answering.fingerprint is None else answering.fingerprint
    # The first variant is stored for this request. An earlier request may have been stored under one of the others.
    variants = [_peppered(content, each) for each in http_config().cursor_secrets] if answering.secret else [content]
    cipher = _ResponseCipher(key, variants)

    def encrypted(result: T) -> bytes:
        return cipher.encrypt(orjson.dumps(_stored(answering.render(result))))

    def refreshed(answer: bytes) -> bytes:
        stored = orjson.loads(cipher.decrypt(answer))
        first = None if stored["body"] is None else orjson.loads(stored["body"])
        now = answering.recheck(first)
        if use_case.permission is not None:
            caller.must(use_case.permission)
        return orjson.dumps(stored if now == first else {**stored, "body": to_json(now).decode()})

    claim = _claim(scope, key, variants)
    outcome = unite().once(claim, use_case, encrypted, answering.replay(refreshed), caller, *arguments, **named)
    if outcome.replayed:
        response = _response(orjson.loads(outcome.answer))
        response.headers[REPLAYED_HEADER] = "true"
        return response
    return _response(orjson.loads(cipher.decrypt(outcome.answer)))


class _ResponseCipher:
    """The encryption of stored responses under what only the client has: its key and the content of its request.

    Responses hold names, numbers and upload links, which a reader of the database must not find. The cipher is
    AES-256-GCM with a key from HKDF (RFC 5869). The first of the `variants` of the content encrypts; all of them
    decrypt.
    """

    def __init__(self, key: str, variants: Sequence[bytes]) -> None:
        self._ciphers = [self._cipher(key, content) for content in variants]

    def encrypt(self, answer: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, answer, None)

    def decrypt(self, stored: bytes) -> bytes:
        nonce, encrypted = stored[:_NONCE_BYTES], stored[_NONCE_BYTES:]
        for cipher in self._ciphers:
            with suppress(InvalidTag):
                return cipher.decrypt(nonce, encrypted, None)
        raise InvalidTag

    @staticmethod
    def _cipher(key: str, content: bytes) -> AESGCM:
        derived = HKDF(SHA256(), 32, salt=hashlib.sha256(content).digest(), info=b"unite idempotency answer")
        return AESGCM(derived.derive(key.encode() + b"\0" + content))


def _scope(caller: Actor, key: str) -> str:
    """Return a digest of caller, route and key, so that the key itself is not stored."""
    parts = (str(caller.user_id), request.method, str(request.url_rule), key)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _claim(scope: str, key: str, variants: Sequence[bytes]) -> Claim:
    fingerprint, *former = (_fingerprint(key, content) for content in variants)
    return Claim(scope=scope, fingerprint=fingerprint, holder=secrets.token_hex(16), former_fingerprints=tuple(former))


def _fingerprint(key: str, content: bytes) -> str:
    mac = HMAC(key.encode(), SHA256())
    # The path is added because it holds the ids, which the route in the scope does not.
    mac.update(f"{request.method}\0{request.path}\0".encode("utf-8", "surrogatepass"))
    mac.update(content)
    return mac.finalize().hex()


def _peppered(content: bytes, secret: bytes) -> bytes:
    """Return a digest of the content under a secret of the service that is not in the database.

    The stored fingerprint is keyed by the Idempotency-Key. Clients choose their keys, and some are easy to guess:
    without the secret, a reader of the database could try passwords as fast as SHA-256 can be computed.
    """
    mac = HMAC(secret, SHA256())
    mac.update(b"unite idempotency secret\0" + content)
    return mac.finalize()


def _stored(answer: ResponseContent) -> dict[str, Any]:
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

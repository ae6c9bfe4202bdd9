"""Answers to POSTs, each given once per Idempotency-Key.

answering = Answering(lambda lead: Answer(201, lead_json(lead), {"ETag": ...}), readable(unite().leads.get))
return perform(unite().leads.add, answering, new)
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

from entrypoints.http.bodies import body_bytes
from entrypoints.http.context import actor, http_config, unite
from entrypoints.http.rendering import JSON_TYPE, to_json
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
    """What a use case's result is answered with; `body` is made JSON, None is no body."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class KeyedUseCase(idempotency.KeyedUseCase[Concatenate[Actor, P], T_co], Protocol[P, T_co]):
    """A use case that takes an Idempotency-Key: it says which permission its caller needs."""

    @property
    def permission(self) -> Permission | None:
        """The permission that the caller needs, None where every role may try."""


AccessCheck = Callable[[Any], Any]
"""Gets the body of a first answer, None where it has none, and returns it as the caller may see it now.

It raises what a read of the same resource by the caller would raise.
"""


def check_readable(read: Callable[[Actor, UUID], object]) -> AccessCheck:
    """The check of an answer that shows one resource: `read` raises where the caller may not read it now."""

    def recheck(body: Any) -> Any:
        read(actor(), UUID(body["id"]))
        return body

    return recheck


def respond(answer: ResponseContent) -> Response:
    """Answer an operation that takes no Idempotency-Key; nothing is stored."""
    return _response(_stored(answer))


@dataclass(frozen=True)
class ResponsePlan(Generic[T]):
    """How a use case's result is answered, and answered again.

    `render` shows the result. Before the answer is given again, `recheck` has to find that the caller may still read
    what it shows.

    `fingerprint` stands for what was asked where the body is too large to be read here; else it is the body. With
    `secret` the body holds a password, and nothing that is stored lets a reader of the database try passwords.
    `count_attempt` is for a use case that proves a password: it counts the requests that are compared with the first.
    """

    render: Callable[[T], ResponseContent]
    recheck: AccessCheck
    fingerprint: bytes | None = None
    secret: bool = False
    count_attempt: Callable[[], None] | None = None

    def replay(self, shown_now: Callable[[bytes], bytes]) -> Replay:
        """The checks before the first answer is given again, which `shown_now` returns as the caller may see it."""
        return Replay(shown_now) if self.count_attempt is None else Replay(shown_now, self.count_attempt)


def run_use_case(
    use_case: KeyedUseCase[P, T], answering: ResponsePlan[T], /, *arguments: P.args, **named: P.kwargs
) -> Response:
    """Carry out a use case for the caller and answer with its result.

    With an Idempotency-Key it is carried out once, and asked again gives the first answer again. Keys belong to the
    user. Before the answer is given again, the caller has to have the permission of the use case too: an answer given
    again says no more than a read would.

    Raises `Malformed` (`invalid_header`), and what the use case, `answering.recheck` and
    `unite_core.idempotency.Once` raise.
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
    asked = body_bytes() if answering.fingerprint is None else answering.fingerprint
    # The first one is what is stored of this request; the others are what may be stored of an earlier one.
    variants = [_peppered(asked, each) for each in http_config().cursor_secrets] if answering.secret else [asked]
    seal = _Seal(key, variants)

    def sealed(result: T) -> bytes:
        return seal.close(orjson.dumps(_stored(answering.render(result))))

    def shown_now(answer: bytes) -> bytes:
        stored = orjson.loads(seal.open(answer))
        first = None if stored["body"] is None else orjson.loads(stored["body"])
        now = answering.recheck(first)
        if use_case.permission is not None:
            caller.must(use_case.permission)
        return orjson.dumps(stored if now == first else {**stored, "body": to_json(now).decode()})

    claim = _claim(scope, key, variants)
    outcome = unite().once(claim, use_case, sealed, answering.replay(shown_now), caller, *arguments, **named)
    if outcome.replayed:
        response = _response(orjson.loads(outcome.answer))
        response.headers[REPLAYED_HEADER] = "true"
        return response
    return _response(orjson.loads(seal.open(outcome.answer)))


class _Seal:
    """Encrypts stored answers under what only the client has: its key and what it asked.

    Answers hold names, numbers and upload links; a reader of the database must not find any. AES-256-GCM, its key
    from HKDF (RFC 5869). The first of `variants` of what it asked encrypts, all of them decrypt.
    """

    def __init__(self, key: str, variants: Sequence[bytes]) -> None:
        self._ciphers = [self._cipher(key, asked) for asked in variants]

    def close(self, answer: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, answer, None)

    def open(self, sealed: bytes) -> bytes:
        nonce, encrypted = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        for cipher in self._ciphers:
            with suppress(InvalidTag):
                return cipher.decrypt(nonce, encrypted, None)
        raise InvalidTag

    @staticmethod
    def _cipher(key: str, asked: bytes) -> AESGCM:
        derived = HKDF(SHA256(), 32, salt=hashlib.sha256(asked).digest(), info=b"unite idempotency answer")
        return AESGCM(derived.derive(key.encode() + b"\0" + asked))


def _scope(caller: Actor, key: str) -> str:
    """Caller, route and key as one digest, so that the key itself is not stored."""
    parts = (str(caller.user_id), request.method, str(request.url_rule), key)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _claim(scope: str, key: str, variants: Sequence[bytes]) -> Claim:
    fingerprint, *former = (_fingerprint(key, asked) for asked in variants)
    return Claim(scope=scope, fingerprint=fingerprint, holder=secrets.token_hex(16), former_fingerprints=tuple(former))


def _fingerprint(key: str, asked: bytes) -> str:
    mac = HMAC(key.encode(), SHA256())
    # The path is not the route: it holds the ids.
    mac.update(f"{request.method}\0{request.path}\0".encode("utf-8", "surrogatepass"))
    mac.update(asked)
    return mac.finalize().hex()


def _peppered(asked: bytes, secret: bytes) -> bytes:
    """What was asked as a digest under a secret of the service, which the database does not hold.

    What is stored of a request is keyed by its Idempotency-Key. Clients choose their keys, and some are easy to guess:
    without the secret, a reader of the database could then try passwords as fast as SHA-256 goes.
    """
    mac = HMAC(secret, SHA256())
    mac.update(b"unite idempotency secret\0" + asked)
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

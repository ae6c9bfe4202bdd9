"""Proxy before moto that enforces the rules of signed links as S3 does; moto itself accepts any signed link.

What it checks is in the documents of S3: "Authenticating requests: using query parameters" for links to download, and
"Creating a POST policy" for forms to upload.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, quote

from werkzeug import Request, Response
from werkzeug.serving import make_server

from tests.service_process import direct_session

_SIGNATURE = "X-Amz-Signature"
_NOT_IN_POLICIES = {"policy", "x-amz-signature", "file"}


class Refused(Exception):
    """A request that S3 would answer with 403 or 400; the message is S3's error code."""


@dataclass
class PolicyProxy:
    """Forwards requests signed with `secret_key` to `target`; `ahead` is how far its clock is ahead of ours."""

    target: str
    secret_key: str
    ahead: timedelta = timedelta()
    url: str = ""

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def __call__(self, request: Request) -> Response:
        checks = {"GET": self._check_link, "POST": self._check_form}
        content = request.get_data()
        try:
            checks.get(request.method, _refuse)(request)
        except Refused as refused:
            return Response(str(refused), status=403)
        with direct_session() as session:
            answer = session.request(
                request.method,
                f"{self.target}{request.environ['REQUEST_URI']}",
                data=content,
                headers={"Content-Type": request.headers.get("Content-Type", "")},
                timeout=30,
            )
        shown = ("Content-Type", "Content-Disposition")
        return Response(
            answer.content,
            status=answer.status_code,
            headers={name: answer.headers[name] for name in shown if name in answer.headers},
        )

    def _check_link(self, request: Request) -> None:
        path, _, query_string = request.environ["REQUEST_URI"].partition("?")
        pairs = parse_qsl(query_string, keep_blank_values=True)
        query = dict(pairs)
        try:
            _, date, region, service, _ = query["X-Amz-Credential"].split("/")
            signed_at = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            ttl = timedelta(seconds=int(query["X-Amz-Expires"]))
            names = query["X-Amz-SignedHeaders"].split(";")
        except (KeyError, ValueError):
            raise Refused("AuthorizationQueryParametersError") from None
        terms = sorted((quote(n, safe="~"), quote(v, safe="~")) for n, v in pairs if n != _SIGNATURE)
        canonical = "\n".join(
            [
                request.method,
                path,
                "&".join(f"{name}={value}" for name, value in terms),
                *(f"{name}:{request.headers.get(name, '').strip()}" for name in names),
                "",
                ";".join(names),
                "UNSIGNED-PAYLOAD",
            ]
        )
        string_to_sign = "\n".join(
            [
                "AWS4-HMAC-SHA256",
                query["X-Amz-Date"],
                f"{date}/{region}/{service}/aws4_request",
                hashlib.sha256(canonical.encode()).hexdigest(),
            ]
        )
        self._check_signature(string_to_sign, query.get(_SIGNATURE, ""), date, region, service)
        if self.now >= signed_at + ttl:
            raise Refused("AccessDenied")

    def _check_form(self, request: Request) -> None:
        fields = {name.lower(): value for name, value in request.form.items()}
        try:
            _, date, region, service, _ = fields["x-amz-credential"].split("/")
            policy = fields["policy"]
            decoded_policy = json.loads(base64.b64decode(policy))
            expires_at = datetime.strptime(decoded_policy["expiration"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            size = len(request.files["file"].read())
        except (KeyError, ValueError):
            raise Refused("InvalidPolicyDocument") from None
        self._check_signature(policy, fields.get("x-amz-signature", ""), date, region, service)
        if self.now >= expires_at:
            raise Refused("AccessDenied")
        fields["bucket"] = request.path.strip("/")
        named = {"bucket"}
        for condition in decoded_policy["conditions"]:
            named |= _check_condition(condition, fields, size)
        if fields.keys() - named - _NOT_IN_POLICIES:
            raise Refused("AccessDenied")

    def _check_signature(self, string_to_sign: str, shown: str, date: str, region: str, service: str) -> None:
        key = f"AWS4{self.secret_key}".encode()
        for part in (date, region, service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        if not hmac.compare_digest(hmac.new(key, string_to_sign.encode(), "sha256").hexdigest(), shown):
            raise Refused("SignatureDoesNotMatch")


def _refuse(_request: Request) -> None:
    raise Refused("AccessDenied")


def _check_condition(condition: Any, fields: dict[str, str], size: int) -> set[str]:
    """Check a condition of the policy; return the names of its fields, or raise if they or the file break it."""
    if isinstance(condition, list):
        kind, low, high = condition
        if kind != "content-length-range":
            raise Refused("InvalidPolicyDocument")
        if not low <= size <= high:
            raise Refused("EntityTooLarge" if size > high else "EntityTooSmall")
        return set()
    expected = {name.lower(): value for name, value in condition.items()}
    if any(fields.get(name) != value for name, value in expected.items()):
        raise Refused("AccessDenied")
    return set(expected)


@contextmanager
def run_policy_proxy(target: str, secret_key: str) -> Iterator[PolicyProxy]:
    """Run the proxy during the block."""
    gate = PolicyProxy(target, secret_key)
    with served(gate) as gate.url:
        yield gate


@contextmanager
def served(answer: Callable[[Request], Response]) -> Iterator[str]:
    """Run an HTTP server that gives these answers during the block; yield its URL."""

    @Request.application
    def application(request: Request) -> Response:
        return answer(request)

    server = make_server("127.0.0.1", 0, application, threaded=True)
    serving = Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()

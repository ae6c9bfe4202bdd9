"""How the ASGI layer reads the body of each operation: maximum size, whole or streamed, with or without a user."""

from dataclasses import dataclass
from typing import Protocol

from flask import Flask
from werkzeug.exceptions import HTTPException

from entrypoints.http.config import HttpConfig
from entrypoints.http.framework.context import bearer_token_of
from entrypoints.http.framework.operations import operation_at
from entrypoints.http.framework.proxy_headers import client_address
from entrypoints.http.framework.request_body import MAX_BODY_BYTES, METHODS_WITH_BODY
from entrypoints.networks import client_address_key, read_address
from unite_core.application import Unite
from unite_core.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class BodyRule:
    """How the body of one operation is read.

    A body of more than `max_body` bytes is refused. A `transfer` is stored while it arrives, because it may be too
    large for memory. An operation that is not `public` needs an access token. The forms of the dashboard count as
    public: they are small, and a cookie identifies their sender after they are read.
    """

    max_body: int
    transfer: bool
    public: bool


class BodyRules(Protocol):
    """The source of the rules for reading bodies."""

    def rule_for(self, method: str, path: str) -> BodyRule | None:
        """Return the rule for a request; None if no operation reads its body."""

    def user(self, authorization: str) -> str | None:
        """Return the id of the user of the access token in an Authorization header; None if the token is not valid.

        Raises `Unavailable` if the token cannot be checked now.
        """

    def address(self, peer: str, forwarded_for: str) -> str:
        """Return the key by which a client is counted.

        `peer` is the address of the connection, which may be a proxy that sends `X-Forwarded-For`.
        """


class OperationBodyRules(BodyRules):
    """The rules from the operations of a Flask application."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._routes = app.url_map.bind("")
        self._unite: Unite = app.extensions["unite"]
        http_config: HttpConfig = app.extensions["http_config"]
        self._trusted = http_config.trusted_proxies

    def rule_for(self, method: str, path: str) -> BodyRule | None:
        if method not in METHODS_WITH_BODY:
            return None
        try:
            endpoint, _ = self._routes.match(path, method)
        except HTTPException:
            return None
        operation = operation_at(self._app, endpoint)
        if operation is None:
            return None
        return BodyRule(
            max_body=operation.max_body,
            transfer=operation.max_body > MAX_BODY_BYTES,
            public=operation.public or operation.cookie,
        )

    def user(self, authorization: str) -> str | None:
        try:
            return str(self._unite.identity.authenticate(bearer_token_of(authorization)).user_id)
        except Unauthenticated:
            # The application checks the token again and sends the error.
            return None

    def address(self, peer: str, forwarded_for: str) -> str:
        known = read_address(peer)
        return client_address_key(peer if known is None else str(client_address(known, forwarded_for, self._trusted)))

"""HTTP client that behaves like a browser: keeps cookies, submits forms."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from werkzeug.test import TestResponse

from tests.http.service import PASSWORD, Service
from unite_core.identity.model import User

HOME = "/dashboard"
SIGN_IN = "/dashboard/login"
SIGN_OUT = "/dashboard/logout"
CHANGE_PASSWORD = "/dashboard/password"
REPLAY = "/dashboard/dead-letters/replay"
HOST = "https://unite.example"
SESSION = "__Host-unite_session"

_TOKEN = re.compile(r'name="csrf_token" value="([^"]*)"')


class Visitor:
    """A browser without scripts, at the public URL of the service."""

    def __init__(self, service: Service, *, host: str = HOST) -> None:
        self.client = service.app.test_client()
        self.host = host

    def get(self, path: str, headers: Mapping[str, str] | None = None, **options: Any) -> TestResponse:
        return self.client.get(path, base_url=self.host, headers=headers, **options)

    def post(
        self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None, **options: Any
    ) -> TestResponse:
        own = {"Origin": self.host, "Sec-Fetch-Site": "same-origin"}
        return self.client.post(path, base_url=self.host, data=fields, headers=own | dict(headers or {}), **options)

    def sign_in(self, user: User, password: str = PASSWORD, *, next_page: str = HOME, **more: Any) -> TestResponse:
        """Open the sign-in page and submit its form."""
        fields = {"csrf_token": self.token(SIGN_IN), "email": user.email, "password": password, "next": next_page}
        return self.post(SIGN_IN, fields, **more)

    def sign_out(self, **more: Any) -> TestResponse:
        return self.post(SIGN_OUT, {"csrf_token": self.token(HOME)}, **more)

    def token(self, path: str) -> str:
        """Return the CSRF token of the form on a page."""
        match = _TOKEN.search(self.get(path).text)
        assert match is not None
        return unescape(match.group(1))

    def is_signed_in(self) -> bool:
        return self.get(HOME).status_code == 200

    def cookie(self, name: str = SESSION) -> str | None:
        stored = self.client.get_cookie(name, domain=self.host.partition("://")[2])
        return None if stored is None else stored.value


def signed_in(service: Service, user: User) -> Visitor:
    """Sign in as the user, and return the visitor."""
    visitor = Visitor(service)
    answer = visitor.sign_in(user)
    assert (answer.status_code, answer.headers["Location"]) == (303, HOME), answer.text
    return visitor

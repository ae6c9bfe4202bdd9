"""CSRF protection of forms: a check of the request's origin, and a token that is bound to the session.

Both checks have to pass. The browser sets `Sec-Fetch-Site` and `Origin`, and no page can forge them; the token protects
where a browser sends neither. The sign-in form is protected in the same way, so that no other site can sign a user in
to a foreign account; its token is bound to a random cookie instead of a session.
"""

import base64
import hmac
import re
import secrets
from urllib.parse import urlsplit

from flask import request

from entrypoints.http.dashboard.session import SIGN_IN, cookie_value
from entrypoints.http.framework.context import actor, http_config
from unite_core.errors import Forbidden

FIELD = "csrf_token"

_PURPOSE = b"unite dashboard form\0"
_NONCE = re.compile("[A-Za-z0-9_-]{43}")


def session_binding() -> str:
    """Return the value to which the forms of a signed-in user are bound; raise `Unauthenticated`."""
    return f"session {actor().session_id}"


def sign_in_nonce() -> str:
    """Return the random value for the sign-in form: the one of the cookie, or a new one."""
    return _nonce_of_cookie() or secrets.token_urlsafe(32)


def sign_in_binding(nonce: str) -> str:
    """Return the value to which the sign-in form is bound."""
    return f"sign-in {nonce}"


def token_for(binding: str) -> str:
    """Return the token for a form."""
    return _token(http_config().cursor_secrets[0], binding)


def require_session_token(token: str) -> None:
    """Raise `Forbidden` unless the token was made by this service for this session."""
    _require(token, session_binding())


def require_sign_in_token(token: str) -> None:
    """Raise `Forbidden` unless the token was made by this service for the sign-in form in this browser."""
    nonce = _nonce_of_cookie()
    if nonce is None:
        raise Forbidden("Your browser sent no cookie with the form. Allow cookies for this site, then sign in again.")
    _require(token, sign_in_binding(nonce))


def _require(token: str, binding: str) -> None:
    if not _is_same_origin():
        raise Forbidden("The form was sent by another site. Open the page here, and try again.")
    encoded = token.encode("utf-8", "surrogatepass")
    if not any(hmac.compare_digest(_token(each, binding).encode(), encoded) for each in http_config().cursor_secrets):
        raise Forbidden("The form is out of date. Go back, reload the page, and try again.")


def _is_same_origin() -> bool:
    """Return whether a page of the dashboard sent the request; true for clients that send neither header."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    # The scheme is not compared, because a proxy that terminates TLS need not be a trusted one.
    return origin is None or urlsplit(origin).netloc.lower() in {
        request.host.lower(),
        urlsplit(http_config().public_url).netloc.lower(),
    }


def _nonce_of_cookie() -> str | None:
    value = cookie_value(SIGN_IN)
    return value if value is not None and _NONCE.fullmatch(value) else None


def _token(secret: bytes, binding: str) -> str:
    mac = hmac.digest(secret, _PURPOSE + binding.encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()

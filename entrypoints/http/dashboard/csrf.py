"""Protection of forms against other sites (CSRF): where the request comes from, and a token bound to the session.

Both have to be right. `Sec-Fetch-Site` and `Origin` are set by the browser, and no page can forge them; the token holds
where a browser sends neither. The form of the sign-in is protected in the same way, so that nobody is signed in to
somebody else's account; its token is bound to a random cookie instead of a session.
"""

import base64
import hmac
import re
import secrets
from urllib.parse import urlsplit

from flask import request

from entrypoints.http.context import actor, http_config
from entrypoints.http.dashboard.session import SIGN_IN, cookie_value
from unite_core.errors import Forbidden

FIELD = "csrf_token"

_PURPOSE = b"unite dashboard form\0"
_NONCE = re.compile("[A-Za-z0-9_-]{43}")


def session_binding() -> str:
    """What the forms of a signed-in user are bound to; raises `Unauthenticated`."""
    return f"session {actor().session_id}"


def sign_in_nonce() -> str:
    """The random value that the form of the sign-in is bound to: the one of the cookie, or a new one."""
    return _nonce_of_cookie() or secrets.token_urlsafe(32)


def sign_in_binding(nonce: str) -> str:
    """What the form of the sign-in is bound to."""
    return f"sign-in {nonce}"


def token_for(binding: str) -> str:
    """The token that a form carries."""
    return _token(http_config().cursor_secrets[0], binding)


def require_session_token(token: str) -> None:
    """Raise `Forbidden` unless the token is that of a form of ours, made for this session."""
    _require(token, session_binding())


def require_sign_in_token(token: str) -> None:
    """Raise `Forbidden` unless the token is that of our sign-in form, made for this browser."""
    nonce = _nonce_of_cookie()
    if nonce is None:
        raise Forbidden("Your browser sent no cookie with the form. Allow cookies for this site, then sign in again.")
    _require(token, sign_in_binding(nonce))


def _require(token: str, binding: str) -> None:
    if not _is_same_origin():
        raise Forbidden("The form was sent by another site. Open the page here, and try again.")
    given = token.encode("utf-8", "surrogatepass")
    if not any(hmac.compare_digest(_token(each, binding).encode(), given) for each in http_config().cursor_secrets):
        raise Forbidden("The form is out of date. Go back, reload the page, and try again.")


def _is_same_origin() -> bool:
    """Whether the browser says that a page of ours sent the request; a client that is no browser says nothing."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    # The scheme is left out: a proxy that speaks TLS need not be trusted, and the host is what a browser connected to.
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

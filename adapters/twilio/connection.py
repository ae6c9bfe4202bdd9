"""Call Twilio through the guard, with a client for each thread and each timeout."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from requests.adapters import HTTPAdapter
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]  # the library ships no types
from twilio.rest import Client  # type: ignore[import-untyped]  # the same

from adapters.outbound import CallPolicy, CallTimeouts, OutboundGuard
from adapters.twilio.errors import ConfigurationError, TemporaryFailure, translated_errors
from unite_core.errors import Unavailable

T = TypeVar("T")

log = logging.getLogger(__name__)

API = "https://api.twilio.com"

POLICY = CallPolicy(
    timeouts=CallTimeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10)),
    short_timeouts=CallTimeouts(connect=timedelta(seconds=1.5), read=timedelta(seconds=1.5)),
    attempts=3,
    retry_interval=timedelta(seconds=0.5),
    max_elapsed=timedelta(seconds=20),
    failure_threshold=5,
    recovery_timeout=timedelta(seconds=30),
)

STATUS_POLL_INTERVAL = 30.0
"""Seconds for which the result of the last health check of Twilio is reused."""

# The library logs each request with its numbers; the records of this logger go nowhere.
_SILENT_LOGGER = logging.Logger("twilio", level=logging.CRITICAL)  # noqa: LOG001 - it must have no parent

# Without another environment the library reads a region and credentials from the process's own.
_NO_ENVIRONMENT = {"TWILIO_REGION": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The Twilio account that sends; `base_url` is the address of a stand-in for Twilio, if there is one."""

    sid: str
    auth_token: str = field(repr=False)
    base_url: str | None = None


class Twilio:
    """A client of one Twilio account. It connects at the first call; threads may share it.

    `transport` creates what sends its requests, such as one that traces them.
    """

    def __init__(
        self, account: Account, policy: CallPolicy = POLICY, transport: Callable[[], HTTPAdapter] | None = None
    ) -> None:
        self._account = account
        self._policy = policy
        self._transport = transport
        self._guard = OutboundGuard(
            "Twilio",
            policy,
            errors=(TemporaryFailure, ConfigurationError),
            translate=_translate,
            # After a timeout another attempt would time out, too, and Twilio may be executing the first.
            is_retryable=lambda error: isinstance(error, TemporaryFailure) and not error.waited,
        )
        # The library can pass an answer to the wrong thread: each thread has its own client.
        self._own = threading.local()
        self._asking = threading.Lock()
        self._checked_at = -STATUS_POLL_INTERVAL
        self._last_error: Unavailable | None = None

    @property
    def breaker_state(self) -> str:
        """The breaker: `closed` while calls are made, `open` while none is, `half_open` when the next one decides."""
        return self._guard.breaker_state

    def call(self, function: Callable[[Any], T], *, short_timeouts: bool = False) -> T:
        """Return the result of `function` for the account's part of the API.

        `function` may be called several times; only once, with the short timeouts, if `short_timeouts`. Raises
        `RequestRefused`, and `Unavailable` if there is no usable answer, and at once while the breaker is open.
        """
        timeouts = self._policy.timeouts_for(short=short_timeouts)
        return self._guard.call(lambda: self._request(function, timeouts), retry=not short_timeouts)

    def ping(self) -> None:
        """Request the account with a short timeout; raise `Unavailable`.

        The result is reused for half a minute by all callers: Twilio counts each request.
        """
        with self._asking:
            if time.monotonic() - self._checked_at >= STATUS_POLL_INTERVAL:
                self._last_error = self._status()
                self._checked_at = time.monotonic()
            if self._last_error is not None:
                raise Unavailable(self._last_error.detail)

    def _status(self) -> Unavailable | None:
        try:
            self.call(lambda account: account.fetch(), short_timeouts=True)
        except Unavailable as error:
            return error
        return None

    def _request(self, function: Callable[[Any], T], timeouts: CallTimeouts) -> T:
        with translated_errors():
            return function(self._client(timeouts).api.v2010.accounts(self._account.sid))

    def _client(self, timeouts: CallTimeouts) -> Any:
        clients: dict[CallTimeouts, Any] = self._own.__dict__.setdefault("clients", {})
        if timeouts not in clients:
            account = self._account
            http = _Http(account.base_url, timeouts, None if self._transport is None else self._transport())
            clients[timeouts] = Client(account.sid, account.auth_token, http_client=http, environment=_NO_ENVIRONMENT)
        return clients[timeouts]


def _translate(error: TemporaryFailure | ConfigurationError) -> Unavailable:
    if isinstance(error, TemporaryFailure):
        log.warning("%s", error.detail)
        return Unavailable(error.detail)
    log.error(
        "Twilio sends nothing as it is set up here: it answers %s with code %s. No text message goes out until the "
        "settings, or the account, are right; none is lost until then.",
        error.status,
        error.code,
    )
    return Unavailable(f"Twilio takes nothing from this account (code {error.code}).")


class _Http(TwilioHttpClient):  # type: ignore[misc]  # the library ships no types
    """The library's HTTP client for Twilio or a stand-in; it retries nothing by itself."""

    def __init__(self, base_url: str | None, timeouts: CallTimeouts, transport: HTTPAdapter | None) -> None:
        super().__init__(logger=_SILENT_LOGGER)
        # As requests takes them. The constructor accepts a single number only.
        self.timeout = (timeouts.connect.total_seconds(), timeouts.read.total_seconds())
        self._base_url = base_url
        if transport is not None:
            self.session.mount("https://", transport)
            self.session.mount("http://", transport)
        if base_url is not None:
            self.session.trust_env = False  # a proxy to Twilio does not lead to the stand-in

    def request(self, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        """Make the request, at the stand-in if there is one."""
        if self._base_url is not None:
            url = self._base_url + url.removeprefix(API)
        return super().request(method, url, *arguments, **options)

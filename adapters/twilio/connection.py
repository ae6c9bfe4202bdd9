"""Call Twilio with timeouts, retries and a circuit breaker."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import backoff
from circuitbreaker import CircuitBreaker  # type: ignore[import-untyped]  # it ships no types
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]  # the library ships no types
from twilio.rest import Client  # type: ignore[import-untyped]  # the same

from adapters.twilio.errors import Later, WronglySetUp, understood
from unite_core.errors import Unavailable

T = TypeVar("T")

log = logging.getLogger(__name__)

API = "https://api.twilio.com"

STATUS_POLL_INTERVAL = 30.0
"""Seconds for which the result of the last health check of Twilio is reused."""

# The library logs each request with its numbers; the records of this logger go nowhere.
_UNHEARD = logging.Logger("twilio", level=logging.CRITICAL)  # noqa: LOG001 - it must have no parent

# Without another environment the library reads a region and credentials from the process's own.
_NO_ENVIRONMENT = {"TWILIO_REGION": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The Twilio account that sends; `base_url` is the address of a stand-in for Twilio, if there is one."""

    sid: str
    auth_token: str = field(repr=False)
    base_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """The timeouts and retries of calls to Twilio, and the limits of the circuit breaker.

    One answer may take at most `answer`; for a health check, or while a client waits, at most `sign_of_life`. A call
    that fails at once, with a failure that may pass, is tried up to `attempts` times in all, and not again after
    `overall`. The time between two attempts is a random part of `pause`, which doubles after each attempt. After
    `failures` consecutive failures there are no calls for the time `rest`; then one failure is enough for another rest.
    """

    answer: timedelta = timedelta(seconds=10)
    sign_of_life: timedelta = timedelta(seconds=1.5)
    attempts: int = 3
    pause: timedelta = timedelta(seconds=0.5)
    overall: timedelta = timedelta(seconds=20)
    failures: int = 5
    rest: timedelta = timedelta(seconds=30)


class Twilio:
    """A client of one Twilio account. It connects at the first call; threads may share it."""

    def __init__(self, account: Account, timeouts: Timeouts | None = None) -> None:
        self._account = account
        self._patience = timeouts = timeouts or Timeouts()
        # The library can pass an answer to the wrong thread: each thread has its own client.
        self._own = threading.local()
        self._breaker = CircuitBreaker(
            failure_threshold=timeouts.failures,
            recovery_timeout=timeouts.rest.total_seconds(),
            expected_exception=Unavailable,
            name="twilio",
        )
        self._tried_again = backoff.on_exception(
            backoff.expo,
            Later,
            max_tries=timeouts.attempts,
            max_time=timeouts.overall.total_seconds(),
            giveup=_was_waited_for,
            jitter=backoff.full_jitter,
            factor=timeouts.pause.total_seconds(),
            logger=None,
        )(self._ask)
        self._asking = threading.Lock()
        self._asked_at = -STATUS_POLL_INTERVAL
        self._found: Unavailable | None = None

    @property
    def breaker(self) -> str:
        """The state of the breaker: `closed` (Twilio is called), `open` (it is not), `half_open` (one call decides)."""
        return str(self._breaker.state)

    def call(self, ask: Callable[[Any], T], *, hurried: bool = False) -> T:
        """Return the result of `ask` for the account's part of the API.

        `ask` may be called several times; only once if `hurried`. Raises `Refused`, and `Unavailable` if there is no
        answer, or no usable one; also at once while the circuit breaker is open.
        """
        if hurried:
            return self._guarded(lambda: self._ask(ask, self._patience.sign_of_life))
        return self._guarded(lambda: self._tried_again(ask))

    def ping(self) -> None:
        """Request the account with a short timeout; raise `Unavailable`.

        The result is reused for half a minute by all callers: Twilio counts each request.
        """
        with self._asking:
            if time.monotonic() - self._asked_at >= STATUS_POLL_INTERVAL:
                self._found = self._sign_of_life()
                self._asked_at = time.monotonic()
            if self._found is not None:
                raise Unavailable(self._found.detail)

    def _sign_of_life(self) -> Unavailable | None:
        try:
            self._guarded(lambda: self._ask(lambda account: account.fetch(), self._patience.sign_of_life))
        except Unavailable as error:
            return error
        return None

    def _guarded(self, ask: Callable[[], T]) -> T:
        if self._breaker.opened:
            raise Unavailable("Twilio did not answer several times; try again in a moment.")
        with self._changes_told(), self._breaker:
            try:
                return ask()
            except Later as later:
                log.warning("%s", later.detail)
                raise Unavailable(later.detail) from None
            except WronglySetUp as wrong:
                log.error(  # noqa: TRY400 - the message says it all, and a traceback would contain numbers
                    "Twilio sends nothing as it is set up here: it answers %s with code %s. No text message goes out "
                    "until the settings, or the account, are right; none is lost until then.",
                    wrong.status,
                    wrong.code,
                )
                raise Unavailable(f"Twilio takes nothing from this account (code {wrong.code}).") from None

    @contextmanager
    def _changes_told(self) -> Iterator[None]:
        """Log when the circuit breaker opens, and when it closes again."""
        closed = self._breaker.closed
        try:
            yield
        finally:
            if self._breaker.opened:
                rest = self._patience.rest.total_seconds()
                log.warning("Twilio is left alone for %g seconds; text messages wait until then.", rest)
            elif self._breaker.closed and not closed:
                log.info("Twilio answers again.")

    def _ask(self, ask: Callable[[Any], T], timeout: timedelta | None = None) -> T:
        with understood():
            return ask(self._client(timeout or self._patience.answer).api.v2010.accounts(self._account.sid))

    def _client(self, timeout: timedelta) -> Any:
        clients: dict[timedelta, Any] = self._own.__dict__.setdefault("clients", {})
        if timeout not in clients:
            account = self._account
            http = _Http(account.base_url, timeout.total_seconds())
            clients[timeout] = Client(account.sid, account.auth_token, http_client=http, environment=_NO_ENVIRONMENT)
        return clients[timeout]


def _was_waited_for(error: Exception) -> bool:
    """Return whether the request timed out: another one would, too, and Twilio may be executing the first."""
    return isinstance(error, Later) and error.waited


class _Http(TwilioHttpClient):  # type: ignore[misc]  # the library ships no types
    """The library's HTTP client for Twilio or a stand-in; it retries nothing by itself."""

    def __init__(self, base_url: str | None, timeout: float) -> None:
        super().__init__(timeout=timeout, logger=_UNHEARD)
        self._base_url = base_url
        if base_url is not None:
            self.session.trust_env = False  # a proxy to Twilio does not lead to the stand-in

    def request(self, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        """Make the request, at the stand-in if there is one."""
        if self._base_url is not None:
            url = self._base_url + url.removeprefix(API)
        return super().request(method, url, *arguments, **options)

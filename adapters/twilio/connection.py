"""The way to Twilio: waited for within bounds, tried again where that may help, left alone while it fails."""

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
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]  # the library tells no types
from twilio.rest import Client  # type: ignore[import-untyped]  # the same

from adapters.twilio.answers import Later, WronglySetUp, understood
from unite_core.errors import Unavailable

T = TypeVar("T")

log = logging.getLogger(__name__)

API = "https://api.twilio.com"

STATUS_POLL_INTERVAL = 30.0
"""Seconds for which it is known from the last question whether Twilio is there."""

# What the library would tell of each request has numbers in it; nobody listens to this logger.
_UNHEARD = logging.Logger("twilio", level=logging.CRITICAL)  # noqa: LOG001 - it is to be nobody's child

# The library looks for a region and for credentials there, if it is not given another environment.
_NO_ENVIRONMENT = {"TWILIO_REGION": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who sends: an account of Twilio, which answers at `base_url` where something stands in for Twilio."""

    sid: str
    auth_token: str = field(repr=False)
    base_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long Twilio is waited for, and when it is left alone.

    One answer takes at most `answer`, or `sign_of_life` where it is only asked whether it is there, or where somebody
    waits for us. What fails at once, and in a way that may pass, is tried `attempts` times in all, and not again after
    `overall`; between two attempts is a random part of `pause`, and of twice as long after each. After `failures` in a
    row nothing is asked for the time `rest`; then one failure is enough for another rest.
    """

    answer: timedelta = timedelta(seconds=10)
    sign_of_life: timedelta = timedelta(seconds=1.5)
    attempts: int = 3
    pause: timedelta = timedelta(seconds=0.5)
    overall: timedelta = timedelta(seconds=20)
    failures: int = 5
    rest: timedelta = timedelta(seconds=30)


class Twilio:
    """One account at Twilio. Nothing is opened before something is asked; threads may share it."""

    def __init__(self, account: Account, timeouts: Timeouts | None = None) -> None:
        self._account = account
        self._patience = timeouts = timeouts or Timeouts()
        # The library hands answers from one thread to another: each thread has a client of its own.
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
        """`closed` while Twilio is asked, `open` while it is left alone, `half_open` when the next call decides."""
        return str(self._breaker.state)

    def call(self, ask: Callable[[Any], T], *, hurried: bool = False) -> T:
        """What `ask` makes of the account's part of the API. It may be called several times; once if `hurried`.

        Raises what `understood` raises for an answer, and `Unavailable` where there is none, or none that is of use;
        also at once while Twilio is left alone.
        """
        if hurried:
            return self._guarded(lambda: self._ask(ask, self._patience.sign_of_life))
        return self._guarded(lambda: self._tried_again(ask))

    def ping(self) -> None:
        """Ask for the account, without much patience; raises `Unavailable`.

        What was found holds for half a minute, whoever asks: each question counts at Twilio.
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
                log.error(  # noqa: TRY400 - the sentence says it all, and a traceback would quote numbers
                    "Twilio sends nothing as it is set up here: it answers %s with code %s. No text message goes out "
                    "until the settings, or the account, are right; none is lost until then.",
                    wrong.status,
                    wrong.code,
                )
                raise Unavailable(f"Twilio takes nothing from this account (code {wrong.code}).") from None

    @contextmanager
    def _changes_told(self) -> Iterator[None]:
        """Write down that Twilio is left alone from now on, and that it no longer is."""
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
    """Whether the failure took its time already: another attempt would, too, and what was asked may be under way."""
    return isinstance(error, Later) and error.waited


class _Http(TwilioHttpClient):  # type: ignore[misc]  # the library tells no types
    """The library's own way to Twilio, or to what stands in for it; it tries nothing again by itself."""

    def __init__(self, base_url: str | None, timeout: float) -> None:
        super().__init__(timeout=timeout, logger=_UNHEARD)
        self._base_url = base_url
        if base_url is not None:
            self.session.trust_env = False  # a proxy that leads to Twilio does not lead there

    def request(self, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        """Make the request; at the stand-in, where there is one."""
        if self._base_url is not None:
            url = self._base_url + url.removeprefix(API)
        return super().request(method, url, *arguments, **options)

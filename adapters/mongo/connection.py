"""Connection to MongoDB, with timeouts, retries and a circuit breaker."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import backoff
from circuitbreaker import CircuitBreaker  # type: ignore[import-untyped]  # the package ships no types
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import AutoReconnect, NetworkTimeout, PyMongoError, ServerSelectionTimeoutError

from unite_core.errors import Unavailable

T = TypeVar("T")

DEFAULT_DATABASE = "unite"
"""Used where the URL names no database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Timeouts, retries and circuit breaker settings for MongoDB.

    One attempt takes at most `server` (selection of a server) plus `connection` (opening a connection, or waiting for a
    free one) plus `answer`. Errors that come at once, such as a closed connection, are retried, with `attempts` in all.
    After `failures` in a row the breaker is open for the time `rest`; then one more failure opens it again.
    """

    server: timedelta = timedelta(seconds=2)
    connection: timedelta = timedelta(seconds=2)
    answer: timedelta = timedelta(seconds=5)
    attempts: int = 3
    failures: int = 5
    rest: timedelta = timedelta(seconds=10)


class Mongo:
    """A database of the MongoDB at `url`; nothing is opened before the first call.

    Every process opens connections of its own, also a forked one: two processes must not write to the same connection,
    and the driver's threads do not exist in a forked process.
    """

    def __init__(self, url: str, timeouts: Timeouts | None = None) -> None:
        self._url = url
        self._patience = timeouts = timeouts or Timeouts()
        # One client per process id. There is no lock, because another thread might hold it at the moment of a fork.
        self._clients: dict[int, MongoClient[dict[str, Any]]] = {}
        self._breaker = CircuitBreaker(
            failure_threshold=timeouts.failures,
            recovery_timeout=timeouts.rest.total_seconds(),
            expected_exception=PyMongoError,
            name="mongodb",
        )
        self._run_with_retries = backoff.on_exception(
            backoff.expo,
            AutoReconnect,
            max_tries=timeouts.attempts,
            giveup=_is_timeout,
            factor=0.1,
            max_value=1,
            logger=None,
        )(self._run)

    @property
    def breaker(self) -> str:
        """The breaker: `closed` while calls are made, `open` while none is, `half_open` when the next one decides."""
        return str(self._breaker.state)

    def call(self, ask: Callable[[Database[dict[str, Any]]], T]) -> T:
        """Call `ask` with the database, and return its result.

        `ask` may be called several times, so that it has to be safe to repeat. Raises `Unavailable` for every error of
        the driver, and at once while the breaker is open.
        """
        if self._breaker.opened:
            raise Unavailable("MongoDB has not answered for a while; try again in a moment.")
        try:
            return self._breaker.call(self._run_with_retries, ask)  # type: ignore[no-any-return]  # circuitbreaker has no types
        except PyMongoError as error:
            raise Unavailable(f"MongoDB did not do what it was asked ({_error_name(error)}); try again.") from error

    def ping(self) -> None:
        """Check that MongoDB answers; raise `Unavailable`."""
        self.call(lambda database: database.command("ping"))

    def close(self) -> None:
        """Close the connections of this process; the next call opens new ones."""
        client = self._clients.pop(os.getpid(), None)
        if client is not None:
            client.close()

    def _run(self, ask: Callable[[Database[dict[str, Any]]], T]) -> T:
        return ask(self._client().get_default_database(DEFAULT_DATABASE))

    def _client(self) -> MongoClient[dict[str, Any]]:
        client = self._clients.get(os.getpid())
        if client is None:
            new = self._new_client()
            client = self._clients.setdefault(os.getpid(), new)
            if client is not new:  # another thread has opened one meanwhile
                new.close()
        return client

    def _new_client(self) -> MongoClient[dict[str, Any]]:
        timeouts = self._patience
        return MongoClient(
            self._url,
            appname="unite",
            connect=False,
            tz_aware=True,
            uuidRepresentation="standard",
            # A write that was acknowledged survives the loss of a machine and a power cut.
            w="majority",
            journal=True,
            wtimeoutMS=_milliseconds(timeouts.answer),
            serverSelectionTimeoutMS=_milliseconds(timeouts.server),
            connectTimeoutMS=_milliseconds(timeouts.connection),
            waitQueueTimeoutMS=_milliseconds(timeouts.connection),
            socketTimeoutMS=_milliseconds(timeouts.answer),
            # `Timeouts` sets the number of attempts. Retries by the driver would multiply it.
            retryReads=False,
            retryWrites=False,
        )


def _is_timeout(error: Exception) -> bool:
    """Return whether the attempt failed by a timeout: another one would take as long again."""
    return isinstance(error, NetworkTimeout | ServerSelectionTimeoutError)


def _error_name(error: PyMongoError) -> str:
    """Return the class and the code of the error, without its message, which contains host names."""
    code = getattr(error, "code", None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)

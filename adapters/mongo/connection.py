"""One MongoDB as all that work on it reach it: waited for within bounds, tried again, left alone while it is away."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import backoff
from circuitbreaker import CircuitBreaker  # type: ignore[import-untyped]  # it ships no types
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import AutoReconnect, NetworkTimeout, PyMongoError, ServerSelectionTimeoutError

from unite_core.errors import Unavailable

T = TypeVar("T")

DEFAULT_DATABASE = "unite"
"""Where the address names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long MongoDB is waited for, and when it is left alone.

    One attempt takes at most `server` (until one can be chosen), `connection` (until one is made or free) and `answer`
    together. What fails at once, as a connection that was closed does, is tried `attempts` times in all. After
    `failures` in a row nothing is asked for the time `rest`; then one failure is enough for another rest.
    """

    server: timedelta = timedelta(seconds=2)
    connection: timedelta = timedelta(seconds=2)
    answer: timedelta = timedelta(seconds=5)
    attempts: int = 3
    failures: int = 5
    rest: timedelta = timedelta(seconds=10)


class Mongo:
    """A database of the MongoDB at `url`; nothing is opened before something is asked.

    Every process opens connections of its own, also one that was forked from another: a connection that two processes
    write to would mix up their words, and the driver's threads do not live on in a child.
    """

    def __init__(self, url: str, timeouts: Timeouts | None = None) -> None:
        self._url = url
        self._patience = timeouts = timeouts or Timeouts()
        # By process id rather than behind a lock, which another thread might hold in the moment of a fork.
        self._clients: dict[int, MongoClient[dict[str, Any]]] = {}
        self._breaker = CircuitBreaker(
            failure_threshold=timeouts.failures,
            recovery_timeout=timeouts.rest.total_seconds(),
            expected_exception=PyMongoError,
            name="mongodb",
        )
        self._tried_again = backoff.on_exception(
            backoff.expo,
            AutoReconnect,
            max_tries=timeouts.attempts,
            giveup=_was_waited_for,
            factor=0.1,
            max_value=1,
            logger=None,
        )(self._ask)

    @property
    def breaker(self) -> str:
        """`closed` while MongoDB is asked, `open` while it is left alone, `half_open` when the next call decides."""
        return str(self._breaker.state)

    def call(self, ask: Callable[[Database[dict[str, Any]]], T]) -> T:
        """What `ask` makes of the database. It may be called several times, so that it has to be safe to repeat.

        Raises `Unavailable` for whatever the driver raises, and at once while MongoDB is left alone.
        """
        if self._breaker.opened:
            raise Unavailable("MongoDB has not answered for a while; try again in a moment.")
        try:
            return self._breaker.call(self._tried_again, ask)  # type: ignore[no-any-return]  # circuitbreaker has no types
        except PyMongoError as error:
            raise Unavailable(f"MongoDB did not do what it was asked ({_name_of(error)}); try again.") from error

    def ping(self) -> None:
        """Do nothing where MongoDB is there; raises `Unavailable` where it is not."""
        self.call(lambda database: database.command("ping"))

    def close(self) -> None:
        """Close what this process has opened; what is asked afterwards opens it anew."""
        client = self._clients.pop(os.getpid(), None)
        if client is not None:
            client.close()

    def _ask(self, ask: Callable[[Database[dict[str, Any]]], T]) -> T:
        return ask(self._client().get_default_database(DEFAULT_DATABASE))

    def _client(self) -> MongoClient[dict[str, Any]]:
        client = self._clients.get(os.getpid())
        if client is None:
            made = self._new_client()
            client = self._clients.setdefault(os.getpid(), made)
            if client is not made:  # another thread was quicker
                made.close()
        return client

    def _new_client(self) -> MongoClient[dict[str, Any]]:
        timeouts = self._patience
        return MongoClient(
            self._url,
            appname="unite",
            connect=False,
            tz_aware=True,
            uuidRepresentation="standard",
            # What is said to be stored survives the loss of a machine and of its power.
            w="majority",
            journal=True,
            wtimeoutMS=_milliseconds(timeouts.answer),
            serverSelectionTimeoutMS=_milliseconds(timeouts.server),
            connectTimeoutMS=_milliseconds(timeouts.connection),
            waitQueueTimeoutMS=_milliseconds(timeouts.connection),
            socketTimeoutMS=_milliseconds(timeouts.answer),
            # `Timeouts` says how often; attempts of the driver's own would multiply.
            retryReads=False,
            retryWrites=False,
        )


def _was_waited_for(error: Exception) -> bool:
    """Whether the failure took its time already: another attempt would take as long again."""
    return isinstance(error, NetworkTimeout | ServerSelectionTimeoutError)


def _name_of(error: PyMongoError) -> str:
    """The kind of the failure and MongoDB's number for it, without what it says: that names machines."""
    code = getattr(error, "code", None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)

"""Connection to MongoDB, through the guard."""

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import AutoReconnect, NetworkTimeout, PyMongoError, ServerSelectionTimeoutError
from pymongo.monitoring import CommandListener

from adapters.outbound import CallPolicy, CallTimeouts, OutboundGuard
from unite_core.errors import Unavailable

T = TypeVar("T")

DEFAULT_DATABASE = "unite"
"""Used where the URL names no database."""


POLICY = CallPolicy(
    timeouts=CallTimeouts(connect=timedelta(seconds=2), read=timedelta(seconds=5)),
    attempts=3,
    retry_interval=timedelta(seconds=0.1),
    failure_threshold=5,
    recovery_timeout=timedelta(seconds=10),
)
"""One attempt takes at most twice the timeout to connect (for the selection of a server, and for a connection), plus
the timeout to read."""


class Mongo:
    """A database of the MongoDB at `url`; nothing is opened before the first call. `listeners` are told of commands.

    Every process opens connections of its own, also a forked one: two processes must not write to the same connection,
    and the driver's threads do not exist in a forked process.
    """

    def __init__(self, url: str, policy: CallPolicy = POLICY, listeners: Sequence[CommandListener] = ()) -> None:
        self._url = url
        self._policy = policy
        self._listeners = listeners
        # One client per process id. There is no lock, because another thread might hold it at the moment of a fork.
        self._clients: dict[int, MongoClient[dict[str, Any]]] = {}
        self._guard = OutboundGuard(
            "MongoDB", policy, errors=(PyMongoError,), translate=_translate, is_retryable=_is_retryable
        )

    @property
    def breaker_state(self) -> str:
        """The breaker: `closed` while calls are made, `open` while none is, `half_open` when the next one decides."""
        return self._guard.breaker_state

    def call(self, function: Callable[[Database[dict[str, Any]]], T]) -> T:
        """Call `function` with the database, and return its result.

        `function` may be called several times, so that it has to be safe to repeat. Raises `Unavailable` for every
        error of the driver, and at once while the breaker is open.
        """
        return self._guard.call(lambda: function(self._client().get_default_database(DEFAULT_DATABASE)))

    def ping(self) -> None:
        """Check that MongoDB answers; raise `Unavailable`."""
        self.call(lambda database: database.command("ping"))

    def close(self) -> None:
        """Close the connections of this process; the next call opens new ones."""
        client = self._clients.pop(os.getpid(), None)
        if client is not None:
            client.close()

    def _client(self) -> MongoClient[dict[str, Any]]:
        client = self._clients.get(os.getpid())
        if client is None:
            new = self._new_client()
            client = self._clients.setdefault(os.getpid(), new)
            if client is not new:  # another thread has opened one meanwhile
                new.close()
        return client

    def _new_client(self) -> MongoClient[dict[str, Any]]:
        connect = _milliseconds(self._policy.timeouts.connect)
        read = _milliseconds(self._policy.timeouts.read)
        return MongoClient(
            self._url,
            appname="unite",
            connect=False,
            tz_aware=True,
            uuidRepresentation="standard",
            # A write that was acknowledged survives the loss of a machine and a power cut.
            w="majority",
            journal=True,
            wtimeoutMS=read,
            serverSelectionTimeoutMS=connect,
            connectTimeoutMS=connect,
            waitQueueTimeoutMS=connect,
            socketTimeoutMS=read,
            # The policy sets the number of attempts. Retries by the driver would multiply it.
            retryReads=False,
            retryWrites=False,
            event_listeners=self._listeners,
        )


def _is_retryable(error: Exception) -> bool:
    """Return whether the attempt failed at once; after a timeout another one would take as long again."""
    return isinstance(error, AutoReconnect) and not isinstance(error, NetworkTimeout | ServerSelectionTimeoutError)


def _translate(error: PyMongoError) -> Unavailable:
    return Unavailable(f"MongoDB did not do what it was asked ({_error_name(error)}); try again.")


def _error_name(error: PyMongoError) -> str:
    """Return the class and the code of the error, without its message, which contains host names."""
    code = getattr(error, "code", None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)

"""Error translation and circuit breaker for calls to AWS services."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from circuitbreaker import CircuitBreaker  # type: ignore[import-untyped]  # the package ships no types

from unite_core.errors import NotFound, Unavailable

log = logging.getLogger(__name__)

FAILURES = 5
"""After this many failed calls in a row the breaker opens."""

BREAKER_OPEN_SECONDS = 30.0
"""Seconds for which the breaker stays open."""

_ABSENT = frozenset({"404", "NoSuchKey", "NotFound", "ResourceNotFoundException"})


class ServiceGuard:
    """An external service behind a circuit breaker.

    After `failures` failed calls in a row the breaker opens: for `pause` seconds every call fails at once. The first
    call after that decides whether the breaker closes. `NotFound` does not count as a failure. `name` is the subject of
    the error details ("The file storage does not answer."), `absent` is the detail of `NotFound`.
    """

    def __init__(
        self,
        name: str,
        *,
        absent: str = "There is no such file.",
        failures: int = FAILURES,
        pause: float = BREAKER_OPEN_SECONDS,
    ) -> None:
        self._name = name
        self._absent = absent
        self._breaker = CircuitBreaker(
            failure_threshold=failures, recovery_timeout=pause, expected_exception=Unavailable
        )

    @property
    def state(self) -> str:
        """The breaker: `closed` while calls are made, `open` while none is, `half_open` when the next one decides."""
        return str(self._breaker.state)

    @contextmanager
    def call(self) -> Iterator[None]:
        """Guard the call in this block; raise `NotFound`, or `Unavailable` for every other error of botocore."""
        if self._breaker.opened:
            raise Unavailable(f"{self._name} did not answer several times; try again in a moment.")
        with self._breaker, self.translated():
            yield

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise the same errors as `call`, without the breaker: for what follows after a call was answered."""
        try:
            yield
        except ClientError as error:
            code = error_code(error)
            if code in _ABSENT:
                raise NotFound(self._absent) from None
            # The client can do nothing about a missing permission or bucket, so that the code is only in the log.
            log.warning("%s answered %s to %s.", self._name, code, error.operation_name)
            raise Unavailable(f"{self._name} cannot do this at the moment.") from error
        except BotoCoreError as error:
            raise Unavailable(f"{self._name} does not answer.") from error


def error_code(error: ClientError) -> str:
    """Return the service's error code, such as `NoSuchKey`, or the HTTP status where there is no body, as for HEAD."""
    return str(error.response.get("Error", {}).get("Code", ""))

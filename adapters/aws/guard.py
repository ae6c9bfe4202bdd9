"""Calls to a service of AWS: each failure in the words of the domain, and a breaker for when nobody answers."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from circuitbreaker import CircuitBreaker  # type: ignore[import-untyped]  # the package tells no types

from unite_core.errors import NotFound, Unavailable

log = logging.getLogger(__name__)

FAILURES = 5
"""How many calls in a row fail before no more are made for a while."""

BREAKER_OPEN_SECONDS = 30.0
"""Seconds without a call, once so many have failed."""

_ABSENT = frozenset({"404", "NoSuchKey", "NotFound", "ResourceNotFoundException"})


class ServiceGuard:
    """One service that calls leave for, and how it has answered of late.

    After `failures` calls in a row without a usable answer it is left alone for `pause` seconds, in which every call
    fails at once; the first one after that decides whether it is called again. What the domain calls `NotFound` is an
    answer. `name` begins the sentence that says what does not answer, `absent` is the one for what is not there.
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
        """`closed` while calls are made, `open` while none is, `half_open` when the next one decides."""
        return str(self._breaker.state)

    @contextmanager
    def call(self) -> Iterator[None]:
        """Make one call in this block; raises `NotFound`, and `Unavailable` for whatever else the driver raises."""
        if self._breaker.opened:
            raise Unavailable(f"{self._name} did not answer several times; try again in a moment.")
        with self._breaker, self.translated():
            yield

    @contextmanager
    def translated(self) -> Iterator[None]:
        """The same errors, for what goes on after a call was answered and cannot be left alone any more."""
        try:
            yield
        except ClientError as error:
            code = error_code(error)
            if code in _ABSENT:
                raise NotFound(self._absent) from None
            # Who reads the answer can do nothing about a missing right or bucket; who reads the log can.
            log.warning("%s answered %s to %s.", self._name, code, error.operation_name)
            raise Unavailable(f"{self._name} cannot do this at the moment.") from error
        except BotoCoreError as error:
            raise Unavailable(f"{self._name} does not answer.") from error


def error_code(error: ClientError) -> str:
    """What the service calls the error, such as `NoSuchKey`; the status where it says nothing, as to HEAD."""
    return str(error.response.get("Error", {}).get("Code", ""))

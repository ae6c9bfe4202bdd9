"""Idempotency: run a use case once per key, and store its response in the same transaction."""

from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import Field, dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, ParamSpec, Protocol, TypeVar

from unite_core.batches import in_batches
from unite_core.checks import BatchSize, Checked, Input, UseCase
from unite_core.clock import Clock
from unite_core.errors import Conflict, Invalid, Unavailable
from unite_core.idempotency_keys import CLAIM_TTL, STORED_ANSWER_TTL, Claim, StoredAnswer
from unite_core.unit_of_work import UnitOfWork, UnitOfWorkFactory, before_commit

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
P = ParamSpec("P")


def _do_nothing() -> None:
    """Count no attempt: this request proves nothing that could be guessed."""


@dataclass(frozen=True, slots=True)
class Replay(Input):
    """The checks before a stored response is returned again.

    `recheck` gets the stored response and returns it as the caller may see it now; it raises what a read of the same
    resource by the same caller would raise. `count` is called for every request whose key is known, before the request
    is compared with the first one: a request that proves a password counts its attempt there, and raises
    `TooManyRequests`.
    """

    recheck: Callable[[bytes], bytes]
    count: Callable[[], None] = _do_nothing


class KeyedUseCase(Protocol[P, T_co]):
    """A use case that takes an idempotency key: a frozen dataclass that returns what one `work.run` returns.

    Steps before that result which are committed by themselves are `work.run_step`; they are safe to repeat.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    @abstractmethod
    def work(self) -> UnitOfWorkFactory[UnitOfWork]:
        """The factory of its units of work."""

    @abstractmethod
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co:
        """Run the use case."""


@dataclass(frozen=True)
class RunOnce(UseCase):
    """Run a use case at most once per idempotency key.

    The response to the first request is committed together with its effect, and every later request
    with the same key gets that response for 24 hours. A request that failed leaves no response: it had no effect.
    Before a response is returned again, `replay` checks that the caller may still see it.

    Raises `Invalid` (`idempotency_key_reused`) if the key was used for another request,
    `Conflict` (`request_in_progress`) while the first is still in progress, and what `replay` raises.

    Raises `RuntimeError` for a use case whose answer could not be kept: if it commits a unit of work that is not one of
    `work.run` or `work.run_step`, which then has no effect, or returns anything but what its last `work.run` returned.
    """

    work: UnitOfWorkFactory[UnitOfWork]
    clock: Clock

    def __call__(
        self,
        claim: Claim,
        use_case: KeyedUseCase[P, T],
        answer: Callable[[T], bytes],
        replay: Replay,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> "Outcome":
        now = self.clock.now()
        with self.work() as work:
            stored = work.idempotency_keys.claim(claim, now=now, until=now + CLAIM_TTL)
            if stored is None:
                work.commit()
        if stored is not None:
            replay.count()
            return Outcome(replay.recheck(_first_answer(stored, claim)), replayed=True)
        try:
            response = self._run(claim, use_case, answer, *args, **kwargs)
        except BaseException:
            # A claim that cannot be released now expires by itself.
            with suppress(Unavailable), self.work() as work:
                work.idempotency_keys.release(claim)
                work.commit()
            raise
        return Outcome(response, replayed=False)

    def _run(
        self,
        claim: Claim,
        use_case: KeyedUseCase[P, T],
        answer: Callable[[T], bytes],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> bytes:
        """Run the use case, and return the response that was committed together with its result."""
        kept: list[tuple[object, bytes]] = []

        def store(unit: UnitOfWork, result: Any) -> None:
            kept.append((result, answer(result)))
            if not unit.idempotency_keys.keep(claim, kept[-1][1], now=self.clock.now()):
                raise Conflict(
                    "Another attempt with this Idempotency-Key took over; ask again for its answer.",
                    code="request_in_progress",
                )

        returned = replace(use_case, work=before_commit(use_case.work, store))(*args, **kwargs)
        if not kept or kept[-1][0] is not returned:
            raise RuntimeError(f"{type(use_case).__name__} has to return what its last `work.run` returned.")
        return kept[-1][1]


@dataclass(frozen=True, slots=True)
class Outcome(Checked):
    """The response to a request, and whether it was stored by an earlier request with the same key."""

    answer: bytes = field(repr=False)
    replayed: bool


@dataclass(frozen=True)
class PurgeIdempotencyKeys(UseCase):
    """Delete idempotency keys older than 24 hours. Returns how many were deleted.

    They are deleted in transactions of `limit` each, up to a hundred transactions.
    """

    work: UnitOfWorkFactory[UnitOfWork]
    clock: Clock

    def __call__(self, *, limit: BatchSize = 500, should_stop: Callable[[], bool] = lambda: False) -> int:
        before = self.clock.now() - STORED_ANSWER_TTL
        return in_batches(lambda: self._purge(before, limit), limit=limit, should_stop=should_stop)

    def _purge(self, before: datetime, limit: int) -> int:
        with self.work() as work:
            purged = work.idempotency_keys.purge(before=before, limit=limit)
            work.commit()
        return purged


def _first_answer(stored: StoredAnswer, claim: Claim) -> bytes:
    if stored.fingerprint not in (claim.fingerprint, *claim.former_fingerprints):
        raise Invalid(
            "This Idempotency-Key was used for another request; take a new one.",
            code="idempotency_key_reused",
        )
    if stored.answer is None:
        raise Conflict(
            "The first request with this Idempotency-Key is still being worked on; ask again in a moment.",
            code="request_in_progress",
        )
    return stored.answer

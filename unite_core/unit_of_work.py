"""Unit of work: one database transaction, which is rolled back unless it was committed."""

from abc import abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn, Protocol, Self, TypeVar, cast

from unite_core.events import Event
from unite_core.idempotency_keys import IdempotencyKeys
from unite_core.usage import Usage

T = TypeVar("T")
W = TypeVar("W", bound="UnitOfWork")
W_co = TypeVar("W_co", bound="UnitOfWork", covariant=True)


class UnitOfWork(Protocol):
    """A transaction over the relational database, and the repositories that work inside it.

    Use it as a context manager. Leaving the block without `commit` undoes everything, and so does
    an exception. The packages of the core extend this protocol with the repositories they need.
    """

    idempotency_keys: IdempotencyKeys
    usage: Usage

    @abstractmethod
    def __enter__(self) -> Self:
        """Begin the transaction."""

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the transaction; roll back what was not committed."""

    @abstractmethod
    def commit(self) -> None:
        """Make every change of this unit durable, all or none.

        After the commit the cache forgets what this unit changed, all at once, and then the actions given to
        `after_commit` run, in order. At most one commit per unit.
        """

    @abstractmethod
    def record(self, event: Event) -> None:
        """Publish the event to every destination once this unit is committed; never, if it is rolled back.

        It is stored in this transaction, with a delivery for each destination (the outbox). A unit of work whose
        program is traced adds the `traceparent` of the current span, unless the event has one.
        """

    @abstractmethod
    def after_commit(self, action: Callable[[], None]) -> None:
        """Run `action` once this unit is committed; drop it if the unit is rolled back."""


class UnitOfWorkFactory(Protocol[W_co]):
    """A factory of units of work: `with self.work() as work: ...`."""

    @property
    @abstractmethod
    def store(self) -> object:
        """What the units of work read and write: equal for two factories exactly if they are over the same database."""

    @property
    @abstractmethod
    def destinations(self) -> Collection[str]:
        """The names of the destinations for which `record` creates deliveries."""

    @abstractmethod
    def __call__(self) -> W_co:
        """Return a new unit of work that has not begun yet."""

    def run(self, decide: Callable[[W_co], T]) -> T:
        """Call `decide` with a unit of work, commit the unit, and return the result.

        An exception from `decide` undoes everything. The result is committed together with its effect where a hook
        is registered (`before_commit`), so a use case that takes an Idempotency-Key returns what one `run` returns.
        """
        with self() as unit:
            result = decide(unit)
            unit.commit()
        return result

    def run_step(self, decide: Callable[[W_co], T]) -> T:
        """Do the same for a step that comes before the result, in a transaction of its own.

        No hook is called, so no Idempotency-Key covers the step: it has to be safe to repeat.
        """
        with self() as unit:
            result = decide(unit)
            unit.commit()
        return result


@dataclass(frozen=True)
class _Hooked(UnitOfWorkFactory[W]):
    work: UnitOfWorkFactory[W]
    hook: Callable[[W, object], None]

    @property
    def store(self) -> object:
        return self.work.store

    @property
    def destinations(self) -> Collection[str]:
        return self.work.destinations

    def __call__(self) -> W:
        return cast(W, _Uncommitted(self.work()))

    def run_step(self, decide: Callable[[W], T]) -> T:
        return self.work.run_step(decide)

    def run(self, decide: Callable[[W], T]) -> T:
        def decide_and_call_hook(unit: W) -> T:
            result = decide(unit)
            self.hook(unit, result)
            return result

        return self.work.run(decide_and_call_hook)


class _Uncommitted:
    """A unit of work that cannot be committed; all else is that of the unit which it has."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit

    def __enter__(self) -> Self:
        self._unit.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unit.__exit__(kind, error, trace)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    def commit(self) -> NoReturn:
        raise RuntimeError(
            "With an Idempotency-Key this unit of work cannot be committed, because its answer would be lost. Use "
            "`work.run` for the result, and `work.run_step` for a step before it that is safe to repeat."
        )


def before_commit(work: UnitOfWorkFactory[W], hook: Callable[[W, object], None]) -> UnitOfWorkFactory[W]:
    """Return the same factory, whose `run` calls `hook(unit, result)` inside the transaction, just before the commit.

    An exception from the hook undoes everything. Units without `run` and `run_step` cannot be committed.
    """
    return _Hooked(work, hook)

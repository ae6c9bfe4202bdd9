"""One unit of work is one transaction: it is rolled back unless it was committed."""

from abc import abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self, TypeVar

from unite_core.answers import Answers
from unite_core.events import Event
from unite_core.uses import Uses

W = TypeVar("W", bound="UnitOfWork")
W_co = TypeVar("W_co", bound="UnitOfWork", covariant=True)

BeforeCommit = Callable[["UnitOfWork", object], None]

UNFINISHED = object()
"""Handed to `commit` by a use case that has more transactions to come."""


class UnitOfWork(Protocol):
    """A transaction over the relational database, and the repositories that work inside it.

    Use it as a context manager. Leaving the block without `commit` undoes everything, and so does
    an exception. The rooms of the core extend this protocol with the repositories they need.
    """

    answers: Answers
    uses: Uses

    @abstractmethod
    def __enter__(self) -> Self:
        """Begin the transaction."""

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the transaction; what was not committed is rolled back."""

    @abstractmethod
    def commit(self, result: object = UNFINISHED) -> None:
        """Make every change of this unit durable, all or none.

        `result` is what the use case is about to return: the hook that the factory was given by
        `before_commit` sees it inside the transaction. Without it the hook is not called. After
        the commit the cache forgets what this unit changed, all at once, and then the actions given to
        `after_commit` run, in order. At most one commit per unit.
        """

    @abstractmethod
    def record(self, event: Event) -> None:
        """Have the event told to every destination once this unit is committed; it is never told if it is not.

        It is stored in this transaction, with a delivery for each destination (the outbox).
        """

    @abstractmethod
    def after_commit(self, action: Callable[[], None]) -> None:
        """Run `action` once this unit is committed; forget it if the unit is rolled back."""


class Work(Protocol[W_co]):
    """Makes units of work: `with self.work() as work: ...`."""

    @abstractmethod
    def __call__(self) -> W_co:
        """A new unit of work, not begun yet."""

    @abstractmethod
    def before_commit(self, hook: BeforeCommit) -> "Work[W_co]":
        """The same factory, whose units call `hook(unit, result)` inside the transaction, just before they commit."""

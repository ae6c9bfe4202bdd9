"""Work that goes on after the request that asked for it."""

from abc import abstractmethod
from collections.abc import Collection
from typing import Protocol
from uuid import UUID


class Jobs(Protocol):
    """Wakes workers.

    A wake-up may be lost and may come twice: what there is to do stands in the database, every
    job looks there, and a sweep finds what nobody was woken for.
    """

    @abstractmethod
    def run_import(self, import_id: UUID) -> None:
        """Have the import continued soon."""

    @abstractmethod
    def undo_import(self, import_id: UUID) -> None:
        """Have the import's undoing continued soon."""

    @abstractmethod
    def deliver_events(self, destinations: Collection[str] = ()) -> None:
        """Have events handed over soon to these destinations, or to all of them where none is named."""

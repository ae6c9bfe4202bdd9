"""Port of identifier generation, so that tests can predict ids."""

from abc import abstractmethod
from typing import Protocol
from uuid import UUID


class Ids(Protocol):
    """Generates identifiers."""

    @abstractmethod
    def new(self) -> UUID:
        """Return a new id that sorts after every id this process generated before (UUID version 7, RFC 9562)."""

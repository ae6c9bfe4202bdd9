"""Identifiers come through a port, so that a test can foresee them."""

from abc import abstractmethod
from typing import Protocol
from uuid import UUID


class Ids(Protocol):
    """Makes identifiers."""

    @abstractmethod
    def new(self) -> UUID:
        """A fresh id that sorts after every id this process made before (UUID version 7, RFC 9562)."""

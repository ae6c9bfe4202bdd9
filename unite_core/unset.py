"""The marker `UNSET` for a field that a change does not mention, as opposed to one that it sets to None."""

from enum import Enum
from typing import Final


class Unset(Enum):
    """The type of `UNSET`; `isinstance(value, Unset)` lets a type checker narrow the type."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET

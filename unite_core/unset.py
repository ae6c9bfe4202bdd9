"""A field that a change does not mention, as opposed to one that it empties."""

from enum import Enum
from typing import Final


class Unset(Enum):
    """The type of `UNSET`; `isinstance(value, Unset)` tells a type checker what is left."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET

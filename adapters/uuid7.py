"""Ids (UUID version 7) that sort by the time of their creation."""

from uuid import UUID

import uuid_utils.compat

from unite_core.ids import Ids

__all__ = ["Uuid7Ids"]


class Uuid7Ids(Ids):
    """UUIDs of version 7 (RFC 9562, 5.7).

    Within a millisecond the library uses a counter, with one lock for all threads (RFC 9562, 6.2, method 1). Where the
    machine's clock is set back, it continues from the last millisecond.
    """

    def new(self) -> UUID:
        return uuid_utils.compat.uuid7()

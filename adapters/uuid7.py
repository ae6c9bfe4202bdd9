"""Identifiers that sort by the time they were made at."""

from uuid import UUID

import uuid_utils.compat

from unite_core.ids import Ids


class Uuid7Ids(Ids):
    """UUIDs of version 7 (RFC 9562, 5.7).

    The library counts within a millisecond behind one lock for all threads (RFC 9562, 6.2, method 1), and goes on
    from the last millisecond where the machine's clock is set back.
    """

    def new(self) -> UUID:
        return uuid_utils.compat.uuid7()

"""A worker's hold on the import that it works through."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from unite_core.clock import Clock
from unite_core.imports.lines import Readable
from unite_core.imports.model import LEASE, ImportStatus, LeadImport
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.unit_of_work import UnitOfWorkFactory

RENEW_AFTER = LEASE / 3
"""How old a lease gets before it is renewed."""


class LostLease(Exception):
    """Another worker continues this import; whoever sees this stops, and has changed nothing."""


class StopRequested(Exception):
    """The worker has to stop, and another will go on from the last commit."""


class CancelRequested(Exception):
    """The import is not wanted any more."""


class Lease:
    """What `holder` may do with an import that it has taken, as long as no other one took it since."""

    def __init__(
        self,
        work: UnitOfWorkFactory[ImportsUnitOfWork],
        clock: Clock,
        import_id: UUID,
        holder: str,
        should_stop: Callable[[], bool],
    ) -> None:
        self.import_id = import_id
        self._work = work
        self._clock = clock
        self._holder = holder
        self._should_stop = should_stop
        self._renewed_at = clock.now()

    @contextmanager
    def held(self) -> Iterator[tuple[ImportsUnitOfWork, LeadImport]]:
        """A transaction, and the import in it, saved and committed when the block is left. The lease begins again.

        Raises `LostLease`, and whatever the commit raises.
        """
        with self._work() as work:
            mine = work.imports.get(self.import_id)
            if mine.holder != self._holder or mine.status is not ImportStatus.RUNNING:
                raise LostLease
            now = self._clock.now()
            mine.renew(now)
            yield work, mine
            mine.touched()
            work.imports.save(mine)
            work.commit()
        self._renewed_at = now

    def keep(self) -> LeadImport | None:
        """Renew the lease where it is time to; the import if so. Raises `LostLease`."""
        if self._clock.now() - self._renewed_at < RENEW_AFTER:
            return None
        with self.held() as (_, mine):
            pass
        return mine

    def renew_and_check(self) -> None:
        """As `keep`; where it was time to, raises `CancelRequested` and `StopRequested` too."""
        mine = self.keep()
        if mine is not None:
            self.raise_if_stopped(mine)

    def raise_if_stopped(self, mine: LeadImport) -> None:
        """Raise `CancelRequested` or `StopRequested` where the work on the import, just read, shall not go on."""
        if mine.cancel_requested:
            raise CancelRequested
        if self._should_stop():
            raise StopRequested


class LeaseRenewingStream:
    """A stream that has its lease heeded before each block that is read, however long nothing is committed."""

    def __init__(self, stream: Readable, lease: Lease) -> None:
        self._stream = stream
        self._lease = lease

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; raises what `Lease.renew_and_check` raises."""
        self._lease.renew_and_check()
        return self._stream.read(size)

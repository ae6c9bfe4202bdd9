"""A worker's lease on the import that it processes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from unite_core.clock import Clock
from unite_core.imports.csv.lines import Readable
from unite_core.imports.model import LEASE, ImportStatus, LeadImport
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.unit_of_work import UnitOfWorkFactory

RENEW_AFTER = LEASE / 3
"""The age at which a lease is renewed."""


class LostLease(Exception):
    """Another worker continues this import; the current worker has to stop, and has changed nothing."""


class StopRequested(Exception):
    """The worker has to stop; another one continues after the last commit."""


class CancelRequested(Exception):
    """The import is to be cancelled."""


class Lease:
    """A lease of `holder` on an import; it is lost when another worker takes the import."""

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
        """Open a transaction with the import, which is saved and committed at the end of the block. Renew the lease.

        Raise `LostLease`, and whatever the commit raises.
        """
        with self._work() as work:
            lead_import = work.imports.get(self.import_id)
            if lead_import.holder != self._holder or lead_import.status is not ImportStatus.RUNNING:
                raise LostLease
            now = self._clock.now()
            lead_import.renew(now)
            yield work, lead_import
            lead_import.mark_updated()
            work.imports.save(lead_import)
            work.commit()
        self._renewed_at = now

    def keep(self) -> LeadImport | None:
        """Renew the lease if it is old enough, and return the import then. Raise `LostLease`."""
        if self._clock.now() - self._renewed_at < RENEW_AFTER:
            return None
        with self.held() as (_, lead_import):
            pass
        return lead_import

    def renew_and_check(self) -> None:
        """Renew the lease as `keep` does; if it was renewed, raise `CancelRequested` and `StopRequested` too."""
        lead_import = self.keep()
        if lead_import is not None:
            self.raise_if_stopped(lead_import)

    def raise_if_stopped(self, lead_import: LeadImport) -> None:
        """Raise `CancelRequested` or `StopRequested` if the import, which was just read, must not go on."""
        if lead_import.cancel_requested:
            raise CancelRequested
        if self._should_stop():
            raise StopRequested


class LeaseRenewingStream:
    """A stream that renews its lease before each block that is read, even if nothing is committed for long."""

    def __init__(self, stream: Readable, lease: Lease) -> None:
        self._stream = stream
        self._lease = lease

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; raise what `Lease.renew_and_check` raises."""
        self._lease.renew_and_check()
        return self._stream.read(size)

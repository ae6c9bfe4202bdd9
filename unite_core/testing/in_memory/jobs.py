"""Job queue in memory, whose jobs run when a test calls `run_all`."""

from collections.abc import Collection
from uuid import UUID

from unite_core.application import Unite
from unite_core.jobs import Jobs


class InMemoryJobs(Jobs):
    """Records the wake-ups, in order; `run_all` then does what there is to do.

    `wake_ups` are pairs of the name of a job and what it is about; a wake-up of all relays is about `*`.
    """

    def __init__(self) -> None:
        self.imports: list[UUID] = []
        self.undos: list[UUID] = []
        self.relays: int = 0
        self.wake_ups: list[tuple[str, str]] = []

    def run_import(self, import_id: UUID) -> None:
        self.imports.append(import_id)
        self.wake_ups.append(("run_import", str(import_id)))

    def undo_import(self, import_id: UUID) -> None:
        self.undos.append(import_id)
        self.wake_ups.append(("undo_import", str(import_id)))

    def deliver_events(self, destinations: Collection[str] = ()) -> None:
        self.relays += 1
        self.wake_ups += [("relay", destination) for destination in destinations or ("*",)]

    def run_all(self, unite: Unite, *, holder: str = "worker") -> None:
        """Continue every import and undo that is due, until none is, then deliver all events.

        It does so with or without a wake-up, as a sweep would.
        """
        while True:
            due = unite.imports.due()
            if not due.to_import and not due.to_undo:
                break
            for import_id in due.to_import:
                unite.imports.continue_import(import_id, holder=holder)
            for import_id in due.to_undo:
                unite.imports.continue_undo(import_id)
        delivered = 1
        while delivered:  # the responses of the other destinations are events for the activity log
            delivered = sum(unite.notifications.relay(name).delivered for name in unite.notifications.destinations)

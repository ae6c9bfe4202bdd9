"""The relays of the embedded default over the data folder of the environment; they say what they handed over, and stop.

Whoever started this process ends it: after the hand-over nothing is settled any more. Their clock
is so many seconds ahead as the argument says.
"""

import os
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Event as Signal
from uuid import UUID

from entrypoints.bootstrap import start
from entrypoints.settings import read_settings
from entrypoints.worker.relays import relaying
from entrypoints.worker.wake_ups import Bell
from unite_core.events import Event
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import Destination
from unite_core.testing.in_memory import FixedClock


@dataclass
class Stuck(Destination):
    """Hands events over, and never comes back with the receipts."""

    name: str
    to: Destination

    def __post_init__(self) -> None:
        self.at_once = self.to.at_once

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        self.to.deliver(events, again)
        print(self.name, *(event.id for event in events), flush=True)
        while True:
            time.sleep(60)


def main() -> None:
    with start(read_settings(os.environ)) as started, started.listen() as wake_ups:
        relay = started.unite.notifications.relay
        ahead = timedelta(seconds=float(sys.argv[1]))
        stuck = replace(
            relay,
            destinations={name: Stuck(name, to) for name, to in relay.destinations.items()},
            clock=FixedClock(relay.clock.now() + ahead),
        )
        stop = Signal()
        with relaying(replace(started.unite.notifications, relay=stuck), Bell(wake_ups, stop), stop):
            stop.wait()


if __name__ == "__main__":
    main()

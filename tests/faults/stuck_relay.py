"""Runs a worker of the embedded default, whose relays print what they deliver and then hang.

Whoever started this process ends it: after the hand-over nothing is settled any more. Their clock
is so many seconds ahead as the argument says.
"""

import os
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event as Signal
from threading import Lock
from uuid import UUID

from entrypoints.bootstrap import start
from entrypoints.settings import read_settings
from entrypoints.worker.worker import Worker
from unite_core.clock import Clock
from unite_core.events import Event
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import Destination

SAYING = Lock()


@dataclass
class Stuck(Destination):
    """Hands events over, and never comes back with the receipts."""

    name: str
    to: Destination

    def __post_init__(self) -> None:
        self.subscription = self.to.subscription

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        self.to.deliver(events, again)
        # A line at a time: the relays of all destinations say theirs at the same moment.
        with SAYING:
            print(self.name, *(event.id for event in events), flush=True)
        while True:
            time.sleep(60)


@dataclass(frozen=True)
class Ahead(Clock):
    """A clock that goes like another one, and is ahead of it: what failed and is to be tried later is tried."""

    clock: Clock
    by: timedelta

    def now(self) -> datetime:
        return self.clock.now() + self.by


def main() -> None:
    with start(read_settings(os.environ)) as started, started.open_local_queues() as queues:
        relay = started.unite.notifications.relay
        ahead = timedelta(seconds=float(sys.argv[1]))
        stuck = replace(
            relay,
            destinations={name: Stuck(name, to) for name, to in relay.destinations.items()},
            clock=Ahead(relay.clock, ahead),
        )
        unite = replace(started.unite, notifications=replace(started.unite.notifications, relay=stuck))
        Worker(unite=unite, queues=queues, holder="stuck", stop=Signal()).run()


if __name__ == "__main__":
    main()

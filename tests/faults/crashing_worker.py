"""Parts of a worker that kill themselves in the middle of their work, with the settings of the environment.

python -m tests.faults.crashing_worker relay texts 2 120
    when it has delivered its second batch and settled nothing of it; its clock is 120 seconds ahead
python -m tests.faults.crashing_worker sweep 100 50
    in the transaction that marks the 50th task as missed, a hundred at a time; 0 is never. It waits for a line, and
    prints how many there were
python -m tests.faults.crashing_worker summaries 2026-03-02T18:00+00:00 7
    in the transaction of the 7th daily summary at that moment; 0 is never. It waits for a line, prints "counted" when
    it knows the figures, waits for a line again, and prints how many it created
"""

import os
import signal
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from entrypoints.bootstrap import Started, start
from entrypoints.settings import read_settings
from unite_core.events import Event
from unite_core.ids import Ids
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import Destination
from unite_core.summaries.model import DayFigure
from unite_core.summaries.ports import DayFigures
from unite_core.testing.in_memory import FixedClock

IDS_OF_ONE_MISSED = 2
"""One for the entry in the ledger, one for the event."""


@dataclass
class Countdown:
    """Kills the process at the last of that many steps; never for 0."""

    left: int

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class LastHandOver(Destination):
    """A destination that kills the process after delivering, before it returns the receipts."""

    to: Destination
    countdown: Countdown

    def __post_init__(self) -> None:
        self.subscription = self.to.subscription

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:
        receipts = self.to.deliver(events, again)
        self.countdown.step()
        return receipts


@dataclass
class LastIds(Ids):
    """Ids that kill the process instead of creating another one."""

    ids: Ids
    countdown: Countdown

    def new(self) -> UUID:
        self.countdown.step()
        return self.ids.new()


def relay(started: Started, destination: str, portions: str, ahead: str) -> None:
    """Relay that many batches to the destination, with a clock that is that many seconds ahead."""
    usual = started.unite.notifications.relay
    to = usual.destinations[destination]
    deadly = LastHandOver(to, Countdown(int(portions)))
    clock = FixedClock(usual.clock.now() + timedelta(seconds=int(ahead)))
    replace(usual, destinations={destination: deadly}, clock=clock)(destination)


def sweep(started: Started, at_once: str, last: str) -> None:
    """Mark tasks as missed in batches, until the last one."""
    usual = started.unite.upkeep.mark_missed
    deadly = replace(usual, ids=LastIds(usual.ids, Countdown(int(last) * IDS_OF_ONE_MISSED)))
    print("ready", flush=True)
    sys.stdin.readline()
    print(deadly(limit=int(at_once)), flush=True)


@dataclass
class AwaitedFigures:
    """Figures that wait for a line of input, when the process knows whose summaries are due."""

    figures: DayFigures

    def __call__(self, day: date, tz: str) -> DayFigure:
        figure = self.figures(day, tz)
        print("counted", flush=True)
        sys.stdin.readline()
        return figure


def summaries(started: Started, moment: str, last: str) -> None:
    """Make the daily summaries that are due at the moment, until the last one."""
    usual = started.unite.upkeep.create_daily_summaries
    deadly = replace(
        usual,
        clock=FixedClock(datetime.fromisoformat(moment)),
        ids=LastIds(usual.ids, Countdown(int(last))),
        figures=AwaitedFigures(usual.figures),
    )
    print("ready", flush=True)
    sys.stdin.readline()
    print(deadly(), flush=True)


PARTS: Mapping[str, Callable[..., None]] = {"relay": relay, "sweep": sweep, "summaries": summaries}


def main(part: str, *arguments: str) -> None:
    with start(read_settings(os.environ)) as started:
        PARTS[part](started, *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])

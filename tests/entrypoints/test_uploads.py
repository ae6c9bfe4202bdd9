"""Listening for uploads: a notice is done with after its effect, and nothing but being told to ends it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event

import pytest

from entrypoints.worker.uploads import UploadListener
from unite_core.errors import Unavailable
from unite_core.imports.ports import UploadNotice, UploadNotices
from unite_core.imports.use_cases import UploadOutcome


@dataclass
class Notice(UploadNotice):
    """A notice that writes down what is done with it."""

    key: str
    id: str = "the notice"
    told: list[str] = field(default_factory=list)

    @contextmanager
    def held(self) -> Iterator[None]:
        self.told.append("held")
        try:
            yield
        finally:
            self.told.append("let go")

    def done(self) -> None:
        self.told.append("done")


@dataclass
class Notices(UploadNotices):
    """Hands out what is due, does what fails, and stops the listener after the last one."""

    stop: Event
    due: list[Notice | Exception | None]

    def receive(self, *, wait: timedelta = timedelta()) -> Notice | None:
        assert wait
        coming = self.due.pop(0)
        if not self.due:
            self.stop.set()
        if isinstance(coming, Exception):
            raise coming
        return coming


class Unhurried(Event):
    """An event that nobody waits for; it keeps for how long they would have."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        return self.is_set()


def listen(
    start: Callable[[str, str | None], UploadOutcome], *due: Notice | Exception | None, stop: Event | None = None
) -> None:
    stop = stop or Unhurried()
    UploadListener(Notices(stop, [*due]), start, stop).run()


@pytest.mark.parametrize("outcome", list(UploadOutcome))
def test_a_notice_is_done_with_after_its_effect_and_left_where_it_had_none(outcome: UploadOutcome) -> None:
    notice = Notice("uploads/imports/a.csv")

    def start(key: str, correlation_id: str | None) -> UploadOutcome:
        notice.told.append(f"{key} for {correlation_id}")
        return outcome

    listen(start, None, notice)

    begun = ["held", "uploads/imports/a.csv for the notice", "let go"]
    assert notice.told == (begun if outcome is UploadOutcome.UNKNOWN else [*begun, "done"])


@pytest.mark.parametrize("failure", [Unavailable("The database is busy."), ZeroDivisionError("no idea")])
def test_a_notice_whose_import_could_not_be_started_is_left_and_the_next_one_is_taken(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = Notice("first"), Notice("second")

    def start(key: str, _correlation_id: str | None) -> UploadOutcome:
        if key == "first":
            raise failure
        return UploadOutcome.STARTED

    with caplog.at_level(logging.WARNING):
        listen(start, first, second)

    assert first.told == ["held", "let go"]
    assert second.told[-1] == "done"
    assert str(failure) in caplog.text


def test_an_outage_is_survived_with_growing_pauses_that_begin_anew() -> None:
    stop = Unhurried()
    gone = Unavailable("The queue does not answer.")

    listen(lambda *_: UploadOutcome.STARTED, gone, gone, gone, None, gone, None, stop=stop)

    assert stop.waits == [0.5, 1.0, 2.0, 0.5]


def test_after_a_failure_no_notice_is_taken_until_what_it_needs_is_there() -> None:
    stop = Unhurried()
    away = [True, True, False]
    notices = Notices(stop, [Unavailable("The database does not answer."), Notice("second"), None])
    asked: list[int] = []

    def ready() -> None:
        asked.append(len(notices.due))
        if away.pop(0):
            raise Unavailable("The database does not answer.")

    UploadListener(notices, lambda *_: UploadOutcome.STARTED, stop, ready).run()

    assert asked == [2, 2, 2]
    assert stop.waits == [0.5, 1.0, 2.0]

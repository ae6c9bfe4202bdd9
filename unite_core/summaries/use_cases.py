"""Asking for the daily summary, and making those that are due."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import FieldError, Invalid
from unite_core.identity.daily_summary import (
    DailySummary,
    parse_summary_time,
    parse_summary_zone,
    summary_settings,
)
from unite_core.identity.model import PERMISSIONS, Actor, Permission, User
from unite_core.identity.ports import IdentityUnitOfWork
from unite_core.ids import Ids
from unite_core.summaries.events import summary_created
from unite_core.summaries.model import DayFigure, SummaryTime
from unite_core.summaries.ports import CreatedSummary, DayFigures, SummariesUnitOfWork
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.unset import UNSET, Unset
from unite_core.versions import require_version
from unite_core.zones import DEFAULT_ZONE


@dataclass(frozen=True, kw_only=True)
class SummarySettings:
    """The time of day (`HH:MM`) and the time zone that a user asks for; UNSET leaves a thing as it is."""

    at: str | Unset = UNSET
    tz: str | Unset = UNSET


@dataclass(frozen=True, kw_only=True)
class SummaryChange:
    """What shall be different about the caller's daily summary: a request, None to end it, UNSET for no change."""

    daily_summary: SummarySettings | None | Unset = UNSET
    expected_version: int | None = None


@dataclass(frozen=True)
class UpdateDailySummary:
    """Change one's own daily summary. Admins and managers only.

    With `daily_summary` the caller gets the figures of each day by text message, once, at the local time `at` (`HH:MM`)
    in the time zone `tz` (an IANA name in its exact spelling). null ends that. A member that is left out stays as it
    is; for a first request `at` is required, and `tz` is UTC if it is left out. Where today's time has come already,
    the first summary is tomorrow's. Another time on a day whose summary was made brings no second one. What changes
    nothing leaves the version too.

    Deactivating a user, or giving them the role of an agent, ends their daily summary.

    Raises `Forbidden`, `Invalid` and `PreconditionFailed`.
    """

    permission: ClassVar[Permission] = Permission.GET_DAILY_SUMMARY
    work: UnitOfWorkFactory[IdentityUnitOfWork]
    clock: Clock

    def __call__(self, actor: Actor, change: SummaryChange) -> User:
        actor.must(self.permission)
        now = self.clock.now()
        with self.work() as work:
            user = work.users.hold(actor.user_id)
            require_version(change.expected_version, user.version)
            asked = _changed(user.daily_summary, change.daily_summary, now)
            if asked == user.daily_summary:
                return user
            user.ask_for_summary(asked)
            user.touched(now)
            work.users.save(user)
            work.commit()
        return user


@dataclass(frozen=True)
class CreateDailySummaries:
    """Make the daily summaries whose local time has come, and record an event for each; returns how many were made.

    Run by a schedule, by as many workers as like at the same time: one summary is made of each user and local date,
    whatever clocks do. Where clocks go forward over the time, it is made at the first moment after the gap. If the
    service was down at that time, it is made later, as long as the local date is the same.
    """

    work: UnitOfWorkFactory[SummariesUnitOfWork]
    reads: UnitOfWorkFactory[SummariesUnitOfWork]
    figures: DayFigures
    clock: Clock
    ids: Ids

    def __call__(self, *, limit: int = 100, should_stop: Callable[[], bool] = lambda: False) -> int:
        now = self.clock.now()
        with self.reads() as reads:
            times = reads.summaries.times()
        due = ((time, time.due_date(now)) for time in times)
        return sum(self._make_all(time, day, now, limit, should_stop) for time, day in due if day is not None)

    def _make_all(
        self, time: SummaryTime, day: date, now: datetime, limit: int, should_stop: Callable[[], bool]
    ) -> int:
        made, after = 0, None
        while not should_stop():
            with self.reads() as reads:
                waiting = reads.summaries.waiting(time, day, after=after, limit=limit)
            if waiting:
                figure = self.figures(day, time.tz)
                made += sum(self._make(user_id, time, day, now, figure) for user_id in waiting)
            if len(waiting) < limit:
                break
            after = waiting[-1]
        return made

    def _make(self, user_id: UUID, time: SummaryTime, day: date, now: datetime, figure: DayFigure) -> bool:
        return retry_on_deadlock(lambda: self._record(user_id, time, day, now, figure))

    def _record(self, user_id: UUID, time: SummaryTime, day: date, now: datetime, figure: DayFigure) -> bool:
        """Record the summary and its event; False where it was made already, or the user is not to get it any more."""
        with self.work() as work:
            user = work.users.hold(user_id)
            made = CreatedSummary(user_id=user_id, day=day, event_id=self.ids.new(), at=now)
            if not _is_to_get(user, time, day) or not work.summaries.add(made):
                return False
            work.record(summary_created(made, time, figure))
            work.commit()
        return True


def _is_to_get(user: User, time: SummaryTime, day: date) -> bool:
    asked = user.daily_summary
    return (
        asked is not None
        and (asked.at, asked.tz) == (time.at, time.tz)
        and asked.since <= day
        and user.active
        and Permission.GET_DAILY_SUMMARY in PERMISSIONS[user.role]
    )


def _changed(
    current: DailySummary | None, change: SummarySettings | None | Unset, now: datetime
) -> DailySummary | None:
    """The summary after the change; raises `Invalid`."""
    if isinstance(change, Unset):
        return current
    if change is None:
        return None
    problems: list[FieldError] = []
    at, tz = (current.at, current.tz) if current else (None, DEFAULT_ZONE)
    if not isinstance(change.at, Unset):
        at = parse_summary_time(change.at, "daily_summary.at", problems)
    if not isinstance(change.tz, Unset):
        tz = parse_summary_zone(change.tz, "daily_summary.tz", problems)
    if at is None:
        problems.append(FieldError(field="daily_summary.at", code="required", detail="Say at which time of day."))
    if at is None or problems:
        raise Invalid("The daily summary breaks a rule.", problems=problems)
    if current is not None and (at, tz) == (current.at, current.tz):
        return current
    return summary_settings(now, at, tz)

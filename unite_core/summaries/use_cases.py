"""Use cases of daily summaries: change one's settings, create those that are due."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from unite_core.checks import BatchSize, Input, UseCase
from unite_core.clock import Clock
from unite_core.deadlocks import retry_on_deadlock
from unite_core.errors import FieldError, Invalid
from unite_core.identity.model import PERMISSIONS, Actor, Permission, User
from unite_core.identity.ports import IdentityUnitOfWork
from unite_core.identity.summary_settings import (
    DailySummary,
    parse_summary_time,
    parse_summary_zone,
    summary_settings,
)
from unite_core.ids import Ids
from unite_core.summaries.events import summary_created
from unite_core.summaries.model import DayFigure, SummaryTime
from unite_core.summaries.ports import CreatedSummary, DayFigures, SummariesUnitOfWork
from unite_core.unit_of_work import UnitOfWorkFactory
from unite_core.unset import UNSET, Unset
from unite_core.versions import require_version
from unite_core.zones import DEFAULT_ZONE


@dataclass(frozen=True, kw_only=True)
class SummarySettings(Input):
    """The time of day (`HH:MM`) and the time zone of the summary; UNSET leaves a field as it is."""

    at: str | Unset = UNSET
    tz: str | Unset = UNSET


@dataclass(frozen=True, kw_only=True)
class SummaryChange(Input):
    """A change of the caller's daily summary: new settings, None to end it, UNSET for no change."""

    daily_summary: SummarySettings | None | Unset = UNSET
    expected_version: int | None = None


@dataclass(frozen=True)
class UpdateDailySummary(UseCase):
    """Change one's own daily summary. Admins and managers only.

    With `daily_summary` the caller gets the figures of each day by text message, once, at the local time `at` (`HH:MM`)
    in the time zone `tz` (an IANA name in its exact spelling). null ends that. A member that is left out stays as it
    is; for the first settings `at` is required, and `tz` is UTC by default. If today's time has passed already,
    the first summary is tomorrow's. Another time on a day whose summary was created brings no second one. A request
    that changes nothing does not change the version either.

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
            user = work.users.lock(actor.user_id)
            require_version(change.expected_version, user.version)
            settings = _changed(user.daily_summary, change.daily_summary, now)
            if settings == user.daily_summary:
                return user
            user.set_summary(settings)
            user.mark_updated(now)
            work.users.save(user)
            work.commit()
        return user


@dataclass(frozen=True)
class CreateDailySummaries(UseCase):
    """Create the daily summaries that are due, and record an event for each; return how many were created.

    Run by a schedule, by any number of workers at the same time: one summary is created for each user and local date,
    whatever clocks do. If clocks skip the time when they go forward, it is created at the first moment after the gap.
    If the service was down at that time, it is created later, as long as the local date is the same.
    """

    work: UnitOfWorkFactory[SummariesUnitOfWork]
    reads: UnitOfWorkFactory[SummariesUnitOfWork]
    figures: DayFigures
    clock: Clock
    ids: Ids

    def __call__(self, *, limit: BatchSize = 100, should_stop: Callable[[], bool] = lambda: False) -> int:
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
        """Record the summary and its event; return False if it was created already, or the user does not get it now."""
        with self.work() as work:
            user = work.users.lock(user_id)
            made = CreatedSummary(user_id=user_id, day=day, event_id=self.ids.new(), at=now)
            if not _is_to_get(user, time, day) or not work.summaries.add(made):
                return False
            work.record(summary_created(made, time, figure))
            work.commit()
        return True


def _is_to_get(user: User, time: SummaryTime, day: date) -> bool:
    settings = user.daily_summary
    return (
        settings is not None
        and (settings.at, settings.tz) == (time.at, time.tz)
        and settings.since <= day
        and user.active
        and Permission.GET_DAILY_SUMMARY in PERMISSIONS[user.role]
    )


def _changed(
    current: DailySummary | None, change: SummarySettings | None | Unset, now: datetime
) -> DailySummary | None:
    """Return the settings after the change; raise `Invalid`."""
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

"""SQL repository of daily summaries: which users are due, and which summaries were made."""

from collections.abc import Sequence
from datetime import date, time
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, literal, select

from adapters.sql.identity.tables import users
from adapters.sql.statements import force_index, insert_if_absent, unindexed
from adapters.sql.summaries.tables import daily_summaries as summaries
from adapters.sql.types import moment
from unite_core.identity.model import PERMISSIONS, Permission, Role
from unite_core.summaries.model import SummaryTime
from unite_core.summaries.ports import CreatedSummary, DailySummaries

_ROLES = [role.value for role in Role if Permission.GET_DAILY_SUMMARY in PERMISSIONS[role]]
_INDEX = "ix_users_summary"


class SqlDailySummaries(DailySummaries):
    """Daily summaries in the relational database; the primary key decides that there is one per user and date."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def times(self) -> Sequence[SummaryTime]:
        statement = force_index(select(users.c.summary_tz, users.c.summary_at).distinct(), users, _INDEX).where(
            users.c.summary_tz.is_not(None), *_may_receive()
        )
        return [
            SummaryTime(at=time.fromisoformat(row.summary_at), tz=row.summary_tz)
            for row in self._connection.execute(statement)
        ]

    def waiting(self, time: SummaryTime, day: date, *, after: UUID | None, limit: int) -> Sequence[UUID]:
        made = select(summaries.c.user_id).where(summaries.c.user_id == users.c.id, summaries.c.local_date == day)
        statement = (
            force_index(select(users.c.id), users, _INDEX)
            .where(
                users.c.summary_tz == time.tz,
                users.c.summary_at == f"{time.at:%H:%M}",
                users.c.summary_since <= day,
                *_may_receive(),
                ~made.exists(),
            )
            .order_by(users.c.id)
            .limit(limit)
        )
        if after is not None:
            statement = statement.where(users.c.id > after)
        return self._connection.execute(statement).scalars().all()

    def add(self, made: CreatedSummary) -> bool:
        if self._event_of(made) is not None:
            return False
        at = moment(made.at, self._connection.dialect)
        insert_if_absent(
            self._connection, summaries, [(made.user_id.bytes, made.day.isoformat(), made.event_id.bytes, at)]
        )
        return self._event_of(made) == made.event_id

    def _event_of(self, made: CreatedSummary) -> UUID | None:
        """Return the id of the event of the summary for this user and date; None if none was made."""
        statement = select(summaries.c.event_id).where(
            summaries.c.user_id == made.user_id, summaries.c.local_date == made.day
        )
        event_id: UUID | None = self._connection.execute(statement).scalar_one_or_none()
        return event_id


def _may_receive() -> tuple[ColumnElement[bool], ...]:
    return unindexed(users.c.active) == literal(True), unindexed(users.c.role).in_(_ROLES)

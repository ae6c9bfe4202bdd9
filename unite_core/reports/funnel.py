"""Reports of the lead funnel by source, and of the speed of first calls."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from unite_core.cache import Cache, CacheEntryType, CacheSlot
from unite_core.checks import UseCase
from unite_core.clock import Clock
from unite_core.identity.model import Actor, Permission
from unite_core.leads.ports import CALLED_LEADS_NAMESPACE
from unite_core.periods import Period, moment_of
from unite_core.reports.metrics import CONTACTS, CONVERSIONS
from unite_core.reports.model import Count, LeadItems, ReportMeta
from unite_core.reports.ports import Cohort, FirstCalls, FunnelCounts, ReportsUnitOfWork
from unite_core.reports.tally import Rate
from unite_core.unit_of_work import UnitOfWorkFactory

PROMPT_SECONDS = 5 * 60
"""The number of seconds within which a first call is prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """The number of leads, and of those that were called, contacted and converted; `source` None: all sources."""

    source: str | None
    leads: Count
    called: Count
    contacted: Count
    converted: Count
    contact_rate: Rate
    conversion_rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """The leads created in the period, in total and by source."""

    about: ReportMeta
    total: Stages
    by_source: Sequence[Stages]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedToLead:
    """The time until the first call of the leads created in the period.

    `p50_seconds` and `p90_seconds`: half of the called leads, and nine in ten of them, were called within so many
    seconds (nearest rank); None if none was called.
    """

    about: ReportMeta
    leads: Count
    called: Count
    within_5_minutes: Count
    share_within_5_minutes: Rate
    p50_seconds: int | None
    p90_seconds: int | None


@dataclass(frozen=True)
class ReportFunnel(UseCase):
    """Report how many of the leads created in a period were called, contacted and converted, by source.

    A lead belongs to the day on which it was created; deleted leads are excluded. Agents get the leads assigned to
    them and their own calls, admins and managers all.
    """

    permission: ClassVar[Permission | None] = None
    reads: UnitOfWorkFactory[ReportsUnitOfWork]
    clock: Clock
    cache: Cache

    def __call__(self, actor: Actor, period: Period) -> Funnel:
        return self.report(period, self.slot(actor, period).get(lambda: self._read_now(actor, period)))

    def _read_now(self, actor: Actor, period: Period) -> "CountedLeads":
        taken_at = self.clock.now()
        with self.reads() as reads:
            return self.read(reads, taken_at, actor, period)

    def slot(self, actor: Actor, period: Period) -> CacheSlot["CountedLeads"]:
        """Return the leads by source from the cache, if they are there."""
        return _FUNNELS.slot(self.cache, CALLED_LEADS_NAMESPACE, _key("funnel", _cohort(actor, period)))

    def read(self, reads: ReportsUnitOfWork, taken_at: datetime, actor: Actor, period: Period) -> "CountedLeads":
        """Count the leads by source in an open unit of work, which was opened after `taken_at`."""
        return CountedLeads(taken_at, reads.figures.funnel(_cohort(actor, period)))

    def report(self, period: Period, counted: "CountedLeads") -> Funnel:
        """Return the report of counted leads."""
        counts = counted.counts
        all_leads = FunnelCounts(
            leads=sum(stages.leads for stages in counts.values()),
            called=sum(stages.called for stages in counts.values()),
            contacted=sum(stages.contacted for stages in counts.values()),
            converted=sum(stages.converted for stages in counts.values()),
        )
        items = _leads_of(period)
        return Funnel(
            about=_about(period, counted.taken_at),
            total=_stages(None, all_leads, items),
            by_source=[_stages(source, counts[source], replace(items, source=source)) for source in sorted(counts)],
        )


@dataclass(frozen=True)
class ReportSpeedToLead(UseCase):
    """Report how soon the leads created in a period were called first, and the share called within five minutes.

    A call that began before its lead was created counts as one at that moment. Deleted leads are excluded. Agents get
    the leads assigned to them and their own calls, admins and managers all.
    """

    permission: ClassVar[Permission | None] = None
    reads: UnitOfWorkFactory[ReportsUnitOfWork]
    clock: Clock
    cache: Cache

    def __call__(self, actor: Actor, period: Period) -> SpeedToLead:
        cohort = _cohort(actor, period)
        timed = _TIMED.get(self.cache, CALLED_LEADS_NAMESPACE, _key("first calls", cohort), lambda: self._read(cohort))
        counts = timed.first_calls
        items = _leads_of(period)
        return SpeedToLead(
            about=_about(period, timed.taken_at),
            leads=Count(counts.leads, items),
            called=Count(counts.called, replace(items, called=True)),
            within_5_minutes=Count(counts.within, replace(items, within=PROMPT_SECONDS)),
            share_within_5_minutes=Rate(counts.within, counts.called),
            p50_seconds=counts.p50,
            p90_seconds=counts.p90,
        )

    def _read(self, cohort: Cohort) -> "_Timed":
        taken_at = self.clock.now()
        with self.reads() as reads:
            return _Timed(taken_at, reads.figures.first_calls(cohort, within=PROMPT_SECONDS))


@dataclass(frozen=True, slots=True)
class CountedLeads:
    """The leads by source at the time `taken_at`."""

    taken_at: datetime
    counts: Mapping[str, FunnelCounts]


@dataclass(frozen=True, slots=True)
class _Timed:
    """The first calls at the time `taken_at`."""

    taken_at: datetime
    first_calls: FirstCalls


def _counted_from_plain(plain: Any) -> CountedLeads:
    taken_at, counts = plain
    return CountedLeads(datetime.fromisoformat(taken_at), {key: FunnelCounts(**value) for key, value in counts.items()})


def _timed_from_plain(plain: Any) -> _Timed:
    taken_at, first_calls = plain
    return _Timed(datetime.fromisoformat(taken_at), FirstCalls(**first_calls))


_FUNNELS = CacheEntryType[CountedLeads](
    lambda leads: [leads.taken_at.isoformat(), {source: asdict(counts) for source, counts in leads.counts.items()}],
    _counted_from_plain,
)
_TIMED = CacheEntryType[_Timed](
    lambda timed: [timed.taken_at.isoformat(), asdict(timed.first_calls)], _timed_from_plain
)


def _key(what: str, cohort: Cohort) -> str:
    return hashlib.sha256(f"{what} {cohort!r}".encode()).hexdigest()


def _cohort(actor: Actor, period: Period) -> Cohort:
    own: UUID | None = None if actor.may(Permission.SEE_ALL_LEADS) else actor.user_id
    return Cohort(created_from=moment_of(period.start), created_to=moment_of(period.end), assigned_to=own)


def _leads_of(period: Period) -> LeadItems:
    return LeadItems(start=moment_of(period.start), end=moment_of(period.end))


def _about(period: Period, now: datetime) -> ReportMeta:
    return ReportMeta(period=period, generated_at=now, complete_through=now)


def _stages(source: str | None, counts: FunnelCounts, items: LeadItems) -> Stages:
    return Stages(
        source=source,
        leads=Count(counts.leads, items),
        called=Count(counts.called, replace(items, called=True)),
        contacted=Count(counts.contacted, replace(items, results=CONTACTS.results)),
        converted=Count(counts.converted, replace(items, results=CONVERSIONS.results)),
        contact_rate=Rate(counts.contacted, counts.leads),
        conversion_rate=Rate(counts.converted, counts.leads),
    )

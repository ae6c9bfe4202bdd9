"""The application: build all use cases from the ports."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event
from typing import Annotated, Protocol

from unite_core.background import INTERVAL, BackgroundWork, ShouldStop, Step
from unite_core.cache import Cache, NoCache
from unite_core.calls import queries as call_queries
from unite_core.calls import use_cases as calls
from unite_core.calls.closing import CancelCallsOfLead
from unite_core.calls.model import MISSED_AFTER, CallOutcome
from unite_core.calls.ports import CallsUnitOfWork
from unite_core.calls.use_cases.verification import VerifyLedger
from unite_core.checks import Checked, not_negative, positive
from unite_core.clock import Clock
from unite_core.deprecation import deprecated
from unite_core.errors import FieldError
from unite_core.files import Files, RemoveLeftoverFiles
from unite_core.idempotency import PurgeIdempotencyKeys, RunOnce
from unite_core.identity import queries as identity_queries
from unite_core.identity import use_cases as identity
from unite_core.identity.ports import Passwords, Tokens
from unite_core.ids import Ids
from unite_core.imports import queries as import_queries
from unite_core.imports import use_cases as imports
from unite_core.imports.ports import ImportsUnitOfWork, NoUploadNotices, UploadNotices
from unite_core.imports.use_cases.continue_import import ContinueImport
from unite_core.jobs import Jobs
from unite_core.leads import queries as lead_queries
from unite_core.leads import use_cases as leads
from unite_core.notifications import use_cases as notifications
from unite_core.notifications.destinations import TextsOfEvents, TopicOfEvents
from unite_core.notifications.model import Delivery
from unite_core.notifications.ports import ActivityLog, Destination, Links, TextMessages, TextsUnitOfWork, Topic
from unite_core.notifications.subscriptions import BUILT_IN
from unite_core.phone import PhonePolicy
from unite_core.quotas import PurgeUsage, Quotas
from unite_core.rate_limits import RateLimits
from unite_core.reports.agent_activity import DocumentsCompleteThrough, LedgerActivity, ReportActivity
from unite_core.reports.attempts import ReportAttempts
from unite_core.reports.call_queries import CacheReport, CountCalls, NameAgents
from unite_core.reports.daily import ReportDay
from unite_core.reports.day_figures import CountDay
from unite_core.reports.day_overview import ReportDayOverview
from unite_core.reports.documents import CallDocuments
from unite_core.reports.funnel import ReportFunnel, ReportSpeedToLead
from unite_core.reports.heatmap import ReportHeatmap
from unite_core.reports.insights import ReportInsights
from unite_core.reports.leaderboard import ReportLeaderboard
from unite_core.reports.overdue import CountOverdueCalls, ListOverdueCalls
from unite_core.reports.ports import ReportsUnitOfWork
from unite_core.reports.reconciliation import ReconcileReports, RepairDocuments
from unite_core.reports.use_cases import FoldEntries, RebuildReports
from unite_core.summaries import use_cases as summaries
from unite_core.summaries.ports import SummariesUnitOfWork
from unite_core.unit_of_work import UnitOfWorkFactory


@dataclass(frozen=True, kw_only=True)
class Rules(Checked):
    """Settings of an installation's business rules: how phones are parsed, and logins a minute (0: no limit).

    `activity_retention` is the retention of the activity log, None for ever. `import_retention` is how long an import
    can be undone and its rejected rows be read, None for ever. A call task is missed if its call was not made by
    `missed_after` after it was due. `quotas` limit how much one user, one telephone number and the installation may
    use.
    """

    phones: PhonePolicy = field(default_factory=PhonePolicy)
    logins_per_minute: Annotated[int, not_negative] = 10
    activity_retention: Annotated[timedelta | None, positive] = None
    import_retention: Annotated[timedelta | None, positive] = None
    missed_after: Annotated[timedelta, not_negative] = MISSED_AFTER
    quotas: Quotas = field(default_factory=Quotas)


class FullUnitOfWork(ImportsUnitOfWork, ReportsUnitOfWork, TextsUnitOfWork, SummariesUnitOfWork, Protocol):
    """A unit of work with the repositories of all packages."""


@dataclass(frozen=True, kw_only=True)
class Ports(Checked):
    """The adapters that Unite needs. `work` writes; `reads` only reads, and sees every commit.

    `destinations` are the further recipients of events, beside the activity log, the topic and text messages; `work`
    was built with the subscriptions of all, so that it creates a delivery for each. `cache` is the one that the units
    of `work` invalidate. `tokens` creates access tokens, `cookies` session cookies; neither accepts those of the other.
    `documents` is the store into which `activity` writes call documents, None if it writes none. `links` lead to what
    messages are about. `notices` are those of `files` about uploads; `work_until` starts the imports of what was
    uploaded. `around_destination`, if there is one, returns what events are delivered to in place of a destination,
    such as one that traces the deliveries and passes them on.
    """

    work: UnitOfWorkFactory[FullUnitOfWork]
    reads: UnitOfWorkFactory[FullUnitOfWork]
    files: Files
    jobs: Jobs
    clock: Clock
    ids: Ids
    passwords: Passwords
    tokens: Tokens
    cookies: Tokens
    limits: RateLimits
    activity: ActivityLog
    topic: Topic
    texts: TextMessages
    links: Links
    destinations: Sequence[Destination] = ()
    cache: Cache = field(default_factory=NoCache)
    documents: CallDocuments | None = None
    around_destination: Callable[[Destination], Destination] | None = None
    notices: UploadNotices = field(default_factory=NoUploadNotices)

    def broken_rules(self) -> Iterable[FieldError]:
        """Return the errors of ports that do not fit together: with them, data or events would be lost."""
        if self.reads.store != self.work.store:
            yield FieldError(field="reads", code="other_store", detail="It reads another database than `work` writes.")
        names = [subscription.name for subscription in (*BUILT_IN, *(each.subscription for each in self.destinations))]
        if len(names) != len(set(names)):
            detail = "Two destinations have the same name, or that of a destination that every installation has."
            yield FieldError(field="destinations", code="duplicate_name", detail=detail)
        subscribed = {*self.work.destinations}
        lacking = sorted({*names} - subscribed - {subscription.name for subscription in BUILT_IN})
        if lacking:
            detail = f"`work` was made without the subscriptions of {', '.join(lacking)}, so they would get no events."
            yield FieldError(field="destinations", code="not_subscribed", detail=detail)
        missing = sorted(subscribed - {*names})
        if missing:
            detail = f"`work` creates deliveries for {', '.join(missing)}, so their destinations have to be here."
            yield FieldError(field="destinations", code="missing_destination", detail=detail)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The use cases of users and sessions."""

    log_in: identity.LogIn
    log_in_with_cookie: identity.LogInWithCookie
    refresh: identity.RefreshTokens
    authenticate: identity.Authenticate
    authenticate_cookie: identity.AuthenticateCookie
    log_out: identity.LogOut
    log_out_everywhere: identity.LogOutEverywhere
    change_password: identity.ChangePassword
    reset_password: identity.ResetPassword
    create_user: identity.CreateUser
    ensure_first_admin: identity.EnsureFirstAdmin
    update_user: identity.UpdateUser
    update_daily_summary: summaries.UpdateDailySummary
    get_user: identity_queries.GetUser
    list_users: identity_queries.ListUsers


@dataclass(frozen=True, kw_only=True)
class Leads:
    """The use cases of leads and their images."""

    add: leads.CreateLead
    change: leads.UpdateLead
    delete: leads.DeleteLead[CallsUnitOfWork]
    get: lead_queries.GetLead
    list: lead_queries.ListLeads
    create_image: leads.CreateImage
    complete_image: leads.CompleteImage
    delete_image: leads.DeleteImage
    get_image: lead_queries.GetImage
    list_images: lead_queries.ListImages
    activity: lead_queries.GetLeadActivity


@dataclass(frozen=True, kw_only=True)
class Calls:
    """The use cases of call tasks and the call ledger."""

    create: calls.CreateCallTask
    assign: calls.AssignCallTask
    note: calls.AddCallTaskNote
    complete: calls.CompleteCallTask
    cancel: calls.CancelCallTask
    correct: calls.CorrectCallLog
    get: call_queries.GetCallTask
    list: call_queries.ListCallTasks
    list_logs: call_queries.ListCallLogs
    get_log_entry: call_queries.GetCallLogEntry
    get_ledger: call_queries.GetLedger
    verify_ledger: VerifyLedger


@dataclass(frozen=True, kw_only=True)
class Imports:
    """The use cases of imports."""

    announce: imports.CreateImport
    start: imports.StartImport
    start_uploaded: imports.StartUploadedImport
    start_announced: imports.StartAnnouncedUploads
    store_file: imports.StoreFile
    import_stored_file: imports.ImportStoredFile
    cancel: imports.CancelImport
    undo: imports.UndoImport
    get: import_queries.GetImport
    list: import_queries.ListImports
    list_rejections: import_queries.ListRejections
    get_error_report: import_queries.GetErrorReport
    activity: import_queries.GetImportActivity
    due: import_queries.DueImports
    continue_import: ContinueImport
    continue_undo: imports.ContinueUndo


@dataclass(frozen=True, kw_only=True)
class Reports:
    """The reports, and the jobs that keep their rollups up to date."""

    daily: ReportDay
    day_overview: ReportDayOverview
    insights: ReportInsights
    funnel: ReportFunnel
    attempts: ReportAttempts
    speed_to_lead: ReportSpeedToLead
    heatmap: ReportHeatmap
    leaderboard: ReportLeaderboard
    activity: ReportActivity
    reconcile: ReconcileReports
    repair: RepairDocuments
    overdue: ListOverdueCalls
    count_overdue: CountOverdueCalls
    cache_report: CacheReport
    fold: FoldEntries
    rebuild: RebuildReports

    @property
    @deprecated("`Reports.glance` is deprecated since 0.1.0: use `Reports.day_overview`. Removed in 0.3.0, 2027-12-01.")
    def glance(self) -> ReportDayOverview:
        """The former name of `day_overview`."""
        return self.day_overview

    @property
    @deprecated(
        "`Reports.remember` is deprecated since 0.1.0: use `Reports.cache_report`. Removed in 0.3.0, 2027-12-01."
    )
    def remember(self) -> CacheReport:
        """The former name of `cache_report`."""
        return self.cache_report


@dataclass(frozen=True, kw_only=True)
class Notifications:
    """The use cases of event deliveries; `destinations` are the names of all destinations."""

    destinations: tuple[str, ...]
    relay: notifications.RelayEvents
    get_delivery: notifications.GetDelivery
    list_deliveries: notifications.ListDeliveries
    replay: notifications.ReplayDelivery
    activity: notifications.GetDeliveryActivity
    dead_letters: notifications.CountDeadLetters
    record_text_report: notifications.RecordTextReport
    record_consent: notifications.RecordConsent


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """The use cases that a schedule runs, each in batches of a few hundred, until little is left."""

    mark_missed: calls.MarkMissed
    cancel_calls_of_deleted_leads: calls.CancelCallsOfDeletedLeads
    create_daily_summaries: summaries.CreateDailySummaries
    check_delivery_statuses: notifications.CheckDeliveryStatuses
    purge_idempotency_keys: PurgeIdempotencyKeys
    purge_usage: PurgeUsage
    purge_deliveries: notifications.PurgeDeliveries
    purge_activity: notifications.PurgeActivity
    purge_sessions: identity.PurgeSessions
    remove_abandoned_images: leads.RemoveAbandonedImages
    remove_abandoned_imports: imports.RemoveAbandonedImports
    purge_imports: imports.PurgeImports
    remove_leftover_files: RemoveLeftoverFiles

    @property
    @deprecated(
        "`Upkeep.follow_deliveries` is deprecated since 0.1.0: use `Upkeep.check_delivery_statuses`. "
        "Removed in 0.3.0, 2027-12-01."
    )
    def follow_deliveries(self) -> notifications.CheckDeliveryStatuses:
        """The former name of `check_delivery_statuses`."""
        return self.check_delivery_statuses

    def tasks(self, on_dead: Callable[[Delivery], None] = lambda _: None) -> Mapping[str, Step]:
        """Return what to do once a minute, by what it has done; each returns how often it did that.

        `on_dead` is called with each delivery that turns out to be lost. Missed calls and daily summaries are not among
        the tasks: they cannot wait for a minute.
        """
        return {
            "text messages asked after": lambda stop: self.check_delivery_statuses(should_stop=stop, on_dead=on_dead),
            "calls of deleted leads cancelled": lambda stop: self.cancel_calls_of_deleted_leads(should_stop=stop),
            "idempotency keys deleted": lambda stop: self.purge_idempotency_keys(should_stop=stop),
            "counted uses deleted": lambda stop: self.purge_usage(should_stop=stop),
            "deliveries forgotten": lambda stop: self.purge_deliveries(should_stop=stop),
            "activity forgotten": lambda stop: self.purge_activity(should_stop=stop),
            "sessions deleted": lambda _: self.purge_sessions(),
            "abandoned images removed": lambda _: self.remove_abandoned_images(),
            "rows of old imports deleted": lambda stop: self.purge_imports(should_stop=stop),
            "abandoned imports cancelled": lambda _: self.remove_abandoned_imports(),
            "unfinished uploads deleted": lambda _: self.remove_leftover_files(),
        }


@dataclass(frozen=True, kw_only=True)
class Unite:
    """The application: the use cases by package, and `once` to run a use case at most once per idempotency key.

    `work_once` and `work_until` do the work that requests leave behind, such as imports and deliveries of events. A
    program that imports the library calls one of them, in a thread or in a process of its own. The service does not: it
    has queues.
    """

    identity: Identity
    leads: Leads
    calls: Calls
    imports: Imports
    reports: Reports
    notifications: Notifications
    upkeep: Upkeep
    once: RunOnce
    background: BackgroundWork
    limits: RateLimits
    clock: Clock
    ids: Ids

    def work_once(self) -> None:
        """Do all work that is due now, and return.

        Raises an `ExceptionGroup` of the errors of the steps that failed, after all others have run.
        """
        self.background.once()

    def work_until(self, stop: Event, *, interval: timedelta = INTERVAL) -> None:
        """Do the work that is due, every second by default, until `stop` is set. Errors are logged, and tried again.

        An import that is under way ends with its current chunk of rows, and is continued by the next worker.
        """
        self.background.until(stop, interval=interval)


def build(ports: Ports, rules: Rules | None = None) -> Unite:
    """Build the use cases from the ports. This opens and starts nothing."""
    rules = rules or Rules()
    texts = TextsOfEvents(ports.work, ports.reads, ports.texts, ports.clock, ports.ids, ports.links, rules.quotas)
    destinations = (ports.activity, TopicOfEvents(ports.topic, ports.links), texts, *ports.destinations)
    around = ports.around_destination
    by_name = {each.subscription.name: each if around is None else around(each) for each in destinations}
    unite_imports, reports = _imports(ports, rules), _reports(ports)
    unite_notifications = _notifications(ports, texts, by_name)
    upkeep = _upkeep(ports, rules, by_name)
    return Unite(
        identity=_identity(ports, rules),
        leads=_leads(ports, rules),
        calls=_calls(ports, rules),
        imports=unite_imports,
        reports=reports,
        notifications=unite_notifications,
        upkeep=upkeep,
        once=RunOnce(ports.work, ports.clock),
        background=_background(ports, unite_imports, unite_notifications, reports, upkeep),
        limits=ports.limits,
        clock=ports.clock,
        ids=ports.ids,
    )


def _upkeep(ports: Ports, rules: Rules, destinations: Mapping[str, Destination]) -> Upkeep:
    return Upkeep(
        mark_missed=calls.MarkMissed(ports.work, ports.clock, ports.ids, rules.missed_after),
        cancel_calls_of_deleted_leads=calls.CancelCallsOfDeletedLeads(ports.work, ports.reads, ports.clock, ports.ids),
        create_daily_summaries=summaries.CreateDailySummaries(
            ports.work, ports.reads, CountDay(_count_calls(ports)), ports.clock, ports.ids
        ),
        check_delivery_statuses=notifications.CheckDeliveryStatuses(ports.work, destinations, ports.clock, ports.ids),
        purge_idempotency_keys=PurgeIdempotencyKeys(ports.work, ports.clock),
        purge_usage=PurgeUsage(ports.work, ports.clock),
        purge_deliveries=notifications.PurgeDeliveries(ports.work, ports.clock),
        purge_activity=notifications.PurgeActivity(ports.activity, ports.clock, rules.activity_retention),
        purge_sessions=identity.PurgeSessions(ports.work, ports.clock),
        remove_abandoned_images=leads.RemoveAbandonedImages(ports.work, ports.files, ports.clock),
        remove_abandoned_imports=imports.RemoveAbandonedImports(ports.work, ports.files, ports.clock, ports.ids),
        purge_imports=imports.PurgeImports(ports.work, ports.files, ports.clock, rules.import_retention),
        remove_leftover_files=RemoveLeftoverFiles(ports.files),
    )


def _background(
    ports: Ports, unite_imports: Imports, unite_notifications: Notifications, reports: Reports, upkeep: Upkeep
) -> BackgroundWork:
    def deliver_to(destination: str) -> Step:
        return lambda should_stop: unite_notifications.relay(destination, should_stop=should_stop)

    return BackgroundWork(
        steps={
            "uploads": lambda should_stop: unite_imports.start_announced(should_stop=should_stop),
            "imports": lambda should_stop: _continue_imports(unite_imports, ports.ids, should_stop),
            "missed calls": lambda should_stop: upkeep.mark_missed(should_stop=should_stop),
            "daily summaries": lambda should_stop: upkeep.create_daily_summaries(should_stop=should_stop),
            **{f"deliveries to {name}": deliver_to(name) for name in unite_notifications.destinations},
            "rollups of reports": lambda should_stop: reports.fold(should_stop=should_stop),
        },
        upkeep=upkeep.tasks(),
        clock=ports.clock,
    )


def _continue_imports(unite_imports: Imports, ids: Ids, should_stop: ShouldStop) -> None:
    due = unite_imports.due()
    for import_id in due.to_import:
        unite_imports.continue_import(import_id, holder=str(ids.new()), should_stop=should_stop)
    for import_id in due.to_undo:
        unite_imports.continue_undo(import_id, should_stop=should_stop)


def _identity(ports: Ports, rules: Rules) -> Identity:
    create_user = identity.CreateUser(ports.work, ports.passwords, ports.clock, ports.ids, rules.phones)
    log_in = identity.LogIn(
        ports.work,
        ports.reads,
        ports.passwords,
        ports.tokens,
        ports.clock,
        ports.ids,
        ports.limits,
        rules.logins_per_minute,
        rules.quotas,
    )
    authenticate = identity.Authenticate(ports.reads, ports.tokens, ports.clock, ports.cache)
    return Identity(
        log_in=log_in,
        log_in_with_cookie=identity.LogInWithCookie(log_in, ports.tokens, ports.cookies, ports.clock, ports.ids),
        refresh=identity.RefreshTokens(ports.work, ports.tokens, ports.clock, ports.ids),
        authenticate=authenticate,
        authenticate_cookie=identity.AuthenticateCookie(ports.reads, ports.cookies, ports.clock, ports.ids),
        log_out=identity.LogOut(ports.work, ports.clock),
        log_out_everywhere=identity.LogOutEverywhere(ports.work, ports.clock),
        change_password=identity.ChangePassword(
            ports.work, ports.reads, ports.passwords, ports.clock, ports.limits, rules.logins_per_minute
        ),
        reset_password=identity.ResetPassword(ports.work, ports.passwords, ports.clock),
        create_user=create_user,
        ensure_first_admin=identity.EnsureFirstAdmin(create_user, ports.reads),
        update_user=identity.UpdateUser(ports.work, ports.clock, rules.phones),
        update_daily_summary=summaries.UpdateDailySummary(ports.work, ports.clock),
        get_user=identity_queries.GetUser(ports.reads),
        list_users=identity_queries.ListUsers(ports.reads),
    )


def _leads(ports: Ports, rules: Rules) -> Leads:
    return Leads(
        add=leads.CreateLead(ports.work, ports.clock, ports.ids, rules.phones),
        change=leads.UpdateLead(ports.work, ports.clock, ports.ids, rules.phones),
        delete=leads.DeleteLead(ports.work, ports.clock, ports.ids, (CancelCallsOfLead(ports.ids),)),
        get=lead_queries.GetLead(ports.reads, ports.cache),
        list=lead_queries.ListLeads(ports.reads, ports.cache, frozenset(map(str, CallOutcome))),
        create_image=leads.CreateImage(ports.work, ports.files, ports.clock, ports.ids, rules.quotas),
        complete_image=leads.CompleteImage(ports.work, ports.files, ports.clock, ports.ids),
        delete_image=leads.DeleteImage(ports.work, ports.files, ports.clock, ports.ids),
        get_image=lead_queries.GetImage(ports.reads),
        list_images=lead_queries.ListImages(ports.reads, ports.files),
        activity=lead_queries.GetLeadActivity(ports.reads, ports.activity),
    )


def _calls(ports: Ports, rules: Rules) -> Calls:
    return Calls(
        create=calls.CreateCallTask(ports.work, ports.clock, ports.ids, rules.quotas),
        assign=calls.AssignCallTask(ports.work, ports.clock, ports.ids),
        note=calls.AddCallTaskNote(ports.work, ports.clock, ports.ids, rules.quotas),
        complete=calls.CompleteCallTask(ports.work, ports.clock, ports.ids),
        cancel=calls.CancelCallTask(ports.work, ports.clock, ports.ids),
        correct=calls.CorrectCallLog(ports.work, ports.clock, ports.ids, rules.quotas),
        get=call_queries.GetCallTask(ports.reads),
        list=call_queries.ListCallTasks(ports.reads),
        list_logs=call_queries.ListCallLogs(ports.reads),
        get_log_entry=call_queries.GetCallLogEntry(ports.reads),
        get_ledger=call_queries.GetLedger(ports.reads),
        verify_ledger=VerifyLedger(ports.reads),
    )


def _reports(ports: Ports) -> Reports:
    count = _count_calls(ports)
    name = NameAgents(ports.reads)
    count_overdue = CountOverdueCalls(ports.reads, ports.clock)
    through = DocumentsCompleteThrough(ports.reads, ports.clock, ports.documents is not None)
    daily, funnel = ReportDay(count, name), ReportFunnel(ports.reads, ports.clock, ports.cache)
    return Reports(
        daily=daily,
        day_overview=ReportDayOverview(ports.reads, ports.clock, daily, funnel),
        insights=ReportInsights(count, name, count_overdue),
        funnel=funnel,
        attempts=ReportAttempts(count),
        speed_to_lead=ReportSpeedToLead(ports.reads, ports.clock, ports.cache),
        heatmap=ReportHeatmap(count),
        leaderboard=ReportLeaderboard(count, name),
        activity=ReportActivity(ports.documents or LedgerActivity(ports.reads, ports.cache), name, through),
        reconcile=ReconcileReports(ports.reads, ports.documents, through),
        repair=RepairDocuments(ports.reads, ports.documents),
        overdue=ListOverdueCalls(ports.reads, ports.clock),
        count_overdue=count_overdue,
        cache_report=CacheReport(ports.cache),
        fold=FoldEntries(ports.work),
        rebuild=RebuildReports(ports.work),
    )


def _count_calls(ports: Ports) -> CountCalls:
    return CountCalls(ports.reads, ports.clock, ports.cache)


def _notifications(ports: Ports, texts: Destination, destinations: Mapping[str, Destination]) -> Notifications:
    return Notifications(
        destinations=tuple(destinations),
        relay=notifications.RelayEvents(ports.work, destinations, ports.clock, ports.ids),
        get_delivery=notifications.GetDelivery(ports.reads),
        list_deliveries=notifications.ListDeliveries(ports.reads),
        replay=notifications.ReplayDelivery(ports.work, destinations, ports.jobs, ports.clock),
        activity=notifications.GetDeliveryActivity(ports.reads, ports.activity),
        dead_letters=notifications.CountDeadLetters(ports.reads),
        record_text_report=notifications.RecordTextReport(ports.work, texts, ports.clock, ports.ids),
        record_consent=notifications.RecordConsent(ports.work, ports.clock, ports.ids),
    )


def _imports(ports: Ports, rules: Rules) -> Imports:
    start = imports.StartImport(ports.work, ports.files, ports.jobs, ports.clock)
    start_uploaded = imports.StartUploadedImport(ports.reads, ports.files, start)
    return Imports(
        announce=imports.CreateImport(ports.work, ports.files, ports.clock, ports.ids, rules.quotas),
        start=start,
        start_uploaded=start_uploaded,
        start_announced=imports.StartAnnouncedUploads(ports.notices, start_uploaded),
        store_file=imports.StoreFile(ports.work, ports.reads, ports.files, ports.clock, ports.ids, rules.quotas),
        import_stored_file=imports.ImportStoredFile(
            ports.work, ports.files, ports.jobs, ports.clock, ports.ids, rules.quotas
        ),
        cancel=imports.CancelImport(ports.work, ports.files, ports.clock, ports.ids),
        undo=imports.UndoImport(ports.work, ports.jobs, ports.clock, ports.ids, rules.import_retention),
        get=import_queries.GetImport(ports.reads),
        list=import_queries.ListImports(ports.reads),
        list_rejections=import_queries.ListRejections(ports.reads),
        get_error_report=import_queries.GetErrorReport(ports.reads, ports.files),
        activity=import_queries.GetImportActivity(ports.reads, ports.activity),
        due=import_queries.DueImports(ports.reads, ports.clock),
        continue_import=ContinueImport(ports.work, ports.reads, ports.files, ports.clock, ports.ids, rules.phones),
        continue_undo=imports.ContinueUndo(ports.work, ports.clock, ports.ids),
    )

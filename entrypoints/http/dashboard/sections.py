"""Read overdue calls, imports and dead letters for the dashboard."""

from collections.abc import Collection, Sequence
from uuid import UUID

from entrypoints.http.dashboard.views import DeadLetter, DeadLetters, ImportRow, ImportsView, Overdue, OverdueTask
from entrypoints.http.framework.context import actor, unite
from entrypoints.http.reports.item_links import items_url
from unite_core.identity.ports import UserFilter
from unite_core.imports.model import ImportStatus, LeadImport, progress
from unite_core.imports.ports import ImportFilter
from unite_core.notifications.model import DeliveryStatus
from unite_core.notifications.ports import DeliveryFilter
from unite_core.paging import MAX_LIMIT, PageRequest

MAX_ROWS = 10
MAX_USERS_READ = 1000
"""The number of users that are searched for names; other users are shown by their id."""

POLL_SECONDS = 2
IDLE_POLL_SECONDS = 15

_WAITING = (ImportStatus.QUEUED, ImportStatus.RUNNING)


def overdue_calls() -> Overdue:
    """Return the longest overdue calls that the user may see."""
    overdue = unite().reports.overdue(actor(), limit=MAX_ROWS)
    tasks = tuple(
        OverdueTask(
            lead_name=each.lead_name,
            assignee=each.assignee_name,
            due_at=each.due_at,
            overdue_seconds=(overdue.items.due_before - each.due_at).total_seconds(),
        )
        for each in overdue.calls
    )
    return Overdue(tasks=tasks, more=overdue.more, items_url=items_url(overdue.items))


def latest_imports() -> ImportsView:
    """Return the latest imports; raise `Forbidden` for agents."""
    items = unite().imports.list(actor(), ImportFilter(), PageRequest(limit=MAX_ROWS)).items
    waiting = sum(each.status in _WAITING for each in items)
    return ImportsView(
        rows=tuple(map(_import_row, items)),
        sentence=_sentence(items, waiting),
        next_seconds=POLL_SECONDS if waiting else IDLE_POLL_SECONDS,
    )


def latest_dead_letters() -> DeadLetters:
    """Return the latest dead letters; raise `Forbidden` for agents."""
    filters = DeliveryFilter(status=DeliveryStatus.DEAD)
    # One query both counts the dead letters and reads those that are shown.
    page = unite().notifications.list_deliveries(actor(), filters, PageRequest(limit=MAX_LIMIT))
    rows = tuple(
        DeadLetter(id=each.id, destination=each.destination, attempts=each.attempts, created_at=each.created_at)
        for each in page.items[:MAX_ROWS]
    )
    return DeadLetters(count=len(page.items), more=page.next is not None, rows=rows)


def user_names(ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of users, as far as the signed-in user may see them."""
    missing, names = set(ids), {}
    request: PageRequest | None = PageRequest(limit=MAX_LIMIT)
    read = 0
    while missing and request is not None and read < MAX_USERS_READ:
        page = unite().identity.list_users(actor(), UserFilter(), request)
        names.update({user.id: user.name for user in page.items if user.id in missing})
        missing -= names.keys()
        read += len(page.items)
        request = None if page.next is None else PageRequest(limit=MAX_LIMIT, after=page.next)
    return names


def _import_row(lead_import: LeadImport) -> ImportRow:
    done = progress(lead_import)
    return ImportRow(
        id=lead_import.id,
        filename=lead_import.filename,
        status=lead_import.status.value,
        ended=lead_import.status.ended,
        percent=done.percent,
        rows=lead_import.counts.rows,
        created=lead_import.counts.created,
        rejected=lead_import.counts.rejected,
        eta_seconds=done.eta_seconds,
        created_at=lead_import.created_at,
        failure=None if lead_import.failure is None else lead_import.failure.detail,
    )


def _sentence(items: Sequence[LeadImport], waiting: int) -> str:
    """Return the sentence for screen readers: the number of imports in progress, or the result of the last one."""
    if waiting:
        return "1 import is in progress." if waiting == 1 else f"{waiting} imports are in progress."
    if not items:
        return "There are no imports yet."
    return f"No import is in progress. The latest one: {items[0].filename}, {items[0].status.value.replace('_', ' ')}."

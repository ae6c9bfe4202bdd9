"""A sales team over Unite in memory, for tests of what its users do."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from unite_core.application import Rules, Unite, build
from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallOutcome, CallTask, Completion
from unite_core.calls.use_cases import Assignment, Cancellation, CompletedCall, Correction, NewCallTask, NewNote
from unite_core.events import Event
from unite_core.identity.model import Actor, Role, User
from unite_core.identity.summary_settings import DailySummary
from unite_core.identity.use_cases import NewUser, UserChanges
from unite_core.imports.model import ImportOptions, LeadImport, Rejection
from unite_core.imports.queries import RejectionFilter
from unite_core.imports.use_cases import FileToImport
from unite_core.imports.use_cases.continue_import import CHUNK_ROWS, ContinueImport
from unite_core.leads.model import Lead
from unite_core.leads.ports import LeadFilter
from unite_core.leads.use_cases import LeadChanges, NewLead
from unite_core.paging import PageRequest
from unite_core.summaries.use_cases import SummaryChange, SummarySettings
from unite_core.testing.builders import a_phone, an_actor, csv_text
from unite_core.testing.in_memory import InMemoryPorts, in_memory_ports
from unite_core.testing.in_memory.tables import Tables

__all__ = [
    "HEADER",
    "HOUR",
    "PASSWORD",
    "Scenario",
]

HOUR = timedelta(hours=1)
PASSWORD = "correct horse battery"  # noqa: S105 - the password of all users of a scenario, which are in memory
HEADER = ("Name", "Phone", "Email", "Status", "Source", "Owner")
"""The header of a file that is given as rows."""


@dataclass
class Scenario:
    """Unite in memory with an admin, a manager, and the agents Ann and Ben, at a fixed time until it is advanced.

    Methods have the names of the API. The admin creates leads, the manager call tasks, and Ann completes them, unless
    `actor` names another user; everything else that is left out has a valid default. `chunk_rows` is the number of rows
    that `run_import` commits at once. The use cases are at `unite`, for what has no method here.
    """

    ports: InMemoryPorts = field(default_factory=in_memory_ports)
    rules: Rules = field(default_factory=Rules)
    chunk_rows: int = CHUNK_ROWS

    def __post_init__(self) -> None:
        self.unite: Unite = build(self.ports, self.rules)
        self.admin: Actor = self.add_user("admin", Role.ADMIN, phone="+12125550100")
        self.manager: Actor = self.add_user("manager", Role.MANAGER, phone="+12125550101")
        self.ann: Actor = self.add_user("ann", Role.AGENT, phone="+12125550102")
        self.ben: Actor = self.add_user("ben", Role.AGENT, phone="+12125550103")

    @property
    def now(self) -> datetime:
        return self.ports.clock.now()

    def advance(self, by: timedelta = HOUR) -> datetime:
        """Advance the clock; return the new time."""
        self.ports.clock.advance(by)
        return self.now

    def run_jobs(self) -> None:
        """Do what workers would do now: run imports and undos, deliver events."""
        self.ports.jobs.run_all(self.unite)

    @property
    def tables(self) -> Tables:
        """The committed tables. A commit replaces them; a change of these objects tampers with the data."""
        return self.ports.reads._store._committed  # noqa: SLF001 - the in-memory adapters are one unit with this class

    def events(self) -> list[Event]:
        """Return all recorded events, oldest first."""
        return [*self.tables.events.values()]

    # Users

    def add_user(self, name: str, role: Role = Role.AGENT, **new: Any) -> Actor:
        """Create a user whose password is `PASSWORD`; return the actor for the user's requests.

        The requests of Cleo have the correlation id `of-cleo`.
        """
        values = {"email": f"{name.lower()}@unite.example", "password": PASSWORD, **new}
        user = self.unite.identity.create_user(an_actor(), NewUser(name=name, role=role, **values))
        return Actor(user_id=user.id, role=role, correlation_id=f"of-{name.lower()}")

    def update_user(self, user: Actor, **changes: Any) -> User:
        """Change a user, as an admin."""
        return self.unite.identity.update_user(an_actor(), UserChanges(user_id=user.user_id, **changes))

    def deactivate(self, user: Actor) -> None:
        self.update_user(user, active=False)

    def user(self, actor: Actor) -> User:
        """Return the user as it is stored now."""
        return self.unite.identity.get_user(actor, actor.user_id)

    def update_daily_summary(self, actor: Actor, **settings: str) -> DailySummary | None:
        """Ask for the daily summary, or change it: `at` is a time of day (HH:MM), `tz` a time zone."""
        change = SummaryChange(daily_summary=SummarySettings(**settings))
        return self.unite.identity.update_daily_summary(actor, change).daily_summary

    # Leads

    def create_lead(self, actor: Actor | None = None, **new: Any) -> Lead:
        """Create a lead: Grace Hopper with a unique phone, assigned to Ann (or to the agent who creates it)."""
        actor = actor or self.admin
        if "phone" not in new and "email" not in new:
            new["phone"] = a_phone().number
        if actor.role is not Role.AGENT:
            new.setdefault("assigned_to", self.ann.user_id)
        return self.unite.leads.add(actor, NewLead(**{"name": "Grace Hopper", **new}))

    def update_lead(self, lead: Lead, actor: Actor | None = None, **changes: Any) -> Lead:
        return self.unite.leads.change(actor or self.admin, LeadChanges(lead_id=lead.id, **changes))

    def leads(self) -> list[Lead]:
        """Return all leads, oldest first."""
        page = self.unite.leads.list(self.admin, LeadFilter(), PageRequest(limit=200))
        if page.next is not None:
            raise ValueError("There are more than 200 leads; list them with `unite.leads.list`.")
        return [*page.items][::-1]

    # Calls

    def create_call_task(self, lead: Lead | None = None, actor: Actor | None = None, **new: Any) -> CallTask:
        """Create a call task for the lead (default: a new one), due in an hour, for the agent of the lead."""
        values = {"lead_id": (lead or self.create_lead()).id, "due_at": self.now + HOUR, **new}
        return self.unite.calls.create(actor or self.manager, NewCallTask(**values)).task

    def assign(self, task: CallTask, to: Actor, actor: Actor | None = None, version: int | None = None) -> CallTask:
        assignment = Assignment(task_id=task.id, assigned_to=to.user_id, expected_version=version)
        return self.unite.calls.assign(actor or self.manager, assignment).task

    def add_note(self, task: CallTask, text: str, actor: Actor | None = None, version: int | None = None) -> CallTask:
        note = NewNote(task_id=task.id, text=text, expected_version=version)
        return self.unite.calls.note(actor or self.manager, note).task

    def complete(
        self, task: CallTask, actor: Actor | None = None, *, version: int | None = None, **call: Any
    ) -> CallTask:
        """Complete a call task: connected for five minutes, unless `call` says otherwise."""
        completion = Completion(**{"outcome": CallOutcome.CONNECTED, "duration_seconds": 300, **call})
        completed = CompletedCall(task_id=task.id, completion=completion, expected_version=version)
        return self.unite.calls.complete(actor or self.ann, completed).task

    def cancel(
        self, task: CallTask, reason: str | None = None, actor: Actor | None = None, version: int | None = None
    ) -> CallTask:
        cancellation = Cancellation(task_id=task.id, reason=reason, expected_version=version)
        return self.unite.calls.cancel(actor or self.manager, cancellation).task

    def correct(
        self, task: CallTask, outcome: CallOutcome = CallOutcome.CONVERTED, actor: Actor | None = None, **changes: Any
    ) -> LedgerEntry:
        """Correct the latest entry of the task in the call ledger."""
        values = {"entry_id": self.ledger(task)[-1].id, "reason": "It was otherwise.", "outcome": outcome, **changes}
        return self.unite.calls.correct(actor or self.manager, Correction(**values))

    def miss(self, *tasks: CallTask) -> None:
        """Advance the clock until these tasks are missed."""
        latest = max(task.due_at for task in tasks) + self.unite.upkeep.mark_missed.missed_after
        self.advance(max(latest - self.now, timedelta()) + timedelta(seconds=1))
        self.unite.upkeep.mark_missed()

    def stored(self, task: CallTask) -> CallTask:
        """Return the task as it is stored now."""
        return self.tables.tasks[task.id]

    def lead_of(self, task: CallTask) -> Lead:
        """Return the lead of the task as it is stored now."""
        return self.tables.leads[task.lead_id]

    def ledger(self, task: CallTask) -> list[LedgerEntry]:
        """Return the entries of the task in the call ledger, oldest first."""
        return [*self.unite.calls.get_ledger(self.manager, task.id).entries]

    def events_of(self, task: CallTask) -> list[Event]:
        """Return the events about the task, oldest first."""
        return [event for event in self.events() if event.data.get("task_id") == str(task.id)]

    # Imports

    @property
    def continue_import(self) -> ContinueImport:
        """The use case of a worker that imports `chunk_rows` rows at a time."""
        return replace(self.unite.imports.continue_import, chunk_rows=self.chunk_rows)

    def upload(
        self, content: str | bytes | Sequence[Sequence[str]], actor: Actor | None = None, **options: Any
    ) -> LeadImport:
        """Store and queue a file: a text, bytes, or rows under `HEADER` without some of the last cells."""
        actor = actor or self.admin
        if not isinstance(content, str | bytes):
            content = csv_text(HEADER, [(*row, *[""] * (len(HEADER) - len(row))) for row in content])
        if isinstance(content, str):
            content = content.encode()
        stored = self.unite.imports.store_file(actor, io.BytesIO(content))
        file = FileToImport(stored=stored, filename="leads.csv", options=ImportOptions(**options))
        return self.unite.imports.import_stored_file(actor, file)

    def run_import(self, import_id: UUID, holder: str = "worker") -> LeadImport:
        """Run an import to its end, as the worker `holder`."""
        self.continue_import(import_id, holder=holder)
        return self.get_import(import_id)

    def import_file(
        self, content: str | bytes | Sequence[Sequence[str]], actor: Actor | None = None, **options: Any
    ) -> LeadImport:
        """Upload a file and run the import."""
        return self.run_import(self.upload(content, actor, **options).id)

    def get_import(self, import_id: UUID) -> LeadImport:
        return self.unite.imports.get(self.admin, import_id)

    def rejections(self, import_id: UUID) -> list[Rejection]:
        """Return the first 500 rejected rows of an import."""
        return [*self.unite.imports.list_rejections(self.admin, RejectionFilter(import_id=import_id, limit=500)).items]

"""In-memory scenario for notifications: every event with recipients happens once."""

import io
from dataclasses import dataclass, field
from datetime import timedelta

from unite_core import Actor, FileToImport, NewLead, NewUser, Role, Unite, User, build
from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallTask, Completion, Outcome
from unite_core.calls.ports import LedgerFilter
from unite_core.calls.use_cases import (
    Assignment,
    Cancellation,
    CompletedCall,
    Correction,
    NewCallTask,
)
from unite_core.identity.use_cases import UserChanges
from unite_core.paging import PageRequest
from unite_core.summaries.use_cases import SummaryChange, SummarySettings
from unite_core.testing.in_memory import InMemoryPorts, in_memory_ports

PASSWORD = "correct horse battery"


@dataclass
class NotificationScenario:
    """Unite in memory with a manager, Mia, an agent, Ada, who both have phones, and a lead, Grace."""

    ports: InMemoryPorts = field(default_factory=in_memory_ports)

    def __post_init__(self) -> None:
        self.unite: Unite = build(self.ports)
        self.mia = self.add_user("Mia", Role.MANAGER, "+12125550101")
        self.ada = self.add_user("Ada", Role.AGENT, "+12125550102")
        self.manager = self.acting(self.mia)
        self.agent = self.acting(self.ada)
        lead = NewLead(name="Grace Hopper", phone="+12125550199")
        self.lead = self.unite.leads.add(self.manager, lead)

    def add_user(self, name: str, role: Role, phone: str | None) -> User:
        new = NewUser(email=f"{name}@unite.example", name=name, role=role, password=PASSWORD, phone=phone)
        return self.unite.identity.create_user.unchecked(new)

    def acting(self, user: User) -> Actor:
        return Actor(user_id=user.id, role=user.role, correlation_id="c0ffee-1234")

    def change(self, user: User, **changes: object) -> None:
        admin = Actor(user_id=self.mia.id, role=Role.ADMIN)
        self.unite.identity.update_user(admin, UserChanges(user_id=user.id, **changes))  # type: ignore[arg-type]  # what the fields take

    def plan(self, *, by: Actor | None = None, assigned_to: User | None = None) -> CallTask:
        wanted = NewCallTask(
            lead_id=self.lead.id,
            due_at=self.ports.clock.now() + timedelta(minutes=30),
            assigned_to=(assigned_to or self.ada).id,
        )
        return self.unite.calls.create(by or self.manager, wanted).task

    def complete(self, task: CallTask, *, by: Actor | None = None) -> CallTask:
        call = Completion(outcome=Outcome.CONNECTED, duration_seconds=300)
        return self.unite.calls.complete(by or self.agent, CompletedCall(task_id=task.id, completion=call)).task

    def ask_for_summary(self, actor: Actor, *, at: str = "18:00", tz: str = "UTC") -> User:
        wanted = SummaryChange(daily_summary=SummarySettings(at=at, tz=tz))
        return self.unite.identity.update_daily_summary(actor, wanted)

    def relay(self) -> None:
        self.ports.jobs.run_all(self.unite)

    def record_all_events(self) -> None:
        """Record every event that has recipients, and a failed import."""
        self.complete(self.plan())
        self.unite.calls.assign(self.manager, Assignment(task_id=self.plan().id, assigned_to=self.mia.id))
        callback = Completion(
            outcome=Outcome.CALLBACK_REQUESTED,
            duration_seconds=60,
            follow_up_at=self.ports.clock.now() + timedelta(days=1),
        )
        self.unite.calls.complete(self.agent, CompletedCall(task_id=self.plan().id, completion=callback))
        self.unite.calls.cancel(self.manager, Cancellation(task_id=self.plan().id, reason="They called us."))
        self.unite.calls.cancel(self.manager, Cancellation(task_id=self.plan().id))
        self.ports.clock.advance(timedelta(days=3))
        assert self.unite.upkeep.mark_missed() == 2
        right = Correction(entry_id=self.entries()[-1].id, reason="It was longer.", duration_seconds=360)
        self.unite.calls.correct(self.manager, right)
        self.import_leads(b"Name,Email\nAlan,alan@example.com\n,nobody@example.com\n")
        self.import_leads(b"Nothing,Known\n1,2\n")
        self.ask_for_summary(self.manager, at="09:30")
        self.ports.clock.advance(timedelta(hours=1))
        assert self.unite.upkeep.create_daily_summaries() == 1
        self.relay()

    def entries(self) -> list[LedgerEntry]:
        return [*self.unite.calls.list_logs(self.manager, LedgerFilter(), PageRequest(limit=200)).items]

    def import_leads(self, content: bytes) -> None:
        stored = self.unite.imports.store_file(self.manager, io.BytesIO(content))
        self.unite.imports.import_stored_file(self.manager, FileToImport(stored=stored, filename="leads.csv"))

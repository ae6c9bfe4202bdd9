"""In-memory scenario for calls: an admin, a manager and two agents, with helpers for their actions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from unite_core import (
    Actor,
    Assignment,
    CallOutcome,
    CallTask,
    Cancellation,
    CompletedCall,
    Completion,
    Event,
    Lead,
    LedgerEntry,
    NewCallTask,
    NewLead,
    NewNote,
    NewUser,
    Role,
    Unite,
    UserChanges,
    build,
)
from unite_core.testing.builders import a_phone, an_actor
from unite_core.testing.in_memory import InMemoryPorts, in_memory_ports
from unite_core.testing.in_memory.tables import Tables

HOUR = timedelta(hours=1)


@dataclass
class CallScenario:
    """Unite in memory; leads are assigned to Ann by default."""

    ports: InMemoryPorts = field(default_factory=in_memory_ports)

    def __post_init__(self) -> None:
        self.unite: Unite = build(self.ports)
        self.admin = self.add_user("admin", Role.ADMIN)
        self.manager = self.add_user("manager", Role.MANAGER)
        self.ann = self.add_user("ann", Role.AGENT)
        self.ben = self.add_user("ben", Role.AGENT)

    @property
    def now(self) -> datetime:
        return self.ports.clock.now()

    @property
    def tables(self) -> Tables:
        """The committed tables. A commit replaces them; a change of these objects tampers with the data."""
        return self.ports.reads._store._committed

    @property
    def events(self) -> list[Event]:
        """All recorded events, oldest first."""
        return [*self.tables.events.values()]

    def told(self, task: CallTask) -> list[str]:
        """Return the types of the events about the task."""
        return [event.type for event in self.events if event.data.get("task_id") == str(task.id)]

    def add_user(self, name: str, role: Role) -> Actor:
        new = NewUser(email=f"{name}@unite.example", name=name, role=role, password="correct horse battery")
        return Actor(
            user_id=self.unite.identity.create_user(an_actor(), new).id, role=role, correlation_id=f"of-{name}"
        )

    def deactivate(self, actor: Actor) -> None:
        self.unite.identity.update_user(an_actor(), UserChanges(user_id=actor.user_id, active=False))

    def advance(self, by: timedelta = HOUR) -> datetime:
        self.ports.clock.advance(by)
        return self.now

    def lead(self, **new: Any) -> Lead:
        wanted = {"name": "Grace Hopper", "phone": a_phone().number, "assigned_to": self.ann.user_id, **new}
        return self.unite.leads.add(self.admin, NewLead(**wanted))

    def create(self, lead: Lead | None = None, actor: Actor | None = None, **new: Any) -> CallTask:
        wanted = {"lead_id": (lead or self.lead()).id, "due_at": self.now + HOUR, **new}
        return self.unite.calls.create(actor or self.manager, NewCallTask(**wanted)).task

    def assign(self, task: CallTask, to: Actor, actor: Actor | None = None, version: int | None = None) -> CallTask:
        wanted = Assignment(task_id=task.id, assigned_to=to.user_id, expected_version=version)
        return self.unite.calls.assign(actor or self.manager, wanted).task

    def note(self, task: CallTask, text: str, actor: Actor | None = None, version: int | None = None) -> CallTask:
        new = NewNote(task_id=task.id, text=text, expected_version=version)
        return self.unite.calls.note(actor or self.manager, new).task

    def complete(
        self, task: CallTask, actor: Actor | None = None, *, version: int | None = None, **told: Any
    ) -> CallTask:
        completion = Completion(**{"outcome": CallOutcome.CONNECTED, "duration_seconds": 300, **told})
        call = CompletedCall(task_id=task.id, completion=completion, expected_version=version)
        return self.unite.calls.complete(actor or self.ann, call).task

    def cancel(
        self, task: CallTask, reason: str | None = None, actor: Actor | None = None, version: int | None = None
    ) -> CallTask:
        wanted = Cancellation(task_id=task.id, reason=reason, expected_version=version)
        return self.unite.calls.cancel(actor or self.manager, wanted).task

    def miss(self, *tasks: CallTask) -> None:
        """Advance the clock until these tasks are missed."""
        latest = max(task.due_at for task in tasks) + self.unite.upkeep.mark_missed.missed_after
        self.advance(max(latest - self.now, timedelta()) + timedelta(seconds=1))
        self.unite.upkeep.mark_missed()

    def stored(self, task: CallTask) -> CallTask:
        return self.tables.tasks[task.id]

    def chain(self, task: CallTask) -> list[LedgerEntry]:
        return [*self.unite.calls.get_ledger(self.manager, task.id).entries]

    def lead_of(self, task: CallTask) -> Lead:
        return self.tables.leads[task.lead_id]

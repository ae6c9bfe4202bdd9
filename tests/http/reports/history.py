"""In-memory scenario for report tests: some days of random calls by two agents."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from tests.http.service import Person, Service
from unite_core import (
    CallOutcome,
    Cancellation,
    CompletedCall,
    Completion,
    Correction,
    NewCallTask,
    NewLead,
)
from unite_core.identity.model import Actor, Role
from unite_core.testing.builders import a_phone, acting

MINUTE = timedelta(minutes=1)
SOURCES = ("web", "fair, spring", 'a "quoted" one', "none")


@dataclass
class History:
    """Two agents, a manager, and their calls."""

    service: Service = field(default_factory=Service)

    def __post_init__(self) -> None:
        roles = {"mo": Role.MANAGER, "amy": Role.AGENT, "bob": Role.AGENT}
        self.users = {name: self.service.add(role, f"{name}@unite.example") for name, role in roles.items()}

    @property
    def day(self) -> date:
        """The first day, in UTC."""
        return date(2026, 3, 2)

    def person(self, name: str) -> Person:
        """Log the users in again, because days may have passed."""
        return self.service.log_in(self.users[name])

    def actor(self, name: str) -> Actor:
        return acting(self.users[name])

    def happen(self, call: dict[str, Any]) -> None:
        """Create a call task to a new or the last lead, and close or correct the call."""
        unite, manager = self.service.unite, self.actor("mo")
        self.service.ports.clock.advance(call["later"] * MINUTE)
        if call["new_lead"] or not hasattr(self, "lead_id"):
            owner = self.users[call["agent"]].id
            new = NewLead(name="Grace", phone=a_phone().number, assigned_to=owner, source=call["source"])
            self.lead_id = unite.leads.add(manager, new).id
        now = self.service.ports.clock.now()
        assigned_to = self.users[call["agent"]].id
        task = unite.calls.create(manager, NewCallTask(lead_id=self.lead_id, due_at=now, assigned_to=assigned_to)).task
        how = call["how"]
        if how == "cancel":
            unite.calls.cancel(manager, Cancellation(task_id=task.id))
        elif how == "miss":
            self.service.ports.clock.advance(timedelta(hours=1))
            unite.upkeep.mark_missed()
        elif how == "complete":
            self._complete(task.id, call)
        if call["corrected"] is not None and how != "leave":
            self._correct(task.id, call)
        if call["fold"]:
            unite.reports.fold(limit=2)

    def _complete(self, task_id: UUID, call: dict[str, Any]) -> None:
        now = self.service.ports.clock.now()
        callback = call["outcome"] is CallOutcome.CALLBACK_REQUESTED
        completion = Completion(
            outcome=call["outcome"],
            duration_seconds=call["seconds"],
            started_at=None if call["began"] is None else now - call["began"] * MINUTE,
            follow_up_at=now + MINUTE if callback else None,
        )
        completed = CompletedCall(task_id=task_id, completion=completion)
        self.service.unite.calls.complete(self.actor(call["agent"]), completed)

    def _correct(self, task_id: UUID, call: dict[str, Any]) -> None:
        unite, manager = self.service.unite, self.actor("mo")
        entry = unite.calls.get_ledger(manager, task_id).entries[-1]
        correction = Correction(
            entry_id=entry.id,
            reason="It was otherwise.",
            outcome=call["corrected"],
            duration_seconds=call["seconds"] + 1,
        )
        unite.calls.correct(manager, correction)


CALL = st.fixed_dictionaries(
    {
        "later": st.sampled_from([0, 7, 60, 300, 1440]),
        "new_lead": st.booleans(),
        "agent": st.sampled_from(["amy", "bob"]),
        "source": st.sampled_from(SOURCES),
        "how": st.sampled_from(["complete", "complete", "complete", "miss", "cancel", "leave"]),
        "outcome": st.sampled_from(CallOutcome),
        "seconds": st.sampled_from([0, 60, 600]),
        "began": st.sampled_from([None, None, 30, 1500]),
        "corrected": st.sampled_from([None, None, *CallOutcome]),
        "fold": st.booleans(),
    }
)


@st.composite
def a_history(draw: st.DrawFn) -> History:
    """Return a strategy for up to a dozen calls."""
    history = History()
    for call in draw(st.lists(CALL, max_size=12)):
        history.happen(call)
    return history

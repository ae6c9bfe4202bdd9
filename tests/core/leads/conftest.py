"""In-memory scenario for leads: an admin, a manager and two agents."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from unite_core import (
    Actor,
    Lead,
    LeadChanges,
    NewLead,
    NewUser,
    PhonePolicy,
    Role,
    Rules,
    Unite,
    UserChanges,
    build,
)
from unite_core.testing.builders import an_actor
from unite_core.testing.in_memory import InMemoryPorts, in_memory_ports


@dataclass
class LeadScenario:
    ports: InMemoryPorts = field(default_factory=in_memory_ports)

    def __post_init__(self) -> None:
        self.unite: Unite = build(self.ports, Rules(phones=PhonePolicy(default_country="US")))
        self.admin = self.add_user("admin", Role.ADMIN)
        self.manager = self.add_user("manager", Role.MANAGER)
        self.ann = self.add_user("ann", Role.AGENT)
        self.ben = self.add_user("ben", Role.AGENT)

    def add_user(self, name: str, role: Role) -> Actor:
        new = NewUser(email=f"{name}@unite.example", name=name, role=role, password="correct horse battery")
        return Actor(user_id=self.unite.identity.create_user(an_actor(Role.ADMIN), new).id, role=role)

    def deactivate(self, actor: Actor) -> None:
        self.unite.identity.update_user(self.admin, UserChanges(user_id=actor.user_id, active=False))

    def add(self, actor: Actor | None = None, **new: Any) -> Lead:
        if "phone" not in new and "email" not in new:
            new["phone"] = f"(212) 555-{self.ports.ids.new().int >> 80 & 0x1FFF:04}"
        return self.unite.leads.add(actor or self.admin, NewLead(**{"name": "Grace", **new}))

    def change(self, actor: Actor, lead: Lead, **changes: Any) -> Lead:
        return self.unite.leads.change(actor, LeadChanges(lead_id=lead.id, **changes))


@pytest.fixture
def scenario() -> LeadScenario:
    return LeadScenario()

"""A service that somebody else might write with the two wheels: outside_service.py DATABASE_URL FOLDER

It sells solar roofs. It imports its leads from a file, has an agent call one of them, and sends every conversion to an
accounting system. It prints what that system got.
"""

import io
import sys
from collections.abc import Collection, Sequence
from datetime import timedelta
from threading import Event as Signal
from threading import Thread
from uuid import UUID

from unite_adapters.production import open_ports

from unite_core import (
    Actor,
    CallOutcome,
    CompletedCall,
    Completion,
    Destination,
    Event,
    FileToImport,
    ImportOptions,
    LeadFilter,
    NewCallTask,
    NewLead,
    NewUser,
    PageRequest,
    Receipt,
    Role,
    Subscription,
    Unite,
    build,
)

FILE = b"""Name,Phone,Email
Ada Lovelace,+44 20 7946 0958,ada@example.com
Nobody,not a number,
"""


class Accounting(Destination):
    """The accounting system; it knows an event by its id."""

    subscription = Subscription(name="accounting", accepts=lambda event: event.type == "call_task.completed")

    def __init__(self) -> None:
        self.booked: dict[UUID, str] = {}
        self.has_booked = Signal()

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002 - its events are known by their ids
        for event in events:
            self.booked[event.id] = event.type
        self.has_booked.set()
        return [Receipt(accepted=True) for _ in events]


def team(unite: Unite) -> tuple[Actor, Actor]:
    """The admin, who is there from the first start on, and an agent."""
    new = NewUser(email="ann@example.com", name="Ann", role=Role.ADMIN, password="correct horse battery")
    admin = unite.identity.ensure_first_admin(new)
    assert admin is not None
    assert unite.identity.ensure_first_admin(new) is None
    me = Actor(user_id=admin.id, role=admin.role)
    agent = unite.identity.create_user(
        me, NewUser(email="bo@example.com", name="Bo", role=Role.AGENT, password="battery horse correct")
    )
    return me, Actor(user_id=agent.id, role=agent.role)


def import_leads(unite: Unite, me: Actor) -> None:
    """Import the file, and wait for its end."""
    stored = unite.imports.store_file(me, io.BytesIO(FILE))
    file = FileToImport(stored=stored, filename="roofs.csv", options=ImportOptions(default_country="GB"))
    lead_import = unite.imports.import_stored_file(me, file)
    unite.work_once()
    counts = unite.imports.get(me, lead_import.id).counts
    assert (counts.created, counts.rejected) == (1, 1), counts


def call(unite: Unite, me: Actor, agent: Actor) -> None:
    """Have the agent call a lead, and convert it."""
    lead = unite.leads.add(me, NewLead(name="Grace Hopper", phone="+1 (212) 555-0123"))
    due_at = unite.clock.now() + timedelta(hours=1)
    created = unite.calls.create(me, NewCallTask(lead_id=lead.id, assigned_to=agent.user_id, due_at=due_at))
    completion = Completion(outcome=CallOutcome.CONVERTED, duration_seconds=90)
    unite.calls.complete(agent, CompletedCall(task_id=created.task.id, completion=completion))
    assert unite.calls.verify_ledger().broken is None


def main(database_url: str, folder: str) -> None:
    """Run the service once."""
    accounting, stop = Accounting(), Signal()
    with open_ports(database_url, folder=folder, keys={"k": b"s" * 32}, destinations=[accounting]) as ports:
        unite = build(ports)
        me, agent = team(unite)
        import_leads(unite, me)
        call(unite, me, agent)
        worker = Thread(target=unite.work_until, args=(stop,))
        worker.start()
        try:
            assert accounting.has_booked.wait(30)
        finally:
            stop.set()
            worker.join()
        names = [lead.name for lead in unite.leads.list(me, LeadFilter(), PageRequest(limit=10)).items]
    print(f"{len(names)} leads, booked: {', '.join(accounting.booked.values())}")


if __name__ == "__main__":
    main(*sys.argv[1:])

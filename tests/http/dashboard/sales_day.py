"""A day of a sales team with invented names, over a real database: calls, leads, imports and a dead letter."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from adapters.sql.events.activity import SqlActivityLog
from adapters.sql.unit_of_work import Outbox, SqlUnitOfWorkFactory
from tests.http.service import PASSWORD, Service
from unite_core import CallOutcome, Cancellation, CompletedCall, Completion, Correction, NewCallTask, NewLead
from unite_core.events import Event
from unite_core.identity.model import Role, User
from unite_core.identity.use_cases import NewUser
from unite_core.imports.model import Counts, ImportOptions, ImportStatus, LeadImport
from unite_core.notifications.model import Receipt
from unite_core.notifications.ports import Destination
from unite_core.notifications.subscriptions import BUILT_IN, Subscription
from unite_core.testing.builders import acting
from unite_core.testing.in_memory.clock_and_ids import FixedClock

TZ = "Europe/Berlin"
MORNING = datetime(2026, 3, 2, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

AGENTS = ("Amara Okafor", "Jonas Lindqvist", "Mei Tanaka", "Priya Raman", "Tomás Herrera", "Élodie Marchand")
FIRST_NAMES = ("Ada", "Bruno", "Carla", "Dev", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jun", "Kofi", "Lena")
LAST_NAMES = ("Abel", "Brandt", "Costa", "Dahl", "Eriksen", "Fischer", "Gallo", "Haddad", "Ito", "Jansen")
SOURCES = ("web", "web", "web", "trade fair", "trade fair", "referral", "newsletter")
CALLS_OF_HOURS = (6, 14, 17, 15, 7, 10, 16, 13)

_OUTCOMES = {
    CallOutcome.CONNECTED: 24,
    CallOutcome.NO_ANSWER: 26,
    CallOutcome.VOICEMAIL: 18,
    CallOutcome.BUSY: 8,
    CallOutcome.NOT_INTERESTED: 9,
    CallOutcome.CALLBACK_REQUESTED: 7,
    CallOutcome.CONVERTED: 8,
    CallOutcome.WRONG_NUMBER: 3,
}
_UNANSWERED = (CallOutcome.NO_ANSWER, CallOutcome.BUSY)


class RefusingCrm(Destination):
    """Takes everything but cancelled calls, which it refuses for good."""

    subscription = Subscription(name="crm")

    def deliver(self, events: Sequence[Event], again: Collection[UUID] = ()) -> Sequence[Receipt]:  # noqa: ARG002  # it refuses whatever comes
        return [_refused() if event.type == "call_task.cancelled" else Receipt(accepted=True) for event in events]


def _refused() -> Receipt:
    return Receipt(accepted=False, refused=True, response={"status": 422})


def service_over(engine: Engine, **options: Any) -> Service:
    """The service over a database, early on a Monday in March."""
    crm = RefusingCrm()
    return Service(
        work=SqlUnitOfWorkFactory(engine, outbox=Outbox((*BUILT_IN, crm.subscription))),
        reads=SqlUnitOfWorkFactory(engine, reading=True),
        activity=SqlActivityLog(engine),
        destinations=(crm,),
        clock=FixedClock(MORNING),
        **options,
    )


class SalesDay:
    """Lets the day happen: every minute a call or two, most of them folded into rollups soon after."""

    def __init__(self, service: Service, calls_of_hours: Sequence[int] = CALLS_OF_HOURS) -> None:
        self.service = service
        self.random = Random(7)  # no secret depends on it
        self.admin = self._user("Robin Castellan", Role.ADMIN)
        self.agents = [self._user(name, Role.AGENT) for name in AGENTS]
        self._leads: list[UUID] = []
        for number in calls_of_hours:
            self._hour(number)
        self._work_that_goes_on()

    def _user(self, name: str, role: Role) -> User:
        email = f"{name.split(maxsplit=1)[0].lower()}@unite.example".encode("ascii", "ignore").decode()
        new = NewUser(email=email, name=name, role=role, password=PASSWORD)
        return self.service.unite.identity.create_user.unchecked(new)

    def _hour(self, calls: int) -> None:
        unite, clock = self.service.unite, self.service.ports.clock
        minutes = sorted(self.random.randrange(60) for _ in range(calls))
        for before, minute in zip([0, *minutes], [*minutes, 60], strict=False):
            clock.advance((minute - before) * MINUTE)
            self._call()
        clock.advance((60 - minutes[-1]) * MINUTE)
        unite.reports.fold()

    def _call(self) -> None:
        """A call to a new lead, or to one that was not reached; now and then it is missed, or corrected later."""
        unite, now = self.service.unite, self.service.ports.clock.now()
        agent = self.random.choice([*self.agents, *self.agents[:3]])
        task = self._task(self._lead(agent), agent, now)
        if self.random.random() < 0.08:
            return  # It is missed an hour later.
        [outcome] = self.random.choices(list(_OUTCOMES), list(_OUTCOMES.values()))
        completion = Completion(
            outcome=outcome,
            duration_seconds=0 if outcome in _UNANSWERED else self.random.randrange(20, 600),
            follow_up_at=now + timedelta(days=1) if outcome is CallOutcome.CALLBACK_REQUESTED else None,
        )
        unite.calls.complete(acting(agent), CompletedCall(task_id=task, completion=completion))
        if self.random.random() < 0.06:
            self._correct(task)
        unite.upkeep.mark_missed()

    def _correct(self, task: UUID) -> None:
        entry = self.service.unite.calls.get_ledger(acting(self.admin), task).entries[-1]
        correction = Correction(entry_id=entry.id, reason="The note was missing.", note="Call after six.")
        self.service.unite.calls.correct(acting(self.admin), correction)

    def _lead(self, agent: User) -> UUID:
        if len(self._leads) > 5 and self.random.random() < 0.35:
            return self.random.choice(self._leads)
        number = len(self._leads)
        name = f"{FIRST_NAMES[number % len(FIRST_NAMES)]} {LAST_NAMES[number // 2 % len(LAST_NAMES)]}"
        new = NewLead(
            name=name,
            email=f"lead{number}@customers.example",
            source=self.random.choice(SOURCES),
            assigned_to=agent.id,
        )
        lead = self.service.unite.leads.add(acting(self.admin), new).id
        self._leads.append(lead)
        return lead

    def _task(self, lead: UUID, agent: User, due_at: datetime) -> UUID:
        new = NewCallTask(lead_id=lead, due_at=due_at, assigned_to=agent.id)
        return self.service.unite.calls.create(acting(self.admin), new).task.id

    def _work_that_goes_on(self) -> None:
        """Calls that are overdue, entries that are not folded yet, imports, a dead letter."""
        unite, clock = self.service.unite, self.service.ports.clock
        now = clock.now()
        for number, agent in enumerate(self.agents[:4]):
            self._task(self._leads[number], agent, now - (11 + 13 * number) * MINUTE)
        clock.advance(4 * MINUTE)
        for _ in range(2):
            last = self._task(self._leads[0], self.agents[0], clock.now())
            completion = Completion(outcome=CallOutcome.CONNECTED, duration_seconds=95)
            unite.calls.complete(acting(self.agents[0]), CompletedCall(task_id=last, completion=completion))
            self._correct(last)
        for name, done in (("spring-fair.csv", 1.0), ("newsletter-march.csv", 0.62)):
            self._import(name, done)
        self._dead_letter()

    def _import(self, filename: str, done: float) -> None:
        rows = 4_200
        now = self.service.ports.clock.now()
        ended = done == 1
        created = LeadImport(
            id=self.service.ports.ids.new(),
            filename=filename,
            size=rows * 60,
            status=ImportStatus.COMPLETED if ended else ImportStatus.RUNNING,
            options=ImportOptions(),
            key=f"imports/{filename}",
            created_by=self.admin.id,
            created_at=now - (40 * MINUTE if ended else 2 * MINUTE),
            counts=Counts(created=round(rows * done * 0.96), rejected=round(rows * done * 0.04)),
            bytes_done=round(rows * 60 * done),
            seconds_worked=12.0 * done,
            started_at=now - 2 * MINUTE,
            finished_at=now if ended else None,
        )
        with self.service.ports.work() as work:
            work.imports.add(created)
            work.commit()

    def _dead_letter(self) -> None:
        unite = self.service.unite
        cancelled = self._task(self._leads[1], self.agents[1], self.service.ports.clock.now() + timedelta(hours=2))
        unite.calls.cancel(acting(self.admin), Cancellation(task_id=cancelled))
        unite.notifications.relay("crm")

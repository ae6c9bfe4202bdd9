"""Tests of lists of call tasks and of the ledger in SQL: the same items as in memory, for any filter."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import Engine

from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from unite_core.calls.ledger import EntryKind, LedgerEntry
from unite_core.calls.model import CallOutcome, CallResult, CallTask, TaskStatus
from unite_core.calls.ports import LedgerFilter, TaskFilter
from unite_core.identity.model import User
from unite_core.leads.model import Lead
from unite_core.paging import Page, PageRequest
from unite_core.testing.builders import a_lead, a_note, a_task, a_user, an_entry, an_id
from unite_core.testing.contracts.database import add_all
from unite_core.testing.in_memory import InMemoryUnitOfWorkFactory, Store
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING as NOW

T = TypeVar("T")
F = TypeVar("F", TaskFilter, LedgerFilter)

TASKS = 80
QUESTIONS = 60

WHAT_HAPPENED: list[dict[str, Any]] = [
    {},
    {"outcome": CallOutcome.BUSY},
    {"kind": EntryKind.MISSED, "outcome": None, "duration_seconds": None},
    {"kind": EntryKind.CANCELLED, "outcome": None, "duration_seconds": None},
]


def walk(page: Callable[[F, PageRequest], Page[T]], filters: F, limit: int) -> list[T]:
    results: list[T] = []
    request: PageRequest | None = PageRequest(limit=limit)
    while request is not None:
        part = page(filters, request)
        results += part.items
        request = PageRequest(limit=limit, after=part.next) if part.next else None
    return results


def some_tasks(random: Random, people: list[User], leads: list[Lead]) -> list[CallTask]:
    return [
        a_task(
            random.choice(leads),
            people[0],
            assigned_to=random.choice([None, *(person.id for person in people)]),
            status=random.choice(list(TaskStatus)),
            due_at=NOW + timedelta(minutes=random.randrange(30)),
            notes=[a_note(people[0]) for _ in range(random.choice((0, 0, 1, 3)))],
        )
        for _ in range(TASKS)
    ]


def some_entries(random: Random, tasks: list[CallTask]) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    for task in random.sample(tasks, 40):
        chain: list[LedgerEntry] = []
        for _ in range(random.choice((1, 1, 3))):
            chain.append(
                an_entry(
                    task,
                    chain,
                    at=NOW + timedelta(minutes=random.randrange(30)),
                    called_at=NOW + timedelta(minutes=random.randrange(30)),
                    source=random.choice((None, "api", "fair")),
                    attempt=random.choice((None, 1, 4, 5, 9)),
                    **random.choice(WHAT_HAPPENED),
                )
            )
        entries += chain
    return entries


def a_task_filter(random: Random, people: list[UUID], leads: list[UUID]) -> TaskFilter:
    start = random.choice((None, None, NOW + timedelta(minutes=random.randrange(30))))
    many = frozenset(an_id() for _ in range(random.choice((0, 0, 0, 25))))
    return TaskFilter(
        statuses=frozenset(random.sample(list(TaskStatus), random.choice((0, 0, 1, 2, 4)))),
        assigned_to=frozenset(random.sample(people, random.choice((0, 0, 1, 2)))) | many,
        unassigned=random.random() < 0.3,
        lead_id=random.choice((None, None, None, random.choice(leads))),
        due_from=start,
        due_to=start and start + timedelta(minutes=random.randrange(20)),
        visible_to=random.choice((None, None, random.choice(people))),
    )


def a_ledger_filter(random: Random, people: list[UUID], leads: list[UUID], tasks: list[CallTask]) -> LedgerFilter:
    start = random.choice((None, None, NOW + timedelta(minutes=random.randrange(30))))
    return LedgerFilter(
        agent_id=random.choice((None, None, random.choice(people))),
        lead_id=random.choice((None, None, random.choice(leads))),
        task_id=random.choice((None, None, None, random.choice(tasks).id)),
        without_agent=random.random() < 0.2,
        at_from=start,
        at_to=start and start + timedelta(minutes=random.randrange(20)),
        called_from=random.choice((None, None, NOW + timedelta(minutes=random.randrange(20)))),
        called_to=random.choice((None, None, NOW + timedelta(minutes=random.randrange(30)))),
        results=frozenset(random.sample(list(CallResult), random.choice((0, 0, 5)))),
        sources=frozenset(random.sample((None, "api", "fair"), random.choice((0, 0, 1, 2)))),
        attempts=frozenset(random.sample((1, 2, 4, 5), random.choice((0, 0, 1, 2)))),
        counted=random.choice((None, None, True, False)),
        visible_to=random.choice((None, None, random.choice(people))),
    )


@pytest.mark.parametrize("which", ["engine", "mysql_engine"])
@pytest.mark.parametrize("seed", [0, 1])
def test_any_filter_returns_the_same_items_in_the_same_order_as_in_memory(
    request: pytest.FixtureRequest, which: str, seed: int
) -> None:
    engine: Engine = request.getfixturevalue(which)
    random = Random(seed)
    people, leads = [a_user() for _ in range(4)], [a_lead() for _ in range(5)]
    tasks = some_tasks(random, people, leads)
    entries = some_entries(random, tasks)
    store = Store()
    for work in (SqlUnitOfWorkFactory(engine), InMemoryUnitOfWorkFactory(store)):
        add_all(work, *people, *leads, *tasks, *entries)
    ids, lead_ids = [person.id for person in people], [lead.id for lead in leads]

    with (
        SqlUnitOfWorkFactory(engine, reading=True)() as ours,
        InMemoryUnitOfWorkFactory(store, writes=False)() as theirs,
    ):
        for _ in range(QUESTIONS):
            limit = random.choice((5, 200))
            filters = a_task_filter(random, ids, lead_ids)
            assert walk(ours.tasks.page, filters, limit) == walk(theirs.tasks.page, filters, limit), filters
            asked = a_ledger_filter(random, ids, lead_ids, tasks)
            assert walk(ours.ledger.page, asked, limit) == walk(theirs.ledger.page, asked, limit), asked

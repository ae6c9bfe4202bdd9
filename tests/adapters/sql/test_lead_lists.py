"""Tests of lists and searches of leads in SQL: the same leads as in memory, and an index that is up to date."""

from datetime import timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import Engine, event

from adapters.sql.leads.pages import LeadPages
from adapters.sql.sqlite.lead_words import COMMON, are_common
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from unite_core.application import FullUnitOfWork
from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallOutcome, CallTask
from unite_core.identity.model import User
from unite_core.leads.details import LeadStatus
from unite_core.leads.model import DuplicateLead, Lead
from unite_core.leads.ports import LeadFilter, Leads
from unite_core.paging import PageRequest
from unite_core.testing.builders import a_lead, a_task, a_user, an_entry, revise
from unite_core.testing.contracts.database import add_all
from unite_core.testing.in_memory import InMemoryUnitOfWorkFactory, Store
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING as NOW
from unite_core.unit_of_work import UnitOfWorkFactory

NAMES = ("Ann Lee", "Anna Müller", "王小明", "Иван Петров", "O'Neil AND Sons", 'Rob "Bob" Roy', "NEAR*", "Ünal Çelik")
COMPANIES = ("acme, inc.", "müller & söhne", "İş".lower(), "nobody")
QUESTIONS = (
    "inc",
    "sohn",
    "ann",
    "an le",
    "müll",
    "小",
    "иван п",
    "and",
    '"bob',
    "near*",
    "+1 212",
    "example",
    "celik u",
    "nobody",
)


def walk(leads: Leads, filters: LeadFilter, limit: int) -> list[Lead]:
    results: list[Lead] = []
    request: PageRequest | None = PageRequest(limit=limit)
    while request is not None:
        page = leads.page(filters, request)
        results += page.items
        request = PageRequest(limit=limit, after=page.next) if page.next else None
    return results


def some_leads(random: Random, people: list[UUID | None], count: int) -> list[Lead]:
    return [
        a_lead(
            name=random.choice(NAMES),
            email=f"lead{number}@example.com" if random.random() < 0.5 else None,
            source=random.choice(("api", "fair", "import")),
            company=random.choice((None, None, "ACME, Inc.", "Acme, Inc.", "Müller & Söhne", "İş")),
            status=random.choice(list(LeadStatus)),
            assigned_to=random.choice(people),
            created_at=NOW + timedelta(minutes=random.randrange(30)),
        )
        for number in range(count)
    ]


def a_filter(random: Random, people: list[UUID | None]) -> LeadFilter:
    somebody = [person for person in people if person is not None]
    return LeadFilter(
        statuses=frozenset(random.sample(list(LeadStatus), random.choice((0, 0, 1, 2)))),
        sources=frozenset(random.sample(("api", "fair", "import", "nowhere"), random.choice((0, 0, 1, 2)))),
        companies=frozenset(random.sample(COMPANIES, random.choice((0, 0, 0, 1, 2)))),
        assigned_to=frozenset(random.sample(somebody, random.choice((0, 0, 1, 2)))),
        unassigned=random.random() < 0.3,
        q=random.choice(QUESTIONS) if random.random() < 0.4 else None,
        created_from=NOW + timedelta(minutes=random.randrange(30)) if random.random() < 0.3 else None,
        created_to=NOW + timedelta(minutes=random.randrange(30)) if random.random() < 0.3 else None,
        called=random.choice((None, None, None, True, False)),
        call_outcomes=frozenset(random.sample(list(CallOutcome), random.choice((0, 0, 0, 4)))),
        called_within=timedelta(minutes=random.randrange(60)) if random.random() < 0.2 else None,
        visible_to=random.choice(people) if random.random() < 0.3 else None,
    )


def some_calls(random: Random, leads: list[Lead], users: list[User]) -> list[list[CallTask | LedgerEntry]]:
    """Calls to half of the leads, up to three each, some of them corrected: the task and its chain."""
    calls: list[list[CallTask | LedgerEntry]] = []
    for lead in random.choices(leads, k=len(leads)):
        task = a_task(lead, users[0], assigned_to=random.choice(users).id)
        chain: list[LedgerEntry] = []
        for _ in range(random.choice((1, 1, 2))):
            called_at = lead.created_at + timedelta(minutes=random.randrange(-10, 60))
            chain.append(an_entry(task, chain, outcome=random.choice(list(CallOutcome)), called_at=called_at))
        calls.append([task, *chain])
    return calls


def store_calls(work: UnitOfWorkFactory[FullUnitOfWork], calls: list[list[CallTask | LedgerEntry]]) -> None:
    with work() as unit:
        for task, *chain in calls:
            assert isinstance(task, CallTask)
            unit.tasks.add(task)
            before: LedgerEntry | None = None
            for entry in chain:
                assert isinstance(entry, LedgerEntry)
                assert entry.outcome is not None
                unit.ledger.append(entry)
                if before is None:
                    unit.lead_calls.add(entry.lead_id, entry.outcome, entry.called_at)
                else:
                    unit.lead_calls.correct(before, entry)
                before = entry
        unit.commit()


@pytest.mark.parametrize("which", ["engine", "mysql_engine"])
@pytest.mark.parametrize("seed", range(3))
def test_any_filter_returns_the_same_leads_in_the_same_order_as_in_memory(
    request: pytest.FixtureRequest, which: str, seed: int
) -> None:
    engine: Engine = request.getfixturevalue(which)
    work, reads = SqlUnitOfWorkFactory(engine), SqlUnitOfWorkFactory(engine, reading=True)
    random = Random(seed)
    users = [a_user() for _ in range(3)]
    people: list[UUID | None] = [None, *(user.id for user in users)]
    leads = some_leads(random, people, 150)
    calls = some_calls(random, leads, users)
    store = Store()
    for place in (work, InMemoryUnitOfWorkFactory(store)):
        add_all(place, *users, *leads)
        store_calls(place, calls)
        with place() as unit:
            for gone in leads[::7]:
                lead = unit.leads.get(gone.id)
                lead.delete(NOW)
                lead.mark_updated(NOW)
                unit.leads.save(lead)
            unit.commit()

    with reads() as ours, InMemoryUnitOfWorkFactory(store, writes=False)() as theirs:
        for _ in range(60):
            filters = a_filter(random, people)
            limit = random.choice((1, 7, 200))
            assert walk(ours.leads, filters, limit) == walk(theirs.leads, filters, limit), filters
        called = {lead.id for lead in leads}
        assert ours.lead_calls.get(called) == theirs.lead_calls.get(called)


def test_a_search_for_common_words_is_sorted_newest_first_too(
    engine: Engine, work: SqlUnitOfWorkFactory, reads: SqlUnitOfWorkFactory
) -> None:
    ann = a_user()
    many = [
        a_lead(
            name=f"Ann Lee {number}",
            created_at=NOW + timedelta(seconds=number),
            status=LeadStatus.LOST if number % 10 == 0 else LeadStatus.NEW,
            assigned_to=ann.id if number % 3 == 0 else None,
        )
        for number in range(COMMON + 10)
    ]
    add_all(work, ann, a_lead(name="Zoe", created_at=NOW + timedelta(days=1)))
    with work() as unit:
        unit.leads.add_many(many)
        unit.commit()
    newest = many[::-1]

    with reads() as unit:

        def find(**filters: object) -> list[Lead]:
            return list(unit.leads.page(LeadFilter(q="ann le", **filters), PageRequest(limit=200)).items)  # type: ignore[arg-type]  # fields of LeadFilter

        assert find() == newest[:200]
        assert find(statuses=frozenset({LeadStatus.LOST})) == [it for it in newest if it.status == "lost"][:200]
        assert find(visible_to=ann.id) == [it for it in newest if it.assigned_to == ann.id][:200]
        first = unit.leads.page(LeadFilter(q="ann"), PageRequest(limit=50))
        second = unit.leads.page(LeadFilter(q="ann"), PageRequest(limit=50, after=first.next))
        assert list(second.items) == newest[50:100]
    with engine.connect() as connection:
        assert are_common(connection, ("ann", "le"))
        assert not are_common(connection, ("zoe",))
        (statement,) = LeadPages(connection).statements(LeadFilter(q="ann"), PageRequest())
        assert "lead_words" not in str(statement)


def test_an_update_of_a_lead_writes_only_changed_columns(engine: Engine, work: SqlUnitOfWorkFactory) -> None:
    lead = a_lead(email="grace@example.com")
    add_all(work, lead)
    written: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def add_snapshots(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE"):
            written.append(statement)

    with work() as unit:
        lead.move_to(LeadStatus.LOST)
        lead.mark_updated(lead.updated_at)
        unit.leads.save(lead)
        unit.commit()

    assert written == ["UPDATE leads SET status=?, version=? WHERE leads.id = ? AND leads.version = ?"]


def test_the_search_index_follows_every_change_of_leads(
    engine: Engine, work: SqlUnitOfWorkFactory, reads: SqlUnitOfWorkFactory
) -> None:
    renamed, gone, back, stays = (a_lead(name=name) for name in ("Adams", "Brown", "Clark", "Davis"))
    with work() as unit:
        unit.leads.add(renamed)
        unit.leads.add_many([gone, back, stays])
        with pytest.raises(DuplicateLead):
            unit.leads.add_many([a_lead(name="Evans"), a_lead(phone=stays.phone)])
        unit.commit()
    with work() as unit:
        revise(renamed, name="Foster")
        gone.delete(NOW)
        back.delete(NOW)
        for lead in (renamed, gone, back):
            lead.mark_updated(NOW)
            unit.leads.save(lead)
        back.deleted_at = None
        back.mark_updated(NOW)
        unit.leads.save(back)
        unit.commit()

    with reads() as unit:

        def find(question: str) -> list[UUID]:
            return [it.id for it in unit.leads.page(LeadFilter(q=question), PageRequest()).items]

        assert find("foster") == [renamed.id]
        assert find("clark") == [back.id]
        assert find("davis") == [stays.id]
        assert [find(question) for question in ("adams", "brown", "evans")] == [[], [], []]
    with engine.begin() as connection:
        # Raises where the index is not what the table says: https://www.sqlite.org/fts5.html#the_integrity_check_command
        connection.exec_driver_sql("INSERT INTO lead_words (lead_words, rank) VALUES ('integrity-check', 1)")
        assert connection.exec_driver_sql("SELECT count(*) FROM lead_words_paused").scalar_one() == 0


def test_the_search_index_follows_changes_by_plain_sql(engine: Engine, work: SqlUnitOfWorkFactory) -> None:
    add_all(work, a_lead(name="Adams"))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TEMP TABLE copy AS SELECT * FROM leads")
        connection.exec_driver_sql("UPDATE copy SET id = x'00', phone_key = NULL, search_text = 'brown'")
        connection.exec_driver_sql("INSERT INTO leads SELECT * FROM copy")
        row_ids = connection.exec_driver_sql("SELECT rowid FROM lead_words WHERE lead_words MATCH 'brown'").all()
        connection.exec_driver_sql("DELETE FROM leads")
        left = connection.exec_driver_sql("SELECT rowid FROM lead_words WHERE lead_words MATCH 'brown OR adams'").all()
        connection.exec_driver_sql("INSERT INTO lead_words (lead_words, rank) VALUES ('integrity-check', 1)")
    assert (len(row_ids), len(left)) == (1, 0)

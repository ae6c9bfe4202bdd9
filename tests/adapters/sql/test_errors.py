"""Tests of the translation of database errors to domain errors."""

import sqlite3

import pytest
from sqlalchemy import UniqueConstraint
from sqlalchemy.exc import IntegrityError

from adapters.sql.errors import REFUSALS, refusal, transient_failure, violated_constraint
from adapters.sql.schema import schema
from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from unite_core.errors import Conflict, Deadlock
from unite_core.leads.model import Duplicate, DuplicateLead
from unite_core.testing.builders import a_lead, a_user, an_id
from unite_core.testing.contracts.database import add_all, run_concurrently


def test_every_unique_constraint_has_a_domain_error() -> None:
    unique = {
        constraint.name
        for table in schema.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    }
    assert set(REFUSALS) == unique


@pytest.mark.parametrize(
    ("said", "constraint"),
    [
        ("UNIQUE constraint failed: users.email", "uq_users_email"),
        ("UNIQUE constraint failed: leads.phone_key", "uq_leads_phone_key"),
        ("UNIQUE constraint failed: leads.id", None),
        ("FOREIGN KEY constraint failed", None),
        ("(1062, \"Duplicate entry 'a@b.c' for key 'users.uq_users_email'\")", "uq_users_email"),
        ("(1062, \"Duplicate entry 'a@b.c' for key 'uq_users_email'\")", "uq_users_email"),
    ],
)
def test_the_name_of_a_violated_constraint_is_detected(said: str, constraint: str | None) -> None:
    error = IntegrityError("INSERT", (), Exception(said))

    assert violated_constraint(error) == constraint
    assert isinstance(refusal(error), Conflict) is (constraint is not None)


@pytest.mark.parametrize(
    "said",
    [
        "UNIQUE constraint failed: call_ledger.task_id, call_ledger.number",
        "The call ledger is append-only: another entry has this place in the chain.",
        "(1062, \"Duplicate entry '01-2' for key 'call_ledger.uq_call_ledger_chain'\")",
        "(1062, \"Duplicate entry '01-2' for key 'uq_call_ledger_chain'\")",
    ],
)
def test_an_entry_with_a_taken_position_in_its_chain_is_a_deadlock(said: str) -> None:
    assert isinstance(refusal(IntegrityError("INSERT", (), Exception(said))), Deadlock)


def test_of_fifty_concurrent_inserts_of_a_lead_one_succeeds(work: SqlUnitOfWorkFactory) -> None:
    one = a_lead(email="grace@example.com")

    def add(_: int) -> tuple[Duplicate, ...] | None:
        with work() as unit:
            try:
                unit.leads.add(a_lead(id=an_id(), phone=one.phone, email=one.email))
            except DuplicateLead as error:
                return error.duplicates
            unit.commit()
        return None

    outcomes = run_concurrently(50, add)

    with work() as unit:
        there = unit.leads.matches([], ["grace@example.com"]).by_email["grace@example.com"]
    assert outcomes.count(None) == 1
    assert outcomes.count((Duplicate("phone", there.id), Duplicate("email", there.id))) == 49


def test_a_unit_of_work_is_usable_after_a_refused_batch_of_leads(
    work: SqlUnitOfWorkFactory, reads: SqlUnitOfWorkFactory
) -> None:
    there, other, free = a_lead(), a_lead(), a_lead()
    add_all(work, there)

    with work() as unit:
        with pytest.raises(DuplicateLead) as refused:
            unit.leads.add_many([other, a_lead(phone=there.phone), free])
        unit.leads.add(free)
        unit.commit()

    assert refused.value.duplicates == (Duplicate("phone", there.id),)
    with reads() as unit:
        keys = [lead.phone.key for lead in (there, other, free) if lead.phone]
        assert set(unit.leads.matches(keys, []).by_phone) == {keys[0], keys[2]}


def test_an_unknown_assignee_is_an_integrity_error(work: SqlUnitOfWorkFactory) -> None:
    with work() as unit, pytest.raises(IntegrityError, match="FOREIGN KEY"):
        unit.leads.add(a_lead(assigned_to=an_id()))


def test_a_repeated_user_id_is_an_integrity_error(work: SqlUnitOfWorkFactory) -> None:
    ann = a_user()
    add_all(work, ann)

    with work() as unit, pytest.raises(IntegrityError, match=r"users\.id"):
        unit.users.add(a_user(id=ann.id))


def test_a_full_disk_is_transient_and_a_syntax_error_is_not() -> None:
    full, wrong = sqlite3.OperationalError("full"), sqlite3.OperationalError("syntax")
    full.sqlite_errorcode, wrong.sqlite_errorcode = sqlite3.SQLITE_FULL, sqlite3.SQLITE_ERROR

    assert transient_failure(full) is not None
    assert transient_failure(wrong) is None
    assert transient_failure(sqlite3.ProgrammingError("closed")) is None
    assert transient_failure(ZeroDivisionError()) is None

"""Tests of edge cases of ports that an SQL implementation can easily miss."""

from datetime import timedelta

from adapters.sql.unit_of_work import SqlUnitOfWorkFactory
from unite_core.phone import Phone
from unite_core.testing.builders import a_lead, a_session, a_user, an_import, revise
from unite_core.testing.contracts.database import add_all
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING as NOW


def test_a_lead_whose_phone_changed_in_a_dry_run_does_not_match_its_old_phone(work: SqlUnitOfWorkFactory) -> None:
    ann = a_user()
    coming = an_import(ann)
    old, new = Phone("+12125550101"), Phone("+12125550102")
    lead = a_lead(phone=old, email="grace@example.com")
    add_all(work, ann, coming, lead)

    with work() as unit:
        revise(lead, phone=new)
        unit.rehearsal.put(coming.id, [lead])
        matches = unit.rehearsal.matches(coming.id, [old.key, new.key], ["grace@example.com"])

    assert matches.by_phone == {new.key: lead}
    assert matches.by_email == {"grace@example.com": lead}


def test_revoking_all_sessions_leaves_expired_ones_unchanged(work: SqlUnitOfWorkFactory) -> None:
    ann = a_user()
    live, expired = a_session(ann), a_session(ann, expires_at=NOW - timedelta(seconds=1))
    add_all(work, ann, live, expired)

    with work() as unit:
        assert unit.sessions.revoke_all(ann.id, now=NOW) == 1
        stored = unit.sessions.get(expired.id)

    assert stored == expired


def test_text_with_any_characters_is_unchanged_in_json(work: SqlUnitOfWorkFactory) -> None:
    ann = a_user()
    coming = an_import(
        ann, columns=[{"header": "名 \u0000 \U0001f600 \ufffd \u2028", "field": None}], dialect={"a": 1.5}
    )
    add_all(work, ann, coming)

    with work() as unit:
        assert unit.imports.get(coming.id) == coming

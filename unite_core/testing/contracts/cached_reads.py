"""Contract tests of cached reads: every read sees the changes of all earlier commits, through the cache."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pytest

from unite_core.application import FullUnitOfWork
from unite_core.cache import Cache
from unite_core.calls.model import CallOutcome
from unite_core.calls.ports import CALL_COUNTS_NAMESPACE
from unite_core.clock import Clock
from unite_core.errors import NotFound, Unauthenticated
from unite_core.identity.model import Role, Session, User
from unite_core.identity.ports import REPORTS_NAMESPACE, AccessClaims, sessions_namespace
from unite_core.identity.use_cases import Authenticate
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.leads.model import Lead
from unite_core.leads.ports import CALLED_LEADS_NAMESPACE, LEAD_LISTS, LeadFilter, lead_namespace
from unite_core.leads.queries import GetLead, ListLeads
from unite_core.paging import PageRequest
from unite_core.testing.builders import a_lead, a_session, a_task, a_user, an_actor, an_entry, an_id, revise
from unite_core.testing.contracts.database import DatabaseContract, add_all, delete_lead, save_lead
from unite_core.testing.in_memory.cache import InMemoryCache
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING, FixedClock
from unite_core.testing.in_memory.identity import FastTokens
from unite_core.testing.in_memory.tables import Store
from unite_core.testing.in_memory.unit_of_work import InMemoryUnitOfWorkFactory
from unite_core.unit_of_work import UnitOfWorkFactory

_TOKENS = FastTokens()
_ADMIN = an_actor(Role.ADMIN)

_EMPTY = InMemoryUnitOfWorkFactory(Store(), writes=False)
"""An empty database: whatever is read over it comes from the cache."""


class WatchedCache(InMemoryCache):
    """A cache in memory that records the namespaces of each invalidation as a set."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.forgotten: list[set[str]] = []

    def invalidate(self, namespaces: Collection[str]) -> None:
        self.forgotten.append(set(namespaces))
        super().invalidate(namespaces)


class CachedReadsContract(DatabaseContract[FullUnitOfWork]):
    """Derive a test class whose `work` and `reads` invalidate `cache`."""

    @pytest.fixture
    def cache(self) -> WatchedCache:
        """Return the cache between the use cases and the database."""
        return WatchedCache(FixedClock())

    def test_a_lead_is_read_from_the_database_once(
        self,
        work: UnitOfWorkFactory[ImportsUnitOfWork],
        reads: UnitOfWorkFactory[ImportsUnitOfWork],
        cache: WatchedCache,
    ) -> None:
        lead = a_lead()
        add_all(work, lead)

        assert GetLead(reads, cache)(_ADMIN, lead.id) == lead
        assert GetLead(_EMPTY, cache)(_ADMIN, lead.id) == lead

    def test_a_changed_lead_is_seen_by_the_next_read(
        self,
        work: UnitOfWorkFactory[ImportsUnitOfWork],
        reads: UnitOfWorkFactory[ImportsUnitOfWork],
        cache: WatchedCache,
    ) -> None:
        lead = a_lead()
        add_all(work, lead)
        for name in ("Ada", "Zoë"):
            GetLead(reads, cache)(_ADMIN, lead.id)
            _listed(reads, cache)

            revise(lead, name=name)
            lead.mark_updated(A_MONDAY_MORNING)
            save_lead(work, lead)

            assert GetLead(reads, cache)(_ADMIN, lead.id) == lead
            assert _listed(reads, cache) == [lead]

    def test_a_deleted_lead_is_absent_from_the_next_read(
        self,
        work: UnitOfWorkFactory[ImportsUnitOfWork],
        reads: UnitOfWorkFactory[ImportsUnitOfWork],
        cache: WatchedCache,
    ) -> None:
        lead = a_lead()
        add_all(work, lead)
        GetLead(reads, cache)(_ADMIN, lead.id)
        assert _listed(reads, cache) == [lead]

        delete_lead(work, lead)

        with pytest.raises(NotFound):
            GetLead(reads, cache)(_ADMIN, lead.id)
        assert _listed(reads, cache) == []

    def test_an_added_lead_is_in_the_next_list_although_its_absence_was_cached(
        self,
        work: UnitOfWorkFactory[ImportsUnitOfWork],
        reads: UnitOfWorkFactory[ImportsUnitOfWork],
        cache: WatchedCache,
    ) -> None:
        alone, together = a_lead(), a_lead()
        for lead in (alone, together):
            with pytest.raises(NotFound):
                GetLead(reads, cache)(_ADMIN, lead.id)
        assert _listed(reads, cache) == []

        add_all(work, alone)
        assert _listed(reads, cache) == [alone]
        with work() as unit:
            unit.leads.add_many([together])
            unit.commit()

        assert _listed(reads, cache) == [together, alone]
        assert [GetLead(reads, cache)(_ADMIN, lead.id) for lead in (alone, together)] == [alone, together]

    def test_a_called_lead_is_in_the_next_list_of_called_leads(
        self, work: UnitOfWorkFactory[FullUnitOfWork], reads: UnitOfWorkFactory[FullUnitOfWork], cache: WatchedCache
    ) -> None:
        ann, lead = a_user(), a_lead()
        task = a_task(lead, ann, assigned_to=ann.id)
        call = an_entry(task)
        correction = an_entry(task, [call], outcome=CallOutcome.BUSY)
        add_all(work, ann, lead, task)
        busy, called = LeadFilter(call_outcomes=frozenset({CallOutcome.BUSY.value})), LeadFilter(called=True)
        assert (_listed(reads, cache, called), _listed(reads, cache, busy)) == ([], [])

        with work() as unit:
            unit.ledger.append(call)
            unit.lead_calls.add(lead.id, CallOutcome.CONNECTED, call.called_at)
            unit.commit()
        assert (_listed(reads, cache, called), _listed(reads, cache, busy)) == ([lead], [])
        with work() as unit:
            unit.ledger.append(correction)
            unit.lead_calls.correct(call, correction)
            unit.commit()
        assert _listed(reads, cache, busy) == [lead]
        revise(lead, name="Ada")
        lead.mark_updated(A_MONDAY_MORNING)
        save_lead(work, lead)

        assert _listed(reads, cache, busy) == [lead]

    def test_a_call_touches_no_other_lists(self, work: UnitOfWorkFactory[FullUnitOfWork], cache: WatchedCache) -> None:
        with work() as unit:
            unit.lead_calls.add(an_id(), CallOutcome.BUSY, A_MONDAY_MORNING)
            unit.commit()

        assert cache.forgotten == [{CALLED_LEADS_NAMESPACE}]

    def test_cached_reports_are_invalidated_by_entries_and_changed_users(
        self, work: UnitOfWorkFactory[FullUnitOfWork], cache: WatchedCache
    ) -> None:
        ann, lead = a_user(), a_lead()
        task = a_task(lead, ann, assigned_to=ann.id)
        add_all(work, ann, lead, task)

        add_all(work, an_entry(task))
        with work() as unit:
            user = unit.users.get(ann.id)
            user.rename("Anna")
            user.mark_updated(A_MONDAY_MORNING)
            unit.users.save(user)
            unit.commit()

        assert cache.forgotten[-2:] == [{CALL_COUNTS_NAMESPACE, REPORTS_NAMESPACE}, {REPORTS_NAMESPACE}]

    def test_a_reassigned_lead_is_not_shown_from_the_cache_to_the_agent_before(
        self,
        work: UnitOfWorkFactory[ImportsUnitOfWork],
        reads: UnitOfWorkFactory[ImportsUnitOfWork],
        cache: WatchedCache,
    ) -> None:
        ann, ben = a_user(), a_user()
        lead = a_lead(assigned_to=ann.id)
        add_all(work, ann, ben, lead)
        hers, his = an_actor(Role.AGENT, user_id=ann.id), an_actor(Role.AGENT, user_id=ben.id)
        assert GetLead(reads, cache)(hers, lead.id) == lead
        with pytest.raises(NotFound):
            GetLead(reads, cache)(his, lead.id)

        lead.assign(ben.id)
        lead.mark_updated(A_MONDAY_MORNING)
        save_lead(work, lead)

        assert GetLead(reads, cache)(his, lead.id) == lead
        with pytest.raises(NotFound):
            GetLead(reads, cache)(hers, lead.id)

    def test_a_list_is_read_from_the_database_once(
        self,
        work: UnitOfWorkFactory[ImportsUnitOfWork],
        reads: UnitOfWorkFactory[ImportsUnitOfWork],
        cache: WatchedCache,
    ) -> None:
        lead = a_lead()
        add_all(work, lead)

        assert _listed(reads, cache) == [lead]
        assert _listed(_EMPTY, cache) == [lead]

    def test_a_session_is_read_from_the_database_once(
        self,
        work: UnitOfWorkFactory[ImportsUnitOfWork],
        reads: UnitOfWorkFactory[ImportsUnitOfWork],
        cache: WatchedCache,
    ) -> None:
        ann = a_user()
        session = a_session(ann)
        add_all(work, ann, session)

        assert _is_good(reads, cache, session)
        assert _is_good(_EMPTY, cache, session)

    def test_a_revoked_session_is_refused_at_the_next_request(
        self,
        work: UnitOfWorkFactory[ImportsUnitOfWork],
        reads: UnitOfWorkFactory[ImportsUnitOfWork],
        cache: WatchedCache,
    ) -> None:
        ann = a_user()
        session, other = a_session(ann), a_session(ann)
        add_all(work, ann, session, other)
        assert _is_good(reads, cache, session)

        session.revoke(A_MONDAY_MORNING)
        with work() as unit:
            unit.sessions.save(session)
            unit.commit()

        assert not _is_good(reads, cache, session)
        assert _is_good(reads, cache, other)

    def test_all_sessions_of_a_user_are_refused_after_they_were_revoked(
        self,
        work: UnitOfWorkFactory[ImportsUnitOfWork],
        reads: UnitOfWorkFactory[ImportsUnitOfWork],
        cache: WatchedCache,
    ) -> None:
        ann, ben = a_user(), a_user()
        sessions, others = [a_session(ann), a_session(ann)], a_session(ben)
        add_all(work, ann, ben, *sessions, others)
        assert all(_is_good(reads, cache, session) for session in (*sessions, others))

        with work() as unit:
            unit.sessions.revoke_all(ann.id, now=A_MONDAY_MORNING)
            unit.commit()

        assert [_is_good(reads, cache, session) for session in (*sessions, others)] == [False, False, True]

    def test_a_session_is_valid_for_its_user_alone(
        self,
        work: UnitOfWorkFactory[ImportsUnitOfWork],
        reads: UnitOfWorkFactory[ImportsUnitOfWork],
        cache: WatchedCache,
    ) -> None:
        ann, ben = a_user(), a_user()
        session = a_session(ann)
        add_all(work, ann, ben, session)
        assert _is_good(reads, cache, session)

        assert not _is_good(reads, cache, session, shown_by=ben)

    def test_a_cached_session_expires_on_time(
        self, work: UnitOfWorkFactory[ImportsUnitOfWork], reads: UnitOfWorkFactory[ImportsUnitOfWork]
    ) -> None:
        clock = FixedClock()
        cache = InMemoryCache(clock)
        ann = a_user()
        session = a_session(ann, expires_at=A_MONDAY_MORNING + timedelta(seconds=5))
        add_all(work, ann, session)
        assert _is_good(reads, cache, session, clock=clock)

        clock.advance(timedelta(seconds=5))

        assert not _is_good(reads, cache, session, clock=clock)

    def test_cached_values_are_invalidated_after_the_commit_and_before_the_actions(
        self,
        work: UnitOfWorkFactory[ImportsUnitOfWork],
        reads: UnitOfWorkFactory[ImportsUnitOfWork],
        cache: WatchedCache,
    ) -> None:
        ann = a_user()
        session, lead = a_session(ann), a_lead()
        add_all(work, ann, session, lead)
        cache.forgotten.clear()
        GetLead(reads, cache)(_ADMIN, lead.id)
        changed = replace(lead, details=replace(lead.details, name="Ada"), version=2)
        seen: list[object] = []

        with work() as unit:
            unit.leads.save(changed)
            unit.leads.add_many([a_lead(), a_lead()])
            unit.sessions.revoke_all(ann.id, now=A_MONDAY_MORNING)
            unit.after_commit(lambda: seen.extend((list(cache.forgotten), GetLead(reads, cache)(_ADMIN, lead.id))))
            assert cache.forgotten == []
            unit.commit()

        assert seen == [[{*LEAD_LISTS, lead_namespace(lead.id), sessions_namespace(ann.id)}], changed]

    def test_many_new_leads_touch_their_lists_alone(
        self, work: UnitOfWorkFactory[ImportsUnitOfWork], cache: WatchedCache
    ) -> None:
        with work() as unit:
            unit.leads.add_many([a_lead() for _ in range(20)])
            unit.commit()

        assert cache.forgotten == [{*LEAD_LISTS}]

    def test_a_unit_of_work_that_changes_nothing_cached_invalidates_nothing(
        self, work: UnitOfWorkFactory[ImportsUnitOfWork], cache: WatchedCache
    ) -> None:
        ann = a_user()
        add_all(work, ann, a_session(ann))
        with work() as unit:
            unit.leads.add(a_lead())

        assert cache.forgotten == []


def _listed(reads: UnitOfWorkFactory[ImportsUnitOfWork], cache: Cache, filters: LeadFilter | None = None) -> list[Lead]:
    return list(ListLeads(reads, cache)(_ADMIN, filters or LeadFilter(), PageRequest()).items)


def _is_good(
    reads: UnitOfWorkFactory[ImportsUnitOfWork],
    cache: Cache,
    session: Session,
    *,
    shown_by: User | None = None,
    clock: FixedClock | None = None,
) -> bool:
    """Return whether an access token of the session is accepted."""
    claims = AccessClaims(
        user_id=shown_by.id if shown_by else session.user_id,
        role=Role.AGENT,
        session_id=session.id,
        token_id=an_id(),
        issued_at=A_MONDAY_MORNING,
        expires_at=A_MONDAY_MORNING + timedelta(minutes=15),
    )
    try:
        Authenticate(reads, _TOKENS, clock or FixedClock(), cache)(_TOKENS.issue(claims))
    except Unauthenticated:
        return False
    return True

"""Contract tests of the repository of sessions."""

from datetime import timedelta
from typing import Protocol

from unite_core.identity.ports import Sessions
from unite_core.testing.builders import a_session, a_user, an_id
from unite_core.testing.contracts.database import (
    DatabaseContract,
    Transaction,
    Units,
    add_all,
    require_repositories,
    run_concurrently,
)
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_NOW = A_MONDAY_MORNING
_HOUR = timedelta(hours=1)


class SessionsUnit(Transaction, Protocol):
    """A unit of work with the port `Sessions`."""

    @property
    def sessions(self) -> Sessions: ...


class SessionsContract(DatabaseContract[SessionsUnit]):
    """Sessions are stored with the digests of their refresh tokens, and revoked."""

    repositories = "`sessions`, a `Sessions`"

    def test_a_session_comes_back_as_stored(self, work: Units[SessionsUnit], reads: Units[SessionsUnit]) -> None:
        ann = a_user()
        session = a_session(ann)
        add_all(work, ann, session)

        with reads() as unit:
            assert unit.sessions.get(session.id) == session
            assert unit.sessions.find_by_refresh(session.current_refresh) == session

    def test_moments_of_a_session_are_stored_to_the_microsecond(
        self, work: Units[SessionsUnit], reads: Units[SessionsUnit]
    ) -> None:
        ann = a_user()
        moment = _NOW + timedelta(microseconds=123457)
        session = a_session(ann, created_at=moment, expires_at=moment + _HOUR)
        add_all(work, ann, session)
        session.revoke(moment)
        with work() as unit:
            unit.sessions.save(session)
            unit.commit()

        with reads() as unit:
            assert unit.sessions.get(session.id) == session

    def test_an_unknown_session_is_none(self, reads: Units[SessionsUnit]) -> None:
        with reads() as unit:
            assert unit.sessions.get(an_id()) is None
            assert unit.sessions.find_by_refresh("0" * 64) is None

    def test_a_session_that_is_changed_and_not_saved_is_unchanged_in_the_store(self, work: Units[SessionsUnit]) -> None:
        ann = a_user()
        session = a_session(ann)
        add_all(work, ann)
        with work() as unit:
            unit.sessions.add(session)
            session.revoke(_NOW)
            stored = unit.sessions.get(session.id)
            assert stored is not None
            assert stored.revoked_at is None
            stored.revoke(_NOW)
            again = unit.sessions.get(session.id)
            assert again is not None
            assert again.revoked_at is None

    def test_a_session_is_read_together_with_its_user(
        self, work: Units[SessionsUnit], reads: Units[SessionsUnit]
    ) -> None:
        require_repositories(self, work, "users")
        ann, ben = a_user(), a_user(active=False)
        sessions = [a_session(ann), a_session(ben)]
        add_all(work, ann, ben, *sessions)

        with reads() as unit:
            assert [unit.sessions.get_with_user(each.id) for each in sessions] == [
                (sessions[0], ann),
                (sessions[1], ben),
            ]
            assert unit.sessions.get_with_user(an_id()) is None

    def test_a_used_refresh_token_is_remembered(self, work: Units[SessionsUnit], reads: Units[SessionsUnit]) -> None:
        ann = a_user()
        session = a_session(ann, current_refresh="1" * 64)
        add_all(work, ann, session)
        for digest in ("2" * 64, "3" * 64):
            session.rotate(digest, _NOW + _HOUR)
            with work() as unit:
                unit.sessions.save(session)
                unit.commit()

        with reads() as unit:
            for digest in ("1" * 64, "2" * 64, "3" * 64):
                assert unit.sessions.find_by_refresh(digest) == session

    def test_one_of_two_concurrent_uses_of_a_refresh_token_succeeds(self, work: Units[SessionsUnit]) -> None:
        ann = a_user()
        session = a_session(ann, current_refresh="1" * 64)
        add_all(work, ann, session)

        def rotate(number: int) -> bool:
            with work() as unit:
                stored = unit.sessions.find_by_refresh("1" * 64)
                assert stored is not None
                if stored.current_refresh != "1" * 64:
                    return False
                stored.rotate(f"{number + 2}" * 64, _NOW)
                unit.sessions.save(stored)
                unit.commit()
                return True

        assert sorted(run_concurrently(2, rotate)) == [False, True]

    def test_all_live_sessions_of_a_user_are_revoked(
        self, work: Units[SessionsUnit], reads: Units[SessionsUnit]
    ) -> None:
        ann, ben = a_user(), a_user()
        live = [a_session(ann), a_session(ann)]
        revoked = a_session(ann, revoked_at=_NOW - _HOUR)
        expired = a_session(ann, expires_at=_NOW)
        others = a_session(ben)
        add_all(work, ann, ben, *live, revoked, expired, others)

        with work() as unit:
            count = unit.sessions.revoke_all(ann.id, now=_NOW)
            unit.commit()

        assert count == 2
        with reads() as unit:
            stored = [unit.sessions.get(session.id) for session in (*live, revoked, others)]
        assert [session.revoked_at for session in stored if session] == [_NOW, _NOW, _NOW - _HOUR, None]

    def test_the_oldest_live_sessions_of_a_user_are_revoked_and_others_are_left(
        self, work: Units[SessionsUnit], reads: Units[SessionsUnit]
    ) -> None:
        ann, ben = a_user(), a_user()
        live = [a_session(ann, expires_at=_NOW + number * _HOUR) for number in (4, 3, 1, 3)]
        revoked, expired = a_session(ann, revoked_at=_NOW - _HOUR), a_session(ann, expires_at=_NOW)
        others = a_session(ben)
        add_all(work, ann, ben, *live, revoked, expired, others)

        with work() as unit:
            counts = [unit.sessions.revoke_oldest(ann.id, keep=keep, now=_NOW) for keep in (5, 2, 2)]
            unit.commit()

        assert counts == [0, 2, 0]
        with reads() as unit:
            stored = [unit.sessions.get(session.id) for session in (*live, revoked, expired, others)]
        assert [it.revoked_at for it in stored if it] == [None, _NOW, _NOW, None, _NOW - _HOUR, None, None]

    def test_expired_sessions_are_purged_with_their_tokens(
        self, work: Units[SessionsUnit], reads: Units[SessionsUnit]
    ) -> None:
        ann = a_user()
        old = [a_session(ann, expires_at=_NOW - _HOUR) for _ in range(3)]
        kept = a_session(ann, expires_at=_NOW)
        add_all(work, ann, *old, kept)

        def purge() -> int:
            with work() as unit:
                count = unit.sessions.purge(before=_NOW, limit=2)
                unit.commit()
            return count

        assert [purge(), purge(), purge()] == [2, 1, 0]
        with reads() as unit:
            assert [unit.sessions.get(session.id) for session in old] == [None, None, None]
            assert [unit.sessions.find_by_refresh(session.current_refresh) for session in old] == [None, None, None]
            assert unit.sessions.get(kept.id) == kept

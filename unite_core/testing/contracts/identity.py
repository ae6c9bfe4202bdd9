"""What the ports of identity promise."""

from abc import abstractmethod
from datetime import timedelta

import pytest

from unite_core.errors import Conflict, NotFound, PreconditionFailed, Unauthenticated
from unite_core.identity.model import Role, User
from unite_core.identity.ports import AccessClaims, Passwords, Tokens, UserFilter
from unite_core.imports.ports import ImportsWork
from unite_core.paging import PageRequest, Position
from unite_core.testing.builders import a_session, a_user, an_id
from unite_core.testing.contracts.database import DatabaseContract, at_once, put
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING
from unite_core.unit_of_work import Work

_NOW = A_MONDAY_MORNING
_HOUR = timedelta(hours=1)


class UsersContract(DatabaseContract):
    """Everybody who can log in, or could."""

    def test_a_user_comes_back_as_stored(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user(name="Žofie 王 👩🏽‍💻", phone="+12125550123", role=Role.MANAGER, active=False)
        put(work, ann)

        with reads() as unit:
            assert unit.users.get(ann.id) == ann
            assert unit.users.find_by_email(ann.email) == ann

    def test_an_unknown_user_is_not_found(self, reads: Work[ImportsWork]) -> None:
        with reads() as unit:
            with pytest.raises(NotFound):
                unit.users.get(an_id())
            assert unit.users.find_by_email("nobody@unite.example") is None

    def test_a_user_that_is_changed_and_not_saved_stays_as_it_was(self, work: Work[ImportsWork]) -> None:
        ann = a_user(name="Ann")
        with work() as unit:
            unit.users.add(ann)
            ann.rename("Changed after adding")
            found = unit.users.get(ann.id)
            assert found.name == "Ann"
            found.rename("Changed after finding")
            assert unit.users.get(ann.id).name == "Ann"

    def test_an_address_belongs_to_one_user(self, work: Work[ImportsWork]) -> None:
        ann = a_user()
        put(work, ann)

        with pytest.raises(Conflict) as refused:
            put(work, a_user(email=ann.email))

        assert refused.value.code == "duplicate_user"

    def test_a_changed_user_is_stored(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        put(work, ann)
        ann.rename("Ann the Second")
        ann.take_role(Role.ADMIN)
        ann.take_phone("+12125550199")
        ann.take_password("another hash")
        ann.deactivate()
        ann.touched(_NOW + _HOUR)

        _save(work, ann)

        with reads() as unit:
            assert unit.users.get(ann.id) == ann

    def test_a_user_is_not_saved_over_a_version_that_was_not_seen(self, work: Work[ImportsWork]) -> None:
        ann = a_user()
        put(work, ann)
        with pytest.raises(PreconditionFailed):
            _save(work, ann)
        ann.touched(_NOW)
        _save(work, ann)

        with pytest.raises(PreconditionFailed):
            _save(work, ann)

    def test_pages_go_from_the_newest_to_the_oldest(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        oldest = a_user(created_at=_NOW - _HOUR)
        twins = [a_user(), a_user()]
        newest = a_user(created_at=_NOW + _HOUR)
        put(work, twins[0], newest, oldest, twins[1])

        with reads() as unit:
            first = unit.users.page(UserFilter(), PageRequest(limit=3))
            rest = unit.users.page(UserFilter(), PageRequest(limit=3, after=first.next))

        assert [*first.items] == [newest, twins[1], twins[0]]
        assert first.next == Position(twins[0].created_at, twins[0].id)
        assert [*rest.items] == [oldest]
        assert rest.next is None

    def test_pages_hold_whom_the_filter_wants(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        agent = a_user(role=Role.AGENT)
        gone = a_user(role=Role.AGENT, active=False)
        admin = a_user(role=Role.ADMIN)
        put(work, agent, gone, admin)

        def found(wanted: UserFilter) -> list[User]:
            with reads() as unit:
                return [*unit.users.page(wanted, PageRequest()).items]

        assert found(UserFilter(role=Role.AGENT)) == [gone, agent]
        assert found(UserFilter(active=True)) == [admin, agent]
        assert found(UserFilter(role=Role.AGENT, active=False)) == [gone]

    def test_active_admins_are_counted(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        put(work, a_user(role=Role.ADMIN), a_user(role=Role.ADMIN), a_user(role=Role.ADMIN, active=False), a_user())

        with reads() as unit:
            assert unit.users.active_admins() == 2

    def test_two_that_leave_at_once_do_not_both_believe_that_another_admin_stays(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        admins = [a_user(role=Role.ADMIN), a_user(role=Role.ADMIN)]
        put(work, *admins)

        def leave(number: int) -> None:
            with work() as unit:
                admin = unit.users.get(admins[number].id)
                if unit.users.active_admins() > 1:
                    admin.deactivate()
                    admin.touched(_NOW)
                    unit.users.save(admin)
                    unit.commit()

        at_once(2, leave)

        with reads() as unit:
            assert unit.users.active_admins() == 1

    def test_active_users_are_told_up_to_a_limit(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        active = [a_user(), a_user()]
        put(work, *active, a_user(active=False))

        with reads() as unit:
            assert sorted(user.id for user in unit.users.active(limit=5)) == [user.id for user in active]
            assert len(unit.users.active(limit=1)) == 1


class SessionsContract(DatabaseContract):
    """Logins and the refresh tokens that descend from them, as digests."""

    def test_a_session_comes_back_as_stored(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        session = a_session(ann)
        put(work, ann, session)

        with reads() as unit:
            assert unit.sessions.get(session.id) == session
            assert unit.sessions.find_by_refresh(session.current_refresh) == session

    def test_an_unknown_session_is_none(self, reads: Work[ImportsWork]) -> None:
        with reads() as unit:
            assert unit.sessions.get(an_id()) is None
            assert unit.sessions.find_by_refresh("0" * 64) is None

    def test_a_session_that_is_changed_and_not_saved_stays_as_it_was(self, work: Work[ImportsWork]) -> None:
        ann = a_user()
        session = a_session(ann)
        with work() as unit:
            unit.users.add(ann)
            unit.sessions.add(session)
            session.revoke(_NOW)
            found = unit.sessions.get(session.id)
            assert found is not None
            assert found.revoked_at is None
            found.revoke(_NOW)
            again = unit.sessions.get(session.id)
            assert again is not None
            assert again.revoked_at is None

    def test_a_spent_refresh_token_stays_known(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann = a_user()
        session = a_session(ann, current_refresh="1" * 64)
        put(work, ann, session)
        for digest in ("2" * 64, "3" * 64):
            session.rotate(digest, _NOW + _HOUR)
            with work() as unit:
                unit.sessions.save(session)
                unit.commit()

        with reads() as unit:
            for digest in ("1" * 64, "2" * 64, "3" * 64):
                assert unit.sessions.find_by_refresh(digest) == session

    def test_of_two_that_show_one_token_at_once_one_finds_it_unspent(self, work: Work[ImportsWork]) -> None:
        ann = a_user()
        session = a_session(ann, current_refresh="1" * 64)
        put(work, ann, session)

        def rotate(number: int) -> bool:
            with work() as unit:
                found = unit.sessions.find_by_refresh("1" * 64)
                assert found is not None
                if found.current_refresh != "1" * 64:
                    return False
                found.rotate(f"{number + 2}" * 64, _NOW)
                unit.sessions.save(found)
                unit.commit()
                return True

        assert sorted(at_once(2, rotate)) == [False, True]

    def test_all_live_sessions_of_a_user_are_revoked(self, work: Work[ImportsWork], reads: Work[ImportsWork]) -> None:
        ann, ben = a_user(), a_user()
        live = [a_session(ann), a_session(ann)]
        revoked = a_session(ann, revoked_at=_NOW - _HOUR)
        expired = a_session(ann, expires_at=_NOW)
        others = a_session(ben)
        put(work, ann, ben, *live, revoked, expired, others)

        with work() as unit:
            count = unit.sessions.revoke_all(ann.id, now=_NOW)
            unit.commit()

        assert count == 2
        with reads() as unit:
            found = [unit.sessions.get(session.id) for session in (*live, revoked, others)]
        assert [session.revoked_at for session in found if session] == [_NOW, _NOW, _NOW - _HOUR, None]

    def test_expired_sessions_are_purged_with_their_tokens(
        self, work: Work[ImportsWork], reads: Work[ImportsWork]
    ) -> None:
        ann = a_user()
        old = [a_session(ann, expires_at=_NOW - _HOUR) for _ in range(3)]
        kept = a_session(ann, expires_at=_NOW)
        put(work, ann, *old, kept)

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


class PasswordsContract:
    """Give it `passwords`, and `stronger`: the same with other parameters."""

    @pytest.fixture
    @abstractmethod
    def passwords(self) -> Passwords:
        """What is tested."""

    @pytest.fixture
    @abstractmethod
    def stronger(self) -> Passwords:
        """The same with greater parameters."""

    def test_a_password_matches_its_hash_and_no_other(self, passwords: Passwords) -> None:
        hashed = passwords.hash("correct horse battery")

        assert passwords.matches("correct horse battery", hashed)
        assert not passwords.matches("correct horse batterz", hashed)
        assert not passwords.matches("", hashed)

    def test_nobody_knows_the_password_of_no_hash(self, passwords: Passwords) -> None:
        assert not passwords.matches("correct horse battery", None)

    def test_the_same_password_has_another_hash_each_time(self, passwords: Passwords) -> None:
        assert passwords.hash("correct horse battery") != passwords.hash("correct horse battery")

    def test_a_hash_does_not_show_the_password(self, passwords: Passwords) -> None:
        assert "correct horse" not in passwords.hash("correct horse battery")

    def test_a_password_may_be_written_in_any_script(self, passwords: Passwords) -> None:
        hashed = passwords.hash("пароль 密码 🔑🔑🔑")

        assert passwords.matches("пароль 密码 🔑🔑🔑", hashed)

    def test_a_hash_made_with_weaker_parameters_is_outdated_and_still_matches(
        self, passwords: Passwords, stronger: Passwords
    ) -> None:
        hashed = passwords.hash("correct horse battery")

        assert not passwords.outdated(hashed)
        assert stronger.outdated(hashed)
        assert stronger.matches("correct horse battery", hashed)


class TokensContract:
    """Give it `tokens`."""

    @pytest.fixture
    @abstractmethod
    def tokens(self) -> Tokens:
        """What is tested."""

    def test_a_token_carries_its_claims(self, tokens: Tokens) -> None:
        claims = _claims()

        assert tokens.read(tokens.issue(claims), now=_NOW) == claims

    def test_a_token_is_good_until_it_expires(self, tokens: Tokens) -> None:
        claims = _claims()
        token = tokens.issue(claims)

        assert tokens.read(token, now=_NOW + _HOUR - timedelta(seconds=1)) == claims
        with pytest.raises(Unauthenticated) as refused:
            tokens.read(token, now=_NOW + _HOUR)
        assert refused.value.code == "token_expired"

    def test_a_token_with_any_part_changed_is_refused(self, tokens: Tokens) -> None:
        token = tokens.issue(_claims())
        parts = token.split(".")
        other = tokens.issue(_claims(role=Role.ADMIN)).split(".")
        tampered = [".".join([*parts[:at], _flipped(part), *parts[at + 1 :]]) for at, part in enumerate(parts)]
        swapped = ".".join([*other[:-1], parts[-1]])

        for bad in (*tampered, swapped, parts[0], ".".join(parts[:-1]) + "."):
            with pytest.raises(Unauthenticated) as refused:
                tokens.read(bad, now=_NOW)
            assert refused.value.code == "invalid_token"

    @pytest.mark.parametrize("text", ["", ".", "..", "...", "a.b.c", "ä.ö.ü", "\ud800.\ud800.\ud800", "x" * 10_000])
    def test_what_is_no_token_is_refused(self, tokens: Tokens, text: str) -> None:
        with pytest.raises(Unauthenticated) as refused:
            tokens.read(text, now=_NOW)

        assert refused.value.code == "invalid_token"

    def test_refresh_tokens_are_long_and_never_the_same(self, tokens: Tokens) -> None:
        made = {tokens.new_refresh_token() for _ in range(100)}

        assert len(made) == 100
        assert all(len(token) >= 43 for token in made)  # 256 bits in base64


def _claims(role: Role = Role.AGENT) -> AccessClaims:
    return AccessClaims(
        user_id=an_id(), role=role, session_id=an_id(), token_id=an_id(), issued_at=_NOW, expires_at=_NOW + _HOUR
    )


def _flipped(part: str) -> str:
    """The same text with one character in its middle changed."""
    middle = len(part) // 2
    return part[:middle] + ("A" if part[middle] != "A" else "B") + part[middle + 1 :]


def _save(work: Work[ImportsWork], user: User) -> None:
    with work() as unit:
        unit.users.save(user)
        unit.commit()

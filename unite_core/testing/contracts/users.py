"""Contract tests of the repository of users."""

from datetime import timedelta
from typing import Protocol

import pytest

from unite_core.errors import Conflict, NotFound, PreconditionFailed
from unite_core.identity.model import Role, User
from unite_core.identity.ports import UserFilter, Users
from unite_core.paging import PageRequest, Position
from unite_core.testing.builders import a_user, an_id
from unite_core.testing.contracts.database import DatabaseContract, Transaction, Units, add_all, run_concurrently
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_NOW = A_MONDAY_MORNING
_HOUR = timedelta(hours=1)


class UsersUnit(Transaction, Protocol):
    """A unit of work with the port `Users`."""

    @property
    def users(self) -> Users: ...


class UsersContract(DatabaseContract[UsersUnit]):
    """Users are stored, listed, and locked for changes."""

    repositories = "`users`, a `Users`"

    def test_a_user_comes_back_as_stored(self, work: Units[UsersUnit], reads: Units[UsersUnit]) -> None:
        ann = a_user(name="Žofie 王 👩🏽‍💻", phone="+12125550123", role=Role.MANAGER, active=False)
        add_all(work, ann)

        with reads() as unit:
            assert unit.users.get(ann.id) == ann
            assert unit.users.find_by_email(ann.email) == ann

    def test_an_unknown_user_is_not_found(self, reads: Units[UsersUnit]) -> None:
        with reads() as unit:
            with pytest.raises(NotFound):
                unit.users.get(an_id())
            assert unit.users.find_by_email("nobody@unite.example") is None

    def test_a_user_that_is_changed_and_not_saved_is_unchanged_in_the_store(self, work: Units[UsersUnit]) -> None:
        ann = a_user(name="Ann")
        with work() as unit:
            unit.users.add(ann)
            ann.rename("Changed after adding")
            found = unit.users.get(ann.id)
            assert found.name == "Ann"
            found.rename("Changed after finding")
            assert unit.users.get(ann.id).name == "Ann"

    def test_an_address_belongs_to_one_user(self, work: Units[UsersUnit]) -> None:
        ann = a_user()
        add_all(work, ann)

        with pytest.raises(Conflict) as refused:
            add_all(work, a_user(email=ann.email))

        assert refused.value.code == "duplicate_user"

    def test_a_changed_user_is_stored(self, work: Units[UsersUnit], reads: Units[UsersUnit]) -> None:
        ann = a_user()
        add_all(work, ann)
        ann.rename("Ann the Second")
        ann.set_role(Role.ADMIN)
        ann.set_phone("+12125550199")
        ann.set_password("another hash")
        ann.deactivate()
        ann.mark_updated(_NOW + _HOUR)

        _save(work, ann)

        with reads() as unit:
            assert unit.users.get(ann.id) == ann

    def test_a_one_time_password_is_stored_until_it_is_changed(
        self, work: Units[UsersUnit], reads: Units[UsersUnit]
    ) -> None:
        ann = a_user()
        add_all(work, ann)
        ann.set_one_time_password("one-time hash", _NOW + _HOUR)
        ann.mark_updated(_NOW)
        _save(work, ann)
        with reads() as unit:
            assert unit.users.get(ann.id) == ann

        ann.set_password("another hash")
        ann.mark_updated(_NOW)
        _save(work, ann)

        with reads() as unit:
            assert unit.users.get(ann.id) == ann

    def test_saving_a_user_of_an_outdated_version_is_refused(self, work: Units[UsersUnit]) -> None:
        ann = a_user()
        add_all(work, ann)
        with pytest.raises(PreconditionFailed):
            _save(work, ann)
        ann.mark_updated(_NOW)
        _save(work, ann)

        with pytest.raises(PreconditionFailed):
            _save(work, ann)

    def test_pages_go_from_the_newest_to_the_oldest(self, work: Units[UsersUnit], reads: Units[UsersUnit]) -> None:
        oldest = a_user(created_at=_NOW - _HOUR)
        twins = [a_user(), a_user()]
        newest = a_user(created_at=_NOW + _HOUR)
        add_all(work, twins[0], newest, oldest, twins[1])

        with reads() as unit:
            first = unit.users.page(UserFilter(), PageRequest(limit=3))
            rest = unit.users.page(UserFilter(), PageRequest(limit=3, after=first.next))

        assert [*first.items] == [newest, twins[1], twins[0]]
        assert first.next == Position(twins[0].created_at, twins[0].id)
        assert [*rest.items] == [oldest]
        assert rest.next is None

    def test_pages_contain_the_users_that_match_the_filter(
        self, work: Units[UsersUnit], reads: Units[UsersUnit]
    ) -> None:
        agent = a_user(role=Role.AGENT)
        gone = a_user(role=Role.AGENT, active=False)
        admin = a_user(role=Role.ADMIN)
        add_all(work, agent, gone, admin)

        def matching(filters: UserFilter) -> list[User]:
            with reads() as unit:
                return [*unit.users.page(filters, PageRequest()).items]

        assert matching(UserFilter(role=Role.AGENT)) == [gone, agent]
        assert matching(UserFilter(active=True)) == [admin, agent]
        assert matching(UserFilter(role=Role.AGENT, active=False)) == [gone]

    def test_active_admins_are_counted(self, work: Units[UsersUnit], reads: Units[UsersUnit]) -> None:
        add_all(work, a_user(role=Role.ADMIN), a_user(role=Role.ADMIN), a_user(role=Role.ADMIN, active=False), a_user())

        with reads() as unit:
            assert unit.users.count_active_admins() == 2

    def test_the_last_two_admins_cannot_be_removed_concurrently(
        self, work: Units[UsersUnit], reads: Units[UsersUnit]
    ) -> None:
        admins = [a_user(role=Role.ADMIN), a_user(role=Role.ADMIN)]
        add_all(work, *admins)

        def leave(number: int) -> None:
            with work() as unit:
                admin = unit.users.get(admins[number].id)
                if unit.users.count_active_admins() > 1:
                    admin.deactivate()
                    admin.mark_updated(_NOW)
                    unit.users.save(admin)
                    unit.commit()

        run_concurrently(2, leave)

        with reads() as unit:
            assert unit.users.count_active_admins() == 1

    def test_active_users_are_listed_up_to_a_limit(self, work: Units[UsersUnit], reads: Units[UsersUnit]) -> None:
        active = [a_user(), a_user()]
        add_all(work, *active, a_user(active=False))

        with reads() as unit:
            assert sorted(user.id for user in unit.users.active(limit=5)) == [user.id for user in active]
            assert len(unit.users.active(limit=1)) == 1


def _save(work: Units[UsersUnit], user: User) -> None:
    with work() as unit:
        unit.users.save(user)
        unit.commit()

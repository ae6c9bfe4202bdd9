"""Contract tests of the repository of users."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

import pytest

from unite_core.errors import Conflict, NotFound, PreconditionFailed
from unite_core.identity.model import MAX_NAME_LENGTH, Role, User
from unite_core.identity.ports import UserFilter, Users
from unite_core.identity.summary_settings import DailySummary
from unite_core.paging import Page, PageRequest, Position
from unite_core.testing.builders import a_user, an_id
from unite_core.testing.contracts.database import DatabaseContract, Transaction, Units, add_all, run_concurrently
from unite_core.testing.contracts.pages import check_pages
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_NOW = A_MONDAY_MORNING
_HOUR = timedelta(hours=1)
_MICROSECOND = timedelta(microseconds=1)
_EXACT = datetime(2026, 10, 25, 0, 59, 59, 999_999, tzinfo=UTC)

USERS: dict[str, dict[str, Any]] = {
    "an inactive manager": {
        "name": "Žofie 王 👩🏽‍💻",
        "phone": "+12125550123",
        "role": Role.MANAGER,
        "active": False,
    },
    "long texts": {
        "name": "👩" * MAX_NAME_LENGTH,
        "email": f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.com",
        "phone": "+123456789012345",
        "password_hash": f"$argon2id$v=19$m=65536,t=3,p=4${'s' * 22}${'Hh0+' * 10}ABC",
    },
    "exact moments": {
        "created_at": _EXACT,
        "updated_at": _EXACT - _MICROSECOND,
        "one_time_until": _EXACT - 2 * _MICROSECOND,
        "version": 1000,
    },
    "an admin with a daily summary": {
        "role": Role.ADMIN,
        "daily_summary": DailySummary(at=time(23, 59), tz="America/Argentina/ComodRivadavia", since=date(2026, 3, 2)),
    },
}
"""Users whose values are as different, as long and as exact as they can be."""


class UsersUnit(Transaction, Protocol):
    """A unit of work with the port `Users`."""

    @property
    def users(self) -> Users: ...


class UsersContract(DatabaseContract[UsersUnit]):
    """Users are stored, listed, and locked for changes."""

    repositories = "`users`, a `Users`"

    @pytest.mark.parametrize("kind", USERS)
    def test_a_user_comes_back_as_stored(self, work: Units[UsersUnit], reads: Units[UsersUnit], kind: str) -> None:
        others = [a_user(), a_user(role=Role.MANAGER), a_user(role=Role.ADMIN)]
        ann = a_user(**USERS[kind])
        add_all(work, others[0], ann, *others[1:])

        with reads() as unit:
            for user in (ann, *others):
                assert unit.users.get(user.id) == user
                assert unit.users.find_by_email(user.email) == user
            assert ann in unit.users.page(UserFilter(), PageRequest()).items
            assert sorted(user.id for user in unit.users.active(limit=9)) == sorted(
                user.id for user in (ann, *others) if user.active
            )
        with work() as unit:
            assert unit.users.lock(ann.id) == ann

    @pytest.mark.parametrize("kind", USERS)
    def test_a_user_is_changed_in_every_value(self, work: Units[UsersUnit], reads: Units[UsersUnit], kind: str) -> None:
        before, other = a_user(), a_user()
        after = a_user(**{**USERS[kind], "id": before.id, "email": before.email, "version": before.version + 1})
        add_all(work, before, other)

        _save(work, after)

        with reads() as unit:
            assert unit.users.get(after.id) == after
            assert unit.users.find_by_email(after.email) == after
            assert unit.users.get(other.id) == other

    def test_an_unknown_user_is_not_found(self, work: Units[UsersUnit], reads: Units[UsersUnit]) -> None:
        add_all(work, a_user())
        with work() as unit, pytest.raises(NotFound):
            unit.users.lock(an_id())
        with reads() as unit:
            with pytest.raises(NotFound):
                unit.users.get(an_id())
            assert unit.users.find_by_email("nobody@unite.example") is None

    @pytest.mark.parametrize("other", ["anne_hopper@unite.example", "ann%@unite.example", "ánnexhopper@unite.example"])
    def test_an_address_is_compared_as_it_is(self, work: Units[UsersUnit], reads: Units[UsersUnit], other: str) -> None:
        anne, otto = a_user(email="annexhopper@unite.example"), a_user(email=other)
        add_all(work, anne)

        with reads() as unit:
            assert unit.users.find_by_email(other) is None
        add_all(work, otto)
        with reads() as unit:
            assert unit.users.find_by_email(other) == otto
            assert unit.users.find_by_email(anne.email) == anne

    def test_a_user_that_is_changed_and_not_saved_is_unchanged_in_the_store(self, work: Units[UsersUnit]) -> None:
        ann = a_user(name="Ann")
        with work() as unit:
            unit.users.add(ann)
            ann.rename("Changed after adding")
            found = unit.users.get(ann.id)
            reads: list[Callable[[], User | None]] = [
                lambda: found,
                lambda: unit.users.lock(ann.id),
                lambda: unit.users.find_by_email(ann.email),
                lambda: unit.users.page(UserFilter(), PageRequest()).items[0],
                lambda: unit.users.active(limit=1)[0],
            ]
            for read in reads:
                stored = read()
                assert stored is not None
                assert stored.name == "Ann"
                stored.rename("Changed after finding")
            assert unit.users.get(ann.id).name == "Ann"
            found.rename("Changed")
            found.mark_updated(_NOW)
            unit.users.save(found)
            found.rename("Changed after saving")
            assert unit.users.get(ann.id).name == "Changed"

    @pytest.mark.parametrize("active", [True, False])
    def test_an_address_belongs_to_one_user(
        self, work: Units[UsersUnit], reads: Units[UsersUnit], active: bool
    ) -> None:
        ann, ben = a_user(active=active), a_user()
        add_all(work, ann, ben)

        with pytest.raises(Conflict) as refused:
            add_all(work, a_user(email=ann.email))

        assert refused.value.code == "duplicate_user"
        with reads() as unit:
            assert unit.users.find_by_email(ann.email) == ann
            assert [*unit.users.page(UserFilter(), PageRequest()).items] == [ben, ann]

    @pytest.mark.parametrize("version", [1, 2, 7])
    def test_a_user_that_was_never_added_is_not_saved(
        self, work: Units[UsersUnit], reads: Units[UsersUnit], version: int
    ) -> None:
        ann, unknown = a_user(), a_user(version=version)
        add_all(work, ann)

        with pytest.raises(PreconditionFailed):
            _save(work, unknown)

        with reads() as unit:
            assert [*unit.users.page(UserFilter(), PageRequest()).items] == [ann]

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

    def test_saving_a_user_of_another_version_is_refused(self, work: Units[UsersUnit], reads: Units[UsersUnit]) -> None:
        ann = a_user()
        add_all(work, ann)
        for _ in range(2):
            ann.mark_updated(_NOW)
            _save(work, ann)

        for version in (1, 2, 3, 5, 6):
            with pytest.raises(PreconditionFailed):
                _save(work, replace(ann, name="Of another version", version=version))

        with reads() as unit:
            assert unit.users.get(ann.id) == ann

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

    def test_pages_of_every_size_neither_skip_nor_repeat(self, work: Units[UsersUnit], reads: Units[UsersUnit]) -> None:
        moments = [_NOW, _NOW - _HOUR, _NOW, _NOW + _MICROSECOND, _NOW, _NOW + _HOUR, _NOW]
        users = [
            a_user(created_at=at, role=(Role.AGENT, Role.MANAGER)[number % 3 == 1]) for number, at in enumerate(moments)
        ]
        add_all(work, *users)

        def page(filters: UserFilter, request: PageRequest) -> Page[User]:
            with reads() as unit:
                return unit.users.page(filters, request)

        def position(user: User) -> Position:
            return Position(user.created_at, user.id)

        ordered = sorted(users, key=lambda user: (user.created_at, user.id), reverse=True)
        agents = [user for user in ordered if user.role is Role.AGENT]
        check_pages(lambda request: page(UserFilter(), request), ordered, position)
        check_pages(lambda request: page(UserFilter(role=Role.AGENT, active=True), request), agents, position)

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
        assert _count_admins(reads) == 0
        admins = [a_user(role=Role.ADMIN) for _ in range(3)]
        others = [a_user(role=Role.ADMIN, active=False), a_user(role=Role.MANAGER), a_user(role=Role.AGENT)]

        add_all(work, *others, *admins)
        assert _count_admins(reads) == 3

        admins[0].set_role(Role.MANAGER)
        admins[1].deactivate()
        for admin in admins[:2]:
            admin.mark_updated(_NOW)
            _save(work, admin)
        assert _count_admins(reads) == 1

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
        active = [a_user(role=role) for role in Role]
        add_all(work, a_user(active=False), *active, a_user(active=False))

        with reads() as unit:
            assert sorted(user.id for user in unit.users.active(limit=5)) == [user.id for user in active]
            assert sorted(user.id for user in unit.users.active(limit=3)) == [user.id for user in active]
            assert [len(unit.users.active(limit=limit)) for limit in (1, 2)] == [1, 2]


def _save(work: Units[UsersUnit], user: User) -> None:
    with work() as unit:
        unit.users.save(user)
        unit.commit()


def _count_admins(reads: Units[UsersUnit]) -> int:
    with reads() as unit:
        return unit.users.count_active_admins()

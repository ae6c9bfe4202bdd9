"""Tests of users: add, change, deactivate, get and list them, by role."""

from datetime import timedelta
from typing import Any

import pytest

from unite_core import (
    Actor,
    Conflict,
    Credentials,
    Forbidden,
    Invalid,
    NewUser,
    NotFound,
    PageRequest,
    Permission,
    PhonePolicy,
    PhoneRule,
    PreconditionFailed,
    Role,
    Rules,
    Unauthenticated,
    Unite,
    User,
    UserChanges,
    UserFilter,
    build,
)
from unite_core.identity.use_cases import EnsureFirstAdmin
from unite_core.testing.builders import acting, an_actor, an_id
from unite_core.testing.in_memory import InMemoryPorts, InMemoryUnitOfWorkFactory, Store, in_memory_ports
from unite_core.testing.scenario import PASSWORD


@pytest.fixture
def unite(ports: InMemoryPorts) -> Unite:
    return build(ports, Rules(phones=PhonePolicy(default_country="US")))


@pytest.fixture
def ann(unite: Unite) -> User:
    """The only admin."""
    return unite.identity.create_user.unchecked(a_new_user("ann", Role.ADMIN))


def a_new_user(who: str = "ben", role: Role = Role.AGENT, **changes: str) -> NewUser:
    user = {"email": f"{who}@unite.example", "name": who.title(), "password": PASSWORD, **changes}
    return NewUser(role=role, **user)


def add_user(unite: Unite, name: str = "ben", role: Role = Role.AGENT) -> User:
    return unite.identity.create_user(an_actor(Role.ADMIN), a_new_user(name, role))


def test_a_user_is_added(unite: Unite, ports: InMemoryPorts) -> None:
    new = NewUser(email=" Ben@Unite.Example", name=" Ben  ", role=Role.AGENT, password=PASSWORD, phone="(212) 555-0123")

    ben = unite.identity.create_user(an_actor(Role.ADMIN), new)

    assert (ben.email, ben.name, ben.role, ben.phone) == ("ben@unite.example", "Ben", Role.AGENT, "+12125550123")
    assert ben.active
    assert ben.created_at == ben.updated_at == ports.clock.now()
    assert PASSWORD not in ben.password_hash
    assert unite.identity.get_user(an_actor(Role.MANAGER), ben.id) == ben


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AGENT])
@pytest.mark.usefixtures("ann")
def test_only_admins_add_and_change_users(unite: Unite, role: Role) -> None:
    somebody = add_user(unite, "somebody", role)
    with pytest.raises(Forbidden):
        unite.identity.create_user(acting(somebody), a_new_user())
    with pytest.raises(Forbidden):
        unite.identity.update_user(acting(somebody), UserChanges(user_id=somebody.id, name="Somebody Else"))


def test_an_email_address_belongs_to_one_user_whatever_its_case(unite: Unite, ann: User) -> None:
    with pytest.raises(Conflict) as refused:
        unite.identity.create_user(acting(ann), a_new_user(email="ANN@UNITE.EXAMPLE"))

    assert refused.value.code == "duplicate_user"


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"email": "no address"}, "email", "invalid_email"),
        ({"name": "  "}, "name", "required"),
        ({"name": "\u200b\u115f"}, "name", "required"),
        ({"name": "a" * 201}, "name", "too_long"),
        ({"name": "a\x07"}, "name", "control_character"),
        ({"password": "a" * 11}, "password", "too_short"),
        ({"password": "a" * 257}, "password", "too_long"),
        ({"password": "e\u0301" * 11}, "password", "too_short"),
        ({"password": "correct\thorse battery"}, "password", "control_character"),
        ({"password": "correct horse battery\0"}, "password", "control_character"),
        ({"phone": "12"}, "phone", "invalid_phone"),
        ({"phone": "+12125550123 ext. 5"}, "phone", "invalid_phone"),
    ],
)
def test_an_invalid_user_is_refused(unite: Unite, changes: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        unite.identity.create_user(an_actor(Role.ADMIN), a_new_user(**changes))

    assert [(problem.field, problem.code) for problem in refused.value.problems] == [(field, code)]


def test_all_field_errors_are_reported_together(unite: Unite) -> None:
    with pytest.raises(Invalid) as refused:
        unite.identity.create_user(an_actor(Role.ADMIN), a_new_user(email="", name="", password="", phone=""))

    assert [problem.field for problem in refused.value.problems] == ["email", "name", "phone", "password"]


def test_the_first_admin_is_added_once(unite: Unite) -> None:
    first = unite.identity.ensure_first_admin(a_new_user("ann", Role.ADMIN))

    assert first is not None
    assert first.role is Role.ADMIN
    assert unite.identity.ensure_first_admin(a_new_user("ann", Role.ADMIN)) is None
    assert unite.identity.ensure_first_admin(a_new_user("ben", Role.ADMIN)) is None


def test_the_address_of_the_first_admin_may_belong_to_another_user(unite: Unite) -> None:
    add_user(unite, "ann", Role.AGENT)

    assert unite.identity.ensure_first_admin(a_new_user("ann", Role.ADMIN, email=" Ann@unite.example")) is None


def test_of_two_processes_that_start_concurrently_one_adds_the_first_admin(unite: Unite) -> None:
    sees_nobody = InMemoryUnitOfWorkFactory(Store(), writes=False)
    late = EnsureFirstAdmin(unite.identity.create_user, sees_nobody)

    assert unite.identity.ensure_first_admin(a_new_user("ann", Role.ADMIN)) is not None
    assert late(a_new_user("ann", Role.ADMIN)) is None


def test_a_user_is_changed(unite: Unite, ann: User, ports: InMemoryPorts) -> None:
    ben = add_user(unite)
    ports.clock.advance(timedelta(minutes=1))
    changes = UserChanges(user_id=ben.id, name=" Benjamin ", phone="(212) 555-0123", role=Role.MANAGER)

    changed = unite.identity.update_user(acting(ann), changes)

    assert (changed.name, changed.phone, changed.role) == ("Benjamin", "+12125550123", Role.MANAGER)
    assert (changed.version, changed.updated_at) == (2, ports.clock.now())
    assert unite.identity.get_user(acting(ann), ben.id) == changed
    assert unite.identity.update_user(acting(ann), UserChanges(user_id=ben.id, phone=None)).phone is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"name": ""}, "name"), ({"phone": "12"}, "phone")],
)
def test_an_invalid_change_is_refused(unite: Unite, ann: User, changes: dict[str, Any], field: str) -> None:
    ben = add_user(unite)

    with pytest.raises(Invalid) as refused:
        unite.identity.update_user(acting(ann), UserChanges(user_id=ben.id, **changes))

    assert [problem.field for problem in refused.value.problems] == [field]
    assert unite.identity.get_user(acting(ann), ben.id) == ben


def test_a_change_may_require_a_version(unite: Unite, ann: User) -> None:
    ben = add_user(unite)
    unite.identity.update_user(acting(ann), UserChanges(user_id=ben.id, name="Benjamin", expected_version=1))

    with pytest.raises(PreconditionFailed):
        unite.identity.update_user(acting(ann), UserChanges(user_id=ben.id, name="Benny", expected_version=1))


@pytest.mark.parametrize(
    "changes", [{}, {"name": " Ben ", "phone": "(212) 555-0123"}, {"role": Role.AGENT, "active": True}]
)
def test_a_change_without_effect_keeps_the_version(
    unite: Unite, ann: User, ports: InMemoryPorts, changes: dict[str, Any]
) -> None:
    ben = unite.identity.create_user(acting(ann), a_new_user(phone="+12125550123"))
    ports.clock.advance(timedelta(minutes=1))

    assert unite.identity.update_user(acting(ann), UserChanges(user_id=ben.id, expected_version=1, **changes)) == ben
    assert unite.identity.get_user(acting(ann), ben.id) == ben
    with pytest.raises(PreconditionFailed):
        unite.identity.update_user(acting(ann), UserChanges(user_id=ben.id, expected_version=2, **changes))


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        (UserChanges(user_id=an_id(), active=False), True),
        (UserChanges(user_id=an_id(), role=Role.MANAGER), True),
        (UserChanges(user_id=an_id(), role=Role.AGENT, active=True), False),
        (UserChanges(user_id=an_id(), name="Benjamin"), False),
    ],
    ids=["deactivated", "another role", "the same as before", "another name"],
)
def test_a_user_who_is_deactivated_or_changes_role_is_logged_out(
    unite: Unite, ann: User, changes: UserChanges, ends: bool
) -> None:
    ben = add_user(unite)
    pair = unite.identity.log_in(Credentials(email=ben.email, password=PASSWORD, address="192.0.2.1"))

    unite.identity.update_user(
        acting(ann), UserChanges(user_id=ben.id, name=changes.name, role=changes.role, active=changes.active)
    )

    if ends:
        with pytest.raises(Unauthenticated):
            unite.identity.authenticate(pair.access_token)
    else:
        assert unite.identity.authenticate(pair.access_token).user_id == ben.id


def test_a_deactivated_user_can_be_reactivated(unite: Unite, ann: User) -> None:
    ben = add_user(unite)
    unite.identity.update_user(acting(ann), UserChanges(user_id=ben.id, active=False))
    unite.identity.update_user(acting(ann), UserChanges(user_id=ben.id, active=True))

    assert unite.identity.log_in(Credentials(email=ben.email, password=PASSWORD, address="192.0.2.1")).access_token


@pytest.mark.parametrize("changes", [{"active": False}, {"role": Role.MANAGER}])
def test_the_last_active_admin_cannot_be_removed(unite: Unite, ann: User, changes: dict[str, Any]) -> None:
    gone = add_user(unite, "gone", Role.ADMIN)
    unite.identity.update_user(acting(ann), UserChanges(user_id=gone.id, active=False))
    unite.identity.update_user(acting(ann), UserChanges(user_id=ann.id, name="Annie"))

    with pytest.raises(Conflict) as refused:
        unite.identity.update_user(acting(ann), UserChanges(user_id=ann.id, **changes))
    assert refused.value.code == "last_admin"

    add_user(unite, "dora", Role.ADMIN)
    assert unite.identity.update_user(acting(ann), UserChanges(user_id=ann.id, **changes)).version == 3


def test_an_unknown_user_is_not_found(unite: Unite, ann: User) -> None:
    with pytest.raises(NotFound):
        unite.identity.get_user(acting(ann), an_id())
    with pytest.raises(NotFound):
        unite.identity.update_user(acting(ann), UserChanges(user_id=an_id()))


def test_agents_see_only_themselves(unite: Unite, ann: User) -> None:
    ben = add_user(unite)
    me = acting(ben)

    def listed(filters: UserFilter, request: PageRequest) -> list[User]:
        page = unite.identity.list_users(me, filters, request)
        assert page.next is None
        return [*page.items]

    assert unite.identity.get_user(me, ben.id) == ben
    with pytest.raises(NotFound):
        unite.identity.get_user(me, ann.id)
    with pytest.raises(NotFound):
        unite.identity.update_user(me, UserChanges(user_id=ann.id, name="Mallory"))
    assert listed(UserFilter(), PageRequest()) == [ben]
    assert listed(UserFilter(role=Role.AGENT, active=True), PageRequest()) == [ben]
    assert listed(UserFilter(role=Role.ADMIN), PageRequest()) == []
    assert listed(UserFilter(active=False), PageRequest()) == []
    first = unite.identity.list_users(acting(ann), UserFilter(), PageRequest(limit=1))
    assert listed(UserFilter(), PageRequest(after=first.next)) == []


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MANAGER])
def test_admins_and_managers_see_all_users(unite: Unite, ann: User, role: Role) -> None:
    ben = add_user(unite)

    page = unite.identity.list_users(an_actor(role), UserFilter(), PageRequest())

    assert [*page.items] == [ben, ann]


def test_the_permissions_of_roles_are_those_of_the_table() -> None:
    allowed = {role: {permission for permission in Permission if an_actor(role).may(permission)} for role in Role}

    assert allowed[Role.ADMIN] == set(Permission)
    assert allowed[Role.MANAGER] == set(Permission) - {Permission.CHANGE_USERS, Permission.REPLAY_DELIVERIES}
    assert allowed[Role.AGENT] == set()


def test_a_missing_permission_raises_forbidden_with_an_explanation() -> None:
    with pytest.raises(Forbidden, match=r"The role agent may not delete leads\."):
        Actor(user_id=an_id(), role=Role.AGENT).must(Permission.DELETE_LEADS)


def test_phones_are_validated_by_the_configured_rule() -> None:
    strict = build(in_memory_ports(), Rules(phones=PhonePolicy(rule=PhoneRule.VALID)))
    new = NewUser(email="bo@unite.example", name="Bo", role=Role.AGENT, password="correct horse", phone="+12005550100")

    with pytest.raises(Invalid) as refused:
        strict.identity.create_user.unchecked(new)

    assert [problem.field for problem in refused.value.problems] == ["phone"]
    assert build(in_memory_ports()).identity.create_user.unchecked(new).phone == "+12005550100"


@pytest.mark.parametrize("domain", ["office.local", "crm.internal", "floor.test"])
def test_a_user_may_have_an_address_of_a_private_network_and_logs_in_with_it(unite: Unite, domain: str) -> None:
    ben = unite.identity.create_user(an_actor(Role.ADMIN), a_new_user(email=f"Ben@{domain.upper()}"))

    pair = unite.identity.log_in(Credentials(address="198.51.100.7", email=f"ben@{domain.title()}", password=PASSWORD))

    assert ben.email == f"ben@{domain}"
    assert pair.access_token


@pytest.mark.parametrize(
    ("phone", "suggestion"),
    [
        ("415-555-0101, 415-555-0153", "+14155550101"),
        ("415-555-0101 home", "+14155550101"),
        ("0049 1511 2345601", "+4915112345601"),
        ("01 99 00 01 02", None),
        ("2026-11-29", None),
        ("10115", None),
    ],
)
def test_a_users_number_is_never_misread(unite: Unite, ann: User, phone: str, suggestion: str | None) -> None:
    with pytest.raises(Invalid) as new:
        unite.identity.create_user(acting(ann), a_new_user(phone=phone))
    with pytest.raises(Invalid) as changed:
        unite.identity.update_user(acting(ann), UserChanges(user_id=ann.id, phone=phone))

    for refused in (new.value, changed.value):
        assert [(each.field, each.suggestion) for each in refused.problems] == [("phone", suggestion)]

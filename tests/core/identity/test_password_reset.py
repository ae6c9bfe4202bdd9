"""Tests of password resets: an admin creates a one-time password, which the user has to change."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.core.identity.conftest import EMAIL, add_ann
from unite_core import (
    Actor,
    Credentials,
    Forbidden,
    Invalid,
    NotFound,
    PasswordChange,
    Role,
    TokenPair,
    Unauthenticated,
    Unite,
    User,
    build,
)
from unite_core.identity.use_cases import OneTimePassword, PasswordReset
from unite_core.testing.builders import an_actor, an_id
from unite_core.testing.in_memory import FastPasswords, InMemoryPorts, in_memory_ports
from unite_core.testing.scenario import PASSWORD

NEW = "staple battery horse"
DAY = timedelta(hours=24)


def log_in(unite: Unite, password: str) -> TokenPair:
    return unite.identity.log_in(Credentials(email=EMAIL, password=password, address="192.0.2.1"))


def reset(unite: Unite, user: User, password: str | None = None) -> OneTimePassword:
    return unite.identity.reset_password(an_actor(), PasswordReset(user_id=user.id, password=password))


def change(unite: Unite, actor: Actor, current: str, new: str) -> None:
    unite.identity.change_password(actor, PasswordChange(current_password=current, new_password=new))


def actor_of(unite: Unite, pair: TokenPair) -> Actor:
    return unite.identity.authenticate(pair.access_token)


def test_after_a_reset_only_the_one_time_password_works(unite: Unite, ann: User) -> None:
    one_time = reset(unite, ann)

    with pytest.raises(Unauthenticated):
        log_in(unite, PASSWORD)
    assert actor_of(unite, log_in(unite, one_time.password)).user_id == ann.id
    assert one_time.password not in repr(one_time)


def test_a_reset_ends_all_sessions_of_the_user(unite: Unite, ann: User) -> None:
    pair = log_in(unite, PASSWORD)

    reset(unite, ann)

    with pytest.raises(Unauthenticated) as refused:
        actor_of(unite, pair)
    assert refused.value.code == "token_revoked"


def test_the_user_must_change_the_one_time_password_before_anything_else(unite: Unite, ann: User) -> None:
    pair = log_in(unite, reset(unite, ann, "a one-time password").password)
    me = actor_of(unite, pair)
    assert me.password_change_required

    change(unite, me, "a one-time password", NEW)

    assert not actor_of(unite, pair).password_change_required
    assert not actor_of(unite, log_in(unite, NEW)).password_change_required


def test_a_cached_session_requires_the_change_too(unite: Unite, ann: User) -> None:
    pair = log_in(unite, reset(unite, ann).password)

    first, snapshots_of = actor_of(unite, pair), actor_of(unite, pair)

    assert first == snapshots_of
    assert snapshots_of.password_change_required


def test_refreshed_tokens_still_require_the_change(unite: Unite, ann: User) -> None:
    pair = log_in(unite, reset(unite, ann).password)

    assert actor_of(unite, unite.identity.refresh(pair.refresh_token)).password_change_required


def test_a_session_cookie_requires_the_change_too(unite: Unite, ann: User) -> None:
    credentials = Credentials(email=EMAIL, password=reset(unite, ann).password, address="192.0.2.1")

    cookie = unite.identity.log_in_with_cookie(credentials)

    assert unite.identity.authenticate_cookie(cookie.value).actor.password_change_required


def test_a_one_time_password_is_valid_for_a_day(unite: Unite, ports: InMemoryPorts, ann: User) -> None:
    one_time = reset(unite, ann)
    assert one_time.expires_at == ports.clock.now() + DAY

    ports.clock.advance(DAY - timedelta(seconds=1))
    pair = log_in(unite, one_time.password)
    ports.clock.advance(timedelta(seconds=1))

    with pytest.raises(Unauthenticated) as refused:
        log_in(unite, one_time.password)
    assert refused.value.code == "invalid_credentials"
    with pytest.raises(Invalid) as wrong:
        change(unite, actor_of(unite, pair), one_time.password, NEW)
    assert wrong.value.code == "wrong_password"


def test_a_one_time_password_cannot_be_chosen_as_the_new_one(unite: Unite, ann: User) -> None:
    password = reset(unite, ann).password
    me = actor_of(unite, log_in(unite, password))

    with pytest.raises(Invalid) as refused:
        change(unite, me, password, password)

    assert [problem.code for problem in refused.value.problems] == ["unchanged"]
    assert actor_of(unite, log_in(unite, password)).password_change_required


def test_another_reset_replaces_the_one_time_password(unite: Unite, ann: User) -> None:
    first, second = reset(unite, ann), reset(unite, ann)

    with pytest.raises(Unauthenticated):
        log_in(unite, first.password)
    log_in(unite, second.password)


def test_a_rehash_at_login_keeps_the_password_a_one_time_password(
    unite: Unite, ports: InMemoryPorts, ann: User
) -> None:
    password = reset(unite, ann).password
    stronger = build(replace(ports, passwords=FastPasswords(strength=2)))

    pair = log_in(stronger, password)

    assert actor_of(stronger, pair).password_change_required
    assert unite.identity.get_user(an_actor(), ann.id).password_hash.startswith("2$")


def test_a_reset_increments_the_version_of_the_user(unite: Unite, ann: User) -> None:
    reset(unite, ann)

    assert unite.identity.get_user(an_actor(), ann.id).version == 2


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AGENT])
def test_only_admins_reset_passwords(unite: Unite, ann: User, role: Role) -> None:
    with pytest.raises(Forbidden):
        unite.identity.reset_password(an_actor(role), PasswordReset(user_id=ann.id))


def test_an_admin_cannot_reset_their_own_password(unite: Unite, ann: User) -> None:
    with pytest.raises(Forbidden):
        unite.identity.reset_password(an_actor(user_id=ann.id), PasswordReset(user_id=ann.id))


def test_an_unknown_user_is_not_found(unite: Unite) -> None:
    with pytest.raises(NotFound):
        unite.identity.reset_password(an_actor(), PasswordReset(user_id=an_id()))


def test_an_invalid_one_time_password_is_refused(unite: Unite, ann: User) -> None:
    with pytest.raises(Invalid) as refused:
        reset(unite, ann, "short")

    assert [(problem.field, problem.code) for problem in refused.value.problems] == [("password", "too_short")]
    log_in(unite, PASSWORD)


class Meanwhile(FastPasswords):
    """Does something else once, after the current password was compared and before the new one is stored."""

    do: Callable[[], object] | None = None

    def hash(self, password: str) -> str:
        do, self.do = self.do, None
        if do is not None:
            do()
        return super().hash(password)


def test_a_password_change_does_not_undo_a_concurrent_reset() -> None:
    passwords = Meanwhile()
    unite = build(in_memory_ports(passwords=passwords))
    ann = add_ann(unite)
    me = actor_of(unite, log_in(unite, PASSWORD))
    passwords.do = lambda: reset(unite, ann)

    with pytest.raises(Invalid) as refused:
        change(unite, me, PASSWORD, NEW)

    assert refused.value.code == "wrong_password"
    with pytest.raises(Unauthenticated):
        log_in(unite, NEW)

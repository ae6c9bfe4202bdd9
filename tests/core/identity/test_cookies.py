"""Tests of session cookies: they belong to the same sessions as tokens, and are renewed while they are used."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from unite_core import (
    Credentials,
    PasswordChange,
    Role,
    Rules,
    TooManyRequests,
    Unauthenticated,
    Unite,
    User,
    UserChanges,
    build,
)
from unite_core.identity.model import COOKIE_TTL, REFRESH_TOKEN_TTL
from unite_core.identity.use_cases.cookies import RENEW_AFTER
from unite_core.testing.builders import an_actor
from unite_core.testing.in_memory import InMemoryPorts
from unite_core.testing.scenario import PASSWORD

CREDENTIALS = Credentials(email="ann@unite.example", password=PASSWORD, address="192.0.2.1")


@pytest.fixture
def cookie(unite: Unite, ann: User) -> str:
    assert ann.active
    return unite.identity.log_in_with_cookie(CREDENTIALS).value


def code_of(unite: Unite, cookie: str) -> str | None:
    """Why the cookie is refused; None where it is good."""
    try:
        unite.identity.authenticate_cookie(cookie)
    except Unauthenticated as refused:
        return refused.code
    return None


def renewed(unite: Unite, cookie: str) -> str:
    renewal = unite.identity.authenticate_cookie(cookie).renewed
    assert renewal is not None
    return renewal.value


def test_a_cookie_contains_the_user_the_role_and_the_session(unite: Unite, ann: User) -> None:
    cookie = unite.identity.log_in_with_cookie(CREDENTIALS)

    actor = unite.identity.authenticate_cookie(cookie.value).actor

    assert (actor.user_id, actor.role) == (ann.id, Role.MANAGER)
    assert actor.session_id is not None
    assert actor == cookie.actor
    assert cookie.max_age == 12 * 60 * 60


def test_an_access_token_is_not_accepted_as_a_cookie_nor_a_cookie_as_a_token(unite: Unite, cookie: str) -> None:
    pair = unite.identity.log_in(CREDENTIALS)

    assert code_of(unite, pair.access_token) == "invalid_token"
    with pytest.raises(Unauthenticated) as refused:
        unite.identity.authenticate(cookie)
    assert refused.value.code == "invalid_token"


@pytest.mark.usefixtures("ann")
def test_logins_by_cookie_count_against_the_same_limit(ports: InMemoryPorts) -> None:
    unite = build(ports, Rules(logins_per_minute=2))
    unite.identity.log_in(CREDENTIALS)
    unite.identity.log_in_with_cookie(CREDENTIALS)

    with pytest.raises(TooManyRequests) as refused:
        unite.identity.log_in_with_cookie(CREDENTIALS)

    assert refused.value.code == "too_many_logins"


def test_a_young_cookie_is_not_renewed(unite: Unite, ports: InMemoryPorts, cookie: str) -> None:
    ports.clock.advance(RENEW_AFTER - timedelta(seconds=1))

    assert unite.identity.authenticate_cookie(cookie).renewed is None


def test_a_used_cookie_is_renewed_and_an_unused_one_expires(unite: Unite, ports: InMemoryPorts, cookie: str) -> None:
    ports.clock.advance(COOKIE_TTL - timedelta(seconds=1))
    next_cookie = renewed(unite, cookie)
    ports.clock.advance(timedelta(seconds=1))

    assert code_of(unite, cookie) == "token_expired"
    ports.clock.advance(COOKIE_TTL - timedelta(seconds=2))
    assert code_of(unite, next_cookie) is None


def test_concurrent_renewals_of_several_tabs_all_succeed(unite: Unite, ports: InMemoryPorts, cookie: str) -> None:
    ports.clock.advance(RENEW_AFTER)

    of_tabs = [renewed(unite, cookie) for _ in range(3)]

    assert len(set(of_tabs)) == 3
    assert [code_of(unite, value) for value in [cookie, *of_tabs]] == [None] * 4


def test_no_cookie_is_valid_longer_than_its_session(unite: Unite, ports: InMemoryPorts, cookie: str) -> None:
    steps = REFRESH_TOKEN_TTL // timedelta(hours=6)
    for _ in range(steps - 1):
        ports.clock.advance(timedelta(hours=6))
        cookie = renewed(unite, cookie)

    ports.clock.advance(timedelta(hours=6))

    assert code_of(unite, cookie) == "token_revoked"


def log_out(unite: Unite, ann: User, cookie: str) -> None:
    assert ann.active
    unite.identity.log_out(unite.identity.authenticate_cookie(cookie).actor)


def log_out_everywhere(unite: Unite, ann: User, _: str) -> None:
    other = unite.identity.authenticate(unite.identity.log_in(CREDENTIALS).access_token)
    assert other.user_id == ann.id
    unite.identity.log_out_everywhere(other)


def deactivate(unite: Unite, ann: User, _: str) -> None:
    unite.identity.update_user(an_actor(Role.ADMIN), UserChanges(user_id=ann.id, active=False))


def change_role(unite: Unite, ann: User, _: str) -> None:
    unite.identity.update_user(an_actor(Role.ADMIN), UserChanges(user_id=ann.id, role=Role.AGENT))


def change_password(unite: Unite, ann: User, _: str) -> None:
    elsewhere = unite.identity.authenticate(unite.identity.log_in(CREDENTIALS).access_token)
    assert elsewhere.user_id == ann.id
    change = PasswordChange(current_password=PASSWORD, new_password="another horse battery")
    unite.identity.change_password(elsewhere, change)


@pytest.mark.parametrize("end", [log_out, log_out_everywhere, deactivate, change_role, change_password])
def test_the_end_of_a_session_ends_all_of_its_cookies(
    unite: Unite, ports: InMemoryPorts, ann: User, cookie: str, end: Callable[[Unite, User, str], None]
) -> None:
    ports.clock.advance(RENEW_AFTER)
    next_cookie = renewed(unite, cookie)

    end(unite, ann, next_cookie)

    assert {code_of(unite, cookie), code_of(unite, next_cookie)} == {"token_revoked"}

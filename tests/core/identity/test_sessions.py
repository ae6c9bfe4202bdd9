"""Tests of login, refresh tokens, logout, password changes, and the limits of attempts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from unite_core import (
    Actor,
    Credentials,
    Invalid,
    NewUser,
    PageRequest,
    PasswordChange,
    Quotas,
    Role,
    Rules,
    TokenPair,
    TooManyRequests,
    Unauthenticated,
    Unite,
    User,
    UserChanges,
    UserFilter,
    build,
)
from unite_core.identity.model import ACCESS_TOKEN_TTL, REFRESH_TOKEN_TTL
from unite_core.identity.use_cases.sessions import digest
from unite_core.testing.builders import an_actor, an_id
from unite_core.testing.in_memory import FastPasswords, InMemoryPorts, in_memory_ports
from unite_core.testing.scenario import PASSWORD

ADDRESS = "192.0.2.1"


def log_in(
    unite: Unite, email: str = "ann@unite.example", password: str = PASSWORD, address: str = ADDRESS
) -> TokenPair:
    return unite.identity.log_in(Credentials(email=email, password=password, address=address))


def code_of(unite: Unite, access_token: str) -> str | None:
    """Why the access token is no good; None if it is."""
    try:
        unite.identity.authenticate(access_token)
    except Unauthenticated as refused:
        return refused.code
    return None


def test_the_access_token_of_a_login_identifies_the_user(unite: Unite, ann: User) -> None:
    pair = log_in(unite, " ANN@unite.example ")

    actor = unite.identity.authenticate(pair.access_token)

    assert (actor.user_id, actor.role) == (ann.id, Role.MANAGER)
    assert actor.session_id is not None
    assert pair.expires_in == 15 * 60


@pytest.mark.parametrize(
    ("email", "password"),
    [("ann@unite.example", "wrong"), ("nobody@unite.example", PASSWORD), ("gone@unite.example", PASSWORD)],
    ids=["wrong password", "unknown address", "deactivated"],
)
@pytest.mark.usefixtures("ann")
def test_every_failed_login_gets_the_same_error(unite: Unite, email: str, password: str) -> None:
    gone = NewUser(email="gone@unite.example", name="Gone", role=Role.AGENT, password=PASSWORD)
    user = unite.identity.create_user.unchecked(gone)
    unite.identity.update_user(an_actor(Role.ADMIN), UserChanges(user_id=user.id, active=False))

    with pytest.raises(Unauthenticated) as refused:
        log_in(unite, email, password)

    assert refused.value.code == "invalid_credentials"
    assert refused.value.detail == "The e-mail address or the password is wrong."


class Leaving(FastPasswords):
    """While the password is looked at, the user is deactivated."""

    def __init__(self) -> None:
        super().__init__()
        self.unite: Unite | None = None

    def matches(self, password: str, password_hash: str | None) -> bool:
        if self.unite is not None:
            user = self.unite.identity.list_users(an_actor(), UserFilter(), PageRequest()).items[0]
            self.unite.identity.update_user(an_actor(), UserChanges(user_id=user.id, active=False))
        return super().matches(password, password_hash)


def test_a_user_who_is_deactivated_during_the_login_is_refused() -> None:
    passwords = Leaving()
    unite = build(in_memory_ports(passwords=passwords))
    unite.identity.create_user.unchecked(
        NewUser(email="ann@unite.example", name="Ann", role=Role.MANAGER, password=PASSWORD)
    )
    passwords.unite = unite

    with pytest.raises(Unauthenticated) as refused:
        log_in(unite)

    assert refused.value.code == "invalid_credentials"


@pytest.mark.usefixtures("ann")
def test_logins_are_limited_per_account(unite: Unite, ports: InMemoryPorts) -> None:
    for _ in range(10):
        log_in(unite)

    with pytest.raises(TooManyRequests) as refused:
        log_in(unite, "Ann@unite.example", address="192.0.2.2")

    assert (refused.value.code, refused.value.retry_after) == ("too_many_logins", 60)
    ports.clock.advance(timedelta(seconds=60))
    log_in(unite)


@pytest.mark.usefixtures("ann")
def test_failed_logins_are_limited_per_address_and_successful_ones_are_not(unite: Unite) -> None:
    for number in range(50):
        with pytest.raises(Unauthenticated):
            log_in(unite, f"user{number}@unite.example")

    with pytest.raises(TooManyRequests):
        log_in(unite)
    log_in(unite, address="192.0.2.2")


@pytest.mark.usefixtures("ann")
def test_a_blocked_address_does_not_use_up_the_attempts_of_an_account(unite: Unite) -> None:
    for number in range(50):
        with pytest.raises(Unauthenticated):
            log_in(unite, f"user{number}@unite.example")

    for _ in range(20):
        with pytest.raises(TooManyRequests):
            log_in(unite, password="guessed password")

    assert log_in(unite, address="192.0.2.2").access_token


def test_the_limit_is_a_setting_and_can_be_turned_off(ports: InMemoryPorts) -> None:
    strict, free = build(ports, Rules(logins_per_minute=1)), build(ports, Rules(logins_per_minute=0))
    with pytest.raises(Unauthenticated):
        log_in(strict)
    with pytest.raises(TooManyRequests):
        log_in(strict)

    for _ in range(100):
        with pytest.raises(Unauthenticated):
            log_in(free)


def test_an_outdated_password_hash_is_renewed_at_login(ann: User, ports: InMemoryPorts) -> None:
    stronger = build(
        in_memory_ports(work=ports.work, reads=ports.reads, passwords=FastPasswords(2), tokens=ports.tokens)
    )

    log_in(stronger)

    with ports.reads() as reads:
        renewed = reads.users.get(ann.id)
    assert not FastPasswords(2).needs_rehash(renewed.password_hash)
    assert renewed.version == ann.version + 1
    log_in(stronger)
    with ports.reads() as reads:
        assert reads.users.get(ann.id) == renewed


@pytest.mark.usefixtures("ann")
def test_an_access_token_is_valid_for_15_minutes(unite: Unite, ports: InMemoryPorts) -> None:
    pair = log_in(unite)
    ports.clock.advance(ACCESS_TOKEN_TTL - timedelta(seconds=1))
    assert code_of(unite, pair.access_token) is None
    ports.clock.advance(timedelta(seconds=1))

    assert code_of(unite, pair.access_token) == "token_expired"
    assert code_of(unite, pair.access_token[:-1]) == "invalid_token"


def test_a_refresh_token_can_be_used_once(unite: Unite, ann: User) -> None:
    first = log_in(unite)

    second = unite.identity.refresh(first.refresh_token)

    assert second.refresh_token != first.refresh_token
    assert unite.identity.authenticate(second.access_token).user_id == ann.id
    assert unite.identity.refresh(second.refresh_token).expires_in == 15 * 60


@pytest.mark.usefixtures("ann")
def test_a_reused_refresh_token_revokes_its_session(unite: Unite) -> None:
    first, other = log_in(unite), log_in(unite)
    second = unite.identity.refresh(first.refresh_token)

    with pytest.raises(Unauthenticated) as reused:
        unite.identity.refresh(first.refresh_token)
    with pytest.raises(Unauthenticated) as revoked:
        unite.identity.refresh(second.refresh_token)

    with pytest.raises(Unauthenticated) as reused_again:
        unite.identity.refresh(first.refresh_token)

    assert (reused.value.code, revoked.value.code) == ("token_reused", "invalid_token")
    assert reused_again.value.code == "token_reused"
    assert code_of(unite, second.access_token) == "token_revoked"
    assert code_of(unite, other.access_token) is None


@pytest.mark.usefixtures("ann")
def test_a_refresh_token_is_valid_for_30_days_after_its_creation(unite: Unite, ports: InMemoryPorts) -> None:
    pair = log_in(unite)
    ports.clock.advance(REFRESH_TOKEN_TTL - timedelta(seconds=1))
    pair = unite.identity.refresh(pair.refresh_token)
    ports.clock.advance(REFRESH_TOKEN_TTL)

    with pytest.raises(Unauthenticated) as refused:
        unite.identity.refresh(pair.refresh_token)

    assert refused.value.code == "invalid_token"


@pytest.mark.parametrize("text", ["", "made up", "\ud800"])
def test_an_unknown_refresh_token_is_refused(unite: Unite, text: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        unite.identity.refresh(text)

    assert refused.value.code == "invalid_token"


@pytest.mark.usefixtures("ann")
def test_logging_out_ends_only_the_current_session(unite: Unite) -> None:
    here, there = log_in(unite), log_in(unite)

    actor = unite.identity.authenticate(here.access_token)
    unite.identity.log_out(actor)
    unite.identity.log_out(actor)

    assert code_of(unite, here.access_token) == "token_revoked"
    with pytest.raises(Unauthenticated):
        unite.identity.refresh(here.refresh_token)
    assert code_of(unite, there.access_token) is None


def test_logging_out_without_a_session_is_not_an_error(unite: Unite, ann: User) -> None:
    pair = log_in(unite)

    unite.identity.log_out(Actor(user_id=ann.id, role=ann.role))

    assert code_of(unite, pair.access_token) is None


@pytest.mark.usefixtures("ann")
def test_logging_out_everywhere_ends_all_sessions_of_the_user(unite: Unite) -> None:
    pairs = [log_in(unite) for _ in range(2)]
    ben = NewUser(email="ben@unite.example", name="Ben", role=Role.AGENT, password=PASSWORD)
    unite.identity.create_user.unchecked(ben)
    bens = log_in(unite, "ben@unite.example")

    unite.identity.log_out_everywhere(unite.identity.authenticate(pairs[0].access_token))

    assert [code_of(unite, pair.access_token) for pair in pairs] == ["token_revoked", "token_revoked"]
    assert code_of(unite, bens.access_token) is None


@pytest.mark.usefixtures("ann")
def test_a_token_with_the_session_of_another_user_is_refused(unite: Unite, ports: InMemoryPorts) -> None:
    claims = ports.tokens.read(log_in(unite).access_token, now=ports.clock.now())
    forged = ports.tokens.issue(replace(claims, user_id=an_id()))

    assert code_of(unite, forged) == "token_revoked"


@pytest.mark.usefixtures("ann")
def test_a_password_change_ends_all_other_sessions(unite: Unite) -> None:
    here, there = log_in(unite), log_in(unite)
    actor = unite.identity.authenticate(here.access_token)

    unite.identity.change_password(actor, PasswordChange(current_password=PASSWORD, new_password="another password"))

    assert code_of(unite, here.access_token) is None
    assert code_of(unite, there.access_token) == "token_revoked"
    log_in(unite, password="another password")
    with pytest.raises(Unauthenticated):
        log_in(unite)


def test_a_password_change_without_a_session_ends_all_sessions(unite: Unite, ann: User) -> None:
    pair = log_in(unite)

    unite.identity.change_password(
        Actor(user_id=ann.id, role=ann.role), PasswordChange(current_password=PASSWORD, new_password="another password")
    )

    assert code_of(unite, pair.access_token) == "token_revoked"


def test_a_password_change_is_in_effect_until_the_next_one(unite: Unite, ann: User) -> None:
    actor = Actor(user_id=ann.id, role=ann.role)
    change = PasswordChange(current_password=PASSWORD, new_password="another password")
    unite.identity.change_password(actor, change)

    unite.identity.change_password.require_in_force(actor, change)

    unite.identity.change_password(actor, PasswordChange(current_password="another password", new_password=PASSWORD))
    with pytest.raises(Invalid) as refused:
        unite.identity.change_password.require_in_force(actor, change)
    assert refused.value.code == "wrong_password"


@pytest.mark.parametrize(
    ("current", "new", "code", "field"),
    [
        ("wrong password", "another password", "wrong_password", "current_password"),
        (PASSWORD, "a" * 11, "too_short", "new_password"),
        (PASSWORD, "a" * 257, "too_long", "new_password"),
        (PASSWORD, "e\u0301" * 11, "too_short", "new_password"),
        (PASSWORD, "another\x7fpassword", "control_character", "new_password"),
    ],
)
@pytest.mark.usefixtures("ann")
def test_a_password_change_needs_the_current_password_and_a_valid_new_one(
    unite: Unite, current: str, new: str, code: str, field: str
) -> None:
    pair = log_in(unite)

    with pytest.raises(Invalid) as refused:
        unite.identity.change_password(
            unite.identity.authenticate(pair.access_token), PasswordChange(current_password=current, new_password=new)
        )

    assert [(problem.field, problem.code) for problem in refused.value.problems] == [(field, code)]
    log_in(unite)


def test_attempts_to_guess_the_current_password_are_limited_like_logins(
    unite: Unite, ann: User, ports: InMemoryPorts
) -> None:
    me = Actor(user_id=ann.id, role=ann.role)
    for _ in range(10):
        with pytest.raises(Invalid):
            unite.identity.change_password(
                me, PasswordChange(current_password="wrong", new_password="another password")
            )

    right = PasswordChange(current_password=PASSWORD, new_password="another password")
    with pytest.raises(TooManyRequests) as refused:
        unite.identity.change_password(me, right)

    assert (refused.value.code, refused.value.retry_after) == ("too_many_logins", 60)
    log_in(unite)
    ports.clock.advance(timedelta(seconds=60))
    unite.identity.change_password(me, right)


def test_guesses_of_one_user_do_not_count_against_another(unite: Unite, ann: User) -> None:
    for _ in range(10):
        with pytest.raises(Invalid):
            unite.identity.change_password(
                Actor(user_id=ann.id, role=ann.role),
                PasswordChange(current_password="", new_password="another password"),
            )
    ben = unite.identity.create_user.unchecked(
        NewUser(email="ben@unite.example", name="Ben", role=Role.AGENT, password=PASSWORD)
    )

    unite.identity.change_password(
        Actor(user_id=ben.id, role=ben.role), PasswordChange(current_password=PASSWORD, new_password="another password")
    )


def test_a_limit_of_0_allows_any_number_of_password_changes(ann: User, ports: InMemoryPorts) -> None:
    free = build(ports, Rules(logins_per_minute=0))

    for _ in range(100):
        with pytest.raises(Invalid):
            free.identity.change_password(
                Actor(user_id=ann.id, role=ann.role),
                PasswordChange(current_password="", new_password="another password"),
            )


def test_a_password_is_the_same_in_every_unicode_normalization(unite: Unite) -> None:
    composed, decomposed = " Zo\u00eb reitet nach Z\u00fcrich ", " Zoe\u0308 reitet nach Zu\u0308rich "
    zoe = unite.identity.create_user.unchecked(
        NewUser(email="zoe@unite.example", name="Zoë", role=Role.AGENT, password=decomposed)
    )
    me = Actor(user_id=zoe.id, role=zoe.role)

    log_in(unite, zoe.email, composed)
    log_in(unite, zoe.email, decomposed)
    for trimmed in (composed.strip(), decomposed.strip()):
        with pytest.raises(Unauthenticated):
            log_in(unite, zoe.email, trimmed)
    unite.identity.change_password(me, PasswordChange(current_password=decomposed, new_password=composed + "u\u0308"))
    log_in(unite, zoe.email, composed + "\u00fc")
    unite.identity.change_password(me, PasswordChange(current_password=composed + "\u00fc", new_password=decomposed))
    log_in(unite, zoe.email, composed)


@pytest.mark.usefixtures("ann")
def test_the_latest_refresh_token_of_an_expired_session_is_invalid_and_an_older_one_is_reused(
    unite: Unite, ports: InMemoryPorts
) -> None:
    first = log_in(unite)
    second = unite.identity.refresh(first.refresh_token)
    ports.clock.advance(REFRESH_TOKEN_TTL)

    codes = []
    for pair in (second, first):
        with pytest.raises(Unauthenticated) as refused:
            unite.identity.refresh(pair.refresh_token)
        codes.append(refused.value.code)

    assert codes == ["invalid_token", "token_reused"]


@pytest.mark.usefixtures("ann")
def test_sessions_are_deleted_a_week_after_they_expired(unite: Unite, ports: InMemoryPorts) -> None:
    pair = log_in(unite)
    unite.identity.refresh(pair.refresh_token)
    ports.clock.advance(REFRESH_TOKEN_TTL + timedelta(days=7))
    assert unite.upkeep.purge_sessions() == 0
    ports.clock.advance(timedelta(seconds=1))

    assert unite.upkeep.purge_sessions() == 1
    with ports.reads() as reads:
        assert reads.sessions.find_by_refresh(digest(pair.refresh_token)) is None


@pytest.mark.parametrize("typed", ["Ann@xn--mller-kva.example", " ann@MÜLLER.example ", "ann@mu\u0308ller.example"])
def test_an_email_address_is_recognised_in_every_spelling(unite: Unite, typed: str) -> None:
    unite.identity.create_user.unchecked(
        NewUser(email="ann@müller.example", name="A", role=Role.AGENT, password=PASSWORD)
    )

    assert log_in(unite, typed).access_token


class PasswordsWithAPause(FastPasswords):
    """Something happens between the comparison of a password and what follows from it."""

    meanwhile: Callable[[], object] | None = None

    def matches(self, password: str, password_hash: str | None) -> bool:
        matches = super().matches(password, password_hash)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return matches


@pytest.mark.parametrize("strength", [1, 2], ids=["as it is", "to be hashed anew"])
def test_a_login_fails_if_the_password_is_changed_meanwhile(strength: int) -> None:
    ports = in_memory_ports()
    ann = build(ports).identity.create_user.unchecked(
        NewUser(email="ann@unite.example", name="Ann", role=Role.MANAGER, password=PASSWORD)
    )
    passwords = PasswordsWithAPause(strength)
    unite = build(replace(ports, passwords=passwords))
    me = Actor(user_id=ann.id, role=ann.role)
    change = PasswordChange(current_password=PASSWORD, new_password="another horse battery")
    passwords.meanwhile = lambda: unite.identity.change_password(me, change)

    with pytest.raises(Unauthenticated) as refused:
        log_in(unite)

    assert refused.value.code == "invalid_credentials"
    assert log_in(unite, password="another horse battery").access_token


def test_a_login_succeeds_if_another_login_rehashes_the_password_meanwhile() -> None:
    ports = in_memory_ports()
    build(ports).identity.create_user.unchecked(
        NewUser(email="ann@unite.example", name="Ann", role=Role.MANAGER, password=PASSWORD)
    )
    passwords = PasswordsWithAPause(2)
    unite = build(replace(ports, passwords=passwords))
    passwords.meanwhile = lambda: log_in(unite)

    assert log_in(unite).access_token


def test_a_password_change_succeeds_if_a_login_rehashes_the_password_meanwhile() -> None:
    ports = in_memory_ports()
    ann = build(ports).identity.create_user.unchecked(
        NewUser(email="ann@unite.example", name="Ann", role=Role.MANAGER, password=PASSWORD)
    )
    passwords = PasswordsWithAPause(2)
    unite = build(replace(ports, passwords=passwords))
    passwords.meanwhile = lambda: log_in(unite)

    unite.identity.change_password(
        Actor(user_id=ann.id, role=ann.role),
        PasswordChange(current_password=PASSWORD, new_password="another horse battery"),
    )

    assert log_in(unite, password="another horse battery").access_token


def test_a_login_beyond_the_quota_of_sessions_ends_the_oldest(ports: InMemoryPorts, ann: User) -> None:
    unite = build(ports, Rules(logins_per_minute=0, quotas=Quotas(sessions=3)))
    pairs = []
    for _ in range(5):
        pairs.append(log_in(unite))
        ports.clock.advance(timedelta(seconds=1))

    assert [code_of(unite, pair.access_token) for pair in pairs] == ["token_revoked", "token_revoked", None, None, None]
    assert ann.active


def test_a_used_session_is_kept_longer_than_an_unused_one(ports: InMemoryPorts, ann: User) -> None:
    unite = build(ports, Rules(logins_per_minute=0, quotas=Quotas(sessions=2)))
    first, second = log_in(unite), log_in(unite)
    ports.clock.advance(timedelta(seconds=1))
    renewed = unite.identity.refresh(first.refresh_token)

    third = log_in(unite)

    tokens = [pair.access_token for pair in (renewed, second, third)]
    assert [code_of(unite, token) for token in tokens] == [None, "token_revoked", None]
    assert ann.active


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("a" + "\u0301" * 200_000 + "\u0323" * 200_000, PASSWORD),
        ("ann@unite.example", "a" + "\u0301" * 200_000 + "\u0323" * 200_000),
        ("ann@unite.example", PASSWORD + "x" * 1_000_000),
        ("ann@unite.example" + " " * 20_000, PASSWORD),
    ],
)
def test_credentials_that_are_too_long_are_refused_like_wrong_ones(
    unite: Unite, ann: User, email: str, password: str
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        log_in(unite, email, password)

    assert refused.value.code == "invalid_credentials"
    assert log_in(unite, ann.email).access_token

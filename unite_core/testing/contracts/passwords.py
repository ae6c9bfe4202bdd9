"""Contract tests of password hashing and tokens."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from unite_core.errors import Unauthenticated
from unite_core.identity.model import ACCESS_TOKEN_TTL, Role
from unite_core.identity.ports import AccessClaims, Passwords, Tokens
from unite_core.identity.validation import password_error
from unite_core.testing.builders import an_id
from unite_core.testing.contracts.missing import missing_fixture
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_NOW = A_MONDAY_MORNING


class PasswordsContract:
    """Derive a test class with fixtures `passwords`, and `stronger`: the same with stronger parameters."""

    @pytest.fixture
    def passwords(self) -> Passwords:
        """Return the password hashing under test."""
        raise missing_fixture(self, "passwords", "the `Passwords` under test")

    @pytest.fixture
    def stronger(self) -> Passwords:
        """Return the same with stronger parameters."""
        raise missing_fixture(self, "stronger", "`Passwords` like those under test, with stronger parameters")

    def test_a_password_matches_its_hash_and_no_other(self, passwords: Passwords) -> None:
        hashed = passwords.hash("correct horse battery")

        assert passwords.matches("correct horse battery", hashed)
        assert not passwords.matches("correct horse batterz", hashed)
        assert not passwords.matches("", hashed)

    @pytest.mark.parametrize(
        ("password", "other"),
        [
            ("x" * 72 + " and more", "x" * 72 + " and other"),
            ("x" * 255 + "a", "x" * 255 + "b"),
            ("correct horse\0battery", "correct horse\0staple"),
            ("correct horse battery", "Correct horse battery"),
            ("correct horse battery", " correct horse battery"),
            ("correct horse battery", "correct horse battery\n"),
            ("pässword of Zoë", "pssword of Zo"),
            ("pässword of Zoë", "password of Zoe"),
        ],
        ids=["72 bytes", "255 characters", "zero", "case", "space", "line", "left out", "accents"],
    )
    def test_every_character_of_a_password_counts(self, passwords: Passwords, password: str, other: str) -> None:
        hashed = passwords.hash(password)

        assert passwords.matches(password, hashed)
        assert not passwords.matches(other, hashed)

    def test_no_password_matches_a_missing_hash(self, passwords: Passwords) -> None:
        assert not passwords.matches("correct horse battery", None)

    def test_the_same_password_has_another_hash_each_time(self, passwords: Passwords) -> None:
        assert passwords.hash("correct horse battery") != passwords.hash("correct horse battery")

    def test_a_hash_does_not_contain_the_password(self, passwords: Passwords) -> None:
        assert "correct horse" not in passwords.hash("correct horse battery")

    def test_a_password_may_be_written_in_any_script(self, passwords: Passwords) -> None:
        hashed = passwords.hash("пароль 密码 🔑🔑🔑")

        assert passwords.matches("пароль 密码 🔑🔑🔑", hashed)

    def test_a_hash_made_with_weaker_parameters_is_outdated_and_still_matches(
        self, passwords: Passwords, stronger: Passwords
    ) -> None:
        hashed = passwords.hash("correct horse battery")

        assert not passwords.needs_rehash(hashed)
        assert stronger.needs_rehash(hashed)
        assert stronger.matches("correct horse battery", hashed)

    def test_one_time_passwords_are_new_each_time_and_good_passwords(self, passwords: Passwords) -> None:
        one, other = passwords.new_one_time_password(), passwords.new_one_time_password()

        assert one != other
        assert password_error("password", one) is None
        assert re.fullmatch("[a-z0-9-]+", one)


class TokensContract:
    """Derive a test class with a fixture `tokens`."""

    @pytest.fixture
    def tokens(self) -> Tokens:
        """Return the tokens under test."""
        raise missing_fixture(self, "tokens", "the `Tokens` under test")

    @pytest.mark.parametrize("role", list(Role))
    def test_a_token_carries_its_claims(self, tokens: Tokens, role: Role) -> None:
        claims = _claims(role=role)

        assert tokens.read(tokens.issue(claims), now=_NOW) == claims

    def test_moments_of_a_token_are_kept_to_the_microsecond(self, tokens: Tokens) -> None:
        moment = _NOW + timedelta(microseconds=123457)
        claims = replace(_claims(), issued_at=moment, expires_at=moment + ACCESS_TOKEN_TTL)

        assert tokens.read(tokens.issue(claims), now=moment) == claims

    def test_a_token_of_the_future_is_refused(self, tokens: Tokens) -> None:
        token = tokens.issue(_claims())

        with pytest.raises(Unauthenticated) as refused:
            tokens.read(token, now=_NOW - timedelta(hours=1))

        assert refused.value.code == "invalid_token"

    def test_a_token_with_an_addition_is_refused(self, tokens: Tokens) -> None:
        token = tokens.issue(_claims())

        for changed in (f"{token}.", f"{token}.x", f"{token}A", f" {token}", f"{token} ", f"{token}\n", f"{token}="):
            with pytest.raises(Unauthenticated) as refused:
                tokens.read(changed, now=_NOW)
            assert refused.value.code == "invalid_token"

    def test_a_token_is_valid_until_it_expires(self, tokens: Tokens) -> None:
        claims = _claims()
        token = tokens.issue(claims)

        assert tokens.read(token, now=_NOW + ACCESS_TOKEN_TTL - timedelta(seconds=1)) == claims
        with pytest.raises(Unauthenticated) as refused:
            tokens.read(token, now=_NOW + ACCESS_TOKEN_TTL)
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
    def test_a_text_that_is_no_token_is_refused(self, tokens: Tokens, text: str) -> None:
        with pytest.raises(Unauthenticated) as refused:
            tokens.read(text, now=_NOW)

        assert refused.value.code == "invalid_token"

    def test_refresh_tokens_are_long_and_never_the_same(self, tokens: Tokens) -> None:
        made = {tokens.new_refresh_token() for _ in range(100)}

        assert len(made) == 100
        assert all(len(token) >= 43 for token in made)  # 256 bits in base64


def _claims(role: Role = Role.AGENT) -> AccessClaims:
    return AccessClaims(
        user_id=an_id(),
        role=role,
        session_id=an_id(),
        token_id=an_id(),
        issued_at=_NOW,
        expires_at=_NOW + ACCESS_TOKEN_TTL,
    )


def _flipped(part: str) -> str:
    """Return the text with one character in its middle changed."""
    middle = len(part) // 2
    return part[:middle] + ("A" if part[middle] != "A" else "B") + part[middle + 1 :]

"""Sessions, passwords, tokens, idempotency keys, counted uses and rate limits that are broken."""

import unicodedata
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.contracts.broken.making import (
    Port,
    cut,
    doing_nothing,
    returning,
    storing,
    uncopied,
    with_methods,
    without_microseconds,
)
from tests.contracts.broken.small_units import units_suite
from unite_core.idempotency_keys import STORED_ANSWER_TTL
from unite_core.testing.contracts import (
    IdempotencyKeysContract,
    PasswordsContract,
    RateLimitsContract,
    SessionsContract,
    TokensContract,
    UsageContract,
)
from unite_core.testing.in_memory import FastPasswords, FastTokens, FixedClock, InMemoryRateLimits
from unite_core.testing.in_memory.idempotency_keys import InMemoryIdempotencyKeys
from unite_core.testing.in_memory.identity import InMemorySessions
from unite_core.testing.in_memory.usage import InMemoryUsage


def _alive(self: Any, user_id: Any, now: Any) -> list[Any]:
    return [it for it in self._sessions.values() if it.user_id == user_id and it.alive(now)]


def _revoke_everything(self: Any, user_id: Any, *, now: Any) -> int:
    of_user = [it for it in self._sessions.values() if it.user_id == user_id]
    for session in of_user:
        InMemorySessions.save(self, replace(session, revoked_at=now))
    return len(of_user)


def _revoke_newest(self: Any, user_id: Any, *, keep: int, now: Any) -> int:
    newest = sorted(_alive(self, user_id, now), key=lambda it: (it.expires_at, it.id))[keep:]
    for session in newest:
        InMemorySessions.save(self, replace(session, revoked_at=now))
    return len(newest)


def _revoke_by_id(self: Any, user_id: Any, *, keep: int, now: Any) -> int:
    oldest = sorted(_alive(self, user_id, now), key=lambda it: it.id, reverse=True)[keep:]
    for session in oldest:
        InMemorySessions.save(self, replace(session, revoked_at=now))
    return len(oldest)


def _forget_earlier_tokens(self: Any, session: Any) -> None:
    for digest in [digest for digest, it in self._refreshes.items() if it == session.id]:
        del self._refreshes[digest]
    InMemorySessions.save(self, session)


def _purge_sessions(self: Any, *, before: Any, limit: int) -> int:
    purged: int = InMemorySessions.purge(self, before=before + timedelta(microseconds=1), limit=limit)
    return purged


SESSIONS = Port(
    name="Sessions",
    suite=units_suite(SessionsContract, "sessions"),
    right=InMemorySessions,
    broken={
        "save does nothing": doing_nothing(InMemorySessions, "save"),
        "moments are cut to seconds": storing(InMemorySessions, without_microseconds, "add", "save"),
        "digests are cut": storing(InMemorySessions, cut("current_refresh", 32), "add", "save"),
        "earlier tokens are unknown after a rotation": with_methods(InMemorySessions, save=_forget_earlier_tokens),
        "a revoked session is not found": returning(
            InMemorySessions, "get", lambda it: None if it is None or it.revoked_at else it
        ),
        "the session of an inactive user is not found": returning(
            InMemorySessions, "get_with_user", lambda it: it if it and it[1].active else None
        ),
        "all sessions of a user are revoked anew": with_methods(InMemorySessions, revoke_all=_revoke_everything),
        "the newest sessions are revoked": with_methods(InMemorySessions, revoke_oldest=_revoke_newest),
        "the age of a session is that of its id": with_methods(InMemorySessions, revoke_oldest=_revoke_by_id),
        "a session that expires at the moment is purged": with_methods(InMemorySessions, purge=_purge_sessions),
        "a purge has no limit": with_methods(
            InMemorySessions,
            purge=lambda self, *, before, limit: InMemorySessions.purge(self, before=before, limit=limit + 1000),
        ),
        "a read session is the stored one": uncopied(InMemorySessions, "add", "get"),
        "the digest is compared by its beginning": with_methods(
            InMemorySessions,
            find_by_refresh=lambda self, digest: next(
                (self.get(it) for known, it in self._refreshes.items() if known[:8] == digest[:8]), None
            ),
        ),
    },
)


def _passwords_suite(adapter: Any) -> type:
    class Suite(PasswordsContract):
        @pytest.fixture
        def passwords(self) -> Any:
            return adapter()

        @pytest.fixture
        def stronger(self) -> Any:
            return adapter(strength=2)

    return Suite


def _seeing(change: Callable[[str], str]) -> Any:
    """Return passwords that hash something else than what was entered."""
    return with_methods(
        FastPasswords,
        _hash=lambda self, password, salt, strength: FastPasswords._hash(self, change(password), salt, strength),
    )


PASSWORDS = Port(
    name="Passwords",
    suite=_passwords_suite,
    right=FastPasswords,
    broken={
        "passwords end at 72 bytes": _seeing(
            lambda text: text.encode("utf-8", "ignore")[:72].decode("utf-8", "ignore")
        ),
        "passwords end at a zero": _seeing(lambda text: text.partition("\0")[0]),
        "passwords are compared without case": _seeing(str.casefold),
        "passwords are stripped": _seeing(str.strip),
        "passwords are ASCII": _seeing(lambda text: text.encode("ascii", "ignore").decode()),
        "everything matches a missing hash": with_methods(
            FastPasswords,
            matches=lambda self, password, hashed: hashed is None or FastPasswords.matches(self, password, hashed),
        ),
        "no hash is outdated": doing_nothing(FastPasswords, "needs_rehash", result=False),
        "every hash is outdated": doing_nothing(FastPasswords, "needs_rehash", result=True),
        "one-time passwords are short": with_methods(
            FastPasswords, new_one_time_password=lambda self: f"{next(self._salts):04}"
        ),
        "one-time passwords are the same": doing_nothing(
            FastPasswords, "new_one_time_password", result="one-time-password-for-everybody"
        ),
    },
)


def _tokens_suite(adapter: Any) -> type:
    class Suite(TokensContract):
        @pytest.fixture
        def tokens(self) -> Any:
            return adapter()

    return Suite


def _reading(change: Callable[[str], str]) -> Any:
    """Return tokens that read something else than what they get."""
    return with_methods(FastTokens, read=lambda self, token, *, now: FastTokens.read(self, change(token), now=now))


def _completed(body: str, signature: str) -> str:
    """Return the right signature if the given one begins as it does."""
    right = FastTokens()._signature(body)
    return right if right[:8] == signature[:8] else signature


TOKENS = Port(
    name="Tokens",
    suite=_tokens_suite,
    right=FastTokens,
    broken={
        "tokens never expire": with_methods(
            FastTokens,
            read=lambda self, token, *, now: FastTokens.read(self, token, now=now - timedelta(days=365)),
        ),
        "tokens of the future are valid": with_methods(
            FastTokens, read=lambda self, token, *, now: FastTokens.read(self, token, now=max(now, FixedClock().now()))
        ),
        "tokens expire a second late": with_methods(
            FastTokens, read=lambda self, token, *, now: FastTokens.read(self, token, now=now - timedelta(seconds=1))
        ),
        "moments are cut to seconds": storing(FastTokens, without_microseconds, "issue"),
        "white space around a token is ignored": _reading(str.strip),
        "what follows a token is ignored": _reading(lambda token: ".".join(token.split(".")[:2])),
        "signatures are compared by their beginning": _reading(
            lambda token: f"{token.partition('.')[0]}.{_completed(*token.split('.')[:2])}" if "." in token else token
        ),
        "signatures are not compared": with_methods(FastTokens, _signature=lambda *_: "signed"),
        "every token is of an agent": storing(
            FastTokens, lambda claims: replace(claims, role=type(claims.role).AGENT), "issue"
        ),
        "refresh tokens are short": returning(FastTokens, "new_refresh_token", lambda token: token[:20]),
    },
)


def _claim_of_scope(change: Callable[[str], str]) -> Any:
    """Return keys that store another scope than that of the claim."""

    def changed(name: str) -> Any:
        original = getattr(InMemoryIdempotencyKeys, name)
        return lambda self, claim, *given, **named: original(
            self, replace(claim, scope=change(claim.scope)), *given, **named
        )

    return with_methods(InMemoryIdempotencyKeys, **{name: changed(name) for name in ("claim", "keep", "release")})


def _holders(change: Callable[[str], str]) -> Any:
    """Return keys that store another holder than that of the claim."""

    def changed(name: str) -> Any:
        original = getattr(InMemoryIdempotencyKeys, name)
        return lambda self, claim, *given, **named: original(
            self, replace(claim, holder=change(claim.holder)), *given, **named
        )

    return with_methods(InMemoryIdempotencyKeys, **{name: changed(name) for name in ("claim", "keep", "release")})


def _kept(change: Callable[[bytes], Any]) -> Any:
    """Return keys that store another answer than the one that they get."""
    return with_methods(
        InMemoryIdempotencyKeys,
        keep=lambda self, claim, answer, *, now: InMemoryIdempotencyKeys.keep(self, claim, change(answer), now=now),
    )


def _keep_from_claim(self: Any, claim: Any, answer: bytes, *, now: Any) -> bool:
    stored = self._keys.get(claim.scope)
    kept: bool = InMemoryIdempotencyKeys.keep(self, claim, answer, now=stored.claimed_at if stored else now)
    return kept


def _claim_by_fingerprint(self: Any, claim: Any, *, now: Any, until: Any) -> Any:
    stored = self._keys.get(claim.scope)
    if stored is not None and stored.fingerprint == claim.fingerprint and stored.answer is None:
        return None
    return InMemoryIdempotencyKeys.claim(self, claim, now=now, until=until)


def _release_answered(self: Any, claim: Any) -> None:
    stored = self._keys.get(claim.scope)
    if stored is not None and stored.holder == claim.holder:
        del self._keys[claim.scope]


KEYS = Port(
    name="IdempotencyKeys",
    suite=units_suite(IdempotencyKeysContract, "idempotency_keys", of_changes=False),
    right=InMemoryIdempotencyKeys,
    broken={
        "claim always succeeds": doing_nothing(InMemoryIdempotencyKeys, "claim"),
        "keep does nothing": doing_nothing(InMemoryIdempotencyKeys, "keep", result=True),
        "release does nothing": doing_nothing(InMemoryIdempotencyKeys, "release"),
        "answers are cut to 64 KiB": _kept(lambda answer: answer[:65535]),
        "answers end at a zero": _kept(lambda answer: answer.partition(b"\0")[0]),
        "an empty answer counts as none": _kept(lambda answer: answer or None),
        "an answer is kept for a day from its claim": with_methods(InMemoryIdempotencyKeys, keep=_keep_from_claim),
        "an answer is kept for ever": with_methods(
            InMemoryIdempotencyKeys,
            keep=lambda self, claim, answer, *, now: InMemoryIdempotencyKeys.keep(
                self, claim, answer, now=now + 365 * STORED_ANSWER_TTL
            ),
        ),
        "scopes are compared without case": _claim_of_scope(str.lower),
        "scopes are cut": _claim_of_scope(lambda scope: scope[:40]),
        "holders are compared without case": _holders(str.lower),
        "holders are cut": _holders(lambda holder: holder[:16]),
        "the same request may claim a key that another attempt holds": with_methods(
            InMemoryIdempotencyKeys, claim=_claim_by_fingerprint
        ),
        "an answered key is released": with_methods(InMemoryIdempotencyKeys, release=_release_answered),
        "a purge has no limit": with_methods(
            InMemoryIdempotencyKeys,
            purge=lambda self, *, before, limit: InMemoryIdempotencyKeys.purge(self, before=before, limit=limit + 1000),
        ),
    },
)


def _take_after(change: Callable[[Any], Any]) -> Any:
    """Return uses whose moment of another use is another one."""
    return returning(InMemoryUsage, "take", lambda free_at: free_at and change(free_at))


def _subjects(change: Callable[[str], str]) -> Any:
    return with_methods(
        InMemoryUsage,
        take=lambda self, subject, use_id, **named: InMemoryUsage.take(self, change(subject), use_id, **named),
    )


USAGE = Port(
    name="Usage",
    suite=units_suite(UsageContract, "usage", of_changes=False),
    right=InMemoryUsage,
    broken={
        "nothing is counted": doing_nothing(InMemoryUsage, "take"),
        "subjects are compared without case": _subjects(str.lower),
        "subjects are cut": _subjects(lambda subject: subject[:20]),
        "subjects are compared without accents": _subjects(
            lambda text: unicodedata.normalize("NFD", text).encode("ascii", "ignore").decode()
        ),
        "another use is possible a second early": _take_after(lambda at: at - timedelta(seconds=1)),
        "moments are cut to seconds": with_methods(
            InMemoryUsage,
            take=lambda self, subject, use_id, *, limit, now: InMemoryUsage.take(
                self, subject, use_id, limit=limit, now=now.replace(microsecond=0)
            ),
        ),
        "a purge has no limit": with_methods(
            InMemoryUsage,
            purge=lambda self, *, before, limit: InMemoryUsage.purge(self, before=before, limit=limit + 1000),
        ),
        "a purge counts nothing": returning(InMemoryUsage, "purge", lambda _: 0),
        "uses of the moment are purged": with_methods(
            InMemoryUsage,
            purge=lambda self, *, before, limit: InMemoryUsage.purge(
                self, before=before + timedelta(microseconds=1), limit=limit
            ),
        ),
    },
)


def _limits_suite(adapter: Any) -> type:
    class Suite(RateLimitsContract):
        @pytest.fixture
        def limits(self, clock: FixedClock) -> Any:
            return adapter(clock)

    return Suite


def _keyed(change: Callable[[str], str]) -> Any:
    return with_methods(
        InMemoryRateLimits,
        hit=lambda self, key, limit: InMemoryRateLimits.hit(self, change(key), limit),
        peek=lambda self, key, limit: InMemoryRateLimits.peek(self, change(key), limit),
    )


def _window_of_the_clock(self: Any, key: str) -> Any:
    started_at, hits = self._windows.get(key, (self._clock.now(), 0))
    begin = self._clock.now().replace(second=0, microsecond=0)
    return (begin, hits) if started_at >= begin else (begin, 0)


def _prolonging_hit(self: Any, key: str, per_minute: int) -> Any:
    status = InMemoryRateLimits.hit(self, key, per_minute)
    self._windows[key] = (self._clock.now(), self._windows[key][1])
    return status


def _unlocked_copy(self: Any, key: str, per_minute: int) -> Any:
    before = deepcopy(self._windows)
    status = InMemoryRateLimits.hit(self, key, per_minute)
    if not status.allowed:
        self._windows = before
    return status


LIMITS = Port(
    name="RateLimits",
    suite=_limits_suite,
    right=InMemoryRateLimits,
    broken={
        "everything is allowed": with_methods(
            InMemoryRateLimits, hit=lambda self, key, limit: InMemoryRateLimits.hit(self, key, limit + 1_000_000)
        ),
        "keys are compared without case": _keyed(str.lower),
        "keys are cut": _keyed(lambda key: key[:16]),
        "keys are one": _keyed(lambda _: "everybody"),
        "the window begins with the minute of the clock": with_methods(
            InMemoryRateLimits, _window=_window_of_the_clock
        ),
        "every hit prolongs the window": with_methods(InMemoryRateLimits, hit=_prolonging_hit),
        "the wait is always a minute": returning(InMemoryRateLimits, "hit", lambda status: replace(status, reset=60)),
        "the wait before the first hit is a minute": returning(
            InMemoryRateLimits, "peek", lambda status: replace(status, reset=60)
        ),
        "a peek allows nothing more": returning(
            InMemoryRateLimits, "peek", lambda status: replace(status, allowed=False)
        ),
        "the last allowed hit is refused": with_methods(
            InMemoryRateLimits, hit=lambda self, key, limit: InMemoryRateLimits.hit(self, key, limit - 1)
        ),
        "a window lasts for two minutes": with_methods(
            InMemoryRateLimits,
            _window=lambda self, key: (
                self._windows[key]
                if key in self._windows and self._clock.now() - self._windows[key][0] < timedelta(minutes=2)
                else (self._clock.now(), 0)
            ),
        ),
    },
)

PORTS = (SESSIONS, PASSWORDS, TOKENS, KEYS, USAGE, LIMITS)

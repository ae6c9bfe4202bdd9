"""Contract tests of the repository of idempotency keys."""

from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import pytest

from unite_core.idempotency_keys import MAX_KEY_LENGTH, STORED_ANSWER_TTL, Claim, IdempotencyKeys, StoredAnswer
from unite_core.testing.contracts.database import DatabaseContract, Transaction, Units, run_concurrently
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_NOW = A_MONDAY_MORNING
_MINUTE = timedelta(minutes=1)
_FIRST = Claim(scope="5c" * 32, fingerprint="f1" * 32, holder="first")
_SECOND = replace(_FIRST, holder="second")


class IdempotencyKeysUnit(Transaction, Protocol):
    """A unit of work with the port `IdempotencyKeys`."""

    @property
    def idempotency_keys(self) -> IdempotencyKeys: ...


class IdempotencyKeysContract(DatabaseContract[IdempotencyKeysUnit]):
    """A key is claimed once, gets one response, and becomes free again in time."""

    repositories = "`idempotency_keys`, a `IdempotencyKeys`"

    def test_the_first_claim_of_a_key_succeeds_and_the_second_learns_its_state(
        self, work: Units[IdempotencyKeysUnit]
    ) -> None:
        assert _claim(work, _FIRST) is None
        other = replace(_SECOND, fingerprint="f2" * 32)

        assert _claim(work, other) == StoredAnswer(fingerprint=_FIRST.fingerprint, answer=None)

    def test_keys_of_different_scopes_are_independent(self, work: Units[IdempotencyKeysUnit]) -> None:
        _claim(work, _FIRST)

        assert _claim(work, replace(_SECOND, scope="5d" * 32)) is None

    def test_one_of_several_concurrent_claims_succeeds(self, work: Units[IdempotencyKeysUnit]) -> None:
        claims = run_concurrently(8, lambda number: _claim(work, replace(_FIRST, holder=str(number))))

        assert claims.count(None) == 1

    def test_an_expired_key_can_be_claimed_again(self, work: Units[IdempotencyKeysUnit]) -> None:
        _claim(work, _FIRST)
        late = replace(_SECOND, fingerprint="f2" * 32)

        assert _claim(work, late, after=_MINUTE - timedelta(seconds=1)) is not None
        assert _claim(work, late, after=_MINUTE) is None
        assert not _keep(work, _FIRST, b"too late")
        third = replace(_FIRST, holder="third")
        assert _claim(work, third, after=_MINUTE) == StoredAnswer(fingerprint="f2" * 32, answer=None)

    def test_the_holder_of_a_key_may_claim_it_again(self, work: Units[IdempotencyKeysUnit]) -> None:
        _claim(work, _FIRST)

        assert _claim(work, _FIRST) is None

    def test_a_stored_response_is_returned_for_a_day(self, work: Units[IdempotencyKeysUnit]) -> None:
        _claim(work, _FIRST)
        assert _keep(work, _FIRST, b"\x00the answer\xff")
        stored = StoredAnswer(fingerprint=_FIRST.fingerprint, answer=b"\x00the answer\xff")

        assert _claim(work, _SECOND) == stored
        assert _claim(work, _FIRST) == stored
        assert _claim(work, _SECOND, after=STORED_ANSWER_TTL - timedelta(seconds=1)) == stored
        assert _claim(work, _SECOND, after=STORED_ANSWER_TTL) is None

    @pytest.mark.parametrize("answer", [b"", b"\0" * 3, b"\xff" * 100_000, b"x" * 1_000_000], ids=len)
    def test_a_response_of_any_length_is_stored_whole(self, work: Units[IdempotencyKeysUnit], answer: bytes) -> None:
        _claim(work, _FIRST)
        assert _keep(work, _FIRST, answer)

        assert _claim(work, _SECOND) == StoredAnswer(fingerprint=_FIRST.fingerprint, answer=answer)

    def test_the_day_of_a_response_begins_when_it_is_stored(self, work: Units[IdempotencyKeysUnit]) -> None:
        _claim(work, _FIRST)
        late = timedelta(seconds=30)
        assert _keep(work, _FIRST, b"the answer", after=late)

        assert _claim(work, _SECOND, after=STORED_ANSWER_TTL + late - timedelta(seconds=1)) is not None
        assert _claim(work, _SECOND, after=STORED_ANSWER_TTL + late) is None

    def test_scopes_and_holders_are_compared_exactly(self, work: Units[IdempotencyKeysUnit]) -> None:
        long = "a" * (MAX_KEY_LENGTH - 1)
        scopes = ["scope", "Scope", f"{long}b", f"{long}c"]
        for scope, last in zip(scopes, "bdef", strict=True):
            assert _claim(work, replace(_FIRST, scope=scope, holder=f"{long}{last}")) is None

        for other in (f"{long}c", f"{long}B", long):
            assert not _keep(work, replace(_FIRST, scope="scope", holder=other), b"not yours")

    def test_a_response_is_stored_by_the_holder_alone(self, work: Units[IdempotencyKeysUnit]) -> None:
        assert not _keep(work, _FIRST, b"never claimed")
        _claim(work, _FIRST)

        assert not _keep(work, _SECOND, b"not yours")
        assert _claim(work, _SECOND) == StoredAnswer(fingerprint=_FIRST.fingerprint, answer=None)

    def test_a_key_is_released_by_its_holder_alone(self, work: Units[IdempotencyKeysUnit]) -> None:
        _claim(work, _FIRST)

        _release(work, _SECOND)
        assert _claim(work, _SECOND) is not None
        _release(work, _FIRST)
        assert _claim(work, _SECOND) is None

    def test_a_key_with_a_stored_response_is_not_released(self, work: Units[IdempotencyKeysUnit]) -> None:
        _claim(work, _FIRST)
        _keep(work, _FIRST, b"the answer")

        _release(work, _FIRST)

        assert _claim(work, _SECOND) == StoredAnswer(fingerprint=_FIRST.fingerprint, answer=b"the answer")

    def test_old_keys_are_purged_a_limited_number_at_a_time(self, work: Units[IdempotencyKeysUnit]) -> None:
        for number in range(3):
            _claim(work, replace(_FIRST, scope=f"{number:064}"))
        _claim(work, replace(_FIRST, scope="young"), after=_MINUTE)

        def purge() -> int:
            with work() as unit:
                count = unit.idempotency_keys.purge(before=_NOW + _MINUTE, limit=2)
                unit.commit()
            return count

        assert [purge(), purge(), purge()] == [2, 1, 0]
        assert _claim(work, replace(_SECOND, scope="young"), after=_MINUTE) is not None
        assert _claim(work, replace(_SECOND, scope=f"{0:064}")) is None


def _claim(work: Units[IdempotencyKeysUnit], claim: Claim, *, after: timedelta = timedelta()) -> StoredAnswer | None:
    with work() as unit:
        stored = unit.idempotency_keys.claim(claim, now=_NOW + after, until=_NOW + after + _MINUTE)
        unit.commit()
    return stored


def _keep(work: Units[IdempotencyKeysUnit], claim: Claim, answer: bytes, *, after: timedelta = timedelta()) -> bool:
    with work() as unit:
        stored = unit.idempotency_keys.keep(claim, answer, now=_NOW + after)
        unit.commit()
    return stored


def _release(work: Units[IdempotencyKeysUnit], claim: Claim) -> None:
    with work() as unit:
        unit.idempotency_keys.release(claim)
        unit.commit()

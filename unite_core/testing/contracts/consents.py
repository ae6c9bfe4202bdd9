"""Contract tests of the repository of consents to text messages."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

from unite_core.notifications.ports import Consent, Consents
from unite_core.testing.builders import an_id
from unite_core.testing.contracts.database import DatabaseContract, Transaction, Units, run_concurrently
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING

_PHONE = "+12125550123"
_NOW = A_MONDAY_MORNING
_MICROSECOND = timedelta(microseconds=1)


class ConsentsUnit(Transaction, Protocol):
    """A unit of work with the port `Consents`."""

    @property
    def consents(self) -> Consents: ...


class ConsentsContract(DatabaseContract[ConsentsUnit]):
    """The latest consent or opt-out of a phone number counts."""

    repositories = "`consents`, a `Consents`"

    def test_a_number_without_a_consent_has_not_opted_out(
        self, work: Units[ConsentsUnit], reads: Units[ConsentsUnit]
    ) -> None:
        assert _add(work, _a_consent(phone="+12125550199"))

        assert not _opted_out(reads)

    def test_the_latest_consent_counts_in_any_order(
        self, work: Units[ConsentsUnit], reads: Units[ConsentsUnit]
    ) -> None:
        last, first = _a_consent(opted_out=False, at=_NOW + _MICROSECOND), _a_consent(at=_NOW)

        assert _add(work, last)
        assert not _opted_out(reads)
        assert _add(work, first)
        assert not _opted_out(reads)
        assert _add(work, _a_consent(at=_NOW + 2 * _MICROSECOND))
        assert _opted_out(reads)

    def test_consents_of_the_same_moment_are_ordered_by_id(
        self, work: Units[ConsentsUnit], reads: Units[ConsentsUnit]
    ) -> None:
        earlier, later = _a_consent(), _a_consent(opted_out=False)

        assert _add(work, later)
        assert _add(work, earlier)

        assert not _opted_out(reads)

    def test_a_repeated_consent_is_stored_once(self, work: Units[ConsentsUnit], reads: Units[ConsentsUnit]) -> None:
        consent = _a_consent()
        assert _add(work, consent)

        assert not _add(work, consent)
        again = replace(consent, id=an_id(), opted_out=False, at=_NOW + _MICROSECOND)
        assert not _add(work, again)

        assert _opted_out(reads)

    def test_sources_are_compared_exactly(self, work: Units[ConsentsUnit]) -> None:
        long = "s" * 63

        for source in ("SM1", "sm1", f"{long}a", f"{long}b"):
            assert _add(work, _a_consent(source=source))

    def test_numbers_are_compared_whole(self, work: Units[ConsentsUnit], reads: Units[ConsentsUnit]) -> None:
        for phone in ("+442125550123", "+1212555012", "+121255501234"):
            assert _add(work, _a_consent(phone=phone))

        assert not _opted_out(reads)

    def test_one_of_several_concurrent_identical_consents_is_the_first(self, work: Units[ConsentsUnit]) -> None:
        consent = _a_consent()

        assert sorted(run_concurrently(4, lambda _: _add(work, replace(consent, id=an_id())))) == [
            False,
            False,
            False,
            True,
        ]

    def test_a_consent_that_is_rolled_back_is_not_stored(
        self, work: Units[ConsentsUnit], reads: Units[ConsentsUnit]
    ) -> None:
        consent = _a_consent()

        with work() as unit:
            assert unit.consents.add(consent)
            assert unit.consents.opted_out(_PHONE)

        assert not _opted_out(reads)
        assert _add(work, consent)


def _a_consent(**changes: Any) -> Consent:
    consent: dict[str, Any] = {"id": an_id(), "phone": _PHONE, "opted_out": True, "at": _NOW, "source": str(an_id())}
    return Consent(**{**consent, **changes})


def _add(work: Units[ConsentsUnit], consent: Consent) -> bool:
    with work() as unit:
        added = unit.consents.add(consent)
        unit.commit()
    return added


def _opted_out(reads: Units[ConsentsUnit]) -> bool:
    with reads() as unit:
        return unit.consents.opted_out(_PHONE)

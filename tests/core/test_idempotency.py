"""Tests of idempotency keys: a repeated request has one effect and gets the first response."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from tests.core.imports.accidents import FailingWork
from tests.core.replay import SHOW_AGAIN
from unite_core import (
    Actor,
    Claim,
    Conflict,
    DuplicateLead,
    ImportStatus,
    Invalid,
    Lead,
    LeadImport,
    NewLead,
    NotFound,
    Outcome,
    Replay,
    TooManyRequests,
    Unavailable,
)
from unite_core.idempotency import RunOnce
from unite_core.idempotency_keys import CLAIM_TTL
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.testing.builders import an_id
from unite_core.testing.in_memory import A_MONDAY_MORNING
from unite_core.testing.scenario import Scenario
from unite_core.unit_of_work import UnitOfWorkFactory

CLAIM = Claim(scope="5c" * 32, fingerprint="f1" * 32, holder="first")
AGAIN = replace(CLAIM, holder="second")
GRACE = NewLead(name="Grace", phone="+12125550101")


@pytest.fixture
def scenario() -> Scenario:
    return Scenario(chunk_rows=2)


def serialize(lead: Lead) -> bytes:
    return str(lead.id).encode()


def add(scenario: Scenario, claim: Claim, new: NewLead = GRACE) -> Outcome:
    return scenario.unite.once(claim, scenario.unite.leads.add, serialize, SHOW_AGAIN, scenario.admin, new)


def test_a_repeated_request_gets_the_first_response(scenario: Scenario) -> None:
    first = add(scenario, CLAIM)

    assert first == Outcome(serialize(scenario.leads()[0]), replayed=False)
    assert add(scenario, AGAIN) == Outcome(first.answer, replayed=True)
    assert len(scenario.leads()) == 1


def test_a_request_is_recognised_by_its_fingerprint_under_a_former_secret(scenario: Scenario) -> None:
    first = add(scenario, CLAIM)
    rotated = replace(AGAIN, fingerprint="f2" * 32, former_fingerprints=("f3" * 32, CLAIM.fingerprint))

    assert add(scenario, rotated) == Outcome(first.answer, replayed=True)
    with pytest.raises(Invalid, match="was used for another request"):
        add(scenario, replace(rotated, former_fingerprints=("f3" * 32,)))


def test_a_response_is_replayed_for_a_day(scenario: Scenario) -> None:
    add(scenario, CLAIM)
    scenario.ports.clock.advance(timedelta(hours=24) - timedelta(seconds=1))
    assert add(scenario, AGAIN).replayed
    scenario.ports.clock.advance(timedelta(seconds=1))

    with pytest.raises(DuplicateLead):
        add(scenario, AGAIN)


def test_a_response_is_replayed_as_the_caller_may_see_it_now(scenario: Scenario) -> None:
    add(scenario, CLAIM)

    hidden = scenario.unite.once(
        AGAIN, scenario.unite.leads.add, serialize, Replay(lambda _: b"hidden"), scenario.admin, GRACE
    )

    assert hidden == Outcome(b"hidden", replayed=True)
    assert add(scenario, AGAIN).answer == serialize(scenario.leads()[0])


def test_a_response_that_the_caller_may_no_longer_see_is_refused(scenario: Scenario) -> None:
    def refuse(_: bytes) -> bytes:
        raise NotFound("There is no such lead.")

    add(scenario, CLAIM)

    with pytest.raises(NotFound):
        scenario.unite.once(AGAIN, scenario.unite.leads.add, serialize, Replay(refuse), scenario.admin, GRACE)
    assert len(scenario.leads()) == 1


def test_each_request_with_a_known_key_counts_as_an_attempt(scenario: Scenario) -> None:
    counted: list[str] = []
    replay = Replay(lambda answer: answer, count=lambda: counted.append("an attempt"))

    def send(claim: Claim) -> Outcome:
        return scenario.unite.once(claim, scenario.unite.leads.add, serialize, replay, scenario.admin, GRACE)

    send(CLAIM)
    assert counted == []
    send(AGAIN)
    with pytest.raises(Invalid):
        send(replace(AGAIN, fingerprint="f2" * 32))
    assert len(counted) == 2


def test_a_caller_without_attempts_left_learns_nothing_about_the_first_request(scenario: Scenario) -> None:
    def refuse() -> None:
        raise TooManyRequests("Come back in a minute.", retry_after=60)

    add(scenario, CLAIM)

    for claim in (AGAIN, replace(AGAIN, fingerprint="f2" * 32)):
        with pytest.raises(TooManyRequests):
            scenario.unite.once(
                claim, scenario.unite.leads.add, serialize, Replay(bytes, count=refuse), scenario.admin, GRACE
            )


def test_a_key_cannot_be_used_for_another_request(scenario: Scenario) -> None:
    add(scenario, CLAIM)

    with pytest.raises(Invalid) as refused:
        add(scenario, replace(AGAIN, fingerprint="f2" * 32))

    assert refused.value.code == "idempotency_key_reused"


def test_requests_with_different_keys_are_independent(scenario: Scenario) -> None:
    add(scenario, CLAIM)

    assert not add(scenario, replace(AGAIN, scope="5d" * 32), replace(GRACE, phone="+12125550102")).replayed


@dataclass(frozen=True)
class AddMeanwhile:
    """A use case during which the same request is sent again, `after` that time."""

    work: UnitOfWorkFactory[ImportsUnitOfWork]
    scenario: Scenario
    after: timedelta

    def __call__(self, actor: Actor, new: NewLead) -> Lead:
        self.scenario.ports.clock.advance(self.after)
        add(self.scenario, AGAIN)
        return replace(self.scenario.unite.leads.add, work=self.work)(actor, replace(new, phone="+12125550199"))


def test_a_repeated_request_is_refused_while_the_first_is_in_progress(scenario: Scenario) -> None:
    slow = AddMeanwhile(scenario.ports.work, scenario, CLAIM_TTL - timedelta(seconds=1))

    with pytest.raises(Conflict) as refused:
        scenario.unite.once(CLAIM, slow, serialize, SHOW_AGAIN, scenario.admin, GRACE)

    assert refused.value.code == "request_in_progress"
    assert scenario.leads() == []


def test_a_first_request_that_outlasts_its_claim_has_no_effect(scenario: Scenario) -> None:
    slow = AddMeanwhile(scenario.ports.work, scenario, CLAIM_TTL)

    with pytest.raises(Conflict) as refused:
        scenario.unite.once(CLAIM, slow, serialize, SHOW_AGAIN, scenario.admin, GRACE)

    assert refused.value.code == "request_in_progress"
    (lead,) = scenario.leads()
    assert lead.phone is not None
    assert lead.phone.number == "+12125550101"
    assert add(scenario, replace(CLAIM, holder="third")) == Outcome(serialize(lead), replayed=True)


def test_a_failed_request_releases_its_key(scenario: Scenario) -> None:
    with pytest.raises(Invalid):
        add(scenario, CLAIM, replace(GRACE, name=""))

    assert not add(scenario, AGAIN).replayed


def test_effect_and_response_are_committed_together_or_not_at_all(scenario: Scenario) -> None:
    down = FailingWork(scenario.ports.work, Unavailable("The database does not answer."), at=0)
    failing = replace(scenario.unite.leads.add, work=down)

    with pytest.raises(Unavailable):
        scenario.unite.once(CLAIM, failing, serialize, SHOW_AGAIN, scenario.admin, GRACE)

    assert scenario.leads() == []
    assert not add(scenario, AGAIN).replayed


def test_an_error_while_the_response_is_serialized_rolls_the_effect_back(scenario: Scenario) -> None:
    def broken(lead: Lead) -> bytes:
        raise ZeroDivisionError(lead)

    with pytest.raises(ZeroDivisionError):
        scenario.unite.once(CLAIM, scenario.unite.leads.add, broken, SHOW_AGAIN, scenario.admin, GRACE)

    assert scenario.leads() == []


def test_a_key_that_cannot_be_released_does_not_hide_the_error_and_expires(scenario: Scenario) -> None:
    down = FailingWork(scenario.ports.work, Unavailable("The database does not answer."), at=1)

    with pytest.raises(Invalid):
        RunOnce(down, scenario.ports.clock)(
            CLAIM, scenario.unite.leads.add, serialize, SHOW_AGAIN, scenario.admin, replace(GRACE, name="")
        )

    with pytest.raises(Conflict):
        add(scenario, AGAIN)
    scenario.ports.clock.advance(CLAIM_TTL)
    assert not add(scenario, AGAIN).replayed


@dataclass(frozen=True)
class LookAround:
    """A use case that finds nothing to change."""

    work: UnitOfWorkFactory[ImportsUnitOfWork]

    def __call__(self) -> str:
        return self.work.run(lambda _: "nothing to do")


@dataclass(frozen=True)
class Forgetful:
    """A use case that commits what it did, and not what it returns."""

    work: UnitOfWorkFactory[ImportsUnitOfWork]

    def __call__(self) -> str:
        with self.work() as work:
            work.usage.take("somebody", an_id(), limit=1, now=A_MONDAY_MORNING)
            work.commit()
        return "the result"


@dataclass(frozen=True)
class Idle:
    """A use case that returns without a unit of work."""

    work: UnitOfWorkFactory[ImportsUnitOfWork]

    def __call__(self) -> str:
        return "the result"


@dataclass(frozen=True)
class Embellished:
    """A use case that returns something else than what it has committed."""

    work: UnitOfWorkFactory[ImportsUnitOfWork]

    def __call__(self) -> str:
        return self.work.run(lambda _: "the result").upper()


@pytest.mark.parametrize(
    ("use_case", "message"),
    [
        (Forgetful, "cannot be committed, because its answer would be lost"),
        (Idle, "Idle has to return what its last `work.run` returned"),
        (Embellished, "Embellished has to return what its last `work.run` returned"),
    ],
)
def test_a_use_case_whose_answer_would_be_lost_is_refused(scenario: Scenario, use_case: Any, message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        scenario.unite.once(CLAIM, use_case(scenario.ports.work), str.encode, SHOW_AGAIN)


def test_a_use_case_that_is_refused_has_no_effect_and_leaves_its_key_free(scenario: Scenario) -> None:
    with pytest.raises(RuntimeError):
        scenario.unite.once(CLAIM, Forgetful(scenario.ports.work), str.encode, SHOW_AGAIN)

    assert scenario.tables.usage == {}
    assert not add(scenario, AGAIN).replayed


def test_the_response_of_a_use_case_without_changes_is_stored_too(scenario: Scenario) -> None:
    look = LookAround(scenario.ports.work)

    assert scenario.unite.once(CLAIM, look, str.encode, SHOW_AGAIN) == Outcome(b"nothing to do", replayed=False)
    assert scenario.unite.once(AGAIN, look, str.encode, SHOW_AGAIN) == Outcome(b"nothing to do", replayed=True)


def test_a_use_case_with_several_transactions_stores_its_last_result(scenario: Scenario) -> None:
    done = scenario.import_file([("Grace", "+12125550101")])

    def status(undone: LeadImport) -> bytes:
        return f"{undone.status} {undone.undone}".encode()

    first = scenario.unite.once(CLAIM, scenario.unite.imports.undo, status, SHOW_AGAIN, scenario.admin, done.id)

    assert f"{ImportStatus.COMPLETED} Undone(removed=1" in first.answer.decode()
    assert "finished_at=datetime" in first.answer.decode()
    assert scenario.unite.once(
        AGAIN, scenario.unite.imports.undo, status, SHOW_AGAIN, scenario.admin, done.id
    ) == Outcome(first.answer, replayed=True)


def test_an_interrupted_use_case_with_several_transactions_can_be_repeated(scenario: Scenario) -> None:
    done = scenario.import_file([("Grace", "+12125550101")])
    broken = replace(scenario.unite.imports.undo, work=FailingWork(scenario.ports.work, Unavailable("Away."), at=1))
    with pytest.raises(Unavailable):
        scenario.unite.once(CLAIM, broken, lambda _: b"", SHOW_AGAIN, scenario.admin, done.id)
    assert scenario.get_import(done.id).undoing

    scenario.unite.once(AGAIN, scenario.unite.imports.undo, lambda _: b"done", SHOW_AGAIN, scenario.admin, done.id)

    assert scenario.leads() == []


def test_keys_are_purged_after_a_day(scenario: Scenario) -> None:
    add(scenario, CLAIM)
    scenario.ports.clock.advance(timedelta(hours=24))
    assert scenario.unite.upkeep.purge_idempotency_keys() == 0
    scenario.ports.clock.advance(timedelta(seconds=1))

    assert scenario.unite.upkeep.purge_idempotency_keys() == 1


def test_old_keys_are_purged_in_small_transactions(scenario: Scenario) -> None:
    for number in range(5):
        add(scenario, replace(CLAIM, scope=f"{number:064x}"), NewLead(name="Ada", email=f"ada{number}@example.com"))
    scenario.ports.clock.advance(timedelta(hours=25))

    assert scenario.unite.upkeep.purge_idempotency_keys(limit=2, should_stop=lambda: True) == 2
    assert scenario.unite.upkeep.purge_idempotency_keys(limit=2) == 3

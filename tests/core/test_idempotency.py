"""The same request twice has one effect and one answer."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from tests.core.imports.accidents import FailingWork
from tests.core.imports.floor import Floor
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
    TooMany,
    Unavailable,
)
from unite_core.idempotency import Once
from unite_core.idempotency_keys import CLAIM_TTL
from unite_core.imports.ports import ImportsUnitOfWork
from unite_core.unit_of_work import UnitOfWorkFactory

CLAIM = Claim(scope="5c" * 32, fingerprint="f1" * 32, holder="first")
AGAIN = replace(CLAIM, holder="second")
GRACE = NewLead(name="Grace", phone="+12125550101")


@pytest.fixture
def floor() -> Floor:
    return Floor()


def told(lead: Lead) -> bytes:
    return str(lead.id).encode()


def add(floor: Floor, claim: Claim, new: NewLead = GRACE) -> Outcome:
    return floor.unite.once(claim, floor.unite.leads.add, told, SHOW_AGAIN, floor.ann, new)


def test_the_second_request_gets_the_answer_of_the_first(floor: Floor) -> None:
    first = add(floor, CLAIM)

    assert first == Outcome(told(floor.leads()[0]), replayed=False)
    assert add(floor, AGAIN) == Outcome(first.answer, replayed=True)
    assert len(floor.leads()) == 1


def test_a_request_is_the_same_by_a_digest_under_a_former_secret(floor: Floor) -> None:
    first = add(floor, CLAIM)
    rotated = replace(AGAIN, fingerprint="f2" * 32, former_fingerprints=("f3" * 32, CLAIM.fingerprint))

    assert add(floor, rotated) == Outcome(first.answer, replayed=True)
    with pytest.raises(Invalid, match="was used for another request"):
        add(floor, replace(rotated, former_fingerprints=("f3" * 32,)))


def test_an_answer_is_given_again_for_a_day(floor: Floor) -> None:
    add(floor, CLAIM)
    floor.ports.clock.advance(timedelta(hours=24) - timedelta(seconds=1))
    assert add(floor, AGAIN).replayed
    floor.ports.clock.advance(timedelta(seconds=1))

    with pytest.raises(DuplicateLead):
        add(floor, AGAIN)


def test_an_answer_is_given_again_as_the_caller_may_see_it_now(floor: Floor) -> None:
    add(floor, CLAIM)

    hidden = floor.unite.once(AGAIN, floor.unite.leads.add, told, Replay(lambda _: b"hidden"), floor.ann, GRACE)

    assert hidden == Outcome(b"hidden", replayed=True)
    assert add(floor, AGAIN).answer == told(floor.leads()[0])


def test_an_answer_that_the_caller_may_not_see_now_is_refused(floor: Floor) -> None:
    def refuse(_: bytes) -> bytes:
        raise NotFound("There is no such lead.")

    add(floor, CLAIM)

    with pytest.raises(NotFound):
        floor.unite.once(AGAIN, floor.unite.leads.add, told, Replay(refuse), floor.ann, GRACE)
    assert len(floor.leads()) == 1


def test_each_request_whose_key_is_known_is_a_counted_attempt_whatever_it_asks(floor: Floor) -> None:
    counted: list[str] = []
    replay = Replay(lambda answer: answer, count=lambda: counted.append("an attempt"))

    def send(claim: Claim) -> Outcome:
        return floor.unite.once(claim, floor.unite.leads.add, told, replay, floor.ann, GRACE)

    send(CLAIM)
    assert counted == []
    send(AGAIN)
    with pytest.raises(Invalid):
        send(replace(AGAIN, fingerprint="f2" * 32))
    assert len(counted) == 2


def test_who_has_no_attempt_left_is_told_nothing_of_the_first_answer(floor: Floor) -> None:
    def refuse() -> None:
        raise TooMany("Come back in a minute.", retry_after=60)

    add(floor, CLAIM)

    for claim in (AGAIN, replace(AGAIN, fingerprint="f2" * 32)):
        with pytest.raises(TooMany):
            floor.unite.once(claim, floor.unite.leads.add, told, Replay(bytes, count=refuse), floor.ann, GRACE)


def test_a_key_is_not_for_another_request(floor: Floor) -> None:
    add(floor, CLAIM)

    with pytest.raises(Invalid) as refused:
        add(floor, replace(AGAIN, fingerprint="f2" * 32))

    assert refused.value.code == "idempotency_key_reused"


def test_other_keys_are_other_requests(floor: Floor) -> None:
    add(floor, CLAIM)

    assert not add(floor, replace(AGAIN, scope="5d" * 32), replace(GRACE, phone="+12125550102")).replayed


@dataclass(frozen=True)
class AddMeanwhile:
    """Somebody sends the same request while the first is being carried out, `after` it began."""

    work: UnitOfWorkFactory[ImportsUnitOfWork]
    floor: Floor
    after: timedelta

    def __call__(self, actor: Actor, new: NewLead) -> Lead:
        self.floor.ports.clock.advance(self.after)
        add(self.floor, AGAIN)
        return replace(self.floor.unite.leads.add, work=self.work)(actor, replace(new, phone="+12125550199"))


def test_while_the_first_is_being_carried_out_the_second_is_turned_away(floor: Floor) -> None:
    slow = AddMeanwhile(floor.ports.work, floor, CLAIM_TTL - timedelta(seconds=1))

    with pytest.raises(Conflict) as refused:
        floor.unite.once(CLAIM, slow, told, SHOW_AGAIN, floor.ann, GRACE)

    assert refused.value.code == "request_in_progress"
    assert floor.leads() == []


def test_a_first_request_that_takes_too_long_is_overtaken_and_has_no_effect(floor: Floor) -> None:
    slow = AddMeanwhile(floor.ports.work, floor, CLAIM_TTL)

    with pytest.raises(Conflict) as refused:
        floor.unite.once(CLAIM, slow, told, SHOW_AGAIN, floor.ann, GRACE)

    assert refused.value.code == "request_in_progress"
    (lead,) = floor.leads()
    assert lead.phone is not None
    assert lead.phone.number == "+12125550101"
    assert add(floor, replace(CLAIM, holder="third")) == Outcome(told(lead), replayed=True)


def test_a_request_that_failed_leaves_its_key_free(floor: Floor) -> None:
    with pytest.raises(Invalid):
        add(floor, CLAIM, replace(GRACE, name=""))

    assert not add(floor, AGAIN).replayed


def test_effect_and_answer_are_committed_together_or_not_at_all(floor: Floor) -> None:
    down = FailingWork(floor.ports.work, Unavailable("The database does not answer."), at=0)
    failing = replace(floor.unite.leads.add, work=down)

    with pytest.raises(Unavailable):
        floor.unite.once(CLAIM, failing, told, SHOW_AGAIN, floor.ann, GRACE)

    assert floor.leads() == []
    assert not add(floor, AGAIN).replayed


def test_an_answer_that_cannot_be_told_undoes_the_effect(floor: Floor) -> None:
    def broken(lead: Lead) -> bytes:
        raise ZeroDivisionError(lead)

    with pytest.raises(ZeroDivisionError):
        floor.unite.once(CLAIM, floor.unite.leads.add, broken, SHOW_AGAIN, floor.ann, GRACE)

    assert floor.leads() == []


def test_a_key_that_cannot_be_given_back_hides_no_error_and_runs_out(floor: Floor) -> None:
    down = FailingWork(floor.ports.work, Unavailable("The database does not answer."), at=1)

    with pytest.raises(Invalid):
        Once(down, floor.ports.clock)(
            CLAIM, floor.unite.leads.add, told, SHOW_AGAIN, floor.ann, replace(GRACE, name="")
        )

    with pytest.raises(Conflict):
        add(floor, AGAIN)
    floor.ports.clock.advance(CLAIM_TTL)
    assert not add(floor, AGAIN).replayed


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
            work.commit()
        return "the result"


def test_a_use_case_that_commits_no_result_is_refused_at_its_first_key(floor: Floor) -> None:
    with pytest.raises(RuntimeError, match="Forgetful has to return what"):
        floor.unite.once(CLAIM, Forgetful(floor.ports.work), str.encode, SHOW_AGAIN)


def test_the_answer_of_a_use_case_that_changes_nothing_is_kept_too(floor: Floor) -> None:
    look = LookAround(floor.ports.work)

    assert floor.unite.once(CLAIM, look, str.encode, SHOW_AGAIN) == Outcome(b"nothing to do", replayed=False)
    assert floor.unite.once(AGAIN, look, str.encode, SHOW_AGAIN) == Outcome(b"nothing to do", replayed=True)


def test_a_use_case_of_several_transactions_keeps_its_last_answer(floor: Floor) -> None:
    done = floor.import_file([("Grace", "+12125550101")])

    def status(undone: LeadImport) -> bytes:
        return f"{undone.status} {undone.undone}".encode()

    first = floor.unite.once(CLAIM, floor.unite.imports.undo, status, SHOW_AGAIN, floor.ann, done.id)

    assert f"{ImportStatus.COMPLETED} Undone(removed=1" in first.answer.decode()
    assert "finished_at=datetime" in first.answer.decode()
    assert floor.unite.once(AGAIN, floor.unite.imports.undo, status, SHOW_AGAIN, floor.ann, done.id) == Outcome(
        first.answer, replayed=True
    )


def test_a_use_case_of_several_transactions_that_broke_off_is_carried_out_again(floor: Floor) -> None:
    done = floor.import_file([("Grace", "+12125550101")])
    broken = replace(floor.unite.imports.undo, work=FailingWork(floor.ports.work, Unavailable("Away."), at=1))
    with pytest.raises(Unavailable):
        floor.unite.once(CLAIM, broken, lambda _: b"", SHOW_AGAIN, floor.ann, done.id)
    assert floor.get(done.id).undoing

    floor.unite.once(AGAIN, floor.unite.imports.undo, lambda _: b"done", SHOW_AGAIN, floor.ann, done.id)

    assert floor.leads() == []


def test_keys_are_forgotten_after_a_day(floor: Floor) -> None:
    add(floor, CLAIM)
    floor.ports.clock.advance(timedelta(hours=24))
    assert floor.unite.upkeep.purge_idempotency_keys() == 0
    floor.ports.clock.advance(timedelta(seconds=1))

    assert floor.unite.upkeep.purge_idempotency_keys() == 1


def test_however_many_keys_are_old_they_are_forgotten_in_small_transactions(floor: Floor) -> None:
    for number in range(5):
        add(floor, replace(CLAIM, scope=f"{number:064x}"), NewLead(name="Ada", email=f"ada{number}@example.com"))
    floor.ports.clock.advance(timedelta(hours=25))

    assert floor.unite.upkeep.purge_idempotency_keys(limit=2, should_stop=lambda: True) == 2
    assert floor.unite.upkeep.purge_idempotency_keys(limit=2) == 3

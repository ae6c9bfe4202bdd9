"""Contract tests of the unit of work."""

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import pytest

from unite_core.errors import NotFound
from unite_core.idempotency_keys import Claim
from unite_core.identity.model import User
from unite_core.identity.ports import IdentityUnitOfWork
from unite_core.testing.builders import a_user
from unite_core.testing.contracts.database import DatabaseContract, Units, add_all, run_concurrently
from unite_core.testing.contracts.missing import missing_fixture
from unite_core.testing.in_memory.clock_and_ids import A_MONDAY_MORNING
from unite_core.unit_of_work import UnitOfWork, UnitOfWorkFactory, before_commit

_CLAIM = Claim(scope="a" * 64, fingerprint="b" * 64, holder="first")


class UnitOfWorkContract(DatabaseContract[IdentityUnitOfWork]):
    """Transactions: all or nothing, visible once committed; hooks inside them and actions after them."""

    repositories = "`users`, a `Users`, and `idempotency_keys`, an `IdempotencyKeys`"

    @pytest.fixture
    def reads(self) -> Units[IdentityUnitOfWork]:
        """Return a function that returns reading units of work over the same store, while another unit writes."""
        raise missing_fixture(self, "reads", "a `UnitOfWorkFactory` like `work`, whose units only read")

    def test_committed_changes_stay(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork], reads: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        ann = a_user()

        with work() as unit:
            unit.users.add(ann)
            unit.commit()

        assert _is_there(reads, ann)

    def test_uncommitted_changes_are_rolled_back(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork], reads: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        ann = a_user()

        with work() as unit:
            unit.users.add(ann)

        assert not _is_there(reads, ann)
        add_all(work, ann)
        assert _is_there(reads, ann)

    def test_an_exception_rolls_back_and_passes_through(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork], reads: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        ann = a_user()

        with pytest.raises(ZeroDivisionError), work() as unit:
            unit.users.add(ann)
            raise ZeroDivisionError

        assert not _is_there(reads, ann)

    def test_uncommitted_changes_are_visible_to_their_unit_of_work_alone(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork], reads: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        ann = a_user()

        with work() as unit:
            unit.users.add(ann)
            assert unit.users.get(ann.id) == ann
            assert not _is_there(reads, ann)
            unit.commit()

        assert _is_there(reads, ann)

    def test_a_read_only_unit_of_work_reads_one_snapshot(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork], reads: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        ann, ben = a_user(), a_user()
        add_all(work, ann)

        with reads() as unit:
            assert unit.users.get(ann.id) == ann
            add_all(work, ben)
            assert unit.users.find_by_email(ben.email) is None

        assert _is_there(reads, ben)

    def test_a_read_only_unit_of_work_changes_nothing(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork], reads: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        ann = a_user()

        with suppress(Exception), reads() as unit:
            unit.users.add(ann)
            unit.commit()

        assert not _is_there(reads, ann)
        add_all(work, ann)
        assert _is_there(reads, ann)

    def test_values_that_a_unit_of_work_locked_are_unchanged_at_its_commit(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        ann = a_user(name="")
        add_all(work, ann)

        def append(number: int) -> None:
            with work() as unit:
                _append(unit, ann, str(number))
                unit.commit()

        run_concurrently(5, append)

        with work() as unit:
            assert sorted(unit.users.get(ann.id).name) == list("01234")

    def test_a_unit_of_work_waits_for_a_lock_and_reads_what_was_committed_meanwhile(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        ann = a_user(name="")
        add_all(work, ann)

        def append(letter: str) -> None:
            with work() as unit:
                _append(unit, ann, letter)
                unit.commit()

        with ThreadPoolExecutor(1) as threads:
            with work() as unit:
                unit.users.lock(ann.id)
                later = threads.submit(append, "b")
                wait([later], timeout=0.1)
                _append(unit, ann, "a")
                unit.commit()
            later.result(timeout=30)

        with work() as unit:
            assert unit.users.get(ann.id).name == "ab"

    def test_a_hook_works_inside_the_transaction_and_sees_the_result(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork], reads: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        ann = a_user()
        seen: list[object] = []

        def hook(unit: UnitOfWork, result: object) -> None:
            seen.append(result)
            _claim(unit)

        def decide(unit: IdentityUnitOfWork) -> str:
            unit.users.add(ann)
            return "the result"

        assert before_commit(work, hook).run(decide) == "the result"

        assert seen == ["the result"]
        assert _is_there(reads, ann)
        assert _is_claimed(work)

    def test_a_hook_that_raises_undoes_everything(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork], reads: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        ann = a_user()
        done: list[str] = []

        def hook(unit: UnitOfWork, result: object) -> None:
            _claim(unit)
            raise ZeroDivisionError(result)

        def decide(unit: IdentityUnitOfWork) -> None:
            unit.users.add(ann)
            unit.after_commit(lambda: done.append("after"))

        with pytest.raises(ZeroDivisionError):
            before_commit(work, hook).run(decide)

        assert not _is_there(reads, ann)
        assert not _is_claimed(work)
        assert done == []

    def test_a_hook_is_called_by_run_alone_and_with_no_result_too(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        seen: list[object] = []
        hooked = before_commit(work, lambda _, result: seen.append(result))

        with pytest.raises(RuntimeError, match="run_step"), hooked() as unit:
            unit.commit()
        work.run(lambda _: "of the factory without the hook")
        assert seen == []
        hooked.run(lambda _: None)
        assert seen == [None]

    def test_a_step_is_committed_by_itself_and_calls_no_hook(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork], reads: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        ann = a_user()
        seen: list[object] = []

        before_commit(work, lambda _, result: seen.append(result)).run_step(lambda unit: unit.users.add(ann))

        assert _is_there(reads, ann)
        assert seen == []

    def test_run_commits_unless_the_function_raises(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork], reads: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        ann, bo = a_user(), a_user()

        def fail(unit: IdentityUnitOfWork) -> None:
            unit.users.add(bo)
            raise ZeroDivisionError

        work.run(lambda unit: unit.users.add(ann))
        with pytest.raises(ZeroDivisionError):
            work.run(fail)

        assert _is_there(reads, ann)
        assert not _is_there(reads, bo)

    def test_actions_run_in_order_after_the_commit(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork], reads: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        ann = a_user()
        seen: list[object] = []

        with work() as unit:
            unit.after_commit(lambda: seen.append(_is_there(reads, ann)))
            unit.after_commit(lambda: seen.append("second"))
            unit.users.add(ann)
            assert seen == []
            unit.commit()

        assert seen == [True, "second"]

    def test_actions_of_a_rolled_back_unit_of_work_do_not_run(
        self, work: UnitOfWorkFactory[IdentityUnitOfWork]
    ) -> None:
        seen: list[str] = []

        with work() as unit:
            unit.after_commit(lambda: seen.append("never"))

        assert seen == []


def _append(unit: IdentityUnitOfWork, user: User, letter: str) -> None:
    stored = unit.users.lock(user.id)
    stored.rename(stored.name + letter)
    stored.mark_updated(A_MONDAY_MORNING)
    unit.users.save(stored)


def _claim(unit: UnitOfWork) -> bool:
    return unit.idempotency_keys.claim(_CLAIM, now=A_MONDAY_MORNING, until=A_MONDAY_MORNING.replace(hour=23)) is None


def _is_claimed(work: UnitOfWorkFactory[IdentityUnitOfWork]) -> bool:
    other = Claim(scope=_CLAIM.scope, fingerprint=_CLAIM.fingerprint, holder="second")
    with work() as unit:
        until = A_MONDAY_MORNING.replace(hour=23)
        return unit.idempotency_keys.claim(other, now=A_MONDAY_MORNING, until=until) is not None


def _is_there(reads: UnitOfWorkFactory[IdentityUnitOfWork], user: User) -> bool:
    with reads() as unit:
        try:
            return unit.users.get(user.id) == user
        except NotFound:
            return False

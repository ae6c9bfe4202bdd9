"""Tests of the verification of ledgers with unreadable values, or with entries whose task is missing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import pytest

from unite_core import CallTask, ChainFault, LedgerEntry, VerificationResult
from unite_core.application import FullUnitOfWork
from unite_core.calls.ledger import Unreadable, find_fault, link_to_chain
from unite_core.calls.use_cases.verification import VerifyLedger
from unite_core.testing.builders import an_id
from unite_core.testing.in_memory.calls import InMemoryCallTasks
from unite_core.testing.scenario import Scenario


@pytest.fixture
def task(scenario: Scenario) -> CallTask:
    return scenario.stored(scenario.complete(scenario.create_call_task()))


def test_an_unreadable_entry_is_reported_with_its_position(scenario: Scenario, task: CallTask) -> None:
    (first,) = scenario.ledger(task)
    unreadable = Unreadable(an_id())

    chains: dict[int, list[LedgerEntry | Unreadable]] = {1: [unreadable, first], 2: [first, unreadable]}
    for number, chain in chains.items():
        assert find_fault(task, chain) == ChainFault(
            task_id=task.id, entry_id=unreadable.id, number=number, reason="It cannot be read."
        )


def test_an_earlier_fault_is_reported_before_an_unreadable_entry(scenario: Scenario, task: CallTask) -> None:
    (first,) = scenario.ledger(task)

    fault = find_fault(task, [replace(first, note="She is not."), Unreadable(an_id())])

    assert fault is not None
    assert (fault.entry_id, fault.number) == (first.id, 1)


def test_an_unreadable_task_is_a_fault_of_its_chain(scenario: Scenario, task: CallTask) -> None:
    (first,) = scenario.ledger(task)
    cases: list[tuple[list[LedgerEntry], UUID | None]] = [([first], first.id), ([], None)]

    for chain, entry_id in cases:
        assert find_fault(Unreadable(task.id), chain) == ChainFault(
            task_id=task.id, entry_id=entry_id, number=1, reason="Its task cannot be read."
        )


class WithoutIds(InMemoryCallTasks):
    """A store of tasks whose ids are unreadable."""

    def iterate_by_id(self, after: UUID | None, *, limit: int) -> Sequence[CallTask | Unreadable]:
        return [Unreadable(None) for _ in super().iterate_by_id(after, limit=limit)]


def test_verification_stops_at_a_task_without_a_readable_id(scenario: Scenario) -> None:
    scenario.create_call_task()

    @contextmanager
    def reads() -> Iterator[FullUnitOfWork]:
        with scenario.ports.reads() as unit:
            unit.tasks = WithoutIds(scenario.tables)
            yield unit

    assert VerifyLedger(reads, at_once=1)() == VerificationResult(  # type: ignore[arg-type]  # it needs no more of a unit
        tasks=1,
        broken=ChainFault(task_id=None, entry_id=None, number=1, reason="Its task cannot be read."),
    )


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
@pytest.mark.parametrize("which", range(5))
def test_entries_without_their_task_are_reported(scenario: Scenario, which: int, at_once: int) -> None:
    tasks = sorted((scenario.complete(scenario.create_call_task()) for _ in range(5)), key=lambda task: task.id)
    (entry,) = scenario.ledger(tasks[which])
    del scenario.tables.tasks[tasks[which].id]

    verified = replace(scenario.unite.calls.verify_ledger, at_once=at_once)()

    assert verified == VerificationResult(
        tasks=which,
        entries=which,
        broken=ChainFault(task_id=entry.task_id, entry_id=entry.id, number=1, reason="Its task is missing."),
    )


def test_an_earlier_broken_chain_is_reported_before_entries_without_a_task(scenario: Scenario) -> None:
    first, second = sorted((scenario.complete(scenario.create_call_task()) for _ in range(2)), key=lambda task: task.id)
    (entry,) = scenario.ledger(first)
    scenario.tables.ledger[entry.id] = replace(entry, note="She is not.")
    del scenario.tables.tasks[second.id]

    verified = scenario.unite.calls.verify_ledger()

    assert verified.broken is not None
    assert verified.broken.task_id == first.id


def test_of_several_chains_without_a_task_the_first_is_reported(scenario: Scenario, task: CallTask) -> None:
    (first,) = scenario.ledger(task)
    second = link_to_chain(replace(first, id=an_id()), [first])
    scenario.tables.ledger = {second.id: second, first.id: first}
    del scenario.tables.tasks[task.id]

    verified = scenario.unite.calls.verify_ledger()

    assert verified.broken is not None
    assert (verified.broken.entry_id, verified.broken.number) == (first.id, 1)

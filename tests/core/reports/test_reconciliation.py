"""Tests of the reconciliation of call documents with the ledger: every difference is reported and repaired."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from unite_core.application import Unite, build
from unite_core.calls.ledger import LedgerEntry
from unite_core.calls.model import CallResult
from unite_core.errors import Forbidden
from unite_core.identity.model import Role
from unite_core.periods import Period
from unite_core.reports.differences import DifferenceKind
from unite_core.reports.documents import ID, document_of
from unite_core.reports.reconciliation import MAX_DIFFERENCES, Reconciliation, Repaired
from unite_core.testing.builders import an_actor, an_event_of, an_id
from unite_core.testing.contracts.database import add_all
from unite_core.testing.contracts.rollups import a_history
from unite_core.testing.in_memory import (
    A_MONDAY_MORNING,
    InMemoryActivityLog,
    InMemoryCallDocuments,
    InMemoryPorts,
    in_memory_ports,
)

DAY = Period(date(2026, 3, 3), date(2026, 3, 3), "Europe/Berlin")
MANAGER = an_actor(Role.MANAGER)


class Calls:
    """Calls of some days, all of whose documents are there."""

    def __init__(self) -> None:
        self.documents = InMemoryCallDocuments()
        self.ports: InMemoryPorts = in_memory_ports(
            documents=self.documents, activity=InMemoryActivityLog(self.documents)
        )
        self.unite: Unite = build(self.ports)
        self.entries = a_history(self.ports.work, tasks=60, corrections=30).entries
        add_all(self.ports.work, *self.entries)
        self.ports.activity.deliver([an_event_of(entry) for entry in self.entries])
        self.unite.reports.fold()
        latest = {entry.task_id: entry for entry in self.entries}
        self.of_day = [entry for entry in latest.values() if _in(DAY, entry)]

    @property
    def contents(self) -> dict[Any, dict[str, Any]]:
        return self.documents.contents

    def reconcile(self) -> Reconciliation:
        return self.unite.reports.reconcile(MANAGER, DAY)

    def repair(self) -> Repaired:
        return self.unite.reports.repair(MANAGER, DAY)


def _in(period: Period, entry: LedgerEntry) -> bool:
    return entry.called_at.astimezone(period.zone).date() == period.first


@pytest.fixture
def calls() -> Calls:
    return Calls()


def kinds(report: Reconciliation) -> list[tuple[DifferenceKind, UUID | None, str | None]]:
    return [(it.kind, it.task_id, it.field) for it in report.differences]


def test_without_differences_all_stores_are_equal(calls: Calls) -> None:
    report = calls.reconcile()

    assert report.equal
    assert (report.pending, report.differences, report.number_of_differences) == (0, [], 0)
    assert report.documents is not None
    counted = {result: sum(entry.result is result for entry in calls.of_day) for result in CallResult}
    for tally in (report.rollups, report.ledger, report.documents):
        assert {result: tally.calls.get(result, 0) for result in CallResult} == counted
        assert tally.seconds == sum(entry.duration_seconds or 0 for entry in calls.of_day)


def test_a_missing_document_is_reported_and_restored(calls: Calls) -> None:
    entry = calls.of_day[0]
    del calls.contents[entry.task_id]

    report = calls.reconcile()

    [difference] = report.differences
    assert not report.equal
    assert (difference.kind, difference.task_id, difference.entry_id) == ("missing", entry.task_id, entry.id)
    assert calls.repair() == Repaired(written=1)
    assert calls.contents[entry.task_id] == document_of(entry).content()
    assert calls.reconcile().equal


@pytest.mark.parametrize("days", [0, 3], ids=["same day", "another day"])
def test_a_copy_under_another_id_is_reported_and_removed(calls: Calls, days: int) -> None:
    entry, copy = calls.of_day[0], an_id()
    original = calls.contents[entry.task_id]
    calls.contents[copy] = {**original, ID: copy, "called_at": original["called_at"] + timedelta(days=days)}

    report = calls.reconcile()

    [difference] = report.differences
    assert (difference.kind, difference.task_id, difference.entry_id) == ("doubled", entry.task_id, entry.id)
    assert difference.found == str(copy)
    assert calls.repair() == Repaired(removed=1)
    assert copy not in calls.contents
    assert calls.reconcile().equal


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("outcome", "converted, or so"),
        ("agent_id", an_id()),
        ("duration_seconds", 100_000),
        ("called_at", A_MONDAY_MORNING + timedelta(days=40)),
        ("at", A_MONDAY_MORNING),
        ("source", "elsewhere"),
        ("attempt", 77),
        ("number", 99),
        ("hash", "0" * 64),
        ("kind", "made"),
        ("task_id", an_id()),
        ("entry_id", an_id()),
        ("note", "not ours"),
    ],
)
def test_a_changed_field_is_reported_and_restored(calls: Calls, field: str, value: object) -> None:
    entry = calls.of_day[0]
    expected = document_of(entry).content()
    calls.contents[entry.task_id][field] = value

    report = calls.reconcile()

    [difference] = report.differences
    assert kinds(report) == [(DifferenceKind.ALTERED, entry.task_id, field)]
    assert (difference.entry_id, difference.expected is None) == (entry.id, expected.get(field) is None)
    assert difference.found is not None
    assert calls.repair() == Repaired(restored=1)
    assert calls.contents[entry.task_id] == expected
    assert calls.reconcile().equal


def test_a_document_that_was_moved_to_another_day_is_reported_on_that_day_too(calls: Calls) -> None:
    latest = {entry.task_id: entry for entry in calls.entries}
    other = next(entry for entry in latest.values() if not _in(DAY, entry))
    calls.contents[other.task_id]["called_at"] = document_of(calls.of_day[0]).called_at

    assert kinds(calls.reconcile()) == [(DifferenceKind.ALTERED, other.task_id, "called_at")]


def test_a_document_without_an_entry_in_the_ledger_is_reported_and_removed(calls: Calls) -> None:
    unknown = an_id()
    calls.contents[unknown] = {**calls.contents[calls.of_day[0].task_id], ID: unknown, "task_id": unknown}

    report = calls.reconcile()

    assert kinds(report) == [(DifferenceKind.UNEXPECTED, unknown, ID)]
    assert calls.repair() == Repaired(removed=1)
    assert calls.reconcile().equal


def test_a_document_without_a_task_is_reported_and_removed(calls: Calls) -> None:
    calls.contents["stray"] = {
        **calls.contents[calls.of_day[0].task_id],
        ID: "stray",
        "task_id": "none",
        "entry_id": "none",
    }

    report = calls.reconcile()

    [difference] = report.differences
    assert (difference.kind, difference.task_id, difference.entry_id) == ("unexpected", None, None)
    assert difference.found == "stray"
    assert calls.repair() == Repaired(removed=1)
    assert calls.reconcile().equal


def test_a_document_of_an_earlier_entry_differs_in_all_corrected_fields(calls: Calls) -> None:
    last = next(entry for entry in calls.of_day if entry.number > 1)
    first = next(entry for entry in calls.entries if entry.task_id == last.task_id)
    calls.contents[last.task_id] = document_of(first).content()

    report = calls.reconcile()

    assert {field for _, _, field in kinds(report)} >= {"entry_id", "number", "at", "hash"}
    assert calls.repair().restored == 1
    assert calls.reconcile().equal


def test_an_entry_with_a_pending_event_is_not_a_difference(calls: Calls) -> None:
    missing, stale = calls.of_day[:2]
    del calls.contents[missing.task_id]
    calls.contents[stale.task_id]["number"] = 0
    with calls.ports.work() as unit:
        for entry in (missing, stale):
            unit.record(an_event_of(entry))
        unit.commit()

    report = calls.reconcile()

    assert (report.equal, report.pending, report.differences) == (True, 2, [])
    assert report.about.complete_through == min(missing.at, stale.at, report.about.generated_at)
    assert calls.repair() == Repaired()
    calls.ports.clock.advance(timedelta(days=30))
    calls.unite.notifications.relay("activity")
    assert (calls.reconcile().equal, calls.reconcile().pending) == (True, 0)


def test_different_rollups_are_reported(calls: Calls) -> None:
    with calls.ports.work() as unit:
        for day in unit.rollups.days():
            unit.rollups.replace_day(day, {})
        unit.commit()

    report = calls.reconcile()

    assert not report.equal
    assert report.differences == []
    assert report.rollups != report.ledger


def test_all_differences_are_counted_although_only_some_are_listed(calls: Calls) -> None:
    content = calls.contents[calls.of_day[0].task_id]
    for _ in range(MAX_DIFFERENCES + 1):
        unknown = an_id()
        calls.contents[unknown] = {**content, ID: unknown, "task_id": unknown}

    report = calls.reconcile()

    assert (len(report.differences), report.number_of_differences) == (
        MAX_DIFFERENCES,
        MAX_DIFFERENCES + 1,
    )


def test_without_documents_only_ledger_and_rollups_are_compared() -> None:
    unite = build(in_memory_ports())

    report = unite.reports.reconcile(MANAGER, DAY)

    assert (report.equal, report.documents, report.differences) == (True, None, [])
    assert unite.reports.repair(MANAGER, DAY) == Repaired()


def test_agents_can_neither_reconcile_nor_repair(calls: Calls) -> None:
    agent = an_actor(Role.AGENT)

    with pytest.raises(Forbidden):
        calls.unite.reports.reconcile(agent, DAY)
    with pytest.raises(Forbidden):
        calls.unite.reports.repair(agent, DAY)


@pytest.mark.parametrize("seed", range(8))
def test_any_tampering_with_documents_is_repaired(calls: Calls, seed: int) -> None:
    random = Random(seed)
    right = {key: dict(content) for key, content in calls.contents.items()}
    ids = list(right)
    for _ in range(25):
        key = random.choice(ids)
        content = calls.contents.get(key)
        if content is None:
            continue
        tampering = random.randrange(4)
        if tampering == 0:
            del calls.contents[key]
        elif tampering == 1:
            copy = an_id()
            calls.contents[copy] = {**content, ID: copy, "called_at": content["called_at"] + timedelta(days=1)}
        elif tampering == 2:
            content["called_at"] += timedelta(hours=random.randrange(-60, 60))
        else:
            content["task_id"] = random.choice(ids)

    span = [
        Period(date(2026, 2, 25) + timedelta(days=it), date(2026, 2, 25) + timedelta(days=it), "UTC")
        for it in range(20)
    ]
    assert not all(calls.unite.reports.reconcile(MANAGER, day).equal for day in span)
    for day in span:
        calls.unite.reports.repair(MANAGER, day)

    assert calls.contents == right
    assert all(calls.unite.reports.reconcile(MANAGER, day).equal for day in span)


@pytest.mark.parametrize("then", [{}, {"number": 99}], ids=["right", "a later entry"])
def test_a_document_that_changes_during_the_comparison_is_not_a_difference(calls: Calls, then: dict[str, int]) -> None:
    entry = calls.of_day[0]
    content = calls.contents.pop(entry.task_id)
    looks: list[int] = []

    class Late(InMemoryCallDocuments):
        def of_tasks(self, task_ids: Any) -> Any:
            looks.append(len(task_ids))
            if len(looks) == 3:
                self.contents[entry.task_id] = {**content, **then}
            return super().of_tasks(task_ids)

    late = Late()
    late.contents = calls.contents
    unite = build(replace(calls.ports, documents=late))

    assert unite.reports.reconcile(MANAGER, DAY).differences == []
    assert looks == [len(calls.of_day), 1, 1]

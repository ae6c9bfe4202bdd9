"""Tests of undoing imports: created leads are removed, and updated ones restored unless they were changed since."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from tests.core.imports.contents import contents
from unite_core import (
    Conflict,
    Forbidden,
    ImportStatus,
    Lead,
    LeadChanges,
    LeadStatus,
    LeadToDelete,
    NewImage,
    NewLead,
    NotFound,
    OnDuplicate,
    Role,
)
from unite_core.imports.undo import UndoStep
from unite_core.testing.builders import an_actor, an_id
from unite_core.testing.in_memory import FixedClock, in_memory_ports
from unite_core.testing.scenario import Scenario

UPDATE = OnDuplicate.UPDATE
PHONE = "+1212555010{}"


@pytest.fixture
def scenario() -> Scenario:
    return Scenario(chunk_rows=10)


def add(scenario: Scenario, name: str, phone: int | None = None, email: str | None = None) -> Lead:
    number = PHONE.format(phone) if phone is not None else None
    return scenario.unite.leads.add(scenario.admin, NewLead(name=name, phone=number, email=email))


def phones(scenario: Scenario) -> dict[str, str | None]:
    return {lead.name: lead.phone.number[-1] if lead.phone else None for lead in scenario.leads()}


def test_created_leads_are_removed_and_updated_ones_restored(scenario: Scenario) -> None:
    before = add(scenario, "Ada", 1, "ada@example.com")
    rows = [
        ("Countess", PHONE.format(1), "countess@example.com", "lost", "fair", "admin@unite.example"),
        ("Grace", PHONE.format(2)),
        ("Grace Hopper", PHONE.format(2), "grace@example.com"),
    ]
    done = scenario.import_file(rows, on_duplicate=UPDATE)
    (changed, _) = scenario.leads()
    assert (changed.name, changed.email, changed.status, changed.source, changed.assigned_to) == (
        "Countess",
        "countess@example.com",
        LeadStatus.LOST,
        "fair",
        scenario.admin.user_id,
    )

    undone = scenario.unite.imports.undo(scenario.admin, done.id).undone

    assert undone is not None
    assert (undone.removed, undone.restored, undone.kept) == (1, 1, 0)
    assert undone.finished_at == scenario.ports.clock.now()
    (now,) = scenario.leads()
    assert now == replace(before, version=changed.version + 1, status_chosen_at=changed.status_chosen_at)


def test_leads_that_swapped_their_phones_are_restored(scenario: Scenario) -> None:
    a, b = add(scenario, "A", 1, "a@example.com"), add(scenario, "B", 2, "b@example.com")
    rows = [
        ("A", PHONE.format(3), "a@example.com"),
        ("B", PHONE.format(1), "b@example.com"),
        ("A", PHONE.format(2), "a@example.com"),
    ]
    done = scenario.import_file(rows, on_duplicate=UPDATE)
    assert phones(scenario) == {"A": "2", "B": "1"}

    undone = scenario.unite.imports.undo(scenario.admin, done.id).undone

    assert undone is not None
    assert (undone.restored, undone.kept) == (2, 0)
    assert contents(scenario.leads()) == contents([a, b])


def test_leads_that_passed_their_phones_on_are_restored_together_beyond_the_batch_size(
    scenario: Scenario,
) -> None:
    at_first = [add(scenario, name, number, f"{name.lower()}@example.com") for number, name in enumerate("ABCDE")]
    rows = [
        (name, PHONE.format(number), f"{name.lower()}@example.com")
        for name, number in zip("EDCBA", "54321", strict=True)
    ]
    done = scenario.import_file(rows, on_duplicate=UPDATE)
    assert phones(scenario) == {"A": "1", "B": "2", "C": "3", "D": "4", "E": "5"}

    _undo_in_steps_of(1, scenario, done.id)

    assert contents(scenario.leads()) == contents(at_first)


def test_a_lead_is_kept_if_its_former_phone_belongs_to_another_lead_now_and_so_are_dependent_ones(
    scenario: Scenario,
) -> None:
    a, b = add(scenario, "A", 1, "a@example.com"), add(scenario, "B", 2, "b@example.com")
    rows = [("A", PHONE.format(3), "a@example.com"), ("B", PHONE.format(1), "b@example.com", "", "fair")]
    done = scenario.import_file(rows, on_duplicate=UPDATE)
    add(scenario, "Newcomer", 2)

    undone = scenario.unite.imports.undo(scenario.admin, done.id).undone

    assert undone is not None
    assert (undone.restored, undone.kept) == (0, 2)
    assert phones(scenario) == {"A": "3", "B": "1", "Newcomer": "2"}
    assert scenario.unite.leads.get(scenario.admin, a.id).version == a.version + 1
    assert scenario.unite.leads.get(scenario.admin, b.id).source == "fair"


def test_of_two_leads_that_had_the_same_phone_in_turn_one_gets_it_back(scenario: Scenario) -> None:
    add(scenario, "A", 1, "a@example.com")
    coming = scenario.upload(
        [("A", PHONE.format(2), "a@example.com"), ("B", PHONE.format(3), "b@example.com")], on_duplicate=UPDATE
    )
    step = replace(scenario.continue_import, chunk_rows=1)
    step(coming.id, holder="worker", should_stop=lambda: True)
    add(scenario, "B", 1, "b@example.com")
    step(coming.id, holder="worker")
    assert phones(scenario) == {"A": "2", "B": "3"}

    undone = scenario.unite.imports.undo(scenario.admin, coming.id).undone

    assert undone is not None
    assert (undone.restored, undone.kept) == (1, 1)
    assert sorted(phones(scenario).values(), key=str) in (["1", "2"], ["1", "3"])


def test_leads_that_were_changed_deleted_or_got_a_picture_since_are_kept(scenario: Scenario) -> None:
    updated = [add(scenario, f"U{number}", number) for number in range(3)]
    rows: list[tuple[str, ...]] = [("", PHONE.format(number), "", "lost") for number in range(3)]
    rows += [(f"C{number}", PHONE.format(number)) for number in range(3, 8)]
    rows += [("", PHONE.format(number), "", "lost") for number in range(6, 8)]  # these change what the file made
    scenario.chunk_rows = 3
    done = scenario.import_file(rows, on_duplicate=UPDATE)
    created = {lead.name: lead for lead in scenario.leads() if lead.import_id == done.id}
    touch, delete = scenario.unite.leads.change, scenario.unite.leads.delete
    touch(scenario.admin, LeadChanges(lead_id=updated[0].id, name="U0 touched"))
    delete(scenario.admin, LeadToDelete(lead_id=updated[1].id))
    touch(scenario.admin, LeadChanges(lead_id=created["C3"].id, name="C3 touched"))
    for name in ("C4", "C6"):
        picture = NewImage(lead_id=created[name].id, content_type="image/png", size=10)
        scenario.unite.leads.create_image(scenario.admin, picture)

    undone = scenario.unite.imports.undo(scenario.admin, done.id).undone

    assert undone is not None
    assert (undone.removed, undone.restored) == (2, 1)
    assert undone.kept == 5  # two updated, three created
    assert sorted(phones(scenario)) == ["C3 touched", "C4", "C6", "U0 touched", "U2"]


def test_undoing_twice_changes_nothing(scenario: Scenario) -> None:
    done = scenario.import_file([("Ada", PHONE.format(1))])
    first = scenario.unite.imports.undo(scenario.admin, done.id)

    scenario.unite.imports.continue_undo(done.id)
    assert scenario.get_import(done.id) == first
    assert scenario.unite.imports.undo(scenario.admin, done.id) == first
    assert scenario.unite.imports.undo(scenario.admin, done.id).version == first.version


def test_a_cancelled_import_can_be_undone(scenario: Scenario) -> None:
    coming = scenario.upload([("Ada", PHONE.format(1)), ("Grace", PHONE.format(2))])
    replace(scenario.continue_import, chunk_rows=1)(coming.id, holder="worker", should_stop=lambda: True)
    scenario.unite.imports.cancel(scenario.admin, coming.id)
    assert scenario.run_import(coming.id).status is ImportStatus.CANCELLED
    assert len(scenario.leads()) == 1

    scenario.unite.imports.undo(scenario.admin, coming.id)

    assert scenario.leads() == []


def test_the_same_file_can_be_imported_again_after_an_undo(scenario: Scenario) -> None:
    rows = [("Ada", PHONE.format(1))]
    first = scenario.import_file(rows)
    scenario.unite.imports.undo(scenario.admin, first.id)

    second = scenario.import_file(rows)

    assert second.id != first.id
    assert second.counts.created == 1


def test_imports_that_run_or_changed_nothing_cannot_be_undone(scenario: Scenario) -> None:
    queued = scenario.upload([("Ada", PHONE.format(1))])
    dry = scenario.import_file([("Ada", PHONE.format(1))], dry_run=True)

    never_ran = scenario.upload([("Grace", PHONE.format(2))])
    scenario.unite.imports.cancel(scenario.admin, never_ran.id)

    with pytest.raises(Conflict) as waiting:
        scenario.unite.imports.undo(scenario.admin, queued.id)
    with pytest.raises(Conflict) as nothing:
        scenario.unite.imports.undo(scenario.admin, dry.id)
    with pytest.raises(Conflict) as unneeded:
        scenario.unite.imports.undo(scenario.admin, never_ran.id)

    assert (waiting.value.code, nothing.value.code) == ("import_not_ended", "nothing_to_undo")
    assert unneeded.value.code == "nothing_to_undo"
    assert scenario.get_import(never_ran.id).undone is None


def test_agents_cannot_undo_imports(scenario: Scenario) -> None:
    done = scenario.import_file([("Ada", PHONE.format(1))])

    with pytest.raises(Forbidden):
        scenario.unite.imports.undo(an_actor(Role.AGENT), done.id)
    with pytest.raises(NotFound):
        scenario.unite.imports.undo(an_actor(Role.MANAGER), an_id())


@dataclass
class SlowClock(FixedClock):
    """A clock that advances by two seconds at every call."""

    at: datetime

    def now(self) -> datetime:
        self.at += timedelta(seconds=2)
        return self.at


def test_a_large_undo_is_continued_by_a_worker() -> None:
    clock = SlowClock(datetime.fromisoformat("2026-03-02T09:00:00+00:00"))
    scenario = Scenario(in_memory_ports(clock=clock), chunk_rows=1000)
    done = scenario.import_file([(f"Lead {number}", f"+1212555{number:04}") for number in range(1001)])
    assert done.counts.created == 1001

    answer = scenario.unite.imports.undo(scenario.admin, done.id)

    assert answer.undoing
    assert scenario.ports.jobs.undos == [done.id]
    assert scenario.unite.imports.due().to_undo == (done.id,)
    assert scenario.unite.imports.due().to_import == ()
    finished: list[int] = []
    scenario.unite.imports.continue_undo(done.id, should_stop=lambda: True, on_finished=lambda: finished.append(1))
    assert scenario.get_import(done.id).undoing
    assert finished == []
    scenario.unite.imports.continue_undo(done.id, on_finished=lambda: finished.append(1))
    scenario.unite.imports.continue_undo(done.id, on_finished=lambda: finished.append(2))
    assert finished == [1]
    assert scenario.leads() == []
    undone = scenario.get_import(done.id).undone
    assert undone is not None
    assert undone.removed == 1001
    assert undone.finished_at is not None


def _undo_in_steps_of(limit: int, scenario: Scenario, import_id: UUID) -> None:
    with scenario.ports.work() as work:
        unwanted = work.imports.get(import_id)
        unwanted.begin_undo()
        unwanted.mark_updated()
        work.imports.save(unwanted)
        work.commit()
    step = UndoStep(scenario.ports.work, scenario.ports.clock, scenario.ports.ids, limit=limit)
    while step(import_id).undoing:
        pass


def test_a_lead_that_has_the_former_phone_of_another_keeps_it_and_is_restored(scenario: Scenario) -> None:
    add(scenario, "A", 1, "a@example.com")
    rows = [("A", PHONE.format(2), "a@example.com"), ("B", PHONE.format(1), "b@example.com", "lost")]
    coming = scenario.upload(rows, on_duplicate=UPDATE)
    step = replace(scenario.continue_import, chunk_rows=1)
    step(coming.id, holder="worker", should_stop=lambda: True)
    b = add(scenario, "B", 1, "b@example.com")
    step(coming.id, holder="worker")

    undone = scenario.unite.imports.undo(scenario.admin, coming.id).undone

    assert undone is not None
    assert (undone.restored, undone.kept) == (1, 1)
    assert phones(scenario) == {"A": "2", "B": "1"}
    assert scenario.unite.leads.get(scenario.admin, b.id).status is LeadStatus.NEW


@pytest.mark.parametrize("there_before", [True, False], ids=["a lead that was there", "a lead that the import made"])
def test_leads_that_a_user_changed_between_two_chunks_are_kept(*, there_before: bool) -> None:
    scenario = Scenario(chunk_rows=1)
    if there_before:
        add(scenario, "Ada", 1)
    rows = [(name, PHONE.format(1)) for name in ("Countess", "Lady Lovelace", "Augusta")]
    coming = scenario.upload(rows, on_duplicate=UPDATE)
    scenario.continue_import(coming.id, holder="worker", should_stop=lambda: True)
    (lead,) = scenario.leads()
    scenario.unite.leads.change(scenario.admin, LeadChanges(lead_id=lead.id, source="fair"))
    scenario.run_import(coming.id)

    undone = scenario.unite.imports.undo(scenario.admin, coming.id).undone

    assert undone is not None
    assert (undone.removed, undone.restored, undone.kept) == (0, 0, 1)
    assert [(it.name, it.source) for it in scenario.leads()] == [("Augusta", "fair")]


def test_leads_that_only_the_import_changed_in_several_chunks_are_restored() -> None:
    scenario = Scenario(chunk_rows=1)
    before = add(scenario, "Ada", 1)
    rows = [(name, PHONE.format(1)) for name in ("Countess", "Lady Lovelace", "Augusta")]
    done = scenario.import_file(rows, on_duplicate=UPDATE)

    scenario.unite.imports.undo(scenario.admin, done.id)

    assert contents(scenario.leads()) == contents([before])

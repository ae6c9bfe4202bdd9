"""Property-based tests of imports of small files with many duplicates."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.imports.contents import contents
from unite_core import LeadChanges, NewLead, OnDuplicate, RowKind
from unite_core.imports.undo import UndoStep
from unite_core.testing.scenario import Scenario

PHONES = [f"+1212555010{number}" for number in range(3)]
EMAILS = [f"{letter}@example.com" for letter in "abc"]

Row = tuple[str, str, str, str]
Before = Sequence[tuple[str, str | None, str | None]]

# Few values, so that most rows meet others and pass phones and e-mails on; some empty cells and wrong ones.
good_rows = st.tuples(
    st.sampled_from(["Ada", "Grace", "Grete"]), st.sampled_from(PHONES), st.sampled_from(EMAILS), st.just("")
)
any_rows = st.tuples(
    st.sampled_from(["Ada", "Grace", ""]),
    st.sampled_from([*PHONES, "", "12"]),
    st.sampled_from([*EMAILS, "", "no address"]),
    st.sampled_from(["", "won", "lost", "new", "contacted"]),
)
rows = st.lists(st.one_of(good_rows, good_rows, any_rows), max_size=10)
leads_before = st.lists(
    st.tuples(st.sampled_from(["Ben", "Cleo"]), st.sampled_from([*PHONES, None]), st.sampled_from([*EMAILS, None])),
    max_size=4,
)
chunk_rows = st.integers(1, 10)
either = st.sampled_from([OnDuplicate.UPDATE, OnDuplicate.UPDATE, OnDuplicate.SKIP])
thoroughly = settings(max_examples=150, deadline=None)


def _floor(before: Before, chunk: int) -> Scenario:
    scenario = Scenario(chunk_rows=chunk)
    phones: set[str] = set()
    emails: set[str] = set()
    for name, phone, email in before:
        if (phone or email) and phone not in phones and email not in emails:
            scenario.unite.leads.add(scenario.admin, NewLead(name=name, phone=phone, email=email))
            phones |= {phone} if phone else set()
            emails |= {email} if email else set()
    return scenario


@thoroughly
@given(before=leads_before, table=rows, chunk=chunk_rows, mode=either)
def test_every_row_is_counted_once(before: Before, table: Sequence[Row], chunk: int, mode: OnDuplicate) -> None:
    scenario = _floor(before, chunk)
    known = len(scenario.leads())

    done = scenario.import_file(table, on_duplicate=mode)

    filled = [number for number, row in enumerate(table, start=2) if any(row)]
    rejections = scenario.rejections(done.id)
    assert done.counts.rows == len(filled)
    assert done.counts.rejected == sum(it.kind is RowKind.REJECTED for it in rejections)
    assert done.counts.duplicate == sum(it.kind is RowKind.DUPLICATE for it in rejections)
    made = [lead.import_row for lead in scenario.leads() if lead.import_id == done.id]
    assert done.counts.created == len(made) == len(scenario.leads()) - known
    accounted = [it.row for it in rejections] + [row for row in made if row is not None]
    assert len(accounted) == len(set(accounted))
    assert set(accounted) <= set(filled)
    assert len(filled) - len(accounted) == done.counts.updated


@thoroughly
@given(before=leads_before, table=rows, chunk=chunk_rows, mode=either)
def test_a_dry_run_predicts_the_counts_and_changes_nothing(
    before: Before, table: Sequence[Row], chunk: int, mode: OnDuplicate
) -> None:
    scenario = _floor(before, chunk)
    at_first = scenario.leads()

    dry = scenario.import_file(table, on_duplicate=mode, dry_run=True)
    assert scenario.leads() == at_first
    real = scenario.import_file(table, on_duplicate=mode)

    assert dry.counts == real.counts
    assert [replace(it, duplicate_of=None) for it in scenario.rejections(dry.id)] == [
        replace(it, duplicate_of=None) for it in scenario.rejections(real.id)
    ]


@thoroughly
@given(before=leads_before, table=rows, chunk=chunk_rows, other=chunk_rows, mode=either)
def test_the_result_does_not_depend_on_the_size_of_chunks(
    before: Before,
    table: Sequence[Row],
    chunk: int,
    other: int,
    mode: OnDuplicate,
) -> None:
    first, second = _floor(before, chunk), _floor(before, other)

    counts = [scenario.import_file(table, on_duplicate=mode).counts for scenario in (first, second)]

    assert counts[0] == counts[1]
    assert contents(first.leads()) == contents(second.leads())


@thoroughly
@given(before=leads_before, table=rows, chunk=chunk_rows, step=st.integers(1, 4), mode=either)
def test_an_undo_restores_all_leads(
    before: Before, table: Sequence[Row], chunk: int, step: int, mode: OnDuplicate
) -> None:
    scenario = _floor(before, chunk)
    at_first = scenario.leads()
    done = scenario.import_file(table, on_duplicate=mode)
    after = scenario.leads()

    with scenario.ports.work() as work:
        unwanted = work.imports.get(done.id)
        unwanted.begin_undo()
        unwanted.mark_updated()
        work.imports.save(unwanted)
        work.commit()
    undo = UndoStep(scenario.ports.work, scenario.ports.clock, scenario.ports.ids, limit=step)
    while undo(done.id).undoing:
        pass

    undone = scenario.get_import(done.id).undone
    assert contents(scenario.leads()) == contents(at_first)
    assert [lead.id for lead in scenario.leads()] == [lead.id for lead in at_first]
    assert undone is not None
    changed = sum(contents([lead]) != contents([first]) for lead in after for first in at_first if lead.id == first.id)
    assert (undone.removed, undone.kept) == (done.counts.created, 0)
    assert undone.restored >= changed


@thoroughly
@given(before=leads_before, table=rows, chunk=chunk_rows, touched=st.integers(0, 12))
def test_an_undo_does_not_change_leads_that_were_changed_since_the_import(
    before: Before, table: Sequence[Row], chunk: int, touched: int
) -> None:
    scenario = _floor(before, chunk)
    done = scenario.import_file(table, on_duplicate=OnDuplicate.UPDATE)
    leads = scenario.leads()
    if not leads:
        return
    theirs = leads[touched % len(leads)]
    scenario.unite.leads.change(scenario.admin, LeadChanges(lead_id=theirs.id, name="Touched"))

    undone = scenario.unite.imports.undo(scenario.admin, done.id).undone

    assert undone is not None
    assert undone.finished_at is not None
    assert scenario.unite.leads.get(scenario.admin, theirs.id).name == "Touched"
    assert undone.removed + sum(lead.import_id == done.id for lead in scenario.leads()) == done.counts.created

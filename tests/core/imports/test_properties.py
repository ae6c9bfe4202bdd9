"""What holds for every import, whatever is in the file: tried on many small tables full of collisions."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.imports.floor import Floor, contents
from unite_core import LeadChanges, NewLead, OnDuplicate, RowKind
from unite_core.imports.undo import UndoStep

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


def _floor(before: Before, chunk: int) -> Floor:
    floor = Floor(chunk_rows=chunk)
    phones: set[str] = set()
    emails: set[str] = set()
    for name, phone, email in before:
        if (phone or email) and phone not in phones and email not in emails:
            floor.unite.leads.add(floor.ann, NewLead(name=name, phone=phone, email=email))
            phones |= {phone} if phone else set()
            emails |= {email} if email else set()
    return floor


@thoroughly
@given(before=leads_before, table=rows, chunk=chunk_rows, mode=either)
def test_each_row_is_accounted_for_once(before: Before, table: Sequence[Row], chunk: int, mode: OnDuplicate) -> None:
    floor = _floor(before, chunk)
    known = len(floor.leads())

    done = floor.import_file(table, on_duplicate=mode)

    filled = [number for number, row in enumerate(table, start=2) if any(row)]
    rejections = floor.rejections(done.id)
    assert done.counts.rows == len(filled)
    assert done.counts.rejected == sum(it.kind is RowKind.REJECTED for it in rejections)
    assert done.counts.duplicate == sum(it.kind is RowKind.DUPLICATE for it in rejections)
    made = [lead.import_row for lead in floor.leads() if lead.import_id == done.id]
    assert done.counts.created == len(made) == len(floor.leads()) - known
    told = [it.row for it in rejections] + [row for row in made if row is not None]
    assert len(told) == len(set(told))
    assert set(told) <= set(filled)
    assert len(filled) - len(told) == done.counts.updated


@thoroughly
@given(before=leads_before, table=rows, chunk=chunk_rows, mode=either)
def test_a_dry_run_foretells_the_counts_and_changes_nothing(
    before: Before, table: Sequence[Row], chunk: int, mode: OnDuplicate
) -> None:
    floor = _floor(before, chunk)
    at_first = floor.leads()

    dry = floor.import_file(table, on_duplicate=mode, dry_run=True)
    assert floor.leads() == at_first
    real = floor.import_file(table, on_duplicate=mode)

    assert dry.counts == real.counts
    assert [replace(it, duplicate_of=None) for it in floor.rejections(dry.id)] == [
        replace(it, duplicate_of=None) for it in floor.rejections(real.id)
    ]


@thoroughly
@given(before=leads_before, table=rows, chunk=chunk_rows, other=chunk_rows, mode=either)
def test_how_a_file_is_cut_into_chunks_makes_no_difference(
    before: Before,
    table: Sequence[Row],
    chunk: int,
    other: int,
    mode: OnDuplicate,
) -> None:
    first, second = _floor(before, chunk), _floor(before, other)

    counts = [floor.import_file(table, on_duplicate=mode).counts for floor in (first, second)]

    assert counts[0] == counts[1]
    assert contents(first.leads()) == contents(second.leads())


@thoroughly
@given(before=leads_before, table=rows, chunk=chunk_rows, step=st.integers(1, 4), mode=either)
def test_what_was_undone_is_as_it_was_before(
    before: Before, table: Sequence[Row], chunk: int, step: int, mode: OnDuplicate
) -> None:
    floor = _floor(before, chunk)
    at_first = floor.leads()
    done = floor.import_file(table, on_duplicate=mode)
    after = floor.leads()

    with floor.ports.work() as work:
        unwanted = work.imports.get(done.id)
        unwanted.begin_undo()
        unwanted.touched()
        work.imports.save(unwanted)
        work.commit()
    undo = UndoStep(floor.ports.work, floor.ports.clock, floor.ports.ids, limit=step)
    while undo(done.id).undoing:
        pass

    undone = floor.get(done.id).undone
    assert contents(floor.leads()) == contents(at_first)
    assert [lead.id for lead in floor.leads()] == [lead.id for lead in at_first]
    assert undone is not None
    changed = sum(contents([lead]) != contents([first]) for lead in after for first in at_first if lead.id == first.id)
    assert (undone.removed, undone.kept) == (done.counts.created, 0)
    assert undone.restored >= changed


@thoroughly
@given(before=leads_before, table=rows, chunk=chunk_rows, touched=st.integers(0, 12))
def test_undoing_leaves_a_lead_alone_that_somebody_has_touched_since(
    before: Before, table: Sequence[Row], chunk: int, touched: int
) -> None:
    floor = _floor(before, chunk)
    done = floor.import_file(table, on_duplicate=OnDuplicate.UPDATE)
    leads = floor.leads()
    if not leads:
        return
    theirs = leads[touched % len(leads)]
    floor.unite.leads.change(floor.ann, LeadChanges(lead_id=theirs.id, name="Touched"))

    undone = floor.unite.imports.undo(floor.ann, done.id).undone

    assert undone is not None
    assert undone.finished_at is not None
    assert floor.unite.leads.get(floor.ann, theirs.id).name == "Touched"
    assert undone.removed + sum(lead.import_id == done.id for lead in floor.leads()) == done.counts.created

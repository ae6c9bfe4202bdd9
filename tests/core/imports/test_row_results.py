"""Tests of the results of rows: a new lead, an updated one, a duplicate, or a rejection."""

import pytest

from unite_core import (
    ImportStatus,
    LeadStatus,
    NewLead,
    OnDuplicate,
    Phone,
    RowKind,
)
from unite_core.testing.builders import csv_text
from unite_core.testing.scenario import HEADER, Scenario

UPDATE = OnDuplicate.UPDATE
GRACE = "+12125550101"
ADA = "+12125550102"


@pytest.fixture
def scenario() -> Scenario:
    return Scenario(chunk_rows=100)


def test_a_row_creates_a_lead_with_all_of_its_values(scenario: Scenario) -> None:
    row = ("Grace Hopper", f"{GRACE} ext. 7", "Grace@Example.com", "Qualified", "Fair", "admin@unite.example")
    done = scenario.import_file([row])

    (lead,) = scenario.leads()
    assert (lead.name, lead.phone, lead.email) == ("Grace Hopper", Phone(GRACE, "7"), "grace@example.com")
    assert (lead.status, lead.source, lead.assigned_to) == (LeadStatus.QUALIFIED, "fair", scenario.admin.user_id)
    assert (lead.import_id, lead.import_row, lead.created_by) == (done.id, 2, scenario.admin.user_id)
    assert lead.created_at == lead.updated_at == scenario.ports.clock.now()


def test_options_fill_the_values_that_a_row_lacks(scenario: Scenario) -> None:
    ben = scenario.ben.user_id
    scenario.import_file(
        [("Grace", "(212) 555-0101")], default_country="US", default_source=" Fair ", default_assigned_to=ben
    )

    (lead,) = scenario.leads()
    assert (lead.phone, lead.source, lead.assigned_to) == (Phone(GRACE), "fair", ben)
    assert lead.status is LeadStatus.NEW


def test_a_lead_without_further_values_is_new_unassigned_and_has_the_default_source(scenario: Scenario) -> None:
    scenario.import_file([("Grace", GRACE)])

    (lead,) = scenario.leads()
    assert (lead.status, lead.source, lead.assigned_to) == (LeadStatus.NEW, "import", None)


def test_a_row_may_have_a_company(scenario: Scenario) -> None:
    rows = ("Grace,grace@example.com,Eckert-Mauchly", "Ada,ada@example.com, ", f"Zoe,zoe@example.com,{'x' * 201}")
    done = scenario.import_file("\n".join(["Name,Email,Firma", *rows]))

    assert [(lead.name, lead.details.company) for lead in scenario.leads()] == [
        ("Grace", "Eckert-Mauchly"),
        ("Ada", None),
    ]
    [[problem]] = [rejection.problems for rejection in scenario.rejections(done.id)]
    assert (problem.field, problem.code) == ("company", "too_long")


def test_an_update_of_the_company_can_be_undone(scenario: Scenario) -> None:
    known = scenario.unite.leads.add(scenario.admin, NewLead(name="Grace", email="grace@example.com", company="Navy"))
    rows = "Email,Company\ngrace@example.com,Remington Rand\n"
    done = scenario.import_file(rows, on_duplicate=OnDuplicate.UPDATE)
    assert scenario.unite.leads.get(scenario.admin, known.id).details.company == "Remington Rand"
    scenario.import_file("Email,Company\ngrace@example.com,\n", on_duplicate=OnDuplicate.UPDATE)
    assert scenario.unite.leads.get(scenario.admin, known.id).details.company == "Remington Rand"

    scenario.unite.imports.undo(scenario.admin, done.id)

    assert scenario.unite.leads.get(scenario.admin, known.id).details.company == "Navy"


def test_columns_can_be_mapped_explicitly(scenario: Scenario) -> None:
    done = scenario.import_file("Wer,Wo\nGrace,+12125550101\n", columns={"Wer": "name", "Wo": "phone"})

    assert done.counts.created == 1


def test_a_duplicate_row_names_the_lead_and_leaves_it_unchanged(scenario: Scenario) -> None:
    known = scenario.unite.leads.add(scenario.admin, NewLead(name="Grace", phone=GRACE, email="grace@example.com"))
    rows = [("By Phone", GRACE), ("By Mail", ADA, "grace@example.com"), ("By Both", GRACE, "grace@example.com")]
    done = scenario.import_file(rows)

    assert scenario.leads() == [known]
    assert (done.counts.duplicate, done.counts.rows) == (3, 3)
    rejected = [
        (it.row, it.kind, it.duplicate_of, it.duplicate_row, it.problems[0]) for it in scenario.rejections(done.id)
    ]
    assert [it[:4] for it in rejected] == [(row, RowKind.DUPLICATE, known.id, None) for row in (2, 3, 4)]
    assert [(it[4].field, it[4].code) for it in rejected] == [
        ("phone", "duplicate_lead"),
        ("email", "duplicate_lead"),
        ("phone", "duplicate_lead"),
    ]
    assert "phone number and e-mail address of a lead that is there already" in rejected[2][4].detail
    assert scenario.rejections(done.id)[0].cells == ("By Phone", GRACE, "", "", "", "")


@pytest.mark.parametrize("chunk_rows", [1, 100])
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_row_that_repeats_an_earlier_row_names_that_row(chunk_rows: int, dry_run: bool) -> None:
    scenario = Scenario(chunk_rows=chunk_rows)
    done = scenario.import_file([("Grace", GRACE), ("Grace Again", GRACE)], dry_run=dry_run)

    (rejection,) = scenario.rejections(done.id)
    assert (rejection.row, rejection.duplicate_row) == (3, 2)
    assert rejection.duplicate_of == (None if dry_run else scenario.leads()[0].id)
    assert rejection.problems[0].code == "duplicate_row"
    assert rejection.problems[0].detail == "It has the phone number of row 2."


def test_a_row_that_matches_two_leads_is_rejected_as_ambiguous(scenario: Scenario) -> None:
    scenario.unite.leads.add(scenario.admin, NewLead(name="Grace", phone=GRACE))
    scenario.unite.leads.add(scenario.admin, NewLead(name="Ada", email="ada@example.com"))
    for mode in OnDuplicate:
        done = scenario.import_file([("Who", GRACE, "ada@example.com")], on_duplicate=mode)

        (rejection,) = scenario.rejections(done.id)
        assert rejection.kind is RowKind.REJECTED
        assert rejection.problems[0].code == "ambiguous_duplicate"


def test_an_update_changes_only_the_values_of_filled_cells(scenario: Scenario) -> None:
    new = NewLead(
        name="Grace", phone=GRACE, email="grace@example.com", source="fair", assigned_to=scenario.admin.user_id
    )
    known = scenario.unite.leads.add(scenario.admin, new)
    done = scenario.import_file([("", GRACE, "", "lost")], on_duplicate=UPDATE, default_source="list")

    (lead,) = scenario.leads()
    assert done.counts.updated == 1
    assert lead.status is LeadStatus.LOST
    assert (lead.name, lead.phone, lead.email, lead.source, lead.assigned_to) == (
        "Grace",
        known.phone,
        "grace@example.com",
        "fair",
        scenario.admin.user_id,
    )
    assert (lead.version, lead.import_id) == (2, None)


@pytest.mark.parametrize(
    ("row", "phone"),
    [
        (("", GRACE, "grace@example.com"), Phone(GRACE, "7")),
        (("", f"{GRACE} ext. 8", "grace@example.com"), Phone(GRACE, "8")),
        (("", ADA, "grace@example.com"), Phone(ADA)),
        (("", "", "grace@example.com"), Phone(GRACE, "7")),
    ],
)
def test_a_row_without_an_extension_leaves_that_of_the_same_number(
    scenario: Scenario, row: tuple[str, ...], phone: Phone
) -> None:
    scenario.create_lead(name="Grace", phone=GRACE, phone_extension="7", email="grace@example.com")

    scenario.import_file([row], on_duplicate=UPDATE)

    assert [lead.phone for lead in scenario.leads()] == [phone]


def test_an_update_without_changes_keeps_the_version_of_the_lead(scenario: Scenario) -> None:
    known = scenario.unite.leads.add(scenario.admin, NewLead(name="Grace", phone=GRACE))

    assert scenario.import_file([("Grace", GRACE)], on_duplicate=UPDATE).counts.updated == 1
    assert scenario.leads() == [known]


@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_two_updates_of_a_lead_are_undone_together(chunk_rows: int) -> None:
    scenario = Scenario(chunk_rows=chunk_rows)
    known = scenario.unite.leads.add(scenario.admin, NewLead(name="Grace", phone=GRACE, source="fair"))
    done = scenario.import_file([("Grace H.", GRACE), ("", GRACE, "grace@example.com")], on_duplicate=UPDATE)

    (changed,) = scenario.leads()
    assert (changed.name, changed.email, done.counts.updated) == ("Grace H.", "grace@example.com", 2)

    scenario.unite.imports.undo(scenario.admin, done.id)

    (restored,) = scenario.leads()
    assert (restored.id, restored.name, restored.email) == (known.id, "Grace", None)


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
def test_a_later_row_updates_a_lead_of_an_earlier_row(chunk_rows: int) -> None:
    scenario = Scenario(chunk_rows=chunk_rows)
    rows = [("Grace", GRACE), ("Grace Hopper", GRACE, "grace@example.com"), ("Rear Admiral", "", "grace@example.com")]
    done = scenario.import_file(rows, on_duplicate=UPDATE)

    (lead,) = scenario.leads()
    assert (done.counts.created, done.counts.updated) == (1, 2)
    assert (lead.name, lead.phone, lead.email) == ("Rear Admiral", Phone(GRACE), "grace@example.com")


@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 4, 100])
def test_a_row_may_use_a_phone_that_an_earlier_row_freed(chunk_rows: int) -> None:
    scenario = Scenario(chunk_rows=chunk_rows)
    rows = [
        ("Grace", GRACE, "grace@example.com"),
        ("Grace", ADA, "grace@example.com"),
        ("Ada", GRACE, "ada@example.com"),
        ("Grace Hopper", "", "grace@example.com"),
        ("Ada", GRACE, "lovelace@example.com"),
        ("Byron", "", "ada@example.com"),
    ]
    done = scenario.import_file(rows, on_duplicate=UPDATE)

    assert (done.counts.created, done.counts.updated, done.counts.rejected) == (3, 3, 0)
    assert {(lead.name, lead.phone, lead.email) for lead in scenario.leads()} == {
        ("Grace Hopper", Phone(ADA), "grace@example.com"),
        ("Ada", Phone(GRACE), "lovelace@example.com"),
        ("Byron", None, "ada@example.com"),
    }


def test_a_name_is_required_for_a_new_lead_but_not_for_an_update(scenario: Scenario) -> None:
    scenario.unite.leads.add(scenario.admin, NewLead(name="Grace", phone=GRACE))
    done = scenario.import_file([("", GRACE, "", "lost"), ("", ADA)], on_duplicate=UPDATE)

    (rejection,) = scenario.rejections(done.id)
    assert (done.counts.updated, done.counts.rejected) == (1, 1)
    assert (rejection.row, rejection.problems[0].field, rejection.problems[0].code) == (3, "name", "required")


def test_an_assignee_is_named_by_email_id_or_unique_name(scenario: Scenario) -> None:
    ben = scenario.ben.user_id
    scenario.add_user("Cleo")
    other_cleo = scenario.add_user("CLEO", email="cleo.two@unite.example").user_id
    scenario.deactivate(scenario.add_user("Dan"))
    named = ["Ben@Unite.example", str(ben), "bEN", "cleo.two@unite.example", "Cleo", "dan@unite.example", "Nobody"]
    rows = [(f"Lead {number}", f"+1212555011{number}", "", "", "", owner) for number, owner in enumerate(named)]
    done = scenario.import_file(rows)

    assert [lead.assigned_to for lead in scenario.leads()] == [ben, ben, ben, other_cleo]
    assert [(it.row, it.problems[0].code) for it in scenario.rejections(done.id)] == [
        (6, "unknown_user"),
        (7, "unknown_user"),
        (8, "unknown_user"),
    ]


def test_a_deleted_lead_is_not_a_duplicate(scenario: Scenario) -> None:
    first = scenario.import_file([("Grace", GRACE)])
    scenario.unite.imports.undo(scenario.admin, first.id)

    assert scenario.import_file([("Grace Hopper", GRACE)]).counts.created == 1


def test_the_error_report_can_be_corrected_and_uploaded_again(scenario: Scenario) -> None:
    rows = [("Grace", GRACE), ("Ada", "12"), ("=Jean", "+12125550103", "jean at example.com")]
    first = scenario.import_file(rows)
    assert first.report_key is not None
    with scenario.ports.files.read(first.report_key) as stream:
        report = stream.read().decode("utf-8-sig")
    assert "'=Jean" in report
    corrected = report.replace(",12,", f",{ADA},").replace("jean at example.com", "jean@example.com")

    second = scenario.import_file(corrected)

    assert second.status is ImportStatus.COMPLETED
    assert (second.counts.created, second.counts.rejected) == (2, 0)
    assert [lead.name for lead in scenario.leads()] == ["Grace", "Ada", "=Jean"]


def test_a_file_with_only_a_header_creates_nothing(scenario: Scenario) -> None:
    done = scenario.import_file(csv_text(HEADER, []))

    assert (done.status, done.counts.rows, done.report_key) == (ImportStatus.COMPLETED, 0, None)


def test_an_imported_lead_is_visible_to_its_assignee(scenario: Scenario) -> None:
    scenario.import_file([("Grace", GRACE, "", "", "", "Ben")])

    (lead,) = scenario.leads()
    assert scenario.unite.leads.get(scenario.ben, lead.id) == lead


def test_a_file_without_names_can_only_update_leads() -> None:
    scenario = Scenario(chunk_rows=2)
    scenario.import_file([("Ada", "+12125550101")])

    done = scenario.import_file(
        "Phone,Status\n+12125550101,qualified\n+12125550102,new\n", on_duplicate=OnDuplicate.UPDATE
    )

    assert (done.counts.updated, done.counts.rejected) == (1, 1)
    assert [(lead.name, lead.status) for lead in scenario.leads()] == [("Ada", LeadStatus.QUALIFIED)]
    assert [it.problems[0].code for it in scenario.rejections(done.id)] == ["required"]

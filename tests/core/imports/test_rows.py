from dataclasses import replace
from uuid import UUID

import pytest

from tests.core.imports.uploads import ANN, US, codes, drafts
from unite_core.errors import FieldError
from unite_core.imports.csv.columns import map_columns
from unite_core.imports.csv.reading import Record
from unite_core.imports.csv.rows import LeadDraft, RowInterpreter, RowRules, missing_name_error
from unite_core.leads.details import LeadStatus
from unite_core.phone import Phone, PhoneRule

BOB = UUID("01890a5d-ac96-774b-bcce-b302099a8058")
FLOOR = replace(US, owners={"ann@unite.example": ANN, "ann lee": ANN, str(ANN): ANN, "bob@unite.example": BOB})


def one(header: str, row: str, rules: RowRules = FLOOR) -> LeadDraft | tuple[FieldError, ...]:
    (outcome,) = drafts(f"{header}\n{row}\n".encode("utf-8-sig"), rules=rules)
    return outcome


def good(header: str, row: str, rules: RowRules = FLOOR) -> LeadDraft:
    outcome = one(header, row, rules)
    assert isinstance(outcome, LeadDraft)
    return outcome


def wrong(header: str, row: str, rules: RowRules = FLOOR) -> FieldError:
    outcome = one(header, row, rules)
    assert isinstance(outcome, tuple)
    (problem,) = outcome
    return problem


def test_a_full_row_becomes_a_draft() -> None:
    assert good(
        "Name,Phone,Ext,Email,Status,Source,Owner,Notes",
        " Ann  Lee ,(815) 890-8301, 12 ,Ann@Example.com,Qualified,Trade Fair,ANN@unite.example,anything",
    ) == LeadDraft(
        row=2,
        texts={"name": "Ann  Lee", "email": "ann@example.com", "source": "trade fair"},
        phone=Phone("+18158908301", "12"),
        status=LeadStatus.QUALIFIED,
        assigned_to=ANN,
    )


def test_an_empty_cell_and_a_missing_column_say_nothing() -> None:
    nothing = LeadDraft(2, {"name": "Ann", "email": "ann@example.com"}, None, None, None)

    assert good("Name,Phone,Ext,Email,Status,Source,Owner", "Ann, ,,ann@example.com,,\t,") == nothing
    assert good("Name,Email", "Ann,ann@example.com") == nothing


@pytest.mark.parametrize(
    ("row", "name"),
    [("Ann,Lee", "Ann Lee"), ("Ann,", "Ann"), (",Lee", "Lee"), (",", None), ("e\u0301,", "é")],
)
def test_first_and_last_name_are_joined_by_a_space(row: str, name: str | None) -> None:
    assert good("First Name,Last Name,Email", f"{row},ann@example.com").texts.get("name") == name


def test_first_and_last_name_stand_in_for_a_name_that_is_empty() -> None:
    header = "Name,First Name,Last Name,Email"

    assert good(header, "A. Lee,Ann,Lee,ann@example.com").texts.get("name") == "A. Lee"
    assert good(header, ",Ann,Lee,ann@example.com").texts.get("name") == "Ann Lee"


@pytest.mark.parametrize(
    "name",
    ["王小明", "محمد علي", "נועה", "Ἀλέξανδρος", "ᏣᎳᎩ", "👩‍👩‍👧 Smith", "O\N{RIGHT SINGLE QUOTATION MARK}Neil-Ström"],
)
def test_a_name_may_be_in_any_script(name: str) -> None:
    assert good("Name,Email", f"{name},ann@example.com").texts.get("name") == name


def test_a_missing_name_is_for_the_import_to_judge() -> None:
    assert good("Name,Email", ",ann@example.com").texts.get("name") is None
    problem = missing_name_error(7)
    assert (problem.field, problem.code) == ("name", "required")
    assert "Row 7" in problem.detail


@pytest.mark.parametrize(
    ("header", "row", "field", "code"),
    [
        ("Name,Email", '"A\0n",ann@example.com', "name", "control_character"),
        ("Name,Email", '"A\nn",ann@example.com', "name", "control_character"),
        ("Name,Email", "x" * 201 + ",ann@example.com", "name", "too_long"),
        ("Name,Email", "Fran\N{REPLACEMENT CHARACTER}ois,ann@example.com", "name", "broken_encoding"),
        ("Name,Email,Source", "Ann,ann@example.com,F\N{REPLACEMENT CHARACTER}re", "source", "broken_encoding"),
        ("Name,Email,Source", "Ann,ann@example.com," + "x" * 65, "source", "too_long"),
        ("Name,Email", "Ann,nobody", "email", "invalid_email"),
        ("Name,Phone", "Ann,123", "phone", "invalid_phone"),
        ("Name,Email", "Ann,", "", "contact_required"),
        ("Name,Phone", "Ann,", "", "contact_required"),
        ("Name,Phone,Email", "Ann", "", "contact_required"),
        ("Name,Phone,Ext", "Ann,8158908301,twelve", "phone_extension", "invalid_extension"),
        ("Name,Phone,Ext,Email", "Ann,,12,ann@example.com", "phone_extension", "phone_required"),
        ("Name,Email", "Ann,ann@example.com,,x", "", "too_many_cells"),
        ("Name,Email,Status", "Ann,ann@example.com,qualifed", "status", "unknown_status"),
        ("Name,Email,Owner", "Ann,ann@example.com,bob", "assigned_to", "unknown_user"),
        ("Name,Email", 'Ann,"ann@example.com"x', "", "malformed_row"),
    ],
)
def test_what_is_wrong_is_told_by_field_and_code(header: str, row: str, field: str, code: str) -> None:
    problem = wrong(header, row)

    assert (problem.field, problem.code) == (field, code)
    assert problem.detail.endswith(".") or problem.detail.endswith("?")


def test_a_character_that_was_lost_in_another_column_does_no_harm() -> None:
    assert good("Name,Email,Notes", "Zoë,zoe@example.com,\N{REPLACEMENT CHARACTER}").texts.get("name") == "Zoë"


def test_all_problems_are_told_in_the_order_of_the_columns() -> None:
    outcome = one("Owner,Source,Email,Ext,Phone,Status,Name", "no," + "x" * 65 + ",no,1,1,no,A\0")

    assert codes(outcome) == [
        ("assigned_to", "unknown_user"),
        ("source", "too_long"),
        ("email", "invalid_email"),
        ("phone", "invalid_phone"),
        ("status", "unknown_status"),
        ("name", "control_character"),
    ]


def test_a_wrong_phone_is_not_called_a_missing_one() -> None:
    assert codes(one("Name,Phone,Status", "Ann,1,no")) == [("phone", "invalid_phone"), ("status", "unknown_status")]


def test_nobody_to_be_reached_is_told_after_what_is_wrong_in_a_column() -> None:
    assert codes(one("Name,Phone,Status", "Ann,,no")) == [("status", "unknown_status"), ("", "contact_required")]


def test_surplus_cells_are_counted_and_empty_ones_forgiven() -> None:
    problem = wrong("Name,Email,Notes", "Ann,ann@example.com,a, b")

    assert "4 cells, the header has 3" in problem.detail
    assert good("Name,Email", "Ann,ann@example.com, ,,'\t").email == "ann@example.com"


@pytest.mark.parametrize(("given", "extension"), [("x12", "12"), ("Ext. 12", "12"), ("ext:12", "12"), ("#12", "12")])
def test_an_extension_may_say_that_it_is_one(given: str, extension: str) -> None:
    assert good("Name,Phone,Extension", f"Ann,8158908301,{given}").phone == Phone("+18158908301", extension)


def test_an_extension_may_be_in_the_number_or_in_its_column_or_in_both_if_it_is_the_same() -> None:
    assert good("Name,Phone,Ext", "Ann,815-890-8301x7,").phone == Phone("+18158908301", "7")
    assert good("Name,Phone,Ext", "Ann,815-890-8301x7,x7").phone == Phone("+18158908301", "7")
    problem = wrong("Name,Phone,Ext", "Ann,815-890-8301x7,12")
    assert (problem.field, problem.code) == ("phone_extension", "invalid_extension")


@pytest.mark.parametrize("nothing", ["\u200b", "\ufeff", "\u3164"])
def test_a_cell_in_which_nothing_can_be_seen_says_nothing(nothing: str) -> None:
    header, row = "Name,Phone,Ext,Email,Status", f"{nothing},815-890-8301,{nothing},{nothing},{nothing}"

    assert good(header, row) == LeadDraft(2, {}, Phone("+18158908301"), None, None)


def test_a_number_is_read_in_the_default_country_and_by_the_rule() -> None:
    national = RowRules(default_country=None, phone_rule=PhoneRule.POSSIBLE, owners={})
    strict = RowRules(default_country="US", phone_rule=PhoneRule.VALID, owners={})

    assert wrong("Name,Phone", "Ann,8158908301", national).code == "invalid_phone"
    assert good("Name,Phone", "Ann,+18158908301", national).phone == Phone("+18158908301")
    assert wrong("Name,Phone", "Ann,1111111111", strict).code == "invalid_phone"


@pytest.mark.parametrize("owner", ["Ann Lee", "ANN@UNITE.EXAMPLE", str(ANN).upper()])
def test_an_owner_is_found_by_name_address_or_id(owner: str) -> None:
    assert good("Name,Email,Owner", f"Zoe,zoe@example.com,{owner}").assigned_to == ANN


def test_the_closest_status_and_user_are_suggested() -> None:
    assert wrong("Name,Email,Status", "Ann,ann@example.com,QUALIFED").suggestion == "qualified"
    assert wrong("Name,Email,Status", "Ann,ann@example.com,open").suggestion is None
    assert wrong("Name,Email,Owner", "Ann,ann@example.com,bob@unit.example").suggestion == "bob@unite.example"
    assert wrong("Name,Email,Owner", "Ann,ann@example.com," + "bob@unite.example" * 9).suggestion is None


def test_suggestions_end_where_they_would_take_too_long() -> None:
    content = "Name,Email,Status\n" + "".join(f"Ann,ann@example.com,contacte{row}\n" for row in range(1001))

    outcomes = drafts((content + "Ann,ann@example.com,contacte0\n").encode())

    suggested = [outcome[0].suggestion for outcome in outcomes if isinstance(outcome, tuple)]
    assert suggested == ["contacted"] * 1000 + [None, "contacted"]


@pytest.mark.parametrize("cell", ["'+1 815 890 8301", "'=+18158908301", "+18158908301"])
def test_the_apostrophe_that_defuses_a_formula_is_not_part_of_the_value(cell: str) -> None:
    assert good("Name,Phone", f"'@nn,{cell}") == LeadDraft(2, {"name": "@nn"}, Phone("+18158908301"), None, None)


def test_an_apostrophe_before_anything_else_stays() -> None:
    assert good("Name,Email", "'t Hooft,ann@example.com").texts.get("name") == "'t Hooft"


def test_a_record_that_could_not_be_read_has_that_problem_alone() -> None:
    columns = map_columns(["Name", "Email"])
    problem = FieldError(field="", code="broken_encoding", detail="Row 2 is broken.")

    assert RowInterpreter(columns, US, 2)(Record(2, [], problem)) == (problem,)


def test_a_thousand_wrong_rows_are_a_thousand_rejections() -> None:
    outcomes = drafts(b"Name,Phone,Email\n" + b"Ann,12,nobody\n" * 1000)

    assert [codes(outcome) for outcome in outcomes] == [[("phone", "invalid_phone"), ("email", "invalid_email")]] * 1000

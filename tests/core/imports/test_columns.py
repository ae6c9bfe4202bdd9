import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unite_core.imports.csv.columns import FIELDS, IGNORE, IMPORTED, MAX_COLUMNS, ColumnMap, header_key, map_columns
from unite_core.imports.csv.decoding import InvalidFile
from unite_core.imports.csv.error_report import REPORT_COLUMNS


def fields(header: list[str], explicit: dict[str, str | None] | None = None) -> list[str | None]:
    return [column.field for column in map_columns(header, explicit).columns]


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Full Name", "name"),
        ("Lead Name", "name"),
        ("contact", "name"),
        ("CUSTOMER", "name"),
        ("First Name", "first_name"),
        ("given_name", "first_name"),
        ("Vorname", "first_name"),
        ("Prénom", "first_name"),
        ("Surname", "last_name"),
        ("Family-Name", "last_name"),
        ("Apellidos", "last_name"),
        ("Phone 1", "phone"),
        ("Phone #", "phone"),
        ("Tel.", "phone"),
        ("Mobile", "phone"),
        ("Work Phone", "phone"),
        ("TELEFONNUMMER", "phone"),
        ("Téléphone", "phone"),
        ("móvil", "phone"),
        ("Ext.", "phone_extension"),
        ("E-mail", "email"),
        ("EMail", "email"),
        ("e_mail", "email"),
        (" Email Address ", "email"),
        ("Correo electrónico", "email"),
        ("Lead Status", "status"),
        ("Lead Source", "source"),
        ("Herkunft", "source"),
        ("Owner", "assigned_to"),
        ("Company", "company"),
        ("Company name", "company"),
        ("Organisation", "company"),
        ("Account Name", "company"),
        ("Firma", "company"),
        ("SOCIÉTÉ", "company"),
        ("Empresa", "company"),
        ("Assigned To", "assigned_to"),
        ("＇Ｅｍａｉｌ", "email"),  # noqa: RUF001 - full width is what some keyboards write
    ],
)
def test_a_header_is_known_without_its_case_spacing_punctuation_and_accents(header: str, field: str) -> None:
    rest = [other for other in ("name", "email", "phone") if other != field]

    assert fields([header, *rest])[0] == field


@pytest.mark.parametrize("header", ["Lead Owner", "Deal Stage", "Phone 2", "Email 2", "Website", "Notes"])
def test_a_header_that_means_something_else_is_ignored(header: str) -> None:
    column_map = map_columns([header, "Name", "Phone 1"])

    assert (column_map.columns[0].field, column_map.columns[0].reason) == (None, "unknown header")


def test_the_columns_of_a_generated_lead_list_map_as_its_readers_expect() -> None:
    header = "Index,Account Id,Lead Owner,First Name,Last Name,Company,Phone 1,Phone 2,Email 1,Email 2,Website,Source"

    column_map = map_columns([*header.split(","), "Deal Stage", "Notes"])

    mapped = {column.header: column.field for column in column_map.columns if column.field}
    assert mapped == {
        "First Name": "first_name",
        "Last Name": "last_name",
        "Company": "company",
        "Phone 1": "phone",
        "Email 1": "email",
        "Source": "source",
    }
    assert column_map.mapped == 6


def test_the_better_synonym_wins_wherever_it_stands() -> None:
    column_map = map_columns(["Work Phone", "Mobile", "Phone", "Name"])

    assert [column.field for column in column_map.columns] == [None, None, "phone", "name"]
    assert column_map.columns[0].reason == "another column is the phone already"
    assert column_map.index("phone") == 2
    assert column_map.index("email") is None


def test_the_name_of_a_company_is_no_name_of_a_person() -> None:
    assert fields(["Company Name", "Contact Name", "Email"]) == ["company", "name", "email"]
    with pytest.raises(InvalidFile) as refused:
        map_columns(["Company Name", "Email"])
    assert refused.value.code == "no_name_column"


def test_a_header_means_one_field() -> None:
    meanings = {(header_key(header), field.name) for field in IMPORTED for header in field.headers.split(", ")}
    headers = [header for header, _ in meanings]

    assert [header for header in headers if headers.count(header) > 1] == []


def test_the_first_of_equal_headers_wins() -> None:
    column_map = map_columns(["name", "Email", "Email"])

    assert [column.field for column in column_map.columns] == ["name", "email", None]
    assert column_map.columns[2].reason == "another column is the e-mail address already"


def test_a_name_and_its_parts_may_all_be_there() -> None:
    assert fields(["Name", "First Name", "Last Name", "Email"]) == ["name", "first_name", "last_name", "email"]


def test_empty_headers_and_those_of_an_error_report_are_ignored_with_their_reason() -> None:
    column_map = map_columns([*REPORT_COLUMNS, "", "--", "Name", "Email"])

    assert {column.reason for column in column_map.columns[:5]} == {"part of an error report"}
    assert [column.reason for column in column_map.columns[5:]] == ["empty header", "empty header", None, None]


def test_an_explicit_mapping_goes_before_the_guess() -> None:
    assert fields(["Name", "Phone", "Phone 2", "Kundin"], {"phone 2": "phone", "Kundin": "name"}) == [
        None,
        None,
        "phone",
        "name",
    ]


def test_an_explicit_header_is_looked_up_as_it_stands_first() -> None:
    assert fields(["e-mail", "Email", "Name"], {"Email": "email"}) == [None, "email", "name"]


def test_an_explicit_header_of_punctuation_alone_is_found_as_it_stands() -> None:
    assert fields(["#", "Name", "Email"], {"#": "phone_extension"})[0] == "phone_extension"


@pytest.mark.parametrize("nothing", [IGNORE, None])
def test_a_column_can_be_ignored_explicitly(nothing: str | None) -> None:
    column_map = map_columns(["Name", "Phone", "Mobile"], {"Phone": nothing})

    assert [column.field for column in column_map.columns] == ["name", None, "phone"]
    assert column_map.columns[1].reason == "ignored as asked"


def test_several_columns_can_be_ignored_explicitly() -> None:
    assert fields(["Name", "Phone", "Email", "Mail"], {"Phone": None, "Email": None}) == ["name", None, None, "email"]


@pytest.mark.parametrize("asked", ["Handphone", "", "!"])
def test_an_explicit_header_that_the_file_lacks_is_refused_by_name(asked: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        map_columns(["Name", "Email"], {asked: "phone"}, line=3)

    assert refused.value.code == "unknown_column"
    assert f"“{asked}”" in refused.value.detail
    assert "line 3" in refused.value.detail
    assert "“Name”, “Email”" in refused.value.detail


def test_an_explicit_field_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidFile) as refused:
        map_columns(["Name", "Email"], {"Name": "nickname"})

    assert refused.value.code == "unknown_field"
    assert all(field in refused.value.detail for field in FIELDS)


@pytest.mark.parametrize(
    "clash",
    [{"Email": "email", "Mail": "email"}, {"Email": "email", "e-mail": "phone"}, {"Email": None, "e-mail": None}],
)
def test_an_explicit_mapping_that_contradicts_itself_is_refused(clash: dict[str, str | None]) -> None:
    with pytest.raises(InvalidFile) as refused:
        map_columns(["Name", "Email", "Mail"], clash)

    assert refused.value.code == "duplicate_mapping"


def test_a_file_without_a_way_to_reach_anybody_is_refused_with_what_was_found() -> None:
    with pytest.raises(InvalidFile) as refused:
        map_columns(["id", "name", "x" * 100])

    assert refused.value.code == "no_contact_column"
    assert "line 1" in refused.value.detail
    assert "“id”, “name”, “" + "x" * 59 + "…”" in refused.value.detail
    assert refused.value.columns[1] == {"header": "name", "field": "name", "reason": None}


def test_a_long_header_is_listed_in_part() -> None:
    with pytest.raises(InvalidFile) as refused:
        map_columns([f"c{number}" for number in range(100)])

    assert "“c29”, and 70 more" in refused.value.detail


def test_a_file_without_names_is_refused() -> None:
    with pytest.raises(InvalidFile) as refused:
        map_columns(["id", "email"])

    assert refused.value.code == "no_name_column"
    assert refused.value.columns[1]["field"] == "email"


def test_a_first_line_that_is_a_lead_already_is_no_header() -> None:
    with pytest.raises(InvalidFile) as refused:
        map_columns(["Alice", "alice@example.com", "815 890 8301"])

    assert refused.value.code == "no_header"


def test_a_header_has_a_thousand_columns_at_the_most() -> None:
    widest = ["Name", "Email", *["x"] * (MAX_COLUMNS - 2)]

    assert len(map_columns(widest).columns) == MAX_COLUMNS
    with pytest.raises(InvalidFile) as refused:
        map_columns([*widest, "one more"])
    assert refused.value.code == "too_many_columns"
    assert str(MAX_COLUMNS + 1) in refused.value.detail


def test_empty_columns_at_the_end_and_those_of_a_report_do_not_count() -> None:
    widest = [*REPORT_COLUMNS, "Name", "Email", *["x"] * (MAX_COLUMNS - 2), *[" "] * 500]

    assert map_columns(widest).index("email") == 6


def test_a_map_survives_being_stored() -> None:
    column_map = map_columns(["Name", "Email", "", "Notes"])

    assert ColumnMap.from_plain(json.loads(json.dumps(column_map.to_plain()))) == column_map


@given(st.text())
def test_the_key_of_a_header_is_its_own_key(header: str) -> None:
    assert header_key(header_key(header)) == header_key(header)
    assert header_key(f" {header}-") == header_key(header)


@given(st.lists(st.sampled_from(["Name", "Phone", "Email", "E-mail", "Mobile", "Source", "", "x"]), max_size=8))
def test_no_field_occurs_twice(header: list[str]) -> None:
    mapped_fields = [field for field in fields(["Name", "Email", *header]) if field]

    assert len(mapped_fields) == len(set(mapped_fields))


def test_a_header_that_is_very_long_is_found_as_it_stands_alone() -> None:
    header = "É" * 1001

    assert map_columns([header, "Phone"], {header: "name"}).index("name") == 0
    with pytest.raises(InvalidFile) as refused:
        map_columns([header, "Phone"], {header.lower(): "name"})
    assert refused.value.code == "unknown_column"

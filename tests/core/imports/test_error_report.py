import csv
import io

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.core.imports.uploads import ANN, codes, drafts, look, records
from unite_core.errors import FieldError
from unite_core.imports.csv.columns import MAX_COLUMNS
from unite_core.imports.csv.error_report import (
    REPORT_COLUMNS,
    RejectedRow,
    escape_formula,
    report_lines,
    unescape_formula,
)
from unite_core.imports.csv.rows import LeadDraft, RowRules
from unite_core.phone import PhoneRule

WRONG = FieldError(
    field="phone", code="invalid_phone", detail="The number has too few digits.", suggestion="+18158908301"
)
LACKING = FieldError(field="name", code="required", detail="It has no name.")


def report(header: list[str], *rows: RejectedRow) -> bytes:
    return b"".join(report_lines(header, rows))


def cells_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def test_a_report_has_the_rejected_rows_behind_what_is_wrong_with_them() -> None:
    assert report(["Name", "Phone"], RejectedRow(5, (WRONG,), ("Ann", "12"))) == (
        b"\xef\xbb\xbfunite_row,unite_field,unite_code,unite_message,unite_suggestion,Name,Phone\r\n"
        b"5,phone,invalid_phone,The number has too few digits.,'+18158908301,Ann,12\r\n"
    )


def test_a_report_comes_line_by_line() -> None:
    lines = report_lines(["Name"], (RejectedRow(row, (LACKING,), ("",)) for row in range(10**9)))

    assert next(lines).endswith(b"Name\r\n")
    assert next(lines).startswith(b"0,")
    assert next(lines).startswith(b"1,")


def test_several_problems_of_a_row_stand_side_by_side_in_the_same_order() -> None:
    _, row = cells_of(report(["Name"], RejectedRow(2, (LACKING, WRONG), ("",))))

    assert row == [
        "2",
        "name | phone",
        "required | invalid_phone",
        "It has no name. | The number has too few digits.",
        " | '+18158908301",
        "",
    ]


def test_a_row_without_suggestions_has_an_empty_cell_for_them() -> None:
    _, row = cells_of(report(["Name"], RejectedRow(2, (LACKING, LACKING), ("",))))

    assert row[4] == ""


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\0x", "  =1", "\u00a0=1", "＝1"],  # noqa: RUF001  # a full-width sign
)
def test_no_cell_and_no_header_can_be_taken_for_a_formula(cell: str) -> None:
    header, row = cells_of(report([cell], RejectedRow(2, (LACKING,), (cell,))))

    assert header[-1] == row[-1] == "'" + cell
    assert unescape_formula(row[-1]) == cell


@pytest.mark.parametrize(
    ("cell", "guarded"),
    [
        ("x;=1", "x;'=1"),
        (";=1", ";'=1"),
        ("x|@a", "x|'@a"),
        ("x\t-1", "x\t'-1"),
        ("x\n+1", "x\n'+1"),
        ("x\r\n =1", "x\r\n '=1"),
        ("x\u2028＝1", "x\u2028'＝1"),  # noqa: RUF001 - a full-width sign
        ("x; ;=1;b;  -2", "x; ;'=1;b;  '-2"),
        ('x;"=1"', 'x;"\'=1"'),
        ("x;'=1", "x;''=1"),
        ("'=1", "''=1"),
        ("\t=1", "'\t'=1"),
        ("=1;=2", "'=1;'=2"),
    ],
)
def test_no_part_of_a_cell_can_be_taken_for_a_formula_where_the_file_is_split_at_other_signs(
    cell: str, guarded: str
) -> None:
    assert escape_formula(cell) == guarded
    assert unescape_formula(guarded) == cell


@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
@given(st.lists(st.text("=+a \"';|\t\r\n,", max_size=6), max_size=3))
def test_a_reader_with_another_delimiter_finds_no_formula(delimiter: str, cells: list[str]) -> None:
    content = report(["Name"], RejectedRow(2, (WRONG,), tuple(cells))).decode("utf-8-sig")

    parts = [part for row in csv.reader(io.StringIO(content, newline=""), delimiter=delimiter) for part in row]

    assert [part for part in parts if part.lstrip(' "').startswith(("=", "+"))] == []


@pytest.mark.parametrize("cell", ["", "'", "Ann", "a=b", "'t Hooft", "1-2", "a; b", "O'Neil; x", "a;b=c", "a,=b"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert escape_formula(cell) == unescape_formula(cell) == cell


@given(st.text() | st.text("'=+;| \t\r\n\"\0a", max_size=12))
@example("'=1")
@example("x;'=1")
def test_an_escaped_formula_is_unescaped_to_the_same_cell(cell: str) -> None:
    assert unescape_formula(escape_formula(cell)) == cell


@given(st.text("'=;| \t\n\"a", max_size=12))
@example("=1")
@example("'=;=1")
def test_a_guard_that_a_cell_has_already_does_not_come_twice(cell: str) -> None:
    once = escape_formula(cell)

    _, row = cells_of(report(["Name"], RejectedRow(2, (LACKING,), (once,))))

    assert row[-1] == once


def test_what_is_quoted_is_quoted_as_rfc_4180_says() -> None:
    assert report(["a;b", 'c"'], RejectedRow(2, (), ("x,y", "1\r2"))).endswith(
        b'unite_suggestion,a;b,"c"""\r\n2,,,,,"x,y","1\r2"\r\n'
    )


def test_short_rows_are_filled_up_and_surplus_cells_kept() -> None:
    _, short, long = cells_of(
        report(["Name", "Email"], RejectedRow(2, (), ("Ann",)), RejectedRow(3, (), ("Ann", "a@b.com", "x", "=y")))
    )

    assert short[5:] == ["Ann", ""]
    assert long[5:] == ["Ann", "a@b.com", "x", "'=y"]


def test_the_columns_of_an_earlier_report_are_left_out() -> None:
    header = [*REPORT_COLUMNS, "Name", "Email"]

    cells, row = cells_of(report(header, RejectedRow(2, (LACKING,), ("9", "", "", "", "", "Ann", "a@b.com", "x"))))

    assert cells == header
    assert row[0] == "2"
    assert row[5:] == ["Ann", "a@b.com", "x"]


def test_bytes_that_could_not_be_decoded_do_not_spoil_the_report() -> None:
    _, row = cells_of(report(["Name"], RejectedRow(2, (), ("Fran\udce7ois",))))

    assert row[5] == "Fran\N{REPLACEMENT CHARACTER}ois"


def again(content: bytes) -> bytes:
    """The report that the file comes back with if all of its rows are rejected."""
    dialect, _ = look(content)
    rejected = [RejectedRow(record.row, (LACKING,), tuple(record.cells)) for record in records(content)]
    return report(list(dialect.header), *rejected)


def test_a_report_can_be_uploaded_as_it_is_and_its_report_too() -> None:
    original = b"Name;Phone;Notes\nAnn;815 890 8301;a, b\n"

    assert look(again(original))[0].delimiter == ","
    assert drafts(again(original)) == drafts(original)
    assert drafts(again(again(original))) == drafts(original)


def test_the_widest_file_has_a_report_that_can_be_uploaded() -> None:
    original = b"Name,Email" + b",x" * (MAX_COLUMNS - 2) + b"\nAnn,ann@example.com" + b",y" * (MAX_COLUMNS - 2)

    assert drafts(again(original)) == drafts(original)


def test_a_row_with_an_unquoted_delimiter_is_still_wrong_in_the_report() -> None:
    original = b"Name,Email\nLee, Ann,ann@example.com\n"

    assert [codes(outcome) for outcome in drafts(again(original))] == [[("", "too_many_cells")]]


def test_a_row_with_a_lost_character_is_still_wrong_in_the_report() -> None:
    original = "Name,Email\nZoë Strö,zoe@example.com\n".encode() + b"Jos\xc3,j@example.com\n"

    assert [codes(outcome) for outcome in drafts(original)] == [[], [("", "broken_encoding")]]
    assert [codes(outcome) for outcome in drafts(again(original))] == [[], [("name", "broken_encoding")]]


FLOOR = RowRules(default_country="US", phone_rule=PhoneRule.POSSIBLE, owners={"ann@unite.example": ANN})
marks = st.sampled_from(
    ["", "'", "=", "+", "-", "@", "\t", "\r", "\n", " ", " =", "'=", "''=", ";=", "a|'-", '"', "\0", "＝"]  # noqa: RUF001  # a full-width sign
)
texts = st.builds(
    str.__add__,
    marks,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    | st.sampled_from(["new", "Qualified", "ann@example.com", "1 815 890 8301", "ann@unite.example", "x12"]),
)
columns = st.lists(
    st.sampled_from(["Name", "First Name", "Last Name", "Phone", "Mobile", "Ext", "Email", "Status", "Source", "Owner"])
    | texts,
    max_size=6,
)


@given(columns, st.lists(st.lists(texts, min_size=1, max_size=9), max_size=5))
@example([], [["Ann", "ann@example.com", "\t"]])
@example(["Status"], [["Ann;=x", "ann@example.com", "new"], ["Ann;'=x", "ann@example.com", "'new"]])
@example(["Status"], [["=Ann", "'+ann@example.com", "' new"]])
def test_a_report_says_the_same_of_every_row_as_the_original(header: list[str], rows: list[list[str]]) -> None:
    header = ["Name", "Email", *header]
    assume(not {cell.strip().lower() for cell in header} & set(REPORT_COLUMNS))
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([header, *rows])
    original = b"\xef\xbb\xbf" + written.getvalue().encode()
    uploaded = again(original)

    own_columns = look(uploaded)[1].columns[len(REPORT_COLUMNS) :]
    assert [column.field for column in own_columns] == [column.field for column in look(original)[1].columns]
    assert list(map(said, drafts(uploaded, rules=FLOOR))) == list(map(said, drafts(original, rules=FLOOR)))


def said(outcome: LeadDraft | tuple[FieldError, ...]) -> object:
    """The outcome without row numbers, which differ, and counts of cells, which do too."""
    if isinstance(outcome, tuple):
        return [(problem.field, problem.code, problem.suggestion) for problem in outcome]
    return (outcome.texts, outcome.phone, outcome.status, outcome.assigned_to)

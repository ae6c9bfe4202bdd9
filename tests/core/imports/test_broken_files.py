"""Small files, each broken in one way, as people upload them: read rightly, or refused by the line at fault."""

import pytest

from tests.core.imports.uploads import codes, drafts, look, records
from unite_core.imports.csv.decoding import InvalidFile
from unite_core.imports.csv.rows import LeadDraft


def people(content: bytes) -> list[tuple[int, str | None, str | None]]:
    leads = drafts(content)
    return [(draft.row, draft.texts.get("name"), draft.email) for draft in leads if isinstance(draft, LeadDraft)]


ALICE_AND_BOB = [(2, "Alice", "alice@example.com"), (3, "Bob", "bob@example.com")]


def test_a_byte_order_mark_and_whitespace_in_headers_do_no_harm() -> None:
    content = b"\xef\xbb\xbf id , name , email \n1,Alice,alice@example.com\n2,Bob,bob@example.com\n"

    assert people(content) == ALICE_AND_BOB


def test_a_windows_1252_file_without_contacts_is_refused_with_its_headers() -> None:
    content = b"id,name,city,notes\n1,Fran\xe7ois,Montr\xe9al,\x93Premium\x94 customer \x80\n2,Ana\xefs,Z\xfcrich,Q4\n"

    with pytest.raises(InvalidFile) as refused:
        look(content)

    assert refused.value.code == "no_contact_column"
    assert "line 1" in refused.value.detail
    assert "“city”" in refused.value.detail


def test_a_windows_1252_file_is_read_with_its_accents_quotes_and_euros() -> None:
    content = b"id,name,email\n1,Fran\xe7ois \x93le Grand\x94 \x80,f@example.com\n2,Ana\xefs,a@example.com\n"

    assert people(content) == [(2, "François “le Grand” €", "f@example.com"), (3, "Anaïs", "a@example.com")]


def test_of_two_columns_with_one_header_the_first_is_read_and_the_other_said_to_be_ignored() -> None:
    content = b"id,name,Email,Email\n1,Alice,alice@example.com,alice@work.com\n2,Bob,bob@example.com,bob@work.com\n"

    assert people(content) == ALICE_AND_BOB
    assert look(content)[1].columns[3].reason == "another column is the e-mail address already"


def test_a_missing_closing_quote_costs_its_row_alone() -> None:
    content = b'id,name,notes\n1,Alice,"Started import yesterday\n2,Bob,Valid row\n'

    with pytest.raises(InvalidFile) as refused:
        look(content)
    assert refused.value.code == "no_contact_column"

    records_read = records(content, {"notes": "email"})
    assert [(record.row, record.problem.code if record.problem else None) for record in records_read] == [
        (2, "unclosed_quote"),
        (3, None),
    ]
    assert records_read[1].cells == ["2", "Bob", "Valid row"]


def test_line_endings_may_be_mixed() -> None:
    content = b"id,name,email\n1,Alice,alice@example.com\r\n2,Bob,bob@example.com\r3,Cara,cara@example.com\n"

    assert people(content) == [*ALICE_AND_BOB, (4, "Cara", "cara@example.com")]


def test_a_row_with_a_cell_too_many_is_rejected_alone() -> None:
    content = b"id,name,email\n1,Alice,alice@example.com\n2,Bob,bob@example.com,unexpected\n"

    assert [codes(outcome) for outcome in drafts(content)] == [[], [("", "too_many_cells")]]
    assert people(content) == ALICE_AND_BOB[:1]


def test_unescaped_quotes_cost_their_row_alone() -> None:
    content = b'id,company,notes\n1,Datablist,"He said "clean the file first" yesterday"\n2,Example Corp,Valid row\n'

    with pytest.raises(InvalidFile) as refused:
        look(content)
    assert refused.value.code == "no_contact_column"

    records_read = records(content, {"company": "name", "notes": "email"})
    assert [(record.row, record.problem.code if record.problem else None) for record in records_read] == [
        (2, "malformed_row"),
        (3, None),
    ]


def test_semicolons_between_the_cells_are_found_out() -> None:
    content = b"id;name;email\n1;Alice;alice@example.com\n2;Bob;bob@example.com\n"

    assert people(content) == ALICE_AND_BOB


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_delimiter_goes_with_any_encoding(delimiter: str, encoding: str) -> None:
    rows = [["Name", "E-Mail"], ["Zoë Müller", "zoe@example.com"], ["Ann, Jr.; or | so", "ann@example.com"]]
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)

    assert people(text.encode(encoding)) == [
        (2, "Zoë Müller", "zoe@example.com"),
        (3, "Ann, Jr.; or | so", "ann@example.com"),
    ]


def test_utf_16_is_read_from_either_end() -> None:
    text = "\ufeffName\tEmail\r\nعلي\tali@example.com\r\n🚀 王\twang@example.com\r\n"
    expected = [(2, "علي", "ali@example.com"), (3, "🚀 王", "wang@example.com")]

    assert people(text.encode("utf-16-le")) == people(text.encode("utf-16-be")) == expected


def test_a_file_that_ends_in_mid_character_keeps_its_other_rows() -> None:
    content = "Name,Email\nZoë,zoe@example.com\nJosé".encode()[:-1]

    assert [codes(outcome) for outcome in drafts(content)] == [[], [("", "broken_encoding")]]

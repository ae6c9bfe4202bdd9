import csv
import io
import json
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from tests.core.imports.uploads import Drip, look, records
from unite_core.imports.csv.decoding import Encoding, InvalidFile
from unite_core.imports.csv.reading import (
    MAX_CELLS,
    MAX_LINES_PER_RECORD,
    MAX_RECORD_LENGTH,
    Dialect,
    Record,
    RecordReader,
    detect_dialect,
    sniff_delimiter,
)

UTF_8 = Encoding("utf-8")


def read(content: bytes, encoding: Encoding = UTF_8, delimiter: str = ",") -> list[Record]:
    return list(RecordReader(io.BytesIO(content), encoding, delimiter))


def rows_and_codes(records: list[Record]) -> list[tuple[int, str]]:
    """Row and problem of each record; no problem is an empty string."""
    return [(record.row, record.problem.code if record.problem else "") for record in records]


def test_lines_end_in_any_of_the_three_ways() -> None:
    assert read(b"a,1\nb,2\r\nc,3\rd,4") == [
        Record(1, ["a", "1"], None),
        Record(2, ["b", "2"], None),
        Record(3, ["c", "3"], None),
        Record(4, ["d", "4"], None),
    ]


def test_a_quoted_cell_holds_delimiters_quotes_and_line_ends() -> None:
    assert read(b'"a, ""b""\r\nc\rd\ne",1\nf,2\n') == [
        Record(1, ['a, "b"\r\nc\rd\ne', "1"], None),
        Record(2, ["f", "2"], None),
    ]


def test_blank_rows_count_and_are_left_out() -> None:
    assert [record.row for record in read(b'\na\n\r\n , ,\n,,\n""\n"\n"\n\t\n,b\n')] == [2, 9]


def test_a_quote_inside_a_quoted_cell_costs_its_row_alone() -> None:
    records = read(b'1,"He said "no" twice"\n2,fine\n"a"b\n')

    assert rows_and_codes(records) == [(1, "malformed_row"), (2, ""), (3, "malformed_row")]
    assert records[0].cells == ["1", '"He said "no" twice"']
    assert records[0].problem is not None
    assert "Row 1" in records[0].problem.detail


def test_a_quote_inside_an_unquoted_cell_is_a_character_like_others() -> None:
    assert read(b"5' 9\",x\n")[0].cells == ["5' 9\"", "x"]


def test_lines_after_a_quote_that_is_never_closed_are_rows_of_their_own() -> None:
    records = read(b'a\n1,"open\n2,two\n\n3,"three, indeed"\n')

    assert rows_and_codes(records) == [(1, ""), (2, "unclosed_quote"), (3, ""), (5, "")]
    assert records[1].cells == ["1", '"open']
    assert records[1].problem is not None
    assert "row 2" in records[1].problem.detail
    assert records[3].cells == ["3", "three, indeed"]


def test_a_quote_that_opens_on_the_last_line_is_not_closed() -> None:
    assert rows_and_codes(read(b'a\nb,"c')) == [(1, ""), (2, "unclosed_quote")]


def test_a_broken_quote_on_the_last_line_after_an_unclosed_one_is_told_apart() -> None:
    assert rows_and_codes(read(b'a,"open\nb\n"c"d')) == [(1, "unclosed_quote"), (2, ""), (3, "malformed_row")]
    assert rows_and_codes(read(b'a,"open\n""b')) == [(1, "unclosed_quote"), (2, "malformed_row")]
    assert rows_and_codes(read(b'a,"open\nb,"c\n')) == [(1, "unclosed_quote"), (2, "unclosed_quote")]


def test_a_quoted_cell_has_at_most_so_many_lines() -> None:
    max_length = b'"' + b"x\n" * (MAX_LINES_PER_RECORD - 1) + b'y"\n'
    longer = b'"' + b"x\n" * MAX_LINES_PER_RECORD + b'y"\n'

    assert rows_and_codes(read(max_length + b"z")) == [(1, ""), (2, "")]
    records = rows_and_codes(read(longer + b"z"))
    assert records[0] == (1, "unclosed_quote")
    assert records[-1] == (MAX_LINES_PER_RECORD + 2, "")
    assert len(records) == MAX_LINES_PER_RECORD + 2


def test_a_row_of_several_lines_has_at_most_so_many_characters() -> None:
    cell = b'"' + b"x" * 99_999 + b'",'
    fits = cell * 10 + b'"\n' + b"x" * 40_000 + b'"\n'
    too_much = cell * 10 + b'"\n' + b"x" * 60_000 + b'"\n'

    assert rows_and_codes(read(fits + b"z")) == [(1, ""), (2, "")]
    assert rows_and_codes(read(too_much + b"z")) == [(1, "unclosed_quote"), (2, ""), (3, "")]


def test_a_cell_of_more_characters_than_the_csv_module_takes_costs_its_row() -> None:
    huge = b"x" * (csv.field_size_limit() + 1)

    assert rows_and_codes(read(b'a,"' + huge + b'"\nb\n' + huge + b"\nc")) == [
        (1, "row_too_long"),
        (2, ""),
        (3, "row_too_long"),
        (4, ""),
    ]
    assert rows_and_codes(read(b'"a\n' + huge + b'"\nb\n')) == [(1, "unclosed_quote"), (2, "row_too_long"), (3, "")]


def test_a_file_in_which_every_line_opens_a_quote_takes_no_thousandfold_time() -> None:
    def seconds(line: bytes) -> float:
        started = time.process_time()
        records = read(line * 60_000)
        taken = time.process_time() - started
        assert [record.row for record in records] == list(range(1, 60_001))
        assert {code for _, code in rows_and_codes(records)} == {"unclosed_quote" if line.endswith(b'"\n') else ""}
        return taken

    assert seconds(b'x",y,"\n') < 200 * min(seconds(b"x-,y,-\n") for _ in range(3))


def test_quoted_line_breaks_are_read_again_after_many_broken_quotes() -> None:
    records = read(b'x",y,"\n' * 2000 + b"plain\n" * 2000 + b'"two\nlines",y\n' + b"plain\n")

    assert Record(4001, ["two\nlines", "y"], None) in records
    assert records[-1].row == 4002


class Endless:
    """Gives a line of `size` bytes, and a row after it, without ever having them whole."""

    def __init__(self, start: bytes, size: int) -> None:
        self._parts = self._made(start, size)

    def _made(self, start: bytes, size: int) -> Iterator[bytes]:
        yield start
        for _ in range(size // (256 * 1024)):
            yield b"x" * (256 * 1024)
        yield b"end\r"
        yield b"\nb,2\n"

    def read(self, _: int, /) -> bytes:
        return next(self._parts, b"")


@pytest.mark.parametrize("start", [b"a,1,", b'a,1,"', b'"a",1,'])
def test_a_line_of_ten_megabytes_costs_its_row_alone(start: bytes) -> None:
    records = list(RecordReader(Endless(start, 10_000_000), UTF_8, ","))

    assert rows_and_codes(records) == [(1, "row_too_long"), (2, "")]
    assert records[0].cells[1:] == ["1"]
    assert records[1] == Record(2, ["b", "2"], None)


def test_memory_does_not_grow_with_the_longest_line() -> None:
    tracemalloc.start()

    records = list(RecordReader(Endless(b"a,", 128 * 1024 * 1024), UTF_8, ","))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert rows_and_codes(records) == [(1, "row_too_long"), (2, "")]
    assert peak < 12 * 1024 * 1024


def test_memory_does_not_grow_with_the_file() -> None:
    content = b'Ann Smith,ann@example.com,"+1 815 890 8301",Webinar\n' * 100_000
    tracemalloc.start()

    assert sum(1 for _ in RecordReader(io.BytesIO(content), UTF_8, ",")) == 100_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 4 * 1024 * 1024


def test_a_long_line_without_a_delimiter_shows_how_it_starts() -> None:
    records = read(b"x" * (MAX_RECORD_LENGTH + 1))

    assert rows_and_codes(records) == [(1, "row_too_long")]
    assert records[0].cells == ["x" * 1000]


def test_a_long_line_that_follows_an_open_quote_is_a_row_of_its_own() -> None:
    assert rows_and_codes(read(b'a,"open\n' + b"x" * (MAX_RECORD_LENGTH + 1) + b"\nb\n")) == [
        (1, "unclosed_quote"),
        (2, "row_too_long"),
        (3, ""),
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b""])
def test_the_longest_line_may_have_any_end(end: bytes) -> None:
    max_length = (b"y" * 100_000 + b",") * 10 + b"x" * (MAX_RECORD_LENGTH - 1_000_010)

    assert rows_and_codes(read(max_length + end)) == [(1, "")]
    assert rows_and_codes(read(max_length + b"x" + end)) == [(1, "row_too_long")]


def test_a_row_of_ten_thousand_cells_is_refused_and_cut() -> None:
    records = read(b"x," * 10_000 + b"\na,b\n")

    assert rows_and_codes(records) == [(1, "too_many_cells"), (2, "")]
    assert len(records[0].cells) == MAX_CELLS
    assert records[0].problem is not None
    assert "10001 cells" in records[0].problem.detail


def test_empty_cells_beyond_the_last_one_that_is_read_do_no_harm() -> None:
    records = read(b"x" + b"," * 16_000 + b"\n" + b"," * 16_000 + b"\n")

    assert rows_and_codes(records) == [(1, "")]
    assert len(records[0].cells) == MAX_CELLS


def test_bytes_that_mean_nothing_cost_their_row_alone() -> None:
    records = read("Zoë,1\n".encode() + b"Jos\xe9,2\n,,\n" + "王,3\n".encode() + b"Zo\xc3")

    assert rows_and_codes(records) == [(1, ""), (2, "broken_encoding"), (4, ""), (5, "broken_encoding")]
    assert records[1].cells == ["Jos\N{REPLACEMENT CHARACTER}", "2"]
    assert records[1].problem is not None
    assert "Row 2" in records[1].problem.detail


def test_no_byte_that_means_nothing_leaves_the_reader_unmarked() -> None:
    records = read(b'"\xe9"x\n' + b"\xe9," * 10_000 + b"\n" + b"\xe9" * (MAX_RECORD_LENGTH + 1))

    assert rows_and_codes(records) == [(1, "malformed_row"), (2, "too_many_cells"), (3, "row_too_long")]
    "".join(cell for record in records for cell in record.cells).encode()


def test_a_byte_that_windows_1252_does_not_have_costs_its_row() -> None:
    assert rows_and_codes(read(b"caf\xe9\n\x81\n", Encoding("cp1252"))) == [(1, ""), (2, "broken_encoding")]


def test_half_a_character_of_utf_16_is_replaced() -> None:
    content = b"\xff\xfe" + "a,ü\n".encode("utf-16-le") + b"\x00\xd8\n\x00b"

    assert [record.cells for record in read(content, Encoding("utf-16-le", 2))] == [
        ["a", "ü"],
        ["\N{REPLACEMENT CHARACTER}"],
        ["\N{REPLACEMENT CHARACTER}"],
    ]


def test_nuls_are_kept_for_the_field_to_judge() -> None:
    assert read(b"a\0b,c\n") == [Record(1, ["a\0b", "c"], None)]


@pytest.mark.parametrize("portion", [1, 2, 3, 1000])
@pytest.mark.parametrize("encoding", [Encoding("utf-8", 3), Encoding("utf-16-le", 2), Encoding("utf-16-be", 2)])
def test_a_file_may_come_in_portions_of_any_size(portion: int, encoding: Encoding) -> None:
    text = 'sep=;\r\nZoë;1\r\n\r\n"two\r\nlines";2\r\r\n🚀;3'
    content = ("\ufeff" + text).encode(encoding.name)
    reader = RecordReader(Drip(content, portion), encoding, ";")

    assert list(reader) == [
        Record(1, ["Zoë", "1"], None),
        Record(3, ["two\r\nlines", "2"], None),
        Record(5, ["🚀", "3"], None),
    ]
    assert reader.bytes_read == len(content)


def test_progress_is_told_in_bytes_and_reading_is_lazy() -> None:
    content = b"a,b\n" * 200_000
    reader = RecordReader(io.BytesIO(content), UTF_8, ",")

    assert reader.bytes_read == 0
    next(iter(reader))
    assert 0 < reader.bytes_read < len(content)


def test_skipping_ends_before_the_first_row_that_is_wanted() -> None:
    content = b'h\n\n"two\nlines"\n"bad"x\n1,"open\nlast'

    def after(row: int) -> list[int]:
        reader = RecordReader(io.BytesIO(content), UTF_8, ",")
        reader.skip(row)
        return [record.row for record in reader]

    assert [after(row) for row in range(8)] == [
        [1, 3, 4, 5, 6],
        [3, 4, 5, 6],
        [3, 4, 5, 6],
        [4, 5, 6],
        [5, 6],
        [6],
        [],
        [],
    ]


def test_skipping_is_far_quicker_than_reading_row_by_row() -> None:
    content = b"Ann Smith,ann@example.com,+1 815 890 8301,Webinar,x,y,z\n" * 100_000

    def seconds(skip: int) -> float:
        reader = RecordReader(io.BytesIO(content), UTF_8, ",")
        started = time.process_time()
        reader.skip(skip)
        assert sum(1 for _ in reader) == 100_000 - skip
        return time.process_time() - started

    assert min(seconds(100_000) for _ in range(3)) < min(seconds(0) for _ in range(3))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_makes_the_header_understood(delimiter: str) -> None:
    header = delimiter.join(["id", '"Name, first; last | or\tboth"', "Name", "Email, private"])

    assert sniff_delimiter(f"\n{header}\nsome;thing,else\n") == delimiter


@pytest.mark.parametrize(
    ("sample", "delimiter"),
    [
        ("", ","),
        ("\n \n", ","),
        ("email", ","),
        ("Name;Email;Phone, mobile\n", ";"),
        ("Email;Name,Phone;x;y", ";"),
        ("a;b;c,d", ";"),
        ("sep=|\nName,Email\n", "|"),
        ('"SEP=\t"\r\nName,Email\n', "\t"),
        ("sep=^", "^"),
        ("sep=x\nName;Email", ","),
        ("unite_row,unite_field,unite_code,unite_message,unite_suggestion,Name;Phone;Email;Source;Status;Owner", ","),
    ],
)
def test_the_delimiter_is_found_in_odd_headers_too(sample: str, delimiter: str) -> None:
    assert sniff_delimiter(sample) == delimiter


def test_a_mapping_helps_to_find_the_delimiter() -> None:
    header = "Kunde,Nr;Funk,Email;Name\n"

    assert sniff_delimiter(header) == ";"
    assert sniff_delimiter(header, {"Kunde": "name", "Nr;Funk": "phone"}) == ","
    assert sniff_delimiter("wide;" * 2000, {"nowhere": "name"}) == ";"


def test_a_file_is_examined_before_it_is_read() -> None:
    dialect, examined = look(b"\xef\xbb\xbf\r\n\r\nName;Email;=Note\r\nZoe;zoe@example.com;x\r\n")

    assert dialect == Dialect(Encoding("utf-8", 3), ";", 3, ("Name", "Email", "=Note"))
    assert [column.field for column in examined.columns] == ["name", "email", None]
    assert Dialect.from_plain(json.loads(json.dumps(dialect.to_plain()))) == dialect


class Trickle(io.BytesIO):
    """A file that gives three bytes at a time, as one from afar may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 3))


def test_a_file_may_be_examined_in_small_portions() -> None:
    content = b"\xef\xbb\xbfName;Email\nZoe;zoe@example.com\n"

    assert detect_dialect(lambda: Trickle(content)) == look(content)


def test_the_line_by_which_excel_is_told_the_delimiter_is_no_row() -> None:
    content = b"sep=|\r\nName|Email\r\nZoe|zoe@example.com\r\n"

    assert look(content)[0].header_row == 1
    assert records(content) == [Record(2, ["Zoe", "zoe@example.com"], None)]


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b",,,\n , \n", "empty_file", "blank"),
        (b";;\n", "empty_file", "blank"),
        (b'""\n', "empty_file", "blank"),
        (b'Name,"Email\nZoe,zoe@example.com\n', "unreadable_header", "row 1"),
        (b'\nName,"E"mail\n', "unreadable_header", "Row 2"),
        (b"x" * (MAX_RECORD_LENGTH + 1), "unreadable_header", "Row 1"),
        (b"x," * 10_000 + b"\n", "too_many_columns", "10001 cells"),
        (b"x," * 1002 + b"\n", "too_many_columns", "1002 columns"),
        (b"\nname\n", "no_contact_column", "line 2"),
        (b"\n\nAlice,alice@example.com\n", "no_header", "Line 3"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused_by_its_line(content: bytes, code: str, said: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        look(content)

    assert refused.value.code == code
    assert said in refused.value.detail


def test_damage_in_a_header_is_left_to_the_mapping() -> None:
    dialect, examined = look("Name,Größe,Öl,Email\n".encode()[:-1] + b",x\xe9\nZoe,1,1,zoe@example.com,x\n")

    assert dialect.header[-1] == "x\N{REPLACEMENT CHARACTER}"
    assert examined.index("email") == 3


def test_a_header_alone_is_a_file_of_no_rows() -> None:
    assert records(b"Name,Email") == []


def test_the_global_limit_of_the_csv_module_is_left_alone() -> None:
    before = csv.field_size_limit()

    read(b'"a\nb",c\n' + b"x" * 200_000)

    assert csv.field_size_limit() == before

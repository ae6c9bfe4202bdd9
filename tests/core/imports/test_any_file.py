"""What holds for every file, whatever is in it."""

import contextlib
import csv
import io
import re
from itertools import islice

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.core.imports.uploads import Drip, look, reader_of
from unite_core.imports.csv.decoding import Encoding, InvalidFile
from unite_core.imports.csv.lines import DELIMITER_LINE
from unite_core.imports.csv.reading import DELIMITERS, Record, RecordReader

ENCODINGS = (Encoding("utf-8"), Encoding("utf-8", 3), Encoding("utf-16-le", 2), Encoding("utf-16-be", 2))
delimiters = st.sampled_from(DELIMITERS)
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.text("\",;\t|\r\n'a é", max_size=8)
windows_1252 = st.text(st.characters(codec="cp1252"), max_size=8)
# Bytes of which CSV files are made, so that quotes open and close and lines break off in every way.
scraps = st.lists(
    st.sampled_from([b'"', b'""', b",", b";", b"\n", b"\r\n", b"\r", b" ", b"a", "é".encode(), b"\xe9", b"\0", b"'="]),
    max_size=30,
).map(b"".join)


@given(st.data(), delimiters, st.sampled_from([*ENCODINGS, Encoding("cp1252")]), st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_table_reads_back_as_it_was_written(
    data: st.DataObject, delimiter: str, encoding: Encoding, end: str
) -> None:
    text = windows_1252 if encoding.name == "cp1252" else anything
    table = data.draw(st.lists(st.lists(text, min_size=1, max_size=5), max_size=8))
    broken = any(mark in cell for row in table for cell in row for mark in "\r\n")
    written = io.StringIO(newline="")
    if broken or data.draw(st.booleans()):
        writer = csv.writer(written, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    else:
        writer = csv.writer(written, delimiter=delimiter, lineterminator=end)
    writer.writerows(table)
    assume(not DELIMITER_LINE.match(written.getvalue()))
    content = ("\ufeff" if encoding.bom else "").encode(encoding.name) + written.getvalue().encode(encoding.name)

    records_read = list(RecordReader(Drip(content, data.draw(st.integers(1, 50))), encoding, delimiter))

    assert records_read == [
        Record(number, row, None) for number, row in enumerate(table, start=1) if any(cell.strip() for cell in row)
    ]


@given(scraps | st.binary(max_size=200), delimiters, st.sampled_from([*ENCODINGS[:1], Encoding("cp1252")]))
@example(b'1,"open\n2,"x"\n', ",", Encoding("utf-8"))
def test_nothing_of_a_file_is_lost(content: bytes, delimiter: str, encoding: Encoding) -> None:
    assume(not DELIMITER_LINE.match(content.decode("latin-1")))
    text = content.decode(encoding.name, "surrogateescape")

    records_read = list(RecordReader(io.BytesIO(content), encoding, delimiter))

    def substance(of: str) -> str:
        return re.sub(f'[\\s{re.escape(delimiter)}"]', "", re.sub("[\udc80-\udcff]", "\ufffd", of))

    assert substance("".join(cell for record in records_read for cell in record.cells)) == substance(text)
    rows = [record.row for record in records_read]
    assert rows == sorted(set(rows))
    assert len(rows) == 0 or 1 <= rows[0] <= rows[-1] <= len(re.findall(r"\r\n|\r|\n", text)) + 1


@given(scraps, delimiters, st.integers(0, 12), st.integers(1, 9))
@example(b'"a\n,"b\nc', ",", 1, 1)
def test_reading_goes_on_after_any_row_as_if_it_had_never_stopped(
    content: bytes, delimiter: str, row: int, portion: int
) -> None:
    whole = list(RecordReader(io.BytesIO(content), Encoding("utf-8"), delimiter))
    continued = RecordReader(Drip(content, portion), Encoding("utf-8"), delimiter)

    continued.skip(row)

    assert list(continued) == [record for record in whole if record.row > row]


@given(scraps, st.integers(0, 8), st.integers(0, 8))
def test_skipping_may_follow_reading(content: bytes, first: int, row: int) -> None:
    whole = list(RecordReader(io.BytesIO(content), Encoding("utf-8"), ","))
    reader = RecordReader(io.BytesIO(content), Encoding("utf-8"), ",")
    read = list(islice(reader, first))

    reader.skip(row)

    assert read == whole[:first]
    assert list(reader) == [record for record in whole[first:] if record.row > row]


@given(st.sampled_from([b"", b"Name,Email\n", b"Name;Phone\n", b"\xff\xfe", b"\xef\xbb\xbf"]), scraps | st.binary())
@settings(max_examples=300)
def test_every_file_is_either_refused_or_read(start: bytes, rest: bytes) -> None:
    with contextlib.suppress(InvalidFile):
        dialect, examined = look(start + rest)

        assert examined.mapped >= 2
        assert all(record.row > dialect.header_row for record in reader_of(start + rest, dialect))

import io
import time
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unite_core.errors import Invalid
from unite_core.imports.csv.decoding import Encoding, InvalidFile, detect_encoding
from unite_core.imports.csv.reading import RecordReader

HEADER = b"name,email\n"


def in_pieces(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (HEADER, Encoding("utf-8")),
        ("name\nZoë 王小明 🚀\n".encode(), Encoding("utf-8")),
        (b"\xef\xbb\xbf" + HEADER, Encoding("utf-8", 3)),
        (b"\xff\xfe" + "name\nZoë\n".encode("utf-16-le"), Encoding("utf-16-le", 2)),
        (b"\xfe\xff" + "name\nZoë\n".encode("utf-16-be"), Encoding("utf-16-be", 2)),
        ("name\nFrançois, Montréal, “Premium” €\n".encode("cp1252"), Encoding("cp1252")),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 20])
def test_an_encoding_is_found_however_the_file_is_cut_into_chunks(
    content: bytes, encoding: Encoding, size: int
) -> None:
    assert detect_encoding(in_pieces(content, size)) == encoding


@pytest.mark.parametrize("broken", [b"Zo\xc3", "王".encode()[:2], "🚀".encode()[:3]])
def test_a_file_that_ends_in_the_middle_of_a_character_is_utf_8(broken: bytes) -> None:
    assert detect_encoding([HEADER + broken]) == Encoding("utf-8")


def test_a_file_with_more_sound_sequences_than_broken_ones_is_damaged_utf_8() -> None:
    assert detect_encoding(["Zoë, Müller, Ström\n".encode(), b"broken: \xe9 here\n"]) == Encoding("utf-8")


def test_a_file_with_as_many_broken_sequences_as_sound_ones_is_damaged_utf_8() -> None:
    assert detect_encoding(["ë\n".encode(), b"caf\xe9\n"]) == Encoding("utf-8")


def test_a_file_with_more_broken_sequences_than_sound_ones_is_windows_1252() -> None:
    assert detect_encoding(["ë\n".encode(), b"caf\xe9, na\xefve\n"]) == Encoding("cp1252")


def test_a_character_that_is_broken_off_at_the_end_of_a_chunk_is_broken() -> None:
    assert detect_encoding([b"name\ncaf\xe9", b"\nand no more"]) == Encoding("cp1252")


def test_a_run_of_bytes_that_mean_nothing_is_one_broken_sequence() -> None:
    assert detect_encoding(["Zoë Strö\n".encode() + b"\xff\xff\xff\xff\n"]) == Encoding("utf-8")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \r\n\t\n",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf \n",
        b"\xff\xfe",
        b"\xff\xfe" + " \n".encode("utf-16-le"),
        b"\xfe\xff" + ("\n" * 5000).encode("utf-16-be"),
    ],
)
def test_a_file_of_nothing_but_whitespace_is_refused_as_empty(content: bytes) -> None:
    with pytest.raises(InvalidFile) as refused:
        detect_encoding(in_pieces(content, 100))

    assert refused.value.code == "empty_file"
    assert "line 1" in refused.value.detail


def test_a_byte_order_mark_before_half_a_character_is_not_an_empty_file() -> None:
    assert detect_encoding([b"\xff\xfe\x41"]) == Encoding("utf-16-le", 2)


def test_text_that_begins_long_after_the_byte_order_mark_counts() -> None:
    assert detect_encoding([b"\xef\xbb\xbf      ", b"   \n", b"name\n"]) == Encoding("utf-8", 3)


def workbook() -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (workbook(), "Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more", "Excel"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "gzip"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "PNG"),
        (b"\xff\xfe\x00\x00n\x00\x00\x00", "UTF-32"),
        (b"name,email\nAnn\x00,ann@example.com\n", "Line 2 has a NUL"),
        ("name,email\n".encode("utf-16-le"), "UTF-16"),
    ],
)
def test_a_file_that_is_no_text_is_refused_with_advice(content: bytes, word: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        detect_encoding(in_pieces(content, 3))

    assert refused.value.code == "binary_file"
    assert word in refused.value.detail
    assert "CSV" in refused.value.detail
    assert isinstance(refused.value, Invalid)
    assert refused.value.columns == ()


def test_a_nul_far_into_a_file_does_not_make_it_binary() -> None:
    filler = HEADER + b"Ann,ann@example.com\n" * 4000

    assert detect_encoding([filler[: 64 * 1024], filler[64 * 1024 :] + b"\0\n", b"\0" + filler * 2]) == Encoding(
        "utf-8"
    )


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.integers(1, 9))
def test_whatever_is_utf_8_is_found_to_be_utf_8(text: str, size: int) -> None:
    assert detect_encoding(in_pieces(b"x" + text.encode(), size)) == Encoding("utf-8")


def test_finding_out_takes_a_small_part_of_the_time_of_an_import() -> None:
    chunk = b"Ann Smith,ann@example.com,+1 815 890 8301,Webinar\n" * 20_000

    def seconds(work: Callable[[], object]) -> float:
        started = time.process_time()
        work()
        return time.process_time() - started

    found_out = min(seconds(lambda: detect_encoding([chunk] * 3)) for _ in range(5))
    read = min(seconds(lambda: list(RecordReader(io.BytesIO(chunk * 3), Encoding("utf-8"), ","))) for _ in range(5))
    assert found_out < read / 10

"""Tests of cleaned pictures: everything but the pixels, the colours and the orientation is removed."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile

from tests.core.leads.pictures.making import MARK, TURNED, chunk, exif, pixels, profile, saved, segment, shown, webp
from tests.pictures import a_png, png_chunk
from unite_core.leads.pictures import InvalidPicture, clean_picture

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"
GPS_TAG = 0x8825
ORIENTATION_TAG = 0x0112

XMP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + MARK + b"</x:xmpmeta>"
MORE_XMP = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + MARK
PREVIEW = b"JFIF\0\x01\x02\0\0\x01\0\x01\x02\x02" + MARK + b"prev."


def jpeg_with_everything(**options: object) -> bytes:
    """A JPEG with Exif, two kinds of XMP, Photoshop's data, a comment, a second picture, and a ZIP behind it."""
    plain = saved(pixels(), "JPEG", quality=90, exif=exif(), icc_profile=profile(), comment=MARK, **options)
    second = saved(pixels(8, 8), "JPEG", comment=MARK)
    extra = [
        segment(0xE1, XMP),
        segment(0xE1, MORE_XMP),
        segment(0xE1, b"Exif\0\0" + exif()),
        segment(0xE0, b"JFXX\0\x10" + MARK),
        segment(0xE2, b"MPF\0" + MARK),
        segment(0xE2, b"FPXR\0" + MARK),
        segment(0xED, b"Photoshop 3.0\0" + MARK),
        *(segment(marker, MARK) for marker in range(0xE0, 0xF0)),
        segment(0xFE, MARK),
    ]
    return plain[:2] + b"".join(extra) + plain[2:] + second + b"PK\x03\x04" + MARK


def png_with_everything() -> bytes:
    """A PNG with all kinds of text, Exif, a time, a palette's name and a private chunk, and a page behind it."""
    plain = saved(pixels(), "PNG", exif=exif(), icc_profile=profile())
    header_end = 8 + 25
    texts = [
        png_chunk(b"tEXt", b"Comment\0" + MARK),
        png_chunk(b"zTXt", b"Comment\0\0" + MARK),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + MARK),
        png_chunk(b"tIME", MARK),
        png_chunk(b"sPLT", MARK + b"\0\x08"),
        png_chunk(b"prVt", MARK),
        png_chunk(b"gAMA", MARK),
        png_chunk(b"iCCP", MARK + b"\0\0" + MARK),
    ]
    end = len(plain) - 12
    return (
        plain[:header_end]
        + b"".join(texts)
        + plain[header_end:end]
        + png_chunk(b"tEXt", b"Comment\0" + MARK)
        + plain[end:]
        + b"<html>"
        + MARK
    )


def webp_with_everything(*, lossless: bool) -> bytes:
    """Return a WebP with Exif, XMP, an unknown chunk, and a trailing page."""
    plain = saved(pixels(), "WEBP", lossless=lossless, exif=exif(), xmp=XMP, icc_profile=profile())
    more = chunk(b"PRVT", MARK)
    return plain[:4] + (len(plain) - 8 + len(more)).to_bytes(4, "little") + plain[8:] + more + b"<html>" + MARK


PHOTOGRAPHS = {
    JPEG: jpeg_with_everything(),
    PNG: png_with_everything(),
    WEBP: webp_with_everything(lossless=False),
}

EVERYTHING = [
    pytest.param(JPEG, jpeg_with_everything(), id="jpeg"),
    pytest.param(JPEG, jpeg_with_everything(progressive=True), id="progressive jpeg"),
    pytest.param(PNG, png_with_everything(), id="png"),
    pytest.param(WEBP, webp_with_everything(lossless=False), id="lossy webp"),
    pytest.param(WEBP, webp_with_everything(lossless=True), id="lossless webp"),
]


@pytest.mark.parametrize(("content_type", "content"), EVERYTHING)
def test_no_metadata_is_left(content_type: str, content: bytes) -> None:
    assert MARK in content

    clean = clean_picture(content, content_type)

    assert MARK not in clean
    with Image.open(io.BytesIO(clean)) as picture:
        assert dict(picture.getexif()) == {ORIENTATION_TAG: TURNED}
        assert not picture.getexif().get_ifd(GPS_TAG)


@pytest.mark.parametrize(("content_type", "content"), EVERYTHING)
def test_every_pixel_is_unchanged(content_type: str, content: bytes) -> None:
    assert shown(clean_picture(content, content_type)) == shown(content)
    assert shown(content)[1] == (24, 40), "it is turned"
    assert shown(content)[3] == profile()


@pytest.mark.parametrize(("content_type", "content"), EVERYTHING)
def test_cleaning_a_clean_picture_changes_nothing(content_type: str, content: bytes) -> None:
    clean = clean_picture(content, content_type)

    assert clean_picture(clean, content_type) == clean


MODES = {
    "JPEG": ("RGB", "L", "CMYK"),
    "PNG": ("RGB", "RGBA", "L", "LA", "P", "1", "I;16"),
    "WEBP": ("RGB", "RGBA"),
}


@pytest.mark.parametrize(
    ("content_type", "kind", "options"),
    [
        (JPEG, "JPEG", {}),
        (JPEG, "JPEG", {"progressive": True, "subsampling": 0}),
        (JPEG, "JPEG", {"restart_marker_blocks": 1}),
        (PNG, "PNG", {}),
        (PNG, "PNG", {"dpi": (300, 300)}),
        (WEBP, "WEBP", {}),
        (WEBP, "WEBP", {"lossless": True}),
    ],
)
def test_a_picture_without_metadata_is_returned_byte_for_byte(
    content_type: str, kind: str, options: dict[str, object]
) -> None:
    for mode in MODES[kind]:
        picture = Image.new(mode, (9, 7), 700) if mode == "I;16" else pixels(9, 7).convert(mode)
        content = saved(picture, kind, **options)

        assert clean_picture(content, content_type) == content


@pytest.mark.parametrize(("content_type", "content"), EVERYTHING)
def test_a_truncated_picture_is_refused_unless_nothing_visible_is_left(content_type: str, content: bytes) -> None:
    clean = clean_picture(content, content_type)

    for end in range(12, len(clean), 7):
        broken = clean[:end]
        if can_be_shown(broken):
            with pytest.raises(InvalidPicture, match="Export the picture anew"):
                clean_picture(broken, content_type)
        else:
            with suppress(InvalidPicture):
                assert clean_picture(broken, content_type) == broken


def can_be_shown(content: bytes) -> bool:
    """Whether a lenient program shows something of a picture that breaks off."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
    except (OSError, SyntaxError, ValueError):
        return False
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    return True


@pytest.mark.parametrize(("content_type", "content"), EVERYTHING)
@given(data=st.data())
def test_a_damaged_picture_is_refused_or_clean(content_type: str, content: bytes, data: st.DataObject) -> None:
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(12, len(content) - 1))
        replaced = data.draw(st.binary(min_size=0, max_size=12))
        damaged[place : place + data.draw(st.integers(0, 12))] = replaced

    try:
        clean = clean_picture(bytes(damaged), content_type)
    except InvalidPicture:
        return
    assert clean_picture(clean, content_type) == clean


@pytest.mark.parametrize("content_type", [JPEG, PNG, WEBP])
@given(rest=st.binary(max_size=200))
def test_bytes_with_only_the_signature_of_a_picture_are_refused_or_unchanged(content_type: str, rest: bytes) -> None:
    content = {JPEG: b"\xff\xd8\xff", PNG: a_png()[:8], WEBP: b"RIFF\xff\0\0\0WEBP"}[content_type] + rest

    try:
        clean = clean_picture(content, content_type)
    except InvalidPicture:
        return
    assert clean == content


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        (PNG, b"\x89PNG\r\n\x1a\n" + bytes(12)),
        (PNG, b"\x89PNG\r\n\x1a\n" + b"x" * 92),
        (PNG, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(92)),
        (JPEG, b"\xff\xd8\xff\xe0" + bytes(16)),
        (JPEG, b"\xff\xd8\xff" + bytes(97)),
        (JPEG, b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(92)),
        (WEBP, b"RIFF\x0c\0\0\0WEBP" + bytes(8)),
        (WEBP, b"RIFF\x5c\0\0\0WEBPVP8 " + bytes(88)),
    ],
)
def test_a_file_without_picture_data_is_unchanged(content_type: str, content: bytes) -> None:
    assert clean_picture(content, content_type) == content


@pytest.mark.parametrize("junk", [b"\xff\0\0\0", b"\xff\xff\xff\0\0\0", b"\xff\xd0", b"\0" * 9, b"JFIF"])
@pytest.mark.parametrize("content", [it.values[1] for it in EVERYTHING if it.values[0] == JPEG])
def test_a_picture_after_data_that_lenient_readers_skip_is_refused(content: bytes, junk: bytes) -> None:
    with pytest.raises(InvalidPicture, match="Export the picture anew"):
        clean_picture(content[:2] + junk + content[2:], JPEG)


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        (PNG, b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x04eXIfGPS!" + bytes(40)),
        (PNG, b"\x89PNG\r\n\x1a\n" + b"\xff\0\0\0IDAT" + bytes(40)),
        (JPEG, b"\xff\xd8\xff\xe1\0\0Exif\0\0GPS" + bytes(40)),
        (JPEG, b"\xff\xd8\xff\xe1\0\0http://ns.adobe.com/xap/1.0/\0" + bytes(40)),
        (WEBP, b"RIFF\x0c\0\0\0WEBPEXIF\x04\0\0\0GPS!" + bytes(40)),
        (WEBP, b"RIFF\x0c\0\0\0WEBP\0\0\0\x9d\x01\x2a" + bytes(40)),
    ],
)
def test_a_damaged_file_in_which_a_lenient_reader_may_find_data_is_refused(content_type: str, content: bytes) -> None:
    with pytest.raises(InvalidPicture, match="Export the picture anew"):
        clean_picture(content, content_type)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", [None, *range(10), 65535])
def test_the_orientation_is_retained_unless_it_is_upright(order: str, orientation: int | None) -> None:
    content = saved(pixels(), "JPEG", exif=exif(orientation, order))

    clean = clean_picture(content, JPEG)

    with Image.open(io.BytesIO(clean)) as picture:
        orientation_tag = picture.getexif().get(ORIENTATION_TAG)
    assert orientation_tag == (orientation if orientation in range(2, 9) else None)
    assert (b"Exif" in clean) == (orientation_tag is not None)


def test_a_picture_of_too_many_parts_is_refused_early() -> None:
    many = 20_000
    pieces = [
        (JPEG, b"\xff\xd8" + segment(0xFE, b"EXIF") * many),
        (PNG, a_png(before=png_chunk(b"tEXt", b"") * many)),
        (WEBP, webp(*[chunk(b"EXIF", b"")] * (many + 1))),
    ]
    for content_type, content in pieces:
        with pytest.raises(InvalidPicture, match="more than 20000 parts"):
            clean_picture(content, content_type)

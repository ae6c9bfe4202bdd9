"""Tests of refused pictures: too many pixels, animations, and violations of their standard; and of linear time."""

import time
import zlib
from collections.abc import Callable

import pytest

from tests.core.leads.pictures.making import chunk, exif, pixels, profile, saved, segment, webp
from tests.pictures import PNG_SIGNATURE, a_png, png_chunk
from unite_core.leads.pictures import MAX_PIXELS, InvalidPicture, clean_picture
from unite_core.leads.pictures import jpeg as jpeg_rules
from unite_core.leads.pictures import png as png_rules
from unite_core.leads.pictures import webp as webp_rules

JPEG, PNG, WEBP = "image/jpeg", "image/png", "image/webp"


def frame(width: int, height: int, *, bits: int = 8, components: int = 3) -> bytes:
    """The segment of a JPEG that says how large it is."""
    sides = height.to_bytes(2) + width.to_bytes(2)
    return segment(0xC0, bytes((bits,)) + sides + bytes((components,)) + bytes(3 * components))


SCAN = segment(0xDA, b"\x01\x01\0\0\x3f\0") + b"\x12\xff\0\x34"
END = b"\xff\xd9"


def jpeg(*parts: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(parts)


def lossy(width: int, height: int) -> bytes:
    return b"\x10\0\0\x9d\x01\x2a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"data"


def lossless(width: int, height: int) -> bytes:
    return b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little") + b"data"


def extended(width: int, height: int, flags: int = 0) -> bytes:
    return bytes((flags, 0, 0, 0)) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def header(width: int, height: int) -> bytes:
    return png_chunk(b"IHDR", width.to_bytes(4) + height.to_bytes(4) + bytes((8, 0, 0, 0, 0)))


def png(*chunks: bytes) -> bytes:
    return PNG_SIGNATURE + b"".join(chunks) + png_chunk(b"IEND", b"")


DATA = png_chunk(b"IDAT", zlib.compress(b"\0" * 100))


def refusal(content: bytes, content_type: str) -> tuple[str, str]:
    with pytest.raises(InvalidPicture) as refused:
        clean_picture(content, content_type)
    return refused.value.code, refused.value.detail


def fault(content: bytes, content_type: str) -> str:
    """Why a file is no picture, whether or not anybody finds something in it; the code."""
    with pytest.raises(InvalidPicture) as refused:
        {JPEG: jpeg_rules, PNG: png_rules, WEBP: webp_rules}[content_type].clean(content)
    return refused.value.code


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        (PNG, png(header(65_535, 65_535), DATA)),
        (PNG, png(header(2**31 - 1, 2**31 - 1), DATA)),
        (PNG, png(header(MAX_PIXELS + 1, 1), DATA)),
        (JPEG, jpeg(frame(65_535, 65_535), SCAN, END)),
        (JPEG, jpeg(frame(8001, 8000), SCAN, END)),
        (WEBP, webp(chunk(b"VP8 ", lossy(16_383, 16_383)))),
        (WEBP, webp(chunk(b"VP8L", lossless(16_384, 16_384)))),
        (WEBP, webp(chunk(b"VP8X", extended(16_384, 16_384)), chunk(b"VP8L", lossless(16_384, 16_384)))),
    ],
)
def test_a_picture_with_too_many_pixels_in_its_header_is_refused(content_type: str, content: bytes) -> None:
    code, detail = refusal(content, content_type)

    assert code == "too_many_pixels"
    assert detail.endswith("pixels; at most 64 million are accepted. Make it smaller.")


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        (PNG, png(header(MAX_PIXELS, 1), DATA)),
        (JPEG, jpeg(frame(8000, 8000), SCAN, END)),
        (JPEG, jpeg(frame(1, 1, components=1), SCAN, SCAN, END)),
        (WEBP, webp(chunk(b"VP8 ", lossy(8000, 8000)))),
        (WEBP, webp(chunk(b"VP8L", lossless(1, 1)))),
    ],
)
def test_a_picture_of_the_maximum_size_is_accepted(content_type: str, content: bytes) -> None:
    assert clean_picture(content, content_type) == content


MOVING = [pixels(8, 8), pixels(8, 8).rotate(180)]


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        (PNG, saved(MOVING[0], "PNG", save_all=True, append_images=MOVING[1:])),
        (WEBP, saved(MOVING[0], "WEBP", save_all=True, append_images=MOVING[1:])),
        (WEBP, webp(chunk(b"VP8X", extended(8, 8, flags=2)), chunk(b"VP8 ", lossy(8, 8)))),
    ],
)
def test_an_animation_is_refused(content_type: str, content: bytes) -> None:
    assert refusal(content, content_type) == (
        "unreadable_image",
        "The picture is animated; only still pictures are accepted. Export the picture anew and upload that.",
    )


@pytest.mark.parametrize(
    "content",
    [
        png(DATA),
        png(png_chunk(b"gAMA", b"1234"), header(1, 1), DATA),
        png(header(1, 1)),
        png(header(0, 1), DATA),
        png(header(1, 0), DATA),
        png(png_chunk(b"IHDR", b"short"), DATA),
        png(header(1, 1), header(1, 1), DATA),
        png(header(1, 1), DATA, png_chunk(b"gAMA", b"1234"), DATA),
        png(header(1, 1), png_chunk(b"PLTE", bytes(3)), png_chunk(b"PLTE", bytes(3)), DATA),
        png(header(1, 1), png_chunk(b"PLTE", bytes(769)), DATA),
        png(header(1, 1), png_chunk(b"ABCD", b""), DATA),
        png(header(1, 1), DATA)[:-1] + b"\0",
        PNG_SIGNATURE + header(1, 1) + DATA + png_chunk(b"IEND", b"more"),
        PNG_SIGNATURE,
    ],
)
def test_an_invalid_png_is_refused(content: bytes) -> None:
    assert fault(content, PNG) == "unreadable_image"


def test_colour_chunks_of_a_png_are_retained_once() -> None:
    colours = [png_chunk(b"gAMA", b"1234"), png_chunk(b"pHYs", bytes(9)), png_chunk(b"tRNS", bytes(2))]

    clean = clean_picture(png(header(1, 1), *colours, *colours, DATA, png_chunk(b"a1!?", b"x")), PNG)

    assert clean == png(header(1, 1), *colours, DATA)


@pytest.mark.parametrize(
    "packed",
    [b"", b"not packed", zlib.compress(b"no profile"), zlib.compress(bytes(5_000_000)), zlib.compress(b"\0" * 200)],
)
def test_an_invalid_profile_of_a_png_is_removed(packed: bytes) -> None:
    assert clean_picture(a_png(before=png_chunk(b"iCCP", b"name\0\0" + packed)), PNG) == a_png()


@pytest.mark.parametrize(
    "content",
    [
        jpeg(END),
        jpeg(frame(1, 1), END),
        jpeg(SCAN, END),
        jpeg(frame(0, 1), SCAN, END),
        jpeg(frame(1, 0), SCAN, END),
        jpeg(frame(1, 1), frame(1, 1), SCAN, END),
        jpeg(frame(1, 1, bits=12), SCAN, END),
        jpeg(frame(1, 1, components=2), SCAN, END),
        jpeg(segment(0xC0, bytes((8, 0, 1, 0, 1, 3))), SCAN, END),
        jpeg(segment(0xC0, b""), SCAN, END),
        jpeg(segment(0xC3, bytes(15)), SCAN, END),
        jpeg(segment(0xC9, bytes(15)), SCAN, END),
        jpeg(frame(1, 1), segment(0xDC, bytes(2)), SCAN, END),
        jpeg(frame(1, 1), SCAN * 201, END),
        jpeg(frame(1, 1), SCAN, jpeg(frame(1, 1), SCAN, END)),
        jpeg(frame(1, 1), b"between", SCAN, END),
        jpeg(frame(1, 1), SCAN),
        jpeg(frame(1, 1), SCAN, b"\xff"),
        jpeg(b"\xff\xe0\0\x01"),
        jpeg(b"\xff\xe0\0"),
        jpeg(),
    ],
)
def test_an_invalid_jpeg_is_refused(content: bytes) -> None:
    assert fault(content, JPEG) == "unreadable_image"


def test_a_jpeg_may_have_fill_bytes_before_its_markers() -> None:
    filled = jpeg(b"\xff\xff", frame(1, 1), b"\xff", SCAN, END)

    assert clean_picture(filled, JPEG) == jpeg(frame(1, 1), SCAN, END)


def test_metadata_after_the_first_scan_of_a_jpeg_is_removed() -> None:
    profiled = segment(0xE2, b"ICC_PROFILE\0\x01\x01" + profile())
    turned = segment(0xE1, b"Exif\0\0" + exif())
    jfif = segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01")
    picture = jpeg(frame(1, 1), SCAN, profiled, turned, jfif, adobe, SCAN, END)

    assert clean_picture(picture, JPEG) == jpeg(frame(1, 1), SCAN, SCAN, END)


def test_the_thumbnail_of_a_jpeg_is_removed() -> None:
    start = b"JFIF\0\x01\x01\0\0\x01\0\x01"
    picture = jpeg(segment(0xE0, start + b"\x01\x02" + b"pixels"), frame(1, 1), SCAN, END)

    assert clean_picture(picture, JPEG) == jpeg(segment(0xE0, start + bytes(2)), frame(1, 1), SCAN, END)


def profile_segments(*pieces: tuple[int, int, bytes]) -> bytes:
    return b"".join(segment(0xE2, b"ICC_PROFILE\0" + bytes((number, of)) + data) for number, of, data in pieces)


def test_a_profile_in_several_segments_of_a_jpeg_is_joined() -> None:
    first, second = profile()[:200], profile()[200:]
    whole = profile_segments((1, 2, first), (2, 2, second))
    spread = jpeg(
        profile_segments((2, 2, second)),
        segment(0xFE, b"a comment"),
        profile_segments((1, 2, first), (1, 2, b"twice")),
        frame(1, 1),
        SCAN,
        END,
    )

    assert clean_picture(spread, JPEG) == jpeg(whole, frame(1, 1), SCAN, END)


@pytest.mark.parametrize(
    "pieces",
    [
        ((1, 2, profile()),),
        ((0, 1, profile()),),
        ((1, 1, profile()[:-1]),),
        ((1, 1, b"no profile"),),
        ((1, 1, profile()), (2, 1, b"more")),
        ((1, 1, len(profile()).to_bytes(4) + bytes(len(profile()) - 4)),),
    ],
)
def test_an_incomplete_profile_of_a_jpeg_is_removed(pieces: tuple[tuple[int, int, bytes], ...]) -> None:
    without = jpeg(frame(1, 1), SCAN, END)

    assert clean_picture(jpeg(profile_segments(*pieces), without[2:]), JPEG) == without
    assert clean_picture(jpeg(segment(0xE2, b"ICC_PROFILE\0"), without[2:]), JPEG) == without


@pytest.mark.parametrize(
    "content",
    [
        webp(),
        webp(chunk(b"PRVT", b"")),
        webp(chunk(b"VP8 ", lossy(0, 1))),
        webp(chunk(b"VP8 ", lossy(1, 0))),
        webp(chunk(b"VP8 ", lossy(1, 1)[:9])),
        webp(chunk(b"VP8 ", b"\x11" + lossy(1, 1)[1:])),
        webp(chunk(b"VP8 ", bytes(20))),
        webp(chunk(b"VP8L", b"")),
        webp(chunk(b"VP8L", bytes(20))),
        webp(chunk(b"VP8 ", lossy(1, 1)), chunk(b"VP8 ", lossy(1, 1))),
        webp(chunk(b"VP8 ", lossy(1, 1)), chunk(b"VP8L", lossless(1, 1))),
        webp(chunk(b"VP8X", extended(2, 1)), chunk(b"VP8 ", lossy(1, 1))),
        webp(chunk(b"VP8X", extended(1, 1)[:9]), chunk(b"VP8 ", lossy(1, 1))),
        webp(chunk(b"VP8 ", lossy(1, 1)))[:-1],
        webp(chunk(b"VP8 ", lossy(1, 1)), b"VP8"),
        b"RIFF\0\0\0\0WEBP" + chunk(b"VP8 ", lossy(1, 1)),
    ],
)
def test_an_invalid_webp_is_refused(content: bytes) -> None:
    assert fault(content, WEBP) == "unreadable_image"


def test_metadata_of_a_simple_webp_is_removed() -> None:
    picture = chunk(b"VP8 ", lossy(1, 1))

    assert clean_picture(webp(picture, chunk(b"EXIF", exif()), chunk(b"ALPH", b"x")), WEBP) == webp(picture)


@pytest.mark.parametrize("kind", [b"VP8 ", b"VP8L"])
def test_the_transparency_of_a_webp_is_retained(kind: bytes) -> None:
    picture = chunk(kind, lossy(3, 3) if kind == b"VP8 " else lossless(3, 3))
    alpha = chunk(b"ALPH", b"alpha") if kind == b"VP8 " else b""

    clean = clean_picture(
        webp(chunk(b"VP8X", extended(3, 3, flags=0x3C)), chunk(b"ALPH", b"alpha"), picture, chunk(b"XMP ", b"x")), WEBP
    )

    assert clean == webp(chunk(b"VP8X", extended(3, 3, flags=0x10)), alpha, picture)


def test_exif_of_a_webp_with_the_prefix_of_jpeg_is_recognised() -> None:
    picture = saved(pixels(), "WEBP", exif=b"Exif\0\0" + exif())

    assert b"EXIF" in clean_picture(picture, WEBP)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"XX*\0",
        b"II*\0",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x04\0\0\0\x01\0\0\0\x06",
        b"MM\0*\0\0\0\x08\0\x02\x01\x11\0\x03\0\0\0\x01\0\x06\0\0",
    ],
)
def test_invalid_exif_is_removed(broken: bytes) -> None:
    assert clean_picture(a_png(before=png_chunk(b"eXIf", broken)), PNG) == a_png()


WORST = [
    pytest.param(JPEG, lambda n: jpeg(frame(1, 1), SCAN, b"\xff\x00" * n, END), id="stuffed zeros"),
    pytest.param(JPEG, lambda n: jpeg(frame(1, 1), SCAN, b"\xff" * (2 * n), END), id="filling in a scan"),
    pytest.param(JPEG, lambda n: jpeg(b"\xff" * (2 * n), frame(1, 1), SCAN, END), id="filling before a marker"),
    pytest.param(JPEG, lambda n: jpeg(frame(1, 1), SCAN, b"\xff\xd0" * n, END), id="restarts"),
    pytest.param(PNG, lambda n: png(header(1, 1), png_chunk(b"IDAT", bytes(2 * n))), id="one chunk"),
    pytest.param(WEBP, lambda n: webp(chunk(b"VP8 ", lossy(1, 1) + bytes(2 * n))), id="one chunk"),
]


@pytest.mark.parametrize(("content_type", "made"), WORST)
def test_the_cleaning_time_is_linear_in_the_size(content_type: str, made: Callable[[int], bytes]) -> None:
    def time_of(size: int) -> float:
        content = made(size)
        before = time.process_time()
        clean_picture(content, content_type)
        return time.process_time() - before

    small = min(time_of(500_000) for _ in range(3))
    large = min(time_of(4_000_000) for _ in range(3))

    assert large < 40 * small + 0.05, "eight times the size"


PROFILE = (2 * 1024 * 1024).to_bytes(4) + bytes(32) + b"acsp" + bytes(2 * 1024 * 1024 - 40)
"""A colour profile as large as they may be, which takes long to unpack and to pack again."""

PACKED = zlib.compress(PROFILE)
EXIF = b"MM\0*\0\0\0\x08" + (5000).to_bytes(2) + b"\x01\x11\0\x03\0\0\0\x01\0\x06\0\0" * 5000

REPEATED = [
    pytest.param(PNG, lambda n: a_png(before=png_chunk(b"iCCP", b"name\0\0" + PACKED) * n), id="profiles"),
    pytest.param(PNG, lambda n: a_png(before=png_chunk(b"iCCP", b"name\0\0" + PACKED[:-4]) * n), id="no profiles"),
    pytest.param(PNG, lambda n: a_png(before=png_chunk(b"eXIf", EXIF) * n), id="Exif in PNG"),
    pytest.param(
        JPEG, lambda n: jpeg(segment(0xE1, b"Exif\0\0" + EXIF) * n, frame(1, 1), SCAN, END), id="Exif in JPEG"
    ),
    pytest.param(WEBP, lambda n: webp(chunk(b"EXIF", EXIF) * n, chunk(b"VP8 ", lossy(1, 1))), id="Exif in WebP"),
]


@pytest.mark.parametrize(("content_type", "made"), REPEATED)
def test_the_cleaning_time_does_not_depend_on_repeated_parts(content_type: str, made: Callable[[int], bytes]) -> None:
    def time_of(number: int) -> float:
        content = made(number)
        before = time.process_time()
        clean_picture(content, content_type)
        return time.process_time() - before

    one = min(time_of(1) for _ in range(3))
    hundred = min(time_of(100) for _ in range(3))

    assert hundred < 4 * one + 0.1

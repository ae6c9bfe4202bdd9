"""Pictures with marks in all the places where programs write beside the pixels, and what shows the pixels."""

import io
import struct
import warnings
from functools import cache
from typing import Any

from PIL import Image, ImageCms, ImageOps
from PIL.TiffImagePlugin import IFDRational

MARK = b"PLANTED"
"""Stands in every place where something could be told; nowhere after a picture was cleaned."""

TURNED = 6
"""The orientation of a picture that has to be turned to the right by a quarter."""


def pixels(width: int = 40, height: int = 24) -> Image.Image:
    """A picture whose quarters differ, so that turning it shows."""
    picture = Image.new("RGB", (width, height), (200, 30, 30))
    picture.paste((30, 200, 30), (width // 2, 0, width, height // 2))
    picture.paste((30, 30, 200), (0, height // 2, width // 2, height))
    return picture


def exif(orientation: int | None = TURNED, order: str = "<") -> bytes:
    """Exif as a phone writes it: where and when, by whom, with what, which side is up."""
    tags = Image.Exif()
    tags.endian = order
    tags[0x010E] = MARK.decode()
    tags[0x010F] = "A maker " + MARK.decode()
    tags[0x9286] = MARK
    if orientation is not None:
        tags[0x0112] = orientation
    place: dict[int, Any] = {
        1: "N",
        2: (IFDRational(52), IFDRational(31), IFDRational(12)),
        3: "E",
        4: (IFDRational(13), IFDRational(24), IFDRational(36)),
        27: MARK,
    }
    tags.get_ifd(0x8825).update(place)
    return tags.tobytes()


@cache
def profile() -> bytes:
    """A colour profile, the same each time although it says when it was made."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The picture as a file."""
    with io.BytesIO() as file:
        picture.save(file, kind, **options)
        return file.getvalue()


def segment(marker: int, data: bytes) -> bytes:
    """A segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a WebP."""
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def webp(*chunks: bytes) -> bytes:
    """A WebP of these chunks."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def shown(content: bytes) -> tuple[str | None, tuple[int, int], bytes, bytes | None]:
    """What somebody sees of a picture: its type, its sides and its pixels as they are turned, and its colours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what a mark stands for is malformed
        opened = Image.open(io.BytesIO(content))
    with opened as picture:
        picture.load()
        turned = ImageOps.exif_transpose(picture)
        return picture.format, turned.size, turned.convert("RGBA").tobytes(), picture.info.get("icc_profile")

"""Generation of images with metadata everywhere, and reading of their visible content."""

import io
import struct
import warnings
from functools import cache
from typing import Any

from PIL import Image, ImageCms, ImageOps
from PIL.TiffImagePlugin import IFDRational

MARK = b"PLANTED"
"""Text in all metadata of an image; a cleaned image does not contain it."""

TURNED = 6
"""The EXIF orientation for a rotation by 90 degrees to the right."""


def pixels(width: int = 40, height: int = 24) -> Image.Image:
    """Return an image with four different quarters, so that a rotation is visible."""
    picture = Image.new("RGB", (width, height), (200, 30, 30))
    picture.paste((30, 200, 30), (width // 2, 0, width, height // 2))
    picture.paste((30, 30, 200), (0, height // 2, width // 2, height))
    return picture


def exif(orientation: int | None = TURNED, order: str = "<") -> bytes:
    """Return EXIF data as a phone writes it: place, time, author, device, orientation."""
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
    """Return a colour profile with a fixed creation date."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the image as a file."""
    with io.BytesIO() as file:
        picture.save(file, kind, **options)
        return file.getvalue()


def segment(marker: int, data: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a WebP."""
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def webp(*chunks: bytes) -> bytes:
    """Return a WebP of these chunks."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def shown(content: bytes) -> tuple[str | None, tuple[int, int], bytes, bytes | None]:
    """Return the visible content of an image: type, size, pixels after rotation, and colour profile."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what a mark stands for is malformed
        opened = Image.open(io.BytesIO(content))
    with opened as picture:
        picture.load()
        turned = ImageOps.exif_transpose(picture)
        return picture.format, turned.size, turned.convert("RGBA").tobytes(), picture.info.get("icc_profile")

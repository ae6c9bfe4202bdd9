"""Detection of files that look like a picture but contain neither pixels nor metadata."""

import re
from collections.abc import Mapping

# The markers of data that cameras and programs write beside pixels: Exif, XMP, texts of PNG, Photoshop resources.
_METADATA = re.compile(rb"exif|xmp|[itz]txt|text|ns\.adobe\.com|photoshop", re.IGNORECASE)

_PIXELS: Mapping[str, re.Pattern[bytes]] = {
    # The header of a frame: its length, bits, sides and number of components (ITU-T T.81, B.2.2).
    "image/jpeg": re.compile(
        rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf]\x00[\x0b\x0e\x11\x14][\x08\x0c\x10].{4}[\x01-\x04]", re.DOTALL
    ),
    "image/png": re.compile(rb"IDAT|fdAT"),
    # The start of a key frame (RFC 6386, 9.1), and of a lossless picture (RFC 9649, 3.4).
    "image/webp": re.compile(rb"\x9d\x01\x2a|VP8L.{4}\x2f", re.DOTALL),
}


def has_no_picture_data(content: bytes, content_type: str) -> bool:
    """Return whether a file that is no picture has neither pixels nor metadata that a lenient reader might find."""
    return not _PIXELS[content_type].search(content) and not _METADATA.search(content)

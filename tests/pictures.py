"""Small valid PNG images for uploads, with nothing but pixels."""

import zlib

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG chunk with its length and checksum."""
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


def a_png(width: int = 4, height: int = 3, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """Return a grey image of this size, with additional chunks before and after its pixels."""
    header = png_chunk(b"IHDR", width.to_bytes(4) + height.to_bytes(4) + bytes((8, 0, 0, 0, 0)))
    pixels = png_chunk(b"IDAT", zlib.compress((b"\0" + b"\x7f" * width) * height))
    return PNG_SIGNATURE + header + before + pixels + after + png_chunk(b"IEND", b"")


PNG = a_png()

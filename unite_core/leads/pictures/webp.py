"""Cleaning of WebP pictures (RFC 9649): a RIFF file of chunks, one of which is the picture."""

from collections.abc import Iterator

from unite_core.leads.pictures.orientation import only_orientation
from unite_core.leads.pictures.rules import (
    MAX_PARTS,
    InvalidPicture,
    check_pixels,
    is_profile,
    too_many_parts,
    truncated,
    unreadable,
)

_HEADER_BYTES = 12
_LOSSY = b"VP8 "
_LOSSLESS = b"VP8L"
_EXTENDED = b"VP8X"
_PROFILE = b"ICCP"
_ALPHA = b"ALPH"
_EXIF = b"EXIF"
_ANIMATION = (b"ANIM", b"ANMF")

_WITH_PROFILE = 0x20
_WITH_ALPHA = 0x10
_WITH_EXIF = 0x08
_ANIMATED = 0x02

_EXTENDED_BYTES = 10
_LOSSY_START = b"\x9d\x01\x2a"
_LOSSLESS_START = 0x2F
_SIDE_BITS = 14
_SIDE = (1 << _SIDE_BITS) - 1


def clean(content: bytes) -> bytes:
    """Return the picture without the chunks that are not needed to display it; raise `InvalidPicture`."""
    chunks: dict[bytes, bytes] = {}
    for kind, data in _chunks(content):
        if kind in _ANIMATION:
            raise _animated()
        if kind in (_LOSSY, _LOSSLESS) and not chunks.keys().isdisjoint((_LOSSY, _LOSSLESS)):
            raise unreadable("The file holds a second picture.")
        chunks.setdefault(kind, data)
    picture = next((kind for kind in (_LOSSY, _LOSSLESS) if kind in chunks), None)
    if picture is None:
        raise unreadable("The picture has no pixels.")
    sides = _lossy_sides(chunks[picture]) if picture == _LOSSY else _lossless_sides(chunks[picture])
    check_pixels(*sides)
    retained = _extended(chunks, picture, sides) if _EXTENDED in chunks else [(picture, chunks[picture])]
    body = b"".join(_chunk(kind, data) for kind, data in retained)
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of the file; raise `InvalidPicture` if one is incomplete."""
    end = 8 + int.from_bytes(content[4:8], "little")
    if end > len(content):
        raise truncated()
    place = _HEADER_BYTES
    for _ in range(MAX_PARTS):
        if place >= end:
            return
        length = int.from_bytes(content[place + 4 : place + 8], "little")
        if place + 8 + length > end:
            raise truncated()
        yield content[place : place + 4], content[place + 8 : place + 8 + length]
        place += 8 + length + length % 2
    raise too_many_parts()


def _lossy_sides(data: bytes) -> tuple[int, int]:
    """Return width and height of a key frame (RFC 6386, 9.1)."""
    if len(data) < 10 or data[0] & 1 or data[3:6] != _LOSSY_START:
        raise unreadable("The picture's header is damaged.")
    return int.from_bytes(data[6:8], "little") & _SIDE, int.from_bytes(data[8:10], "little") & _SIDE


def _lossless_sides(data: bytes) -> tuple[int, int]:
    """Return width and height of a lossless picture (RFC 9649, 3.4)."""
    if len(data) < 5 or data[0] != _LOSSLESS_START:
        raise unreadable("The picture's header is damaged.")
    bits = int.from_bytes(data[1:5], "little")
    return (bits & _SIDE) + 1, (bits >> _SIDE_BITS & _SIDE) + 1


def _extended(chunks: dict[bytes, bytes], picture: bytes, sides: tuple[int, int]) -> list[tuple[bytes, bytes]]:
    """Return the retained chunks of a file with an extended header, in the order of the standard (RFC 9649, 2.7)."""
    header = chunks[_EXTENDED]
    if len(header) != _EXTENDED_BYTES or sides != _canvas(header):
        raise unreadable("The picture's header is damaged.")
    if header[0] & _ANIMATED:
        raise _animated()
    flags = 0
    before: list[tuple[bytes, bytes]] = []
    after: list[tuple[bytes, bytes]] = []
    if is_profile(chunks.get(_PROFILE, b"")):
        flags |= _WITH_PROFILE
        before.append((_PROFILE, chunks[_PROFILE]))
    flags |= header[0] & _WITH_ALPHA
    if _ALPHA in chunks and picture == _LOSSY:
        flags |= _WITH_ALPHA
        before.append((_ALPHA, chunks[_ALPHA]))
    # Some programs write the name of the JPEG segment in front.
    orientation = only_orientation(chunks.get(_EXIF, b"").removeprefix(b"Exif\x00\x00"))
    if orientation is not None:
        flags |= _WITH_EXIF
        after.append((_EXIF, orientation))
    extended = bytes((flags, 0, 0, 0)) + header[4:]
    return [(_EXTENDED, extended), *before, (picture, chunks[picture]), *after]


def _canvas(header: bytes) -> tuple[int, int]:
    return int.from_bytes(header[4:7], "little") + 1, int.from_bytes(header[7:10], "little") + 1


def _animated() -> InvalidPicture:
    return unreadable("The picture is animated; only still pictures are accepted.")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return b"".join((kind, len(data).to_bytes(4, "little"), data, bytes(len(data) % 2)))

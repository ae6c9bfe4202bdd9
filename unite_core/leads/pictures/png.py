"""Cleaning of PNG pictures (W3C, Portable Network Graphics, third edition): a signature, then chunks."""

import zlib
from collections import Counter
from collections.abc import Iterator

from unite_core.leads.pictures.orientation import only_orientation
from unite_core.leads.pictures.rules import (
    MAX_LOOKS,
    MAX_PARTS,
    MAX_PROFILE_BYTES,
    check_pixels,
    is_profile,
    too_many_parts,
    truncated,
    unreadable,
)

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_HEADER = b"IHDR"
_DATA = b"IDAT"
_END = b"IEND"
_PALETTE = b"PLTE"
_PROFILE = b"iCCP"
_EXIF = b"eXIf"
_ANIMATION = (b"acTL", b"fcTL", b"fdAT")

_HEADER_BYTES = 13
_CRITICAL = {_PALETTE: 256 * 3, _DATA: 2**31 - 1, _END: 0}
"""The chunks that are needed to display anything, and their maximum lengths; the header has a fixed length."""

_MAX_BYTES_OF_RETAINED = {
    b"tRNS": 256,
    b"gAMA": 4,
    b"cHRM": 32,
    b"sRGB": 1,
    b"sBIT": 4,
    b"bKGD": 6,
    b"pHYs": 9,
    b"hIST": 512,
    b"cICP": 4,
    b"mDCV": 24,
    b"cLLI": 8,
}
"""The chunks that describe the colours of the pixels, and their maximum lengths. All other chunks are removed."""


def clean(content: bytes) -> bytes:
    """Return the picture without the chunks that are not needed to display it; raise `InvalidPicture`."""
    parts = [SIGNATURE]
    seen: set[bytes] = set()
    looks: Counter[bytes] = Counter()
    last = b""
    for kind, data in _chunks(content):
        if not seen and kind != _HEADER:
            raise unreadable("The picture does not begin with its header.")
        is_optional = kind[:1].islower()
        looks[kind] += 1
        if is_optional and (kind in seen or looks[kind] > MAX_LOOKS):
            continue
        retained = _retained(kind, data)
        if retained is None:
            continue
        if kind in seen and (kind != _DATA or last != _DATA):
            raise unreadable(f"The picture has a second {kind.decode()}.")
        seen.add(kind)
        last = kind
        parts.append(_chunk(kind, retained))
    if _DATA not in seen:
        raise unreadable("The picture has no pixels.")
    return b"".join(parts)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks up to the one that ends the picture; raise `InvalidPicture` if one is damaged."""
    place = len(SIGNATURE)
    for _ in range(MAX_PARTS):
        length, kind = int.from_bytes(content[place : place + 4]), content[place + 4 : place + 8]
        end = place + 12 + length
        if end > len(content):
            raise truncated()
        data = content[place + 8 : end - 4]
        if zlib.crc32(data, zlib.crc32(kind)) != int.from_bytes(content[end - 4 : end]):
            raise unreadable("A part of the picture is damaged.")
        yield kind, data
        if kind == _END:
            return
        place = end
    raise too_many_parts()


def _retained(kind: bytes, data: bytes) -> bytes | None:
    """Return the part of a chunk that is retained; None if it is removed."""
    if kind in _ANIMATION:
        raise unreadable("The picture is animated; only still pictures are accepted.")
    if kind == _HEADER:
        _check_header(data)
    elif kind == _PROFILE:
        return _profile(data)
    elif kind == _EXIF:
        return only_orientation(data)
    elif kind[:1].islower() or not kind.isalpha():
        return data if len(data) <= _MAX_BYTES_OF_RETAINED.get(kind, -1) else None
    elif kind not in _CRITICAL or len(data) > _CRITICAL[kind]:
        raise unreadable("The picture has a part that no standard describes.")
    return data


def _check_header(data: bytes) -> None:
    if len(data) != _HEADER_BYTES:
        raise unreadable("The picture's header is damaged.")
    check_pixels(int.from_bytes(data[:4]), int.from_bytes(data[4:8]))


def _profile(data: bytes) -> bytes | None:
    """Return the colour profile under a fixed name; None if it is invalid."""
    _, _, packed = data.partition(b"\x00")
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(packed[1:], MAX_PROFILE_BYTES + 1)
    except zlib.error:
        return None
    if not is_profile(profile):
        return None
    return b"ICC Profile\x00\x00" + zlib.compress(profile)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return b"".join((len(data).to_bytes(4), kind, data, zlib.crc32(data, zlib.crc32(kind)).to_bytes(4)))

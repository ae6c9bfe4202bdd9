"""Exif orientation: the one value of Exif that is retained, because without it pictures are displayed rotated."""

from typing import Literal

_UPRIGHT = 1
_LAST = 8
_TAG = 0x0112
_SHORT = 3
_HEADER_BYTES = 8
_ENTRY_BYTES = 12


def only_orientation(exif: bytes) -> bytes | None:
    """Return Exif with only the orientation of this Exif; None if it has none, or the picture is upright.

    Exif is a TIFF file without pixels (CIPA DC-008-2023, 4.6.5): the orientation is an entry of its first directory.
    """
    orientation = _orientation(exif)
    if orientation is None or not _UPRIGHT < orientation <= _LAST:
        return None
    entry = _number(_TAG, 2) + _number(_SHORT, 2) + _number(1, 4) + _number(orientation, 2) + bytes(2)
    return b"MM\x00*" + _number(_HEADER_BYTES, 4) + _number(1, 2) + entry + bytes(4)


def _orientation(exif: bytes) -> int | None:
    order: Literal["little", "big"]
    if exif[:4] == b"II*\x00":
        order = "little"
    elif exif[:4] == b"MM\x00*":
        order = "big"
    else:
        return None
    directory = int.from_bytes(exif[4:_HEADER_BYTES], order)
    entries = int.from_bytes(exif[directory : directory + 2], order)
    first = directory + 2
    for place in range(first, min(first + entries * _ENTRY_BYTES, len(exif) - _ENTRY_BYTES + 1), _ENTRY_BYTES):
        entry = exif[place : place + _ENTRY_BYTES]
        tag, kind = int.from_bytes(entry[:2], order), int.from_bytes(entry[2:4], order)
        if tag == _TAG:
            return int.from_bytes(entry[8:10], order) if kind == _SHORT else None
    return None


def _number(value: int, length: int) -> bytes:
    return value.to_bytes(length)

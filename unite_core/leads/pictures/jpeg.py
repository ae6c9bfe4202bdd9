"""Cleaning of JPEG pictures (ITU-T T.81, Annex B): segments with markers, and scans of compressed pixels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from unite_core.leads.pictures.orientation import only_orientation
from unite_core.leads.pictures.rules import (
    MAX_LOOKS,
    MAX_PARTS,
    check_pixels,
    is_profile,
    too_many_parts,
    truncated,
    unreadable,
)

_START = b"\xff\xd8"
_END = 0xD9
_SCAN = 0xDA
_FRAMES = (0xC0, 0xC1, 0xC2)
"""Baseline, extended and progressive pictures: those that browsers display."""

_TABLES = (0xC4, 0xDB, 0xDD)
"""Huffman tables, quantization tables and the restart interval, which are needed to decode the pixels."""

_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_APPLICATIONS = range(0xE0, 0xF0)
_COMMENT = 0xFE

_JFIF = b"JFIF\x00"
_JFIF_BYTES = 12
_EXIF = b"Exif\x00\x00"
_PROFILE = b"ICC_PROFILE\x00"
_ADOBE = b"Adobe"
_ADOBE_BYTES = 12
_LENGTH_BYTES = 2
_BITS_PER_SAMPLE = 8
_COMPONENTS = (1, 3, 4)
MAX_SCANS = 200
"""The maximum number of scans of a progressive picture; encoders make ten. A viewer decodes the picture for each."""

# Any number of 0xFF may stand before a marker.
_MARKER = re.compile(rb"\xff+[^\xff]", re.DOTALL)

# Within a scan 0xFF is followed by a zero, by the number of a restart, or by further 0xFF.
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


@dataclass
class _Picture:
    """The retained parts of a picture, as far as it has been read."""

    parts: list[bytes | memoryview] = field(default_factory=lambda: [_START])
    frames: int = 0
    scans: int = 0
    retained: set[int] = field(default_factory=set)
    profile: dict[int, bytes] = field(default_factory=dict)
    profile_at: int = 0
    profile_segments: int = 0
    looks: int = 0

    def retain(self, marker: int, data: bytes) -> None:
        self.parts.append(_segment(marker, data))

    def retain_once(self, marker: int, data: bytes | None) -> None:
        """Retain the first segment of its kind, and none that comes after pixels."""
        if data is not None and marker not in self.retained and not self.scans:
            self.retained.add(marker)
            self.retain(marker, data)


def clean(content: bytes) -> bytes:
    """Return the picture without the segments that are not needed to display it; raise `InvalidPicture`."""
    picture = _Picture()
    place = len(_START)
    for _ in range(MAX_PARTS):
        marker, place = _marker(content, place)
        if marker == _END:
            return _finished(picture)
        length = int.from_bytes(content[place : place + 2])
        end = place + length
        if length < _LENGTH_BYTES or end > len(content):
            raise truncated()
        _process_segment(picture, marker, content[place + 2 : end])
        place = end
        if marker == _SCAN:
            following = _MARKER_AFTER_SCAN.search(content, place)
            if following is None:
                raise truncated()
            picture.parts.append(memoryview(content)[place : following.start()])
            place = following.start()
    raise too_many_parts()


def _marker(content: bytes, place: int) -> tuple[int, int]:
    """Return the marker at this place, and where its data begins."""
    match = _MARKER.match(content, place)
    if match is None:
        if content[place:].strip(b"\xff"):
            raise unreadable("The picture has something between its parts.")
        raise truncated()
    return content[match.end() - 1], match.end()


def _process_segment(picture: _Picture, marker: int, data: bytes) -> None:
    """Retain the part of a segment that is needed, if any."""
    if marker == _SCAN:
        picture.scans += 1
        if not picture.frames or picture.scans > MAX_SCANS:
            raise unreadable("The picture's pixels are not where they belong.")
        picture.retain(marker, data)
    elif marker in _FRAMES:
        picture.frames += 1
        _check_frame(picture, data)
        picture.retain(marker, data)
    elif marker in _TABLES:
        picture.retain(marker, data)
    elif marker in _APPLICATIONS:
        _process_application_segment(picture, marker, data)
    elif marker != _COMMENT:
        raise unreadable("The picture has a part that is not supported.")


def _check_frame(picture: _Picture, data: bytes) -> None:
    if picture.frames > 1:
        raise unreadable("The picture has a second header.")
    if len(data) < _COMPONENTS[0] + 5 or data[0] != _BITS_PER_SAMPLE or data[5] not in _COMPONENTS:
        raise unreadable("The picture's header is not supported.")
    check_pixels(width=int.from_bytes(data[3:5]), height=int.from_bytes(data[1:3]))
    if len(data) != 6 + 3 * data[5]:
        raise unreadable("The picture's header is damaged.")


def _process_application_segment(picture: _Picture, marker: int, data: bytes) -> None:
    """Retain the colour information and the orientation, but nothing else that programs wrote."""
    if marker == _APP0 and data.startswith(_JFIF) and len(data) >= _JFIF_BYTES:
        picture.retain_once(marker, data[:_JFIF_BYTES] + bytes(2))  # without its preview
    elif marker == _APP1 and data.startswith(_EXIF) and picture.looks < MAX_LOOKS:
        picture.looks += 1
        orientation = only_orientation(data.removeprefix(_EXIF))
        picture.retain_once(marker, None if orientation is None else _EXIF + orientation)
    elif marker == _APP2 and data.startswith(_PROFILE) and not picture.scans:
        number, total, *_ = (*data[len(_PROFILE) : len(_PROFILE) + 2], 0, 0)
        picture.profile_at = picture.profile_at or len(picture.parts)
        picture.profile_segments = total
        picture.profile.setdefault(number, data[len(_PROFILE) + 2 :])
    elif marker == _APP14 and data.startswith(_ADOBE) and len(data) >= _ADOBE_BYTES:
        picture.retain_once(marker, data[:_ADOBE_BYTES])


def _finished(picture: _Picture) -> bytes:
    if not picture.scans:
        raise unreadable("The picture has no pixels.")
    picture.parts[picture.profile_at : picture.profile_at] = _profile(picture)
    return b"".join((*picture.parts, bytes((0xFF, _END))))


def _profile(picture: _Picture) -> Sequence[bytes]:
    """Return the segments of the colour profile (ICC.1:2022, B.4); none if it is incomplete."""
    numbers = range(1, picture.profile_segments + 1)
    if set(picture.profile) != {*numbers} or not is_profile(b"".join(picture.profile[number] for number in numbers)):
        return ()
    return [_segment(_APP2, _PROFILE + bytes((number, len(numbers))) + picture.profile[number]) for number in numbers]


def _segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(data) + 2).to_bytes(2) + data

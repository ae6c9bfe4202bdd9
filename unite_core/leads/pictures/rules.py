"""Limits and errors that all picture formats share."""

MAX_PIXELS = 64_000_000
"""The maximum number of pixels: a viewer needs four bytes of memory for each, however small the file is.

Telephone cameras that are called 50 megapixels make up to 8192 x 6144.
"""

TOO_MANY_PIXELS = "too_many_pixels"

MAX_PARTS = 20_000
"""The maximum number of chunks or segments of a picture. An encoder makes one for each 8 KiB, or fewer."""

MAX_LOOKS = 8
"""How many parts of one kind are examined for one to retain, so that thousands cost no more than a few."""

MAX_PROFILE_BYTES = 2 * 1024 * 1024
"""The maximum size of a colour profile, unpacked."""

_PROFILE_HEADER_BYTES = 128


class InvalidPicture(Exception):
    """A picture that is refused. `code` says which rule it breaks, `detail` what is wrong with it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


def unreadable(detail: str) -> InvalidPicture:
    """Return the error for a picture whose form is wrong."""
    return InvalidPicture("unreadable_image", f"{detail} Export the picture anew and upload that.")


def truncated() -> InvalidPicture:
    """Return the error for a truncated picture."""
    return unreadable("The picture is truncated.")


def too_many_parts() -> InvalidPicture:
    """Return the error for a picture of too many parts."""
    return unreadable(f"The picture has more than {MAX_PARTS} parts.")


def check_pixels(width: int, height: int) -> None:
    """Raise `InvalidPicture` unless a picture of this size has at least one pixel, and not more than `MAX_PIXELS`."""
    if width < 1 or height < 1:
        raise unreadable("The picture says that it has no pixels.")
    if width * height > MAX_PIXELS:
        raise InvalidPicture(
            TOO_MANY_PIXELS,
            f"The picture has {width} x {height} pixels; at most {MAX_PIXELS // 1_000_000} million are accepted. "
            "Make it smaller.",
        )


def is_profile(profile: bytes) -> bool:
    """Return whether the bytes begin like a colour profile and have the length that it states (ICC.1:2022, 7.2)."""
    return (
        _PROFILE_HEADER_BYTES <= len(profile) <= MAX_PROFILE_BYTES
        and int.from_bytes(profile[:4]) == len(profile)
        and profile[36:40] == b"acsp"
    )

"""What holds for pictures of all types."""

MAX_PIXELS = 64_000_000
"""The most pixels of a picture: what shows it takes four bytes of memory for each, however small its file is.

The cameras of telephones that are called 50 megapixels make up to 8192 x 6144.
"""

TOO_MANY_PIXELS = "too_many_pixels"

MAX_PARTS = 20_000
"""The most chunks or segments of a picture. An encoder makes one for each 8 KiB, or fewer."""

MAX_LOOKS = 8
"""How many parts of one kind are looked at for one that can be kept, so that thousands cost no more than a few."""

MAX_PROFILE_BYTES = 2 * 1024 * 1024
"""The most bytes of a colour profile, unpacked."""

_PROFILE_HEADER_BYTES = 128


class InvalidPicture(Exception):
    """A picture that is not stored. `code` says which rule it breaks, `detail` what is wrong with it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def unreadable(detail: str) -> InvalidPicture:
    """Say what is wrong with the form of a picture."""
    return InvalidPicture("unreadable_image", f"{detail} Export the picture anew and upload that.")


def truncated() -> InvalidPicture:
    """Say that a picture ends before its end."""
    return unreadable("The picture breaks off before its end.")


def too_many_parts() -> InvalidPicture:
    """Say that a picture is cut into too many pieces."""
    return unreadable(f"The picture has more than {MAX_PARTS} parts.")


def check_pixels(width: int, height: int) -> None:
    """Raise `InvalidPicture` unless a picture of these sides has at least one pixel, and not more than `MAX_PIXELS`."""
    if width < 1 or height < 1:
        raise unreadable("The picture says that it has no pixels.")
    if width * height > MAX_PIXELS:
        raise InvalidPicture(
            TOO_MANY_PIXELS,
            f"The picture has {width} x {height} pixels; {MAX_PIXELS // 1_000_000} million are taken. Make it smaller.",
        )


def is_profile(profile: bytes) -> bool:
    """Whether the bytes begin as a colour profile does and are as many as it says (ICC.1:2022, 7.2)."""
    return (
        _PROFILE_HEADER_BYTES <= len(profile) <= MAX_PROFILE_BYTES
        and int.from_bytes(profile[:4]) == len(profile)
        and profile[36:40] == b"acsp"
    )

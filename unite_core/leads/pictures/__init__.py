"""Cleaning of pictures: remove everything but the pixels, and limit their number."""

from collections.abc import Callable, Mapping

from unite_core.leads.pictures import jpeg, png, webp
from unite_core.leads.pictures.empty_files import has_no_picture_data
from unite_core.leads.pictures.rules import MAX_PIXELS, TOO_MANY_PIXELS, InvalidPicture

__all__ = ["MAX_PIXELS", "InvalidPicture", "clean_picture"]

_CLEANERS: Mapping[str, Callable[[bytes], bytes]] = {
    "image/jpeg": jpeg.clean,
    "image/png": png.clean,
    "image/webp": webp.clean,
}


def clean_picture(content: bytes, content_type: str) -> bytes:
    """Return the picture with nothing in it but pixels, colours and orientation.

    Everything else that a camera or a program wrote is removed: where, when, by whom and with what the picture was
    taken, comments, previews, further pictures, and whatever follows the end of the picture. The pixels are neither
    decoded nor changed. A picture that is clean already is returned unchanged. So is a file that begins like its type
    but contains neither pixels nor metadata.

    `content_type` is the one that the first bytes indicate. Raise `InvalidPicture` with the code `unreadable_image` if
    the picture is truncated, does not have the form that its standard describes, or is animated; and with
    `too_many_pixels` if its header declares more than `MAX_PIXELS`.
    """
    try:
        return _CLEANERS[content_type](content)
    except InvalidPicture as refused:
        if refused.code == TOO_MANY_PIXELS or not has_no_picture_data(content, content_type):
            raise
        return content

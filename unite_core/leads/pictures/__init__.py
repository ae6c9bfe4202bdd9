"""Removes from a picture what is not its pixels, and bounds how many of these there are."""

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
    """Return the picture with nothing in it but pixels, colours and which side is up.

    What a camera or a program wrote beside them is left out: where, when, by whom and with what the picture was taken,
    comments, previews, further pictures, and whatever follows the end of the picture. The pixels are neither decoded
    nor changed. A picture that is clean already comes back as it is. So does a file that begins as its type does and in
    which nobody finds anything, neither pixels nor metadata.

    `content_type` is that which the first bytes tell. Raises `InvalidPicture` with the code `unreadable_image` where
    the picture breaks off, is not of the form that its standard describes, or moves; and with `too_many_pixels` where
    it says that it has more than `MAX_PIXELS`.
    """
    try:
        return _CLEANERS[content_type](content)
    except InvalidPicture as refused:
        if refused.code == TOO_MANY_PIXELS or not has_no_picture_data(content, content_type):
            raise
        return content

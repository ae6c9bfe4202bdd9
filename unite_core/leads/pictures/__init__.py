"""Removes from a picture what is not its pixels, and bounds how many of these there are."""

from collections.abc import Callable, Mapping

from unite_core.leads.pictures import jpeg, png, webp
from unite_core.leads.pictures.rules import MAX_PIXELS, PictureRefused

__all__ = ["MAX_PIXELS", "PictureRefused", "cleaned_picture"]

_HEADERS: Mapping[str, Callable[[bytes], bool]] = {
    "image/jpeg": jpeg.has_header,
    "image/png": png.has_header,
    "image/webp": webp.has_header,
}
_CLEANERS: Mapping[str, Callable[[bytes], bytes]] = {
    "image/jpeg": jpeg.cleaned,
    "image/png": png.cleaned,
    "image/webp": webp.cleaned,
}


def cleaned_picture(content: bytes, content_type: str) -> bytes:
    """Return the picture with nothing in it but pixels, colours and which side is up.

    What a camera or a program wrote beside them is left out: where, when, by whom and with what the picture was taken,
    comments, previews, further pictures, and whatever follows the end of the picture. The pixels are neither decoded
    nor changed. A picture that is clean already comes back as it is. So does a file that has the first bytes of its
    type and no header after them: no reader finds anything in it, neither pixels nor what was written beside them.

    `content_type` is that which the first bytes tell. Raises `PictureRefused` with the code `unreadable_image` where
    the picture breaks off, is not of the form that its standard describes, or moves; and with `too_many_pixels` where
    it says that it has more than `MAX_PIXELS`.
    """
    return _CLEANERS[content_type](content) if _HEADERS[content_type](content) else content

"""Schema and JSON of instructions for uploading a file directly to storage."""

from typing import Any

from entrypoints.http.framework.fields import Body, Text, TextMap
from unite_core.files import Upload


class UploadSchema(Body):
    """Instructions for sending the bytes to storage.

    With PUT the bytes are the body, sent with `headers`; with POST they are the field `file` after `fields` in a
    form (RFC 7578).
    """

    url = Text(required=True)
    method = Text(required=True, metadata={"enum": ["PUT", "POST"]})
    headers = TextMap(required=True)
    fields = TextMap(required=True)  # type: ignore[assignment]  # Schema.fields is made per instance, this is a field's name


def upload_json(upload: Upload) -> dict[str, Any]:
    """Return the members `upload`, as in `UploadSchema`, and `expires_at`, the time until which it works."""
    instructions = {"url": upload.url, "method": upload.method, "headers": upload.headers, "fields": upload.fields}
    return {"upload": instructions, "expires_at": upload.expires_at}

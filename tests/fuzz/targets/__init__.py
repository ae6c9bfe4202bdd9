"""All fuzz targets by name."""

from tests.fuzz.target import Target
from tests.fuzz.targets import (
    access_token,
    condition,
    csv_file,
    cursor,
    email,
    filename,
    json_body,
    json_text,
    multipart_form,
    phone,
    query,
    signed_link,
    webhook_form,
)

TARGETS: dict[str, Target] = {
    module.target.name: module.target
    for module in (
        csv_file,
        phone,
        email,
        cursor,
        multipart_form,
        json_text,
        json_body,
        webhook_form,
        filename,
        condition,
        query,
        signed_link,
        access_token,
    )
}

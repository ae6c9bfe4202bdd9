"""Fuzz target for filenames: in JSON, in upload forms, and in Content-Disposition of downloads."""

import io
from collections.abc import Iterator

from werkzeug.http import parse_options_header

from tests.fuzz.service import fuzzed_service
from tests.fuzz.target import Target

_FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def check(data: bytes) -> None:
    service = fuzzed_service()
    manager = service.people[0]
    name = data.decode("utf-8", "replace")
    announced = service.ask(manager, "POST", "/v1/lead-imports", json={"filename": name, "size": 1})
    assert announced.status_code in (201, 422), announced.status_code
    image = {"content_type": "image/png", "size": 1, "filename": name}
    assert service.ask(manager, "POST", service.path("/v1/leads/<uuid:lead_id>/images"), json=image).status_code in (
        201,
        422,
    )
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename=' + data.replace(b"\n", b"")
    body = io.BytesIO(head + b"\r\n\r\nName,Email\r\n--b--\r\n")
    uploaded = service.ask(manager, "POST", "/v1/lead-imports/file", input_stream=body, headers=_FORM)
    assert uploaded.status_code in (202, 400, 413, 422), uploaded.status_code
    for answer in (announced, uploaded):
        if answer.status_code in (201, 202):
            stored = answer.get_json()["filename"]
            assert stored == stored.strip()
            assert 0 < len(stored) <= 255
    if uploaded.status_code == 202:
        assert not set(uploaded.get_json()["filename"]) & {"/", "\\"}
    assert parse_options_header(head[:200].decode("latin-1"))


def _seeds() -> Iterator[bytes]:
    yield from (
        b"leads.csv",
        b'"leads.csv"',
        b"../../etc/passwd",
        b'"C:\\a.csv"',
        "عملاء 🎉.csv".encode(),
        b'""',
    )
    yield from (b"x; filename*=UTF-8''a%20b.csv", b"a.csv; filename=b.csv", b"/" * 300, b"\\" * 300, b"a" * 300)


target = Target(
    name="filename",
    check=check,
    seeds=_seeds,
    tokens=(
        *(
            b"/",
            b"\\",
            b"..",
            b".",
            b".csv",
            b'"',
            b"'",
            b";",
            b"; filename=",
            b"; filename*=",
            b"UTF-8''",
            b"%00",
            b"%2F",
        ),
        *(
            b"a",
            b" ",
            b"\t",
            b"\r",
            b"\0",
            b"\xff",
            b"\xc3\xa9",
            b"\xcc\x81",
            b"\xcc\xa3",
            b"\xe2\x80\xae",
            b"\xe2\x80\xa8",
        ),
        *(
            b"%2F",
            b"\xe2\x80\xa8",
            b"CON",
            b"~",
            b"$",
            b"\xe2\x80\x8b",
            b"\xed\xa0\x80",
            b"x" * 100,
            b"%",
            b"=",
            b"\x7f",
            b"C:",
        ),
    ),
    max_length=1024,
)

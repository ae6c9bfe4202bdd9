"""Signed links: what they permit, and what becomes of one that somebody altered."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from adapters.local.files import LocalFiles
from entrypoints.http.app import create_app
from entrypoints.http.door import Door
from entrypoints.http.downloads import Downloads
from tests.core.leads.pictures.making import MARK
from tests.core.leads.pictures.test_cleaning import PHOTOGRAPHS
from tests.http.imports.floor import IMPORTS, PUBLIC_URL, TWO_LEADS, Floor, json_of, path_of
from tests.pictures import PNG
from unite_core.testing.in_memory import FixedClock, in_memory_unite

HOUR = timedelta(hours=1)
KEY = "imports/0190a6f0-5c1e-7b3a-9f24-6d2f8f0c1a77.csv"
CONTENT = b"Name,Phone\n"


@pytest.fixture(params=["in memory", "on disk"])
def floor(request: pytest.FixtureRequest, tmp_path: Path) -> Floor:
    clock = FixedClock()
    if request.param == "in memory":
        return Floor(clock=clock)
    files = LocalFiles(tmp_path, public_url=PUBLIC_URL, secrets_by_kid={"a": b"s" * 32}, clock=clock)
    return Floor(files=files, clock=clock)


def upload_link(floor: Floor, key: str = KEY, size: int = len(CONTENT)) -> str:
    return path_of(floor.files.sign_upload(key, content_type="text/csv", size=size, lifetime=HOUR).url)


def download_link(floor: Floor, key: str = KEY, filename: str = "leads.csv") -> str:
    link = floor.files.sign_download(key, filename=filename, content_type="text/csv", lifetime=HOUR)
    return path_of(link.url)


def put(floor: Floor, link: str, content: bytes = CONTENT, content_type: str | None = "text/csv") -> Any:
    return floor.client.put(link, data=content, content_type=content_type)


def fetch(floor: Floor, link: str) -> Any:
    with floor.client.get(link) as fetched:
        fetched.get_data()
    return fetched


def store(floor: Floor, content: bytes = CONTENT, key: str = KEY) -> None:
    with floor.files.write(key, content_type="text/csv") as target:
        target.write(content)


def stored(floor: Floor, key: str = KEY) -> bytes:
    with floor.files.read(key) as stream:
        content: bytes = stream.read()
    return content


def altered(link: str, alter: Callable[[str, str], str]) -> list[str]:
    """The link once for each of its parameters, that one altered."""
    parts = urlsplit(link)
    query = parse_qsl(parts.query)
    return [
        f"{parts.path}?{urlencode([(name, alter(name, value) if name == which else value) for name, value in query])}"
        for which, _ in query
    ]


def test_a_file_is_sent_by_a_link_without_a_token(floor: Floor) -> None:
    sent = put(floor, upload_link(floor))

    assert (sent.status_code, sent.data) == (204, b"")
    assert stored(floor) == CONTENT


def test_a_file_is_fetched_by_a_link_without_a_token(floor: Floor) -> None:
    store(floor)

    fetched = fetch(floor, download_link(floor))

    assert (fetched.status_code, fetched.data) == (200, CONTENT)
    assert fetched.headers["Content-Type"] == "text/csv"
    assert fetched.headers["Content-Length"] == str(len(CONTENT))
    assert fetched.headers["X-Content-Type-Options"] == "nosniff"
    assert fetched.headers["Cache-Control"] == "no-store"


def test_asking_for_the_headers_alone_gives_those_of_the_file(floor: Floor) -> None:
    store(floor)

    asked = floor.client.head(download_link(floor))

    assert (asked.status_code, asked.data, asked.headers["Content-Length"]) == (200, b"", str(len(CONTENT)))


@pytest.mark.parametrize(
    ("filename", "disposition"),
    [
        ("leads.csv", "attachment; filename=leads.csv"),
        ("my leads.csv", 'attachment; filename="my leads.csv"'),
        ('a"b\\c.csv', r'attachment; filename="a\"b\\c.csv"'),
        ("Grüße.csv", "attachment; filename=Grue.csv; filename*=UTF-8''Gr%C3%BC%C3%9Fe.csv"),
        ("顧客", "attachment; filename=file; filename*=UTF-8''%E9%A1%A7%E5%AE%A2"),
        ("é/ü.csv", "attachment; filename=\"e/u.csv\"; filename*=UTF-8''%C3%A9%2F%C3%BC.csv"),
        ("a;b=c.csv", 'attachment; filename="a;b=c.csv"'),
    ],
)
def test_a_file_is_to_be_saved_under_its_name(floor: Floor, filename: str, disposition: str) -> None:
    store(floor)

    fetched = fetch(floor, download_link(floor, filename=filename))

    assert fetched.headers["Content-Disposition"] == disposition


def test_a_file_larger_than_other_bodies_goes_both_ways(floor: Floor) -> None:
    content = bytes(range(256)) * 12_000

    sent = put(floor, upload_link(floor, size=len(content)), content)

    assert sent.status_code == 204
    assert fetch(floor, download_link(floor)).data == content


def test_a_file_is_sent_in_blocks(floor: Floor) -> None:
    store(floor, b"x" * 3_000_000)

    with floor.client.get(download_link(floor)) as fetched:
        blocks = [len(block) for block in fetched.iter_encoded()]

    assert sum(blocks) == 3_000_000
    assert max(blocks) <= 256 * 1024


@pytest.mark.parametrize("method", ["PUT", "GET"])
@pytest.mark.parametrize(
    "alter",
    [lambda _, value: value + "0", lambda *_: "", lambda *_: "9" * 20],
    ids=["one more character", "emptied", "a large number"],
)
def test_a_link_that_is_altered_in_any_part_is_refused(
    floor: Floor, method: str, alter: Callable[[str, str], str]
) -> None:
    store(floor)
    link = upload_link(floor) if method == "PUT" else download_link(floor)

    for tampered in altered(link, alter):
        refused = floor.client.open(tampered, method=method, data=b"tampered", content_type="text/csv")

        assert (refused.status_code, json_of(refused)["code"]) == (403, "invalid_signature"), tampered
    assert stored(floor) == CONTENT


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_link_is_good_for_one_key_and_one_method(floor: Floor, method: str) -> None:
    store(floor)
    link = upload_link(floor) if method == "PUT" else download_link(floor)
    query = urlsplit(link).query
    other = "GET" if method == "PUT" else "PUT"

    for tampered, with_method in [
        (f"/files/imports/other.csv?{query}", method),
        (f"/files/{KEY}/more?{query}", method),
        (f"/files/../{KEY}?{query}", method),
        (f"/files/%2e%2e/secrets?{query}", method),
        (link, other),
        (f"/files/{KEY}", method),
        (f"{link}&size=1", method),
        (f"{link}&more=1", method),
        (f"{link}&{query}", method),
    ]:
        refused = floor.client.open(tampered, method=with_method, data=CONTENT, content_type="text/csv")

        assert (refused.status_code, json_of(refused)["code"]) == (403, "invalid_signature"), tampered


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_link_that_has_expired_is_refused(floor: Floor, method: str) -> None:
    store(floor)
    link = upload_link(floor) if method == "PUT" else download_link(floor)
    floor.clock.advance(HOUR)

    late = floor.client.open(link, method=method, data=CONTENT, content_type="text/csv")

    assert (late.status_code, json_of(late)["code"]) == (403, "link_expired")


def test_what_is_sent_after_the_start_of_an_import_is_not_imported(floor: Floor) -> None:
    coming = json_of(floor.announce(TWO_LEADS))
    floor.send(coming["upload"], TWO_LEADS)
    floor.post(f"{IMPORTS}/{coming['id']}/start")

    again = floor.send(coming["upload"], TWO_LEADS.replace(b"Lovelace", b"Imposter"))
    floor.run_jobs()

    assert again.status_code == 204
    assert {lead["name"] for lead in floor.leads()} == {"Ada Lovelace", "Grace Hopper"}


def test_what_is_sent_for_an_import_that_was_cancelled_takes_no_files_place(floor: Floor) -> None:
    coming = json_of(floor.announce(TWO_LEADS))
    floor.post(f"{IMPORTS}/{coming['id']}/cancel")

    floor.send(coming["upload"], TWO_LEADS)

    assert floor.files.size(f"imports/{coming['id']}.csv") is None


def announced_picture(floor: Floor) -> tuple[str, dict[str, Any]]:
    """The path of a lead's pictures, and how to send one."""
    lead = json_of(floor.post("/v1/leads", json={"name": "Grace", "phone": "+12125550123"}))
    images = f"/v1/leads/{lead['id']}/images"
    return images, json_of(floor.post(images, json={"content_type": "image/png", "size": len(PNG)}))


def test_a_picture_that_was_checked_is_not_replaced_by_what_is_sent_later(floor: Floor) -> None:
    images, coming = announced_picture(floor)
    floor.send(coming["upload"], PNG)
    floor.post(f"{images}/{coming['id']}/complete")

    again = floor.send(coming["upload"], b"<script>".ljust(len(PNG)))

    [shown] = json_of(floor.get(images))["items"]
    assert again.status_code == 204
    assert fetch(floor, path_of(shown["download_url"])).data == PNG


def test_a_picture_is_sent_to_others_without_what_its_camera_wrote(floor: Floor) -> None:
    images, _ = announced_picture(floor)
    for content_type, content in PHOTOGRAPHS.items():
        announced = {"content_type": content_type, "size": len(content), "filename": "x.html"}
        coming = json_of(floor.post(images, json=announced))
        floor.send(coming["upload"], content)

        completed = json_of(floor.post(f"{images}/{coming['id']}/complete"))

        [shown] = json_of(floor.get(f"{images}?limit=1"))["items"]
        fetched = fetch(floor, path_of(shown["download_url"]))
        assert MARK in content
        assert MARK not in fetched.data
        assert len(fetched.data) == completed["size"] == shown["size"] < len(content)
        assert fetched.headers["Content-Type"] == content_type
        assert fetched.headers["X-Content-Type-Options"] == "nosniff"
        assert fetched.headers["Content-Disposition"].startswith("attachment")


def test_what_is_sent_for_a_picture_that_was_deleted_takes_no_files_place(floor: Floor) -> None:
    images, coming = announced_picture(floor)
    floor.client.delete(f"{images}/{coming['id']}", headers=floor.headers())

    floor.send(coming["upload"], PNG)

    lead_id = images.split("/")[3]
    assert floor.files.size(f"images/{lead_id}/{coming['id']}") is None
    assert floor.files.size(f"uploads/images/{lead_id}/{coming['id']}") == len(PNG)


@pytest.mark.parametrize("content_type", ["text/html", "image/png", None])
def test_a_file_of_another_type_is_refused(floor: Floor, content_type: str | None) -> None:
    refused = put(floor, upload_link(floor), content_type=content_type)

    assert (refused.status_code, json_of(refused)["code"]) == (422, "wrong_type")
    assert floor.files.size(KEY) is None


def test_a_file_of_another_size_is_refused(floor: Floor) -> None:
    link = upload_link(floor)

    shorter, longer = put(floor, link, CONTENT[:-1]), put(floor, link, CONTENT + b"x")

    assert (shorter.status_code, json_of(shorter)["code"]) == (422, "wrong_size")
    assert (longer.status_code, json_of(longer)["code"]) == (413, "too_large")
    assert floor.files.size(KEY) is None


@pytest.mark.parametrize(("content", "status"), [(CONTENT, 204), (CONTENT[:-1], 422), (CONTENT + b"x", 413)])
def test_a_size_that_is_not_told_beforehand_is_checked_all_the_same(floor: Floor, content: bytes, status: int) -> None:
    sent = floor.client.put(
        upload_link(floor),
        environ_overrides={
            "wsgi.input": BytesIO(content),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
            "CONTENT_TYPE": "text/csv",
        },
    )

    assert sent.status_code == status


def test_a_file_that_is_gone_is_not_found(floor: Floor) -> None:
    missing = fetch(floor, download_link(floor))

    assert (missing.status_code, json_of(missing)["code"]) == (404, "not_found")


def test_nothing_is_served_without_a_link(floor: Floor) -> None:
    store(floor)

    for path in (f"/files/{KEY}", "/files/", "/files/imports/"):
        refused = floor.client.get(path, headers=floor.headers())

        assert refused.status_code in (403, 404), path
        assert CONTENT not in refused.data


def test_other_methods_are_not_taken(floor: Floor) -> None:
    for method in ("POST", "DELETE", "PATCH"):
        refused = floor.client.open(upload_link(floor), method=method)

        assert (refused.status_code, json_of(refused)["code"]) == (405, "method_not_allowed")


def test_where_the_storage_is_elsewhere_there_are_no_such_paths() -> None:
    app = create_app(in_memory_unite(), Door(public_url=PUBLIC_URL, cursor_secrets=(b"x" * 32,)))

    response = app.test_client().get(f"/files/{KEY}?signature=x")

    assert response.status_code == 404
    assert "/files/{key}" not in app.extensions["openapi"]().decode()


@pytest.mark.parametrize("downloads", [Downloads(1), Downloads(9, max_of_one=1)], ids=["all", "of one address"])
def test_downloads_have_places_which_are_given_back(floor: Floor, downloads: Downloads) -> None:
    store(floor)
    floor.app.extensions["downloads"] = downloads
    link = download_link(floor)

    first = floor.client.get(link)
    refused = floor.client.get(link)
    first.close()
    after = fetch(floor, link)

    assert (refused.status_code, refused.get_json()["code"]) == (503, "too_many_transfers")
    assert refused.headers["Retry-After"] == "5"
    assert (after.status_code, after.data) == (200, CONTENT)


@pytest.mark.parametrize(
    "query",
    ["\xe0\xd9", "expires=\xff", "%ff", "a=1&a=2", "&".join(f"p{it}=1" for it in range(20_000)), "x" * 60_000],
    ids=["no UTF-8", "no UTF-8 in a value", "no UTF-8, encoded", "twice", "many parameters", "long"],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_query_that_no_link_has_is_refused(floor: Floor, method: str, query: str) -> None:
    # What a server hands on is the query as it came, byte by byte.
    answer = floor.client.open(f"/files/{KEY}", method=method, environ_overrides={"QUERY_STRING": query})

    assert (answer.status_code, json_of(answer)["code"]) == (403, "invalid_signature")

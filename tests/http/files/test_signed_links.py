"""Tests of signed links that the service serves: their terms, tampering, expiry and limits."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from adapters.local.files import LocalFiles
from entrypoints.http.app import create_app
from entrypoints.http.config import HttpConfig
from entrypoints.http.framework.downloads import Downloads
from tests.core.leads.pictures.making import MARK
from tests.core.leads.pictures.test_cleaning import PHOTOGRAPHS
from tests.http.imports.scenario import (
    IMPORTS,
    TWO_LEADS,
    announce_import,
    import_scenario,
    json_of,
    list_leads,
    path_of,
    send_file,
)
from tests.http.service import PUBLIC_URL, HttpScenario
from tests.pictures import PNG
from unite_core.testing.in_memory import FixedClock, in_memory_unite

HOUR = timedelta(hours=1)
KEY = "imports/0190a6f0-5c1e-7b3a-9f24-6d2f8f0c1a77.csv"
CONTENT = b"Name,Phone\n"


@pytest.fixture(params=["in memory", "on disk"])
def scenario(request: pytest.FixtureRequest, tmp_path: Path) -> HttpScenario:
    clock = FixedClock()
    if request.param == "in memory":
        return import_scenario(clock=clock)
    files = LocalFiles(tmp_path, public_url=PUBLIC_URL, secrets_by_kid={"a": b"s" * 32}, clock=clock)
    return import_scenario(files=files, clock=clock)


def upload_link(scenario: HttpScenario, key: str = KEY, size: int = len(CONTENT)) -> str:
    return path_of(scenario.service.ports.files.sign_upload(key, content_type="text/csv", size=size, ttl=HOUR).url)


def download_link(scenario: HttpScenario, key: str = KEY, filename: str = "leads.csv") -> str:
    link = scenario.service.ports.files.sign_download(key, filename=filename, content_type="text/csv", ttl=HOUR)
    return path_of(link.url)


def put(scenario: HttpScenario, link: str, content: bytes = CONTENT, content_type: str | None = "text/csv") -> Any:
    return scenario.service.stranger.send("PUT", link, data=content, content_type=content_type)


def fetch(scenario: HttpScenario, link: str) -> Any:
    with scenario.service.stranger.get(link) as fetched:
        fetched.get_data()
    return fetched


def store(scenario: HttpScenario, content: bytes = CONTENT, key: str = KEY) -> None:
    with scenario.service.ports.files.write(key, content_type="text/csv") as target:
        target.write(content)


def stored(scenario: HttpScenario, key: str = KEY) -> bytes:
    with scenario.service.ports.files.read(key) as stream:
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


def test_a_file_is_uploaded_by_a_link_without_a_token(scenario: HttpScenario) -> None:
    sent = put(scenario, upload_link(scenario))

    assert (sent.status_code, sent.data) == (204, b"")
    assert stored(scenario) == CONTENT


def test_a_file_is_downloaded_by_a_link_without_a_token(scenario: HttpScenario) -> None:
    store(scenario)

    fetched = fetch(scenario, download_link(scenario))

    assert (fetched.status_code, fetched.data) == (200, CONTENT)
    assert fetched.headers["Content-Type"] == "text/csv"
    assert fetched.headers["Content-Length"] == str(len(CONTENT))
    assert fetched.headers["X-Content-Type-Options"] == "nosniff"
    assert fetched.headers["Cache-Control"] == "no-store"


def test_a_head_request_returns_the_headers_of_the_file(scenario: HttpScenario) -> None:
    store(scenario)

    asked = scenario.service.stranger.send("HEAD", download_link(scenario))

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
def test_a_download_has_a_filename(scenario: HttpScenario, filename: str, disposition: str) -> None:
    store(scenario)

    fetched = fetch(scenario, download_link(scenario, filename=filename))

    assert fetched.headers["Content-Disposition"] == disposition


def test_a_file_may_be_larger_than_other_bodies(scenario: HttpScenario) -> None:
    content = bytes(range(256)) * 12_000

    sent = put(scenario, upload_link(scenario, size=len(content)), content)

    assert sent.status_code == 204
    assert fetch(scenario, download_link(scenario)).data == content


def test_a_download_is_sent_in_blocks(scenario: HttpScenario) -> None:
    store(scenario, b"x" * 3_000_000)

    with scenario.service.stranger.get(download_link(scenario)) as fetched:
        blocks = [len(block) for block in fetched.iter_encoded()]

    assert sum(blocks) == 3_000_000
    assert max(blocks) <= 256 * 1024


@pytest.mark.parametrize("method", ["PUT", "GET"])
@pytest.mark.parametrize(
    "alter",
    [lambda _, value: value + "0", lambda *_: "", lambda *_: "9" * 20],
    ids=["one more character", "emptied", "a large number"],
)
def test_a_link_with_any_part_changed_is_refused(
    scenario: HttpScenario, method: str, alter: Callable[[str, str], str]
) -> None:
    store(scenario)
    link = upload_link(scenario) if method == "PUT" else download_link(scenario)

    for tampered in altered(link, alter):
        refused = scenario.service.stranger.send(method, tampered, data=b"tampered", content_type="text/csv")

        assert (refused.status_code, json_of(refused)["code"]) == (403, "invalid_signature"), tampered
    assert stored(scenario) == CONTENT


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_link_is_valid_for_one_key_and_one_method(scenario: HttpScenario, method: str) -> None:
    store(scenario)
    link = upload_link(scenario) if method == "PUT" else download_link(scenario)
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
        refused = scenario.service.stranger.send(with_method, tampered, data=CONTENT, content_type="text/csv")

        assert (refused.status_code, json_of(refused)["code"]) == (403, "invalid_signature"), tampered


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_an_expired_link_is_refused(scenario: HttpScenario, method: str) -> None:
    store(scenario)
    link = upload_link(scenario) if method == "PUT" else download_link(scenario)
    scenario.service.ports.clock.advance(HOUR)

    late = scenario.service.stranger.send(method, link, data=CONTENT, content_type="text/csv")

    assert (late.status_code, json_of(late)["code"]) == (403, "link_expired")


def test_an_upload_after_the_start_of_an_import_is_not_imported(scenario: HttpScenario) -> None:
    coming = json_of(announce_import(scenario.manager, TWO_LEADS))
    send_file(scenario, coming["upload"], TWO_LEADS)
    scenario.manager.post(f"{IMPORTS}/{coming['id']}/start")

    again = send_file(scenario, coming["upload"], TWO_LEADS.replace(b"Lovelace", b"Imposter"))
    scenario.service.run_jobs()

    assert again.status_code == 204
    assert {lead["name"] for lead in list_leads(scenario.manager)} == {"Ada Lovelace", "Grace Hopper"}


def test_an_upload_for_a_cancelled_import_is_not_stored_as_its_file(scenario: HttpScenario) -> None:
    coming = json_of(announce_import(scenario.manager, TWO_LEADS))
    scenario.manager.post(f"{IMPORTS}/{coming['id']}/cancel")

    send_file(scenario, coming["upload"], TWO_LEADS)

    assert scenario.service.ports.files.size(f"imports/{coming['id']}.csv") is None


def announced_picture(scenario: HttpScenario) -> tuple[str, dict[str, Any]]:
    """The path of a lead's pictures, and how to send one."""
    lead = json_of(scenario.manager.post("/v1/leads", json={"name": "Grace", "phone": "+12125550123"}))
    images = f"/v1/leads/{lead['id']}/images"
    return images, json_of(scenario.manager.post(images, json={"content_type": "image/png", "size": len(PNG)}))


def test_an_upload_after_the_check_does_not_replace_the_picture(scenario: HttpScenario) -> None:
    images, coming = announced_picture(scenario)
    send_file(scenario, coming["upload"], PNG)
    scenario.manager.post(f"{images}/{coming['id']}/complete")

    again = send_file(scenario, coming["upload"], b"<script>".ljust(len(PNG)))

    [shown] = json_of(scenario.manager.get(images))["items"]
    assert again.status_code == 204
    assert fetch(scenario, path_of(shown["download_url"])).data == PNG


def test_a_picture_is_downloaded_without_its_metadata(scenario: HttpScenario) -> None:
    images, _ = announced_picture(scenario)
    for content_type, content in PHOTOGRAPHS.items():
        announced = {"content_type": content_type, "size": len(content), "filename": "x.html"}
        coming = json_of(scenario.manager.post(images, json=announced))
        send_file(scenario, coming["upload"], content)

        completed = json_of(scenario.manager.post(f"{images}/{coming['id']}/complete"))

        [shown] = json_of(scenario.manager.get(f"{images}?limit=1"))["items"]
        fetched = fetch(scenario, path_of(shown["download_url"]))
        assert MARK in content
        assert MARK not in fetched.data
        assert len(fetched.data) == completed["size"] == shown["size"] < len(content)
        assert fetched.headers["Content-Type"] == content_type
        assert fetched.headers["X-Content-Type-Options"] == "nosniff"
        assert fetched.headers["Content-Disposition"].startswith("attachment")


def test_an_upload_for_a_deleted_picture_is_not_stored_as_the_picture(scenario: HttpScenario) -> None:
    images, coming = announced_picture(scenario)
    scenario.manager.delete(f"{images}/{coming['id']}")

    send_file(scenario, coming["upload"], PNG)

    lead_id = images.split("/")[3]
    assert scenario.service.ports.files.size(f"images/{lead_id}/{coming['id']}") is None
    assert scenario.service.ports.files.size(f"uploads/images/{lead_id}/{coming['id']}") == len(PNG)


@pytest.mark.parametrize("content_type", ["text/html", "image/png", None])
def test_an_upload_of_another_content_type_is_refused(scenario: HttpScenario, content_type: str | None) -> None:
    refused = put(scenario, upload_link(scenario), content_type=content_type)

    assert (refused.status_code, json_of(refused)["code"]) == (422, "wrong_type")
    assert scenario.service.ports.files.size(KEY) is None


def test_an_upload_of_another_size_is_refused(scenario: HttpScenario) -> None:
    link = upload_link(scenario)

    shorter, longer = put(scenario, link, CONTENT[:-1]), put(scenario, link, CONTENT + b"x")

    assert (shorter.status_code, json_of(shorter)["code"]) == (422, "wrong_size")
    assert (longer.status_code, json_of(longer)["code"]) == (413, "too_large")
    assert scenario.service.ports.files.size(KEY) is None


@pytest.mark.parametrize(("content", "status"), [(CONTENT, 204), (CONTENT[:-1], 422), (CONTENT + b"x", 413)])
def test_the_size_of_a_chunked_upload_is_checked_too(scenario: HttpScenario, content: bytes, status: int) -> None:
    sent = scenario.service.stranger.send(
        "PUT",
        upload_link(scenario),
        environ_overrides={
            "wsgi.input": BytesIO(content),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
            "CONTENT_TYPE": "text/csv",
        },
    )

    assert sent.status_code == status


def test_a_deleted_file_is_not_found(scenario: HttpScenario) -> None:
    missing = fetch(scenario, download_link(scenario))

    assert (missing.status_code, json_of(missing)["code"]) == (404, "not_found")


def test_without_a_link_nothing_is_served(scenario: HttpScenario) -> None:
    store(scenario)

    for path in (f"/files/{KEY}", "/files/", "/files/imports/"):
        refused = scenario.manager.get(path)

        assert refused.status_code in (403, 404), path
        assert CONTENT not in refused.data


def test_other_methods_are_refused(scenario: HttpScenario) -> None:
    for method in ("POST", "DELETE", "PATCH"):
        refused = scenario.service.stranger.send(method, upload_link(scenario))

        assert (refused.status_code, json_of(refused)["code"]) == (405, "method_not_allowed")


def test_with_external_storage_the_service_has_no_file_routes() -> None:
    app = create_app(in_memory_unite(), HttpConfig(public_url=PUBLIC_URL, cursor_secrets=(b"x" * 32,)))

    response = app.test_client().get(f"/files/{KEY}?signature=x")

    assert response.status_code == 404
    assert "/files/{key}" not in app.extensions["openapi"]().decode()


@pytest.mark.parametrize("downloads", [Downloads(1), Downloads(9, max_per_client=1)], ids=["all", "of one address"])
def test_the_number_of_concurrent_downloads_is_limited(scenario: HttpScenario, downloads: Downloads) -> None:
    store(scenario)
    scenario.service.app.extensions["downloads"] = downloads
    link = download_link(scenario)

    first = scenario.service.stranger.get(link)
    refused = scenario.service.stranger.get(link)
    first.close()
    after = fetch(scenario, link)

    assert (refused.status_code, refused.get_json()["code"]) == (503, "too_many_transfers")
    assert refused.headers["Retry-After"] == "5"
    assert (after.status_code, after.data) == (200, CONTENT)


@pytest.mark.parametrize(
    "query",
    ["\xe0\xd9", "expires=\xff", "%ff", "a=1&a=2", "&".join(f"p{it}=1" for it in range(20_000)), "x" * 60_000],
    ids=["no UTF-8", "no UTF-8 in a value", "no UTF-8, encoded", "twice", "many parameters", "long"],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_malformed_query_is_refused(scenario: HttpScenario, method: str, query: str) -> None:
    # What a server hands on is the query as it came, byte by byte.
    answer = scenario.service.stranger.send(method, f"/files/{KEY}", environ_overrides={"QUERY_STRING": query})

    assert (answer.status_code, json_of(answer)["code"]) == (403, "invalid_signature")

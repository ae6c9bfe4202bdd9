"""Tests of the compression and caching of static files."""

import gzip
from pathlib import Path

import pytest
from flask import Flask

from entrypoints.http.dashboard.assets import ASSETS
from entrypoints.http.documentation.routes import SWAGGER_UI
from entrypoints.http.framework.assets import AssetFolder
from tests.http.service import Service

FILES = [
    ASSETS.path_of("dashboard.css"),
    ASSETS.path_of("htmx.min.js"),
    SWAGGER_UI.path_of("swagger-ui.css"),
    SWAGGER_UI.path_of("swagger-ui-bundle.js"),
    "/docs/docs.css",
    "/docs/docs.js",
]


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip", "*", "identity;q=0.5, gzip", "gzip;q=0.5, identity;q=0.1"])
@pytest.mark.parametrize("path", FILES)
def test_a_file_is_compressed_for_clients_that_accept_gzip(service: Service, path: str, accepted: str) -> None:
    plain = service.stranger.get(path)

    answer = service.stranger.get(path, headers={"Accept-Encoding": accepted})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.get_data()) == plain.get_data()
    assert int(answer.headers["Content-Length"]) < 0.6 * len(plain.get_data())
    assert answer.mimetype == plain.mimetype


@pytest.mark.parametrize("accepted", [None, "", "identity", "br", "gzip;q=0", "gzip;q=0, *", "identity, gzip;q=0.5"])
def test_a_file_is_not_compressed_for_other_clients(service: Service, accepted: str | None) -> None:
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    for path in FILES:
        answer = service.stranger.get(path, headers=headers)

        assert "Content-Encoding" not in answer.headers
        assert not answer.get_data().startswith(b"\x1f\x8b")


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_compressed_and_plain_files_are_cached_separately(service: Service, accepted: str) -> None:
    for path in FILES:
        answer = service.stranger.get(path, headers={"Accept-Encoding": accepted})

        assert "Accept-Encoding" in answer.vary


def test_a_file_that_compression_would_enlarge_is_not_compressed(tmp_path: Path) -> None:
    (tmp_path / "small.css").write_text("a{}")
    folder = AssetFolder(tmp_path, "/static")

    with Flask("small").test_request_context(headers={"Accept-Encoding": "gzip"}):
        answer = folder.uncached_response("small.css")

    assert answer.get_data() == b"a{}"
    assert "Content-Encoding" not in answer.headers

"""Tests of what all pages share: sessions, headers, error pages and static files."""

import re
from pathlib import Path

import pytest

from entrypoints.http.dashboard.assets import FOLDER
from entrypoints.http.dashboard.registration import CONTENT_SECURITY_POLICY
from entrypoints.http.dashboard.views import DayFigures, Figures
from entrypoints.http.framework.operation_docs import Operation
from tests.guards.http_inputs import page_operations
from tests.http.dashboard.visitor import HOME, HOST, SIGN_IN, Visitor, signed_in
from tests.http.service import Service
from unite_core.errors import Unavailable
from unite_core.identity.model import Permission, Role

PAGES = page_operations(Service().app)
PUBLIC = {("GET", SIGN_IN), ("POST", SIGN_IN), ("GET", "/dashboard/static/<name>")}


def name_of(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


@pytest.mark.parametrize("operation", PAGES, ids=name_of)
def test_each_page_needs_a_session_unless_it_is_public(service: Service, operation: Operation) -> None:
    path = operation.path.replace("<name>", "dashboard.css")

    answer = Visitor(service).client.open(path, method=operation.method, base_url=HOST)

    is_sent_on = answer.status_code == 303 and answer.headers["Location"].startswith(SIGN_IN)
    assert is_sent_on is ((operation.method, operation.path) not in PUBLIC)


def test_every_page_is_below_the_path_of_the_dashboard() -> None:
    assert {each.path for each in PAGES if each.path != HOME and not each.path.startswith(f"{HOME}/")} == set()


def test_pages_use_only_get_and_post() -> None:
    assert {each.method for each in PAGES} == {"GET", "POST"}


@pytest.mark.parametrize("path", [HOME, SIGN_IN, "/dashboard/leads", "/dashboard/nothing", "/dashboard?date=x"])
def test_every_page_has_a_content_security_policy_and_is_not_cached(service: Service, path: str) -> None:
    answer = signed_in(service, service.add(Role.ADMIN)).get(path)

    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_pages_contain_no_inline_scripts_styles_or_handlers(service: Service) -> None:
    visitor = signed_in(service, service.add(Role.ADMIN))
    for path in (HOME, "/dashboard/leads", "/dashboard/calls", "/dashboard/tasks", "/dashboard/nothing"):
        text = visitor.get(path).text
        assert re.findall(r"<script(?![^>]* src=)", text) == []
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", text) == []
        assert re.findall(r'(?:src|href|action|hx-get)="(?!/dashboard|\?|#|tel:)[^"]*"', text) == []


@pytest.mark.parametrize(
    ("path", "status", "shown"),
    [
        ("/dashboard/nothing", 404, "There is no such resource"),
        ("/dashboard?date=2026-02-30", 400, "A date from 1980-01-01"),
        ("/dashboard?date=1979-12-31", 400, "A date from 1980-01-01"),
        ("/dashboard?tz=Europe/Atlantis", 400, "The name of a time zone"),
        ("/dashboard?tz=europe/berlin", 400, "The name of a time zone"),
        ("/dashboard?colour=red", 400, "colour"),
        ("/dashboard/leads?status=rich", 400, "status"),
        ("/dashboard/calls?cursor=x", 400, "cursor"),
        ("/dashboard/static/nothing.css", 404, "There is no such resource"),
    ],
)
def test_errors_are_pages_with_the_correlation_id(service: Service, path: str, status: int, shown: str) -> None:
    answer = signed_in(service, service.add(Role.ADMIN)).get(path)

    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert shown in answer.text
    assert answer.headers["X-Correlation-ID"] in answer.text


def test_an_unsupported_method_is_an_error_page_too(service: Service) -> None:
    answer = Visitor(service).client.delete(HOME, base_url=HOST)

    assert (answer.status_code, answer.mimetype) == (405, "text/html")
    assert "GET" in answer.headers["Allow"]


class Failing(Figures):
    """Figures that cannot be worked out."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __call__(self, *_: object) -> DayFigures:
        raise self._error


def test_an_internal_error_is_a_page_without_details() -> None:
    service = Service(figures=Failing(RuntimeError("a secret detail")))

    answer = signed_in(service, service.add(Role.ADMIN)).get(HOME)

    assert (answer.status_code, answer.mimetype) == (500, "text/html")
    assert "secret" not in answer.text
    assert answer.headers["X-Correlation-ID"] in answer.text


def test_an_unavailable_database_is_an_error_page_with_retry_after() -> None:
    service = Service(figures=Failing(Unavailable("The database does not answer.")))

    answer = signed_in(service, service.add(Role.ADMIN)).get(HOME)

    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert int(answer.headers["Retry-After"]) > 0


def test_requests_count_against_the_user_and_the_limit_is_an_error_page() -> None:
    service = Service(requests_per_minute=10)
    visitor = signed_in(service, service.add(Role.AGENT))

    answers = [visitor.get("/dashboard/leads") for _ in range(11)]

    assert answers[0].headers["RateLimit-Policy"] == '"user";q=10;w=60'
    assert [answer.status_code for answer in answers[:10]] == [200] * 10
    assert (answers[10].status_code, answers[10].mimetype) == (429, "text/html")
    assert 0 < int(answers[10].headers["Retry-After"]) <= 60


@pytest.mark.parametrize("operation", [each for each in PAGES if each.permission is not None], ids=name_of)
def test_a_page_that_the_role_may_not_see_is_refused(service: Service, operation: Operation) -> None:
    assert operation.permission is Permission.IMPORT_LEADS

    answer = signed_in(service, service.add(Role.AGENT)).get(operation.path)

    assert (answer.status_code, answer.mimetype) == (403, "text/html")


def test_the_openapi_document_contains_no_page(service: Service) -> None:
    document = service.stranger.get("/openapi.json").get_json()

    assert [path for path in document["paths"] if path.startswith(HOME)] == []


def test_static_files_have_a_digest_in_their_name_and_are_cached_forever(service: Service) -> None:
    page = signed_in(service, service.add(Role.ADMIN)).get(HOME).text

    named = re.findall(r'"(/dashboard/static/[^"]+)"', page)

    assert len(named) == 4
    for path in named:
        answer = Visitor(service).get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        stem, _, suffix = Path(path).name.rpartition(".")
        stem = re.sub(r"\.[0-9a-f]{12}$", "", stem)
        assert answer.get_data() == (FOLDER / f"{stem}.{suffix}").read_bytes()


def test_htmx_is_the_release_named_in_the_notice() -> None:
    notice = (FOLDER.parents[3] / "NOTICE").read_text("utf-8")
    version = re.search(r'version:"([0-9.]+)"', (FOLDER / "htmx.min.js").read_text("utf-8"))

    assert version is not None
    assert f"htmx {version.group(1)}" in notice

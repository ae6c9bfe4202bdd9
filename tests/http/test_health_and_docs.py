"""Tests of health checks, of the documentation page, and of pages about problem codes."""

import hashlib
import logging
import re
from collections.abc import Callable

import pytest

from entrypoints.http.config import HealthCheck
from entrypoints.http.framework.problems import PROBLEMS
from tests.conftest import CHECKOUT
from tests.http.service import Service, problem
from unite_core.errors import Unavailable
from unite_core.notifications.model import delivery_of
from unite_core.testing.builders import an_event
from unite_core.testing.in_memory import InMemoryUnitOfWork, InMemoryUnitOfWorkFactory, Store


def up() -> None:
    """Check a dependency that is available."""


def down() -> None:
    raise Unavailable("It does not answer.")


def test_a_process_is_alive_whatever_dependency_is_down() -> None:
    service = Service(checks={"database": HealthCheck(down)})

    assert service.stranger.get("/health/live").get_json() == {"status": "ok"}


def test_health_checks_are_logged_only_if_they_fail(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="unite.requests")

    Service(checks={"database": HealthCheck(up)}).stranger.get("/health/ready")
    Service().stranger.get("/health/live")
    assert [record for record in caplog.records if record.name == "unite.requests"] == []

    Service(checks={"database": HealthCheck(down, required=True)}).stranger.get("/health/ready")
    (line,) = [record for record in caplog.records if record.name == "unite.requests"]
    assert vars(line)["status"] == 503


@pytest.mark.parametrize(
    ("checks", "status", "expected"),
    [
        ({"database": HealthCheck(up), "cache": HealthCheck(up, required=False)}, 200, ["ok", "ok", "ok"]),
        (
            {"database": HealthCheck(up), "cache": HealthCheck(down, required=False)},
            200,
            ["degraded", "ok", "degraded"],
        ),
        (
            {"database": HealthCheck(down), "cache": HealthCheck(down, required=False)},
            503,
            ["down", "down", "degraded"],
        ),
        ({"database": HealthCheck(down), "cache": HealthCheck(up, required=False)}, 503, ["down", "down", "ok"]),
    ],
)
def test_readiness_checks_each_dependency_and_needs_only_required_ones(
    checks: dict[str, HealthCheck], status: int, expected: list[str]
) -> None:
    answer = Service(checks=checks).stranger.get("/health/ready")

    body = answer.get_json()
    assert answer.status_code == status
    assert [body["status"], body["checks"]["database"]["status"], body["checks"]["cache"]["status"]] == expected
    assert all(check["latency_ms"] >= 0 for check in body["checks"].values())


def test_readiness_shows_the_state_of_circuit_breakers() -> None:
    checks = {"database": HealthCheck(up), "redis": HealthCheck(down, required=False, breaker=lambda: "open")}

    health = Service(checks=checks).stranger.get("/health/ready").get_json()["checks"]

    assert health["redis"]["breaker"] == "open"
    assert "breaker" not in health["database"]


def test_readiness_shows_the_number_of_dead_letters_and_does_not_depend_on_it() -> None:
    service = Service(checks={"database": HealthCheck(up)})
    assert service.stranger.get("/health/ready").get_json()["dead_letters"] == 0
    dead = delivery_of(an_event(), "elsewhere")
    dead.refuse({})
    with service.ports.work() as unit:
        unit._tables.deliveries[dead.id] = dead
        unit.commit()

    answer = service.stranger.get("/health/ready")

    body = answer.get_json()
    assert (answer.status_code, body["status"], body["dead_letters"]) == (200, "ok", 1)


class ReadsThatAreAway(InMemoryUnitOfWorkFactory):
    def __call__(self) -> InMemoryUnitOfWork:
        raise Unavailable("The database does not answer.")


@pytest.mark.parametrize("check", [up, down])
def test_during_an_outage_of_the_database_the_number_of_dead_letters_is_null(check: Callable[[], None]) -> None:
    store = Store()
    work, reads = InMemoryUnitOfWorkFactory(store), ReadsThatAreAway(store, writes=False)
    service = Service(checks={"database": HealthCheck(check)}, work=work, reads=reads)

    answer = service.stranger.get("/health/ready")

    assert answer.status_code == (200 if check is up else 503)
    assert answer.get_json()["dead_letters"] is None


def test_the_documentation_page_loads_nothing_from_other_hosts(service: Service) -> None:
    page = service.stranger.get("/docs")
    parts = [service.stranger.get(path) for path in ("/docs/docs.js", "/docs/docs.css")]

    linked = re.findall(r'(?:src|href)="([^"]+)"', page.get_data(as_text=True))
    assert {"/docs/docs.js", "/docs/docs.css", "/openapi.json"} <= set(linked)
    for each in [page, *parts]:
        assert each.status_code == 200
        assert not re.search(r"https?://", each.get_data(as_text=True))
        assert "script-src 'self'" in each.headers["Content-Security-Policy"]
    assert [each.mimetype for each in parts] == ["text/javascript", "text/css"]


def test_without_scripts_the_page_links_to_the_openapi_document(service: Service) -> None:
    page = service.stranger.get("/docs").get_data(as_text=True)

    (shown,) = re.findall(r"<noscript>(.*?)</noscript>", page, re.DOTALL)
    assert "needs JavaScript" in shown
    assert 'href="/openapi.json"' in shown


def test_the_files_of_swagger_ui_are_cached_forever(service: Service) -> None:
    page = service.stranger.get("/docs").get_data(as_text=True)

    linked = re.findall(r'(?:src|href)="(/docs/swagger-ui/[^"]+)"', page)

    style, script = [service.stranger.get(path) for path in linked]
    assert [each.mimetype for each in (style, script)] == ["text/css", "text/javascript"]
    for each in (style, script):
        assert each.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    rules = style.get_data(as_text=True)
    assert not re.search(r"@import|@font-face", rules)
    assert {target[:5] for target in re.findall(r"url\([\"']?([^)]*)", rules)} == {"data:"}


def test_no_other_file_of_swagger_ui_is_served(service: Service) -> None:
    for name in ("swagger-ui.css", "swagger-ui.000000000000.css", "VERSION", "..%2Froutes.py"):
        assert problem(service.stranger.get(f"/docs/swagger-ui/{name}")) == (404, "not_found")


def test_swagger_ui_is_the_recorded_release() -> None:
    folder = CHECKOUT / "entrypoints" / "http" / "documentation" / "swagger_ui"
    sums = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    recorded = {name: digest for digest, _, name in (line.partition("  ") for line in sums)}
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in ("SHA256SUMS", "VERSION")}

    assert {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} == recorded
    version = re.search(r'PACKAGE_VERSION:"([0-9.]+)"', files["swagger-ui-bundle.js"].decode())
    assert version is not None
    assert version.group(1) == (folder / "VERSION").read_text("utf-8").strip()
    assert files["NOTICE"].decode().splitlines()[-1] in (CHECKOUT / "NOTICE").read_text("utf-8")


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_every_problem_code_has_a_page(service: Service, code: str) -> None:
    page = service.stranger.get(f"/problems/{code}")

    assert page.status_code == 200
    assert f"<code>{code}</code>" in page.get_data(as_text=True)


def test_an_unknown_problem_code_has_no_page(service: Service) -> None:
    assert problem(service.stranger.get("/problems/<script>")) == (404, "not_found")

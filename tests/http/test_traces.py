"""Requests in spans: the door names the route, and without tracing nothing is in the way of a request."""

from collections.abc import Iterable
from typing import Any

import pytest

from entrypoints.http.app import create_app
from entrypoints.http.config import HttpConfig
from entrypoints.tracing import RouteOf, WsgiApplication
from unite_core.application import build
from unite_core.testing.in_memory import in_memory_ports


class NotedRoutes:
    """Notes the route of each request, and the scheme that the service takes it to have come by."""

    def __init__(self) -> None:
        self.routes: list[tuple[str | None, str]] = []

    def traced(self, application: WsgiApplication, route_of: RouteOf) -> WsgiApplication:
        def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            body: Iterable[bytes] = application(environ, start_response)
            self.routes.append((route_of(environ), environ["wsgi.url_scheme"]))
            return body

        return wsgi


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/me", "/v1/me"),
        ("/v1/leads/0190f7c2-aaaa-7000-8000-000000000001", "/v1/leads/<uuid:lead_id>"),
        ("/v1/ann@example.com", None),
        ("//v1/me", None),
    ],
)
def test_a_request_is_named_by_the_template_of_its_route(path: str, route: str | None) -> None:
    tracing = NotedRoutes()
    config = HttpConfig(public_url="https://unite.example", cursor_secrets=(b"s" * 32,), tracing=tracing)
    app = create_app(build(in_memory_ports()), config)

    app.test_client().get("/", environ_overrides={"PATH_INFO": path})

    assert tracing.routes == [(route, "http")]


def test_without_tracing_nothing_is_in_the_way_of_a_request() -> None:
    def steps(tracing: NotedRoutes | None) -> int:
        config = HttpConfig(public_url="https://unite.example", cursor_secrets=(b"s" * 32,), tracing=tracing)
        app = create_app(build(in_memory_ports()), config)
        return len(app.after_request_funcs[None])

    assert steps(NotedRoutes()) == steps(None) + 1

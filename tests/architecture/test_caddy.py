"""Tests of Caddy's configuration: it never passes on a client's header that the service trusts."""

import re

from entrypoints.http.framework import proxy_headers as clients
from tests.conftest import CHECKOUT

WRITTEN_BY_CADDY = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host")
"""Anew for each request, unless a trusted proxy connects; tests/compose/test_proxy.py tries it."""

FOLDER = CHECKOUT / "infra" / "caddy"


def test_caddy_sets_or_removes_every_trusted_header() -> None:
    text = (FOLDER / "Caddyfile").read_text("utf-8")
    written = {*re.findall(r"^\s*header_up -(\S+)", text, re.MULTILINE), *WRITTEN_BY_CADDY}

    assert "trusted_proxies {$UNITE_TRUSTED_PROXIES}" in text
    variables = {"HTTP_" + name.upper().replace("-", "_") for name in written}
    assert set(clients.HEADERS) <= variables


def test_caddy_passes_on_no_header_with_a_similar_name() -> None:
    assert "request_header -*_*" in (FOLDER / "Caddyfile").read_text("utf-8")

"""Tests of the client address behind proxies, against a model of honest and forged headers."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import Request
from werkzeug.test import EnvironBuilder

from entrypoints.http.framework.proxy_headers import ProxyHeaders, client_address
from entrypoints.http.server.asgi import WsgiOnThreads
from entrypoints.http.server.body_rules import OperationBodyRules
from entrypoints.networks import contains, parse_proxies
from tests.http.service import Service, problem

TRUSTED = "10.0.0.0/24,2001:db8:ffff::/48"
PROXY = "10.0.0.1"
LIMIT = 5


@dataclass
class Seen:
    """What the application sees of a request."""

    address: str | None
    scheme: str
    host: str
    headers: dict[str, str]


def seen(*headers: tuple[str, str], peer: str | None = PROXY, trusted: str = TRUSTED) -> Seen:
    """Return what the application sees of a request from `peer` with these headers."""
    results: list[Seen] = []

    def application(environ: dict[str, Any], _: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        results.append(Seen(request.remote_addr, request.scheme, request.host, dict(request.headers)))
        return []

    environ = EnvironBuilder(headers=[("Host", "service.example"), *headers]).get_environ()
    environ["REMOTE_ADDR"] = peer
    ProxyHeaders(application, parse_proxies(trusted) if trusted else ())(environ, lambda *_: None)
    return results[0]


def client(forwarded_for: str, peer: str = PROXY) -> str | None:
    return seen(("X-Forwarded-For", forwarded_for), peer=peer).address


def test_without_trusted_proxies_no_header_is_used() -> None:
    headers = (("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.example"))

    it = seen(*headers, trusted="")

    assert (it.address, it.scheme, it.host) == (PROXY, "http", "service.example")


def test_headers_from_an_untrusted_address_are_ignored() -> None:
    headers = (("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.example"))

    it = seen(*headers, peer="203.0.113.9")

    assert (it.address, it.scheme, it.host) == ("203.0.113.9", "http", "service.example")


def test_a_trusted_proxy_sets_address_scheme_and_host() -> None:
    headers = (
        ("X-Forwarded-For", "192.0.2.1"),
        ("X-Forwarded-Proto", "HTTPS"),
        ("X-Forwarded-Host", "unite.example:8443"),
    )

    it = seen(*headers)

    assert (it.address, it.scheme, it.host) == ("192.0.2.1", "https", "unite.example:8443")


@pytest.mark.parametrize(
    ("forwarded_for", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("  192.0.2.1\t", "192.0.2.1"),
        ("192.0.2.1:4711", "192.0.2.1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("1.1.1.1, 192.0.2.1", "192.0.2.1"),
        ("1.1.1.1,192.0.2.1,10.0.0.9", "192.0.2.1"),
        ("192.0.2.1, ::ffff:10.0.0.9, [2001:db8:ffff::7]:443", "192.0.2.1"),
        # All of them are trusted: the leftmost.
        ("10.0.0.7, 10.0.0.8", "10.0.0.7"),
        # What cannot be read ends the walk.
        ("", PROXY),
        (",", PROXY),
        ("192.0.2.1,", PROXY),
        ("192.0.2.1, unknown", PROXY),
        ("192.0.2.1, _hidden, 10.0.0.9", "10.0.0.9"),
        ("192.0.2.1, , 10.0.0.9", "10.0.0.9"),
        ("192.0.2.1, 10.0.0.9:99999", PROXY),
        ("192.0.2.1, 10.0.0.9:", PROXY),
        ("[192.0.2.1]:80", PROXY),
        ("[2001:db8::1", PROXY),
        ("2001:db8::1]", PROXY),
        ("192.0.2.01", PROXY),
        ("192.0.2.256", PROXY),
        ("0xC0000201", PROXY),
        ("3221225985", PROXY),
        ("192.0.2.1 10.0.0.9", PROXY),
        ("for=192.0.2.1", PROXY),
        ('"192.0.2.1"', PROXY),
        ("\u00b9\u00b9.2.3.4", PROXY),
        ("1" * 100_000, PROXY),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_not_trusted(forwarded_for: str, expected: str) -> None:
    assert client(forwarded_for) == expected


def test_several_header_lines_are_one_list_in_order() -> None:
    lines = [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-For", "10.0.0.9")]

    assert seen(*lines).address == "192.0.2.1"


def test_a_proxy_with_an_ipv4_mapped_ipv6_address_is_recognised() -> None:
    assert client("192.0.2.1", peer="::ffff:10.0.0.1") == "192.0.2.1"


@pytest.mark.parametrize("name", ["Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP"])
def test_no_other_header_sets_the_client(name: str) -> None:
    assert seen((name, "for=192.0.2.1" if name == "Forwarded" else "192.0.2.1")).address == PROXY


@pytest.mark.parametrize("scheme", ["ftp", "", "https:", "javascript", "http\u00b9", "https,"])
def test_an_unknown_scheme_is_ignored(scheme: str) -> None:
    assert seen(("X-Forwarded-Proto", scheme)).scheme == "http"


@pytest.mark.parametrize(
    "host", ["", "a b", "evil.example/path", "user@evil.example", "a:b", "x" * 300, "[::1", "\u00fc"]
)
def test_an_invalid_host_is_ignored(host: str) -> None:
    assert seen(("X-Forwarded-Host", host)).host == "service.example"


@pytest.mark.parametrize("host", ["unite.example", "unite.example:8443", "[2001:db8::1]:8443", "10.0.0.1"])
def test_a_host_with_or_without_a_port_is_accepted(host: str) -> None:
    assert seen(("X-Forwarded-Host", host)).host == host


def test_of_several_schemes_and_hosts_that_of_the_nearest_proxy_counts() -> None:
    it = seen(("X-Forwarded-Proto", "https, http"), ("X-Forwarded-Host", "evil.example, unite.example"))

    assert (it.scheme, it.host) == ("http", "unite.example")


@pytest.mark.parametrize("peer", [PROXY, "203.0.113.9"])
def test_the_application_does_not_see_these_headers(peer: str) -> None:
    names = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix"]

    it = seen(*((name, "10.0.0.1") for name in [*names, "Forwarded", "X-Real-IP"]), peer=peer)

    assert set(it.headers) == {"Host"}


@pytest.mark.parametrize("peer", [None, "", "unix", "/run/unite.sock"])
def test_a_connection_without_an_address_is_not_trusted_and_not_an_error(peer: str | None) -> None:
    assert seen(("X-Forwarded-For", "192.0.2.1"), peer=peer).address == peer


addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
proxies = st.integers(0, 255).map("10.0.0.{}".format)
junk = st.one_of(
    st.sampled_from(["unknown", "", "_secret", "10.0.0.999", "null"]), st.text("abcxyz_ ;=\"'", max_size=9)
)


def spelled(address: str, spelling: int) -> str:
    if ":" in address:
        return [address, f"[{address}]", f"[{address}]:443", f" {address} ", address.upper(), f"{address}%eth0"][
            spelling
        ]
    return [address, f"{address}:443", f"\t{address}", f"{address} ", f"::ffff:{address}", f"[::ffff:{address}]:1"][
        spelling
    ]


@given(
    made_up=st.lists(st.one_of(addresses, proxies, junk)),
    client=addresses,
    passed=st.lists(proxies, min_size=1, max_size=6),
    spellings=st.lists(st.integers(0, 5), min_size=6, max_size=6),
)
def test_the_true_address_of_a_client_is_found_behind_any_forged_header(
    made_up: list[str], client: str, passed: list[str], spellings: list[int]
) -> None:
    trusted = parse_proxies(TRUSTED)
    real = ip_address(client)
    real = getattr(real, "ipv4_mapped", None) or real
    if contains(trusted, real):
        return
    # Each proxy adds what it was connected from; the last one connects to the service.
    added = [spelled(hop, spelling) for hop, spelling in zip([client, *passed[:-1]], spellings, strict=False)]
    header = ",".join([*made_up, *added])

    assert client_address(ip_address(passed[-1]), header, trusted) == real


@given(left=st.lists(st.one_of(addresses, junk)), bad=junk, right=st.lists(proxies), peer=proxies)
def test_an_unreadable_entry_ends_the_search_at_the_last_trusted_proxy(
    left: list[str], bad: str, right: list[str], peer: str
) -> None:
    header = ",".join([*left, bad, *right])

    client = client_address(ip_address(peer), header, parse_proxies(TRUSTED))

    assert str(client) == (right[0] if right else peer)


@given(st.text(max_size=300))
def test_any_header_results_in_an_address(header: str) -> None:
    client_address(ip_address(PROXY), header, parse_proxies(TRUSTED))


@pytest.mark.parametrize("entry", ["10.0.0.7,", " ", ",", "1", "10.0.0.7, ", "[", "192.0.2.1,", ":", "%"])
def test_a_header_of_any_length_is_parsed_in_linear_time(entry: str) -> None:
    trusted = parse_proxies(TRUSTED)

    def seconds(entries: int) -> float:
        began = time.process_time()
        client_address(ip_address(PROXY), entry * entries, trusted)
        return time.process_time() - began

    small = min(seconds(10_000) for _ in range(3))
    large = min(seconds(80_000) for _ in range(3))

    assert large < 32 * small + 0.01


def limited_login(service: Service, **options: Any) -> tuple[int, str]:
    wrong = {"email": f"nobody{time.monotonic_ns()}@unite.example", "password": "not this one"}
    return problem(service.stranger.post("/v1/auth/login", json=wrong, **options))


def from_(address: str, *, by: str = PROXY) -> dict[str, Any]:
    return {"headers": {"X-Forwarded-For": address}, "environ_overrides": {"REMOTE_ADDR": by}}


def test_each_client_behind_the_proxy_is_counted_separately() -> None:
    service = Service(logins_per_minute=1, requests_per_minute=0, trusted_proxies=TRUSTED)
    for _ in range(LIMIT):
        assert limited_login(service, **from_("192.0.2.1")) == (401, "invalid_credentials")

    assert limited_login(service, **from_("192.0.2.1")) == (429, "too_many_logins")
    assert limited_login(service, **from_("192.0.2.2")) == (401, "invalid_credentials")


def test_all_addresses_of_an_ipv6_network_count_as_one_client() -> None:
    service = Service(logins_per_minute=1, requests_per_minute=LIMIT, trusted_proxies=TRUSTED)
    for host in range(LIMIT):
        assert limited_login(service, **from_(f"2001:db8:1:2::{host:x}")) == (401, "invalid_credentials")

    assert problem(service.stranger.get("/v1/me", **from_("2001:db8:1:2:ffff::1"))) == (429, "too_many_requests")
    assert limited_login(service, **from_("2001:db8:1:3::1")) == (401, "invalid_credentials")


def test_an_ipv4_mapped_address_counts_as_the_same_client() -> None:
    service = Service(logins_per_minute=1, trusted_proxies=TRUSTED)
    for spelling in ["192.0.2.1", "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:7", "192.0.2.1:80", "::ffff:c000:201"]:
        assert limited_login(service, **from_(spelling)) == (401, "invalid_credentials")

    assert limited_login(service, **from_("192.0.2.1")) == (429, "too_many_logins")


def test_a_forged_header_gives_no_further_attempts_directly_or_through_the_proxy() -> None:
    service = Service(logins_per_minute=1, trusted_proxies=TRUSTED)
    for number in range(LIMIT):
        assert limited_login(service, **from_(f"1.1.1.{number}", by="192.0.2.1"))[0] == 401
        assert limited_login(service, **from_(f"1.1.1.{number}, 192.0.2.2"))[0] == 401

    assert limited_login(service, **from_("1.1.1.9", by="192.0.2.1")) == (429, "too_many_logins")
    assert limited_login(service, **from_("1.1.1.9, 192.0.2.2")) == (429, "too_many_logins")


def test_strict_transport_security_depends_on_the_scheme_that_the_proxy_reports() -> None:
    plain = Service(public_url="http://unite.example", trusted_proxies=TRUSTED)
    by_proxy = {"environ_overrides": {"REMOTE_ADDR": PROXY}}

    secure = plain.stranger.get("/health/live", headers={"X-Forwarded-Proto": "https"}, **by_proxy)
    direct = plain.stranger.get("/health/live", headers={"X-Forwarded-Proto": "https"})
    answer = Service(trusted_proxies=TRUSTED).stranger.get(
        "/health/live", headers={"X-Forwarded-Proto": "http"}, **by_proxy
    )

    assert secure.headers["Strict-Transport-Security"].startswith("max-age=")
    assert "Strict-Transport-Security" not in direct.headers
    # RFC 6797, 7.2: not over plain HTTP.
    assert "Strict-Transport-Security" not in answer.headers


def test_an_untrusted_proxy_is_warned_about_once(caplog: pytest.LogCaptureFixture) -> None:
    service = Service(trusted_proxies="192.0.2.9")

    for address in ("203.0.113.7", "10.0.0.7", "10.0.0.7", "127.0.0.1"):
        service.stranger.get("/health/live", **from_("192.0.2.1", by=address))

    [warned] = [line for line in caplog.records if line.levelno == logging.WARNING]
    assert "UNITE_TRUSTED_PROXIES" in warned.getMessage()
    assert warned.__dict__["proxy"] == "10.0.0.7"


@pytest.mark.parametrize("missing", [(), ("client",), ("server",), ("client", "server")])
def test_a_connection_without_addresses_is_answered(missing: Sequence[str]) -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "raw_path": b"/health/live",
        "query_string": b"",
        "headers": [(b"host", b"unite.example"), (b"x-forwarded-for", b"192.0.2.1")],
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50_000),
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    service = Service(trusted_proxies=TRUSTED)
    asyncio.run(
        WsgiOnThreads(service.app, OperationBodyRules(service.app))(scope | dict.fromkeys(missing), receive, send)
    )

    assert sent[0]["status"] == 200

"""Clients that are slow in every way there is, and those who ask meanwhile."""

import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.faults.short_timeouts import TIMEOUTS
from tests.faults.slow import answered, connected, connections, median_of_others, slow_clients
from tests.service_process import TIMEOUT, Client, Service, eventually

FLOOR = 1.0
"""Seconds that are no slowness on a busy machine; a client that is waited for costs several times as much."""

LOGIN = b"POST /v1/auth/login HTTP/1.1\r\nHost: unite\r\nContent-Type: application/json\r\n"
IN_CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n"
FORM = b"Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: 10000000\r\n\r\n"
FILE = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + b"Name,Email\n" * 10_000
UPLOAD_SIZE = 1_000_000


@pytest.fixture(scope="module")
def short_timeout_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    one = Service(
        tmp_path_factory.mktemp("short_timeouts"),
        settings={"UNITE_RATE_LIMIT": "0"},
        command=("tests.faults.short_timeouts",),
    )
    try:
        one.start()
        yield one
    finally:
        one.kill_all()


@pytest.fixture(scope="module")
def admin(short_timeout_service: Service) -> Client:
    return short_timeout_service.client()


@pytest.fixture(scope="module")
def token(admin: Client) -> str:
    return str(admin.session.headers["Authorization"])


def as_admin(token: str, method: str, path: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: unite\r\nAuthorization: {token}\r\n".encode()


def target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


@pytest.fixture(scope="module")
def download(admin: Client) -> bytes:
    """A request for a file of several megabytes, more than the kernel takes off the service's hands."""
    wrong = b"Name,Email,Notes\n" + b"Nobody,not an address,%s\n" % (b"x" * 10_000) * 1500
    import_id = admin.import_leads(wrong)
    eventually(lambda: admin.lead_import(import_id)["status"] == "completed", "the import has ended")
    report = admin.session.get(f"{admin.url}/v1/lead-imports/{import_id}/error-report", allow_redirects=False)
    return f"GET {target(report.headers['Location'])} HTTP/1.1\r\nHost: unite\r\n\r\n".encode()


def assert_not_held_up(one: Service, token: str, *, before: float, busy: float) -> None:
    """Compare how long others were answered beside slow clients, who are gone, with how long they are without them.

    `before` and `busy` are in seconds. Without slow clients it is measured again where it looks bad: meanwhile the
    machine may have become slower altogether.
    """
    if busy <= 2 * before + FLOOR:
        return
    idle = max(before, median_of_others(one, token))
    assert busy <= 2 * idle + FLOOR, f"{busy / idle:.1f} times as long as when nobody is slow"


def beside(one: Service, token: str, sent: bytes, trickle: bytes = b"") -> list[bytes]:
    """What each of seventy clients was answered in the end; others were answered as if there were none of them."""
    before = median_of_others(one, token)
    with slow_clients(one, sent, trickle) as clients:
        busy = median_of_others(one, token)
        answers = [answered(client) for client in clients]
    eventually(lambda: connections(one) == 0, "all of them are disconnected")
    assert_not_held_up(one, token, before=before, busy=busy)
    return answers


@pytest.mark.parametrize(
    ("sent", "trickle"),
    [
        (LOGIN + b'Content-Length: 500\r\n\r\n{"e', b""),
        (LOGIN + b"Content-Length: 500\r\nExpect: 100-continue\r\n\r\n", b""),
        (LOGIN + b"Content-Length: 500\r\n\r\n", b" "),
        (LOGIN + IN_CHUNKS + b'3\r\n{"e\r\n', b""),
        (LOGIN + IN_CHUNKS + b"1000\r\n{", b""),
        (LOGIN + IN_CHUNKS, b"1\r\n \r\n"),
    ],
    ids=["stops", "asks and stops", "byte by byte", "chunk and stops", "stops in a chunk", "chunk by chunk"],
)
def test_bodies_that_do_not_come_hold_nobody_up_and_are_given_up(
    short_timeout_service: Service, token: str, sent: bytes, trickle: bytes
) -> None:
    for answer in beside(short_timeout_service, token, sent, trickle):
        assert b"HTTP/1.1 408 " in answer
        assert b"request_timeout" in answer
        assert b"connection: close" in answer


@pytest.mark.parametrize(
    ("headers", "begun", "trickle"),
    [
        (b"Content-Length: 900000\r\n\r\n", b" " * 66_000, b""),
        (b"Content-Length: 900000\r\n\r\n", b" " * 66_000, b" "),
        (IN_CHUNKS, b"fffff\r\n" + b" " * 66_000, b""),
    ],
    ids=["stops", "trickles", "stops in a chunk"],
)
def test_large_bodies_that_stop_hold_nobody_up_and_are_given_up(
    short_timeout_service: Service, token: str, headers: bytes, begun: bytes, trickle: bytes
) -> None:
    sent = as_admin(token, "POST", "/v1/leads") + b"Content-Type: application/json\r\n" + headers + begun

    for answer in beside(short_timeout_service, token, sent, trickle):
        assert b"HTTP/1.1 408 " in answer


@pytest.mark.parametrize("trickle", [b"", b"x"])
def test_uploads_that_stop_or_trickle_hold_nobody_up_and_leave_nothing(
    short_timeout_service: Service, token: str, trickle: bytes
) -> None:
    sent = as_admin(token, "POST", "/v1/lead-imports/file") + FORM + FILE

    answers = beside(short_timeout_service, token, sent, trickle)

    assert {answer[9:12] for answer in answers} <= {b"408", b"503"}
    assert sum(b"HTTP/1.1 408 " in answer for answer in answers) > 0
    assert sum(b"too_many_transfers" in answer and b"retry-after" in answer for answer in answers) > 0
    incoming = short_timeout_service.folder / "var" / "files" / ".incoming"
    eventually(lambda: not list(incoming.iterdir()), "nothing is left of them")


def test_signed_uploads_that_trickle_hold_nobody_up(short_timeout_service: Service, admin: Client, token: str) -> None:
    announced = admin.call("POST", "/v1/lead-imports", json={"filename": "a.csv", "size": UPLOAD_SIZE})["upload"]
    head = f"PUT {target(announced['url'])} HTTP/1.1\r\nHost: unite\r\nContent-Length: {UPLOAD_SIZE}\r\n"
    headers = "".join(f"{name}: {value}\r\n" for name, value in announced["headers"].items())

    answers = beside(short_timeout_service, token, f"{head}{headers}\r\n".encode() + b"x" * 70_000, b"x")

    assert {answer[9:12] for answer in answers} == {b"408", b"503"}


def test_readers_that_do_not_read_their_download_hold_nobody_up_and_are_disconnected(
    short_timeout_service: Service, token: str, download: bytes
) -> None:
    before = median_of_others(short_timeout_service, token)

    with slow_clients(short_timeout_service, download):
        busy = median_of_others(short_timeout_service, token)
        eventually(lambda: connections(short_timeout_service) == 0, "all of them are disconnected")

    assert_not_held_up(short_timeout_service, token, before=before, busy=busy)


def test_a_client_that_asks_again_and_again_and_reads_nothing_is_disconnected(short_timeout_service: Service) -> None:
    with connected(
        short_timeout_service, b"GET /openapi.json HTTP/1.1\r\nHost: unite\r\n\r\n" * 30, receive_buffer=1024
    ):
        eventually(lambda: connections(short_timeout_service) == 0, "it is disconnected")


def test_a_reader_that_trickles_is_disconnected(short_timeout_service: Service, download: bytes) -> None:
    with connected(short_timeout_service, download, receive_buffer=4096) as client:
        begun = time.monotonic()
        # Whoever reads while they are disconnected is told so.
        with suppress(ConnectionError):
            while connections(short_timeout_service) and time.monotonic() - begun < TIMEOUT:
                client.recv(100)
                time.sleep(0.05)

        eventually(lambda: not connections(short_timeout_service), "the client is disconnected")


def test_followers_that_do_not_read_hold_nobody_up(short_timeout_service: Service, admin: Client, token: str) -> None:
    followed = admin.call("POST", "/v1/lead-imports", json={"filename": "a.csv", "size": 100})["id"]
    sent = as_admin(token, "GET", f"/v1/lead-imports/{followed}/events") + b"\r\n"
    before = median_of_others(short_timeout_service, token)

    with slow_clients(short_timeout_service, sent):
        busy = median_of_others(short_timeout_service, token)

    eventually(lambda: connections(short_timeout_service) == 0, "they are forgotten once they are gone")
    assert_not_held_up(short_timeout_service, token, before=before, busy=busy)


@pytest.mark.parametrize(
    ("sent", "trickle"),
    [
        (b"", b""),
        (b"GET /v1/me HTTP/1.1\r\nHost: unite\r\nX-Slow: ", b"x"),
        (b"GET /health/live HTTP/1.1\r\nHost: unite\r\n\r\n", b""),
    ],
    ids=["nothing", "headers byte by byte", "one request"],
)
def test_connections_without_a_request_hold_nobody_up_and_are_closed(
    short_timeout_service: Service, token: str, sent: bytes, trickle: bytes
) -> None:
    for answer in beside(short_timeout_service, token, sent, trickle):
        assert answer == b"" or answer.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 200 "))


def test_an_unknown_client_is_refused_before_its_body_comes(short_timeout_service: Service) -> None:
    head = b"POST /v1/leads HTTP/1.1\r\nHost: unite\r\nContent-Length: 900000\r\n"

    with (
        connected(short_timeout_service, head + b"\r\n") as silent,
        connected(short_timeout_service, head + b"Expect: 100-continue\r\n\r\n") as asks,
    ):
        assert answered(silent).startswith(b"HTTP/1.1 401 ")
        assert answered(asks).startswith(b"HTTP/1.1 401 ")


def test_a_body_over_the_limit_is_refused_before_it_comes(short_timeout_service: Service, token: str) -> None:
    begun = time.monotonic()
    with connected(
        short_timeout_service, as_admin(token, "POST", "/v1/leads") + b"Content-Length: 2000000\r\n\r\n"
    ) as client:
        assert answered(client).startswith(b"HTTP/1.1 413 ")

    assert time.monotonic() - begun < TIMEOUTS.pause

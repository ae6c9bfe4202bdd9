"""Clients that announce a body and send it slowly or never, and those who ask meanwhile."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.faults.impatient import PATIENCE
from tests.service_process import ADMIN, Service, eventually
from tests.service_process import PATIENCE as LONGEST_WAIT

LOGIN = b"POST /v1/auth/login HTTP/1.1\r\nHost: unite\r\nContent-Type: application/json\r\n"
STALLED = LOGIN + b'Content-Length: 500\r\n\r\n{"e'
STALLED_LATER = LOGIN + b"Content-Length: 500000\r\n\r\n" + b" " * 100_000
STALLED_IN_CHUNKS = LOGIN + b'Transfer-Encoding: chunked\r\n\r\n3\r\n{"e\r\n'
WAITS_TO_GO_ON = LOGIN + b"Content-Length: 500\r\nExpect: 100-continue\r\n\r\n"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    one = Service(tmp_path_factory.mktemp("impatient"), command=("tests.faults.impatient",))
    try:
        one.start()
        yield one
    finally:
        one.kill_all()


def connected(one: Service, sent: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", one.port), timeout=LONGEST_WAIT)
    client.sendall(sent)
    return client


def answered(client: socket.socket) -> tuple[int, dict[str, str], dict[str, object]]:
    """Status, headers and problem of an answer after which the connection is closed."""
    whole = b""
    while block := client.recv(65536):
        whole += block
    head, _, body = whole.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").partition(b"\r\n\r\n")
    first, *rest = head.decode().splitlines()
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    return int(first.split()[1]), headers, json.loads(body)


def connections(one: Service) -> int:
    """How many clients the service is connected to."""
    local = f"0100007F:{one.port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[1] == local and line.split()[3] == "01" for line in lines)


@pytest.mark.parametrize("sent", [STALLED, STALLED_LATER, STALLED_IN_CHUNKS, WAITS_TO_GO_ON])
def test_forty_clients_that_do_not_send_what_they_announced_hold_nobody_up(impatient: Service, sent: bytes) -> None:
    alone = {"Connection": "close"}
    pair = requests.post(f"{impatient.url}/v1/auth/login", json=ADMIN, headers=alone, timeout=LONGEST_WAIT).json()
    as_admin = {**alone, "Authorization": f"Bearer {pair['access_token']}"}
    with ExitStack() as stack:
        begun = time.monotonic()
        stalled = [stack.enter_context(connected(impatient, sent)) for _ in range(40)]

        live = requests.get(f"{impatient.url}/health/live", headers=alone, timeout=LONGEST_WAIT)
        me = requests.get(f"{impatient.url}/v1/me", headers=as_admin, timeout=LONGEST_WAIT)
        answered_after = time.monotonic() - begun

        assert (live.status_code, me.status_code) == (200, 200)
        assert answered_after < PATIENCE.pause
        for client in stalled:
            status, headers, told = answered(client)
            assert (status, told["code"]) == (408, "request_timeout")
            assert headers["connection"] == "close"
    eventually(lambda: connections(impatient) == 0, "all of them are disconnected")


def test_a_client_that_goes_on_sending_too_slowly_is_not_waited_for(impatient: Service) -> None:
    begun = time.monotonic()
    with connected(impatient, STALLED) as client:
        client.settimeout(0.2)
        status = None
        while status is None and time.monotonic() - begun < LONGEST_WAIT:
            try:
                status = client.recv(12)
            except TimeoutError:
                client.sendall(b" ")

    assert status == b"HTTP/1.1 408"


def test_an_upload_that_stops_is_not_waited_for_and_leaves_nothing(impatient: Service) -> None:
    token = str(impatient.client().session.headers["Authorization"])
    head = (
        f"POST /v1/lead-imports/file HTTP/1.1\r\nHost: unite\r\nAuthorization: {token}\r\n"
        "Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: 10000000\r\n\r\n"
        '--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    )
    with connected(impatient, head.encode() + b"Name,Email\n" * 100_000) as client:
        status, _, told = answered(client)

    assert (status, told["code"]) == (408, "request_timeout")
    assert [it for it in (impatient.folder / "var" / "files").rglob("*") if it.is_file()] == []

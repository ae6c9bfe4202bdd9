"""Measure requests during 70 slow clients of each kind, compared with an idle service, and when slow ones end.

Usage: python -m perf.slow_clients [CLIENTS]
"""

import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from perf import results
from perf.service import KeepAliveClient, percentile, service

PATH = "/v1/leads?limit=10"
REQUESTS = 120
SEND_INTERVAL = 0.1
"""Seconds between the requests of normal clients, which do not wait for each other."""

END_TIMEOUT = 100.0
LARGE_FILE = 8 * 1024 * 1024


def kinds(client: KeepAliveClient) -> dict[str, tuple[bytes, bytes, float]]:
    """Return each kind of slow client: its first bytes, the bytes it repeats, and the interval in seconds."""
    login = b"POST /v1/auth/login HTTP/1.1\r\nHost: unite\r\nContent-Type: application/json\r\n"
    known = f"Host: unite\r\nAuthorization: Bearer {client.token}\r\n".encode()
    followed = client.call("POST", "/v1/lead-imports", {"filename": "followed.csv", "size": 100})["id"]
    leads = b"POST /v1/leads HTTP/1.1\r\n" + known + b"Content-Type: application/json\r\n"
    form = b"POST /v1/lead-imports/file HTTP/1.1\r\n" + known + b"Content-Type: multipart/form-data; boundary=edge\r\n"
    part = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    return {
        "Expect: 100-continue, then silence": (
            login + b"Content-Length: 500\r\nExpect: 100-continue\r\n\r\n",
            b"",
            0,
        ),
        "66 KB of 900 KB, then silence": (leads + b"Content-Length: 900000\r\n\r\n" + b" " * 66_000, b"", 0),
        "a body byte by byte": (leads + b"Content-Length: 500\r\n\r\n", b" ", 0.5),
        "headers byte by byte": (b"GET /v1/me HTTP/1.1\r\nHost: unite\r\nX-Slow: ", b"x", 0.5),
        "a chunk that stops in its middle": (leads + b"Transfer-Encoding: chunked\r\n\r\n10000\r\n{", b"", 0),
        "an upload that trickles": (
            form + b"Content-Length: 9000000\r\n\r\n" + part + b"Name,Email\n" * 7_000,
            b"x",
            0.5,
        ),
        "a signed upload that trickles": (_upload_head(client).encode() + b"x" * 70_000, b"x", 0.5),
        "a download that nobody reads": (_download_head(client).encode(), b"", 0),
        "event streams that nobody reads": (
            f"GET /v1/lead-imports/{followed}/events HTTP/1.1\r\n".encode() + known + b"\r\n",
            b"",
            0,
        ),
        "connections that send nothing": (b"", b"", 0),
        "connections that are kept after a request": (b"GET /health/live HTTP/1.1\r\nHost: unite\r\n\r\n", b"", 0),
    }


def main() -> None:
    """Measure and record."""
    clients = int(sys.argv[1]) if len(sys.argv) > 1 else 70
    figures: dict[str, object] = {"slow clients of each kind": clients}
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as client:
        for kind, (first, then, pause) in kinds(client).items():
            idle = _timed(client)
            with _slow(client.port, clients, first, then, pause) as still_open:
                beside = _timed(client)
                began = time.monotonic()
                while still_open() and time.monotonic() - began < END_TIMEOUT:
                    time.sleep(0.5)
                left = still_open()
            figures[kind] = {
                "median ms, nobody slow": percentile(idle, 0.5),
                "median ms, beside them": percentile(beside, 0.5),
                "p99 ms, nobody slow": percentile(idle, 0.99),
                "p99 ms, beside them": percentile(beside, 0.99),
                "ratio of medians": round(statistics.median(beside) / statistics.median(idle), 2),
                f"still connected after {END_TIMEOUT:.0f} s": left,
            }
            print(kind, figures[kind], flush=True)
    results.record("slow_clients", "python -m perf.slow_clients", figures)


def _timed(client: KeepAliveClient) -> list[float]:
    """Return the latencies of normal requests, sent at a fixed rate whether earlier ones were answered or not."""

    def ask() -> float:
        one = client.another()
        try:
            return one.timed(PATH)
        finally:
            one.close()

    with ThreadPoolExecutor(REQUESTS) as others:
        requests = []
        for _ in range(REQUESTS):
            requests.append(others.submit(ask))
            time.sleep(SEND_INTERVAL)
        return [one.result() for one in requests]


def _upload_head(client: KeepAliveClient) -> str:
    announced = client.call("POST", "/v1/lead-imports", {"filename": "slow.csv", "size": LARGE_FILE})["upload"]
    headers = "".join(f"{name}: {value}\r\n" for name, value in announced["headers"].items())
    target = "/" + announced["url"].split("/", 3)[3]
    return f"PUT {target} HTTP/1.1\r\nHost: unite\r\n{headers}Content-Length: {LARGE_FILE}\r\n\r\n"


def _download_head(client: KeepAliveClient) -> str:
    """Return a request for the error report of an import with only rejected rows."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "wrong.csv"
        file.write_bytes(b"Name,Email,Notes\n" + b"Nobody,not an address,%s\n" % (b"x" * 1000) * (LARGE_FILE // 1000))
        import_id = client.upload(file)
    while client.call("GET", f"/v1/lead-imports/{import_id}")["status"] in ("queued", "running"):
        time.sleep(0.2)
    location = client.location(f"/v1/lead-imports/{import_id}/error-report")
    return f"GET /{location.split('/', 3)[3]} HTTP/1.1\r\nHost: unite\r\n\r\n"


@contextmanager
def _slow(port: int, clients: int, first: bytes, then: bytes, pause: float) -> Iterator[Callable[[], int]]:
    connected = [_connected(port, first) for _ in range(clients)]
    done = threading.Event()
    open_ones = {one: one.getsockname()[1] for one in connected}

    def trickle() -> None:
        while not done.wait(pause or 0.5):
            connected_ports = _connected_ports(port)
            for one, its_port in list(open_ones.items()):
                with suppress(OSError):
                    one.send(then)
                if its_port not in connected_ports:
                    del open_ones[one]

    sender = threading.Thread(target=trickle)
    sender.start()
    try:
        yield lambda: len(open_ones)
    finally:
        done.set()
        sender.join()
        for one in connected:
            one.close()


def _connected(port: int, first: bytes) -> socket.socket:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.settimeout(5)
    one.connect(("127.0.0.1", port))
    one.sendall(first)
    one.setblocking(False)
    return one


def _connected_ports(port: int) -> set[int]:
    """Return the ports of connected clients, from the kernel's table, without reading from the connections."""
    local = f"0100007F:{port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(line[2].partition(":")[2], 16) for line in lines if (line[1], line[3]) == (local, "01")}


if __name__ == "__main__":
    main()

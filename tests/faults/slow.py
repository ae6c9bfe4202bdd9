"""Slow clients, and requests of normal ones meanwhile."""

import socket
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.service_process import TIMEOUT, Service, direct_session

SLOW_CLIENTS = 70
"""The number of slow clients: more than there are request threads."""

OTHERS = 40
SEND_INTERVAL = 0.05
TRICKLE_INTERVAL = 0.2


def connected(one: Service, sent: bytes, receive_buffer: int | None = None) -> socket.socket:
    """Return a client that has sent these bytes, with the given receive buffer."""
    client = socket.socket()
    client.settimeout(TIMEOUT)
    if receive_buffer is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.connect(("127.0.0.1", one.port))
    client.sendall(sent)
    return client


@contextmanager
def slow_clients(one: Service, sent: bytes, trickle: bytes = b"") -> Iterator[list[socket.socket]]:
    """Run 70 clients that have sent the same bytes, and send `trickle` at intervals while they are connected."""
    clients = [connected(one, sent, receive_buffer=4096) for _ in range(SLOW_CLIENTS)]
    done = threading.Event()

    def go_on() -> None:
        left = list(clients)
        while left and not done.wait(TRICKLE_INTERVAL):
            for client in list(left):
                try:
                    client.sendall(trickle)
                except OSError:
                    left.remove(client)

    sender = threading.Thread(target=go_on)
    if trickle:
        sender.start()
    try:
        yield clients
    finally:
        done.set()
        if trickle:
            sender.join()
        for client in clients:
            client.close()


def median_of_others(one: Service, token: str) -> float:
    """Return the latencies of requests sent at a fixed rate, whether earlier ones were answered or not."""

    def ask() -> float:
        with direct_session() as session:
            began = time.monotonic()
            answer = session.get(f"{one.url}/v1/me", headers={"Authorization": token}, timeout=TIMEOUT)
            assert answer.status_code == 200
            return time.monotonic() - began

    with ThreadPoolExecutor(OTHERS) as others:
        asked = []
        for _ in range(OTHERS):
            asked.append(others.submit(ask))
            time.sleep(SEND_INTERVAL)
        return statistics.median(one.result() for one in asked)


def connections(one: Service) -> int:
    """Return the number of clients that are connected to the service."""
    local = f"0100007F:{one.port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[1] == local and line.split()[3] == "01" for line in lines)


def answered(client: socket.socket) -> bytes:
    """Read until the connection is closed or reset."""
    whole = b""
    try:
        while block := client.recv(65536):
            whole += block
    except ConnectionResetError:
        pass
    return whole
